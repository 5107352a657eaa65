import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readNpy, writeNpy } from '../io/index.ts';
import type { Arr } from './arr.ts';
import { wrap } from './lazy.ts';
import { sourceOf } from './place.ts';
import type { D } from './types.ts';
import { computed } from './values.ts';

const NAME = /^step-(\d+)\.npy$/;

/** The arrays that `iterate` leaves in a folder, each in a file that has the number of its step in its name. */
export class Checkpoints<T extends D> {
  readonly #folder: string;
  #kept: number[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder where there is none. */
  static async open<T extends D>(folder: string): Promise<Checkpoints<T>> {
    const checkpoints = new Checkpoints<T>(folder);
    await mkdir(folder, { recursive: true });
    const steps = (await readdir(folder)).map((name) => NAME.exec(name)?.[1]).filter((step) => step !== undefined);
    checkpoints.#kept = steps.map(Number).sort((a, b) => a - b);
    return checkpoints;
  }

  path(step: number): string {
    return join(this.#folder, `step-${step}.npy`);
  }

  /** The step that was kept last; undefined: none. */
  get last(): number | undefined {
    return this.#kept.at(-1);
  }

  async read(step: number): Promise<Arr<T>> {
    const { elements, shape, dtype } = await readNpy(this.path(step));
    return wrap<T>(sourceOf(elements, shape, dtype));
  }

  /** Files appear when they are complete, and the one before goes after that: there is always one to go on from. */
  async write(step: number, x: Arr<T>): Promise<void> {
    const { node, elements } = await computed('iterate', x);
    await writeNpy(this.path(step), { shape: node.shape, dtype: node.dtype, elements });
    await this.#remove(this.#kept.filter((each) => each !== step));
    this.#kept = [step];
  }

  async #remove(steps: readonly number[]): Promise<void> {
    for (const each of steps) await rm(this.path(each), { force: true });
  }

  /** The iteration has come to its end: the next one begins anew. What others have put into the folder stays. */
  async clear(): Promise<void> {
    await this.#remove(this.#kept);
    this.#kept = [];
    if ((await readdir(this.#folder)).length === 0) await rmdir(this.#folder);
  }
}

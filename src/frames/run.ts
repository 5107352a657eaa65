import { availableParallelism } from 'node:os';
import { arraysOf } from '../runtime/index.ts';
import type { Ref } from '../tasks/index.ts';
import { cancel, currentEngine, get, remote } from '../tasks/index.ts';
import type { ColumnKind } from './column-types.ts';
import type { Batch } from './columns.ts';
import type { Block, Cut, Query, Stats } from './frame-worker.ts';
import { inputName } from './input-name.ts';
import type { Part } from './relation.ts';
import { quoted } from './sql-text.ts';

/** The least that the engine is given. */
const LEAST_MEMORY = 128 << 20;

type Tasks = typeof import('./frame-worker.ts');
type Several = (...args: unknown[]) => Ref<unknown>[];

/** A partition that has been computed. */
export interface Computed {
  readonly stats: Stats;
  readonly blocks: readonly Ref<Block>[];
}

/**
 * One thing that is asked of a frame, from its beginning to its end: the tasks of it, and what they made. At the end all is let go of that was
 * not handed out, and what still runs is cancelled.
 */
export class Run implements Disposable {
  readonly cpus: number;
  /** What workers do for it. */
  readonly tasks = remote<Tasks>(new URL('./frame-worker.js', import.meta.url));
  readonly #memory: number;
  readonly #what: string;
  readonly #refs = new Set<Ref<unknown>>();

  constructor(what: string) {
    const engine = currentEngine(`frame.${what}`);
    this.cpus = arraysOf(engine)?.cpus ?? availableParallelism();
    this.#memory = Math.max(LEAST_MEMORY, Math.floor(engine.store.limit / this.cpus));
    this.#what = what;
  }

  /** A query of its own, and the blocks that it needs. */
  query(part: Part): { query: Query; inputs: Ref<Block>[] } {
    const inputs: Ref<Block>[] = [];
    const sql = part.build((block) => {
      let index = inputs.indexOf(block);
      if (index < 0) index = inputs.push(block) - 1;
      return quoted(inputName(index));
    });
    return { query: this.plain(sql), inputs };
  }

  plain(sql: string): Query {
    return { sql, what: this.#what, memory: this.#memory };
  }

  /** Lets go of it at the end. Who does not look at its failure has one of another task to look at. */
  hold<T>(ref: Ref<T>): Ref<T> {
    this.#refs.add(ref);
    return ref.ignore();
  }

  /** It outlives the run. */
  keep<T>(ref: Ref<T>): Ref<T> {
    this.#refs.delete(ref);
    return ref;
  }

  /** Computes partitions, each into one block, or into one for each bucket. */
  async blocks(parts: readonly Part[], cut?: Cut): Promise<Computed[]> {
    const made = parts.map((part) => {
      const { query, inputs } = this.query(part);
      const call = this.tasks.computeBlocks.with({ returns: (cut?.buckets ?? 1) + 1 }) as unknown as Several;
      return this.computed(call(query, cut, ...inputs));
    });
    const stats = await get(made.map((refs) => refs.stats));
    return made.map(({ blocks }, i) => ({ stats: stats[i] as Stats, blocks }));
  }

  /** What a task gave that returns what is known of its blocks, and them. */
  computed(refs: readonly Ref<unknown>[]): { stats: Ref<Stats>; blocks: Ref<Block>[] } {
    const [stats, ...blocks] = refs.map((ref) => this.hold(ref));
    return { stats: stats as Ref<Stats>, blocks: blocks as Ref<Block>[] };
  }

  /** The rows of partitions, one after the other; `ahead` of them are being computed meanwhile. */
  async *batches(parts: readonly Part[], columns: readonly ColumnKind[], ahead = this.cpus + 1): AsyncGenerator<Batch> {
    const started: Ref<Batch>[] = [];
    for (let next = 0; next < parts.length; next++) {
      while (started.length < Math.min(parts.length, next + ahead)) {
        const { query, inputs } = this.query(parts[started.length]!);
        started.push(this.hold(this.tasks.computeBatch(query, columns, ...inputs)));
      }
      const ref = started[next]!;
      yield await ref.value;
      this.release(ref);
    }
  }

  release(ref: Ref<unknown>): void {
    if (this.#refs.delete(ref)) ref.release();
  }

  [Symbol.dispose](): void {
    for (const ref of this.#refs) {
      cancel(ref);
      ref.release();
    }
    this.#refs.clear();
  }
}

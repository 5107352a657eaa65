import type { DType } from '../nd/index.ts';
import type { ElementOpName } from './elementwise.ts';
import type { ReducerName } from './reducers.ts';

/** One step of a kernel: a value of each point of its space. `args` are numbers of steps before it. */
export type Step =
  /** An element of an operand. */
  | { readonly op: 'load'; readonly operand: number; readonly dtype: DType }
  /** A value that is the same everywhere, and given when the kernel is run. */
  | { readonly op: 'scalar'; readonly scalar: number; readonly dtype: DType }
  /** The same, part of the kernel. */
  | { readonly op: 'constant'; readonly value: number | bigint; readonly dtype: DType }
  /** Where the point lies along an axis. */
  | { readonly op: 'position'; readonly axis: number; readonly dtype: 'i64' }
  /** The value in another type: integers wrap, floats are cut off and saturate, and whatever is not 0 is true. */
  | { readonly op: 'cast'; readonly args: readonly [number]; readonly dtype: DType }
  | { readonly op: ElementOpName; readonly args: readonly number[]; readonly dtype: DType };

/** Where the value of a step goes: every point to a place of its own, or all points that have one place combined. */
export interface Result {
  readonly value: number;
  readonly reduce: ReducerName | null;
}

/**
 * What is computed at each point of a rectangular space, for all backends: the reference interpreter, JavaScript, WebAssembly.
 *
 * Operands and results are seen through strides (`Strided`), one for each axis of the space: 0 where an operand broadcasts, 0 where a
 * result is reduced over the axis. So one form serves elementwise chains, broadcasts, reductions along any axes, and products
 * (`sum` of a multiplication in a space of three axes is a matrix product).
 */
export interface Kernel {
  /** How many axes its space has. */
  readonly rank: number;
  readonly operands: readonly DType[];
  readonly scalars: readonly DType[];
  readonly steps: readonly Step[];
  readonly results: readonly Result[];
}

const keys = new WeakMap<Kernel, string>();

/** The same text for kernels that are the same, so that none is compiled twice. */
export function keyOf(kernel: Kernel): string {
  let key = keys.get(kernel);
  if (key === undefined) {
    const { rank, operands, scalars, steps, results } = kernel;
    const done = results.map(({ value, reduce }) => `${value} ${reduce}`);
    key = `${rank}|${operands}|${scalars}|${steps.map(textOf).join(';')}|${done}`;
    keys.set(kernel, key);
  }
  return key;
}

/** The same text for steps that are the same. */
function textOf(step: Step): string {
  switch (step.op) {
    case 'load':
      return `load ${step.dtype} ${step.operand}`;
    case 'scalar':
      return `scalar ${step.dtype} ${step.scalar}`;
    case 'constant':
      return `constant ${step.dtype} ${Object.is(step.value, -0) ? '-0' : step.value}`;
    case 'position':
      return `position ${step.dtype} ${step.axis}`;
    default:
      return `${step.op} ${step.dtype} ${step.args.join()}`;
  }
}

type Operation = Exclude<Step, { op: 'load' | 'scalar' | 'constant' | 'position' | 'cast' }>;

/** Puts a kernel together. A step that is there already is not repeated. */
export class KernelBuilder {
  readonly #rank: number;
  readonly #operands: DType[] = [];
  readonly #scalars: DType[] = [];
  readonly #steps: Step[] = [];
  readonly #known = new Map<string, number>();
  readonly #results: Result[] = [];

  constructor(rank: number) {
    this.#rank = rank;
  }

  #step(step: Step): number {
    const key = textOf(step);
    let number = this.#known.get(key);
    if (number === undefined) {
      number = this.#steps.push(step) - 1;
      this.#known.set(key, number);
    }
    return number;
  }

  /** A new operand, and its element. */
  operand(dtype: DType): number {
    return this.#step({ op: 'load', operand: this.#operands.push(dtype) - 1, dtype });
  }

  /** A new value that is given with each run. */
  scalar(dtype: DType): number {
    return this.#step({ op: 'scalar', scalar: this.#scalars.push(dtype) - 1, dtype });
  }

  constant(value: number | bigint, dtype: DType): number {
    return this.#step({ op: 'constant', value, dtype });
  }

  position(axis: number): number {
    return this.#step({ op: 'position', axis, dtype: 'i64' });
  }

  cast(value: number, dtype: DType): number {
    return (this.#steps[value] as Step).dtype === dtype ? value : this.#step({ op: 'cast', args: [value], dtype });
  }

  apply(op: ElementOpName, args: readonly number[], dtype: DType): number {
    return this.#step({ op, args, dtype } as Operation);
  }

  result(value: number, reduce: ReducerName | null = null): this {
    this.#results.push({ value, reduce });
    return this;
  }

  build(): Kernel {
    return {
      rank: this.#rank,
      operands: this.#operands,
      scalars: this.#scalars,
      steps: this.#steps,
      results: this.#results,
    };
  }
}

import { InternalError } from '../../base/index.ts';
import { DTYPES, type DType } from '../../nd/index.ts';
import type { ElementOpName } from '../elementwise.ts';
import type { Kernel, Step } from '../kernel.ts';
import { COMBINES, type ReducerName, reducer } from '../reducers.ts';
import { Calls } from './calls.ts';
import { Code, I32, V128 } from './code.ts';
import type { Along, Cursor } from './cursors.ts';
import { Extremes } from './extremes.ts';
import { moduleBytes } from './module.ts';
import * as scalars from './scalars.ts';
import { ShortRows } from './short-rows.ts';
import * as vectors from './vectors.ts';

export interface Variant {
  readonly operands: readonly Along[];
  readonly results: readonly Along[];
  /** The memory is shared. */
  readonly shared: boolean;
  /** The last axis is short, so that lanes are better used for several rows at once where the axis is reduced. */
  readonly short?: boolean;
}

/** So often the body is repeated in one round of the loop: additions of one accumulator would wait for each other. */
const UNROLLED_HELD = 4;
const UNROLLED = 2;

/** The bytes of a module, and the functions of the library that it takes. */
export interface KernelModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly functions: readonly string[];
}

/**
 * The module of a kernel. Its function takes, all in bytes but for the lengths
 * and the scalars: the length of each axis; of each operand, then of each result, its address and its strides; the scalars.
 */
export function moduleOf(kernel: Kernel, variant: Variant): KernelModule {
  const { code, calls } = new Emitter(kernel, variant).emit();
  const bytes = moduleBytes({ shared: variant.shared, imports: calls.imports, functions: [{ name: 'run', code }] });
  return { bytes, functions: calls.imports.map(({ name }) => name) };
}

class Emitter {
  readonly #kernel: Kernel;
  readonly code = new Code();
  readonly calls = new Calls(this.code);
  readonly #lengths: number[] = [];
  readonly #operands: Cursor[];
  readonly #results: Cursor[];
  readonly #given: number[];
  readonly #counters: number[] = [];
  /** Bytes of an element, where it can be done in lanes. */
  readonly #width: number;
  readonly #lanes: number;
  readonly #vectorized: boolean;
  readonly #rows: ShortRows | undefined;
  /** What is known of second operands that are the same for all points, by step. */
  readonly #places = new Map<Step, number>();
  /** The positions along the last axis of the first lanes of a round, where a kernel asks for them. */
  #point = -1;

  constructor(kernel: Kernel, variant: Variant) {
    this.#kernel = kernel;
    const { rank } = kernel;
    const c = this.code;
    for (let axis = 0; axis < rank; axis++) this.#lengths.push(c.param(I32));
    const cursor = (dtype: DType, along: Along) => ({
      dtype,
      along,
      first: c.param(I32),
      by: Array.from({ length: rank }, () => c.param(I32)),
    });
    const made = [
      ...kernel.operands.map((dtype, i) => cursor(dtype, variant.operands[i] as Along)),
      ...kernel.results.map(({ value }, i) => cursor(this.#typeOf(value), variant.results[i] as Along)),
    ];
    this.#given = kernel.scalars.map((dtype) => c.param(scalars.typeOf(dtype)));
    const placed = made.map(({ first, ...rest }): Cursor => {
      const inner = Array.from({ length: Math.max(0, rank - 1) }, () => c.local(I32));
      return { ...rest, at: [first, ...inner] };
    });
    this.#operands = placed.slice(0, kernel.operands.length);
    this.#results = placed.slice(kernel.operands.length);
    for (let axis = 0; axis < rank; axis++) this.#counters.push(c.local(I32));
    const width = vectors.widthOf(kernel.steps.map(({ dtype }) => dtype));
    const onlyBooleans = kernel.steps.every(({ dtype }) => dtype === 'bool');
    this.#width = onlyBooleans ? 1 : (width ?? 0);
    this.#lanes = this.#width === 0 ? 1 : 16 / this.#width;
    this.#vectorized = rank > 0 && this.#width > 0 && this.#fits();
    if (variant.short !== true) return;
    this.#rows = ShortRows.of({
      kernel,
      code: c,
      lengths: this.#lengths,
      counters: this.#counters,
      operands: this.#operands,
      results: this.#results,
      given: this.#given,
      width: this.#width,
    });
  }

  #typeOf(value: number): DType {
    return (this.#kernel.steps[value] as Step).dtype;
  }

  /** Whether all operators can be done in lanes, of arrays that lie as that needs. */
  #fits(): boolean {
    const { steps, results } = this.#kernel;
    if (this.#operands.some(({ along }) => along === 'any')) return false;
    if (this.#results.some(({ along }, i) => along === 'any' || (along === 'same' && results[i]?.reduce === null)))
      return false;
    const scratch = new Code();
    const x = scratch.local(V128);
    for (const step of steps) {
      if (step.op === 'position' && this.#width !== 8) return false;
      if (!('args' in step)) continue;
      if (step.op === 'cast') {
        if (!vectors.cast(scratch, x, this.#typeOf(step.args[0]), step.dtype, this.#width)) return false;
      } else {
        const dtype = this.#typeOf(step.args.at(-1) as number);
        if (!Calls.serve(step.op, dtype) && !vectors.apply(scratch, step.op, dtype, [x, x, x])) return false;
      }
    }
    return results.every(({ value, reduce }) => {
      return reduce === null || vectors.apply(scratch, COMBINES[reduce], this.#typeOf(value), [x, x]);
    });
  }

  emit(): this {
    const { rank } = this.#kernel;
    const c = this.code;
    const last = Math.max(0, rank - 1);
    const loops = (axis: number, inLanes: boolean): void => {
      if (axis === last) this.#innermost(last, inLanes);
      else {
        c.get(this.#lengths[axis] as number).set(this.#counters[axis] as number);
        // How a row is added up must not depend on how many there are.
        if (axis === last - 1) this.#rows?.emit(() => over(axis, false));
        over(axis, inLanes);
      }
    };
    const over = (axis: number, inLanes: boolean): void => {
      const counter = this.#counters[axis] as number;
      c.while(
        () => c.get(counter),
        () => {
          for (const { at } of this.#arrays) c.get(at[axis] as number).set(at[axis + 1] as number);
          loops(axis + 1, inLanes);
          for (const { at, by } of this.#arrays) this.#advance(at[axis] as number, by[axis] as number);
          c.get(counter).i32(1).op(0x6b).set(counter);
        },
      );
    };
    this.#findPlaces();
    loops(0, this.#vectorized);
    return this;
  }

  /** Of kernels without an axis there is one point only, for which nothing is worth finding out. */
  #findPlaces(): void {
    const { rank, steps } = this.#kernel;
    if (rank === 0) return;
    for (const step of steps) {
      if (!this.#isCall(step)) continue;
      const second = steps[step.args[1] ?? -1];
      if (second?.op !== 'constant' && second?.op !== 'scalar') continue;
      const place = this.calls.place(step.op, () => {
        if (second.op === 'constant') scalars.constant(this.code, second.value, second.dtype);
        else this.code.get(this.#given[second.scalar] as number);
        if (second.dtype === 'f32') this.code.op(0xbb);
      });
      if (place !== undefined) this.#places.set(step, place);
    }
  }

  get #arrays(): Cursor[] {
    return [...this.#operands, ...this.#results];
  }

  #advance(at: number, by: number): void {
    this.code.get(at, by).op(0x6a).set(at);
  }

  #innermost(axis: number, inLanes: boolean): void {
    const { rank, results } = this.#kernel;
    const c = this.code;
    const held = results.map(({ reduce }, i) => reduce !== null && rank > 0 && this.#results[i]?.along === 'same');
    // What all points combine is kept in a variable, and stored at the end.
    const totals = results.map(({ value }, i) => {
      if (!held[i]) return -1;
      const total = c.local(scalars.typeOf(this.#typeOf(value)));
      scalars.load(c.get(this.#results[i]?.at[axis] as number), this.#typeOf(value), 0).set(total);
      return total;
    });
    const one = this.#body(axis, totals);
    if (rank === 0) {
      one();
      return;
    }
    const left = this.#counters[axis] as number;
    c.get(this.#lengths[axis] as number).set(left);
    if (inLanes) this.#inLanes(axis, left, totals);
    c.while(
      () => c.get(left),
      () => {
        one();
        for (const { at, by, along } of this.#arrays) {
          if (along !== 'same') this.#advance(at[axis] as number, by[axis] as number);
        }
        c.get(left).i32(1).op(0x6b).set(left);
      },
    );
    for (const [i, total] of totals.entries()) {
      if (total < 0) continue;
      scalars.store(
        c.get(this.#results[i]?.at[axis] as number).get(total),
        this.#typeOf((results[i] as { value: number }).value),
        0,
      );
    }
  }

  /** Writes what comes before all points; what it returns writes one of them. */
  #body(axis: number, totals: readonly number[]): () => void {
    const { steps, results } = this.#kernel;
    const c = this.code;
    const locals = steps.map((step) =>
      step.op === 'scalar' ? (this.#given[step.scalar] as number) : c.local(scalars.typeOf(step.dtype)),
    );
    for (const [i, step] of steps.entries()) {
      const local = locals[i] as number;
      if (step.op === 'constant') scalars.constant(c, step.value, step.dtype).set(local);
      else if (this.#isSame(step)) scalars.load(c.get(this.#addressOf(step, axis)), step.dtype, 0).set(local);
    }
    return () => {
      for (const [i, step] of steps.entries()) {
        const local = locals[i] as number;
        if (step.op === 'load') {
          if (!this.#isSame(step)) scalars.load(c.get(this.#addressOf(step, axis)), step.dtype, 0).set(local);
        } else if (step.op === 'position') {
          // Counters go down.
          c.get(this.#lengths[step.axis] as number, this.#counters[step.axis] as number)
            .op(0x6b, 0xad)
            .set(local);
        } else if (this.#isComputed(step)) {
          const args = step.args.map((arg) => locals[arg] as number);
          const dtype = this.#typeOf(step.args.at(-1) as number);
          if (step.op === 'cast') scalars.cast(c, args[0] as number, dtype, step.dtype);
          else if (Calls.serve(step.op, dtype)) this.calls.scalar(step.op, dtype, args, this.#places.get(step));
          else this.#apply(step.op, dtype, args);
          c.set(local);
        }
      }
      for (const [i, { value, reduce }] of results.entries()) {
        const dtype = this.#typeOf(value);
        const local = locals[value] as number;
        const total = totals[i] as number;
        const at = this.#results[i]?.at[axis] as number;
        if (reduce === null) scalars.store(c.get(at, local), dtype, 0);
        else if (total >= 0) {
          scalars.apply(c, COMBINES[reduce], dtype, [total, local]);
          c.set(total);
        } else {
          const before = c.local(scalars.typeOf(dtype));
          scalars.load(c.get(at), dtype, 0).set(before);
          c.get(at);
          scalars.apply(c, COMBINES[reduce], dtype, [before, local]);
          scalars.store(c, dtype, 0);
        }
      }
    };
  }

  #apply(op: ElementOpName, dtype: DType, args: readonly number[]): void {
    if (scalars.apply(this.code, op, dtype, args)) return;
    throw new InternalError(`there are no instructions for ${op} of ${dtype}`);
  }

  /** Rounds of the last axis in lanes, as many as are full; the rest is left to be done one by one. */
  #inLanes(axis: number, left: number, totals: readonly number[]): void {
    const { steps, results } = this.#kernel;
    const c = this.code;
    const rounds = totals.some((total) => total >= 0) ? UNROLLED_HELD : UNROLLED;
    const perRound = rounds * this.#lanes;
    // Functions take the values of several rounds at once; all that has no function is done round by round.
    const together = steps.some((step) => this.#isCall(step)) ? UNROLLED : 1;
    const shared = steps.map(() => c.local(V128));
    const locals = Array.from({ length: together }, (_, round) =>
      steps.map((step, i) => (round === 0 || !this.#varies(step) ? (shared[i] as number) : c.local(V128))),
    );
    for (const [i, step] of steps.entries()) {
      const local = shared[i] as number;
      if (step.op === 'constant') {
        vectors.constantSplat(c, step.value, step.dtype);
        c.set(local);
      } else if (step.op === 'scalar') {
        vectors.splat(c.get(this.#given[step.scalar] as number), step.dtype);
        c.set(local);
      } else if (this.#isSame(step)) {
        vectors.loadSplat(c.get(this.#addressOf(step, axis)), step.dtype, 0, this.#width);
        c.set(local);
      } else if (step.op === 'position') {
        if (step.axis === axis) {
          this.#point = c.local(V128);
          vectors.counting(c);
          c.set(this.#point);
        } else {
          // Counters go down.
          c.get(this.#lengths[step.axis] as number, this.#counters[step.axis] as number).op(0x6b, 0xad);
          vectors.splat(c, 'i64');
          c.set(local);
        }
      }
    }
    const held = (i: number): boolean => (totals[i] as number) >= 0;
    const extremes = results.map(({ value, reduce }, i) =>
      held(i) ? Extremes.of(c, reduce, this.#typeOf(value), rounds) : undefined,
    );
    const gathered = results.map(({ value, reduce }, i) => {
      if (!held(i) || reduce === null || extremes[i] !== undefined) return [];
      return Array.from({ length: rounds }, () => {
        const local = c.local(V128);
        vectors.constantSplat(c, reducer(reduce).identity(this.#typeOf(value)), this.#typeOf(value));
        c.set(local);
        return local;
      });
    });
    c.while(
      () => c.get(left).i32(perRound).op(0x4f),
      () => {
        for (let first = 0; first < rounds; first += together) {
          this.#lanesOnce(axis, first, locals.slice(0, together), gathered, extremes);
        }
        for (const { at, dtype, along } of this.#arrays) {
          if (along === 'same') continue;
          const cursor = at[axis] as number;
          c.get(cursor)
            .i32(perRound * DTYPES[dtype].bytes)
            .op(0x6a)
            .set(cursor);
        }
        if (this.#point >= 0) {
          vectors.advanced(c.get(this.#point), perRound);
          c.set(this.#point);
        }
        c.get(left).i32(perRound).op(0x6b).set(left);
      },
    );
    for (const [i, accumulators] of gathered.entries()) {
      const own = extremes[i];
      this.#gather(own === undefined ? accumulators : [own.end()], i, totals[i] as number);
    }
  }

  /** As many rounds at once as there are sets of locals. */
  #lanesOnce(
    axis: number,
    first: number,
    locals: readonly (readonly number[])[],
    gathered: readonly (readonly number[])[],
    extremes: readonly (Extremes | undefined)[],
  ): void {
    for (const [i, step] of this.#kernel.steps.entries()) {
      if (!this.#varies(step)) continue;
      if (this.#isCall(step)) {
        const args = step.args.map((arg) => locals.map((each) => each[arg] as number));
        this.calls.lanes(
          step.op,
          step.dtype,
          args,
          locals.map((each) => each[i] as number),
          this.#places.get(step),
        );
      } else for (const [round, each] of locals.entries()) this.#stepInLanes(axis, first + round, i, each);
    }
    for (const [round, each] of locals.entries()) this.#storeLanes(axis, first + round, each, gathered, extremes);
  }

  #offsetOf(round: number, dtype: DType): number {
    return round * this.#lanes * DTYPES[dtype].bytes;
  }

  #stepInLanes(axis: number, round: number, number: number, locals: readonly number[]): void {
    const step = this.#kernel.steps[number] as Step;
    const c = this.code;
    if (step.op === 'load') {
      vectors.load(c.get(this.#addressOf(step, axis)), step.dtype, this.#offsetOf(round, step.dtype), this.#width);
    } else if (step.op === 'position') vectors.advanced(c.get(this.#point), round * this.#lanes);
    else if (this.#isComputed(step)) {
      const args = step.args.map((arg) => locals[arg] as number);
      const dtype = this.#typeOf(step.args.at(-1) as number);
      if (step.op === 'cast') vectors.cast(c, args[0] as number, dtype, step.dtype, this.#width);
      else vectors.apply(c, step.op, dtype, args);
    }
    c.set(locals[number] as number);
  }

  #storeLanes(
    axis: number,
    round: number,
    locals: readonly number[],
    gathered: readonly (readonly number[])[],
    extremes: readonly (Extremes | undefined)[],
  ): void {
    const { results } = this.#kernel;
    const c = this.code;
    for (const [i, { value, reduce }] of results.entries()) {
      const dtype = this.#typeOf(value);
      const offset = this.#offsetOf(round, dtype);
      const at = this.#results[i]?.at[axis] as number;
      let local = locals[value] as number;
      const own = extremes[i];
      if (own !== undefined) {
        own.take(round, local);
        continue;
      }
      const accumulator = gathered[i]?.[round];
      if (reduce !== null) {
        let before = accumulator;
        if (before === undefined) {
          before = c.local(V128);
          vectors.load(c.get(at), dtype, offset, this.#width);
          c.set(before);
        }
        vectors.apply(c, COMBINES[reduce], dtype, [before, local]);
        local = accumulator ?? c.local(V128);
        c.set(local);
      }
      if (accumulator === undefined) vectors.store(c.get(at), dtype, offset, this.#width, local);
    }
  }

  /** All lanes of all accumulators into the total. */
  #gather(accumulators: readonly number[], result: number, total: number): void {
    const [first, ...others] = accumulators;
    if (first === undefined) return;
    const { value, reduce } = this.#kernel.results[result] as { value: number; reduce: ReducerName };
    const dtype = this.#typeOf(value);
    const c = this.code;
    for (const other of others) {
      vectors.apply(c, COMBINES[reduce], dtype, [first, other]);
      c.set(first);
    }
    const lane = c.local(scalars.typeOf(dtype));
    for (let i = 0; i < this.#lanes; i++) {
      vectors.extract(c, dtype, first, i, this.#width);
      c.set(lane);
      scalars.apply(c, COMBINES[reduce], dtype, [total, lane]);
      c.set(total);
    }
  }

  #isSame(step: Step): boolean {
    return step.op === 'load' && this.#operands[step.operand]?.along === 'same';
  }

  /** Whether it is written for each point, and not before all of them. */
  #varies(step: Step): boolean {
    if (step.op === 'position') return step.axis === this.#kernel.rank - 1;
    return this.#isComputed(step) || (step.op === 'load' && !this.#isSame(step));
  }

  #isCall(step: Step): step is Extract<Step, { op: ElementOpName }> {
    return (
      this.#isComputed(step) && step.op !== 'cast' && Calls.serve(step.op, this.#typeOf(step.args.at(-1) as number))
    );
  }

  #isComputed(step: Step): step is Extract<Step, { args: readonly number[] }> {
    return 'args' in step;
  }

  #addressOf(step: Step, axis: number): number {
    return this.#operands[(step as { operand: number }).operand]?.at[axis] as number;
  }
}

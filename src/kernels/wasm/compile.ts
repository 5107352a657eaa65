import type { Kernel } from '../kernel.ts';
import { COMBINES } from '../reducers.ts';
import { Calls } from './calls.ts';
import { Code, V128 } from './code.ts';
import { moduleBytes } from './module.ts';
import { PairedRows } from './paired-rows.ts';
import type { Variant } from './points.ts';
import * as scalars from './scalars.ts';
import { ShortRows } from './short-rows.ts';
import * as vectors from './vectors.ts';

export type { Variant } from './points.ts';

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

class Emitter extends PairedRows {
  readonly #vectorized: boolean;
  readonly #rows: ShortRows | undefined;

  constructor(kernel: Kernel, variant: Variant) {
    super(kernel, variant);
    this.#vectorized = kernel.rank > 0 && this.width > 0 && this.#fits();
    if (variant.short !== true) return;
    this.#rows = ShortRows.of({
      kernel,
      code: this.code,
      lengths: this.lengths,
      counters: this.counters,
      operands: this.operands,
      results: this.results,
      given: this.given,
      width: this.width,
    });
  }

  /** Whether all operators can be done in lanes, of arrays that lie as that needs. */
  #fits(): boolean {
    const { steps, results } = this.kernel;
    if (this.operands.some(({ along }) => along === 'any')) return false;
    if (this.results.some(({ along }, i) => along === 'any' || (along === 'same' && results[i]?.reduce === null)))
      return false;
    const scratch = new Code();
    const x = scratch.local(V128);
    for (const step of steps) {
      if (step.op === 'position' && this.width !== 8) return false;
      if (!('args' in step)) continue;
      if (step.op === 'cast') {
        if (!vectors.cast(scratch, x, this.typeOf(step.args[0]), step.dtype, this.width)) return false;
      } else {
        const dtype = this.typeOf(step.args.at(-1) as number);
        if (!Calls.serve(step.op, dtype) && !vectors.apply(scratch, step.op, dtype, [x, x, x])) return false;
      }
    }
    return results.every(({ value, reduce }) => {
      return reduce === null || vectors.apply(scratch, COMBINES[reduce], this.typeOf(value), [x, x]);
    });
  }

  emit(): this {
    const { rank } = this.kernel;
    const c = this.code;
    const last = Math.max(0, rank - 1);
    const loops = (axis: number, inLanes: boolean): void => {
      if (axis === last) this.#innermost(last, inLanes);
      else {
        c.get(this.lengths[axis] as number).set(this.counters[axis] as number);
        // How a row is added up must not depend on how many there are.
        if (axis === last - 1) this.#rows?.emit(() => over(axis, false));
        if (axis === last - 1 && inLanes && this.combinesRows) this.rowsAtOnce(axis);
        over(axis, inLanes);
      }
    };
    const over = (axis: number, inLanes: boolean): void => {
      const counter = this.counters[axis] as number;
      c.while(
        () => c.get(counter),
        () => {
          for (const { at } of this.arrays) c.get(at[axis] as number).set(at[axis + 1] as number);
          loops(axis + 1, inLanes);
          for (const { at, by } of this.arrays) this.advance(at[axis] as number, by[axis] as number);
          c.get(counter).i32(1).op(0x6b).set(counter);
        },
      );
    };
    this.findPlaces();
    loops(0, this.#vectorized);
    return this;
  }

  #innermost(axis: number, inLanes: boolean): void {
    const { rank, results } = this.kernel;
    const c = this.code;
    const held = results.map(({ reduce }, i) => reduce !== null && rank > 0 && this.results[i]?.along === 'same');
    // What all points combine is kept in a variable, and stored at the end.
    const totals = results.map(({ value }, i) => {
      if (!held[i]) return -1;
      const total = c.local(scalars.typeOf(this.typeOf(value)));
      scalars.load(c.get(this.results[i]?.at[axis] as number), this.typeOf(value), 0).set(total);
      return total;
    });
    const one = this.body(axis, totals);
    if (rank === 0) {
      one();
      return;
    }
    const left = this.counters[axis] as number;
    c.get(this.lengths[axis] as number).set(left);
    if (inLanes) this.inLanes(axis, left, totals);
    this.oneByOne(axis, left, one);
    for (const [i, total] of totals.entries()) {
      if (total < 0) continue;
      scalars.store(
        c.get(this.results[i]?.at[axis] as number).get(total),
        this.typeOf((results[i] as { value: number }).value),
        0,
      );
    }
  }
}

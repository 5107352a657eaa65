import { type DType, kindOf } from '../../nd/index.ts';
import type { Kernel, Step } from '../kernel.ts';
import { COMBINES, reducer } from '../reducers.ts';
import { Calls } from './calls.ts';
import { Code, I32, V128 } from './code.ts';
import type { Cursor } from './cursors.ts';
import { Extremes } from './extremes.ts';
import * as vectors from './vectors.ts';

/** What the code for a kernel has put into variables. */
export interface Around {
  readonly kernel: Kernel;
  readonly code: Code;
  readonly lengths: readonly number[];
  readonly counters: readonly number[];
  readonly operands: readonly Cursor[];
  readonly results: readonly Cursor[];
  readonly given: readonly number[];
  /** Bytes of a lane; 0 where there is no one width. */
  readonly width: number;
}

const ADD_I64 = 206;

/** So many vectors are computed at once: one alone would wait for itself. */
const TOGETHER = 2;

/**
 * Rows that become one element each, where they are short: combining the lanes of a vector in the end, and what remains of a row behind the
 * last full vector, would take longer than all the rest. So a lane is a row, and the elements of all of them are taken one after the
 * other.
 */
export class ShortRows {
  readonly #around: Around;
  readonly #lanes: number;
  readonly #rowAxis: number;
  readonly #last: number;
  /** By step: what is the same for all rows. */
  readonly #fixed: number[] = [];

  /** Up to so many elements of the last axis. Vectors of one row are worth more where the end takes less: that of extremes of floats takes most. */
  static most({ results, steps }: Kernel): number {
    if (results.some(({ reduce }) => reduce === null)) return 0;
    const dear = results.every(
      ({ value, reduce }) => (reduce === 'min' || reduce === 'max') && kindOf((steps[value] as Step).dtype) === 'float',
    );
    return dear ? 31 : 12;
  }

  /** Undefined where a row is no single element, or lanes have no instructions for it. */
  static of(around: Around): ShortRows | undefined {
    const { kernel, operands, results, width } = around;
    if (kernel.rank < 2 || (width !== 4 && width !== 8)) return undefined;
    if (results.some(({ along, dtype }) => along !== 'same' || dtype === 'bool')) return undefined;
    if (operands.some(({ dtype }) => dtype === 'bool')) return undefined;
    const scratch = new Code();
    const x = scratch.local(V128);
    const typeOf = (value: number): DType => (kernel.steps[value] as Step).dtype;
    const fits = kernel.steps.every((step) => {
      if (step.op === 'position') return width === 8;
      if (!('args' in step)) return true;
      const dtype = typeOf(step.args.at(-1) as number);
      if (step.op === 'cast') return vectors.cast(scratch, x, typeOf(step.args[0]), step.dtype, width);
      return !Calls.serve(step.op, dtype) && vectors.apply(scratch, step.op, dtype, [x, x, x]);
    });
    if (!fits) return undefined;
    const combined = kernel.results.every(
      ({ value, reduce }) => reduce !== null && vectors.apply(scratch, COMBINES[reduce], typeOf(value), [x, x]),
    );
    return combined ? new ShortRows(around) : undefined;
  }

  private constructor(around: Around) {
    this.#around = around;
    this.#lanes = 16 / around.width;
    this.#last = around.kernel.rank - 1;
    this.#rowAxis = around.kernel.rank - 2;
  }

  /**
   * Writes what does all rows, unless a result combines several of them: full vectors of rows, and then `rest`, which does those that the counter of
   * rows has left one by one.
   */
  emit(rest: () => void): void {
    const { kernel, code: c, counters, given, operands, results } = this.#around;
    const left = counters[this.#rowAxis] as number;
    const rows = TOGETHER * this.#lanes;
    for (const [i, step] of kernel.steps.entries()) {
      const local = c.local(V128);
      this.#fixed.push(local);
      if (step.op === 'constant') vectors.constantSplat(c, step.value, step.dtype);
      else if (step.op === 'scalar') vectors.splat(c.get(given[step.scalar] as number), step.dtype);
      else continue;
      c.set(this.#fixed[i] as number);
    }
    const arrays = [...operands, ...results];
    // How far each row is from the first one of a round, in each array.
    const apart = arrays.map(({ by }) => {
      const offsets = [-1];
      for (let row = 1; row < rows; row++) {
        const offset = c.local(I32);
        c.get(by[this.#rowAxis] as number);
        c.i32(row).op(0x6c).set(offset);
        offsets.push(offset);
      }
      return offsets;
    });
    const address =
      (array: number, at: number, together: number) =>
      (lane: number): void => {
        const row = together * this.#lanes + lane;
        c.get(at);
        if (row > 0) c.get(apart[array]?.[row] as number).op(0x6a);
      };
    c.i32(1);
    for (const { by } of results)
      c.get(by[this.#rowAxis] as number)
        .i32(0)
        .op(0x47, 0x71);
    c.if(() => {
      c.while(
        () => c.get(left).i32(rows).op(0x4f),
        () => {
          this.#round(address);
          for (const { at, by } of arrays) {
            const cursor = at[this.#rowAxis] as number;
            c.get(cursor, by[this.#rowAxis] as number)
              .i32(rows)
              .op(0x6c, 0x6a)
              .set(cursor);
          }
          c.get(left).i32(rows).op(0x6b).set(left);
        },
      );
      rest();
    });
  }

  #round(address: (array: number, at: number, together: number) => (lane: number) => void): void {
    const { kernel, code: c, lengths, counters, operands, results, width } = this.#around;
    const sets = Array.from({ length: TOGETHER }, (_, together) =>
      kernel.steps.map((step, i) => {
        const fixed = step.op === 'constant' || step.op === 'scalar' || (together === 0 && step.op !== 'load');
        return fixed ? (this.#fixed[i] as number) : c.local(V128);
      }),
    );
    const load = (step: Extract<Step, { op: 'load' }>, at: number): void => {
      for (const [together, locals] of sets.entries()) {
        vectors.loadLanes(c, width, address(step.operand, at, together));
        c.set(locals[kernel.steps.indexOf(step)] as number);
      }
    };
    for (const [i, step] of kernel.steps.entries()) {
      if (step.op === 'load' && this.#isSame(step)) {
        load(step, operands[step.operand]?.at[this.#rowAxis] as number);
      } else if (step.op === 'position') {
        for (const [together, locals] of sets.entries()) {
          this.#position(step.axis, together);
          c.set(locals[i] as number);
        }
      }
    }
    for (const { at, along } of operands) {
      if (along !== 'same') c.get(at[this.#rowAxis] as number).set(at[this.#last] as number);
    }
    const extremes = kernel.results.map(({ value, reduce }) =>
      sets.map(() => Extremes.of(c, reduce, this.#typeOf(value), 1)),
    );
    const totals = kernel.results.map(({ value, reduce }, i) =>
      sets.map((_, together) => {
        if (extremes[i]?.[together] !== undefined || reduce === null) return -1;
        const total = c.local(V128);
        vectors.constantSplat(c, reducer(reduce).identity(this.#typeOf(value)), this.#typeOf(value));
        c.set(total);
        return total;
      }),
    );
    const counter = counters[this.#last] as number;
    c.get(lengths[this.#last] as number).set(counter);
    c.while(
      () => c.get(counter),
      () => {
        for (const [i, step] of kernel.steps.entries()) {
          if (step.op === 'load' && !this.#isSame(step)) load(step, operands[step.operand]?.at[this.#last] as number);
          if (!('args' in step)) continue;
          const dtype = this.#typeOf(step.args.at(-1) as number);
          for (const locals of sets) {
            const args = step.args.map((arg) => locals[arg] as number);
            if (step.op === 'cast') vectors.cast(c, args[0] as number, dtype, step.dtype, width);
            else vectors.apply(c, step.op, dtype, args);
            c.set(locals[i] as number);
          }
        }
        for (const [i, { value, reduce }] of kernel.results.entries()) {
          for (const [together, locals] of sets.entries()) {
            const local = locals[value] as number;
            const own = extremes[i]?.[together];
            const total = totals[i]?.[together] as number;
            if (own !== undefined) own.take(0, local);
            else if (reduce !== null) {
              vectors.apply(c, COMBINES[reduce], this.#typeOf(value), [total, local]);
              c.set(total);
            }
          }
        }
        for (const [i, step] of kernel.steps.entries()) {
          if (step.op !== 'position' || step.axis !== this.#last) continue;
          for (const locals of sets) {
            const local = locals[i] as number;
            vectors.advanced(c.get(local), 1);
            c.set(local);
          }
        }
        for (const { at, by, along } of operands) {
          if (along === 'same') continue;
          const cursor = at[this.#last] as number;
          c.get(cursor, by[this.#last] as number)
            .op(0x6a)
            .set(cursor);
        }
        c.get(counter).i32(1).op(0x6b).set(counter);
      },
    );
    for (const [i, { value, reduce }] of kernel.results.entries()) {
      if (reduce === null) continue;
      const cursor = results[i]?.at[this.#rowAxis] as number;
      const before = c.local(V128);
      for (let together = 0; together < TOGETHER; together++) {
        const total = extremes[i]?.[together]?.end() ?? (totals[i]?.[together] as number);
        const each = address(operands.length + i, cursor, together);
        vectors.loadLanes(c, width, each);
        c.set(before);
        vectors.apply(c, COMBINES[reduce], this.#typeOf(value), [before, total]);
        c.set(before);
        vectors.storeLanes(c, width, before, each);
      }
    }
  }

  /** Leaves where the points of a round begin along an axis, in each lane. */
  #position(axis: number, together: number): void {
    const { code: c, lengths, counters } = this.#around;
    if (axis === this.#last) {
      vectors.constantSplat(c, 0n, 'i64');
      return;
    }
    // Counters go down.
    c.get(lengths[axis] as number, counters[axis] as number).op(0x6b, 0xad);
    vectors.splat(c, 'i64');
    if (axis !== this.#rowAxis) return;
    vectors.counting(c);
    c.simd(ADD_I64);
    vectors.advanced(c, together * this.#lanes);
  }

  #typeOf(value: number): DType {
    return (this.#around.kernel.steps[value] as Step).dtype;
  }

  #isSame(step: Extract<Step, { op: 'load' }>): boolean {
    return this.#around.operands[step.operand]?.along === 'same';
  }
}

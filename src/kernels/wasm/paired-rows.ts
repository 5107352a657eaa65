import { DTYPES, type DType } from '../../nd/index.ts';
import { COMBINES, type ReducerName } from '../reducers.ts';
import { type Code, I32, V128 } from './code.ts';
import { Lanes, STREAMS, UNROLLED } from './lanes.ts';
import * as vectors from './vectors.ts';

/** Rows that are combined place by place, two at once. */
export class PairedRows extends Lanes {
  /** Whether each place of the last axis may have a result of its own, in which rows are combined; strides will say whether they are. */
  protected get combinesRows(): boolean {
    const { steps, results } = this.kernel;
    if (steps.some((step) => step.op === 'position' || this.isCall(step))) return false;
    return results.every(({ reduce }, i) => reduce !== null && this.results[i]?.along === 'unit');
  }

  /**
   * Both halves of the rows, side by side, if results are the same for all of them: two streams as above, and what they are combined in is read
   * and written half as often. (Rows that are near each other are read more slowly than one after the other.) The counter has a last row left.
   */
  protected rowsAtOnce(axis: number): void {
    const { steps } = this.kernel;
    const c = this.code;
    const last = axis + 1;
    const rows = this.counters[axis] as number;
    const perRound = UNROLLED * this.lanes;
    c.get(this.lengths[last] as number)
      .i32(perRound)
      .op(0x4f);
    for (const { by } of this.results) c.get(by[axis] as number).op(0x45, 0x71);
    c.if(() => {
      const shared = steps.map(() => c.local(V128));
      this.invariants(shared);
      const sets = Array.from({ length: STREAMS }, () =>
        steps.map((step, i) => (this.varies(step) || this.isSame(step) ? c.local(V128) : (shared[i] as number))),
      );
      const cursors = sets.map(() => this.operands.map(() => c.local(I32)));
      const forth = (cursor: number, dtype: DType): Code =>
        c
          .get(cursor)
          .i32(perRound * DTYPES[dtype].bytes)
          .op(0x6a)
          .set(cursor);
      const left = this.counters[last] as number;
      const half = c.local(I32);
      c.get(rows).i32(1).op(0x76).set(half);
      c.get(rows).i32(1).op(0x71).set(rows);
      const starts = this.operands.map(({ at, by }) => {
        const ahead = c.local(I32);
        c.get(at[axis] as number, half, by[axis] as number)
          .op(0x6c, 0x6a)
          .set(ahead);
        return [at[axis] as number, ahead] as const;
      });
      c.while(
        () => c.get(half),
        () => {
          for (const [row, own] of cursors.entries()) {
            for (const [i, start] of starts.entries()) c.get(start[row] as number).set(own[i] as number);
            for (const [i, step] of steps.entries()) {
              if (step.op !== 'load' || !this.isSame(step)) continue;
              vectors.loadSplat(c.get(own[step.operand] as number), step.dtype, 0, this.width);
              c.set(sets[row]?.[i] as number);
            }
          }
          for (const { at } of this.results) c.get(at[axis] as number).set(at[last] as number);
          c.get(this.lengths[last] as number).set(left);
          c.while(
            () => c.get(left).i32(perRound).op(0x4f),
            () => {
              for (let round = 0; round < UNROLLED; round++) this.columnOfRows(last, round, sets, cursors);
              for (const [i, { dtype, along }] of this.operands.entries()) {
                if (along !== 'same') for (const own of cursors) forth(own[i] as number, dtype);
              }
              for (const { at, dtype } of this.results) forth(at[last] as number, dtype);
              c.get(left).i32(perRound).op(0x6b).set(left);
            },
          );
          this.columnsLeft(axis, left, cursors);
          for (const [i, { by }] of this.operands.entries()) {
            for (const start of starts[i] ?? []) this.advance(start, by[axis] as number);
          }
          c.get(half).i32(1).op(0x6b).set(half);
        },
      );
      for (const [at, ahead] of starts) c.get(ahead).set(at);
    });
  }

  /** The lanes of one round, of each row, into the results. */
  protected columnOfRows(
    axis: number,
    round: number,
    sets: readonly (readonly number[])[],
    cursors: readonly (readonly number[])[],
  ): void {
    const c = this.code;
    for (const [row, locals] of sets.entries()) {
      this.ahead = cursors[row] as readonly number[];
      for (const [i, step] of this.kernel.steps.entries()) {
        if (this.varies(step)) this.stepInLanes(axis, round, i, locals);
      }
    }
    this.ahead = [];
    for (const [i, { value, reduce }] of this.kernel.results.entries()) {
      const dtype = this.typeOf(value);
      const at = this.results[i]?.at[axis] as number;
      const offset = this.offsetOf(round, dtype);
      const total = c.local(V128);
      vectors.load(c.get(at), dtype, offset, this.width);
      c.set(total);
      for (const locals of sets) {
        vectors.apply(c, COMBINES[reduce as ReducerName], dtype, [total, locals[value] as number]);
        c.set(total);
      }
      vectors.store(c.get(at), dtype, offset, this.width, total);
    }
  }

  /** The columns behind the last full vectors, row by row. */
  protected columnsLeft(axis: number, left: number, cursors: readonly (readonly number[])[]): void {
    const c = this.code;
    const last = axis + 1;
    const [row, columns] = [c.local(I32), c.local(I32)];
    const starts = this.results.map(() => c.local(I32));
    for (const [i, start] of starts.entries()) c.get(this.results[i]?.at[last] as number).set(start);
    const first = cursors[0] as readonly number[];
    c.get(left).set(columns).i32(STREAMS).set(row);
    c.while(
      () => c.get(row),
      () => {
        for (const [i, { at }] of this.operands.entries()) c.get(first[i] as number).set(at[last] as number);
        for (const [i, start] of starts.entries()) c.get(start).set(this.results[i]?.at[last] as number);
        const one = this.body(
          last,
          this.results.map(() => -1),
        );
        c.get(columns).set(left);
        this.oneByOne(last, left, one);
        for (const [i, cursor] of first.entries()) c.get(cursors[1]?.[i] as number).set(cursor);
        c.get(row).i32(1).op(0x6b).set(row);
      },
    );
  }
}

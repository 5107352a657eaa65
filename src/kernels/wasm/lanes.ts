import { DTYPES, type DType } from '../../nd/index.ts';
import type { Step } from '../kernel.ts';
import { COMBINES, type ReducerName, reducer } from '../reducers.ts';
import { Bound } from './bounds.ts';
import { I32, V128 } from './code.ts';
import { Extremes } from './extremes.ts';
import { Points } from './points.ts';
import * as scalars from './scalars.ts';
import * as vectors from './vectors.ts';

/** So often the body is repeated in one round of the loop: additions of one accumulator would wait for each other. */
const UNROLLED_HELD = 4;
export const UNROLLED = 2;
/**
 * What is only read, and is at least so long, is read at two places at once: two streams are fetched ahead further than one, for which each
 * page is a new beginning. Sums of what lies in memory took a sixth less time; places that are near each other gained nothing.
 */
export const STREAMS = 2;
const LONG = 4096;

/** What is done at as many points of the last axis at once as there are lanes. */
export class Lanes extends Points {
  /** The positions along the last axis of the first lanes of a round, where a kernel asks for them. */
  protected point = -1;
  /** Where operands are read, by number, that are read at a second place. */
  protected ahead: readonly number[] = [];
  /** By step: bounds of elements that are the same for all of them. */
  protected bounds: readonly (Bound | undefined)[] = [];

  /** Constants and scalars, in all lanes. */
  protected invariants(locals: readonly number[]): void {
    const c = this.code;
    for (const [i, step] of this.kernel.steps.entries()) {
      if (step.op === 'constant') vectors.constantSplat(c, step.value, step.dtype);
      else if (step.op === 'scalar') vectors.splat(c.get(this.given[step.scalar] as number), step.dtype);
      else continue;
      c.set(locals[i] as number);
    }
  }

  /** `minimum` and `maximum` with what is the same for all points. */
  protected boundOf(step: Step, shared: readonly number[]): Bound | undefined {
    if (step.op !== 'minimum' && step.op !== 'maximum') return undefined;
    const { dtype } = step;
    if (dtype !== 'f32' && dtype !== 'f64') return undefined;
    const of = step.args.findIndex((arg) => this.varies(this.kernel.steps[arg] as Step));
    const bound = step.args[1 - of] as number;
    if (of < 0 || this.varies(this.kernel.steps[bound] as Step)) return undefined;
    return new Bound(this.code, step.op, dtype, shared[bound] as number, of);
  }

  /** Rounds of the last axis in lanes, as many as are full; the rest is left to be done one by one. */
  protected inLanes(axis: number, left: number, totals: readonly number[]): void {
    const { steps, results } = this.kernel;
    const c = this.code;
    const rounds = totals.some((total) => total >= 0) ? UNROLLED_HELD : UNROLLED;
    const perRound = rounds * this.lanes;
    // Functions take the values of several rounds at once; all that has no function is done round by round.
    const together = steps.some((step) => this.isCall(step)) ? UNROLLED : 1;
    const shared = steps.map(() => c.local(V128));
    const locals = Array.from({ length: together }, (_, round) =>
      steps.map((step, i) => (round === 0 || !this.varies(step) ? (shared[i] as number) : c.local(V128))),
    );
    this.invariants(shared);
    for (const [i, step] of steps.entries()) {
      const local = shared[i] as number;
      if (this.isSame(step)) {
        vectors.loadSplat(c.get(this.addressOf(step, axis)), step.dtype, 0, this.width);
        c.set(local);
      } else if (step.op === 'position') {
        if (step.axis === axis) {
          this.point = c.local(V128);
          vectors.counting(c);
          c.set(this.point);
        } else {
          // Counters go down.
          c.get(this.lengths[step.axis] as number, this.counters[step.axis] as number).op(0x6b, 0xad);
          vectors.splat(c, 'i64');
          c.set(local);
        }
      }
    }
    this.bounds = steps.map((step) => this.boundOf(step, shared));
    const held = (i: number): boolean => (totals[i] as number) >= 0;
    const extremes = results.map(({ value, reduce }, i) =>
      held(i) ? Extremes.of(c, reduce, this.typeOf(value), rounds) : undefined,
    );
    const accumulators = (): number[][] =>
      results.map(({ value, reduce }, i) => {
        if (!held(i) || reduce === null || extremes[i] !== undefined) return [];
        return Array.from({ length: rounds }, () => {
          const local = c.local(V128);
          vectors.constantSplat(c, reducer(reduce).identity(this.typeOf(value)), this.typeOf(value));
          c.set(local);
          return local;
        });
      });
    const gathered = accumulators();
    const allRounds = (into: readonly (readonly number[])[]): void => {
      for (let first = 0; first < rounds; first += together) {
        this.lanesOnce(axis, first, locals.slice(0, together), into, extremes);
      }
    };
    if (results.every((_, i) => held(i)) && this.point < 0) {
      c.get(left).i32(LONG).op(0x4f);
      c.if(() => {
        const others = accumulators();
        this.twoStreams(axis, left, perRound, allRounds, gathered, others);
        for (const [i, own] of gathered.entries()) {
          for (const [round, local] of own.entries()) this.combine(i, local, others[i]?.[round] as number);
        }
      });
    }
    c.while(
      () => c.get(left).i32(perRound).op(0x4f),
      () => {
        allRounds(gathered);
        for (const { at, dtype, along } of this.arrays) {
          if (along === 'same') continue;
          const cursor = at[axis] as number;
          c.get(cursor)
            .i32(perRound * DTYPES[dtype].bytes)
            .op(0x6a)
            .set(cursor);
        }
        if (this.point >= 0) {
          vectors.advanced(c.get(this.point), perRound);
          c.set(this.point);
        }
        c.get(left).i32(perRound).op(0x6b).set(left);
      },
    );
    for (const [i, accumulators] of gathered.entries()) {
      const own = extremes[i];
      this.gather(own === undefined ? accumulators : [own.end()], i, totals[i] as number);
    }
  }

  /** Rounds over both halves of what is left, as many as are full in each; the rest is left. */
  protected twoStreams(
    axis: number,
    left: number,
    perRound: number,
    allRounds: (into: readonly (readonly number[])[]) => void,
    ...into: readonly (readonly (readonly number[])[])[]
  ): void {
    const c = this.code;
    const half = c.local(I32);
    c.get(left)
      .i32(STREAMS * perRound)
      .op(0x6e)
      .i32(perRound)
      .op(0x6c)
      .set(half);
    c.get(left, half).i32(STREAMS).op(0x6c, 0x6b).set(left);
    const moving = this.operands.filter(({ along }) => along !== 'same');
    const ahead = this.operands.map(({ at, dtype, along }) => {
      if (along === 'same') return -1;
      const local = c.local(I32);
      c.get(at[axis] as number, half)
        .i32(DTYPES[dtype].bytes)
        .op(0x6c, 0x6a)
        .set(local);
      return local;
    });
    c.while(
      () => c.get(half),
      () => {
        for (const [stream, own] of into.entries()) {
          this.ahead = stream === 0 ? [] : ahead;
          allRounds(own);
        }
        this.ahead = [];
        for (const operand of moving) {
          for (const cursor of [operand.at[axis] as number, ahead[this.operands.indexOf(operand)] as number]) {
            c.get(cursor)
              .i32(perRound * DTYPES[operand.dtype].bytes)
              .op(0x6a)
              .set(cursor);
          }
        }
        c.get(half).i32(perRound).op(0x6b).set(half);
      },
    );
    for (const operand of moving)
      c.get(ahead[this.operands.indexOf(operand)] as number).set(operand.at[axis] as number);
  }

  /** As many rounds at once as there are sets of locals. */
  protected lanesOnce(
    axis: number,
    first: number,
    locals: readonly (readonly number[])[],
    gathered: readonly (readonly number[])[],
    extremes: readonly (Extremes | undefined)[],
  ): void {
    for (const [i, step] of this.kernel.steps.entries()) {
      if (!this.varies(step)) continue;
      if (this.isCall(step)) {
        const args = step.args.map((arg) => locals.map((each) => each[arg] as number));
        this.calls.lanes(
          step.op,
          step.dtype,
          args,
          locals.map((each) => each[i] as number),
          this.places.get(step),
        );
      } else for (const [round, each] of locals.entries()) this.stepInLanes(axis, first + round, i, each);
    }
    for (const [round, each] of locals.entries()) this.storeLanes(axis, first + round, each, gathered, extremes);
  }

  protected offsetOf(round: number, dtype: DType): number {
    return round * this.lanes * DTYPES[dtype].bytes;
  }

  protected stepInLanes(axis: number, round: number, number: number, locals: readonly number[]): void {
    const step = this.kernel.steps[number] as Step;
    const c = this.code;
    if (step.op === 'load') {
      const at = this.ahead[step.operand] ?? this.addressOf(step, axis);
      vectors.load(c.get(at), step.dtype, this.offsetOf(round, step.dtype), this.width);
    } else if (step.op === 'position') vectors.advanced(c.get(this.point), round * this.lanes);
    else if (this.isComputed(step)) {
      const args = step.args.map((arg) => locals[arg] as number);
      const dtype = this.typeOf(step.args.at(-1) as number);
      const bound = this.bounds[number];
      if (bound !== undefined) bound.apply(c, args);
      else if (step.op === 'cast') vectors.cast(c, args[0] as number, dtype, step.dtype, this.width);
      else vectors.apply(c, step.op, dtype, args);
    }
    c.set(locals[number] as number);
  }

  protected storeLanes(
    axis: number,
    round: number,
    locals: readonly number[],
    gathered: readonly (readonly number[])[],
    extremes: readonly (Extremes | undefined)[],
  ): void {
    const { results } = this.kernel;
    const c = this.code;
    for (const [i, { value, reduce }] of results.entries()) {
      const dtype = this.typeOf(value);
      const offset = this.offsetOf(round, dtype);
      const at = this.results[i]?.at[axis] as number;
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
          vectors.load(c.get(at), dtype, offset, this.width);
          c.set(before);
        }
        vectors.apply(c, COMBINES[reduce], dtype, [before, local]);
        local = accumulator ?? c.local(V128);
        c.set(local);
      }
      if (accumulator === undefined) vectors.store(c.get(at), dtype, offset, this.width, local);
    }
  }

  /** What another accumulator of a result has, lane by lane. */
  protected combine(result: number, into: number, other: number): void {
    const { value, reduce } = this.kernel.results[result] as { value: number; reduce: ReducerName };
    vectors.apply(this.code, COMBINES[reduce], this.typeOf(value), [into, other]);
    this.code.set(into);
  }

  /** All lanes of all accumulators into the total. */
  protected gather(accumulators: readonly number[], result: number, total: number): void {
    const [first, ...others] = accumulators;
    if (first === undefined) return;
    const { value, reduce } = this.kernel.results[result] as { value: number; reduce: ReducerName };
    const dtype = this.typeOf(value);
    const c = this.code;
    for (const other of others) this.combine(result, first, other);
    const lane = c.local(scalars.typeOf(dtype));
    for (let i = 0; i < this.lanes; i++) {
      vectors.extract(c, dtype, first, i, this.width);
      c.set(lane);
      scalars.apply(c, COMBINES[reduce], dtype, [total, lane]);
      c.set(total);
    }
  }
}

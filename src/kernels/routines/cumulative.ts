import { axisOf, type Elements, isBig } from '../../nd/index.ts';
import { linesOf, ofKind, type Params, type Routine } from './routine.ts';

/** A line of the input and where its totals go, all in elements. */
interface Line {
  readonly from: Elements;
  readonly to: Elements;
  readonly at: number;
  readonly place: number;
  readonly length: number;
  readonly step: number;
}

type Totals = (line: Line) => void;

interface Combination {
  readonly initial: 0 | 1;
  /** In doubles, also for floats of 32 bits: rounded when it is stored, the error does not add up. */
  readonly floats: Totals;
  /** Modulo 2**32, which all narrower integers are a part of. */
  readonly integers: Totals;
  readonly bigints: Totals;
}

const SUM: Combination = {
  initial: 0,
  floats({ from, to, at, place, length, step }) {
    // Nothing but -0 leaves a -0 what it is.
    let total = -0;
    for (let i = 0; i < length; i++, at += step, place += step) {
      total += from[at] as number;
      to[place] = total;
    }
  },
  integers({ from, to, at, place, length, step }) {
    let total = 0;
    for (let i = 0; i < length; i++, at += step, place += step) {
      total = (total + (from[at] as number)) | 0;
      to[place] = total;
    }
  },
  bigints({ from, to, at, place, length, step }) {
    let total = 0n;
    for (let i = 0; i < length; i++, at += step, place += step) {
      total = BigInt.asIntN(64, total + (from[at] as bigint));
      to[place] = total as never;
    }
  },
};

const PRODUCT: Combination = {
  initial: 1,
  floats({ from, to, at, place, length, step }) {
    let total = 1;
    for (let i = 0; i < length; i++, at += step, place += step) {
      total *= from[at] as number;
      to[place] = total;
    }
  },
  integers({ from, to, at, place, length, step }) {
    let total = 1;
    for (let i = 0; i < length; i++, at += step, place += step) {
      total = Math.imul(total, from[at] as number);
      to[place] = total;
    }
  },
  bigints({ from, to, at, place, length, step }) {
    let total = 1n;
    for (let i = 0; i < length; i++, at += step, place += step) {
      total = BigInt.asIntN(64, total * (from[at] as bigint));
      to[place] = total as never;
    }
  },
};

/**
 * Along an axis, what the elements up to each one come to; the type is that of the input, whose integers wrap, so convert them first to one that
 * holds the totals. Params: `axis` (0), `includeInitial`: one element more at the beginning, what nothing comes to.
 */
function cumulative(operation: string, combination: Combination): Routine {
  const axisIn = ({ axis = 0 }: Params, shape: readonly number[]): number => axisOf(operation, axis as number, shape);
  return {
    outputs([x], params) {
      ofKind(operation, x!, ['int', 'uint', 'float']);
      const axis = axisIn(params, x!.shape);
      const more = params.includeInitial === true ? 1 : 0;
      return [{ shape: x!.shape.map((length, i) => (i === axis ? length + more : length)), dtype: x!.dtype }];
    },
    run([x], params, [into]) {
      const { outer, length, inner } = linesOf(x!.shape, axisIn(params, x!.shape));
      const [from, to] = [x!.elements, into!.elements];
      const more = params.includeInitial === true ? 1 : 0;
      const big = from instanceof BigInt64Array || from instanceof BigUint64Array;
      const isFloat = from instanceof Float64Array || from instanceof Float32Array;
      const totals = big ? combination.bigints : isFloat ? combination.floats : combination.integers;
      for (let i = 0; i < outer; i++) {
        for (let j = 0; j < inner; j++) {
          let place = i * (length + more) * inner + j;
          if (more === 1) {
            to[place] = (big ? BigInt(combination.initial) : combination.initial) as never;
            place += inner;
          }
          totals({ from, to, at: i * length * inner + j, place, length, step: inner });
        }
      }
    },
  };
}

/** Of each place, the least or the greatest element up to it; NaN wins. Params: `axis` (0). */
function extreme(operation: string, by: 'min' | 'max'): Routine {
  return {
    outputs([x], { axis = 0 }) {
      ofKind(operation, x!, ['int', 'uint', 'float']);
      axisOf(operation, axis as number, x!.shape);
      return [{ shape: x!.shape, dtype: x!.dtype }];
    },
    run([x], { axis = 0 }, [into]) {
      const { outer, length, inner } = linesOf(x!.shape, axisOf(operation, axis as number, x!.shape));
      const [from, to] = [x!.elements as Float64Array, into!.elements as Float64Array];
      const [isMax, pick] = [by === 'max', by === 'max' ? Math.max : Math.min];
      // Of integers of 64 bits Math knows nothing.
      const big = isBig(x!.dtype);
      for (let i = 0; i < outer * inner && length > 0; i++) {
        let at = Math.floor(i / inner) * length * inner + (i % inner);
        let best = from[at] as number;
        for (let left = length; left > 0; left--, at += inner) {
          const own = from[at] as number;
          if (!big) best = pick(best, own);
          else if (isMax ? own > best : own < best) best = own;
          to[at] = best;
        }
      }
    },
  };
}

export const CUMULATIVE = {
  cumulativeMin: extreme('cumulativeMin', 'min'),
  cumulativeMax: extreme('cumulativeMax', 'max'),
  cumulativeSum: cumulative('cumulativeSum', SUM),
  cumulativeProduct: cumulative('cumulativeProduct', PRODUCT),
} as const;

import { DTYPES, type DType, isBig, type Kind } from '../nd/index.ts';
import type { ElementOpName } from './elementwise.ts';
import { wrapped } from './integers.ts';

/** Gathers elements, one after the other, in the type that they have. */
export interface Accumulator {
  take(x: number | bigint): void;
  result(): number | bigint;
}

/**
 * How many elements become one. What is combined in parts gives the same as what is combined at once: exactly for integers, booleans,
 * `min` and `max`; sums and products of floats are rounded in another order, and the accumulator here is more exact than any of
 * them.
 */
export interface Reducer {
  readonly takes: readonly Kind[];
  /** Of no elements at all. */
  identity(dtype: DType): number | bigint;
  accumulator(dtype: DType): Accumulator;
}

const NUMBERS: readonly Kind[] = ['int', 'uint', 'float'];
const BOOLEANS: readonly Kind[] = ['bool'];

const asElement = (x: bigint, dtype: DType): number | bigint => (isBig(dtype) ? x : Number(x));

/** Combines integers exactly. */
function ofIntegers(dtype: DType, start: bigint, combine: (all: bigint, x: bigint) => bigint): Accumulator {
  let all = start;
  return {
    take: (x) => {
      all = wrapped(combine(all, BigInt(x)), dtype);
    },
    result: () => asElement(all, dtype),
  };
}

function ofFloats(dtype: DType, start: number, combine: (all: number, x: number) => number): Accumulator {
  let all = start;
  return {
    take: (x) => {
      all = combine(all, x as number);
    },
    result: () => (dtype === 'f32' ? Math.fround(all) : all),
  };
}

/** The sum with what each addition has lost beside it (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation", 1974). */
function floatSum(dtype: DType): Accumulator {
  let sum = 0;
  let lost = 0;
  let plain = 0;
  return {
    take: (each) => {
      const x = each as number;
      plain += x;
      const next = sum + x;
      lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
      sum = next;
    },
    result: () => {
      // Infinities and NaN make the correction meaningless.
      const all = Number.isFinite(sum + lost) ? sum + lost : plain;
      return dtype === 'f32' ? Math.fround(all) : all;
    },
  };
}

const least = (dtype: DType): number | bigint =>
  DTYPES[dtype].kind === 'float' ? Number.NEGATIVE_INFINITY : DTYPES[dtype].min;
const greatest = (dtype: DType): number | bigint =>
  DTYPES[dtype].kind === 'float' ? Number.POSITIVE_INFINITY : DTYPES[dtype].max;

const isFloat = (dtype: DType): boolean => DTYPES[dtype].kind === 'float';
const number =
  (x: number) =>
  (dtype: DType): number | bigint =>
    isBig(dtype) ? BigInt(x) : x;

/** Every reducer, by name. NaN wins over whatever `min` and `max` compare it with; of two zeros, -0 is less. */
export const REDUCERS = {
  sum: {
    takes: NUMBERS,
    identity: number(0),
    accumulator: (dtype) => (isFloat(dtype) ? floatSum(dtype) : ofIntegers(dtype, 0n, (all, x) => all + x)),
  },
  prod: {
    takes: NUMBERS,
    identity: number(1),
    accumulator: (dtype) =>
      isFloat(dtype) ? ofFloats(dtype, 1, (all, x) => all * x) : ofIntegers(dtype, 1n, (all, x) => all * x),
  },
  min: {
    takes: NUMBERS,
    identity: greatest,
    accumulator: (dtype) =>
      isFloat(dtype)
        ? ofFloats(dtype, Number.POSITIVE_INFINITY, Math.min)
        : ofIntegers(dtype, BigInt(greatest(dtype)), (all, x) => (x < all ? x : all)),
  },
  max: {
    takes: NUMBERS,
    identity: least,
    accumulator: (dtype) =>
      isFloat(dtype)
        ? ofFloats(dtype, Number.NEGATIVE_INFINITY, Math.max)
        : ofIntegers(dtype, BigInt(least(dtype)), (all, x) => (x > all ? x : all)),
  },
  any: { takes: BOOLEANS, identity: () => 0, accumulator: (dtype) => ofIntegers(dtype, 0n, (all, x) => all | x) },
  all: { takes: BOOLEANS, identity: () => 1, accumulator: (dtype) => ofIntegers(dtype, 1n, (all, x) => all & x) },
} as const satisfies Record<string, Reducer>;

export type ReducerName = keyof typeof REDUCERS;

export const reducer = (name: ReducerName): Reducer => REDUCERS[name];

/** The operator that combines two values as the reducer does. */
export const COMBINES: Readonly<Record<ReducerName, ElementOpName>> = {
  sum: 'add',
  prod: 'multiply',
  min: 'minimum',
  max: 'maximum',
  any: 'logicalOr',
  all: 'logicalAnd',
};

import type { ElementOpName } from './elementwise.ts';

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;
const pi = Math.PI;

/** Operands, then the result. */
type Case = readonly [...operands: number[], result: number];

const same = (...values: number[]): Case[] => values.map((x) => [x, x]);
/** Odd functions that keep the listed values as they are. */
const odd = [0, -0, nan];

/**
 * The special cases of floating-point operands in the Python array API standard (2024.12), by operator, for every type of float: zeros
 * by their sign, infinities, NaN, and the ends of domains. Results that are irrational are those of the nearest double.
 */
// biome-ignore format: one row for each group of cases, to be read as a table.
export const SPECIAL_CASES: Readonly<Partial<Record<ElementOpName, readonly Case[]>>> = {
  abs: [[nan, nan], [-0, 0], [-inf, inf], [inf, inf]],
  acos: [[nan, nan], [1.5, nan], [-1.5, nan], [1, 0]],
  acosh: [[nan, nan], [0.5, nan], [1, 0], [inf, inf]],
  asin: [[1.5, nan], [-1.5, nan], ...same(...odd)],
  asinh: same(...odd, inf, -inf),
  atan: [...same(...odd), [inf, pi / 2], [-inf, -pi / 2]],
  atanh: [[1.5, nan], [-1.5, nan], [1, inf], [-1, -inf], ...same(...odd)],
  ceil: [...same(...odd, inf, -inf, 3, -3), [-0.5, -0], [0.5, 1]],
  cos: [[nan, nan], [0, 1], [-0, 1], [inf, nan], [-inf, nan]],
  cosh: [[nan, nan], [0, 1], [-0, 1], [inf, inf], [-inf, inf]],
  exp: [[nan, nan], [0, 1], [-0, 1], [inf, inf], [-inf, 0]],
  expm1: [...same(...odd, inf), [-inf, -1]],
  floor: [...same(...odd, inf, -inf, 3, -3), [0.5, 0], [-0.5, -1]],
  isFinite: [[nan, 0], [inf, 0], [-inf, 0], [0, 1], [-0, 1]],
  isInf: [[nan, 0], [inf, 1], [-inf, 1], [1, 0]],
  isNaN: [[nan, 1], [inf, 0], [0, 0]],
  log: [[nan, nan], [-1, nan], [0, -inf], [-0, -inf], [1, 0], [inf, inf]],
  log10: [[nan, nan], [-1, nan], [0, -inf], [-0, -inf], [1, 0], [inf, inf]],
  log1p: [[-2, nan], [-1, -inf], ...same(...odd, inf)],
  log2: [[nan, nan], [-1, nan], [0, -inf], [-0, -inf], [1, 0], [inf, inf]],
  negative: [[nan, nan], [0, -0], [-0, 0], [inf, -inf]],
  reciprocal: [[nan, nan], [inf, 0], [-inf, -0], [0, inf], [-0, -inf]],
  round: [...same(...odd, inf, -inf, 3, -3), [0.5, 0], [1.5, 2], [2.5, 2], [-0.5, -0], [-1.5, -2], [-2.5, -2]],
  sign: [[nan, nan], [0, 0], [-0, 0], [inf, 1], [-inf, -1]],
  signbit: [[0, 0], [-0, 1], [inf, 0], [-inf, 1], [-1, 1], [1, 0]],
  sin: [...same(...odd), [inf, nan], [-inf, nan]],
  sinh: same(...odd, inf, -inf),
  sqrt: [[-1, nan], ...same(...odd, inf)],
  square: [[nan, nan], [-0, 0], [-inf, inf]],
  tan: [...same(...odd), [inf, nan], [-inf, nan]],
  tanh: [...same(...odd), [inf, 1], [-inf, -1]],
  trunc: [...same(...odd, inf, -inf, 3, -3), [0.5, 0], [-0.5, -0]],
  add: [
    [nan, 1, nan], [1, nan, nan], [inf, -inf, nan], [-inf, inf, nan], [inf, inf, inf], [-inf, -inf, -inf],
    [inf, 1, inf], [1, -inf, -inf], [-0, -0, -0], [-0, 0, 0], [0, -0, 0], [0, 0, 0], [-0, 1, 1], [1, -1, 0],
  ],
  subtract: [[inf, inf, nan], [-inf, -inf, nan], [inf, -inf, inf], [-0, 0, -0], [0, -0, 0], [0, 0, 0], [nan, 1, nan]],
  multiply: [
    [nan, 1, nan], [1, nan, nan], [inf, 0, nan], [-0, -inf, nan], [inf, -inf, -inf], [-1, -inf, inf],
    [-0, 2, -0], [-0, -2, 0], [0, -0, -0],
  ],
  divide: [
    [nan, 1, nan], [1, nan, nan], [inf, inf, nan], [inf, -inf, nan], [0, 0, nan], [-0, 0, nan],
    [0, 1, 0], [-0, 1, -0], [0, -1, -0], [-0, -1, 0], [1, 0, inf], [1, -0, -inf], [-1, 0, -inf], [-1, -0, inf],
    [inf, 2, inf], [inf, -2, -inf], [1, inf, 0], [1, -inf, -0], [-1, inf, -0], [-1, -inf, 0],
  ],
  floorDivide: [
    [nan, 1, nan], [1, nan, nan], [inf, inf, nan], [-inf, inf, nan], [0, 0, nan], [0, -0, nan],
    [0, 1, 0], [-0, 1, -0], [0, -1, -0], [-0, -1, 0], [1, 0, inf], [1, -0, -inf], [-1, 0, -inf], [-1, -0, inf],
    [1, inf, 0], [1, -inf, -1], [-1, inf, -1], [-1, -inf, 0],
    [7, 2, 3], [-7, 2, -4], [7, -2, -4], [-7, -2, 3], [1, 0.125, 8],
  ],
  remainder: [
    [nan, 1, nan], [1, nan, nan], [inf, 1, nan], [-inf, -1, nan], [1, 0, nan], [1, -0, nan], [0, 0, nan],
    [0, 1, 0], [-0, 1, 0], [0, -1, -0], [-0, -1, -0], [1, inf, 1], [1, -inf, -inf], [-1, inf, inf], [-1, -inf, -1],
    [7, 3, 1], [-7, 3, 2], [7, -3, -2], [-7, -3, -1],
  ],
  pow: [
    [2, nan, nan], [nan, 0, 1], [nan, -0, 1], [nan, 2, nan], [1, nan, 1], [1, inf, 1], [2, 0, 1], [0, 0, 1],
    [2, inf, inf], [-2, inf, inf], [2, -inf, 0], [-1, inf, 1], [-1, -inf, 1], [0.5, inf, 0], [0.5, -inf, inf],
    [inf, 2, inf], [inf, -2, 0], [-inf, 3, -inf], [-inf, 2, inf], [-inf, -3, -0], [-inf, -2, 0],
    [0, 2, 0], [0, -2, inf], [-0, 3, -0], [-0, 2, 0], [-0, -3, -inf], [-0, -2, inf], [-2, 0.5, nan],
  ],
  maximum: [[nan, 1, nan], [1, nan, nan], [nan, inf, nan], [inf, 1, inf], [-0, 0, 0], [0, -0, 0]],
  minimum: [[nan, 1, nan], [1, nan, nan], [nan, -inf, nan], [-inf, 1, -inf], [-0, 0, -0], [0, -0, -0]],
  atan2: [
    [nan, 1, nan], [1, nan, nan], [1, 0, pi / 2], [1, -0, pi / 2], [-1, 0, -pi / 2], [0, 1, 0], [0, 0, 0], [0, -0, pi],
    [0, -1, pi], [-0, 1, -0], [-0, 0, -0], [-0, -0, -pi], [-0, -1, -pi], [1, inf, 0], [1, -inf, pi], [-1, inf, -0],
    [-1, -inf, -pi], [inf, 1, pi / 2], [-inf, 1, -pi / 2], [inf, inf, pi / 4], [inf, -inf, (3 * pi) / 4],
    [-inf, inf, -pi / 4], [-inf, -inf, (-3 * pi) / 4],
  ],
  copysign: [[1, -0, -1], [-1, 0, 1], [inf, -1, -inf], [0, -1, -0], [-0, 1, 0], [nan, 1, nan], [-2, -3, -2]],
  hypot: [[inf, nan, inf], [nan, -inf, inf], [nan, 1, nan], [1, nan, nan], [inf, 1, inf], [0, -0, 0]],
  logaddexp: [[nan, 1, nan], [1, nan, nan], [inf, 1, inf], [1, inf, inf], [inf, inf, inf], [-inf, -inf, -inf], [-inf, 1, 1]],
  nextafter: [[nan, 1, nan], [1, nan, nan], [-0, 0, 0], [0, -0, -0], [1, 1, 1], [inf, inf, inf]],
  equal: [[nan, nan, 0], [nan, 1, 0], [inf, inf, 1], [inf, -inf, 0], [0, -0, 1]],
  notEqual: [[nan, nan, 1], [nan, 1, 1], [inf, inf, 0], [0, -0, 0]],
  greater: [[nan, 1, 0], [1, nan, 0], [inf, 1, 1], [0, -0, 0]],
  greaterEqual: [[nan, 1, 0], [1, nan, 0], [inf, inf, 1], [-0, 0, 1]],
  less: [[nan, 1, 0], [1, nan, 0], [-inf, 1, 1], [-0, 0, 0]],
  lessEqual: [[nan, 1, 0], [1, nan, 0], [-inf, -inf, 1], [0, -0, 1]],
};

import type { ElementOpName } from './elementwise.ts';

/**
 * How far the result of a function of doubles may be from the exact one, in units of the last place (ulp) of the exact one, of every
 * backend: in the reference and in JavaScript it is that of the engine, in WebAssembly Sheaf's own. Functions of floats of 32 bits are
 * computed in doubles and rounded once, so that they are at most 0.50001 of their own units away.
 *
 * What is not in the table is exact, or rounded correctly. `accuracy.test.ts` compares all of it with an oracle.
 */
export const ULPS = {
  acos: 1,
  acosh: 2,
  asin: 1,
  asinh: 2,
  atan: 2,
  atan2: 2,
  atanh: 2,
  cos: 1,
  cosh: 2.5,
  exp: 1,
  expm1: 2,
  hypot: 2,
  log: 1,
  log10: 2,
  log1p: 1,
  log2: 1,
  /** In units of the largest of the operands and the result, which may be next to nothing beside them. */
  logaddexp: 2,
  /** V8 before version 12 (Node 20) is farther off where the exponent is larger than 2^31. */
  pow: 1,
  sin: 1,
  sinh: 2.5,
  tan: 2,
  tanh: 2.5,
} as const satisfies Partial<Record<ElementOpName, number>>;

import type { ElementOpName } from '../../elementwise.ts';
import * as division from './division.ts';
import * as exponential from './exponential.ts';
import * as inverse from './inverse.ts';
import type { Lanes, Value } from './lanes.ts';
import * as logarithmic from './logarithmic.ts';
import { nextafter, nextafter32 } from './neighbours.ts';
import { powOfPlace } from './one-power.ts';
import { pow } from './power.ts';
import * as trigonometric from './trigonometric.ts';

/** Writes what a function does with its arguments. Those that ask the reference for some lanes get its number last. */
export type Definition = {
  readonly asks: boolean;
  /** What floats of 32 bits need instead, as doubles. */
  readonly narrow?: Definition;
  /** The same where the second argument is one for all: `at` is a local with the place of what is known of it (`Exponents`). */
  readonly ofPlace?: (m: Lanes, x: Value, at: number, reference: number) => Value;
} & (
  | { readonly arity: 1; readonly write: (m: Lanes, x: Value, reference: number) => Value }
  | { readonly arity: 2; readonly write: (m: Lanes, x: Value, y: Value, reference: number) => Value }
);

const of = (write: (m: Lanes, x: Value) => Value): Definition => ({ arity: 1, asks: false, write });
const asking = (write: (m: Lanes, x: Value, reference: number) => Value): Definition => ({
  arity: 1,
  asks: true,
  write,
});
const of2 = (write: (m: Lanes, x: Value, y: Value) => Value): Definition => ({ arity: 2, asks: false, write });
const asking2 = (write: (m: Lanes, x: Value, y: Value, reference: number) => Value): Definition => ({
  arity: 2,
  asks: true,
  write,
});

/** The operators of floats that take more than a few instructions. */
export const DEFINITIONS: Readonly<Partial<Record<ElementOpName, Definition>>> = {
  acos: of(inverse.acos),
  acosh: of(logarithmic.acosh),
  asin: of(inverse.asin),
  asinh: of(logarithmic.asinh),
  atan: of(inverse.atan),
  atan2: of2(inverse.atan2),
  atanh: of(logarithmic.atanh),
  cos: asking(trigonometric.cos),
  cosh: of(exponential.cosh),
  exp: of(exponential.exp),
  expm1: of(exponential.expm1),
  floorDivide: asking2(division.floorDivide),
  hypot: of2(division.hypot),
  log: of(logarithmic.log),
  log10: of(logarithmic.log10),
  log1p: of(logarithmic.log1p),
  log2: of(logarithmic.log2),
  logaddexp: of2(logarithmic.logaddexp),
  nextafter: { ...of2(nextafter), narrow: of2(nextafter32) },
  pow: { ...asking2(pow), ofPlace: powOfPlace },
  remainder: asking2(division.remainder),
  sin: asking(trigonometric.sin),
  sinh: of(exponential.sinh),
  tan: asking(trigonometric.tan),
  tanh: of(exponential.tanh),
};

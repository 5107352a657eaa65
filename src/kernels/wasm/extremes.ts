import type { DType } from '../../nd/index.ts';
import { type Code, V128 } from './code.ts';
import * as vectors from './vectors.ts';

const PSEUDO = { min: { f32: 234, f64: 246 }, max: { f32: 235, f64: 247 } } as const;
const EQUAL = { f32: 65, f64: 71 } as const;
const NOT_EQUAL = { f32: 66, f64: 72 } as const;
const [AND, OR, SELECT] = [78, 80, 82];

/**
 * The least or greatest of floats in lanes. `f64x2.max` takes the processor many instructions, for NaN and for zeros of either sign; here it is
 * one for the most part (`pmax`), and what it gets wrong is known from the signs of all and from whether there was a NaN.
 */
export class Extremes {
  readonly #code: Code;
  readonly #of: 'min' | 'max';
  readonly #dtype: 'f32' | 'f64';
  readonly #best: readonly number[];
  /** All ones in the lanes of a NaN. Two, so that one need not wait for the other. */
  readonly #nan: readonly number[];
  /** The signs of all: of the greatest whether all of them are negative, of the least whether one is. */
  readonly #signs: readonly number[];

  /** Undefined for other reductions, and for integers. */
  static of(code: Code, reduce: string | null, dtype: DType, rounds: number): Extremes | undefined {
    if ((reduce !== 'min' && reduce !== 'max') || (dtype !== 'f32' && dtype !== 'f64')) return undefined;
    return new Extremes(code, reduce, dtype, rounds);
  }

  private constructor(code: Code, of: 'min' | 'max', dtype: 'f32' | 'f64', rounds: number) {
    this.#code = code;
    this.#of = of;
    this.#dtype = dtype;
    const locals = (count: number, set: () => void): number[] =>
      Array.from({ length: count }, () => {
        set();
        const local = code.local(V128);
        code.set(local);
        return local;
      });
    const worst = of === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    this.#best = locals(rounds, () => vectors.constantSplat(code, worst, dtype));
    this.#nan = locals(2, () => vectors.constantSplat(code, 0, dtype));
    this.#signs = locals(2, () => vectors.constantSplat(code, of === 'max' ? -0 : 0, dtype));
  }

  take(round: number, value: number): void {
    const c = this.#code;
    const best = this.#best[round] as number;
    const nan = this.#nan[round % 2] as number;
    const signs = this.#signs[round % 2] as number;
    c.get(best, value).simd(PSEUDO[this.#of][this.#dtype]).set(best);
    c.get(nan, value, value).simd(NOT_EQUAL[this.#dtype], OR).set(nan);
    c.get(signs, value)
      .simd(this.#of === 'max' ? AND : OR)
      .set(signs);
  }

  /** Writes what comes after all; answers where the result of each lane is. */
  end(): number {
    const c = this.#code;
    const [best, ...others] = this.#best as [number, ...number[]];
    for (const other of others) c.get(best, other).simd(PSEUDO[this.#of][this.#dtype]).set(best);
    const zero = c.local(V128);
    vectors.constantSplat(c, 0, this.#dtype);
    c.set(zero);
    // A zero with the sign that is right.
    c.get(...this.#signs).simd(this.#of === 'max' ? AND : OR);
    vectors.constantSplat(c, -0, this.#dtype);
    c.simd(AND);
    c.get(best, best, zero).simd(EQUAL[this.#dtype], SELECT).set(best);
    vectors.constantSplat(c, Number.NaN, this.#dtype);
    c.get(best, ...this.#nan)
      .simd(OR, SELECT)
      .set(best);
    return best;
  }
}

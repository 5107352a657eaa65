import { type Code, V128 } from './code.ts';
import * as vectors from './vectors.ts';

const PSEUDO = { minimum: { f32: 234, f64: 246 }, maximum: { f32: 235, f64: 247 } } as const;
const EQUAL_BITS = { f32: 55, f64: 214 } as const;
const NOT_EQUAL = { f32: 66, f64: 72 } as const;
const ADD = { f32: 228, f64: 240 } as const;
const [AND, AND_NOT, OR] = [78, 79, 80];

/**
 * `minimum` and `maximum` of floats with a bound that is the same for all points. What the processor has in one instruction (`pmin`, `pmax`) is right but
 * where the bound is NaN, or a zero and the element another one. What the bound needs for that is found out once: a second instruction
 * with it makes it right, and changes nothing where it was.
 */
export class Bound {
  readonly #op: 'minimum' | 'maximum';
  readonly #dtype: 'f32' | 'f64';
  readonly #bound: number;
  readonly #mend: number;

  readonly #of: number;

  /** Writes what comes before all points. `bound`: a local with the bound in all lanes; `of`: which argument is the element. */
  constructor(c: Code, op: 'minimum' | 'maximum', dtype: 'f32' | 'f64', bound: number, of: number) {
    this.#op = op;
    this.#of = of;
    this.#dtype = dtype;
    this.#bound = bound;
    this.#mend = c.local(V128);
    // All ones in the lanes of a zero that the instruction may miss: +0 is more than -0, which it does not see.
    c.get(bound);
    vectors.constantSplat(c, op === 'maximum' ? 0 : -0, dtype);
    c.simd(EQUAL_BITS[dtype]).set(this.#mend);
    vectors.constantSplat(c, -0, dtype);
    // To be added: -0 changes nothing, and +0 makes -0 a +0. Or to be joined by `or`: the sign makes +0 a -0.
    c.get(this.#mend).simd(op === 'maximum' ? AND_NOT : AND);
    // NaN, whatever the element is.
    c.get(bound).get(bound, bound).simd(NOT_EQUAL[dtype], AND, OR).set(this.#mend);
  }

  /** Leaves the result on the stack. */
  apply(c: Code, args: readonly number[]): void {
    // An element that is NaN compares with nothing, and stays.
    c.get(args[this.#of] as number, this.#bound).simd(PSEUDO[this.#op][this.#dtype]);
    c.get(this.#mend).simd(this.#op === 'maximum' ? ADD[this.#dtype] : OR);
  }
}

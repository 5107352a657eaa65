import { Code, F64, I32 } from '../code.ts';
import { moduleBytes } from '../module.ts';
import { bitsOf, type Constants } from './constants.ts';
import { exponential } from './exponential.ts';
import { Lanes, type Value } from './lanes.ts';
import { inParts, pow } from './power.ts';

/*
 * Powers with one exponent for many bases. With x = 2^k c (1 + r), c the middle of one of 256 intervals,
 *
 *   x^y = 2^(k y) c^y (1 + r)^y
 *
 * The first two factors are in tables, which are computed when an exponent is first met, and the last one is the binomial series, |r| <= 2^-9.4. No
 * logarithm is left, and no power of e: it takes a third of the time. Where x or the result is not an ordinary number, or y so large
 * that the series were too short, it is left to `pow`.
 */
const TERMS = 6;
/** The seventh term is 2^-57 at most. */
const LEAST = -3;
const MOST = 9;

const INTERVALS = 256;
const EXPONENTS = 2048;
/** Where the intervals begin, as in `power.ts`: 1 is where two of them meet. */
const FIRST = 0x3fe6a00000000000n;
const ONE = 0x3ff0000000000000n;
const MANTISSA = (1n << 52n) - 1n;
const WIDTH = 44;

const float = (bits: bigint): number => new Float64Array(new BigUint64Array([bits]).buffer)[0] as number;
const middle = (i: number): bigint => FIRST + (BigInt(i) << BigInt(WIDTH)) + (1n << BigInt(WIDTH - 1));

/** Of each interval: 1 / c, and c. */
const MIDDLES = new BigUint64Array(
  Array.from({ length: INTERVALS }, (_, i) => [bitsOf(1 / float(middle(i))), middle(i)]).flat(),
);

/** What the tables are of: all c, then all 2^k that are normal, by their exponents; those beside them are none. */
const BASES = new BigUint64Array([
  ...Array.from({ length: INTERVALS }, (_, i) => middle(i)),
  ...Array.from({ length: EXPONENTS }, (_, k) =>
    k < 2 || k === EXPONENTS - 1 ? bitsOf(Number.NaN) : BigInt(k) << 52n,
  ),
]);

/** The parts of what is kept of an exponent, in bytes from its place on: the coefficients of the series, each twice, the first of which is y; two masks. */
const COEFFICIENTS = 0;
/** The sign, if y is odd: that of the base is the result's. */
const ODD = 16 * TERMS;
/** The sign, if y is not whole: that must not be set in a base. */
const SIGN = ODD + 16;
/** Not 0 where tables are of no use. */
const UNSUITED = SIGN + 16;
/** `MIDDLES`, where what belongs to them is. */
const MIDDLE = UNSUITED + 16;
const POWERS = MIDDLE + 16 * INTERVALS;
const SCALES = POWERS + 16 * INTERVALS;
const BYTES = SCALES + 16 * EXPONENTS;

/** Powers beyond e to so much may be none in the end. */
const LARGE = 690;

/** Tables of so many exponents are kept, and a kernel may have as many. */
export const MOST_EXPONENTS = 8;

/** The tables of the exponents met last, in the memory of the functions. */
export class Exponents {
  readonly #constants: Constants;
  readonly #places = new Map<number, number>();
  #fill: ((y: number, to: number) => void) | undefined;

  constructor(constants: Constants) {
    this.#constants = constants;
  }

  /** Where what belongs to an exponent is; it stays there while fewer than `MOST_EXPONENTS` others are asked for. */
  readonly place = (y: number): number => {
    let at = this.#places.get(y);
    if (at === undefined) {
      at = this.#free();
      this.#lay(y, at);
    } else this.#places.delete(y);
    this.#places.set(y, at);
    return at;
  };

  #free(): number {
    if (this.#places.size < MOST_EXPONENTS) return this.#constants.room(BYTES);
    const [oldest, at] = this.#places.entries().next().value as [number, number];
    this.#places.delete(oldest);
    return at;
  }

  #lay(y: number, at: number): void {
    const suited = y >= LEAST && y <= MOST;
    const words = new BigUint64Array(this.#constants.memory.buffer, at, POWERS / 8);
    words.set(MIDDLES, MIDDLE / 8);
    const twice = (from: number, word: bigint): unknown => words.fill(word, from / 8, from / 8 + 2);
    let coefficient = 1;
    for (let i = 0; i < TERMS; i++) {
      coefficient *= (y - i) / (i + 1);
      twice(COEFFICIENTS + 16 * i, bitsOf(i === 0 ? y : coefficient));
    }
    twice(ODD, Number.isInteger(y) && y % 2 !== 0 ? 1n << 63n : 0n);
    twice(SIGN, Number.isInteger(y) ? 0n : 1n << 63n);
    twice(UNSUITED, suited ? 0n : 1n);
    if (!suited) return;
    this.#fill ??= filling(this.#constants);
    this.#fill(y, at + POWERS);
  }
}

/** Writes the powers of all bases with one exponent: pairs of a first part of 26 bits and the rest of it as a fraction of that; NaN where there is none. */
function filling(constants: Constants): (y: number, to: number) => void {
  const code = new Code();
  const [exponent, to] = [code.param(F64), code.param(I32)];
  const m = new Lanes(code, 1, constants);
  const [at, first] = [code.local(I32), constants.table(BASES)];
  const end = first + 8 * BASES.length;
  const y = m.splat(exponent);
  code.i32(first).set(at);
  code.while(
    () => code.get(at).i32(end).op(0x49),
    () => {
      const x = m.fromMemory(at, 0);
      const { product, tail } = inParts(m, x, y);
      const { scale, rest } = exponential(m, product, { tail, close: true });
      const more = m.mul(scale, rest);
      const high = m.and(m.add(scale, more), m.bits(-1n << 27n));
      const low = m.div(m.add(m.sub(scale, high), more), high);
      const none = m.not(m.and(m.eq(x, x), m.lt(m.abs(product), m.f(LARGE))));
      m.storePairs(to, m.or(high, none), low);
      code.get(at).i32(16).op(0x6a).set(at);
      code.get(to).i32(32).op(0x6a).set(to);
    },
  );
  const bytes = moduleBytes({ shared: false, imports: [], functions: [{ name: 'fill', code }] });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    sheaf: { memory: constants.memory },
  });
  return exports.fill as (y: number, to: number) => void;
}

/** x^y with the exponent whose place is in the local `at`. */
export function powOfPlace(m: Lanes, x: Value, at: number, reference: number): Value {
  const moved = m.iadd(x, m.bits(ONE - FIRST));
  const row = m.fields(moved, WIDTH, 8);
  const [inverse, c] = m.pairBehind(at, row, MIDDLE);
  const z = m.iadd(m.and(moved, m.bits(MANTISSA)), m.bits(FIRST));
  // The difference is exact.
  const r = m.mul(m.sub(z, c), inverse);
  const series = m.mul(
    r,
    m.estrinOf(r, TERMS, (i) => m.fromMemory(at, COEFFICIENTS + 16 * i)),
  );
  const [power, powerRest] = m.pairBehind(at, row, POWERS);
  const [scale, scaleRest] = m.pairBehind(at, m.fields(moved, 52, 11), SCALES);
  const rests = m.fma(powerRest, scaleRest, m.add(powerRest, scaleRest));
  // Both are of 26 bits.
  const first = m.mul(scale, power);
  const size = m.fma(first, m.add(m.fma(rests, series, rests), series), first);
  const usual = m.xor(size, m.and(x, m.fromMemory(at, ODD)));
  // A NaN, or negative.
  const fine = m.ge(m.or(size, m.and(x, m.fromMemory(at, SIGN))), m.f(0));
  const flag = m.code.local(I32);
  m.code.get(at).memory(0x28, UNSUITED).get(m.anyNot(fine)).op(0x72).set(flag);
  const [result] = m.rarely(flag, [usual], () => {
    const suited = m.ieq(m.fromMemory(at, UNSUITED), m.bits(0n));
    return [m.select(m.and(fine, suited), usual, pow(m, x, m.fromMemory(at, COEFFICIENTS), reference))];
  });
  return result;
}

import { type Code, F64, type FunctionType, I32, V128 } from '../code.ts';
import { canFuse } from '../fused.ts';
import type { Constants } from './constants.ts';

/** Of the relaxed SIMD proposal. */
const MULTIPLY_ADD = 0x107;
const MULTIPLY_SUBTRACT = 0x108;

/** Several vectors of two lanes: the locals that hold them. */
export type Value = readonly number[];

/**
 * Writes code without loops for several vectors of two doubles (or 64-bit integers) at once. Each operation is written once for each
 * vector, one after the other, so that they share the constants and need not wait for each other. Operations return new values;
 * nothing is changed.
 */
export class Lanes {
  readonly code: Code;
  readonly #n: number;
  readonly #constants: Constants;

  /** `vectors`: how many at once. */
  constructor(code: Code, vectors: number, constants: Constants) {
    this.code = code;
    this.#n = vectors;
    this.#constants = constants;
  }

  param(): Value {
    return this.#each(() => this.code.param(V128));
  }

  /** Leaves the value on the stack, vector by vector: what the function returns. */
  return(value: Value): void {
    this.code.get(...value);
  }

  #each(make: (i: number) => number): Value {
    return Array.from({ length: this.#n }, (_, i) => make(i));
  }

  #op(opcode: number, ...args: Value[]): Value {
    return this.#each((i) => {
      for (const arg of args) this.code.get(arg[i] as number);
      return this.#set(() => this.code.simd(opcode));
    });
  }

  #set(write: () => void): number {
    write();
    const local = this.code.local(V128);
    this.code.set(local);
    return local;
  }

  #load(at: number): Value {
    const local = this.#set(() => this.code.i32(0).simdMemory(0, at));
    return this.#each(() => local);
  }

  /** A constant, in all lanes. */
  f(x: number): Value {
    return this.#load(this.#constants.double(x));
  }

  bits(word: bigint): Value {
    return this.#load(this.#constants.bits(BigInt.asUintN(64, word)));
  }

  add(x: Value, y: Value): Value {
    return this.#op(240, x, y);
  }

  sub(x: Value, y: Value): Value {
    return this.#op(241, x, y);
  }

  mul(x: Value, y: Value): Value {
    return this.#op(242, x, y);
  }

  /** `x * y + z`, rounded once where the engine can do that, which is twice as fast; else twice. */
  fma(x: Value, y: Value, z: Value): Value {
    return canFuse() ? this.#op(MULTIPLY_ADD, x, y, z) : this.add(this.mul(x, y), z);
  }

  /** `z - x * y`, likewise. */
  fnma(x: Value, y: Value, z: Value): Value {
    return canFuse() ? this.#op(MULTIPLY_SUBTRACT, x, y, z) : this.sub(z, this.mul(x, y));
  }

  div(x: Value, y: Value): Value {
    return this.#op(243, x, y);
  }

  /** `y < x ? y : x`: the second must not be NaN if it is to win. */
  pmin(x: Value, y: Value): Value {
    return this.#op(246, x, y);
  }

  /** `x < y ? y : x` */
  pmax(x: Value, y: Value): Value {
    return this.#op(247, x, y);
  }

  sqrt(x: Value): Value {
    return this.#op(239, x);
  }

  abs(x: Value): Value {
    return this.#op(236, x);
  }

  neg(x: Value): Value {
    return this.#op(237, x);
  }

  floor(x: Value): Value {
    return this.#op(117, x);
  }

  trunc(x: Value): Value {
    return this.#op(122, x);
  }

  nearest(x: Value): Value {
    return this.#op(148, x);
  }

  eq(x: Value, y: Value): Value {
    return this.#op(71, x, y);
  }

  lt(x: Value, y: Value): Value {
    return this.#op(73, x, y);
  }

  gt(x: Value, y: Value): Value {
    return this.#op(74, x, y);
  }

  le(x: Value, y: Value): Value {
    return this.#op(75, x, y);
  }

  ge(x: Value, y: Value): Value {
    return this.#op(76, x, y);
  }

  not(x: Value): Value {
    return this.#op(77, x);
  }

  and(x: Value, y: Value): Value {
    return this.#op(78, x, y);
  }

  /** The first without the bits of the second. */
  andNot(x: Value, y: Value): Value {
    return this.#op(79, x, y);
  }

  or(x: Value, y: Value): Value {
    return this.#op(80, x, y);
  }

  xor(x: Value, y: Value): Value {
    return this.#op(81, x, y);
  }

  /** Of each lane the first where the mask is set, else the second. */
  select(mask: Value, yes: Value, no: Value): Value {
    return this.#op(82, yes, no, mask);
  }

  iadd(x: Value, y: Value): Value {
    return this.#op(206, x, y);
  }

  isub(x: Value, y: Value): Value {
    return this.#op(209, x, y);
  }

  ieq(x: Value, y: Value): Value {
    return this.#op(214, x, y);
  }

  shl(x: Value, bits: number): Value {
    return this.#shift(203, x, bits);
  }

  /** Zeros come in from the left. */
  shr(x: Value, bits: number): Value {
    return this.#shift(205, x, bits);
  }

  #shift(opcode: number, x: Value, bits: number): Value {
    return this.#each((i) =>
      this.#set(() =>
        this.code
          .get(x[i] as number)
          .i32(bits)
          .simd(opcode),
      ),
    );
  }

  /** `x * x`, `x + c`, and the like, for formulas that are read more easily. */
  square(x: Value): Value {
    return this.mul(x, x);
  }

  addf(x: Value, c: number): Value {
    return this.add(x, this.f(c));
  }

  subf(x: Value, c: number): Value {
    return this.sub(x, this.f(c));
  }

  mulf(x: Value, c: number): Value {
    return this.mul(x, this.f(c));
  }

  /** The magnitude of one, which has no sign or the right one, with the sign of another. */
  withSign(size: Value, sign: Value): Value {
    return this.or(size, this.and(sign, this.f(-0)));
  }

  /**
   * `c[0] + c[1] x + c[2] x^2 ...`, halves at a time, so that little of it waits for the rest (Estrin). `square`: of `x`, where it is
   * known.
   */
  estrin(x: Value, c: readonly number[], square?: Value): Value {
    return this.#estrin(x, c.length, (i) => this.f(c[i] as number), square);
  }

  /** The same with coefficients that are values. */
  estrinOf(x: Value, terms: number, c: (i: number) => Value): Value {
    return this.#estrin(x, terms, c);
  }

  #estrin(x: Value, terms: number, c: (i: number) => Value, square?: Value): Value {
    const powers = square === undefined ? [x] : [x, square];
    const part = (from: number, length: number): Value => {
      if (length === 1) return c(from);
      const level = Math.ceil(Math.log2(length)) - 1;
      const half = 2 ** level;
      const high = part(from + half, length - half);
      while (powers.length <= level) powers.push(this.square(powers.at(-1) as Value));
      return this.fma(high, powers[level] as Value, part(from, half));
    };
    return part(0, terms);
  }

  /** The sum of two values and what its rounding has lost (D. Knuth). */
  twoSum(x: Value, y: Value): [Value, Value] {
    const sum = this.add(x, y);
    const part = this.sub(sum, x);
    return [sum, this.add(this.sub(x, this.sub(sum, part)), this.sub(y, part))];
  }

  /** The same where the first is not less in size than the second (T. Dekker). */
  fastTwoSum(x: Value, y: Value): [Value, Value] {
    const sum = this.add(x, y);
    return [sum, this.sub(y, this.sub(sum, x))];
  }

  /** A double as the sum of two of 26 bits and less each. */
  split(x: Value): [Value, Value] {
    const t = this.mulf(x, 2 ** 27 + 1);
    const high = this.sub(t, this.sub(t, x));
    return [high, this.sub(x, high)];
  }

  /** The product of two values and what its rounding has lost (T. Dekker). */
  twoProduct(x: Value, y: Value): [Value, Value] {
    const product = this.mul(x, y);
    const [xh, xl] = this.split(x);
    const [yh, yl] = this.split(y);
    const rest = this.add(this.sub(this.mul(xh, yh), product), this.add(this.mul(xh, yl), this.mul(xl, yh)));
    return [product, this.add(rest, this.mul(xl, yl))];
  }

  /** Two words of a table for each lane. `at`: where, in bytes from its start, in the low 32 bits of the lane. */
  pair(table: BigUint64Array, at: Value): [Value, Value] {
    const base = this.#constants.table(table);
    return this.#pairs(at, (index, lane) =>
      this.code
        .get(index)
        .lane(27, lane * 2)
        .simdMemory(0, base),
    );
  }

  /** Some bits of each lane, from one on, times 16, as numbers of their own: a local for each lane. */
  fields(x: Value, from: number, bits: number): Value {
    return x.flatMap((vector) =>
      [0, 1].map((lane) => {
        const local = this.code.local(I32);
        const mask = 16 * (2 ** bits - 1);
        this.code
          .get(vector)
          .lane(29, lane)
          .i64(BigInt(from - 4))
          .op(0x88, 0xa7)
          .i32(mask)
          .op(0x71)
          .set(local);
        return local;
      }),
    );
  }

  /** Two words of memory for each lane: so many bytes behind the address in the local `base` as `fields` say, and `offset` more. */
  pairBehind(base: number, fields: Value, offset: number): [Value, Value] {
    const vectors = fields.filter((_, i) => i % 2 === 0).map((_, i) => i);
    return this.#pairs(vectors, (vector, lane) =>
      this.code
        .get(base, fields[2 * vector + lane] as number)
        .op(0x6a)
        .simdMemory(0, offset),
    );
  }

  /** `load` leaves both words of a lane on the stack. */
  #pairs(at: Value, load: (of: number, lane: number) => void): [Value, Value] {
    const low: number[] = [];
    const high: number[] = [];
    for (const index of at) {
      const entries = [0, 1].map((lane) => this.#set(() => load(index, lane))) as [number, number];
      low.push(
        this.#set(() => this.code.get(...entries).shuffle(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)),
      );
      high.push(
        this.#set(() =>
          this.code.get(...entries).shuffle(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31),
        ),
      );
    }
    return [low, high];
  }

  /** One word of a table for each lane. */
  entry(table: BigUint64Array, at: Value, offset = 0): Value {
    const base = this.#constants.table(table) + offset;
    return at.map((index) => {
      const first = this.#set(() => this.code.get(index).lane(27, 0).simdMemory(10, base));
      return this.#set(() => this.code.get(index).lane(27, 2).get(first).laneMemory(87, base, 1));
    });
  }

  /** 16 bytes of memory, so far behind the address in the local: the same for all vectors. */
  fromMemory(at: number, offset: number): Value {
    const local = this.#set(() => this.code.get(at).simdMemory(0, offset));
    return this.#each(() => local);
  }

  /** The double in the local, in all lanes. */
  splat(double: number): Value {
    const local = this.#set(() => this.code.get(double).simd(20));
    return this.#each(() => local);
  }

  /** Stores the lanes of both, in turn, from the address in the local on. */
  storePairs(at: number, first: Value, second: Value): void {
    for (const [i, x] of first.entries()) {
      const y = second[i] as number;
      const low = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
      this.code
        .get(at, x, y)
        .shuffle(...low)
        .simdMemory(0x0b, 32 * i);
      this.code
        .get(at, x, y)
        .shuffle(...low.map((byte) => byte + 8))
        .simdMemory(0x0b, 32 * i + 16);
    }
  }

  /** Whether any lane of a mask is set, as the bits of a number: a local with it. */
  any(mask: Value): number {
    const local = this.code.local(I32);
    for (const [i, each] of mask.entries()) {
      this.code.get(each);
      if (i > 0) this.code.simd(80);
    }
    this.code.simd(196).set(local);
    return local;
  }

  /** The same for lanes that are not set. */
  anyNot(mask: Value): number {
    const local = this.code.local(I32);
    for (const [i, each] of mask.entries()) {
      this.code.get(each);
      if (i > 0) this.code.simd(78);
    }
    this.code.simd(196).i32(3).op(0x73).set(local);
    return local;
  }

  /** Values that are seldom others than `usual`: when the number in the local is not 0, those that `body` gives. */
  rarely<T extends readonly Value[]>(flag: number, usual: readonly [...T], body: () => readonly [...T]): T {
    const merged = usual.map((value) => this.#each((i) => this.#set(() => this.code.get(value[i] as number))));
    this.code.get(flag).if(() => {
      for (const [j, value] of body().entries()) {
        for (const [i, local] of value.entries()) this.code.get(local).set((merged[j] as Value)[i] as number);
      }
    });
    return merged as unknown as T;
  }

  /** Lanes of the mask one by one through a function of doubles, all others from `rest`. */
  through(callee: number, mask: Value, args: readonly Value[], rest: Value): Value {
    return this.#each((i) => {
      const result = this.#set(() => this.code.get(rest[i] as number));
      for (const lane of [0, 1]) {
        this.code
          .get(mask[i] as number)
          .lane(29, lane)
          .op(0xa7);
        this.code.if(() => {
          this.code.get(result);
          for (const arg of args) this.code.get(arg[i] as number).lane(33, lane);
          this.code.call(callee).lane(34, lane).set(result);
        });
      }
      return result;
    });
  }
}

/** The type of a function that `through` calls. */
export const scalarType = (arity: number): FunctionType => ({
  params: new Array<typeof F64>(arity).fill(F64),
  results: [F64],
});

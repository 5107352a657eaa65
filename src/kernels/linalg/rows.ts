import { Code, F64, I32, V128 } from '../wasm/code.ts';
import { moduleBytes } from '../wasm/module.ts';

const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_GE_U = 0x4f;
const LOAD = 0x00;
const STORE = 0x0b;
const MULTIPLY = 0xf2;
const ADD = 0xf0;
const SUBTRACT = 0xf1;
const SPLAT = 0x14;
const EXTRACT = 0x21;
const F64_ADD = 0xa0;
/** Of shorter rows, JavaScript has done it before WebAssembly is called. */
const SHORT = 48;
/** Vectors of two in one round. */
const UNROLLED = 4;

/** For each element of two rows at addresses a and b: a becomes c a - s b, b becomes s a + c b. Lengths are multiples of a round. */
function rotation(): Code {
  const code = new Code();
  const [a, b, left] = [code.param(I32), code.param(I32), code.param(I32)];
  const [c, s] = [code.param(F64), code.param(F64)];
  const [cosine, sine, x, y] = Array.from({ length: 4 }, () => code.local(V128)) as [number, number, number, number];
  code.get(c).simd(SPLAT).set(cosine).get(s).simd(SPLAT).set(sine);
  rounds(code, [a, b], left, () => {
    for (let i = 0; i < UNROLLED; i++) {
      code
        .get(a)
        .simdMemory(LOAD, 16 * i)
        .set(x)
        .get(b)
        .simdMemory(LOAD, 16 * i)
        .set(y);
      code.get(a, cosine, x).simd(MULTIPLY).get(sine, y).simd(MULTIPLY, SUBTRACT);
      code.simdMemory(STORE, 16 * i);
      code.get(b, sine, x).simd(MULTIPLY).get(cosine, y).simd(MULTIPLY, ADD);
      code.simdMemory(STORE, 16 * i);
    }
  });
  return code;
}

/** The sum of the products of two rows. */
function products(): Code {
  const code = new Code([F64]);
  const [a, b, left] = [code.param(I32), code.param(I32), code.param(I32)];
  const sums = Array.from({ length: UNROLLED }, () => code.local(V128));
  rounds(code, [a, b], left, () => {
    for (const [i, sum] of sums.entries()) {
      code.get(sum, a).simdMemory(LOAD, 16 * i);
      code
        .get(b)
        .simdMemory(LOAD, 16 * i)
        .simd(MULTIPLY, ADD)
        .set(sum);
    }
  });
  const [first, ...others] = sums as [number, ...number[]];
  code.get(first);
  for (const sum of others) code.get(sum).simd(ADD);
  code.set(first).get(first).lane(EXTRACT, 0).get(first).lane(EXTRACT, 1).op(F64_ADD);
  return code;
}

function rounds(code: Code, pointers: readonly number[], left: number, body: () => void): void {
  code.while(
    () =>
      code
        .get(left)
        .i32(2 * UNROLLED)
        .op(I32_GE_U),
    () => {
      body();
      for (const pointer of pointers)
        code
          .get(pointer)
          .i32(16 * UNROLLED)
          .op(I32_ADD)
          .set(pointer);
      code
        .get(left)
        .i32(2 * UNROLLED)
        .op(I32_SUB)
        .set(left);
    },
  );
}

type Rotate = (a: number, b: number, length: number, c: number, s: number) => void;
type Dot = (a: number, b: number, length: number) => number;

interface Room {
  readonly memory: WebAssembly.Memory;
  readonly rotate: Rotate;
  readonly dot: Dot;
}

const PAGE = 65_536;
/** What is kept for the next matrix. */
const KEPT_PAGES = 1024;
let compiled: WebAssembly.Module | undefined;
let kept: Room | undefined;

function roomFor(bytes: number): Room {
  const pages = Math.ceil(bytes / PAGE);
  if (kept !== undefined && kept.memory.buffer.byteLength >= pages * PAGE) return kept;
  const functions = [
    { name: 'rotate', code: rotation() },
    { name: 'dot', code: products() },
  ];
  compiled ??= new WebAssembly.Module(moduleBytes({ shared: false, imports: [], functions }));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(compiled, { sheaf: { memory } });
  const room = { memory, rotate: exports.rotate as Rotate, dot: exports.dot as Dot };
  if (pages <= KEPT_PAGES) kept = room;
  return room;
}

/**
 * Rows of one length that are rotated in pairs: by WebAssembly, where they are long. Only one of these is in use at a time: the next one gets
 * the same memory.
 */
export class Rows {
  /** From one row to the next; what is beyond the length of a row is 0. */
  readonly lead: number;
  readonly elements: Float64Array;
  readonly #room: Room | undefined;

  constructor(count: number, length: number) {
    const step = 2 * UNROLLED;
    this.lead = Math.ceil(length / step) * step;
    this.#room = length < SHORT ? undefined : roomFor(8 * count * this.lead);
    const { buffer } = this.#room?.memory ?? { buffer: new ArrayBuffer(8 * count * this.lead) };
    this.elements = new Float64Array(buffer, 0, count * this.lead).fill(0);
  }

  row(i: number, length: number): Float64Array {
    return this.elements.subarray(i * this.lead, i * this.lead + length);
  }

  /** Row i becomes c i - s j, and row j becomes s i + c j. */
  rotate(i: number, j: number, c: number, s: number): void {
    const { lead, elements: x } = this;
    if (this.#room !== undefined) {
      this.#room.rotate(8 * i * lead, 8 * j * lead, lead, c, s);
      return;
    }
    for (let k = 0, a = i * lead, b = j * lead; k < lead; k++, a++, b++) {
      const [p, q] = [x[a] as number, x[b] as number];
      x[a] = c * p - s * q;
      x[b] = s * p + c * q;
    }
  }

  /** The sum of the products of the first elements of two rows. */
  dot(i: number, j: number, length: number): number {
    const { lead, elements: x } = this;
    let sum = 0;
    let done = 0;
    if (this.#room !== undefined) {
      done = length - (length % (2 * UNROLLED));
      sum = this.#room.dot(8 * i * lead, 8 * j * lead, done);
    }
    for (let a = i * lead + done, b = j * lead + done, left = length - done; left > 0; left--)
      sum += (x[a++] as number) * (x[b++] as number);
    return sum;
  }

  exchange(i: number, j: number): void {
    const { lead, elements } = this;
    const own = elements.slice(i * lead, (i + 1) * lead);
    elements.copyWithin(i * lead, j * lead, (j + 1) * lead);
    elements.set(own, j * lead);
  }
}

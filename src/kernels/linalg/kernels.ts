import { Code, I32, V128 } from '../wasm/code.ts';

const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const LOAD = 0x00;
const LOAD_SPLAT = 0x0a;
const STORE = 0x0b;
const SPLAT = 0x14;
const EXTRACT = 0x21;
const ADD = 0xf0;
const SUBTRACT = 0xf1;
const MULTIPLY = 0xf2;
const F64_ADD = 0xa0;
const F64_STORE = 0x39;

/** Vectors of two doubles in one round, so that lengths are multiples of twice that. */
const UNROLLED = 2;
/** Lengths of rows, and the columns at which they begin, are multiples of it. */
export const COLUMN_STEP = 2 * UNROLLED;
/** Columns of a panel of rotated rows: a cache line, and as many registers as there are to spare. */
export const PANEL = 8;

/**
 * What takes the time in eigenvalues and singular values, on doubles in one memory. All places are addresses in bytes, `step` is from one row
 * to the next, and `length` is that of a row in bytes. Rows come in pairs, or in fours: beyond the last one lie rows of zeros.
 */
export interface Kernels {
  /**
   * Rotations of each row of a panel with the one after it (a `step` on, or back): x, y become c x + s y, and c y - s x, which goes on to the
   * next rotation. `turns` are pairs of c and s.
   */
  sweep(panel: number, step: number, turns: number, count: number): void;
  /**
   * Reflections I - factor v v', v = (1, y, z), of each row of a panel and the two after it, of which the first one goes on to the next
   * reflection. `reflections` are y, z and the factor.
   */
  reflect(panel: number, step: number, reflections: number, count: number): void;
  /** For pairs of rows: row i loses v[i] w + w[i] v, and out[i] is its product with z then. `own`: from the columns to the rows of v and w. */
  update2(
    rows: number,
    step: number,
    vOfRows: number,
    wOfRows: number,
    v: number,
    w: number,
    z: number,
    out: number,
    pairs: number,
    length: number,
  ): void;
  /** For pairs of rows: row i loses u[i] y + x[i] v, and then sums gain next[i] times it. */
  updateSums(
    rows: number,
    step: number,
    u: number,
    x: number,
    next: number,
    y: number,
    v: number,
    sums: number,
    pairs: number,
    length: number,
  ): void;
  /** For fours of rows: out[i] is the product of row i and z. */
  products(rows: number, step: number, z: number, out: number, fours: number, length: number): void;
}

export const kernelFunctions = (): { name: keyof Kernels; code: Code }[] => [
  { name: 'sweep', code: sweep() },
  { name: 'reflect', code: reflect() },
  { name: 'update2', code: update2() },
  { name: 'updateSums', code: updateSums() },
  { name: 'products', code: products() },
];

const params = (code: Code, count: number): number[] => Array.from({ length: count }, () => code.param(I32));
const vectors = (code: Code, count: number): number[] => Array.from({ length: count }, () => code.local(V128));
const advance = (code: Code, pointer: number, bytes: number): Code =>
  code.get(pointer).i32(bytes).op(I32_ADD).set(pointer);
const zero = (code: Code, ...locals: number[]): void => {
  for (const local of locals) code.f64(0).simd(SPLAT).set(local);
};
/** Counts a local down to 0. */
const times = (code: Code, left: number, body: () => void): Code =>
  code.while(
    () => code.get(left),
    () => {
      body();
      code.get(left).i32(1).op(I32_SUB).set(left);
    },
  );

function sweep(): Code {
  const code = new Code();
  const [row, step, turns, left] = params(code, 4) as [number, number, number, number];
  const next = code.local(I32);
  const [c, s, y, ...carried] = vectors(code, 3 + PANEL / 2) as [number, number, number, ...number[]];
  for (const [i, x] of carried.entries())
    code
      .get(row)
      .simdMemory(LOAD, 16 * i)
      .set(x);
  times(code, left, () => {
    code.get(turns).simdMemory(LOAD_SPLAT, 0).set(c).get(turns).simdMemory(LOAD_SPLAT, 8).set(s);
    code.get(row, step).op(I32_ADD).set(next);
    for (const [i, x] of carried.entries()) {
      code
        .get(next)
        .simdMemory(LOAD, 16 * i)
        .set(y);
      code.get(row, c, x).simd(MULTIPLY).get(s, y).simd(MULTIPLY, ADD);
      code.simdMemory(STORE, 16 * i);
      code.get(c, y).simd(MULTIPLY).get(s, x).simd(MULTIPLY, SUBTRACT).set(x);
    }
    code.get(next).set(row);
    advance(code, turns, 16);
  });
  for (const [i, x] of carried.entries()) code.get(row, x).simdMemory(STORE, 16 * i);
  return code;
}

function reflect(): Code {
  const code = new Code();
  const [row, step, reflections, left] = params(code, 4) as [number, number, number, number];
  const [second, third] = [code.local(I32), code.local(I32)];
  const [y, z, factor, sum, c, ...carried] = vectors(code, 5 + PANEL) as [
    number,
    number,
    number,
    number,
    number,
    ...number[],
  ];
  const pairs = Array.from({ length: PANEL / 2 }, (_, i) => [carried[2 * i], carried[2 * i + 1]] as [number, number]);
  code.get(row, step).op(I32_ADD).set(second);
  for (const [i, [a, b]] of pairs.entries()) {
    for (const [pointer, into] of [
      [row, a],
      [second, b],
    ] as const)
      code
        .get(pointer)
        .simdMemory(LOAD, 16 * i)
        .set(into);
  }
  times(code, left, () => {
    for (const [i, into] of [y, z, factor].entries())
      code
        .get(reflections)
        .simdMemory(LOAD_SPLAT, 8 * i)
        .set(into);
    code.get(row, step).op(I32_ADD).tee(second).get(step).op(I32_ADD).set(third);
    for (const [i, [a, b]] of pairs.entries()) {
      code
        .get(third)
        .simdMemory(LOAD, 16 * i)
        .set(c);
      code.get(a, y, b).simd(MULTIPLY, ADD).get(z, c).simd(MULTIPLY, ADD).get(factor).simd(MULTIPLY).set(sum);
      code.get(row, a, sum).simd(SUBTRACT);
      code.simdMemory(STORE, 16 * i);
      code.get(b, y, sum).simd(MULTIPLY, SUBTRACT).set(a);
      code.get(c, z, sum).simd(MULTIPLY, SUBTRACT).set(b);
    }
    code.get(second).set(row);
    advance(code, reflections, 24);
  });
  code.get(row, step).op(I32_ADD).set(second);
  for (const [i, [a, b]] of pairs.entries()) {
    code.get(row, a).simdMemory(STORE, 16 * i);
    code.get(second, b).simdMemory(STORE, 16 * i);
  }
  return code;
}

/** Runs `body` for each vector of a row, with pointers at its elements; `left` counts bytes. */
function along(code: Code, pointers: readonly number[], length: number, body: (offset: number) => void): void {
  const left = code.local(I32);
  code.get(length).set(left);
  code.while(
    () => code.get(left),
    () => {
      for (let i = 0; i < UNROLLED; i++) body(16 * i);
      for (const pointer of pointers) advance(code, pointer, 16 * UNROLLED);
      code
        .get(left)
        .i32(16 * UNROLLED)
        .op(I32_SUB)
        .set(left);
    },
  );
}

/** Copies of pointers, which a round moves along a row. */
function copies(code: Code, pointers: readonly number[]): { own: number[]; reset(): void } {
  const own = pointers.map(() => code.local(I32));
  const reset = (): void => {
    for (const [i, local] of own.entries()) code.get(pointers[i] as number).set(local);
  };
  return { own, reset };
}

/** Stores the sum of both lanes. */
const storeSum = (code: Code, out: number, offset: number, sum: number): Code =>
  code.get(out, sum).lane(EXTRACT, 0).get(sum).lane(EXTRACT, 1).op(F64_ADD).memory(F64_STORE, offset);

function update2(): Code {
  const code = new Code();
  const [rows, step, vi, wi, v, w, z, out, pairs, length] = params(code, 10) as Ten;
  const second = code.local(I32);
  const { own, reset } = copies(code, [rows, second, v, w, z]);
  const [p, q, vj, wj, zj] = own as [number, number, number, number, number];
  const [v0, v1, w0, w1, x, ...sums] = vectors(code, 7) as [number, number, number, number, number, number, number];
  times(code, pairs, () => {
    code.get(rows, step).op(I32_ADD).set(second);
    reset();
    zero(code, ...sums);
    code.get(vi).simdMemory(LOAD_SPLAT, 0).set(v0).get(vi).simdMemory(LOAD_SPLAT, 8).set(v1);
    code.get(wi).simdMemory(LOAD_SPLAT, 0).set(w0).get(wi).simdMemory(LOAD_SPLAT, 8).set(w1);
    along(code, own, length, (offset) => {
      for (const [pointer, a, b, sum] of [
        [p, v0, w0, sums[0]],
        [q, v1, w1, sums[1]],
      ] as [number, number, number, number][]) {
        code.get(pointer).simdMemory(LOAD, offset);
        code.get(a, wj).simdMemory(LOAD, offset).simd(MULTIPLY);
        code.get(b, vj).simdMemory(LOAD, offset).simd(MULTIPLY, ADD, SUBTRACT).set(x);
        code.get(pointer, x).simdMemory(STORE, offset);
        code.get(sum, x, zj).simdMemory(LOAD, offset).simd(MULTIPLY, ADD).set(sum);
      }
    });
    storeSum(code, out, 0, sums[0] as number);
    storeSum(code, out, 8, sums[1] as number);
    code.get(second, step).op(I32_ADD).set(rows);
    for (const pointer of [vi, wi, out]) advance(code, pointer, 16);
  });
  return code;
}

type Ten = [number, number, number, number, number, number, number, number, number, number];

function updateSums(): Code {
  const code = new Code();
  const [rows, step, u, x, next, y, v, sums, pairs, length] = params(code, 10) as Ten;
  const second = code.local(I32);
  const { own, reset } = copies(code, [rows, second, y, v, sums]);
  const [p, q, yj, vj, sj] = own as [number, number, number, number, number];
  const [u0, u1, x0, x1, n0, n1, a, b] = vectors(code, 8) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  times(code, pairs, () => {
    code.get(rows, step).op(I32_ADD).set(second);
    reset();
    for (const [pointer, first, other] of [
      [u, u0, u1],
      [x, x0, x1],
      [next, n0, n1],
    ] as const)
      code.get(pointer).simdMemory(LOAD_SPLAT, 0).set(first).get(pointer).simdMemory(LOAD_SPLAT, 8).set(other);
    along(code, own, length, (offset) => {
      for (const [pointer, left, right, into] of [
        [p, u0, x0, a],
        [q, u1, x1, b],
      ] as const) {
        code.get(pointer).simdMemory(LOAD, offset);
        code.get(left, yj).simdMemory(LOAD, offset).simd(MULTIPLY);
        code.get(right, vj).simdMemory(LOAD, offset).simd(MULTIPLY, ADD, SUBTRACT).set(into);
        code.get(pointer, into).simdMemory(STORE, offset);
      }
      code.get(sj, sj).simdMemory(LOAD, offset);
      code.get(n0, a).simd(MULTIPLY).get(n1, b).simd(MULTIPLY, ADD, ADD).simdMemory(STORE, offset);
    });
    code.get(second, step).op(I32_ADD).set(rows);
    for (const pointer of [u, x, next]) advance(code, pointer, 16);
  });
  return code;
}

function products(): Code {
  const code = new Code();
  const [rows, step, z, out, fours, length] = params(code, 6) as [number, number, number, number, number, number];
  const others = Array.from({ length: 3 }, () => code.local(I32));
  const { own, reset } = copies(code, [z, rows, ...others]);
  const [zj, ...lines] = own as [number, ...number[]];
  const [factor, ...sums] = vectors(code, 5) as [number, ...number[]];
  times(code, fours, () => {
    let last = rows;
    for (const other of others) {
      code.get(last, step).op(I32_ADD).set(other);
      last = other;
    }
    reset();
    zero(code, ...sums);
    along(code, own, length, (offset) => {
      code.get(zj).simdMemory(LOAD, offset).set(factor);
      for (const [i, sum] of sums.entries())
        code
          .get(sum, factor, lines[i] as number)
          .simdMemory(LOAD, offset)
          .simd(MULTIPLY, ADD)
          .set(sum);
    });
    for (const [i, sum] of sums.entries()) storeSum(code, out, 8 * i, sum);
    code.get(last, step).op(I32_ADD).set(rows);
    advance(code, out, 32);
  });
  return code;
}

import { Code, F32, F64, I32, V128 } from '../wasm/code.ts';
import { moduleBytes } from '../wasm/module.ts';

export type FloatLane = 'f64' | 'f32';

interface Instructions {
  readonly type: typeof F64 | typeof F32;
  readonly bytes: 4 | 8;
  readonly load: number;
  readonly store: number;
  readonly add: number;
  readonly multiply: number;
  /** For lanes. */
  readonly splat: number;
  readonly addLanes: number;
  readonly multiplyLanes: number;
}

const INSTRUCTIONS: Readonly<Record<FloatLane, Instructions>> = {
  f64: {
    type: F64,
    bytes: 8,
    load: 0x2b,
    store: 0x39,
    add: 0xa0,
    multiply: 0xa2,
    splat: 0x0a,
    addLanes: 0xf0,
    multiplyLanes: 0xf2,
  },
  f32: {
    type: F32,
    bytes: 4,
    load: 0x2a,
    store: 0x38,
    add: 0x92,
    multiply: 0x94,
    splat: 0x09,
    addLanes: 0xe4,
    multiplyLanes: 0xe6,
  },
};

const I32_LOAD = 0x28;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_MUL = 0x6c;
const I32_GE_U = 0x4f;
const I32_SHL = 0x74;
/**
 * So many elements of a row at once, whose sums do not wait for each other. More of them would cost more than they save: the end of each row
 * is a branch more that is guessed wrong, and what is loaded from the vector, out of order, then stops.
 */
const UNROLLED = 2;
/** So many vectors of a row of the result are held in registers. */
const HELD = 4;

/**
 * Keeps V8 from unrolling the loop that this is part of, which does not know that it has few rounds: half as fast again for rows of ten. A
 * loop with another one in it is left as it is; the other one never runs. `none`: a parameter that is 0, which V8 does not know.
 */
function leftAsItIs(c: Code, none: number): void {
  c.while(
    () => c.get(none),
    () => c.i32(0).set(none),
  );
}

/** What both functions begin with: where the matrix lies. */
interface Matrix {
  readonly starts: number;
  readonly places: number;
  readonly values: number;
}

/** Where the indices and values of a row are, and how many are left. */
interface Cursor {
  readonly place: number;
  readonly value: number;
  readonly left: number;
}

/**
 * Walks over the rows: for each one, `row` is called with where its indices and values are, and how many are left. `goesOn`: it leaves them at the end
 * of the row, which is where the next one begins.
 */
function eachRow(
  c: Code,
  { starts, places, values }: Matrix,
  rows: number,
  bytes: 4 | 8,
  indexBytes: 4 | 8,
  goesOn: boolean,
  row: (cursor: Cursor) => void,
): void {
  const [first, place, value, left] = Array.from({ length: 4 }, () => c.local(I32)) as [number, number, number, number];
  const find = (): void => {
    c.get(places, first).i32(indexBytes).op(I32_MUL, I32_ADD).set(place);
    c.get(values, first).i32(bytes).op(I32_MUL, I32_ADD).set(value);
  };
  c.get(starts).memory(I32_LOAD, 0).set(first);
  if (goesOn) find();
  c.while(
    () => c.get(rows),
    () => {
      if (!goesOn) find();
      c.get(starts).memory(I32_LOAD, indexBytes).get(first).op(I32_SUB).set(left);
      c.get(first, left).op(I32_ADD).set(first);
      row({ place, value, left });
      c.get(starts).i32(indexBytes).op(I32_ADD).set(starts);
      c.get(rows).i32(1).op(I32_SUB).set(rows);
    },
  );
}

/**
 * The product with a vector. `unit`: its elements lie one after the other. Its function takes the addresses of the row pointers (of the
 * first row), the indices, the values, the vector and the result, the bytes from one element of the vector to the next, and of the
 * result, the number of rows, and 0.
 */
export function vectorModule(
  lane: FloatLane,
  indexBytes: 4 | 8,
  unit: boolean,
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const { type, bytes, load, store, add, multiply } = INSTRUCTIONS[lane];
  const c = new Code();
  const [starts, places, values, x, into, along, step, rows, none] = Array.from({ length: 9 }, () => c.param(I32)) as [
    ...[number, number, number, number],
    ...[number, number, number, number, number],
  ];
  const sums = Array.from({ length: UNROLLED }, () => c.local(type));
  const zero = (): Code => (lane === 'f64' ? c.f64(0) : c.f32(0));
  eachRow(c, { starts, places, values }, rows, bytes, indexBytes, true, ({ place, value, left }) => {
    const elements = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const sum = sums[i] as number;
        c.get(sum, value).memory(load, i * bytes);
        c.get(x, place).memory(I32_LOAD, i * indexBytes);
        if (unit) c.i32(Math.log2(bytes)).op(I32_SHL);
        else c.get(along).op(I32_MUL);
        c.op(I32_ADD).memory(load, 0);
        c.op(multiply, add).set(sum);
      }
      c.get(place)
        .i32(count * indexBytes)
        .op(I32_ADD)
        .set(place);
      c.get(value)
        .i32(count * bytes)
        .op(I32_ADD)
        .set(value);
      c.get(left).i32(count).op(I32_SUB).set(left);
      leftAsItIs(c, none);
    };
    for (const sum of sums) zero().set(sum);
    c.while(
      () => c.get(left).i32(UNROLLED).op(I32_GE_U),
      () => elements(UNROLLED),
    );
    c.while(
      () => c.get(left),
      () => elements(1),
    );
    const [first, ...others] = sums as [number, ...number[]];
    c.get(into, first);
    for (const sum of others) c.get(sum).op(add);
    c.memory(store, 0);
    c.get(into, step).op(I32_ADD).set(into);
  });
  return moduleBytes({ shared, imports: [], functions: [{ name: 'run', code: c }] });
}

/**
 * The product with a dense matrix whose rows, like those of the result, lie in one piece. Its function takes the addresses of the row pointers,
 * the indices, the values, the matrix and the result, the bytes from one row of the matrix to the next, and of the result, the number
 * of rows, the columns of the matrix, and 0.
 */
export function matrixModule(lane: FloatLane, indexBytes: 4 | 8, shared: boolean): Uint8Array<ArrayBuffer> {
  const own = INSTRUCTIONS[lane];
  const { bytes } = own;
  const c = new Code();
  const [starts, places, values, b, into, bRow, row, rows, columns, none] = Array.from({ length: 10 }, () =>
    c.param(I32),
  ) as [...[number, number, number, number, number], ...[number, number, number, number, number]];
  const [place, value, left, from, to, wanted, at] = Array.from({ length: 7 }, () => c.local(I32)) as [
    ...[number, number, number, number],
    ...[number, number, number],
  ];
  const sums = Array.from({ length: HELD }, () => c.local(V128));
  const factor = c.local(V128);
  const [sum, one] = [c.local(own.type), c.local(own.type)];

  eachRow(c, { starts, places, values }, rows, bytes, indexBytes, false, (cursor) => {
    /** Some columns of the row, as far to the right as all of them are. */
    const some = (width: number, begin: () => void, element: () => void, end: () => void): void => {
      c.while(
        () => c.get(wanted).i32(width).op(I32_GE_U),
        () => {
          begin();
          c.get(cursor.place).set(place).get(cursor.value).set(value).get(cursor.left).set(left);
          c.while(
            () => c.get(left),
            () => {
              c.get(from, place).memory(I32_LOAD, 0).get(bRow).op(I32_MUL, I32_ADD).set(at);
              element();
              c.get(place).i32(indexBytes).op(I32_ADD).set(place);
              c.get(value).i32(bytes).op(I32_ADD).set(value);
              c.get(left).i32(1).op(I32_SUB).set(left);
              leftAsItIs(c, none);
            },
          );
          end();
          for (const pointer of [from, to])
            c.get(pointer)
              .i32(width * bytes)
              .op(I32_ADD)
              .set(pointer);
          c.get(wanted).i32(width).op(I32_SUB).set(wanted);
        },
      );
    };
    const vectors = (count: number): void =>
      some(
        (count * 16) / bytes,
        () => {
          for (const each of sums.slice(0, count)) c.i32(0).simd(0x11).set(each);
        },
        () => {
          c.get(value).simdMemory(own.splat, 0).set(factor);
          for (const [i, each] of sums.slice(0, count).entries()) {
            c.get(each, factor, at)
              .simdMemory(0x00, 16 * i)
              .simd(own.multiplyLanes, own.addLanes)
              .set(each);
          }
        },
        () => {
          for (const [i, each] of sums.slice(0, count).entries()) c.get(to, each).simdMemory(0x0b, 16 * i);
        },
      );
    c.get(b).set(from).get(into).set(to).get(columns).set(wanted);
    vectors(HELD);
    vectors(1);
    some(
      1,
      () => (lane === 'f64' ? c.f64(0) : c.f32(0)).set(sum),
      () => {
        c.get(value).memory(own.load, 0).set(one);
        c.get(sum, one, at).memory(own.load, 0).op(own.multiply, own.add).set(sum);
      },
      () => c.get(to, sum).memory(own.store, 0),
    );
    c.get(into, row).op(I32_ADD).set(into);
  });
  return moduleBytes({ shared, imports: [], functions: [{ name: 'run', code: c }] });
}

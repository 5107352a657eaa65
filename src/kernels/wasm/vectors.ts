import { DTYPES, type DType, kindOf } from '../../nd/index.ts';
import type { ElementOpName } from '../elementwise.ts';
import { type Code, I32, V128 } from './code.ts';
import { constant } from './scalars.ts';

/**
 * Values 16 bytes at a time: as many lanes as elements of the one width that all numbers of a kernel have. A boolean is a mask of that
 * width: all ones, or zeros.
 */

/** The width of the numbers of a kernel, in bytes; undefined if they have several, or there are none. */
export function widthOf(dtypes: Iterable<DType>): number | undefined {
  let width: number | undefined;
  for (const dtype of dtypes) {
    if (dtype === 'bool') continue;
    const { bytes } = DTYPES[dtype];
    if (width !== undefined && width !== bytes) return undefined;
    width = bytes;
  }
  return width;
}

type Lanes = 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64';

const LANES: Readonly<Record<number, Lanes>> = { 1: 'i8', 2: 'i16', 4: 'i32', 8: 'i64' };
const lanesOf = (dtype: DType): Lanes =>
  dtype === 'f32' || dtype === 'f64' ? dtype : (LANES[DTYPES[dtype].bytes] as Lanes);

/** There `f64x2.min` takes eight instructions, for NaN and the signs of zeros; elsewhere one. */
const INTEL = process.arch === 'x64';
const PSEUDO_MIN = { f32: 234, f64: 246 } as const;

const LOAD = 0;
const STORE = 11;
const NOT = 77;
const AND = 78;
const OR = 80;
const XOR = 81;
const SELECT = 82;

/** Single lanes, of the widths that `loadLanes` and `storeLanes` are for. */
const LOAD_ZERO: Readonly<Record<number, number>> = { 4: 92, 8: 93 };
const LOAD_LANE: Readonly<Record<number, number>> = { 4: 86, 8: 87 };
const STORE_LANE: Readonly<Record<number, number>> = { 4: 90, 8: 91 };
const REPLACE_I64 = 30;
const LOAD_SPLAT: Readonly<Record<number, number>> = { 1: 7, 2: 8, 4: 9, 8: 10 };
const SPLAT: Readonly<Record<Lanes, number>> = { i8: 15, i16: 16, i32: 17, i64: 18, f32: 19, f64: 20 };

type Opcodes = Partial<Record<Lanes | 'u8' | 'u16' | 'u32' | 'u64', number>>;

const PLAIN: Partial<Record<ElementOpName, Opcodes>> = {
  add: { i8: 110, i16: 142, i32: 174, i64: 206, f32: 228, f64: 240 },
  subtract: { i8: 113, i16: 145, i32: 177, i64: 209, f32: 229, f64: 241 },
  multiply: { i16: 149, i32: 181, i64: 213, f32: 230, f64: 242 },
  divide: { f32: 231, f64: 243 },
  minimum: { i8: 118, u8: 119, i16: 150, u16: 151, i32: 182, u32: 183, f32: 232, f64: 244 },
  maximum: { i8: 120, u8: 121, i16: 152, u16: 153, i32: 184, u32: 185, f32: 233, f64: 245 },
  abs: { i8: 96, i16: 128, i32: 160, i64: 192, f32: 224, f64: 236 },
  negative: { i8: 97, i16: 129, i32: 161, i64: 193, f32: 225, f64: 237 },
  sqrt: { f32: 227, f64: 239 },
  ceil: { f32: 103, f64: 116 },
  floor: { f32: 104, f64: 117 },
  trunc: { f32: 105, f64: 122 },
  round: { f32: 106, f64: 148 },
  equal: { i8: 35, i16: 45, i32: 55, i64: 214, f32: 65, f64: 71 },
  notEqual: { i8: 36, i16: 46, i32: 56, i64: 215, f32: 66, f64: 72 },
  less: { i8: 37, u8: 38, i16: 47, u16: 48, i32: 57, u32: 58, i64: 216, f32: 67, f64: 73 },
  greater: { i8: 39, u8: 40, i16: 49, u16: 50, i32: 59, u32: 60, i64: 217, f32: 68, f64: 74 },
  lessEqual: { i8: 41, u8: 42, i16: 51, u16: 52, i32: 61, u32: 62, i64: 218, f32: 69, f64: 75 },
  greaterEqual: { i8: 43, u8: 44, i16: 53, u16: 54, i32: 63, u32: 64, i64: 219, f32: 70, f64: 76 },
};

/** Those that are another instruction for unsigned integers, so that none will do where it is missing. */
const SIGNED: ReadonlySet<ElementOpName> = new Set([
  'minimum',
  'maximum',
  'less',
  'greater',
  'lessEqual',
  'greaterEqual',
]);

function opcodeOf(op: ElementOpName, dtype: DType): number | undefined {
  const opcodes = PLAIN[op];
  if (opcodes === undefined || dtype === 'bool') return undefined;
  // What has no sign is what it is.
  if (op === 'abs' && kindOf(dtype) === 'uint') return undefined;
  if (kindOf(dtype) === 'uint' && SIGNED.has(op)) return opcodes[dtype as 'u8'];
  return opcodes[lanesOf(dtype)];
}

/** Leaves the elements at the address on the stack, `width` bytes for each lane. */
export function load(c: Code, dtype: DType, offset: number, width: number): void {
  if (dtype !== 'bool') {
    c.simdMemory(LOAD, offset);
    return;
  }
  // Bytes become lanes, and those that are not 0 become all ones.
  switch (width) {
    case 8:
      loadBytes(c, 2, offset);
      c.simd(137, 169, 201);
      break;
    case 4:
      loadBytes(c, 4, offset);
      c.simd(137, 169);
      break;
    case 2:
      loadBytes(c, 8, offset);
      c.simd(137);
      break;
    default:
      c.simdMemory(LOAD, offset);
  }
  c.i32(0).simd(SPLAT.i32, (PLAIN.notEqual as Opcodes)[LANES[width] as Lanes] as number);
}

function loadBytes(c: Code, bytes: number, offset: number): void {
  if (bytes === 8) c.simdMemory(93, offset);
  else if (bytes === 4) c.simdMemory(92, offset);
  // There is no instruction for two: they come as a number.
  else c.memory(0x2f, offset).simd(SPLAT.i32);
}

/** Stores the lanes in `value` at the address on the stack. */
export function store(c: Code, dtype: DType, offset: number, width: number, value: number): void {
  c.get(value);
  if (dtype !== 'bool') {
    c.simdMemory(STORE, offset);
    return;
  }
  // Masks are narrowed with their sign, so that they stay what they are, and become 1 or 0.
  const narrow16 = 101;
  const narrow32 = 133;
  if (width === 8) {
    // The low half of each lane of 64 bits.
    c.get(value).op(0xfd, 13, 0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11);
  }
  const one = (): Code => c.i32(0x01010101).simd(SPLAT.i32, AND);
  if (width >= 4) twice(c, narrow32);
  if (width >= 2) twice(c, narrow16);
  one();
  if (width === 8) c.laneMemory(89, offset, 0);
  else if (width === 4) c.laneMemory(90, offset, 0);
  else if (width === 2) c.laneMemory(91, offset, 0);
  else c.simdMemory(STORE, offset);
}

/** An instruction of two operands, both of which are what is on the stack. */
function twice(c: Code, opcode: number): void {
  const value = c.local(V128);
  c.tee(value).get(value).simd(opcode);
}

/** One element at the address on the stack, for all lanes. */
export function loadSplat(c: Code, dtype: DType, offset: number, width: number): void {
  if (dtype === 'bool') {
    c.memory(0x2d, offset).op(0x45, 0x45);
    splatMask(c);
  } else c.simdMemory(LOAD_SPLAT[width] as number, offset);
}

/** Elements of different addresses, one for each lane; `address` leaves that of a lane on the stack. Not for booleans. */
export function loadLanes(c: Code, width: number, address: (lane: number) => void): void {
  address(0);
  c.simdMemory(LOAD_ZERO[width] as number, 0);
  const rest = c.local(V128);
  for (let lane = 1; lane < 16 / width; lane++) {
    c.set(rest);
    address(lane);
    c.get(rest).laneMemory(LOAD_LANE[width] as number, 0, lane);
  }
}

/** Stores each lane of a local at an address of its own. */
export function storeLanes(c: Code, width: number, value: number, address: (lane: number) => void): void {
  for (let lane = 0; lane < 16 / width; lane++) {
    address(lane);
    c.get(value).laneMemory(STORE_LANE[width] as number, 0, lane);
  }
}

/** The value on the stack, for all lanes. A boolean is 0 or 1 before. */
export function splat(c: Code, dtype: DType): void {
  if (dtype === 'bool') splatMask(c);
  else c.simd(SPLAT[lanesOf(dtype)]);
}

/** 0 or 1 as a mask. */
function splatMask(c: Code): void {
  const value = c.local(I32);
  // All bits of a negative 1 are set, whatever the width.
  c.set(value).i32(0).get(value).op(0x6b).simd(SPLAT.i32);
}

/** Leaves the constant on the stack, in all lanes. */
export function constantSplat(c: Code, value: number | bigint, dtype: DType): void {
  if (dtype === 'bool') c.i32(value === 0 ? 0 : -1).simd(SPLAT.i32);
  else {
    constant(c, value, dtype);
    splat(c, dtype);
  }
}

/** Leaves 0 and 1 in the lanes of 64 bits. */
export function counting(c: Code): void {
  constantSplat(c, 0n, 'i64');
  c.i64(1n).lane(REPLACE_I64, 1);
}

/** Adds a number to the lanes of 64 bits on the stack. */
export function advanced(c: Code, by: number): void {
  if (by === 0) return;
  constantSplat(c, BigInt(by), 'i64');
  c.simd((PLAIN.add as Opcodes).i64 as number);
}

/** As `apply` of `scalars.ts`, for lanes. `dtype`: of the operands; of booleans the width does not matter. */
export function apply(c: Code, op: ElementOpName, dtype: DType, args: readonly number[]): boolean {
  const [x, y] = args as [number, number];
  if (op === 'minimum' && INTEL && (dtype === 'f32' || dtype === 'f64')) {
    // Each way round: where the two differ, one is NaN, or -0 beside +0.
    const less = PSEUDO_MIN[dtype];
    c.get(x, y).simd(less).get(y, x).simd(less, OR);
    return true;
  }
  const opcode = opcodeOf(op, dtype);
  if (opcode !== undefined) {
    c.get(...args).simd(opcode);
    return true;
  }
  switch (op) {
    case 'minimum':
    case 'maximum':
      // Only this type has a comparison and no instruction for it.
      if (dtype !== 'i64') return false;
      c.get(x, y, x, y).simd(opcodeOf(op === 'minimum' ? 'less' : 'greater', dtype) as number, SELECT);
      return true;
    case 'where':
      c.get(args[1] as number, args[2] as number, x).simd(SELECT);
      return true;
    case 'positive':
      c.get(x);
      return true;
    case 'square':
      return apply(c, 'multiply', dtype, [x, x]);
    case 'logicalNot':
    case 'bitwiseInvert':
      c.get(x).simd(NOT);
      return true;
    case 'logicalAnd':
    case 'bitwiseAnd':
      c.get(x, y).simd(AND);
      return true;
    case 'logicalOr':
    case 'bitwiseOr':
      c.get(x, y).simd(OR);
      return true;
    case 'logicalXor':
    case 'bitwiseXor':
      c.get(x, y).simd(XOR);
      return true;
    case 'equal':
    case 'notEqual':
      // Of booleans: masks are equal where they don't differ.
      c.get(x, y).simd(XOR);
      if (op === 'equal') c.simd(NOT);
      return true;
    default:
      return kindOf(dtype) === 'float' ? ofFloats(c, op, dtype, x, y) : ofIntegers(c, op, x);
  }
}

function ofFloats(c: Code, op: ElementOpName, dtype: DType, x: number, y: number): boolean {
  const is = (name: ElementOpName): number => opcodeOf(name, dtype) as number;
  const put = (value: number): Code => {
    constantSplat(c, value, dtype);
    return c;
  };
  switch (op) {
    case 'reciprocal':
      put(1).get(x).simd(is('divide'));
      return true;
    case 'isNaN':
      c.get(x, x).simd(is('notEqual'));
      return true;
    case 'isInf':
      c.get(x).simd(is('abs'));
      put(Number.POSITIVE_INFINITY).simd(is('equal'));
      return true;
    case 'isFinite':
      c.get(x).simd(is('abs'));
      put(Number.POSITIVE_INFINITY).simd(is('less'));
      return true;
    case 'copysign':
      // A NaN has a bit for its sign, which nobody is to see.
      c.get(x).simd(is('abs'));
      put(-0).get(y).simd(AND).get(y, y).simd(is('equal'), AND, OR);
      return true;
    case 'sign': {
      const one = c.local(V128);
      put(1).set(one);
      c.get(one);
      put(0).get(x).simd(is('less'), AND);
      c.get(one).get(x);
      put(0).simd(is('less'), AND, is('subtract'));
      // A NaN is none of them, and remains.
      c.get(x, x, x).simd(is('equal'), SELECT);
      return true;
    }
    default:
      return false;
  }
}

function ofIntegers(c: Code, op: ElementOpName, x: number): boolean {
  switch (op) {
    case 'abs':
    case 'ceil':
    case 'floor':
    case 'round':
    case 'trunc':
      c.get(x);
      return true;
    case 'isFinite':
      c.i32(-1).simd(SPLAT.i32);
      return true;
    case 'isNaN':
    case 'isInf':
      c.i32(0).simd(SPLAT.i32);
      return true;
    default:
      return false;
  }
}

/** Leaves the local on the stack as lanes of another type of the same width. False when there is no instruction for it. */
export function cast(c: Code, x: number, from: DType, to: DType, width: number): boolean {
  const [fromKind, toKind] = [kindOf(from), kindOf(to)];
  if (to === 'bool' && from !== 'bool') {
    constantSplat(c.get(x), width === 8 && fromKind !== 'float' ? 0n : 0, from);
    c.simd(opcodeOf('notEqual', from) as number);
    return true;
  }
  if (from === 'bool' && to !== 'bool') {
    constantSplat(c.get(x), width === 8 && toKind !== 'float' ? 1n : 1, to);
    c.simd(AND);
    return true;
  }
  if (fromKind === toKind || (fromKind !== 'float' && toKind !== 'float')) {
    c.get(x);
    return true;
  }
  if (width !== 4) return false;
  if (toKind === 'float') c.get(x).simd(fromKind === 'int' ? 250 : 251);
  else c.get(x).simd(toKind === 'int' ? 248 : 249);
  return true;
}

/** Leaves one lane on the stack, as a value by itself. */
export function extract(c: Code, dtype: DType, value: number, lane: number, width: number): void {
  if (dtype === 'bool') {
    // The masks of any width have all their bytes alike.
    c.get(value)
      .lane(22, lane * width)
      .i32(1)
      .op(0x71);
    return;
  }
  const unsignedType = kindOf(dtype) === 'uint' ? 1 : 0;
  const opcode = { i8: 21 + unsignedType, i16: 24 + unsignedType, i32: 27, i64: 29, f32: 31, f64: 33 }[lanesOf(dtype)];
  c.get(value).lane(opcode, lane);
}

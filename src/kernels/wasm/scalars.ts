import { DTYPES, type DType, isBig, kindOf } from '../../nd/index.ts';
import { type ElementOpName, elementOp } from '../elementwise.ts';
import { type Code, F32, F64, I32, I64, type ValueType } from './code.ts';
import * as divisions from './divisions.ts';

/**
 * Values one at a time. Those of 32 bits and less are an i32: signed ones extended by their sign, unsigned ones and booleans by zeros.
 */

export function typeOf(dtype: DType): ValueType {
  if (dtype === 'f64') return F64;
  if (dtype === 'f32') return F32;
  return isBig(dtype) ? I64 : I32;
}

const LOADS: Readonly<Record<DType, number>> = {
  bool: 0x2d,
  i8: 0x2c,
  u8: 0x2d,
  i16: 0x2e,
  u16: 0x2f,
  i32: 0x28,
  u32: 0x28,
  i64: 0x29,
  u64: 0x29,
  f32: 0x2a,
  f64: 0x2b,
};
const STORES: Readonly<Record<DType, number>> = {
  bool: 0x3a,
  i8: 0x3a,
  u8: 0x3a,
  i16: 0x3b,
  u16: 0x3b,
  i32: 0x36,
  u32: 0x36,
  i64: 0x37,
  u64: 0x37,
  f32: 0x38,
  f64: 0x39,
};

export const load = (c: Code, dtype: DType, offset: number): Code => c.memory(LOADS[dtype], offset);
export const store = (c: Code, dtype: DType, offset: number): Code => c.memory(STORES[dtype], offset);

export function constant(c: Code, value: number | bigint, dtype: DType): Code {
  if (dtype === 'f64') return c.f64(value as number);
  if (dtype === 'f32') return c.f32(value as number);
  return isBig(dtype) ? c.i64(value as bigint) : c.i32(value as number);
}

/** Brings what is on the stack into the range of its type. */
function wrap(c: Code, dtype: DType): Code {
  switch (dtype) {
    case 'i8':
      return c.op(0xc0);
    case 'i16':
      return c.op(0xc1);
    case 'u8':
      return c.i32(0xff).op(0x71);
    case 'u16':
      return c.i32(0xffff).op(0x71);
    default:
      return c;
  }
}

/** The opcodes of an operator, for one type of value: floats have no sign bit of their own kind, integers have two. */
interface Opcodes {
  readonly i32?: number;
  readonly i64?: number;
  readonly f32?: number;
  readonly f64?: number;
  /** Where it differs for unsigned integers. */
  readonly u32?: number;
  readonly u64?: number;
}

const PLAIN: Partial<Record<ElementOpName, Opcodes>> = {
  add: { i32: 0x6a, i64: 0x7c, f32: 0x92, f64: 0xa0 },
  subtract: { i32: 0x6b, i64: 0x7d, f32: 0x93, f64: 0xa1 },
  multiply: { i32: 0x6c, i64: 0x7e, f32: 0x94, f64: 0xa2 },
  divide: { f32: 0x95, f64: 0xa3 },
  minimum: { f32: 0x96, f64: 0xa4 },
  maximum: { f32: 0x97, f64: 0xa5 },
  abs: { f32: 0x8b, f64: 0x99 },
  negative: { f32: 0x8c, f64: 0x9a },
  ceil: { f32: 0x8d, f64: 0x9b },
  floor: { f32: 0x8e, f64: 0x9c },
  trunc: { f32: 0x8f, f64: 0x9d },
  round: { f32: 0x90, f64: 0x9e },
  sqrt: { f32: 0x91, f64: 0x9f },
  bitwiseAnd: { i32: 0x71, i64: 0x83 },
  bitwiseOr: { i32: 0x72, i64: 0x84 },
  bitwiseXor: { i32: 0x73, i64: 0x85 },
  logicalAnd: { i32: 0x71 },
  logicalOr: { i32: 0x72 },
  logicalXor: { i32: 0x73 },
  equal: { i32: 0x46, i64: 0x51, f32: 0x5b, f64: 0x61 },
  notEqual: { i32: 0x47, i64: 0x52, f32: 0x5c, f64: 0x62 },
  less: { i32: 0x48, u32: 0x49, i64: 0x53, u64: 0x54, f32: 0x5d, f64: 0x63 },
  greater: { i32: 0x4a, u32: 0x4b, i64: 0x55, u64: 0x56, f32: 0x5e, f64: 0x64 },
  lessEqual: { i32: 0x4c, u32: 0x4d, i64: 0x57, u64: 0x58, f32: 0x5f, f64: 0x65 },
  greaterEqual: { i32: 0x4e, u32: 0x4f, i64: 0x59, u64: 0x5a, f32: 0x60, f64: 0x66 },
};

/** Which of the opcodes serves that type. */
function opcodeOf(opcodes: Opcodes, dtype: DType): number | undefined {
  const { kind } = DTYPES[dtype];
  if (dtype === 'f64' || dtype === 'f32') return opcodes[dtype];
  if (isBig(dtype)) return (kind === 'uint' ? opcodes.u64 : undefined) ?? opcodes.i64;
  return (kind === 'int' ? undefined : opcodes.u32) ?? opcodes.i32;
}

/**
 * Leaves on the stack what the operator gives for the locals `args`, whose type is `dtype`. False, and nothing written, when
 * it is not to be had in a few instructions.
 */
export function apply(c: Code, op: ElementOpName, dtype: DType, args: readonly number[]): boolean {
  const [x, y] = args as [number, number];
  const opcodes = PLAIN[op];
  const opcode = opcodes === undefined ? undefined : opcodeOf(opcodes, dtype);
  if (opcode !== undefined) {
    c.get(...args).op(opcode);
    if (elementOp(op).gives === 'same') wrap(c, dtype);
    return true;
  }
  if (op === 'where') {
    c.get(args[1] as number, args[2] as number, x).op(0x1b);
    return true;
  }
  if (op === 'positive') {
    c.get(x);
    return true;
  }
  if (op === 'square') return apply(c, 'multiply', dtype, [x, x]);
  if (op === 'logicalNot' || (op === 'bitwiseInvert' && dtype === 'bool')) {
    c.get(x).op(0x45);
    return true;
  }
  return kindOf(dtype) === 'float' ? ofFloats(c, op, dtype, x, y) : ofIntegers(c, op, dtype, x, y);
}

function ofFloats(c: Code, op: ElementOpName, dtype: DType, x: number, y: number): boolean {
  const single = dtype === 'f32';
  const put = (value: number): Code => (single ? c.f32(value) : c.f64(value));
  const [subtract, abs, equal, notEqual, less, greater, divide] = single
    ? [0x93, 0x8b, 0x5b, 0x5c, 0x5d, 0x5e, 0x95]
    : [0xa1, 0x99, 0x61, 0x62, 0x63, 0x64, 0xa3];
  switch (op) {
    case 'reciprocal':
      put(1).get(x).op(divide);
      return true;
    case 'copysign':
      // A NaN has a bit for its sign, which nobody is to see.
      c.get(x, y)
        .op(single ? 0x98 : 0xa6)
        .get(x)
        .op(abs)
        .get(y, y)
        .op(equal, 0x1b);
      return true;
    case 'isNaN':
      c.get(x, x).op(notEqual);
      return true;
    case 'isInf':
      put(Number.POSITIVE_INFINITY).get(x).op(abs, equal);
      return true;
    case 'isFinite':
      put(0).get(x, x).op(subtract, equal);
      return true;
    case 'signbit':
      if (single) c.get(x).op(0xbc).i32(0).op(0x48);
      else c.get(x).op(0xbd).i64(0n).op(0x53);
      c.get(x, x).op(equal, 0x71);
      return true;
    case 'sign':
      // 1 - 0, 0 - 1 or 0 - 0 as a number; a NaN is itself.
      put(0).get(x).op(less);
      put(0).get(x).op(greater, 0x6b);
      c.op(single ? 0xb2 : 0xb7).get(x);
      c.get(x, x).op(equal, 0x1b);
      return true;
    default:
      return false;
  }
}

function ofIntegers(c: Code, op: ElementOpName, dtype: DType, x: number, y: number): boolean {
  const big = isBig(dtype);
  const signedType = kindOf(dtype) === 'int';
  const zero = (): Code => (big ? c.i64(0n) : c.i32(0));
  const [subtract, xor, shiftLeft, shiftRight, shiftRightU] = big
    ? [0x7d, 0x85, 0x86, 0x87, 0x88]
    : [0x6b, 0x73, 0x74, 0x75, 0x76];
  const less = big ? (signedType ? 0x53 : 0x54) : signedType ? 0x48 : 0x49;
  const lessU = big ? 0x54 : 0x49;
  const bits = 8 * DTYPES[dtype].bytes;
  switch (op) {
    case 'ceil':
    case 'floor':
    case 'round':
    case 'trunc':
      c.get(x);
      return true;
    case 'isFinite':
      c.i32(1);
      return true;
    case 'isNaN':
    case 'isInf':
      c.i32(0);
      return true;
    case 'negative':
      zero().get(x).op(subtract);
      wrap(c, dtype);
      return true;
    case 'bitwiseInvert':
      if (big) c.get(x).i64(-1n).op(xor);
      else c.get(x).i32(-1).op(xor);
      wrap(c, dtype);
      return true;
    case 'abs':
      if (signedType) {
        zero().get(x).op(subtract);
        wrap(c, dtype);
        c.get(x).get(x);
        zero().op(less, 0x1b);
      } else c.get(x);
      return true;
    case 'sign':
      if (!signedType) {
        zero().get(x).op(less);
      } else {
        zero().get(x).op(less).get(x);
        zero().op(less, 0x6b);
      }
      if (big) c.op(0xac);
      return true;
    case 'minimum':
      c.get(x, y, x, y).op(less, 0x1b);
      return true;
    case 'maximum':
      c.get(y, x, x, y).op(less, 0x1b);
      return true;
    case 'bitwiseLeftShift':
      c.get(x, y).op(shiftLeft);
      wrap(c, dtype);
      zero().get(y);
      if (big) c.i64(BigInt(bits));
      else c.i32(bits);
      // A negative number of bits is a large one without a sign.
      c.op(lessU, 0x1b);
      return true;
    case 'bitwiseRightShift':
      c.get(x, y).op(signedType ? shiftRight : shiftRightU);
      if (signedType) {
        // All ones of a negative number.
        c.get(x);
        if (big) c.i64(63n).op(shiftRight);
        else c.i32(31).op(shiftRight);
      } else zero();
      c.get(y);
      if (big) c.i64(BigInt(bits));
      else c.i32(bits);
      c.op(lessU, 0x1b);
      return true;
    default: {
      const done = divisions.apply(c, op, dtype, x, y);
      if (done) wrap(c, dtype);
      return done;
    }
  }
}

/** Leaves the local `x` on the stack as a value of another type. */
export function cast(c: Code, x: number, from: DType, to: DType): void {
  const [fromKind, toKind] = [kindOf(from), kindOf(to)];
  c.get(x);
  if (from === to) return;
  if (to === 'bool') {
    constant(c, isBig(from) ? 0n : 0, from).op(
      from === 'f64' ? 0x62 : from === 'f32' ? 0x5c : isBig(from) ? 0x52 : 0x47,
    );
  } else if (toKind === 'float') {
    if (from === 'f32') c.op(0xbb);
    else if (from === 'f64') c.op(0xb6);
    else {
      const unsignedType = fromKind !== 'int' ? 1 : 0;
      const first = to === 'f32' ? (isBig(from) ? 0xb4 : 0xb2) : isBig(from) ? 0xb9 : 0xb7;
      c.op(first + unsignedType);
    }
  } else if (fromKind === 'float') {
    const unsignedType = toKind === 'uint' ? 1 : 0;
    c.extended((isBig(to) ? 4 : 0) + (from === 'f64' ? 2 : 0) + unsignedType);
    saturate(c, to);
  } else if (isBig(to)) {
    if (!isBig(from)) c.op(fromKind === 'int' ? 0xac : 0xad);
  } else {
    if (isBig(from)) c.op(0xa7);
    wrap(c, to);
  }
}

/** From the range of 32 bits into that of a smaller type: the nearest that there is. */
function saturate(c: Code, dtype: DType): void {
  const { bytes, min, max, kind } = DTYPES[dtype];
  if (bytes >= 4) return;
  const value = c.local(I32);
  c.set(value);
  if (kind === 'int')
    c.i32(min as number)
      .get(value, value)
      .i32(min as number)
      .op(0x48, 0x1b)
      .set(value);
  c.i32(max as number)
    .get(value, value)
    .i32(max as number)
    .op(kind === 'int' ? 0x4a : 0x4b, 0x1b);
}

import { type DType, isBig, kindOf } from '../../nd/index.ts';
import type { ElementOpName } from '../elementwise.ts';
import { type Code, I32, I64 } from './code.ts';

/** Instructions of integers of one size. */
class Integers {
  readonly code: Code;
  readonly #big: boolean;

  constructor(code: Code, big: boolean) {
    this.code = code;
    this.#big = big;
  }

  local(): number {
    return this.code.local(this.#big ? I64 : I32);
  }

  put(n: number): this {
    if (this.#big) this.code.i64(BigInt(n));
    else this.code.i32(n);
    return this;
  }

  get(...locals: number[]): this {
    this.code.get(...locals);
    return this;
  }

  /** Opcodes of 32 bits; those of 64 are as far from them for all of a kind. */
  op(...opcodes: number[]): this {
    for (const opcode of opcodes) this.code.op(this.#big ? opcode + (opcode >= 0x6a ? 0x12 : 0x0b) : opcode);
    return this;
  }

  set(local: number): this {
    this.code.set(local);
    return this;
  }

  /** Of two values and a condition on the stack. */
  select(): this {
    this.code.op(0x1b);
    return this;
  }
}

const EQ = 0x46;
const NE = 0x47;
const LESS = 0x48;
const LESS_OR_EQUAL_U = 0x4d;
const ADD = 0x6a;
const SUB = 0x6b;
const MUL = 0x6c;
const DIV = 0x6d;
const DIV_U = 0x6e;
const AND = 0x71;
const XOR = 0x73;
const SHIFT_RIGHT_U = 0x76;
/** Of conditions, which have 32 bits whatever they are of. */
const BOTH = 0x71;

/**
 * Leaves on the stack what the operator gives for two integers, not yet brought into the range of its type; false when it is none of
 * these. A division by zero gives zeros, and nothing is divided by -1, since the processor has no room for the negative of the least
 * number.
 */
export function apply(c: Code, op: ElementOpName, dtype: DType, x: number, y: number): boolean {
  const i = new Integers(c, isBig(dtype));
  const signed = kindOf(dtype) === 'int';
  switch (op) {
    case 'floorDivide':
      divide(i, signed, x, y, false);
      return true;
    case 'remainder':
      divide(i, signed, x, y, true);
      return true;
    case 'pow':
      power(i, signed, x, y);
      return true;
    default:
      return false;
  }
}

function divide(i: Integers, signed: boolean, x: number, y: number, rest: boolean): void {
  const [divisor, quotient, left] = [i.local(), i.local(), i.local()];
  i.put(1).get(y);
  if (signed) i.get(y).put(1).op(ADD).put(1).op(LESS_OR_EQUAL_U);
  else i.get(y).put(0).op(EQ);
  i.select().set(divisor);
  i.get(x, divisor)
    .op(signed ? DIV : DIV_U)
    .set(quotient);
  i.get(x, quotient, divisor).op(MUL, SUB).set(left);
  const isDown = (): void => {
    i.get(left).put(0).op(NE).get(x, divisor).op(XOR).put(0).op(LESS).code.op(BOTH);
  };
  if (rest) {
    // By 1, in place of 0 and -1, nothing is left.
    if (signed) {
      i.get(left, divisor).op(ADD).get(left);
      isDown();
      i.select();
    } else i.get(left);
    return;
  }
  i.put(0);
  if (signed) {
    i.put(0).get(x).op(SUB).get(quotient).put(1).op(SUB).get(quotient);
    isDown();
    i.select().get(y).put(-1).op(EQ).select();
  } else i.get(quotient);
  i.get(y).put(0).op(EQ).select();
}

function power(i: Integers, signed: boolean, x: number, y: number): void {
  const [result, base, left] = [i.local(), i.local(), i.local()];
  i.put(1).set(result).get(x).set(base).get(y).set(left);
  i.code.while(
    () => i.get(left).put(0).op(NE),
    () => {
      i.get(result, base).op(MUL).get(result).get(left).put(1).op(AND).put(0).op(NE).select().set(result);
      i.get(base, base).op(MUL).set(base);
      i.get(left).put(1).op(SHIFT_RIGHT_U).set(left);
    },
  );
  if (!signed) {
    i.get(result);
    return;
  }
  // A negative power is a fraction, and 0, except of 1 and -1.
  i.get(x).put(1).get(y).put(1).op(AND).put(0).op(NE).select();
  i.put(0);
  i.get(x).put(1).op(ADD).put(2).op(EQ).get(x).put(-1).op(EQ).code.op(0x72);
  i.select().get(result).get(y).put(0).op(LESS).select();
}

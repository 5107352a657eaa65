import { type DType, kindOf } from '../../nd/index.ts';
import type { ElementOpName } from '../elementwise.ts';
import type { Code } from './code.ts';
import { isInLibrary, nameOf, type Shape, typeOf } from './math/library.ts';
import type { Import } from './module.ts';

const SPLAT_F64 = 20;
const EXTRACT_F64 = 33;
const SPLAT_F32 = 19;
const EXTRACT_F32 = 31;

/** Writes the calls of a kernel's code to functions of the library. */
export class Calls {
  readonly #code: Code;
  readonly #imports: Import[] = [];

  constructor(code: Code) {
    this.#code = code;
  }

  /** Whether there is a function for that operator, on operands of that type. */
  static serve(op: ElementOpName, dtype: DType): boolean {
    return kindOf(dtype) === 'float' && isInLibrary(op);
  }

  /** The functions called, in the order of their numbers. */
  get imports(): readonly Import[] {
    return this.#imports;
  }

  #call(op: ElementOpName, shape: Shape): void {
    const name = nameOf(op, shape);
    let index = this.#imports.findIndex((each) => each.name === name);
    if (index < 0) index = this.#imports.push({ name, type: typeOf(op, shape) }) - 1;
    this.#code.call(index);
  }

  /** Leaves on the stack what it gives for single values, which the locals `args` hold. */
  scalar(op: ElementOpName, dtype: DType, args: readonly number[]): void {
    const single = dtype === 'f32';
    for (const arg of args) this.#code.get(arg).simd(single ? SPLAT_F32 : SPLAT_F64);
    this.#call(op, single ? 'f32x4' : 'f64x2');
    this.#code.lane(single ? EXTRACT_F32 : EXTRACT_F64, 0);
  }

  /** The same for two vectors of each operand, into the locals `results`. */
  lanes(op: ElementOpName, dtype: DType, args: readonly (readonly number[])[], results: readonly number[]): void {
    if (dtype === 'f64') {
      for (const arg of args) this.#code.get(...arg);
      this.#call(op, 'f64x4');
      for (const result of [...results].reverse()) this.#code.set(result);
      return;
    }
    for (const [i, result] of results.entries()) {
      for (const arg of args) this.#code.get(arg[i] as number);
      this.#call(op, 'f32x4');
      this.#code.set(result);
    }
  }
}

import { type DType, kindOf } from '../../nd/index.ts';
import type { ElementOpName } from '../elementwise.ts';
import { type Code, type FunctionType, I32 } from './code.ts';
import { hasPlaces, isInLibrary, nameOf, PLACE, PLACE_TYPE, type Shape, typeOf } from './math/library.ts';
import { MOST_EXPONENTS } from './math/one-power.ts';
import type { Import } from './module.ts';

const SPLAT_F64 = 20;
const EXTRACT_F64 = 33;
const SPLAT_F32 = 19;
const EXTRACT_F32 = 31;

/** Writes the calls of a kernel's code to functions of the library. */
export class Calls {
  readonly #code: Code;
  readonly #imports: Import[] = [];
  #places = 0;

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

  #call(name: string, type: FunctionType): void {
    let index = this.#imports.findIndex((each) => each.name === name);
    if (index < 0) index = this.#imports.push({ name, type }) - 1;
    this.#code.call(index);
  }

  #apply(op: ElementOpName, shape: Shape, place: number | undefined): void {
    const placed = place !== undefined;
    if (placed) this.#code.get(place);
    this.#call(nameOf(op, shape, placed), typeOf(op, shape, placed));
  }

  /**
   * Writes, before all loops, what finds out about the second operand of an operator, which `put` leaves on the stack as a double. Answers the local that
   * is to be given along with each call; undefined where nothing is gained by it, or a kernel has enough of them.
   */
  place(op: ElementOpName, put: () => void): number | undefined {
    if (!hasPlaces(op) || this.#places === MOST_EXPONENTS) return undefined;
    this.#places++;
    const local = this.#code.local(I32);
    put();
    this.#call(PLACE, PLACE_TYPE);
    this.#code.set(local);
    return local;
  }

  /** Leaves on the stack what it gives for single values, which the locals `args` hold. `place`: in place of the second one. */
  scalar(op: ElementOpName, dtype: DType, args: readonly number[], place?: number): void {
    const single = dtype === 'f32';
    for (const arg of place === undefined ? args : args.slice(0, 1)) {
      this.#code.get(arg).simd(single ? SPLAT_F32 : SPLAT_F64);
    }
    this.#apply(op, single ? 'f32x4' : 'f64x2', place);
    this.#code.lane(single ? EXTRACT_F32 : EXTRACT_F64, 0);
  }

  /** The same for two vectors of each operand, into the locals `results`. */
  lanes(
    op: ElementOpName,
    dtype: DType,
    args: readonly (readonly number[])[],
    results: readonly number[],
    place?: number,
  ): void {
    const given = place === undefined ? args : args.slice(0, 1);
    if (dtype === 'f64') {
      for (const arg of given) this.#code.get(...arg);
      this.#apply(op, 'f64x4', place);
      for (const result of [...results].reverse()) this.#code.set(result);
      return;
    }
    for (const [i, result] of results.entries()) {
      for (const arg of given) this.#code.get(arg[i] as number);
      this.#apply(op, 'f32x4', place);
      this.#code.set(result);
    }
  }
}

import { UsageError } from '../../base/index.ts';
import { DTYPES, type DType, type Elements, type Kind, kindOf, type Shape, shapeText } from '../../nd/index.ts';

export interface ArrayType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a routine is told besides its arrays; JSON. */
export type Params = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/** An array that lies row by row, with nothing before it, between or after. */
export interface Dense extends ArrayType {
  readonly elements: Elements;
}

/**
 * Something that is done with whole arrays. What only the data tell, how many different values there are for instance, is the last output, `count`,
 * an i64 without axes; the outputs that it counts have room for as many as there can be, and hold nothing of meaning beyond.
 */
export interface Routine {
  /** Of what types its results are. Throws a UsageError for inputs that it does not take. */
  outputs(inputs: readonly ArrayType[], params: Params): readonly ArrayType[];
  /**
   * Writes all of the outputs, of the types that `outputs` gave. They do not overlap the inputs. `memory`: where all of them lie, if they
   * lie in one; what has WebAssembly for it is faster then. `scratch`: from which byte of it on there is the room that `scratch` wants.
   */
  run(
    inputs: readonly Dense[],
    params: Params,
    outputs: readonly Dense[],
    memory?: WebAssembly.Memory,
    scratch?: number,
  ): void;
  /** Bytes beside them, in the same memory, with which it is faster. */
  scratch?(inputs: readonly ArrayType[], params: Params): number;
}

/** An input whose type has to be of these kinds. */
export function ofKind(operation: string, { dtype }: ArrayType, kinds: readonly Kind[]): void {
  if (kinds.includes(kindOf(dtype))) return;
  const fitting = (Object.keys(DTYPES) as DType[]).filter((name) => kinds.includes(kindOf(name)));
  throw new UsageError(`${operation} is not for ${dtype}; convert it to one of ${fitting.join(', ')}`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation, dtype },
  });
}

export function sameType(operation: string, a: ArrayType, b: ArrayType): void {
  if (a.dtype === b.dtype) return;
  throw new UsageError(`${operation} wants one element type, and has ${a.dtype} and ${b.dtype}; convert one of them`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation, dtypes: [a.dtype, b.dtype] },
  });
}

export const shapeError = (operation: string, message: string, ...shapes: Shape[]): UsageError =>
  new UsageError(
    `${operation}: ${message}; the shape${shapes.length > 1 ? 's are' : ' is'} ${shapes.map(shapeText).join(' and ')}`,
    {
      code: 'ERR_SHEAF_SHAPE',
      details: { operation, shapes: shapes.map((shape) => [...shape]) },
    },
  );

/** An axis as the lines along it: `outer` times `inner` of them, whose elements are `inner` apart. */
export interface Lines {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

export function linesOf(shape: Shape, axis: number): Lines {
  let [outer, inner] = [1, 1];
  for (const [i, length] of shape.entries()) {
    if (i < axis) outer *= length;
    else if (i > axis) inner *= length;
  }
  return { outer, length: shape[axis] as number, inner };
}

export const COUNT: ArrayType = { shape: [], dtype: 'i64' };

/** Numbers below 2**32 as elements of an i64, without a bigint for each. */
export function asWords({ elements }: Dense): Uint32Array {
  return new Uint32Array(elements.buffer, elements.byteOffset, 2 * elements.length);
}

export function putCount(into: Dense, count: number): void {
  into.elements[0] = BigInt(count) as never;
}

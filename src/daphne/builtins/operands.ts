/** What built-ins ask of their arguments, at compile time and at run time. */

import { type Arr, any } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import { canonical } from '../program/integers.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type MatrixType, type Type, typeName, type ValueType } from '../types.ts';
import { stringsOf } from '../values/texts.ts';
import type { DataObject, DenseMatrix, Frame, Integer, MaybeLater, Scalar, StringMatrix } from '../values/values.ts';
import { type CallToInfer, type RunArgument, RunError, type Site } from './builtin.ts';

/** A length, if it is known. */
export type Length = number | undefined;
export type NumericType = Exclude<ValueType, 'str'>;
/** Matrices as built-ins get them that take no sparse ones. */
export type FullMatrix = DenseMatrix | StringMatrix;

/** `1 row`, `3 columns`: lengths for people. */
export const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

const DATA: Readonly<Record<Type['data'], string>> = {
  scalar: 'a scalar',
  matrix: 'a matrix',
  frame: 'a frame',
  list: 'a list',
};
export const dataName = (type: Type): string => DATA[type.data];

/** The argument's type, which has to be a matrix. */
export function matrixArgument(call: CallToInfer, name: string, at: number): MatrixType {
  const { type } = call.args[at]!;
  return type.data === 'matrix'
    ? type
    : call.fail('parser', `${name} takes a matrix here, and this is ${dataName(type)}`, at);
}

export const isMatrix = (value: RunArgument): value is FullMatrix =>
  typeof value === 'object' && (value.kind === 'dense' || value.kind === 'strings');
export const isFrame = (value: RunArgument): value is Frame => typeof value === 'object' && value.kind === 'frame';
const isObject = (value: RunArgument): value is DataObject => typeof value === 'object';

/** An argument that the compiler has seen to be a matrix. */
export function matrixOf(value: RunArgument): FullMatrix {
  if (isMatrix(value)) return value;
  throw new RunError('a matrix is wanted here');
}

/** The value type of an argument: of a data object its own one, which the compiler need not have known. */
export function valueTypeOf(value: RunArgument, type: Type | undefined): ValueType {
  if (isMatrix(value)) return value.value;
  if (type?.data === 'scalar') return type.value;
  throw new RunError('a scalar or a matrix is wanted here');
}

/** An element of an array as scalars are. */
export const scalarOfElement = (element: number | bigint, value: ValueType): Scalar =>
  value === 'bool' ? element !== 0 : typeof element === 'bigint' ? canonical(element) : element;

/** The only element of an array as a scalar. */
export const soleElement = (runtime: Runtime, array: Arr, value: NumericType): MaybeLater<Scalar> =>
  then(runtime.computed([array]), ([elements]) => scalarOfElement((elements as Elements)[0]!, value));

/** An argument that is a scalar, or a matrix or frame with one cell, as a scalar of the type. */
export function scalarArgument(
  runtime: Runtime,
  site: Site,
  args: readonly RunArgument[],
  at: number,
  to: ValueType,
): MaybeLater<Scalar> {
  const value = args[at];
  if (value === undefined || typeof value === 'function') throw new RunError('a scalar is wanted here');
  return isObject(value)
    ? soleCell(runtime, value, to)
    : scalarCast(valueTypeOf(value, site.args[at]), to)(value as Scalar);
}

/** The one cell of a matrix or frame that has one. */
export function soleCell(runtime: Runtime, value: DataObject, to: ValueType | undefined): MaybeLater<Scalar> {
  if (value.kind === 'list') throw new RunError('a list is no scalar');
  const columns = value.kind === 'frame' ? value.columns.length : value.columns;
  if (value.rows !== 1 || columns !== 1) {
    throw new RunError(`one cell only is a scalar, and this has ${value.rows}x${columns}`);
  }
  const cast = (cell: Scalar, from: ValueType): Scalar => (to === undefined ? cell : scalarCast(from, to)(cell));
  if (value.kind === 'frame') {
    const column = value.columns[0]!;
    const { value: own, cells } = column;
    return cast(own === 'str' ? stringsOf(cells)[0]! : scalarOfElement(cells[0]!, own), own);
  }
  return then(runtime.dense(value), (full) => {
    if (full.kind === 'strings') return cast(full.cells[0]!, 'str');
    return then(soleElement(runtime, full.array, full.value), (cell) => cast(cell, full.value));
  });
}

/** The same as an integer; floats lose their fraction. */
export const integerArgument = (
  runtime: Runtime,
  site: Site,
  args: readonly RunArgument[],
  at: number,
): MaybeLater<Integer> => scalarArgument(runtime, site, args, at, 'si64') as MaybeLater<Integer>;

/** A length that is given. */
export const lengthArgument = (
  runtime: Runtime,
  site: Site,
  args: readonly RunArgument[],
  at: number,
  what: string,
): MaybeLater<number> =>
  then(integerArgument(runtime, site, args, at), (value) => {
    if (typeof value === 'number' && value >= 0) return value;
    throw new RunError(`${what} cannot be ${value}`);
  });

/** An integer that the compiler knows. Numbers, and matrices with one of them, can be integers; fails for all else. */
export function constantInteger(call: CallToInfer, at: number): Integer | undefined {
  const argument = call.args[at];
  if (argument === undefined) return undefined;
  const { type, constant } = argument;
  if ((type.data !== 'scalar' && type.data !== 'matrix') || type.value === 'str')
    return call.fail('parser', `this has to be a number, and is ${typeName(type)}`, at);
  if (constant === undefined || type.data !== 'scalar') return undefined;
  return scalarCast(type.value, 'si64')(constant) as Integer;
}

/** A length that the compiler may know; what can be none fails when it is run. */
export function constantLength(call: CallToInfer, at: number): Length {
  const value = constantInteger(call, at);
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

/**
 * A matrix that is only good if `bad` holds nowhere. That is found out together with its elements, in one go over what it is made of, and when the
 * script is there: a failure belongs to the call, whether or not somebody looks at the result.
 */
export function checkedMatrix(
  runtime: Runtime,
  array: Arr,
  value: NumericType,
  bad: Arr | undefined,
  message: string,
): MaybeLater<DenseMatrix> {
  if (bad === undefined) return runtime.matrix(array, value);
  return then(runtime.computed([array, any(bad)]), ([, found]) => {
    if ((found as Elements)[0] !== 0) throw new RunError(message);
    return runtime.matrix(array, value);
  });
}

/** Cells of a matrix as they are strings. */
export function textsOf(runtime: Runtime, matrix: FullMatrix): MaybeLater<readonly string[]> {
  if (matrix.kind === 'strings') return matrix.cells;
  const cast = scalarCast(matrix.value, 'str');
  return then(runtime.elements(matrix), (elements) =>
    Array.from(elements as ArrayLike<number | bigint>, (each) => cast(scalarOfElement(each, matrix.value)) as string),
  );
}

/** Several of those at once. */
export const allTexts = (
  runtime: Runtime,
  matrices: readonly FullMatrix[],
): MaybeLater<readonly (readonly string[])[]> =>
  all(
    matrices.map((each) => textsOf(runtime, each)),
    (texts) => texts,
  );

export const strings = (cells: readonly string[], rows: number, columns: number): StringMatrix => ({
  kind: 'strings',
  value: 'str',
  rows,
  columns,
  cells,
});

/**
 * What built-ins want of their arguments. `want...` are for the compiler: what is of the wrong type ends the compilation. The others are for
 * the run: they turn what is given into what JavaScript computes with, and throw a RunError where its value is none that can be used.
 */

import type { Elements } from '../../nd/index.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { generalText } from '../text/numbers.ts';
import { isFloat, isWide, type MatrixType, type Type, typeName, type ValueType } from '../types.ts';
import { type DataObject, isDataObject, type Matrix, type MaybeLater, type Scalar } from '../values/values.ts';
import { type CallToInfer, type RunArgument, RunError, type ScriptFunction } from './builtin.ts';

const typeOf = (call: CallToInfer, at: number): Type => call.args[at]!.type;

function wrong(call: CallToInfer, at: number, wanted: string): never {
  return call.fail('parser', `argument ${at + 1} is ${typeName(typeOf(call, at))}, and not ${wanted}`, at);
}

export function wantMatrix(call: CallToInfer, at: number): MatrixType {
  const type = typeOf(call, at);
  return type.data === 'matrix' ? type : wrong(call, at, 'a matrix');
}

export function wantNumbers(call: CallToInfer, at: number): MatrixType {
  const type = typeOf(call, at);
  return type.data === 'matrix' && type.value !== 'str' ? type : wrong(call, at, 'a matrix of numbers');
}

/** A scalar that is no string. */
export function wantNumber(call: CallToInfer, at: number): ValueType {
  const type = typeOf(call, at);
  return type.data === 'scalar' && type.value !== 'str' ? type.value : wrong(call, at, 'a number');
}

export function wantScalar(call: CallToInfer, at: number): ValueType {
  const type = typeOf(call, at);
  return type.data === 'scalar' ? type.value : wrong(call, at, 'a scalar');
}

export function wantText(call: CallToInfer, at: number): string | undefined {
  const type = typeOf(call, at);
  if (type.data !== 'scalar' || type.value !== 'str') return wrong(call, at, 'a string');
  const { constant } = call.args[at]!;
  return typeof constant === 'string' ? constant : undefined;
}

/** What counts as a bool: a number, or a matrix of one. */
export function wantFlag(call: CallToInfer, at: number): boolean | undefined {
  const type = typeOf(call, at);
  if (type.data === 'matrix' && type.value !== 'str') return undefined;
  wantNumber(call, at);
  const { constant } = call.args[at]!;
  return constant === undefined ? undefined : Number(constant) !== 0;
}

/** The value of a number that is known; floats lose what is behind the point. Undefined: it is not known. */
export function knownNumber(call: CallToInfer, at: number): number | undefined {
  const constant = call.args[at]?.constant;
  return constant === undefined || typeof constant === 'string' ? undefined : Math.trunc(Number(constant));
}

/** A number of rows, or the like. */
export function wantSize(call: CallToInfer, at: number): number | undefined {
  wantNumber(call, at);
  const size = knownNumber(call, at);
  // What is none is told when the script runs.
  return size !== undefined && size >= 0 && size <= Number.MAX_SAFE_INTEGER ? size : undefined;
}

/** Whether lengths fit together is asked when they are there, as DAPHNE does in all of these built-ins. */
export function checkSame(a: number, b: number, message: (a: number, b: number) => string): void {
  if (a !== b) throw new RunError(message(a, b));
}

/** The name of a parameter in messages. */
export function sizeOf(value: RunArgument, what: string): number {
  const size = integerOf(value, what);
  if (size >= 0) return size;
  throw new RunError(`${what} is ${size}, and has to be a size, from 0 on`);
}

export function integerOf(value: RunArgument, what: string): number {
  const size = Math.trunc(Number(value));
  if (Number.isSafeInteger(size)) return size;
  throw new RunError(`${what} is ${told(value)}, which is too large, or no number`);
}

/** A number in a message: `nan` and `inf`, as scripts have them. */
export const told = (value: RunArgument): string =>
  typeof value === 'number' && !Number.isFinite(value) ? generalText(value) : String(value);

/** A seed: 64 bits. */
export const bigOf = (value: RunArgument): bigint =>
  typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)) || 0);

export function flagOf(runtime: Runtime, value: RunArgument): MaybeLater<boolean> {
  if (!isObject(value)) return Number(value) !== 0;
  const matrix = matrixOf(value);
  if (matrix.rows !== 1 || matrix.columns !== 1)
    throw new RunError(`a matrix of ${matrix.rows}x${matrix.columns} is no bool; only one of 1x1 is`);
  return then(elementsOf(runtime, matrix), (elements) => Number(elements[0]) !== 0);
}

const isObject = (value: RunArgument): value is DataObject =>
  value !== undefined && typeof value !== 'function' && isDataObject(value);

export const matrixOf = (value: RunArgument): Matrix => value as Matrix;
export const textOf = (value: RunArgument): string => value as string;
export const scalarOf = (value: RunArgument): Scalar => value as Scalar;
export const functionOf = (value: RunArgument): ScriptFunction => value as ScriptFunction;

/** All elements of a matrix of numbers, row by row. */
export function elementsOf(runtime: Runtime, matrix: Matrix): MaybeLater<Elements> {
  if (matrix.kind === 'strings') throw new RunError('a matrix of strings has no numbers');
  return then(runtime.dense(matrix), (dense) => {
    if (dense.kind === 'strings') throw new RunError('a matrix of strings has no numbers');
    return runtime.elements(dense);
  });
}

/** Elements of a matrix as scalars have them: integers of 64 bits as numbers where those are exact. */
export function scalarReader(value: ValueType, elements: Elements): (at: number) => Scalar {
  if (value === 'bool') return (at) => elements[at] !== 0;
  if (!isWide(value)) return (at) => elements[at] as number;
  return (at) => narrowed(elements[at] as bigint);
}

export function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A scalar as an element of a type: what does not fit wraps around, as in C. */
export function elementOf(value: ValueType, scalar: Scalar): number | bigint {
  if (isWide(value)) {
    const exact = typeof scalar === 'bigint' ? scalar : BigInt(Math.trunc(Number(scalar)) || 0);
    return value === 'si64' ? BigInt.asIntN(64, exact) : BigInt.asUintN(64, exact);
  }
  if (value === 'bool') return Number(scalar) !== 0 ? 1 : 0;
  if (isFloat(value)) return Number(scalar);
  return typeof scalar === 'bigint' ? Number(BigInt.asIntN(32, scalar)) : Math.trunc(Number(scalar));
}

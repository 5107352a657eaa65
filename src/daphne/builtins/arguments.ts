/** What the checks of several built-ins have in common. */

import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type FrameType, type MatrixType, typeName } from '../types.ts';
import type { MaybeLater } from '../values/values.ts';
import { type CallToInfer, type RunArgument, RunError } from './builtin.ts';

/** The frame that an argument has to be. */
export function frameArgument(call: CallToInfer, index: number): FrameType {
  const { type } = call.args[index]!;
  return type.data === 'frame' ? type : wrong(call, index, 'a frame');
}

/** The matrix that an argument has to be. */
export function matrixArgument(call: CallToInfer, index: number): MatrixType {
  const { type } = call.args[index]!;
  return type.data === 'matrix' ? type : wrong(call, index, 'a matrix');
}

/** The string that an argument has to be; undefined if the compiler does not know which one. */
export function stringArgument(call: CallToInfer, index: number): string | undefined {
  const { type, constant } = call.args[index]!;
  if (type.data !== 'scalar' || type.value !== 'str') wrong(call, index, 'a string');
  return constant as string | undefined;
}

/** The integer that an argument has to be; undefined if the compiler does not know which one. */
export function integerArgument(call: CallToInfer, index: number): number | undefined {
  const { type, constant } = call.args[index]!;
  if (type.data !== 'scalar' || type.value === 'str') wrong(call, index, 'an integer');
  return constant === undefined ? undefined : Math.trunc(Number(constant));
}

/** Scalars, and matrices of one element, may be conditions. */
export function conditionArgument(call: CallToInfer, index: number): void {
  const argument = call.args[index];
  if (argument === undefined) return;
  const { type } = argument;
  const fits =
    type.data === 'scalar' || (type.data === 'matrix' && (type.rows ?? 1) === 1 && (type.columns ?? 1) === 1);
  if (!fits || type.value === 'str') wrong(call, index, 'a bool');
}

export const wrong = (call: CallToInfer, index: number, wanted: string): never =>
  call.fail('parser', `this has to be ${wanted}, and is ${typeName(call.args[index]!.type)}`, index);

/** A condition at run time. */
export function truth(runtime: Runtime, given: RunArgument, otherwise: boolean): MaybeLater<boolean> {
  if (given === undefined) return otherwise;
  if (typeof given !== 'object') return Boolean(given);
  if (given.kind !== 'dense' || given.rows !== 1 || given.columns !== 1) throw new RunError('a condition is one value');
  return then(runtime.elements(given), ([value]) => Boolean(value));
}

import { applied, type ElementOpName, elementOp } from '../../kernels/index.ts';
import { isBig, promoted, scalarAs, shapeText } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import type { Arr } from '../arr.ts';
import { wrap } from '../lazy.ts';
import { apply, cast, checkKind, constantOf, elementOf } from '../operations.ts';
import { call } from '../routines.ts';
import type { Value } from '../types.ts';
import { reshaped } from '../views.ts';
import { toDense } from './convert.ts';
import { arraysOf, fillsUp, made, misfit, type Parts, roomOf, shapeOf, typed, withValues } from './parts.ts';

const zeroOf = ({ dtype }: Parts): number | bigint => (isBig(dtype) ? 0n : 0);

const isZero = (x: number | bigint): boolean => x === 0 || x === 0n;

/** A function of each element, which leaves 0 what is 0. */
export function each(name: ElementOpName, s: Parts, operation: string): Parts {
  const values = apply(name, [s.values], operation);
  const zero = applied(elementOp(name), s.dtype, [zeroOf(s)]);
  if (!isZero(zero)) throw fillsUp(operation, `of 0 it gives ${zero}`);
  return withValues(s, values);
}

/** The same of each element and one value. */
export function withScalar(name: ElementOpName, s: Parts, value: Value, operation: string): Parts {
  const own = scalarAs(operation, value, s.dtype);
  const values = apply(name, [s.values, constantOf(own, [], s.dtype)], operation);
  const zero = applied(elementOp(name), s.dtype, [zeroOf(s), own]);
  if (!isZero(zero)) throw fillsUp(operation, `of 0 and ${String(value)} it gives ${zero}`);
  return withValues(s, values);
}

/** Of each two elements of two matrices. What becomes 0 is not there any more. */
export function withSparse(name: ElementOpName, x: Parts, y: Parts, operation: string): Parts {
  if (x.rows !== y.rows || x.columns !== y.columns)
    throw misfit(operation, 'two sparse matrices have to have the same', shapeOf(x), shapeOf(y));
  const dtype = promoted(operation, [x.dtype, y.dtype]);
  const [a, b] = [typed(x, dtype), typed(y, dtype)];
  checkKind(operation, dtype, elementOp(name).takes);
  const zero = applied(elementOp(name), dtype, [zeroOf(a), zeroOf(a)]);
  if (!isZero(zero)) throw fillsUp(operation, `of two zeros it gives ${zero}`);
  const type = { dtype, room: roomOf(a) + roomOf(b), count: undefined, counts: true };
  return made('csrCombine', [...arraysOf(a), ...arraysOf(b)], { op: name, columns: a.columns }, shapeOf(a), type);
}

/** Multiplied with, or divided by, a dense array that stretches to the matrix. What is not there stays 0. */
export function scaled(name: 'multiply' | 'divide', s: Parts, y: Node, operation: string): Parts {
  const dtype = promoted(operation, [s.dtype, y.dtype]);
  checkKind(operation, dtype, elementOp(name).takes);
  const shape = shapeOf(s);
  const own = [...new Array<number>(Math.max(0, 2 - y.shape.length)).fill(1), ...y.shape];
  if (own.length > 2 || own.some((length, axis) => length !== 1 && length !== shape[axis])) {
    throw misfit(
      operation,
      `${shapeText(y.shape)} can't be stretched to the sparse matrix; axes have to be equal, or 1`,
      shape,
      y.shape,
    );
  }
  const a = typed(s, dtype);
  const args = [...arraysOf(a), reshaped(cast(y, dtype), own)];
  const output = { shape: a.values.shape, dtype };
  return withValues(a, call('csrScale', args, { op: name, columns: a.columns }, [output])[0] as Node);
}

/** Beside a dense array, all elements of which are there. */
export const denseOf = (name: ElementOpName, s: Parts, y: Arr, operation: string): Arr =>
  elementOf(name, operation)(wrap(toDense(s)), y);

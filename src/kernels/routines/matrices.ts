import { UsageError } from '../../base/index.ts';
import { broadcastShapes, broadcastStrides, type DType, rowMajor, type Shape, sizeOf } from '../../nd/index.ts';
import { type ArrayType, type Dense, ofKind, shapeError } from './routine.ts';

/** The last two axes of an array, and how many such matrices there are. */
export interface Stack {
  readonly m: number;
  readonly n: number;
  readonly batch: Shape;
}

/** Checks that it is made of floats and has matrices. */
export function stackOf(operation: string, x: ArrayType): Stack {
  ofKind(operation, x, ['float']);
  if (x.shape.length < 2) throw shapeError(operation, 'matrices are needed, so at least two axes', x.shape);
  const [m, n] = x.shape.slice(-2) as [number, number];
  return { m, n, batch: x.shape.slice(0, -2) };
}

export function squareStack(operation: string, x: ArrayType): Stack {
  const stack = stackOf(operation, x);
  if (stack.m !== stack.n) throw shapeError(operation, 'square matrices are needed', x.shape);
  return stack;
}

/** The elements of one of the matrices as doubles of their own, to be written over. */
export function matrixAt({ elements }: Dense, size: number, at: number): Float64Array {
  return Float64Array.from(elements.subarray(at * size, (at + 1) * size) as Float64Array);
}

/** Writes it where it belongs, rounded to the type of the result. */
export function putMatrix({ elements }: Dense, size: number, at: number, from: Float64Array): void {
  (elements as Float64Array).set(from, at * size);
}

/** Which matrix of each of two stacks belong together, in the order of the result. */
export function* pairs(operation: string, a: Shape, b: Shape): Generator<readonly [number, number, number]> {
  const batch = broadcastShapes(operation, [a, b]);
  const steps = [a, b].map((shape) => broadcastStrides(shape, rowMajor(shape), batch));
  const point = batch.map(() => 0);
  for (let to = 0, count = sizeOf(batch); to < count; to++) {
    const [x, y] = steps.map((own) => own.reduce((at, step, axis) => at + step * (point[axis] as number), 0));
    yield [x as number, y as number, to];
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      point[axis]!++;
      if ((point[axis] as number) < (batch[axis] as number)) break;
      point[axis] = 0;
    }
  }
}

/** What a matrix does not allow. `at`: which one of the stack, counted in the order of rows. */
export function matrixError(operation: string, why: string, advice: string, { batch }: Stack, at: number): UsageError {
  const which = batch.length === 0 ? 'the matrix' : `matrix ${at} of ${sizeOf(batch)}`;
  return new UsageError(`${operation}: ${which} ${why}; ${advice}`, {
    code: 'ERR_SHEAF_MATRIX',
    details: { operation, matrix: at, why },
  });
}

/** Refuses NaNs and infinities, with which iterations do not come to an end. */
export function finite(operation: string, a: Float64Array, stack: Stack, at: number): void {
  if (a.every(Number.isFinite)) return;
  throw matrixError(operation, 'has elements that are not finite', 'replace them first', stack, at);
}

/** How far two floats next to each other are apart, at 1. */
export const epsilonOf = (dtype: DType): number => (dtype === 'f32' ? 2 ** -23 : 2 ** -52);

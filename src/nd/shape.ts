import { shown, UsageError } from '../base/index.ts';

/** The lengths of an array's axes. `[]` has one element. */
export type Shape = readonly number[];

/** How many elements there are. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** Of an array that lies row by row: how many elements it is from one to the next along each axis. */
export function rowMajor(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/** `3 x 4`, for messages; a single number is `a scalar`. */
export const shapeText = (shape: Shape): string => (shape.length === 0 ? 'a scalar' : shape.join(' x '));

/**
 * The shape that arrays of these shapes have together: axes are counted from the last one, and one of length 1 stretches.
 * Throws a UsageError (ERR_SHEAF_SHAPE) that shows the shapes.
 */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const skipped = rank - shape.length;
    for (const [axis, length] of shape.entries()) {
      const at = skipped + axis;
      if (length === 1) continue;
      if (result[at] === 1) result[at] = length;
      else if (result[at] !== length) throw unlike(operation, shapes, at - rank);
    }
  }
  return result;
}

function unlike(operation: string, shapes: readonly Shape[], axis: number): UsageError {
  const lengths = new Set(shapes.map((shape) => shape.at(axis)).filter((n) => n !== undefined && n !== 1));
  return new UsageError(
    `${operation}: the shapes ${shapes.map(shapeText).join(' and ')} don't fit together: axis ${axis} has the lengths ` +
      `${[...lengths].join(' and ')}; they have to be equal, or one of them 1`,
    { code: 'ERR_SHEAF_SHAPE', details: { operation, shapes: shapes.map((shape) => [...shape]) } },
  );
}

/** The strides of an array seen in a larger shape that it broadcasts to: 0 along the axes that it stretches over. */
export function broadcastStrides(shape: Shape, strides: readonly number[], to: Shape): number[] {
  const skipped = to.length - shape.length;
  return to.map((_, axis) => {
    const own = axis - skipped;
    return own < 0 || shape[own] === 1 ? 0 : (strides[own] as number);
  });
}

/** An axis counted from the front; negative ones count from the end. Throws a UsageError (ERR_SHEAF_AXIS). */
export function axisOf(operation: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  const given = typeof axis === 'number' ? `there is no axis ${axis} in` : `${shown(axis)} is no axis of`;
  const text =
    rank === 0
      ? `${given} a scalar, which has no axes`
      : `${given} the shape ${shapeText(shape)}; give ${-rank} to ${rank - 1}`;
  throw new UsageError(`${operation}: ${text}`, {
    code: 'ERR_SHEAF_AXIS',
    details: { operation, axis: typeof axis === 'number' ? axis : shown(axis), shape: [...shape] },
  });
}

/** Several axes as they were given, one of them alone as well. Throws a UsageError (ERR_SHEAF_AXIS) for what is neither. */
export function axisList(operation: string, axes: number | readonly number[], shape: Shape): readonly number[] {
  if (typeof axes === 'number') return [axes];
  if (Array.isArray(axes)) return axes as readonly number[];
  throw new UsageError(
    `${operation}: axes are ${shown(axes)}; give a number, or a list of numbers, that name axes of the shape ${shapeText(shape)}`,
    { code: 'ERR_SHEAF_AXIS', details: { operation, axes: shown(axes), shape: [...shape] } },
  );
}

/** Several axes, in ascending order; undefined: all of them. Naming one twice is a UsageError (ERR_SHEAF_AXIS). */
export function axesOf(operation: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis);
  const found = axisList(operation, axes, shape).map((axis) => axisOf(operation, axis, shape));
  const twice = found.find((axis, i) => found.indexOf(axis) !== i);
  if (twice !== undefined) {
    throw new UsageError(`${operation}: axis ${twice} is named twice; name each axis once`, {
      code: 'ERR_SHEAF_AXIS',
      details: { operation, axes: [...(axes as readonly number[])], shape: [...shape] },
    });
  }
  return found.sort((a, b) => a - b);
}

/** A rectangle of elements: `start` is its first one, `shape` how many along each axis. */
export interface Box {
  /** Of the first element, one number for each axis. */
  readonly start: readonly number[];
  /** How many elements along each axis. */
  readonly shape: readonly number[];
}

export const isEmpty = ({ shape }: Box): boolean => shape.includes(0);

/** `0:4, 2:8`, for messages; that of a scalar is `()`. */
export function boxText({ start, shape }: Box): string {
  if (start.length === 0) return '()';
  return start.map((from, axis) => `${from}:${from + (shape[axis] as number)}`).join(', ');
}

/** Whether all elements of `inner` lie in a container of this shape. */
export function fitsInto(inner: Box, shape: readonly number[]): boolean {
  return (
    inner.start.length === shape.length &&
    inner.shape.length === shape.length &&
    shape.every((length, axis) => {
      const [from, extent] = [inner.start[axis], inner.shape[axis]];
      if (!Number.isSafeInteger(from) || !Number.isSafeInteger(extent)) return false;
      return (from as number) >= 0 && (extent as number) >= 0 && (from as number) + (extent as number) <= length;
    })
  );
}

/** What two boxes have in common; undefined where that is nothing. */
export function intersection(a: Box, b: Box): Box | undefined {
  const start: number[] = [];
  const shape: number[] = [];
  for (let axis = 0; axis < a.start.length; axis++) {
    const [p, q] = [a.start[axis] as number, b.start[axis] as number];
    const from = Math.max(p, q);
    const extent = Math.min(p + (a.shape[axis] as number), q + (b.shape[axis] as number)) - from;
    if (extent <= 0) return undefined;
    start.push(from);
    shape.push(extent);
  }
  return { start, shape };
}

/** The same box seen from another origin. */
export function seenFrom(box: Box, origin: readonly number[]): Box {
  return { start: box.start.map((from, axis) => from - (origin[axis] as number)), shape: box.shape };
}

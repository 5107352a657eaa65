import { UsageError } from '../base/index.ts';
import { type Shape, shapeText } from '../nd/index.ts';

/** Whose indices `take` has, for what is said of one that there is not. */
export interface GivenIndices {
  readonly operation: string;
  /** The shape that they are for, and which of its axes. */
  readonly shape: Shape;
  readonly axes: readonly number[];
  /** Those outside of their axis are numbers as `MISSING` makes them, since all others are places in several axes together. */
  readonly coded?: true;
}

/**
 * How an index that there is not goes through numbers that mean something else: in the lowest bits the index, above them which of several axes it is
 * for, and the sign, so that it is always below 0. Of an index with more bits the lowest ones are left.
 */
export const MISSING = {
  bits: 56,
  of: (which: number): bigint => BigInt.asIntN(64, (1n << 63n) | (BigInt(which) << BigInt(MISSING.bits))),
} as const;

/** The axis and the index that a number below 0 or beyond the end stands for, which counts from the front. */
function meant(found: bigint, length: number, { axes, coded }: GivenIndices): { index: bigint; axis: number } {
  if (!coded) return { index: found < 0n ? found - BigInt(length) : found, axis: axes[0] as number };
  const which = BigInt.asUintN(63, found) >> BigInt(MISSING.bits);
  return { index: BigInt.asIntN(MISSING.bits, found), axis: axes[Number(which)] as number };
}

/** An index that an array has no element for. `of`: whose it is; otherwise it counts from the front alone. */
export function noSuchIndex(found: bigint, length: number, of: GivenIndices | undefined): UsageError {
  if (of === undefined) {
    return new UsageError(
      `take: there is no index ${found} along an axis of length ${length}; ${length === 0 ? 'it is empty' : `give 0 to ${length - 1}`}`,
      { code: 'ERR_SHEAF_INDEX', details: { operation: 'take', index: String(found), length } },
    );
  }
  const { index, axis } = meant(found, length, of);
  return noIndexAlong(of.operation, index, axis, of.shape);
}

/** An index that an axis of a shape does not have. */
export function noIndexAlong(operation: string, index: number | bigint, axis: number, shape: Shape): UsageError {
  const length = shape[axis] as number;
  const fix = length === 0 ? 'it is empty' : `give ${-length} to ${length - 1}`;
  return new UsageError(
    `${operation}: there is no index ${index} along axis ${axis} of the shape ${shapeText(shape)}, which has the length ${length}; ${fix}`,
    { code: 'ERR_SHEAF_INDEX', details: { operation, index: String(index), length, axis, shape: [...shape] } },
  );
}

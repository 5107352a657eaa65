import { shown, UsageError } from '../base/index.ts';
import type { Shape } from '../nd/index.ts';
import { noIndexAlong } from '../pipelines/index.ts';

/** A slice as it is written; what is left out is undefined. */
interface Slice {
  readonly start: number | undefined;
  readonly stop: number | undefined;
  readonly step: number;
}

/** Where a slice begins on an axis, how far it goes at a time, and how many places it has. */
export interface Range {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

const FORM = /^\s*([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?\s*)?$/;
const MOST_KNOWN = 1000;
const known = new Map<string, Slice>();

/** Reads `'start:stop:step'`. Undefined, if it is no slice. */
function sliceOf(text: string): Slice | undefined {
  const slice = known.get(text);
  if (slice !== undefined) return slice;
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const number = (part: string | undefined): number | undefined => (part === undefined ? undefined : Number(part));
  const read: Slice = { start: number(parts[1]), stop: number(parts[2]), step: number(parts[3]) ?? 1 };
  if (known.size < MOST_KNOWN) known.set(text, read);
  return read;
}

/** What a slice selects of an axis: negative ends count from its end, and what is beyond an end is cut off. */
export function rangeOf(operation: string, text: string, length: number): Range {
  const slice = sliceOf(text);
  if (slice === undefined || slice.step === 0) {
    const why = slice === undefined ? 'is no index' : 'is a slice that does not move';
    throw new UsageError(
      `${operation}: ${shown(text)} ${why}; slices are 'start:stop:step', with a step that is not 0, and there are '...' and 'new'`,
      { code: 'ERR_SHEAF_INDEX', details: { operation, index: text } },
    );
  }
  const { step } = slice;
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const end = (at: number | undefined, otherwise: number): number => {
    if (at === undefined) return otherwise;
    return Math.min(Math.max(at < 0 ? at + length : at, least), most);
  };
  const start = end(slice.start, step > 0 ? least : most);
  const stop = end(slice.stop, step > 0 ? most : least);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  // Of nothing, it does not matter where it begins; somewhere in the axis is safe.
  return count === 0 ? { start: 0, step: 1, length: 0 } : { start, step, length: count };
}

/** A number as an index of an axis, counted from the front. */
export function placeIn(operation: string, index: number, axis: number, shape: Shape): number {
  const length = shape[axis] as number;
  if (Number.isInteger(index) && index >= -length && index < length) return index < 0 ? index + length : index;
  throw noIndexAlong(operation, index, axis, shape);
}

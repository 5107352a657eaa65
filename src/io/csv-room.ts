import { OutOfMemoryError } from '../base/index.ts';
import { alloc } from '../tasks/index.ts';

/**
 * Room for numbers in the memory that the session shares, so that they travel without a copy, and in pages that were used before. Where there is none
 * left, in memory of this process.
 */
export function sharedRoom(length: number): Float64Array {
  try {
    return alloc(Float64Array, length);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return new Float64Array(length);
    throw error;
  }
}

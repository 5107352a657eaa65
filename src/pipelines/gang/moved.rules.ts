import { DTYPES, type DType } from '../../nd/index.ts';
import type { Pipeline, Where } from '../pipeline.ts';

/**
 * Bytes that a row of a pipeline moves from memory and to it: of arrays that have rows, each once however often it is read, and twice where it
 * is written. What lies in the scratch stays in the cache.
 */
export function bytesPerRow({ calls }: Pipeline): number {
  const moved = new Map<string, number>();
  for (const { kernel, inner, operands, results } of calls) {
    const note = (where: Where, dtype: DType, times: number): void => {
      if (where.at !== 'array' || where.row === 0) return;
      let bytes = DTYPES[dtype].bytes * times;
      for (const [axis, stride] of where.strides.entries()) if (stride !== 0) bytes *= inner[axis] as number;
      const key = `${where.array} ${where.offset}`;
      moved.set(key, Math.max(bytes, moved.get(key) ?? 0));
    };
    for (const [i, where] of operands.entries()) note(where, kernel.operands[i] as DType, 1);
    for (const [i, where] of results.entries()) {
      const step = kernel.steps[kernel.results[i]?.value as number];
      note(where, (step as { dtype: DType }).dtype, 2);
    }
  }
  let bytes = 0;
  for (const each of moved.values()) bytes += each;
  return bytes;
}

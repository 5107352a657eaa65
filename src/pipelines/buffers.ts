import type { DType } from '../nd/index.ts';

/** Elements that lie somewhere, one after the other. What it is, only the `Buffers` that made it knows. */
export interface Buffer {
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
}

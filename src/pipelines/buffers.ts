import type { DType, Elements } from '../nd/index.ts';

/** Elements that lie somewhere, one after the other. What it is, only the `Buffers` that made it knows. */
export interface Buffer {
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
}

/** Where WebAssembly finds elements: in a memory, so many bytes from its beginning. */
export interface Place {
  readonly memory: WebAssembly.Memory;
  readonly offset: number;
}

/** Storage, as pipelines see it. Whose it is, and on how many machines it is spread, is behind this. */
export interface Buffers {
  /** New ones; what they hold is left open. Throws an OutOfMemoryError. */
  allocate(dtype: DType, length: number): Buffer;
  /** Elements that are there already, and that nobody changes any more. They are not copied. */
  adopt(dtype: DType, elements: Elements): Buffer;
  /** The elements themselves. The view is good until the buffer is released. */
  view(buffer: Buffer, access: 'read' | 'write'): Elements;
  /** Undefined where they lie in no memory that WebAssembly sees. */
  place(buffer: Buffer): Place | undefined;
  /**
   * Nobody needs it any more; its room is used again. Releasing twice does no harm. A buffer that becomes garbage without this is released
   * when that is noticed.
   */
  release(buffer: Buffer): void;
}

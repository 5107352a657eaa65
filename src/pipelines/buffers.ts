import { ReleasedError } from '../base/index.ts';
import type { DType, Elements } from '../nd/index.ts';

/** Elements that lie somewhere, one after the other. What it is, only the `Buffers` that made it knows. */
export interface Buffer {
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
  /** Whose it is. */
  readonly home: Buffers;
  /** Nothing may use it any more. */
  readonly released: boolean;
}

/** Where WebAssembly finds elements: in a memory, so many bytes from its beginning. */
export interface Place {
  readonly memory: WebAssembly.Memory;
  readonly offset: number;
}

/** Storage, as pipelines see it. Whose it is, and on how many machines it is spread, is behind this. */
export interface Buffers {
  /** New ones; what they hold is left open. They are in use, until `unuse`, and written before that. Throws an OutOfMemoryError. */
  allocate(dtype: DType, length: number): Buffer;
  /** Elements that are there already, and that nobody changes any more. They may be copied. */
  adopt(dtype: DType, elements: Elements): Buffer;
  /** The same elements in this storage: the buffer itself, if it is of this one. Throws an OutOfMemoryError. */
  here(buffer: Buffer): Buffer;
  /** The elements are in memory from now on, and stay where they are, until as many calls of `unuse`. Throws an OutOfMemoryError. */
  use(buffer: Buffer): void;
  unuse(buffer: Buffer): void;
  /** The elements themselves, while the buffer is in use. `write`: before its first `unuse`. */
  view(buffer: Buffer, access: 'read' | 'write'): Elements;
  /** Undefined where they lie in no memory that WebAssembly sees. Good while the buffer is in use. */
  place(buffer: Buffer): Place | undefined;
  /** The elements for somebody else to read, who may have them for longer than there is the buffer. */
  lend(buffer: Buffer): Elements;
  /**
   * Nobody needs it any more; its room is used again. Releasing twice does no harm. A buffer that becomes garbage without this is released
   * when that is noticed.
   */
  release(buffer: Buffer): void;
  /** Whether somebody will say when nobody needs it any more: then it is not to be looked for among what may be garbage. */
  mind(buffer: Buffer, minded: boolean): void;
}

/** Somebody uses a buffer that was released. */
export const afterRelease = (): ReleasedError =>
  new ReleasedError(
    'the elements of this array, or of one that it is a part of or made of, were let go of by release(); release an array when nothing needs it any more',
  );

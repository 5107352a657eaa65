import { InternalError } from '../base/index.ts';
import { type DType, type Elements, elements } from '../nd/index.ts';
import type { Buffer, Buffers, Place } from './buffers.ts';

class LocalBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  elements: Elements | undefined;

  constructor(dtype: DType, own: Elements) {
    this.dtype = dtype;
    this.length = own.length;
    this.elements = own;
  }
}

/** Storage of this thread alone, each buffer by itself. */
export class LocalBuffers implements Buffers {
  allocate(dtype: DType, length: number): Buffer {
    return new LocalBuffer(dtype, elements(dtype, length));
  }

  adopt(dtype: DType, own: Elements): Buffer {
    return new LocalBuffer(dtype, own);
  }

  view(buffer: Buffer): Elements {
    if (!(buffer instanceof LocalBuffer)) throw new InternalError('a buffer of another storage was asked for here');
    if (buffer.elements === undefined) throw new InternalError('a buffer was used after its release');
    return buffer.elements;
  }

  place(): Place | undefined {
    return undefined;
  }

  release(buffer: Buffer): void {
    (buffer as LocalBuffer).elements = undefined;
  }
}

import { kindOf, UsageError } from '../base/index.ts';
import { DTYPE_NAMES, DTYPES, elements, isDType, rowMajor, shapeText, sizeOf } from '../nd/index.ts';
import { copyInto, type Dense } from '../partitioned/index.ts';

/** Checks an array that somebody wants to have written, and gives it row by row. */
export function plainRows(array: Dense, what: string): Dense {
  const { shape, dtype, elements: own, offset = 0 } = array ?? {};
  if (!isDType(dtype))
    throw new UsageError(`${what}: the dtype is ${String(dtype)}; give one of ${DTYPE_NAMES.join(', ')}`);
  if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new UsageError(`${what}: the shape is ${kindOf(shape)}; give an array of lengths`);
  }
  const { Elements } = DTYPES[dtype];
  if (!(own instanceof Elements))
    throw new UsageError(`${what}: the elements are ${kindOf(own)}, where ${dtype} takes ${Elements.name}`);
  const strides = array.strides ?? rowMajor(shape);
  const reach = shape.reduce((sum, n, axis) => sum + Math.max(0, strides[axis] as number) * (n - 1), offset);
  if (sizeOf(shape) > 0 && reach >= own.length) {
    throw new UsageError(`${what}: there are ${own.length} elements, which are too few for ${shapeText(shape)}`, {
      code: 'ERR_SHEAF_SHAPE',
    });
  }
  if (strides.every((step, axis) => step === rowMajor(shape)[axis])) {
    return { shape, dtype, elements: own.subarray(offset, offset + sizeOf(shape)) };
  }
  const rows = { shape, dtype, elements: elements(dtype, sizeOf(shape)) };
  copyInto(rows, array);
  return rows;
}

/** The elements of an array that lies column by column: the same memory. */
export const columnMajor = (array: Dense): Dense => ({
  ...array,
  strides: rowMajor([...array.shape].reverse()).reverse(),
});

/** A copy whose last axis is the slowest. */
export function inColumns(array: Dense): Dense {
  const copy = columnMajor({
    shape: array.shape,
    dtype: array.dtype,
    elements: elements(array.dtype, sizeOf(array.shape)),
  });
  copyInto(copy, array);
  return copy;
}

/** The bytes of elements. */
export const bytesOf = ({ elements: own }: Dense): Uint8Array =>
  new Uint8Array(own.buffer, own.byteOffset, own.byteLength);

/** Turns the bytes of each element around, in place. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) {
    for (let i = at, j = at + width - 1; i < j; i++, j--) {
      const byte = bytes[i] as number;
      bytes[i] = bytes[j] as number;
      bytes[j] = byte;
    }
  }
}

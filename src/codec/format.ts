/**
 * The body of an encoded value:
 *
 *     byte 0        format version (low four bits) and flags
 *     value         one tagged value, or for an argument list a count and that many values
 *     table         only with `flagTable`: the buffers that views point into (see `BufferTable`), then the bytes of
 *                   those that are embedded, then eight bytes (f64) with the table's offset from byte 0
 *
 * Integers are LEB128 varints, signed ones in zigzag form; multi-byte numbers are little-endian. Typed arrays keep the
 * machine's byte order: all machines of a cluster have the same one.
 */

export const formatVersion = 1;
export const versionMask = 0x0f;
/** Some object occurs more than once, so the decoder has to number the objects it makes. */
export const flagShared = 0x10;
/** The body ends in a buffer table. */
export const flagTable = 0x20;

/** A buffer smaller than this is always embedded: a segment of its own would cost more than the copy. */
export const outOfBandMinimum = 1024;

/**
 * Containers inside containers. Both sides recurse, so the limit keeps the deepest value within the default stack of
 * Node's main thread (984 KiB) with room for the caller.
 */
export const maxDepth = 1000;

export const Tag = {
  end: 0x00,
  undefined: 0x01,
  null: 0x02,
  true: 0x03,
  false: 0x04,
  int: 0x05,
  float: 0x06,
  negativeZero: 0x07,
  ascii: 0x08,
  utf8: 0x09,
  utf16: 0x0a,
  bigint64: 0x0b,
  bigintPositive: 0x0c,
  bigintNegative: 0x0d,
  object: 0x0e,
  nullObject: 0x0f,
  array: 0x10,
  hole: 0x11,
  /** An array with named properties: the array, then the properties. */
  namedArray: 0x12,
  map: 0x13,
  set: 0x14,
  date: 0x15,
  regexp: 0x16,
  boxed: 0x17,
  error: 0x18,
  url: 0x19,
  urlSearchParams: 0x1a,
  buffer: 0x1b,
  view: 0x1c,
  custom: 0x1d,
  shared: 0x1e,
  ref: 0x1f,
  placeholder: 0x20,
  /** 0x40..0x4f: an array of up to 15 items. */
  smallArray: 0x40,
  /** 0x80..0x9f: an ASCII string of up to 31 characters. */
  smallString: 0x80,
  /** 0xa0..0xff: the integers 0..95. */
  smallInt: 0xa0,
} as const;

export const smallArrayLimit = 16;
export const smallStringLimit = 32;
export const smallIntLimit = 96;

export type View = ArrayBufferView<ArrayBufferLike>;
type ViewType = (new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => View) & {
  readonly BYTES_PER_ELEMENT?: number;
};

const named: readonly (readonly [string, ViewType | undefined])[] = [
  ['DataView', DataView as ViewType],
  ['Uint8Array', Uint8Array],
  ['Int8Array', Int8Array],
  ['Uint8ClampedArray', Uint8ClampedArray],
  ['Uint16Array', Uint16Array],
  ['Int16Array', Int16Array],
  ['Uint32Array', Uint32Array],
  ['Int32Array', Int32Array],
  ['Float32Array', Float32Array],
  ['Float64Array', Float64Array],
  ['BigInt64Array', BigInt64Array],
  ['BigUint64Array', BigUint64Array],
  // Node 24 and later.
  ['Float16Array', (globalThis as { Float16Array?: ViewType }).Float16Array],
];

/** By wire number; `undefined` where this Node has no such type. Append only. */
export const viewTypes: readonly (ViewType | undefined)[] = named.map(([, type]) => type);
export const viewNames: readonly string[] = named.map(([name]) => name);
/** Bytes of an element; 1 for a DataView, whose length is in bytes. */
export const viewElementSizes: readonly number[] = named.map(([name, type]) =>
  name === 'Float16Array' ? 2 : (type?.BYTES_PER_ELEMENT ?? 1),
);

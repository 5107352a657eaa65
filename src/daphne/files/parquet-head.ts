/**
 * The schema of a Parquet file, for the compiler: of its footer, which is a struct of Thrift's compact protocol, as much as tells columns and their
 * types. It is read here, at once, since the package that reads the data has to be waited for.
 */

import type { ValueType } from '../types.ts';
import { OpenFile } from './bytes.ts';

type Thrift = number | boolean | Uint8Array | readonly Thrift[] | ReadonlyMap<number, Thrift>;
type Struct = ReadonlyMap<number, Thrift>;

const TYPES = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const;

class Compact {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError('the footer ends early');
    return byte;
  }

  /** Exact below 2**53, which counts of rows are. */
  #varint(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  struct(): Struct {
    const fields = new Map<number, Thrift>();
    for (let id = 0; ; ) {
      const head = this.#byte();
      if (head === 0) return fields;
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4);
      const type = head & 15;
      fields.set(id, type === TYPES.true ? true : type === TYPES.false ? false : this.#value(type));
    }
  }

  #value(type: number): Thrift {
    switch (type) {
      case TYPES.true:
      case TYPES.false:
        return this.#byte() === TYPES.true;
      case TYPES.byte:
        return this.#byte();
      case TYPES.i16:
      case TYPES.i32:
      case TYPES.i64:
        return this.#zigzag();
      case TYPES.double:
        this.#at += 8;
        return 0;
      case TYPES.binary: {
        const length = this.#varint();
        this.#at += length;
        return this.#bytes.subarray(this.#at - length, this.#at);
      }
      case TYPES.list:
      case TYPES.set: {
        const head = this.#byte();
        const length = head >> 4 === 15 ? this.#varint() : head >> 4;
        const items: Thrift[] = [];
        for (let i = 0; i < length; i++) items.push(this.#value(head & 15));
        return items;
      }
      case TYPES.struct:
        return this.struct();
      default:
        throw new RangeError(`the footer has the type ${type}`);
    }
  }
}

export interface ParquetHead {
  readonly rows: number;
  /** A value type that is undefined depends on whether values are missing, or is none that there is. */
  readonly columns: readonly { readonly label: string; readonly value: ValueType | undefined }[];
}

/** Undefined: its columns are not plain ones. Throws where it is no such file. */
export function parquetHead(path: string): ParquetHead | undefined {
  const footer = new Compact(footerOf(path)).struct();
  const [root, ...elements] = footer.get(2) as readonly Struct[];
  if (root === undefined || elements.length !== root.get(5) || elements.some((each) => each.has(5))) return undefined;
  const groups = (footer.get(4) as readonly Struct[] | undefined) ?? [];
  const columns = elements.map((element, i) => ({
    label: new TextDecoder().decode(element.get(4) as Uint8Array),
    value: typeOf(element, () => isComplete(element, groups, i)),
  }));
  return { rows: footer.get(3) as number, columns };
}

function footerOf(path: string): Uint8Array {
  const file = new OpenFile(path);
  try {
    const end = new Uint8Array(8);
    file.read(end, Math.max(0, file.size - 8));
    const length = new DataView(end.buffer).getUint32(0, true);
    if (new TextDecoder().decode(end.subarray(4)) !== 'PAR1' || length > file.size)
      throw new RangeError('there is no footer');
    const footer = new Uint8Array(length);
    file.read(footer, file.size - 8 - length);
    return footer;
  } finally {
    file.close();
  }
}

const DATE = 6;
const TIMESTAMP = 8;

const PHYSICAL: readonly (ValueType | undefined)[] = ['bool', 'si32', 'si64', 'si64', 'f32', 'f64', 'str'];

/** By their converted types. */
const CONVERTED: Readonly<Record<number, ValueType>> = {
  0: 'str',
  4: 'str',
  6: 'si64',
  9: 'si64',
  10: 'si64',
  11: 'ui8',
  12: 'ui32',
  13: 'ui32',
  14: 'ui64',
  15: 'si8',
  16: 'si32',
  17: 'si32',
  18: 'si64',
};

/** By width, without a sign and with one. */
const INTEGERS: Readonly<Record<number, readonly [ValueType, ValueType]>> = {
  8: ['ui8', 'si8'],
  16: ['ui32', 'si32'],
  32: ['ui32', 'si32'],
  64: ['ui64', 'si64'],
};

function typeOf(element: Struct, isComplete: () => boolean): ValueType | undefined {
  if (element.get(3) === 2) return undefined;
  const value = storedAs(element);
  // Integers with missing values become floats.
  const isWhole = value !== undefined && value !== 'f32' && value !== 'f64' && value !== 'str';
  return isWhole && !isComplete() ? undefined : value;
}

function storedAs(element: Struct): ValueType | undefined {
  const physical = element.get(1) as number;
  const logical = element.get(10) as Struct | undefined;
  const converted = element.get(6) as number | undefined;
  if (logical?.has(1) || logical?.has(4)) return 'str';
  // Points of time are nanoseconds since 1970.
  if (logical?.has(DATE) || logical?.has(TIMESTAMP)) return 'si64';
  const integer = logical?.get(10) as Struct | undefined;
  if (integer !== undefined) return INTEGERS[integer.get(1) as number]?.[integer.get(2) === false ? 0 : 1];
  if (logical !== undefined) return undefined;
  if (converted !== undefined) return CONVERTED[converted];
  // Bytes that nobody says to be a text are none.
  return physical === 6 ? undefined : PHYSICAL[physical];
}

/** Whether no value of a column is missing, as its statistics say. */
function isComplete(element: Struct, groups: readonly Struct[], column: number): boolean {
  if (element.get(3) === 0) return true;
  return groups.every((group) => {
    const chunk = (group.get(1) as readonly Struct[])[column]?.get(3) as Struct | undefined;
    return (chunk?.get(12) as Struct | undefined)?.get(3) === 0;
  });
}

import { CodecError } from '../base/index.ts';
import { smallIntLimit, smallStringLimit, Tag } from './format.ts';

const floats = new Float64Array(1);
const bigints = new BigInt64Array(floats.buffer);
const floatBytes = new Uint8Array(floats.buffer);

const none = new Uint8Array(0);

/** Short strings met before: names of properties repeat, and a known string needs not be made nor interned again. */
const knownStrings: string[] = new Array<string>(1024).fill('');
const knownMask = knownStrings.length - 1;
/** Up to here a string is looked up among the known ones or made by a loop; beyond, by a call into Node. */
const knownLimit = 16;

/** Checked reads of what `ByteWriter` writes. Every read past the end is a CodecError. */
export class ByteReader {
  protected bytes: Uint8Array = none;
  protected pos = 0;
  protected end = 0;
  /** Made for the first longer string. */
  #text: Buffer | undefined;

  protected open(bytes: Uint8Array, start: number, end: number): void {
    if (!(start >= 0 && start < end && end <= bytes.length)) throw this.malformed('it is empty or cut off');
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  protected close(): void {
    this.bytes = none;
    this.#text = undefined;
  }

  malformed(what: string, cause?: unknown): CodecError {
    return new CodecError(
      `the encoded value can’t be decoded: ${what}; it was damaged on its way, or written by another version of Sheaf`,
      cause === undefined ? {} : { cause },
    );
  }

  protected byte(): number {
    if (this.pos >= this.end) throw this.malformed('it is cut off');
    return this.bytes[this.pos++] as number;
  }

  /** A non-negative safe integer. */
  protected uint(): number {
    const byte = this.byte();
    return byte < 0x80 ? byte : this.#longUint(byte);
  }

  #longUint(byte: number): number {
    let value = byte & 0x7f;
    let scale = 0x80;
    do {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80 && scale <= 2 ** 49);
    if (byte >= 0x80 || value > Number.MAX_SAFE_INTEGER) throw this.malformed('an integer is out of range');
    return value;
  }

  protected int(): number {
    const value = this.uint();
    return (value >>> 1) ^ -(value & 1);
  }

  #eight(): void {
    const { bytes, pos } = this;
    if (pos + 8 > this.end) throw this.malformed('it is cut off');
    floatBytes[0] = bytes[pos] as number;
    floatBytes[1] = bytes[pos + 1] as number;
    floatBytes[2] = bytes[pos + 2] as number;
    floatBytes[3] = bytes[pos + 3] as number;
    floatBytes[4] = bytes[pos + 4] as number;
    floatBytes[5] = bytes[pos + 5] as number;
    floatBytes[6] = bytes[pos + 6] as number;
    floatBytes[7] = bytes[pos + 7] as number;
    this.pos = pos + 8;
  }

  protected float(): number {
    this.#eight();
    return floats[0] as number;
  }

  /** A number whose tag is read. */
  protected number(tag: number): number {
    if (tag >= Tag.smallInt && tag < Tag.smallInt + smallIntLimit) return tag - Tag.smallInt;
    if (tag === Tag.int) return this.int();
    if (tag === Tag.float) return this.float();
    return -0;
  }

  protected bigint(tag: number): bigint {
    if (tag === Tag.bigint64) {
      this.#eight();
      return bigints[0] as bigint;
    }
    const digits = this.string(this.byte());
    if (!/^[0-9a-f]+$/.test(digits)) throw this.malformed('a bigint is not a number');
    const value = BigInt(`0x${digits}`);
    return tag === Tag.bigintNegative ? -value : value;
  }

  /** A string whose tag is read; any other tag is malformed. */
  protected string(tag: number): string {
    if (tag >= Tag.smallString && tag < Tag.smallString + smallStringLimit) {
      const length = tag - Tag.smallString;
      return length <= knownLimit ? this.#knownString(length) : this.#native(length, 'latin1');
    }
    if (tag === Tag.ascii) return this.#native(this.uint(), 'latin1');
    if (tag === Tag.utf8) return this.#native(this.uint(), 'utf8');
    if (tag === Tag.utf16) return this.#native(this.uint(), 'utf16le');
    throw this.malformed(`byte ${tag} is not a string`);
  }

  #knownString(length: number): string {
    const { bytes, pos } = this;
    const end = pos + length;
    if (end > this.end) throw this.malformed('it is cut off');
    this.pos = end;
    let hash = length;
    for (let i = pos; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    hash = (hash ^ (hash >>> 10)) & knownMask;
    const known = knownStrings[hash] as string;
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[pos + i]) i++;
      if (i === length) return known;
    }
    let text = '';
    for (let i = pos; i < end; i++) text += String.fromCharCode(bytes[i] as number);
    knownStrings[hash] = text;
    return text;
  }

  #native(size: number, encoding: BufferEncoding): string {
    const { bytes, pos } = this;
    if (size > this.end - pos) throw this.malformed('it is cut off');
    this.#text ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = pos + size;
    return this.#text.toString(encoding, pos, pos + size);
  }
}

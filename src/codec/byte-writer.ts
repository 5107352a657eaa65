import { smallIntLimit, smallStringLimit, Tag } from './format.ts';

const initialSize = 16 * 1024;
/** Scratch beyond this is given back before the next value. */
const keptSize = 4 * 1024 * 1024;
/** Up to here a loop over the characters is cheaper than a call into Node. */
const loopLimit = smallStringLimit - 1;

const floats = new Float64Array(1);
const bigints = new BigInt64Array(floats.buffer);
const floatBytes = new Uint8Array(floats.buffer);

/** Tagged primitives into one growing scratch buffer, which is reused. */
export class ByteWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(initialSize);
  pos = 0;

  reset(): void {
    this.pos = 0;
    if (this.bytes.length > keptSize) this.bytes = Buffer.allocUnsafeSlow(initialSize);
  }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    if (this.pos + n > this.bytes.length) this.#grow(n);
  }

  #grow(n: number): void {
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.pos + n));
    bigger.set(this.bytes.subarray(0, this.pos));
    this.bytes = bigger;
  }

  byte(value: number): void {
    if (this.pos === this.bytes.length) this.#grow(1);
    this.bytes[this.pos++] = value;
  }

  /** A non-negative safe integer. */
  uint(value: number): void {
    this.reserve(8);
    const bytes = this.bytes;
    let pos = this.pos;
    while (value > 0x7fffffff) {
      bytes[pos++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    while (value > 0x7f) {
      bytes[pos++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    bytes[pos++] = value;
    this.pos = pos;
  }

  /** Eight bytes without a tag. */
  float(value: number): void {
    floats[0] = value;
    this.#eight();
  }

  #eight(): void {
    this.reserve(8);
    const bytes = this.bytes;
    const pos = this.pos;
    bytes[pos] = floatBytes[0] as number;
    bytes[pos + 1] = floatBytes[1] as number;
    bytes[pos + 2] = floatBytes[2] as number;
    bytes[pos + 3] = floatBytes[3] as number;
    bytes[pos + 4] = floatBytes[4] as number;
    bytes[pos + 5] = floatBytes[5] as number;
    bytes[pos + 6] = floatBytes[6] as number;
    bytes[pos + 7] = floatBytes[7] as number;
    this.pos = pos + 8;
  }

  number(value: number): void {
    if ((value | 0) !== value) {
      this.byte(Tag.float);
      this.float(value);
    } else if (value >= 0 && value < smallIntLimit) {
      this.byte(value === 0 && 1 / value < 0 ? Tag.negativeZero : Tag.smallInt + value);
    } else {
      this.byte(Tag.int);
      this.uint(((value << 1) ^ (value >> 31)) >>> 0);
    }
  }

  string(value: string): void {
    const length = value.length;
    if (length <= loopLimit) {
      this.reserve(length + 1);
      const bytes = this.bytes;
      let pos = this.pos + 1;
      let i = 0;
      for (; i < length; i++) {
        const c = value.charCodeAt(i);
        if (c > 0x7f) break;
        bytes[pos++] = c;
      }
      if (i === length) {
        bytes[this.pos] = Tag.smallString + length;
        this.pos = pos;
        return;
      }
    }
    this.#longString(value);
  }

  #longString(value: string): void {
    const size = Buffer.byteLength(value, 'utf8');
    if (size === value.length) this.#native(Tag.ascii, value, size, 'latin1');
    // Two bytes a unit are exact where UTF-8 is not (lone surrogates), and shorter for most Asian scripts.
    else if (size <= 2 * value.length && isWellFormed(value)) this.#native(Tag.utf8, value, size, 'utf8');
    else this.#native(Tag.utf16, value, 2 * value.length, 'utf16le');
  }

  #native(tag: number, value: string, size: number, encoding: BufferEncoding): void {
    this.byte(tag);
    this.uint(size);
    this.reserve(size);
    this.bytes.write(value, this.pos, size, encoding);
    this.pos += size;
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.byte(Tag.bigint64);
      bigints[0] = value;
      this.#eight();
    } else {
      const negative = value < 0n;
      const digits = (negative ? -value : value).toString(16);
      this.byte(negative ? Tag.bigintNegative : Tag.bigintPositive);
      this.string(digits);
    }
  }

  /** Raw bytes, without a tag or length. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.pos);
    this.pos += source.length;
  }
}

/** In every supported Node, though not yet in the library types of our target. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

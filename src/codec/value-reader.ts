import { CodecError } from '../base/index.ts';
import { ByteReader } from './byte-reader.ts';
import {
  flagShared,
  flagTable,
  formatVersion,
  maxDepth,
  smallArrayLimit,
  smallIntLimit,
  smallStringLimit,
  Tag,
  versionMask,
  viewElementSizes,
  viewNames,
  viewTypes,
} from './format.ts';
import { prototypeOfError } from './kinds.ts';
import { codecOfId } from './registry.ts';
import { type DecodeSource, emptySource } from './source.ts';

interface DecodedBuffer {
  readonly buffer: ArrayBufferLike;
  /** Offset of its first byte in the sender's buffer, from which the offsets of views count. */
  readonly start: number;
}

const noBuffers: readonly DecodedBuffer[] = Object.freeze([]);
/** The place of an object whose codec is still at work. */
const pending = Symbol('pending');

/** Reads what `ValueWriter` and `BufferTable` write. */
export class ValueReader extends ByteReader {
  #source: DecodeSource = emptySource;
  #buffers: readonly DecodedBuffer[] = noBuffers;
  /** In the order of the encoder's numbers; only filled when the body refers to them. */
  #objects: unknown[] | undefined;
  #depth = 0;

  begin(bytes: Uint8Array, start: number, end: number, source: DecodeSource): void {
    this.open(bytes, start, end);
    this.#source = source;
    this.#depth = 0;
    const head = this.byte();
    if (head === formatVersion) return;
    const version = head & versionMask;
    if (version !== formatVersion || (head & ~(versionMask | flagShared | flagTable)) !== 0) {
      throw this.malformed(`its format version is ${version}, and this process reads ${formatVersion}`);
    }
    if ((head & flagShared) !== 0) this.#objects = [];
    if ((head & flagTable) !== 0) this.#table(start);
  }

  finish(): void {
    if (this.pos !== this.end) throw this.malformed(`${this.end - this.pos} bytes are left over`);
  }

  release(): void {
    this.close();
    this.#source = emptySource;
    this.#buffers = noBuffers;
    this.#objects = undefined;
  }

  explain(error: unknown): unknown {
    if (error instanceof CodecError) return error;
    return this.malformed(error instanceof Error ? error.message : String(error), error);
  }

  tag(): number {
    return this.byte();
  }

  args(): unknown[] {
    const n = this.uint();
    const args: unknown[] = [];
    this.#enter();
    for (let i = 0; i < n; i++) {
      const tag = this.byte();
      if (tag === Tag.placeholder) {
        const number = this.uint();
        if (number >= this.#source.deps.length) throw this.malformed(`dependency ${number} is missing`);
        args.push(this.#source.deps[number]);
      } else args.push(this.value(tag));
    }
    return args;
  }

  /** The value whose tag is read. */
  value(tag: number): unknown {
    if (tag >= Tag.smallInt && tag < Tag.smallInt + smallIntLimit) return tag - Tag.smallInt;
    if (tag >= Tag.smallString && tag < Tag.smallString + smallStringLimit) return this.string(tag);
    if (tag >= Tag.smallArray && tag < Tag.smallArray + smallArrayLimit) return this.#array(tag - Tag.smallArray);
    switch (tag) {
      case Tag.undefined:
        return undefined;
      case Tag.null:
        return null;
      case Tag.true:
        return true;
      case Tag.false:
        return false;
      case Tag.int:
      case Tag.float:
      case Tag.negativeZero:
        return this.number(tag);
      case Tag.ascii:
      case Tag.utf8:
      case Tag.utf16:
        return this.string(tag);
      case Tag.bigint64:
      case Tag.bigintPositive:
      case Tag.bigintNegative:
        return this.bigint(tag);
      case Tag.object:
        return this.#properties(this.#made({}));
      case Tag.nullObject:
        return this.#properties(this.#made(Object.create(null) as Record<string, unknown>));
      case Tag.array:
        return this.#array(this.uint());
      case Tag.namedArray:
        return this.#namedArray();
      default:
        return this.#rare(tag);
    }
  }

  #rare(tag: number): unknown {
    switch (tag) {
      case Tag.map:
        return this.#map();
      case Tag.set:
        return this.#set();
      case Tag.date:
        return this.#made(new Date(this.float()));
      case Tag.regexp: {
        const source = this.string(this.byte());
        return this.#made(new RegExp(source, this.string(this.byte())));
      }
      case Tag.boxed:
        return this.#boxed();
      case Tag.error:
        return this.#error();
      case Tag.url:
        return this.#made(new URL(this.string(this.byte())));
      case Tag.urlSearchParams:
        return this.#made(new URLSearchParams(this.string(this.byte())));
      case Tag.buffer:
        return this.#bufferAt(this.uint()).buffer;
      case Tag.view:
        return this.#view();
      case Tag.custom:
        return this.#custom();
      case Tag.shared:
        return this.#sharedObject();
      case Tag.ref: {
        const number = this.uint();
        if (number >= this.#source.refs.length) throw this.malformed(`reference ${number} is missing`);
        return this.#source.refs[number];
      }
      default:
        throw this.malformed(`byte ${tag} starts no value`);
    }
  }

  #made<T extends object>(object: T): T {
    this.#objects?.push(object);
    return object;
  }

  #sharedObject(): unknown {
    const number = this.uint();
    const objects = this.#objects;
    if (objects === undefined || number >= objects.length || objects[number] === pending) {
      throw this.malformed(`it refers to object ${number}, which is not there`);
    }
    return objects[number];
  }

  #enter(): number {
    const level = this.#depth;
    if (level >= maxDepth) throw this.malformed(`it is nested more than ${maxDepth} levels deep`);
    this.#depth = level + 1;
    return level;
  }

  #properties<T extends object>(object: T): T {
    const level = this.#enter();
    const record = object as Record<string, unknown>;
    for (let tag = this.byte(); tag !== Tag.end; tag = this.byte()) {
      const key = this.string(tag);
      const value = this.value(this.byte());
      if (key === '__proto__') define(record, key, value, true);
      else record[key] = value;
    }
    this.#depth = level;
    return object;
  }

  #array(n: number): unknown[] {
    if (n > 0xffff_ffff) throw this.malformed('an array is too long');
    const level = this.#enter();
    const array: unknown[] = this.#made([]);
    // Grows with what is read, so that a wrong length costs nothing.
    for (let i = 0; i < n; ) {
      const tag = this.byte();
      if (tag === Tag.hole) {
        i += this.uint();
        if (i > n) throw this.malformed('an array has more holes than items');
        extend(array, i);
      } else {
        array.push(this.value(tag));
        i++;
      }
    }
    this.#depth = level;
    return array;
  }

  #namedArray(): unknown[] {
    const tag = this.byte();
    const small = tag >= Tag.smallArray && tag < Tag.smallArray + smallArrayLimit;
    if (!small && tag !== Tag.array) throw this.malformed(`byte ${tag} starts no array`);
    const array = this.#array(small ? tag - Tag.smallArray : this.uint());
    return this.#properties(array);
  }

  #map(): Map<unknown, unknown> {
    const level = this.#enter();
    const map = this.#made(new Map<unknown, unknown>());
    for (let tag = this.byte(); tag !== Tag.end; tag = this.byte()) {
      const key = this.value(tag);
      map.set(key, this.value(this.byte()));
    }
    this.#depth = level;
    return map;
  }

  #set(): Set<unknown> {
    const level = this.#enter();
    const set = this.#made(new Set<unknown>());
    for (let tag = this.byte(); tag !== Tag.end; tag = this.byte()) set.add(this.value(tag));
    this.#depth = level;
    return set;
  }

  #boxed(): object {
    const primitive = this.#primitive(this.byte());
    return this.#made(Object(primitive) as object);
  }

  #primitive(tag: number): unknown {
    if (tag === Tag.true) return true;
    if (tag === Tag.false) return false;
    if (tag === Tag.bigint64 || tag === Tag.bigintPositive || tag === Tag.bigintNegative) return this.bigint(tag);
    if (tag >= Tag.smallInt || tag === Tag.int || tag === Tag.float || tag === Tag.negativeZero)
      return this.number(tag);
    return this.string(tag);
  }

  #error(): object {
    const error = this.#made(this.#newError() as unknown as Record<string, unknown>);
    this.#fields(error, false);
    this.#fields(error, true);
    return error;
  }

  #newError(): Error {
    const type = this.string(this.byte());
    return type === 'DOMException' ? new DOMException('', this.string(this.byte())) : makeError(type);
  }

  #fields(error: Record<string, unknown>, enumerable: boolean): void {
    const level = this.#enter();
    for (let tag = this.byte(); tag !== Tag.end; tag = this.byte()) {
      const key = this.string(tag);
      define(error, key, this.value(this.byte()), enumerable);
    }
    this.#depth = level;
  }

  #bufferAt(number: number): DecodedBuffer {
    const found = this.#buffers[number];
    if (found === undefined) throw this.malformed(`buffer ${number} is missing`);
    return found;
  }

  #view(): object {
    const type = this.byte();
    const View = viewTypes[type];
    const { buffer, start } = this.#bufferAt(this.uint());
    const offset = this.uint();
    const length = this.uint();
    if (View === undefined) {
      const name = viewNames[type];
      if (name === undefined) throw this.malformed(`byte ${type} is no type of view`);
      throw new CodecError(
        `a ${name} arrived, which Node ${process.version} does not have; send another type of array`,
      );
    }
    if (length === 0) return this.#made(new View(buffer, 0, 0));
    const at = offset - start;
    const size = viewElementSizes[type] as number;
    if (at < 0 || at % size !== 0 || at + length * size > buffer.byteLength) {
      throw this.malformed('a view reaches beyond its buffer');
    }
    return this.#made(new View(buffer, at, length));
  }

  #custom(): unknown {
    const id = this.string(this.byte());
    const codec = codecOfId(id);
    if (codec === undefined) {
      throw new CodecError(
        `a value of the registered class '${id}' arrived, but no codec with this id is registered here; ` +
          'import the module that registers it in the module of the task',
      );
    }
    const number = this.#objects?.push(pending);
    const level = this.#enter();
    const wire = this.value(this.byte());
    this.#depth = level;
    let value: object;
    try {
      value = codec.decode(wire);
    } catch (cause) {
      const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new CodecError(`decode() of the codec '${id}' failed with ${text}`, { cause });
    }
    if (this.#objects !== undefined && number !== undefined) this.#objects[number - 1] = value;
    return value;
  }

  /** Reads the buffer table at the end, and ends the body where it starts. */
  #table(start: number): void {
    const body = this.pos;
    const last = this.end - 8;
    if (last < body) throw this.malformed('it is cut off');
    this.pos = last;
    const position = start + this.float();
    if (!(Number.isInteger(position) && position >= body && position <= last)) {
      throw this.malformed('its table of buffers is not where it should be');
    }
    this.end = last;
    this.pos = position;
    const n = this.uint();
    // An entry takes at least three bytes.
    if (n > (last - position) / 3) throw this.malformed('its table of buffers is cut off');
    const embedded: boolean[] = [];
    const starts: number[] = [];
    const lengths: number[] = [];
    for (let i = 0; i < n; i++) {
      embedded.push(this.byte() === 0);
      starts.push(this.uint());
      lengths.push(this.uint());
    }
    const buffers: DecodedBuffer[] = [];
    let taken = 0;
    for (let i = 0; i < n; i++) {
      const byteLength = lengths[i] as number;
      const buffer = embedded[i] === true ? this.#embedded(byteLength) : this.#outOfBand(taken++, byteLength);
      buffers.push({ buffer, start: starts[i] as number });
    }
    if (this.pos !== last) throw this.malformed('its table of buffers has bytes left over');
    this.#buffers = buffers;
    this.pos = body;
    this.end = position;
  }

  #embedded(byteLength: number): ArrayBuffer {
    if (byteLength > this.end - this.pos) throw this.malformed('an embedded buffer is cut off');
    const copy = new Uint8Array(byteLength);
    copy.set(this.bytes.subarray(this.pos, this.pos + byteLength));
    this.pos += byteLength;
    return copy.buffer;
  }

  #outOfBand(number: number, byteLength: number): ArrayBufferLike {
    const buffer = this.#source.buffers[number];
    if (buffer === undefined || buffer.byteLength !== byteLength) {
      throw this.malformed(
        `buffer ${number} beside it should have ${byteLength} bytes, and ${buffer === undefined ? 'is missing' : `has ${buffer.byteLength}`}`,
      );
    }
    return buffer;
  }
}

function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}

/** Lengthens an array by holes. */
function extend(array: unknown[], length: number): void {
  // V8 reserves memory for all items when the length of an array grows, unless it first goes beyond what it will keep in
  // one block; a few damaged bytes must not cost a gigabyte.
  if (length - array.length > 65_536) array.length = 0xffff_ffff;
  array.length = length;
}

/** A real error of a class without running its constructor, whose parameters may be any. */
function makeError(type: string): Error {
  const prototype = prototypeOfError(type) ?? Error.prototype;
  const limit = Error.stackTraceLimit;
  // The stack here says nothing about the error; its own arrives among the fields.
  Error.stackTraceLimit = 0;
  try {
    const error = new Error();
    if (prototype !== Error.prototype) Object.setPrototypeOf(error, prototype);
    return error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

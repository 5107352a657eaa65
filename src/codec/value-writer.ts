import { CodecError } from '../base/index.ts';
import { namedProperties, nextIndex } from './array-keys.ts';
import { BufferTable } from './buffer-table.ts';
import { ByteWriter } from './byte-writer.ts';
import { maxDepth, outOfBandMinimum, smallArrayLimit, Tag, type View, viewElementSizes } from './format.ts';
import { IdentityTable } from './identity.ts';
import { errorClass, Kind, kindOfForeign, kindOfPrototype, prototypeOfError } from './kinds.ts';
import { type FieldKey, itsCodec, type LeftOut } from './left-out.ts';
import { formatPath, Step } from './path.ts';
import { refusal } from './refusal.ts';
import { codecOfPrototype } from './registry.ts';

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const hasOwn = Object.prototype.hasOwnProperty;

/** Fields of errors that are not enumerable; the others are fields like those of any object. */
const hiddenFields = ['name', 'message', 'stack', 'cause', 'errors', 'error', 'suppressed'] as const;

/** What the writer asks of those who use it. */
export interface WriterOptions {
  /** Tells references from other objects. Not asked about plain objects, arrays and other built-in objects. */
  isRef(value: object): boolean;
  /** Whether there is room beside the body for a buffer of at least 1 KiB; without this there always is. */
  hasRoom?(buffer: ArrayBufferLike): boolean;
}

/** The number of the placeholder for the argument at a place; negative for one that goes along. */
export type Slots = (arg: object, place: number) => number;

/** Writes tagged values, and keeps what one value needs: identities, buffers, references, and the path to where it is. */
export class ValueWriter extends ByteWriter {
  readonly buffers = new BufferTable();
  /** In order of first meeting; undefined while there are none. */
  refs: object[] | undefined;
  /** Whether an object was met twice. */
  shared = false;
  /** Of an argument list: what the argument with the largest body takes there. */
  largest = 0;
  /** The last error of `fail`. */
  failure: CodecError | undefined;
  /** Fields of errors that are left out, and who is to blame when something can't be sent. */
  leftOut: LeftOut | undefined;
  readonly #options: WriterOptions;
  readonly #identities = new IdentityTable();
  readonly #refs = new IdentityTable();
  /** Numbers of the objects whose codec is at work: a second meeting inside would be a cycle through the codec. */
  readonly #converting = new Set<number>();
  readonly #stepKinds: number[] = [];
  readonly #stepKeys: unknown[] = [];
  #depth = 0;
  #root = '';
  #met = 0;
  /** The argument that is being written. */
  #argument = 0;

  constructor(options: WriterOptions) {
    super();
    this.#options = options;
  }

  /** `root` names the value in messages. */
  begin(root: string): void {
    this.reset();
    this.#root = root;
    this.#depth = 0;
    this.#met = 0;
    this.#argument = 0;
    this.refs = undefined;
    this.shared = false;
  }

  /** Lets go of the value. */
  end(): void {
    this.#identities.clear();
    this.failure = undefined;
    this.leftOut = undefined;
    if (this.refs !== undefined) {
      this.#refs.clear();
      this.refs = undefined;
    }
    if (!this.buffers.empty) this.buffers.clear();
    if (this.#converting.size > 0) this.#converting.clear();
    if (this.#stepKeys.length > 64) this.#stepKeys.length = 64;
  }

  /** Where it is now. */
  path(): string {
    return formatPath(this.#root, this.#stepKinds, this.#stepKeys, this.#depth);
  }

  fail(what: string, cause?: unknown): CodecError {
    const path = this.path();
    const details = { path };
    this.failure = new CodecError(path + what, cause === undefined ? { details } : { cause, details });
    return this.failure;
  }

  /** The items of an argument list. */
  args(args: readonly unknown[], slot: Slots | undefined): void {
    const n = args.length;
    this.uint(n);
    this.#enter(Step.index);
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const arg = args[i];
      this.#stepKeys[0] = i;
      this.#argument = i;
      const before = this.pos;
      if (slot !== undefined && typeof arg === 'object' && arg !== null) {
        const number = slot(arg, i);
        if (number >= 0) {
          this.byte(Tag.placeholder);
          this.uint(number);
          continue;
        }
      }
      this.value(arg);
      const size = this.pos - before;
      if (size > largest) largest = size;
      if (!this.buffers.empty) this.buffers.setBody(i, size);
    }
    this.largest = largest;
    this.#depth = 0;
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.number(value);
        return;
      case 'string':
        this.string(value);
        return;
      case 'object':
        if (value === null) this.byte(Tag.null);
        else this.#object(value);
        return;
      case 'boolean':
        this.byte(value ? Tag.true : Tag.false);
        return;
      case 'undefined':
        this.byte(Tag.undefined);
        return;
      case 'bigint':
        this.bigint(value);
        return;
      case 'function':
        this.#function(value);
        return;
      default:
        throw this.fail(refusal(value));
    }
  }

  /** One whose prototype has a codec can travel: a task. */
  #function(value: object): void {
    const prototype = Object.getPrototypeOf(value) as object | null;
    const codec = prototype === null ? undefined : codecOfPrototype(prototype);
    if (codec === undefined) throw this.fail(refusal(value));
    this.#custom(value, codec);
  }

  #object(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === objectPrototype) {
      if (this.#meet(value)) return;
      this.byte(Tag.object);
      this.#properties(value);
    } else if (prototype === arrayPrototype && Array.isArray(value)) {
      this.#array(value);
    } else {
      this.#special(value, prototype as object | null);
    }
  }

  /** True for an object met before, which is then written as its number. */
  #meet(value: object): boolean {
    const id = this.#identities.meet(value);
    if (id < 0) {
      this.#met++;
      return false;
    }
    if (this.#converting.size > 0 && this.#converting.has(id)) {
      throw this.fail(
        ': an object that its own codec puts into its wire form can’t be sent; break the cycle in encode()',
      );
    }
    this.shared = true;
    this.byte(Tag.shared);
    this.uint(id);
    return true;
  }

  /** One container deeper; returns the level, for #leave and for the key of the step. */
  #enter(kind: number): number {
    const level = this.#depth;
    if (level >= maxDepth) {
      throw this.fail(
        `: nested more than ${maxDepth} levels deep; flatten it, for example a linked list into an array`,
      );
    }
    this.#depth = level + 1;
    this.#stepKinds[level] = kind;
    return level;
  }

  /** Own enumerable properties with string keys, up to an end tag. */
  #properties(value: object): void {
    const level = this.#enter(Step.property);
    const keys = this.#stepKeys;
    const record = value as Record<string, unknown>;
    for (const key in record) {
      if (!hasOwn.call(record, key)) continue;
      keys[level] = key;
      const item = record[key];
      this.string(key);
      this.value(item);
    }
    this.byte(Tag.end);
    this.#depth = level;
  }

  #array(value: readonly unknown[]): void {
    if (this.#meet(value)) return;
    const names = namedProperties(value);
    if (names !== undefined) this.byte(Tag.namedArray);
    const level = this.#enter(Step.index);
    const keys = this.#stepKeys;
    const n = value.length;
    if (n < smallArrayLimit) this.byte(Tag.smallArray + n);
    else {
      this.byte(Tag.array);
      this.uint(n);
    }
    for (let i = 0; i < n; i++) {
      keys[level] = i;
      const item = value[i];
      if (item === undefined && !(i in value)) {
        const next = nextIndex(value, i + 1, n);
        this.byte(Tag.hole);
        this.uint(next - i);
        i = next - 1;
      } else this.value(item);
    }
    if (names !== undefined) {
      this.#stepKinds[level] = Step.property;
      for (const name of names) {
        keys[level] = name;
        this.string(name);
        this.value((value as unknown as Record<string, unknown>)[name]);
      }
      this.byte(Tag.end);
    }
    this.#depth = level;
  }

  #special(value: object, prototype: object | null): void {
    let kind = prototype === null ? Kind.nullObject : kindOfPrototype(prototype);
    if (kind === undefined) {
      if (this.#options.isRef(value)) {
        this.#ref(value);
        return;
      }
      const codec = codecOfPrototype(prototype as object);
      if (codec !== undefined && this.leftOut?.of(value)?.has(itsCodec) !== true) {
        this.#custom(value, codec);
        return;
      }
      kind = kindOfForeign(value, prototype as object);
      if (kind === undefined) throw this.fail(refusal(value));
    }
    if (kind >= Kind.view) this.#view(value as View, kind - Kind.view);
    else if (kind === Kind.buffer) this.#buffer(value as ArrayBufferLike);
    else if (kind === Kind.array) this.#array(value as readonly unknown[]);
    else if (!this.#meet(value)) this.#builtin(value, kind);
  }

  #builtin(value: object, kind: number): void {
    switch (kind) {
      case Kind.nullObject:
      case Kind.object:
        this.byte(kind === Kind.object ? Tag.object : Tag.nullObject);
        this.#properties(value);
        return;
      case Kind.map:
        this.#map(value as ReadonlyMap<unknown, unknown>);
        return;
      case Kind.set:
        this.#set(value as ReadonlySet<unknown>);
        return;
      case Kind.date:
        this.byte(Tag.date);
        this.float(Date.prototype.getTime.call(value));
        return;
      case Kind.regexp:
        this.byte(Tag.regexp);
        this.string((value as RegExp).source);
        this.string((value as RegExp).flags);
        return;
      case Kind.boxed: {
        const primitive: unknown = value.valueOf();
        this.byte(Tag.boxed);
        if (typeof primitive === 'object') throw this.fail(refusal(value));
        this.value(primitive);
        return;
      }
      case Kind.error:
        this.#error(value as Error);
        return;
      case Kind.url:
        this.byte(Tag.url);
        this.string((value as URL).href);
        return;
      default:
        this.byte(Tag.urlSearchParams);
        this.string((value as URLSearchParams).toString());
    }
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    this.byte(Tag.map);
    // Through the prototype and up to the size now: a getter inside may add entries while this runs.
    const size = mapSize.call(value) as number;
    const level = this.#enter(Step.mapKey);
    const keys = this.#stepKeys;
    let i = 0;
    const entries = mapEntries.call(value) as IterableIterator<[unknown, unknown]>;
    for (const [key, item] of entries) {
      if (i === size) break;
      keys[level] = i++;
      this.#stepKinds[level] = Step.mapKey;
      this.value(key);
      if (typeof key === 'string') keys[level] = key;
      this.#stepKinds[level] = Step.mapValue;
      this.value(item);
    }
    this.byte(Tag.end);
    this.#depth = level;
  }

  #set(value: ReadonlySet<unknown>): void {
    this.byte(Tag.set);
    const size = setSize.call(value) as number;
    const level = this.#enter(Step.setItem);
    let i = 0;
    for (const item of setValues.call(value) as IterableIterator<unknown>) {
      if (i === size) break;
      this.#stepKeys[level] = i++;
      this.value(item);
    }
    this.byte(Tag.end);
    this.#depth = level;
  }

  /** The class, then properties that are not enumerable, then the enumerable ones. */
  #error(error: Error): void {
    const type = errorClass(error);
    this.byte(Tag.error);
    this.string(type);
    // Its constructor has to know the name, which decides the code.
    if (type === 'DOMException') this.string(error.name);
    const level = this.#enter(Step.property);
    const standard = prototypeOfError(type) as Record<string, unknown> | undefined;
    const instead = this.leftOut?.of(error);
    let key = '';
    try {
      for (key of hiddenFields) {
        this.#stepKeys[level] = key;
        // Even to ask for the descriptor of a stack runs code, which may be what has failed.
        const own = key === 'stack' && instead?.has(key) ? leftOutStack : Object.getOwnPropertyDescriptor(error, key);
        if (own === undefined ? key !== 'name' && key !== 'message' : own.enumerable) continue;
        const item = fieldOf(error, key, instead);
        // Inherited: by every process from the same class, or else from a class that is not there.
        if (own === undefined && (typeof item !== 'string' || item === standard?.[key])) continue;
        // A program may have set Error.prepareStackTrace to give anything.
        if (key === 'stack' && typeof item !== 'string') continue;
        this.string(key);
        this.value(item);
      }
      this.byte(Tag.end);
      for (key in error) {
        if (!hasOwn.call(error, key)) continue;
        this.#stepKeys[level] = key;
        const item = fieldOf(error, key, instead);
        this.string(key);
        this.value(item);
      }
      this.byte(Tag.end);
    } catch (cause) {
      const inList = key === 'errors' && this.#depth > level + 1 && this.#stepKinds[level + 1] === Step.index;
      this.leftOut?.blame(error, inList ? (this.#stepKeys[level + 1] as number) : key);
      throw cause;
    }
    this.#depth = level;
  }

  #buffer(buffer: ArrayBufferLike): void {
    const n = buffer.byteLength;
    if (n === 0) this.#refuseDetached(buffer);
    this.#findRoom(buffer, n);
    this.byte(Tag.buffer);
    this.uint(this.buffers.add(buffer, 0, n, 8, this.#argument));
  }

  #view(view: View, type: number): void {
    if (this.#meet(view)) return;
    const size = viewElementSizes[type] as number;
    const { buffer, byteLength } = view;
    if (byteLength === 0) this.#refuseDetached(buffer);
    this.#findRoom(buffer, byteLength);
    // An empty view covers nothing, wherever it is.
    const offset = byteLength === 0 ? 0 : view.byteOffset;
    this.byte(Tag.view);
    this.byte(type);
    this.uint(this.buffers.add(buffer, offset, byteLength, size, this.#argument));
    this.uint(offset);
    this.uint(byteLength / size);
  }

  #findRoom(buffer: ArrayBufferLike, byteLength: number): void {
    if (byteLength < outOfBandMinimum || this.#options.hasRoom === undefined || this.#options.hasRoom(buffer)) return;
    throw this.fail(`: shared memory has no room for its ${byteLength} bytes; release what is not needed any more`);
  }

  #refuseDetached(buffer: ArrayBufferLike): void {
    try {
      new Uint8Array(buffer);
    } catch (cause) {
      throw this.fail(': its ArrayBuffer is detached, so its bytes are gone; send it before it is transferred', cause);
    }
  }

  #ref(value: object): void {
    const known = this.#refs.meet(value);
    this.refs ??= [];
    this.byte(Tag.ref);
    this.uint(known < 0 ? this.refs.push(value) - 1 : known);
  }

  #custom(value: object, codec: { readonly id: string; encode(value: object): unknown }): void {
    const id = this.#met;
    if (this.#meet(value)) return;
    const level = this.#enter(Step.wire);
    this.#converting.add(id);
    this.byte(Tag.custom);
    this.string(codec.id);
    try {
      this.value(this.#convert(value, codec, level));
    } catch (cause) {
      if (value instanceof Error) this.leftOut?.blame(value, itsCodec);
      throw cause;
    }
    this.#converting.delete(id);
    this.#depth = level;
  }

  #convert(value: object, codec: { encode(value: object): unknown }, level: number): unknown {
    try {
      return codec.encode(value);
    } catch (error) {
      // Anything but a codec's own refusal of a value is a failure of the codec, which the encoder explains.
      if (!(error instanceof CodecError)) throw error;
      this.#depth = level;
      throw this.fail(`: ${error.message}`, error);
    }
  }
}

const leftOutStack: PropertyDescriptor = Object.freeze({ enumerable: false });

/** What a field has, or what stands in its place. */
function fieldOf(error: Error, key: string, instead: ReadonlyMap<FieldKey, unknown> | undefined): unknown {
  if (instead?.has(key)) return instead.get(key);
  const item = (error as unknown as Record<string, unknown>)[key];
  if (instead === undefined || key !== 'errors' || !Array.isArray(item)) return item;
  return item.map((each: unknown, i) => (instead.has(i) ? instead.get(i) : each));
}

const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get as () => unknown;
const setSize = Object.getOwnPropertyDescriptor(Set.prototype, 'size')?.get as () => unknown;
const mapEntries: () => unknown = Map.prototype.entries;
const setValues: () => unknown = Set.prototype.values;

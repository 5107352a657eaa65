import { errorTypes, InternalError, OutOfMemoryError, SheafError, UsageError } from '../base/index.ts';
import { Decoder, type DecodeSource, type Encoded, Encoder } from '../codec/index.ts';
import { type SharedStore, type SlotRef, sumOf } from '../memory/index.ts';
import type { Cell } from '../protocol/index.ts';
import { Files, FileValue } from './files.ts';
import { containedCell, isReference, Reference } from './reference.ts';

/**
 * Values of at most so many bytes travel inside messages: arguments, results, what is put. Larger binary data lives in
 * shared memory.
 */
export const INLINE_LIMIT = 100 * 1024;
/** The values of one call, or of one reply, do so up to this total. */
export const INLINE_TOTAL = 10 * 1024 * 1024;

/** A part of an object in shared memory. */
export interface Extent {
  readonly slot: SlotRef;
  readonly offset: number;
  readonly length: number;
}

const NO_EXTENTS: readonly Extent[] = Object.freeze([]);

/** A value that is not a primitive, as a party keeps it: encoded, with its large buffers in shared memory. */
export class Stored {
  readonly body: Uint8Array | null;
  /** Where the body is when it is too large for messages itself. */
  readonly bodyExtent: Extent | null;
  readonly buffers: readonly Extent[];

  constructor(body: Uint8Array | null, bodyExtent: Extent | null, buffers: readonly Extent[]) {
    this.body = body;
    this.bodyExtent = bodyExtent;
    this.buffers = buffers;
  }

  get shared(): boolean {
    return this.bodyExtent !== null || this.buffers.length > 0;
  }

  get byteLength(): number {
    let n = this.bodyExtent?.length ?? (this.body as Uint8Array).length;
    for (const extent of this.buffers) n += extent.length;
    return n;
  }
}

/**
 * Several values as one: what `all` makes. The parts stay where they are; an array or record of them is built where it
 * is read.
 */
export class Gathered {
  /** Null for an array. */
  readonly keys: readonly string[] | null;
  readonly items: readonly CellValue[];
  /** How many of the cell's inner references belong to each item. */
  readonly counts: readonly number[];

  constructor(keys: readonly string[] | null, items: readonly CellValue[], counts: readonly number[]) {
    this.keys = keys;
    this.items = items;
    this.counts = counts;
  }

  get shared(): boolean {
    return this.items.some((item) => isShared(item));
  }
}

/** Whether a value is more than its bytes: it has parts in shared memory, or in files. */
export function isShared(value: CellValue): boolean {
  if (value instanceof Stored || value instanceof Gathered) return value.shared;
  return value instanceof FileValue;
}

type ExtentWire = readonly [index: number, generation: number, offset: number, length: number];
/** A primitive as itself, a stored value as an array; so is an error that was raised here. */
export type Wire = unknown;

/** What a cell's value may be: a primitive, a stored value, several as one, a file, or (failed cells only) an error that was raised here. */
export type CellValue = unknown;

const toWire = (e: Extent): ExtentWire => [e.slot.index, e.slot.generation, e.offset, e.length];
const fromWire = (w: ExtentWire): Extent => ({
  slot: { index: w[0], generation: w[1] },
  offset: w[2],
  length: w[3],
});

/** Whether a value on a wire has parts in shared memory. */
export function isWireOfShared(wire: Wire): boolean {
  if (typeof wire !== 'object' || wire === null) return false;
  if (Array.isArray(wire)) return wire[1] !== null || wire.length > 2;
  return 'i' in wire && (wire as { i: readonly Wire[] }).i.some(isWireOfShared);
}

/** What a value on a wire takes there by itself. */
export function inlineBytes(wire: Wire): number {
  return Array.isArray(wire) ? ((wire[0] as Uint8Array | null)?.length ?? 0) : 0;
}

/** What encoding a value gives: how to keep it, and the references inside. */
export interface Kept {
  readonly value: CellValue;
  readonly pinned: boolean;
  readonly inner: readonly Cell[];
}

/** Whether a value is its own encoded form: immutable, small, without identity. */
export function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'undefined':
      return true;
    case 'string':
      return value.length <= 8192;
    case 'bigint':
      return value < 2n ** 64n && value > -(2n ** 64n);
    default:
      return value === null;
  }
}

/** Turns values into what cells keep and messages carry, and back. One per party. */
export class Values {
  readonly store: SharedStore;
  readonly encoder = new Encoder({ isRef: isReference });
  readonly #errorEncoder = new Encoder({ isRef: isUsable });
  readonly #raisedEncoder = new Encoder({ isRef: refuseRef });
  readonly decoder = new Decoder();
  readonly files = new Files();
  /** Makes a handle for a reference inside a decoded value. */
  readonly #handle: (cell: Cell) => Reference<unknown>;
  /** Counts bytes of shared memory that were looked at here. */
  bytesViewed = 0;

  constructor(store: SharedStore, handle: (cell: Cell) => Reference<unknown>) {
    this.store = store;
    this.#handle = handle;
  }

  /**
   * Encodes a value to be kept: of more than `limit` bytes, in shared memory. That is pinned for the caller; `inner` is not
   * held yet.
   */
  keep(value: unknown, root: string, limit: number = INLINE_LIMIT): Kept {
    if (isPlain(value)) return { value, pinned: false, inner: [] };
    if (FileValue.is(value)) return { value: this.files.known(value), pinned: true, inner: [] };
    return this.keepEncoded(this.encoder.encode(value, root, limit));
  }

  /** The same for what `encoder` has just encoded. */
  keepEncoded(encoded: Encoded): Kept {
    const inner = encoded.refs.length === 0 ? [] : (encoded.refs as readonly Reference<unknown>[]).map(containedCell);
    const stored = this.stored(encoded);
    return { value: stored, pinned: stored.shared, inner };
  }

  /**
   * Keeps an error as `keep` does, but with what can't be kept of it left out; see `Encoder.encodeError`. That may be a
   * released reference, or binary data for which shared memory has no room.
   *
   * @throws CodecError when next to nothing of it can travel.
   */
  keepError(error: Error): Kept {
    try {
      return this.keepEncoded(this.#errorEncoder.encodeError(error, 'error', INLINE_LIMIT));
    } catch (problem) {
      if (!(problem instanceof OutOfMemoryError)) throw problem;
    }
    const hasRoom = (buffer: ArrayBufferLike): boolean => this.store.slotOf(buffer) !== undefined;
    const sparing = new Encoder({ isRef: isUsable, hasRoom });
    const encoded = sparing.encodeError(error, 'error', INLINE_LIMIT);
    // Messages have room for the rest, whatever its size.
    encoded.inline = true;
    return this.keepEncoded(encoded);
  }

  /** Copies an encoder's result out of its scratch: the body to the heap or to shared memory, buffers to the latter. */
  stored(encoded: Encoded): Stored {
    try {
      return this.#stored(encoded);
    } finally {
      forget(encoded);
    }
  }

  #stored(encoded: Encoded): Stored {
    const buffers = encoded.buffers.length === 0 ? NO_EXTENTS : this.#share(encoded);
    try {
      if (encoded.inline) return new Stored(ownBytes(encoded.bytes, encoded.length), null, buffers);
      return new Stored(null, this.#shareBytes(encoded.bytes.subarray(0, encoded.length)), buffers);
    } catch (error) {
      for (const extent of buffers) this.store.unpin(extent.slot);
      throw error;
    }
  }

  /** One new object for all buffers that are not in shared memory yet; the others are shared as they are. */
  #share(encoded: Encoded): readonly Extent[] {
    const { store } = this;
    const { buffers } = encoded;
    const known = buffers.map((b) => store.slotOf(b.buffer));
    let fresh = 0;
    for (let i = 0; i < buffers.length; i++)
      if (known[i] === undefined) fresh += align((buffers[i] as Part).byteLength);
    const slot = fresh === 0 ? undefined : store.allocate(fresh);
    const extents: Extent[] = [];
    let at = 0;
    for (let i = 0; i < buffers.length; i++) {
      const { buffer, byteOffset, byteLength } = buffers[i] as Part;
      const there = known[i];
      if (there !== undefined) {
        store.seal(there.slot);
        store.pin(there.slot);
        extents.push({ slot: there.slot, offset: there.offset + byteOffset, length: byteLength });
        continue;
      }
      store.write(slot as SlotRef, at, new Uint8Array(buffer, byteOffset, byteLength));
      // One pin for each extent, so that letting them go is the same for all.
      if (at > 0) store.pin(slot as SlotRef);
      extents.push({ slot: slot as SlotRef, offset: at, length: byteLength });
      at += align(byteLength);
    }
    if (slot !== undefined) store.seal(slot);
    return extents;
  }

  #shareBytes(bytes: Uint8Array): Extent {
    const slot = this.store.allocate(bytes.length);
    this.store.write(slot, 0, bytes);
    this.store.seal(slot);
    return { slot, offset: 0, length: bytes.length };
  }

  /** Pins what a value has in shared memory. */
  pin(value: CellValue): void {
    if (value instanceof Stored) this.#pinStored(value);
    else if (value instanceof Gathered) for (const item of value.items) this.pin(item);
  }

  /** Whether something of a value is not in memory. Asked before every look at a value, when nearly all are. */
  isAbsent(value: CellValue): boolean {
    if (!(value instanceof Stored)) {
      if (value instanceof Gathered) return value.items.some((item) => this.isAbsent(item));
      return value instanceof FileValue && !value.opened;
    }
    const { store } = this;
    if (!store.room.spills) return false;
    if (value.bodyExtent !== null && store.isAbsent(value.bodyExtent.slot)) return true;
    for (const extent of value.buffers) if (store.isAbsent(extent.slot)) return true;
    return false;
  }

  /** Where the parts of a value are that lie in shared memory. */
  slotsOf(value: CellValue): SlotRef[] {
    if (value instanceof Gathered) return value.items.flatMap((item) => this.slotsOf(item));
    if (!(value instanceof Stored)) return [];
    const slots = value.buffers.map((extent) => extent.slot);
    if (value.bodyExtent !== null) slots.push(value.bodyExtent.slot);
    return slots;
  }

  /** A part of a value that is gone for good; undefined while there is none. */
  lostSlot(value: CellValue): SlotRef | undefined {
    return this.slotsOf(value).find((slot) => this.store.isLost(slot));
  }

  /** What of a value is not in memory, and would have to be read from disk. */
  absent(value: CellValue): SlotRef[] {
    if (!this.store.room.spills) return [];
    const slots = this.slotsOf(value);
    return slots.filter((slot, i) => this.store.isAbsent(slot) && slots.findIndex((s) => s.index === slot.index) === i);
  }

  /** The files of a value that are not open yet. */
  unopened(value: CellValue): FileValue[] {
    if (value instanceof Gathered) return value.items.flatMap((item) => this.unopened(item));
    return value instanceof FileValue && !value.opened ? [value] : [];
  }

  /** Bytes that a value has in shared memory. */
  sharedBytes(value: CellValue): number {
    if (value instanceof Gathered) return value.items.reduce((sum: number, item) => sum + this.sharedBytes(item), 0);
    if (!(value instanceof Stored) || !value.shared) return 0;
    return value.buffers.reduce((sum, extent) => sum + extent.length, value.bodyExtent?.length ?? 0);
  }

  unpin(value: CellValue): void {
    if (value instanceof Stored) this.#unpinStored(value);
    else if (value instanceof Gathered) for (const item of value.items) this.unpin(item);
  }

  #pinStored(stored: Stored): void {
    if (stored.bodyExtent !== null) this.store.pin(stored.bodyExtent.slot);
    for (const extent of stored.buffers) this.store.pin(extent.slot);
  }

  #unpinStored(stored: Stored): void {
    if (!this.store.usable) return;
    if (stored.bodyExtent !== null) this.store.unpin(stored.bodyExtent.slot);
    for (const extent of stored.buffers) this.store.unpin(extent.slot);
  }

  /** The form of a cell's value in a message. Pins nothing: who sends it holds the value until it is taken in. */
  toWire(value: CellValue): Wire {
    if (value instanceof Stored) {
      return [value.body, value.bodyExtent === null ? null : toWire(value.bodyExtent), ...value.buffers.map(toWire)];
    }
    if (value instanceof Gathered) {
      return { g: value.keys, i: value.items.map((item) => this.toWire(item)), n: value.counts };
    }
    if (value instanceof Error) return this.#raised(value);
    return value instanceof FileValue ? value.toWire() : value;
  }

  /** An error that was raised here, for others. Its cause may be anything: the reason that a user gave for an abort. */
  #raised(error: Error): Wire {
    let encoded: Encoded;
    try {
      encoded = this.#raisedEncoder.encodeError(error, 'error', Number.MAX_SAFE_INTEGER);
    } catch {
      const type = errorTypes[error.name] ?? SheafError;
      const options = error instanceof SheafError ? { code: error.code } : {};
      encoded = this.#raisedEncoder.encodeError(new type(error.message, options), 'error', Number.MAX_SAFE_INTEGER);
    }
    return [ownBytes(encoded.bytes, encoded.length), null];
  }

  /** Takes a value from a message; shared memory in it is pinned for the caller. */
  fromWire(wire: Wire): { value: CellValue; pinned: boolean } {
    const value = this.parse(wire);
    const pinned = isShared(value);
    if (pinned) this.pin(value);
    return { value, pinned };
  }

  /** The same, pinning nothing. */
  parse(wire: Wire): CellValue {
    if (typeof wire !== 'object' || wire === null) return wire;
    if (Array.isArray(wire)) {
      const [body, bodyExtent, ...buffers] = wire as [Uint8Array | null, ExtentWire | null, ...ExtentWire[]];
      return new Stored(
        body,
        bodyExtent === null ? null : fromWire(bodyExtent),
        buffers.length === 0 ? NO_EXTENTS : buffers.map(fromWire),
      );
    }
    const file = this.files.fromWire(wire);
    if (file !== undefined) return file;
    const { g, i, n } = wire as { g: readonly string[] | null; i: readonly Wire[]; n: readonly number[] };
    return new Gathered(
      g,
      i.map((item) => this.parse(item)),
      n,
    );
  }

  /** A cell's value for user code: fresh objects, and views of shared memory. An error for a failed cell. */
  read(cell: Cell, copy = false): unknown {
    return this.readValue(cell.value, cell.inner, copy);
  }

  readValue(value: CellValue, inner: readonly Cell[], copy: boolean): unknown {
    if (value instanceof Stored) return this.readStored(value, inner, copy);
    if (value instanceof Gathered) return this.#readGathered(value, inner, copy);
    return value instanceof FileValue ? value.read() : value;
  }

  /**
   * An error with so many references in it, for somebody who wants its name and message only: with nothing but blanks for them and
   * for shared memory, so that looking holds and pins nothing.
   */
  glance(value: CellValue, references: number): unknown {
    if (!(value instanceof Stored)) return value;
    const buffers = value.buffers.map((extent) => new ArrayBuffer(extent.length));
    return this.#decode(value, { buffers, refs: Array.from({ length: references }), deps: [] });
  }

  #readGathered({ keys, items, counts }: Gathered, inner: readonly Cell[], copy: boolean): unknown {
    let at = 0;
    const values = items.map((item, i) => {
      const count = counts[i] as number;
      const own = count === 0 ? [] : inner.slice(at, at + count);
      at += count;
      return this.readValue(item, own, copy);
    });
    if (keys === null) return values;
    return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
  }

  /**
   * Remembers what shared memory holds now. The function it returns says, once, whether that has changed. Undefined
   * where there is none.
   */
  watchWrites(value: CellValue): (() => string | undefined) | undefined {
    if (value instanceof Gathered) {
      const checks = value.items.map((item) => this.watchWrites(item)).filter((check) => check !== undefined);
      return checks.length === 0 ? undefined : () => checks.map((check) => check()).find((text) => text !== undefined);
    }
    if (!(value instanceof Stored) || value.buffers.length === 0) return undefined;
    this.#pinStored(value);
    const sums = value.buffers.map((extent) => this.#sum(extent));
    return () => {
      // Of what was lost meanwhile nobody can tell.
      const lost = this.lostSlot(value) !== undefined;
      const changed = lost ? -1 : value.buffers.findIndex((extent, i) => this.#sum(extent) !== sums[i]);
      this.#unpinStored(value);
      return changed < 0 ? undefined : `${(value.buffers[changed] as Extent).length} bytes of shared memory`;
    };
  }

  #sum({ slot, offset, length }: Extent): number {
    return this.store.reading(slot, (bytes) => sumOf(bytes.subarray(offset, offset + length)));
  }

  readStored(stored: Stored, inner: readonly Cell[], copy: boolean): unknown {
    return this.#decode(stored, {
      buffers: stored.buffers.map((extent) => this.view(extent, copy)),
      refs: inner.length === 0 ? [] : inner.map((cell) => this.#handle(cell)),
      deps: [],
    });
  }

  #decode(stored: Stored, source: DecodeSource): unknown {
    if (stored.body !== null) return this.decoder.decode(stored.body, 0, stored.body.length, source);
    const { slot, offset, length } = stored.bodyExtent as Extent;
    return this.store.reading(slot, (bytes) => {
      if (bytes.length < offset + length) throw new InternalError('a value in shared memory is shorter than announced');
      return this.decoder.decode(bytes, offset, offset + length, source);
    });
  }

  view(extent: Extent, copy: boolean): ArrayBuffer {
    this.bytesViewed += extent.length;
    if (!copy) return this.store.view(extent.slot, extent.offset, extent.length);
    const { slot, offset, length } = extent;
    return this.store.reading(slot, (bytes) => bytes.slice(offset, offset + length).buffer as ArrayBuffer);
  }
}

/** A reference that is still good. (`Reference.cell` throws for one that is released.) */
function isUsable(value: object): boolean {
  return isReference(value) && Reference.cell(value) !== undefined;
}

/** What counts and grants references knows the values of tasks, and not what an error raised here may have for a cause. */
function refuseRef(value: object): boolean {
  if (!isReference(value)) return false;
  throw new UsageError('a Ref in the reason of an abort stays where it is; give its id, or pass it to a task');
}

interface Part {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** An encoder must not keep what it has encoded from being garbage until its next use. */
export function forget(encoded: Encoded): void {
  encoded.buffers = NOTHING;
  encoded.refs = NOTHING;
}

const NOTHING: readonly never[] = Object.freeze([]);

/** A copy of the first `length` bytes. (The `slice` of a Buffer, which an encoder's scratch is, copies nothing.) */
export function ownBytes(bytes: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(bytes.subarray(0, length));
}

/**
 * Objects within one allocation start at multiples of a cache line. Without bitwise operators: they have 32 bits, and sizes
 * go beyond.
 */
function align(n: number): number {
  return Math.ceil(n / 64) * 64;
}

import { formatBytes, InternalError, ObjectLostError, UsageError } from '../base/index.ts';
import {
  attachSegment,
  createSegment,
  libc,
  MAX_SEGMENT,
  type Segment,
  type SharedMemory,
  segmentBytes,
} from '../native/index.ts';
import { type ObjectRow, objectsOf, type StoreStats, statsOf, usedBy } from './accounts.ts';
import { Admission } from './admission.ts';
import { collectGarbage } from './collector.ts';
import { Counts } from './counts.ts';
import type { StoreHandle } from './handle.ts';
import { format, isFormatted, type Layout, layoutOf, mostPages, PAGE, REGION_PAGES } from './layout.ts';
import { USE } from './pins.ts';
import { Reader } from './reader.ts';
import { type Place, placeOf, Regions } from './regions.ts';
import { pagesOf, Residence } from './residence.ts';
import { Room } from './room.ts';
import { type Disk, realDisk } from './spill-disk.ts';
import { spillFile } from './spill-folder.ts';
import { SpillRequests } from './spill-requests.ts';
import { Spiller } from './spiller.ts';
import { sumOf } from './sum.ts';
import { type SlotRef, Table } from './table.ts';
import { Views } from './views.ts';
import { WarmPages } from './warm-pages.ts';

interface StoreOptions {
  /** Bytes for objects. Rounded up to whole pages of 64 KiB. */
  readonly limit: number;
  /** How many participants there can be; each is one thread of some process, with a number of its own. */
  readonly parties: number;
  readonly between: 'processes' | 'threads';
  /** Free bytes that are kept present in memory for the next object. Default: half of the limit, at most 2 GiB. */
  readonly warm?: number;
  /** The number of the party that creates the store. Default 0. */
  readonly party?: number;
  /** A folder of this store alone, for objects that have no room in memory. Default: they are kept in memory. */
  readonly spill?: string | undefined;
}

/** Somebody who holds objects until he finds out that what they are held for is garbage. */
export interface Keeper {
  /** How many he holds. */
  readonly size: number;
  /** Garbage is about to be collected: time to let go of what may be some. */
  prepare(): void;
  /** Garbage was collected: time to look. */
  sweep(): void;
}

/** Below this many bytes JavaScript copies faster than a foreign call begins. */
const SMALL_COPY = 4096;
/** Of the time of a thread, collections that others ask for take one part in so many. */
const COLLECT_PART = 3;
/** From this many bytes on, what V8 makes of a view matters. */
const LARGE_VIEW = 1024 * 1024;

/**
 * The shared memory of one node, seen by one party. An object is a run of pages, open while it is written and then
 * sealed; it exists while some party pins it. Allocation is synchronous and asks nobody while there is room.
 *
 * A sealed object may be on disk while nobody uses it: `use` says that its bytes are needed, and brings it back.
 *
 * Objects are handed on by reference: the receiver pins it before the sender takes its own pin off. To keep what a dead
 * party has announced, read its last messages and pin what they name before `reclaimParty`.
 */
export class SharedStore {
  readonly handle: StoreHandle;
  readonly party: number;
  /** Bytes of all pages. */
  readonly limit: number;
  /** How this party gets room when there is none. */
  readonly room: Room;
  readonly admission: Admission;
  /** Called once, before the first large view is made. */
  onLargeView: (() => void) | undefined;
  /** Told of each new object. `alloc`: user code is to fill it in. */
  onAllocate: ((ref: SlotRef, alloc: boolean) => void) | undefined;

  readonly #table: Table;
  readonly #layout: Layout;
  readonly #creator: boolean;
  readonly #regions: Regions;
  readonly #warm: WarmPages;
  readonly #views: Views;
  readonly #residence: Residence;
  readonly #requests: SpillRequests;
  readonly #reader: Reader;
  readonly #keepers: Keeper[] = [];
  readonly #holds = new Counts();
  readonly #uses = new Counts();
  #emptied = 0;
  #collectAgainAt = 0;
  #closed = false;

  private constructor(handle: StoreHandle, table: Segment, party: number, creator: boolean, warm: number) {
    this.handle = handle;
    this.party = party;
    this.limit = handle.pages * PAGE;
    this.#layout = layoutOf(handle.pages, handle.parties);
    this.#creator = creator;
    const words = new Int32Array(table.buffer);
    if (creator) format(words, this.#layout, Math.floor(warm / PAGE));
    else if (!isFormatted(words, this.#layout)) {
      throw new InternalError('the memory to attach to is no store of this session; were its descriptors passed on?');
    }
    this.#table = new Table(words, this.#layout, party);
    this.#regions = new Regions(handle, table);
    this.#warm = new WarmPages(this.#table, this.#regions, this.limit);
    this.#views = new Views(this, this.#regions);
    this.#residence = new Residence(this.#table);
    this.#requests = new SpillRequests(words, this.#layout);
    const garbage = ((store: SharedStore) => ({
      // Where there is a disk, garbage can go there, and wait for a better moment.
      get worthwhile() {
        return store.viewCount > 0 && (!store.room.spills || store.mayCollect);
      },
      collect: () => store.collect(),
    }))(this);
    this.room = new Room(handle, this.#table, this.#residence, this.#requests, garbage);
    this.#reader = new Reader(this.#table, this.#residence, this.#regions, this.room);
    this.admission = new Admission(this.#table);
  }

  /** The most that `limit` can be: the table of all pages has to fit one segment. */
  static mostBytes(parties: number): number {
    return mostPages(parties, MAX_SEGMENT) * PAGE;
  }

  /** Bytes that one object can have at most. */
  get largest(): number {
    return Math.min(REGION_PAGES * PAGE, this.limit);
  }

  static create(o: StoreOptions): SharedStore {
    const pages = Math.ceil(o.limit / PAGE);
    if (!(Number.isInteger(o.parties) && o.parties > 0 && o.parties < 4096)) {
      throw new UsageError(`the shared memory can have 1 to 4095 parties, not ${o.parties}`);
    }
    const most = SharedStore.mostBytes(o.parties);
    if (!(pages > 0 && o.limit <= most)) {
      throw new UsageError(`the limit of the shared memory is ${o.limit} bytes; give 1 to ${most}`);
    }
    const warm = Math.min(o.warm ?? Math.min(o.limit / 2, 2 * 1024 ** 3), pages * PAGE);
    const tableBytes = segmentBytes(layoutOf(pages, o.parties).words * 4);
    const { parties } = o;
    const shape = { pages, parties, ...(o.spill === undefined ? {} : { spill: o.spill }) };
    if (o.between === 'processes') {
      const c = libc();
      if (c === undefined) {
        throw new UsageError('memory can be shared between processes only on Linux with koffi; share between threads');
      }
      const fd = c.memfdCreate('sheaf-store');
      try {
        c.ftruncate(fd, tableBytes + pages * PAGE);
        const table = attachSegment({ kind: 'memfd', fd, byteLength: tableBytes, offset: 0 });
        return new SharedStore({ kind: 'memfd', fd, ...shape }, table, o.party ?? 0, true, warm);
      } catch (error) {
        c.close(fd);
        throw error;
      }
    }
    const table = createSegment('sheaf-table', tableBytes, 'threads');
    const regions: SharedMemory[] = [];
    for (let at = 0; at < pages; at += REGION_PAGES) {
      regions.push(createSegment('sheaf-region', Math.min(REGION_PAGES, pages - at) * PAGE, 'threads').memory);
    }
    const handle: StoreHandle = { kind: 'memory', table: table.memory, regions, ...shape };
    return new SharedStore(handle, table, o.party ?? 0, true, warm);
  }

  static attach(handle: StoreHandle, party: number): SharedStore {
    const byteLength = segmentBytes(layoutOf(handle.pages, handle.parties).words * 4);
    const table = attachSegment(
      handle.kind === 'memfd'
        ? { kind: 'memfd', fd: handle.fd, byteLength, offset: 0 }
        : { kind: 'memory', memory: handle.table },
    );
    return new SharedStore(handle, table, party, false, 0);
  }

  /** Not closed, here or by the creator, and not given up as dead. */
  get usable(): boolean {
    return !this.#closed && this.#table.over === undefined;
  }

  /** Grows whenever some party found no room: a reason for the others to `collect`. */
  get pressure(): number {
    return this.#table.pressure;
  }

  /** Buffers made by `view` and `alloc`, and what keepers hold, that are not known to be garbage. */
  get viewCount(): number {
    return this.#keepers.reduce((count, keeper) => count + keeper.size, this.#views.size);
  }

  /** From now on the keeper is told of collections, too. */
  tell(keeper: Keeper): void {
    this.#keepers.push(keeper);
  }

  /**
   * A new open object of `byteLength` bytes with one pin of this party. Its bytes are what was there before.
   * @throws OutOfMemoryError without room, when none can be made.
   */
  allocate(byteLength: number, alloc = false): SlotRef {
    this.#check();
    if (!(Number.isSafeInteger(byteLength) && byteLength >= 0)) {
      throw new UsageError(`an object can't have ${byteLength} bytes; give a whole number of at least 0`);
    }
    const pages = pagesOf(byteLength);
    const ref = this.room.find(byteLength, () => this.#table.allocate(pages, byteLength));
    this.#holds.set(ref.index, 1);
    if (this.room.tight) this.room.onSpill?.();
    this.onAllocate?.(ref, alloc);
    return ref;
  }

  /** All bytes of the object, for as long as the caller writes or uses it. */
  bytes(ref: SlotRef): Uint8Array {
    this.#check();
    const { region, offset } = this.#place(ref);
    return new Uint8Array(this.#regions.segment(region).buffer, offset, this.#table.byteLength(ref));
  }

  /** Copies `from` into an open object. */
  write(ref: SlotRef, offset: number, from: ArrayBufferView): void {
    this.#check();
    if (!this.#table.isOpen(ref)) throw new InternalError(`object ${ref.index} is sealed and can't be written`);
    this.#inRange(ref, offset, from.byteLength);
    const place = this.#place(ref);
    const { buffer, address } = this.#regions.segment(place.region);
    const at = place.offset + offset;
    if (from.byteLength >= SMALL_COPY && address !== undefined) {
      libc()!.copy(address + BigInt(at), from, from.byteLength);
    } else {
      const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
      new Uint8Array(buffer, at, from.byteLength).set(bytes);
    }
  }

  /** Ends the writing. Sealing twice is as good as once. */
  seal(ref: SlotRef): void {
    this.#check();
    this.#table.seal(ref);
  }

  /**
   * Seals, and remembers a checksum for `verify`. For a segment that may be damaged; what comes back from a file has a
   * checksum of its own, taken as it is written.
   */
  sealWithSum(ref: SlotRef): void {
    const sum = sumOf(this.bytes(ref));
    this.#table.seal(ref, sum);
  }

  /** Whether the bytes are those that were sealed; true without a checksum. */
  verify(ref: SlotRef): boolean {
    this.#check();
    const sum = this.#table.sumOf(ref);
    return sum === undefined || sum === sumOf(this.bytes(ref));
  }

  byteLength(ref: SlotRef): number {
    this.#check();
    return this.#table.byteLength(ref);
  }

  /** What `read` makes of all bytes of the object, which is in memory while it does. */
  reading<T>(ref: SlotRef, read: (bytes: Uint8Array) => T): T {
    this.use(ref);
    try {
      return read(this.bytes(ref));
    } finally {
      this.unuse(ref);
    }
  }

  /** Where the object is: the number of its region, and the bytes from the region's beginning. */
  address(ref: SlotRef): Place {
    this.#check();
    return this.#place(ref);
  }

  /** The memory of a region, for code that reads and writes objects by their addresses. An object stays at its address while it is used. */
  memory(region: number): SharedMemory {
    this.#check();
    return this.#regions.segment(region).memory;
  }

  /** Counted in this party. Somebody's pin must hold the object until this returns. */
  pin(ref: SlotRef): void {
    this.#check();
    const count = this.#holds.get(ref.index);
    if (count === 0) this.#table.pin(ref);
    else this.#table.live(ref);
    this.#holds.set(ref.index, count + 1);
  }

  /** Takes one pin off; the last one of the last party frees the object. */
  unpin(ref: SlotRef): void {
    this.#check();
    this.#table.live(ref);
    const count = this.#holds.get(ref.index);
    if (count === 0) {
      throw new InternalError(`object ${ref.index}.${ref.generation} is not pinned by party ${this.party}`);
    }
    this.#holds.set(ref.index, count - 1);
    if (count === 1 && this.#table.unpin(ref)) this.#freed();
  }

  #freed(): void {
    this.#warm.shedSurplus();
    if (this.#residence.emptied === this.#emptied) return;
    this.#emptied = this.#residence.emptied;
    this.room.onSpill?.();
  }

  /**
   * The object is in memory when this returns, and stays there until as many calls of `unuse`; where it is on disk, it is
   * read back. Counted in this party. Somebody's pin must hold it until this returns.
   * @throws OutOfMemoryError, ObjectLostError
   */
  use(ref: SlotRef): void {
    this.#check();
    const count = this.#uses.get(ref.index);
    if (this.#table.isLost(ref)) throw this.#lost(ref);
    if (count === 0 && !this.#table.use(ref)) this.#reader.bring(ref);
    this.#uses.set(ref.index, count + 1);
  }

  unuse(ref: SlotRef): void {
    this.#check();
    this.#table.live(ref);
    const count = this.#uses.get(ref.index);
    if (count === 0)
      throw new InternalError(`object ${ref.index}.${ref.generation} is not used by party ${this.party}`);
    this.#uses.set(ref.index, count - 1);
    if (count === 1 && this.#table.unpin(ref, USE)) this.#freed();
  }

  /**
   * Takes the bytes of the object away: a fault for tests, as a damaged file is one. Buffers that show them already go on
   * doing so, everybody else hears an ObjectLostError.
   */
  lose(ref: SlotRef): void {
    this.#check();
    this.#table.lose(ref);
  }

  /** Whether the bytes of the object are gone for good, as far as anybody has found out. */
  isLost(ref: SlotRef): boolean {
    this.#check();
    return this.#table.isLost(ref);
  }

  /** The file that has a copy of the object, or should have. */
  fileOf(ref: SlotRef): string | undefined {
    this.#check();
    const serial = this.#residence.fileOf(ref);
    return serial === undefined || !this.room.spills ? undefined : spillFile(this.room.folder, serial);
  }

  #lost(ref: SlotRef): ObjectLostError {
    const size = formatBytes(this.#table.byteLength(ref));
    const file = this.fileOf(ref);
    return new ObjectLostError(`a value of ${size} in shared memory is lost`, {
      ...(file === undefined
        ? {}
        : { code: 'ERR_SHEAF_SPILL_UNREADABLE', details: { file, folder: this.room.folder } }),
    });
  }

  /** Whether the object would have to be read from disk now. */
  isAbsent(ref: SlotRef): boolean {
    this.#check();
    return this.#residence.isAbsent(ref);
  }

  /**
   * The bytes [offset, offset + length) as an ArrayBuffer of their own without a copy. It pins the object until it is
   * garbage. The same bytes asked for again are the same buffer as long as it lives, because each new one counts as
   * memory of its size for V8, which collects garbage after 64 MiB of them (see `tolerateLargeViews`).
   *
   * Where there is no FFI it is a copy, and nothing is pinned.
   */
  view(ref: SlotRef, offset = 0, length = this.byteLength(ref) - offset): ArrayBuffer {
    this.#check();
    this.#inRange(ref, offset, length);
    this.use(ref);
    try {
      return this.#view(ref, offset, length);
    } finally {
      this.unuse(ref);
    }
  }

  #view(ref: SlotRef, offset: number, length: number): ArrayBuffer {
    if (length >= LARGE_VIEW) {
      this.onLargeView?.();
      this.onLargeView = undefined;
    }
    return this.#views.of(ref, this.#place(ref), offset, length);
  }

  /** The object that a buffer made by `view` or `alloc` shows, so that it can be passed on without a copy. */
  slotOf(buffer: ArrayBufferLike): { slot: SlotRef; offset: number } | undefined {
    return this.#views.slotOf(buffer);
  }

  /**
   * A new open object as a zeroed buffer to fill in place, pinned until it is garbage; `slotOf` finds the object, to
   * seal it. Without FFI a plain buffer outside of the store.
   */
  alloc(byteLength: number): ArrayBuffer {
    this.#check();
    if (libc() === undefined) return new ArrayBuffer(byteLength);
    const ref = this.allocate(byteLength, true);
    try {
      const buffer = this.view(ref, 0, byteLength);
      new Uint8Array(buffer).fill(0);
      return buffer;
    } finally {
      this.unpin(ref);
    }
  }

  /**
   * Takes back what `party` was writing. As `reclaimParty`, but there is no need to have read its last messages: none can
   * name what was not sealed.
   */
  reclaimUnsealed(party: number): void {
    this.#checkOther(party);
    this.#table.reclaimUnsealed(party);
    this.#warm.shedSurplus();
  }

  /**
   * Takes back what `party` held: its lock, its pins, what it was writing. Only for the control thread, and only when
   * that party is certainly over (its process or thread has ended), because its memory is given to others at once.
   */
  reclaimParty(party: number): void {
    this.#checkOther(party);
    this.#table.reclaim(party);
    this.#warm.shedSurplus();
  }

  #checkOther(party: number): void {
    this.#check();
    if (party === this.party) throw new UsageError(`party ${party} can't reclaim itself; close the store instead`);
    if (!(party >= 0 && party < this.handle.parties)) throw new UsageError(`there is no party ${party}`);
  }

  /**
   * Gives free memory back to the system until at most `keep` bytes of it are warm, or `most` bytes are given back
   * (about 5 GB a second). Answers the bytes given back.
   */
  trim(keep: number, most = Number.POSITIVE_INFINITY): number {
    this.#check();
    return this.#warm.trim(keep, most);
  }

  /**
   * A garbage collection of this thread, to take off the pins of views that nobody holds any more. Views made in the
   * current job survive it; finalizers of the others that run later find nothing left to do.
   */
  collect(): void {
    this.#check();
    const begun = performance.now();
    for (const keeper of this.#keepers) keeper.prepare();
    collectGarbage();
    this.#views.sweep();
    for (const keeper of this.#keepers) keeper.sweep();
    const now = performance.now();
    this.#collectAgainAt = now + (now - begun) * COLLECT_PART;
  }

  /** Whether another one is no more than a small part of all that this thread does. */
  get mayCollect(): boolean {
    return performance.now() >= this.#collectAgainAt;
  }

  stats(): StoreStats {
    this.#check();
    return statsOf(this.#table);
  }

  /** What there is, for people. */
  objects(): ObjectRow[] {
    this.#check();
    return objectsOf(this.#table);
  }

  /** Whether it is still the object that it was. */
  exists(ref: SlotRef): boolean {
    return this.#table.exists(ref);
  }

  /** Bytes of the pages that `party` has pinned. */
  usedBy(party: number): number {
    this.#check();
    return usedBy(this.#table, party);
  }

  /**
   * Leaves the store; the creator ends it for everybody and gives all of its memory back. Buffers that are still
   * reachable stay readable, but what they show may change. Twice is as good as once.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#creator) {
      // The descriptor is the process's; other parties in it may use it.
      this.#table.detach();
      return;
    }
    this.#table.close();
    this.#regions.end();
    if (this.handle.kind === 'memfd') libc()?.close(this.handle.fd);
  }

  #check(): void {
    if (this.#closed) throw new UsageError('the shared memory of this session is closed; connect again to go on');
    this.#table.check();
  }

  #place(ref: SlotRef): Place {
    return placeOf(this.#table.firstPage(ref));
  }

  #inRange(ref: SlotRef, offset: number, length: number): void {
    const byteLength = this.#table.byteLength(ref);
    if (offset >= 0 && length >= 0 && offset + length <= byteLength) return;
    throw new InternalError(
      `bytes ${offset} to ${offset + length} are not in object ${ref.index}, which has ${byteLength} bytes`,
    );
  }

  /** From now on this party writes to disk for all; one party does. Needs the option `spill`. */
  spill(disk: Disk = realDisk): Spiller {
    return new Spiller({
      table: this.#table,
      residence: this.#residence,
      regions: this.#regions,
      requests: this.#requests,
      folder: this.room.folder,
      disk,
    });
  }
}

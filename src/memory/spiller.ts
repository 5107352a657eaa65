import { crc32 } from 'node:zlib';
import { BLOCK, PAGE, REGION_PAGES } from './layout.ts';
import { USE } from './pins.ts';
import { placeOf, type Regions } from './regions.ts';
import type { Residence, Resident } from './residence.ts';
import { Restorer } from './restorer.ts';
import { type SpillLimits, SpillRules } from './spill.rules.ts';
import type { Disk } from './spill-disk.ts';
import { spillFile } from './spill-folder.ts';
import type { SpillRequests, Trouble } from './spill-requests.ts';
import type { SlotRef, Table } from './table.ts';

/** Bytes for one call of the system; the checksum of the next ones is taken meanwhile. */
const WRITE_STEP = 16 * 1024 * 1024;
/** Above this part of the store objects are written by foresight, down to that part. */
const HIGH = 0.8;
const LOW = 0.7;
const BATCH_BYTES = 128 * 1024 * 1024;
/** A batch is no larger than this part of the store. */
const BATCH_PART = 4;
const BATCH_OBJECTS = 2000;
const PAUSE_MS = 500;
const EIO = 5;

interface Piece extends Resident {
  readonly name: string;
}

export function spillLimits(pages: number): SpillLimits {
  return {
    pages,
    regionPages: REGION_PAGES,
    high: Math.floor(pages * HIGH),
    low: Math.floor(pages * LOW),
    batchPages: Math.max(1, Math.min(Math.floor(pages / BATCH_PART), BATCH_BYTES / PAGE)),
    batchObjects: BATCH_OBJECTS,
    writing: 2,
    pause: PAUSE_MS,
  };
}

/** What the spiller has of the store. */
export interface SpillerParts {
  readonly table: Table;
  readonly residence: Residence;
  readonly regions: Regions;
  readonly requests: SpillRequests;
  /** Of the session. */
  readonly folder: string;
  readonly disk: Disk;
}

/**
 * Writes objects to disk, and deletes their files. There is one in a session, on the control thread; it asks the system to
 * do what takes time and goes on meanwhile. Reading back is done by those who need it.
 */
export class Spiller {
  readonly #parts: SpillerParts;
  readonly #restorer: Restorer;
  readonly #rules: SpillRules<Piece>;
  readonly #pages: number;
  #request: { asked: number; pages: number } | undefined;
  /** Keeps the folder in use. */
  #folder: number | undefined;
  /** Files under way, by serial. */
  readonly #open = new Set<number>();
  readonly #work = new Set<Promise<unknown>>();
  #emptied = -1;
  /** Pages that were taken when nothing could be done about it. */
  #inVain = -1;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Bytes that have been written, and files, since the beginning. */
  written = 0;
  files = 0;

  constructor(parts: SpillerParts) {
    this.#parts = parts;
    this.#restorer = new Restorer(parts, () => this.look());
    const limits = spillLimits(parts.table.layout.pages);
    this.#pages = limits.pages;
    this.#rules = new SpillRules(limits);
    parts.requests.begin(limits.high);
  }

  /** Reads an object back without standing still; see `Restorer`. */
  bring(ref: SlotRef): Promise<void> {
    return this.#restorer.bring(ref);
  }

  /** Does what can be done now, and is called again when that may be more. Cheap when there is nothing to do. */
  look(): void {
    const { requests, residence, table } = this.#parts;
    if (this.#closed || !requests.open) return;
    if (residence.emptied !== this.#emptied) this.#sweep();
    for (;;) {
      if (requests.wanted || this.#request === undefined) {
        const { asked, pages } = requests.take();
        if (pages > 0) this.#request = { asked, pages: Math.max(pages, this.#request?.pages ?? 0) };
      }
      const taken = this.#pages - table.pages.free;
      if (this.#request === undefined && (taken <= requests.high || taken === this.#inVain)) return;
      this.#inVain = -1;
      const pieces = this.#pieces();
      const plan = this.#rules.look(pieces, taken, this.#request?.pages ?? 0, performance.now());
      let left = false;
      for (const { ref } of plan.evict) if (residence.evict(ref)) left = true;
      if (left) requests.progressed();
      if (plan.write.length > 0) this.#start(plan.write);
      if (plan.answer) this.#answer();
      if (plan.write.length > 0 || left) continue;
      this.#inVain = taken;
      break;
    }
    this.#retryLater();
  }

  #pieces(): Piece[] {
    const { residence, table } = this.#parts;
    return residence
      .residents(table.party)
      .map((each) => ({ ...each, name: `${each.ref.index}.${each.ref.generation}` }));
  }

  #answer(): void {
    if (this.#request === undefined) return;
    this.#parts.requests.answer(this.#request.asked);
    this.#request = undefined;
  }

  #retryLater(): void {
    const wait = this.#rules.retryIn(performance.now());
    if (wait === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#inVain = -1;
      this.look();
    }, wait).unref();
  }

  #start(pieces: readonly Piece[]): void {
    const { residence, requests } = this.#parts;
    const kept = pieces.filter(({ ref }) => residence.keep(ref));
    const work: Promise<unknown> = this.#write(kept)
      .then(
        () => {
          this.#rules.written(pieces);
          requests.progressed();
        },
        (error: unknown) => {
          this.#rules.failed(pieces, performance.now());
          requests.setTrouble(troubleOf(error));
        },
      )
      .then(() => {
        for (const { ref } of kept) this.#parts.table.unpin(ref, USE);
        for (const { ref } of kept) residence.evict(ref);
        this.#work.delete(work);
        this.#inVain = -1;
        this.look();
      })
      // The session is closed: nothing is to be said to anybody.
      .catch(() => this.#work.delete(work));
    this.#work.add(work);
  }

  async #write(pieces: readonly Piece[]): Promise<void> {
    if (pieces.length === 0) return;
    const { disk, residence, requests, folder } = this.#parts;
    const file = residence.newFile();
    if (file === undefined) throw new SpillFailure({ errno: EMFILE, serial: 0 });
    this.#open.add(file.serial);
    const path = spillFile(folder, file.serial);
    let fd: number | undefined;
    try {
      this.#folder ??= disk.makeFolder(folder);
      fd = await disk.create(path);
      const copies = await this.#writeAll(fd, pieces);
      await disk.sync(fd);
      await disk.close(fd);
      fd = undefined;
      residence.copied(file, copies);
      this.files++;
      requests.setTrouble(undefined);
    } catch (error) {
      if (fd !== undefined) await disk.close(fd).catch(() => {});
      // What is left of it is empty for the table, and is deleted like any other.
      throw new SpillFailure({ errno: errnoOf(error), serial: this.#folder === undefined ? 0 : file.serial });
    } finally {
      this.#open.delete(file.serial);
      this.#emptied = -1;
    }
  }

  /** One after the other, in few large writes; while the system has some, the checksums of the next ones are taken. */
  async #writeAll(fd: number, pieces: readonly Piece[]): Promise<{ ref: Piece['ref']; at: number; sum: number }[]> {
    const { disk, requests } = this.#parts;
    const copies: { ref: Piece['ref']; at: number; sum: number }[] = [];
    let parts: Uint8Array[] = [];
    let gathered = 0;
    let position = 0;
    let writing: Promise<void> = Promise.resolve();
    const flush = async (): Promise<void> => {
      await writing;
      // A disk that has failed makes progress when a file is complete, and not with every attempt.
      if (requests.trouble === undefined) requests.progressed();
      writing = disk.write(fd, parts, position);
      // Heard of when it is waited for.
      writing.catch(() => {});
      position += gathered;
      parts = [];
      gathered = 0;
    };
    for (const piece of pieces) {
      const bytes = this.#bytes(piece);
      const at = (position + gathered) / BLOCK;
      const { byteLength } = piece;
      let sum = 0;
      for (let from = 0; from < bytes.length; from += WRITE_STEP) {
        const step = bytes.subarray(from, from + WRITE_STEP);
        sum = crc32(step.subarray(0, byteLength - from), sum);
        parts.push(step);
        gathered += step.length;
        if (gathered >= WRITE_STEP) await flush();
      }
      this.written += byteLength;
      copies.push({ ref: piece.ref, at, sum });
    }
    if (gathered > 0) await flush();
    await writing;
    return copies;
  }

  /** In whole blocks: what is behind the object on its last page goes along. */
  #bytes({ start, byteLength }: Piece): Uint8Array {
    const { region, offset } = placeOf(start);
    const length = Math.ceil(byteLength / BLOCK) * BLOCK;
    return new Uint8Array(this.#parts.regions.segment(region).buffer, offset, length);
  }

  /** Deletes the files of which nothing is needed any more. */
  #sweep(): void {
    const { residence, disk, folder } = this.#parts;
    this.#emptied = residence.emptied;
    for (const file of residence.emptyFiles()) {
      if (this.#open.has(file.serial)) continue;
      this.#open.add(file.serial);
      const work: Promise<unknown> = disk
        .remove(spillFile(folder, file.serial))
        .catch(() => {
          // Somebody else was faster, or it never came to be; the folder goes at the end.
        })
        .then(() => {
          residence.forgetFile(file);
          this.#open.delete(file.serial);
          this.#work.delete(work);
        })
        .catch(() => this.#work.delete(work));
      this.#work.add(work);
    }
  }

  /** Starts nothing more, and waits for what is under way. The folder is no longer in use then. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#work);
    const { disk } = this.#parts;
    if (this.#folder !== undefined) await disk.close(this.#folder).catch(() => {});
    this.#folder = undefined;
  }
}

const EMFILE = 24;

class SpillFailure extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super('objects could not be written to disk');
    this.trouble = trouble;
  }
}

function troubleOf(error: unknown): Trouble {
  return error instanceof SpillFailure ? error.trouble : { errno: EIO, serial: 0 };
}

function errnoOf(error: unknown): number {
  const { errno } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' && errno !== 0 ? Math.abs(errno) : EIO;
}

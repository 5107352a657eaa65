import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { SharedStore, SlotRef } from '../memory/index.ts';
import { arraysOf, type Engine, takeMessages, threadState } from '../runtime/index.ts';
import { cancel, type Ref, remote } from '../tasks/index.ts';
import type { Head } from './csv-head.ts';
import { LinesOfFile, type Part, scanBytes, scanPart } from './csv-part.ts';
import { NO_ROOM, NONE_LEFT, Ring, ringBytes } from './csv-ring.ts';
import { type Dialect, type MakeRoom, ScanFault, type Scanned, Scanner } from './csv-scan.ts';
import { MOST_COLUMNS, WINDOW } from './csv-wasm.ts';
import type { Bytes } from './source.ts';

/** Below that, calling somebody takes longer than doing it. */
const LEAST_SHARED = 1 << 20;
/** Bytes of a piece: with the line that begins in it and ends in the next one they are read and scanned in one go. */
const PIECE = WINDOW - (1 << 13);
/** Values of lines that begin in a piece, if the last of them is no longer than usual: a value takes two bytes at least. */
const ROOM = WINDOW / 2;
/** Slots for each thread: what it is at, and what it is ahead of the one that empties them. */
const SLOTS = 4;
/** More find nothing to do: somebody has to put together what they find. */
const MOST_WORKERS = 8;
/** The event loop gets a turn after so long, in milliseconds. */
const SLICE = 4;
/** A piece is waited for as long as it would take here, and so much longer, in milliseconds; then it is done here: whoever has it may be busy with something else. */
const PATIENCE = 1;

/** A file as those see it who scan it together. */
export interface Pieces {
  readonly path: string;
  readonly range: { readonly start: number; readonly size: number };
  readonly columns: number;
  readonly dialect: Dialect;
  /** Whether whole numbers beyond 2**53 are wanted exactly. */
  readonly exact: boolean;
  readonly slots: number;
}

/** What somebody wants of a scan. */
export interface Wanted {
  /** Whole numbers beyond 2**53 exactly. */
  readonly exact: boolean;
  /** The values in room of his; otherwise they have their own. */
  readonly make?: MakeRoom | undefined;
}

/** All records after the head, with the workers of the open session if there is one and it is worth it. */
export async function scanAll(file: Bytes, head: Head, dialect: Dialect, { exact, make }: Wanted): Promise<Scanned> {
  const { start, columns } = head;
  const { path, size } = file;
  const length = size - start;
  if (length <= 0 || columns === 0)
    return { rows: 0, columns, values: new Float64Array(0), kinds: new Uint8Array(columns), large: new Map() };
  if (path === undefined) return faultless(scanBytes(await file.read(start, size), 0, columns, dialect, start, make));
  const helpers =
    length < LEAST_SHARED ? undefined : Helpers.call({ path, range: { start, size }, columns, dialect, exact });
  if (helpers === undefined)
    return faultless(scanPart(path, { from: start, to: size, start, size }, columns, dialect, make));
  const lines = new LinesOfFile(path, { start, size }, columns, dialect);
  try {
    return await together(helpers, lines, make);
  } finally {
    helpers.end();
    lines.close();
  }
}

/** This thread takes pieces as the others do, and besides puts together what all have found. */
async function together(helpers: Helpers, lines: LinesOfFile, make: MakeRoom | undefined): Promise<Scanned> {
  const { ring, pieces } = helpers;
  const { range, columns, dialect } = pieces;
  const count = countOf(pieces);
  const scanner = new Scanner(columns, dialect, range.size - range.start, make);
  /** Those that were not waited for any longer. */
  const lost: number[] = [];
  const scan = (piece: number): void => {
    const fault = lines.feed(scanner, ...boundsOf(pieces, piece));
    if (fault !== undefined) throw new ScanFault(fault.at, fault.text);
  };
  let took = 0;
  let begun = performance.now();
  /** Since when there has been nothing to do. */
  let idle: number | undefined;
  for (let piece = 0; piece < count; ) {
    if (!helpers.here) {
      // The session was closed, and its memory with it.
      for (; piece < count; piece++) scan(piece);
      break;
    }
    takeMessages(helpers.engine);
    const now = performance.now();
    if (now - begun > SLICE) {
      await turn();
      begun = performance.now();
      continue;
    }
    if (ring.isDone(piece)) {
      const found = ring.found(piece);
      if (found === undefined) scan(piece);
      else {
        const [from, to] = boundsOf(pieces, piece);
        scanner.append(found, to - from);
      }
      ring.free(piece++);
      idle = undefined;
      continue;
    }
    if (ring.takeDirectly(piece)) {
      scan(piece++);
      took = performance.now() - now;
      idle = undefined;
      continue;
    }
    const next = ring.take();
    if (next !== NO_ROOM && next !== NONE_LEFT) {
      scanPiece(lines, ring, pieces, next);
      took = performance.now() - now;
      idle = undefined;
      continue;
    }
    idle ??= now;
    if (now - idle > PATIENCE + took) {
      lost.push(piece);
      scan(piece++);
      idle = undefined;
    }
    // What they have done in the end is of no use any more, but their slots are.
    for (const [i, late] of lost.entries()) {
      if (!ring.isDone(late)) continue;
      ring.free(late);
      lost.splice(i, 1);
      break;
    }
  }
  return scanner.result();
}

const countOf = ({ range: { start, size } }: Pieces): number => Math.ceil((size - start) / PIECE);

function boundsOf({ range: { start, size } }: Pieces, piece: number): [from: number, to: number] {
  const from = start + piece * PIECE;
  return [from, Math.min(size, from + PIECE)];
}

const shapeOf = (pieces: Pieces) => ({
  slots: pieces.slots,
  pieces: countOf(pieces),
  columns: pieces.columns,
  room: ROOM,
});

export const ringOf = (bytes: Uint8Array, pieces: Pieces): Ring => new Ring(bytes, shapeOf(pieces));

/** Scans a piece that was taken into its slot. Faults, and whatever a slot has no room for, are the owner's. */
export function scanPiece(lines: LinesOfFile, ring: Ring, pieces: Pieces, piece: number): void {
  const { columns, dialect, exact } = pieces;
  const [from, to] = boundsOf(pieces, piece);
  try {
    const scanner = new Scanner(columns, dialect, to - from, () => ring.values(piece));
    const fault = lines.feed(scanner, from, to);
    const { values, kinds, large } = scanner.result();
    if (fault === undefined && !(exact && large.size > 0)) {
      ring.put(piece, values.length, kinds);
      return;
    }
  } catch {
    // The owner will see it, too.
  }
  ring.leave(piece);
}

/** Workers that scan a file together with this thread. */
class Helpers {
  readonly engine: Engine;
  readonly ring: Ring;
  readonly pieces: Pieces;
  readonly #store: SharedStore;
  readonly #slot: SlotRef;
  readonly #refs: Ref<void>[] = [];
  /** Who may look at the ring: this thread, and workers that are not done. */
  #looking = 1;

  private constructor(engine: Engine, slot: SlotRef, pieces: Pieces) {
    this.engine = engine;
    this.pieces = pieces;
    this.#store = engine.store;
    this.#slot = slot;
    this.ring = ringOf(this.#store.bytes(slot), pieces);
    this.ring.clear();
  }

  /** Undefined where there is nobody to call, or no memory to share. */
  static call(file: Omit<Pieces, 'slots'>): Helpers | undefined {
    const engine = threadState().single;
    const arrays = engine === undefined ? undefined : arraysOf(engine);
    if (engine === undefined || arrays === undefined || file.columns > MOST_COLUMNS) return undefined;
    const workers = Math.min(arrays.cpus, availableParallelism(), MOST_WORKERS + 1) - 1;
    if (workers < 1) return undefined;
    const pieces = { ...file, slots: SLOTS * (workers + 1) };
    const { store } = engine;
    let slot: SlotRef;
    try {
      slot = store.allocate(ringBytes(shapeOf(pieces)));
    } catch {
      return undefined;
    }
    store.use(slot);
    const helpers = new Helpers(engine, slot, pieces);
    // Sealed, or it would be taken back at once if this thread died, whoever is looking at it.
    store.seal(slot);
    const remotes = remote<typeof import('./csv-worker.ts')>(new URL('./csv-worker.js', import.meta.url));
    for (let i = 0; i < workers; i++) helpers.#enter(remotes.scanCsvPieces(i, slot.index, slot.generation, pieces));
    return helpers;
  }

  /** Whether the ring is what it was. */
  get here(): boolean {
    return this.#store.usable;
  }

  #enter(ref: Ref<void>): void {
    this.#refs.push(ref);
    this.#looking++;
    const over = (): void => {
      ref.release();
      this.#leave();
    };
    // That one has failed, or did not come, nobody has to hear of.
    ref.value.then(over, over);
  }

  end(): void {
    if (this.here) {
      this.ring.end();
      // Those who have not come need not.
      for (const [thread, ref] of this.#refs.entries()) if (!this.ring.hasBegun(thread)) cancel(ref);
    }
    this.#leave();
  }

  #leave(): void {
    if (--this.#looking > 0 || !this.here) return;
    this.#store.unuse(this.#slot);
    this.#store.unpin(this.#slot);
  }
}

function faultless(part: Part): Scanned {
  if (part.fault !== undefined) throw new ScanFault(part.fault.at, part.fault.text);
  return part.scanned;
}

import { obstacles, oldest, type Piece } from './eviction.rules.ts';

export interface SpillLimits {
  /** Pages of the store, and of one region, which no object straddles. */
  readonly pages: number;
  readonly regionPages: number;
  /** With more pages taken, objects are written to disk before anybody has to wait for that; until so many are. */
  readonly high: number;
  readonly low: number;
  /** Objects that are written together go into one file: up to so many pages, and so many objects. */
  readonly batchPages: number;
  readonly batchObjects: number;
  /** Files that are written at once: while one is on its way through the disk, the next is copied. */
  readonly writing: number;
  /** For so long after a failure nothing is written by foresight, in milliseconds. */
  readonly pause: number;
}

/** What is to be done now. */
export interface SpillPlan<P> {
  /** These have copies, and give their pages up. */
  readonly evict: readonly P[];
  /** These are written into one new file, and give their pages up then. */
  readonly write: readonly P[];
  /** Whoever asked for room is to look again, or to hear that there is none: nothing more is on its way to make some. */
  readonly answer: boolean;
}

/**
 * Which objects leave memory, and when: the manager of spilling without its disk, threads and clocks. Those being written
 * are in memory and can be used; only when the file is complete do they give their pages up, and only if nobody uses them.
 */
export class SpillRules<P extends Piece & { readonly name: string }> {
  readonly #limits: SpillLimits;
  /** What is being written, by name. */
  readonly #writing = new Map<string, P>();
  #files = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(limits: SpillLimits) {
    this.#limits = limits;
  }

  /** Files that are being written. */
  get files(): number {
    return this.#files;
  }

  /**
   * A look at the objects in memory, where to be written is not to be used. `taken`: pages that are not free; `wanted`:
   * adjacent ones that somebody waits for, or 0. What it says to write is being written from then on, until `written` or `failed`.
   */
  look(pieces: readonly P[], taken: number, wanted: number, now: number): SpillPlan<P> {
    const { pages, regionPages, batchPages, batchObjects } = this.#limits;
    if (wanted > 0) {
      const inTheWay = obstacles(pieces, pages, regionPages, wanted);
      if (inTheWay === undefined) return { evict: [], write: [], answer: this.#files === 0 };
      const evict = inTheWay.filter((piece) => piece.copied && !this.#writing.has(piece.name));
      const dirty = inTheWay.filter((piece) => !piece.copied && !this.#writing.has(piece.name));
      if (dirty.length === 0) {
        const waits = inTheWay.some((piece) => this.#writing.has(piece.name));
        return { evict, write: [], answer: !waits || this.#files === 0 };
      }
      if (this.#files >= this.#limits.writing || now < this.#pausedUntil) {
        return { evict, write: [], answer: this.#files === 0 };
      }
      // One file for many: who asks now will soon ask again.
      const others = this.#candidates(pieces).filter((piece) => !piece.copied && !dirty.includes(piece));
      const room = batchPages - sizeOf(dirty);
      const write = [...dirty, ...oldest(others, Math.min(room, this.#excess(taken)))].slice(
        0,
        Math.max(dirty.length, batchObjects),
      );
      return { evict, write: this.#begin(write), answer: false };
    }
    if (taken <= this.#limits.high || now < this.#pausedUntil) return NOTHING;
    const excess = this.#excess(taken);
    if (excess <= 0 || this.#files >= this.#limits.writing) return NOTHING;
    const chosen = oldest(this.#candidates(pieces), Math.min(excess, batchPages)).slice(0, batchObjects);
    const write = chosen.filter((piece) => !piece.copied);
    return { evict: chosen.filter((piece) => piece.copied), write: this.#begin(write), answer: true };
  }

  /** The file is complete. */
  written(pieces: readonly P[]): void {
    this.#end(pieces);
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /** It could not be written. */
  failed(pieces: readonly P[], now: number): void {
    this.#end(pieces);
    this.#pausedUntil = now + this.#limits.pause;
  }

  /** Milliseconds until something may be tried again; undefined when nothing is held back. */
  retryIn(now: number): number | undefined {
    return now < this.#pausedUntil ? this.#pausedUntil - now : undefined;
  }

  #begin(write: P[]): P[] {
    if (write.length === 0) return write;
    this.#files++;
    for (const piece of write) this.#writing.set(piece.name, piece);
    return write;
  }

  #end(pieces: readonly P[]): void {
    this.#files--;
    for (const piece of pieces) this.#writing.delete(piece.name);
  }

  /** Pages above what is to be taken at most, without those that are about to leave anyway. */
  #excess(taken: number): number {
    return taken - sizeOf([...this.#writing.values()]) - this.#limits.low;
  }

  #candidates(pieces: readonly P[]): P[] {
    return pieces.filter((piece) => piece.idle && !this.#writing.has(piece.name));
  }
}

const NOTHING: SpillPlan<never> = { evict: [], write: [], answer: true };

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0);
}

/** An object in memory, as far as it matters for what is to leave it. Places are pages. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Finished, and nobody needs its bytes now. Others stay. */
  readonly idle: boolean;
  /** It has a copy on disk: it can leave without being written. */
  readonly copied: boolean;
  /** When somebody last began to use it. */
  readonly usedAt: number;
}

/** The longest unused first, and what lies first of those. */
function older(a: Piece, b: Piece): number {
  return a.usedAt - b.usedAt || a.start - b.start;
}

/**
 * Before memory is full: the idle objects that have not been used for longest, so many that at least `pages` pages become
 * free, or all of them.
 */
export function oldest<P extends Piece>(pieces: readonly P[], pages: number): P[] {
  const chosen: P[] = [];
  let freed = 0;
  for (const piece of pieces.filter((each) => each.idle).sort(older)) {
    if (freed >= pages) break;
    chosen.push(piece);
    freed += piece.end - piece.start;
  }
  return chosen;
}

/**
 * When an allocation finds no room: the idle objects that have to leave so that `needed` adjacent pages of one region are
 * free. Of all places where that can be it takes the one whose most recently used object has been idle for longest, and of
 * those the one where least has to be written. Undefined when there is no such place; `pages` is the size of the memory.
 */
export function obstacles<P extends Piece>(
  pieces: readonly P[],
  pages: number,
  regionPages: number,
  needed: number,
): P[] | undefined {
  const sorted = [...pieces].sort((a, b) => a.start - b.start);
  let best: Window<P> | undefined;
  for (let region = 0, at = 0; region < pages; region += regionPages) {
    const end = Math.min(pages, region + regionPages);
    const inside: P[] = [];
    for (; at < sorted.length && (sorted[at] as P).start < end; at++) inside.push(sorted[at] as P);
    const window = new Window(inside, needed);
    // A best place begins where the region does, or where something ends.
    for (const from of [region, ...inside.map((piece) => piece.end)]) {
      if (from + needed > end) break;
      window.moveTo(from);
      if (window.stuck === 0 && (best === undefined || window.isBetterThan(best))) best = window.copy();
    }
  }
  return best?.chosen;
}

/** The pieces that lie in a stretch of pages which moves from left to right. */
class Window<P extends Piece> {
  readonly #pieces: readonly P[];
  readonly #length: number;
  #left = 0;
  #right = 0;
  /** Those inside that are used more recently than everything to the right of them: the first is the newest of all. */
  #newest: number[] = [];
  /** How many of those inside have to stay. */
  stuck = 0;
  written = 0;

  constructor(pieces: readonly P[], length: number) {
    this.#pieces = pieces;
    this.#length = length;
  }

  moveTo(from: number): void {
    const pieces = this.#pieces;
    for (; this.#right < pieces.length && (pieces[this.#right] as P).start < from + this.#length; this.#right++) {
      const piece = pieces[this.#right] as P;
      this.#count(piece, 1);
      while (this.#newest.length > 0 && (pieces[this.#newest.at(-1) as number] as P).usedAt <= piece.usedAt) {
        this.#newest.pop();
      }
      this.#newest.push(this.#right);
    }
    for (; this.#left < this.#right && (pieces[this.#left] as P).end <= from; this.#left++) {
      this.#count(pieces[this.#left] as P, -1);
      if (this.#newest[0] === this.#left) this.#newest.shift();
    }
  }

  #count(piece: P, by: number): void {
    if (!piece.idle) this.stuck += by;
    if (!piece.copied) this.written += by * (piece.end - piece.start);
  }

  get newest(): number {
    const first = this.#newest[0];
    return first === undefined ? -1 : (this.#pieces[first] as P).usedAt;
  }

  get chosen(): P[] {
    return this.#pieces.slice(this.#left, this.#right);
  }

  isBetterThan(other: Window<P>): boolean {
    return this.newest < other.newest || (this.newest === other.newest && this.written < other.written);
  }

  copy(): Window<P> {
    const copy = new Window(this.#pieces, this.#length);
    copy.#left = this.#left;
    copy.#right = this.#right;
    copy.#newest = [...this.#newest];
    copy.stuck = this.stuck;
    copy.written = this.written;
    return copy;
  }
}

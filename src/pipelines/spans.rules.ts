/** Everything begins at a multiple of it. */
const PAGE = 1 << 12;

interface Span {
  offset: number;
  size: number;
}

/**
 * Gives out room in a range of bytes, in pages of 4 KiB. What was used before is given out again first, from the front: its pages are there, and the first
 * touch of one is what costs.
 */
export class Spans {
  /** In order, no two of them adjacent. */
  readonly #free: Span[];
  #used = 0;

  constructor(offset: number, size: number) {
    this.#free = [{ offset, size }];
  }

  /** Bytes that are given out. */
  get used(): number {
    return this.#used;
  }

  /** Where there is room for so many bytes. Undefined: nowhere. */
  take(bytes: number): number | undefined {
    const size = taken(bytes);
    const at = this.#free.findIndex((each) => each.size >= size);
    const span = this.#free[at];
    if (span === undefined) return undefined;
    const { offset } = span;
    span.offset += size;
    span.size -= size;
    if (span.size === 0) this.#free.splice(at, 1);
    this.#used += size;
    return offset;
  }

  /** As many bytes as were taken there are free. */
  give(offset: number, bytes: number): void {
    const size = taken(bytes);
    this.#used -= size;
    let [low, high] = [0, this.#free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#free[middle] as Span).offset < offset) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [this.#free[low - 1], this.#free[low]];
    const joinsAfter = after !== undefined && offset + size === after.offset;
    if (before !== undefined && before.offset + before.size === offset) {
      before.size += size + (joinsAfter ? after.size : 0);
      if (joinsAfter) this.#free.splice(low, 1);
    } else if (joinsAfter) {
      after.offset = offset;
      after.size += size;
    } else this.#free.splice(low, 0, { offset, size });
  }
}

/** What a request takes; nothing takes a page as well, so that it lies somewhere. */
const taken = (bytes: number): number => Math.max(1, Math.ceil(bytes / PAGE)) * PAGE;

/** Everything begins at a multiple of it: the line of a cache. */
export const ALIGNMENT = 64;
const SMALLEST = 64;
/** Up to here sizes are powers of two, cut from blocks; what is larger is a span of its own. */
const LARGEST_SMALL = 1 << 15;
const BLOCK = 1 << 18;
const PAGE = 1 << 12;

interface Span {
  offset: number;
  size: number;
}

/**
 * Gives out room in a range of bytes. What was used before is given out again first, from the front: its pages are there, and the first touch of one is
 * what costs.
 */
export class Spans {
  readonly #size: number;
  /** In order, no two of them adjacent. */
  readonly #free: Span[];
  /** Free places of each size that is a power of two. */
  readonly #small = new Map<number, number[]>();
  #used = 0;

  constructor(size: number) {
    this.#size = size;
    this.#free = [{ offset: 0, size }];
  }

  /** Bytes that are given out. */
  get used(): number {
    return this.#used;
  }

  get size(): number {
    return this.#size;
  }

  /** What a request really takes. */
  static taken(bytes: number): number {
    if (bytes > LARGEST_SMALL) return Math.ceil(bytes / PAGE) * PAGE;
    let size = SMALLEST;
    while (size < bytes) size *= 2;
    return size;
  }

  /** Where there is room for so many bytes. Undefined: nowhere. */
  take(bytes: number): number | undefined {
    const size = Spans.taken(bytes);
    const offset = size > LARGEST_SMALL ? this.#cut(size) : this.#smallOne(size);
    if (offset !== undefined) this.#used += size;
    return offset;
  }

  /** As many bytes as were taken there are free. */
  give(offset: number, bytes: number): void {
    const size = Spans.taken(bytes);
    this.#used -= size;
    if (size <= LARGEST_SMALL) (this.#small.get(size) as number[]).push(offset);
    else this.#join(offset, size);
  }

  #smallOne(size: number): number | undefined {
    let free = this.#small.get(size);
    if (free === undefined) {
      free = [];
      this.#small.set(size, free);
    }
    const known = free.pop();
    if (known !== undefined) return known;
    const block = this.#cut(BLOCK);
    if (block === undefined) return undefined;
    for (let offset = block + BLOCK - size; offset > block; offset -= size) free.push(offset);
    return block;
  }

  #cut(size: number): number | undefined {
    const at = this.#free.findIndex((each) => each.size >= size);
    const span = this.#free[at];
    if (span === undefined) return undefined;
    const { offset } = span;
    span.offset += size;
    span.size -= size;
    if (span.size === 0) this.#free.splice(at, 1);
    return offset;
  }

  #join(offset: number, size: number): void {
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

import { type SortFunctions, sortFunctions, tableBytes } from './module.ts';

/** Shorter lines are sorted as soon without WebAssembly. */
export const LEAST_DOUBLES = 256;
/** The most bits by which buckets are told apart at first: so many places that are written to do not get in each other's way. */
const MOST_BITS = 11;
const LINE = 64;
const HEAD = 64;

/** Doubles to be sorted, in one memory: addresses in bytes. Plain data. */
export interface DoublesToSort {
  readonly from: number;
  readonly into: number;
  readonly count: number;
  readonly descending: boolean;
  /** Of `scratchBytes`. */
  readonly scratch: number;
  /** So many parts of them are put into buckets independently, and so many threads do it. */
  readonly parts: number;
  readonly threads: number;
}

const up = (bytes: number): number => Math.ceil(bytes / LINE) * LINE;

/** So that there are about as many buckets as elements in each. */
const bitsFor = (count: number): number => Math.min(MOST_BITS, Math.ceil(Math.log2(count) / 2));

/** Where everything lies, from the beginning of the scratch on. */
function layout({ count, parts, threads }: Pick<DoublesToSort, 'count' | 'parts' | 'threads'>) {
  const size = 2 ** bitsFor(count);
  const starts = up(8 * count) + HEAD + up(4 * parts);
  const begun = starts + up(4 * (size + 1));
  const tables = begun + up(4 * size);
  const inner = tables + parts * up(4 * size);
  const own = up(Math.max(4 * size, tableBytes(count)));
  return {
    size,
    head: up(8 * count),
    flags: up(8 * count) + HEAD,
    starts,
    begun,
    tables,
    inner,
    own,
    bytes: inner + threads * own,
  };
}

/** How much room it takes besides. */
export const scratchBytes = (of: Pick<DoublesToSort, 'count' | 'parts' | 'threads'>): number => layout(of).bytes;

const known = new WeakMap<WebAssembly.Memory, SortFunctions>();

function functionsOf(memory: WebAssembly.Memory): SortFunctions {
  let functions = known.get(memory);
  if (functions === undefined) {
    functions = sortFunctions(memory);
    known.set(memory, functions);
  }
  return functions;
}

/**
 * Sorts doubles in WebAssembly, NaNs last. In steps, each of which several threads may share: `begin`; `count` of all parts; `place`; `scatter` of all
 * parts; `finish` of all buckets; `end`. What comes out does not depend on the parts.
 */
export class DoubleSort {
  readonly #plan: DoublesToSort;
  readonly #memory: ArrayBufferLike;
  readonly #functions: SortFunctions;
  readonly #layout: ReturnType<typeof layout>;
  readonly #flip: bigint;

  constructor(plan: DoublesToSort, memory: WebAssembly.Memory) {
    this.#plan = plan;
    this.#memory = memory.buffer;
    this.#functions = functionsOf(memory);
    this.#layout = layout(plan);
    this.#flip = plan.descending ? -1n : 0n;
  }

  /** By this thread alone. */
  run(): void {
    const { parts } = this.#plan;
    this.begin();
    for (let part = 0; part < parts; part++) this.count(part);
    this.place();
    for (let part = 0; part < parts; part++) this.scatter(part, 0);
    this.finish(0, this.buckets, 0);
    this.end();
  }

  /** Finds out by which bits they are told apart. */
  begin(): void {
    const { from, count } = this.#plan;
    const { size, head } = this.#layout;
    this.#functions.range(from | 0, count, size, this.#at(head) | 0, this.#flip);
  }

  get buckets(): number {
    return Number(this.#head[2]) + 1;
  }

  /** Counts the elements of a part that belong to each bucket. */
  count(part: number): void {
    this.#words(this.#layout.flags, this.#plan.parts)[part] = this.#functions.count(
      ...this.#argumentsOf(part, this.#table(part)),
    );
  }

  /** Gives every part a place in each bucket. Gives how many elements there are before each bucket. */
  place(): Float64Array {
    const { parts } = this.#plan;
    const { starts } = this.#layout;
    const { buckets } = this;
    const own = this.#words(starts, buckets + 1);
    const tables = Array.from({ length: parts }, (_, part) => this.#words(this.#table(part), buckets));
    const before = new Float64Array(buckets + 1);
    const first = this.#at(0);
    let next = first;
    for (let bucket = 0; bucket < buckets; bucket++) {
      own[bucket] = next;
      before[bucket] = (next - first) / 8;
      for (const table of tables) {
        const count = table[bucket] as number;
        table[bucket] = next;
        next += 8 * count;
      }
    }
    own[buckets] = next;
    this.#words(this.#layout.begun, buckets).fill(0);
    before[buckets] = (next - first) / 8;
    return before;
  }

  /** Puts the elements of a part into their buckets. `thread`: no two at the same time have the same. */
  scatter(part: number, thread: number): void {
    // Its own places are left as they are: whoever does it may die, and somebody else does it again.
    const places = this.#words(this.#table(part), this.buckets);
    const own = this.#inner(thread);
    this.#words(own, this.buckets).set(places);
    this.#functions.scatter(...this.#argumentsOf(part, own));
  }

  /** Sorts the buckets from one up to another, whose keys are gone then. If somebody has begun with them, and died, they are made again. */
  finish(first: number, end: number, thread: number): void {
    const { into } = this.#plan;
    const { starts, begun } = this.#layout;
    const { buckets } = this;
    const there = into - this.#at(0);
    const table = this.#at(this.#inner(thread)) | 0;
    const flags = this.#words(begun, buckets);
    if (flags[first] === 0) {
      flags[first] = 1;
      const bits = Number(this.#head[1]);
      const place = this.#at(starts) | 0;
      this.#functions.finishAll(place, first, end, buckets - 1, there | 0, bits, table, this.#flip);
      return;
    }
    const places = this.#words(starts, buckets + 1);
    const from = places[first] as number;
    const { parts } = this.#plan;
    for (let part = 0, to = from; part < parts; part++) {
      const own = this.#words(this.#table(part), buckets);
      this.#functions.gather(...this.#argumentsOf(part, to - this.#plan.scratch), first, end - first);
      for (let bucket = first; bucket < end; bucket++) {
        const next = part + 1 < parts ? this.#words(this.#table(part + 1), buckets)[bucket] : places[bucket + 1];
        to += (next as number) - (own[bucket] as number);
      }
    }
    const count = ((places[end] as number) - from) / 8;
    this.#functions.finish(from | 0, (from + there) | 0, count, -1, this.#flip, table);
  }

  /** Zeros are one as keys: they get their signs back, in the order in which they were. */
  end(): void {
    const { from, into, count, parts } = this.#plan;
    if (!this.#words(this.#layout.flags, parts).includes(1)) return;
    const given = new Float64Array(this.#memory, from, count);
    const sorted = new Float64Array(this.#memory, into, count);
    let at = sorted.indexOf(0);
    for (let i = given.indexOf(0); i >= 0; i = given.indexOf(0, i + 1)) sorted[at++] = given[i] as number;
  }

  #argumentsOf(part: number, table: number): Parameters<SortFunctions['count']> {
    const { from, count, parts } = this.#plan;
    const [first, end] = [Math.floor((count * part) / parts), Math.floor((count * (part + 1)) / parts)];
    const [base, shift, last] = this.#head as unknown as [bigint, bigint, bigint];
    return [(from + 8 * first) | 0, end - first, this.#at(table) | 0, this.#flip, base, shift, last];
  }

  #at(offset: number): number {
    return this.#plan.scratch + offset;
  }

  #inner(thread: number): number {
    const { inner, own } = this.#layout;
    return inner + thread * own;
  }

  #table(part: number): number {
    const { tables, size } = this.#layout;
    return tables + part * up(4 * size);
  }

  #words(offset: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory, this.#at(offset), length);
  }

  /** The least bucket, what keys are shifted by to have theirs, and how many more there are. */
  get #head(): BigInt64Array {
    return new BigInt64Array(this.#memory, this.#at(this.#layout.head), 3);
  }
}

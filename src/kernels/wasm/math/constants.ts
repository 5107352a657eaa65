import { InternalError } from '../../../base/index.ts';

/** Enough for all functions, and for tables of some exponents; what is not used takes no room. */
const PAGES = 7;

/**
 * The memory of the functions: constants that they load, and tables. An instruction that loads a constant into both lanes is shorter
 * than those that put it together, and nothing needs a register for longer than it is used.
 */
export class Constants {
  readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  readonly #doubles = new Float64Array(this.memory.buffer);
  readonly #words = new BigUint64Array(this.memory.buffer);
  readonly #known = new Map<number | bigint, number>();
  readonly #tables = new Map<object, number>();
  #next = 0;

  /** Where the double is, twice. */
  double(x: number): number {
    // Keys of a map have one zero only.
    return Object.is(x, -0) ? this.bits(1n << 63n) : this.#at(x, this.#doubles);
  }

  /** The same of 8 bytes. */
  bits(word: bigint): number {
    return this.#at(word, this.#words);
  }

  #at<T extends number | bigint>(value: T, words: { fill(value: T, from: number, to: number): unknown }): number {
    let at = this.#known.get(value);
    if (at === undefined) {
      at = 8 * this.#next;
      this.#known.set(value, at);
      words.fill(value, this.#next, this.#next + 2);
      this.#next += 2;
    }
    return at;
  }

  /** Where so many bytes are that nobody else has: a multiple of 16. */
  room(bytes: number): number {
    const at = 8 * this.#next;
    this.#next += bytes / 8;
    if (this.#next > this.#words.length)
      throw new InternalError(`there is no room for ${bytes} bytes beside the constants`);
    return at;
  }

  /** Where a table is; laid out when it is first asked for. */
  table(words: BigUint64Array): number {
    let at = this.#tables.get(words);
    if (at === undefined) {
      at = 8 * this.#next;
      this.#tables.set(words, at);
      this.#words.set(words, this.#next);
      this.#next += words.length;
    }
    return at;
  }
}

const view = new DataView(new ArrayBuffer(8));

/** The bits of a double. */
export function bitsOf(x: number): bigint {
  view.setFloat64(0, x);
  return view.getBigUint64(0);
}

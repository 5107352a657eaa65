/**
 * The memory of the functions: constants that they load, and tables. An instruction that loads a constant into both lanes is shorter
 * than those that put it together, and nothing needs a register for longer than it is used.
 */
export class Constants {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  readonly #words = new BigUint64Array(this.memory.buffer);
  readonly #known = new Map<bigint, number>();
  readonly #tables = new Map<object, number>();
  #next = 0;

  /** Where the 8 bytes are. */
  bits(word: bigint): number {
    let at = this.#known.get(word);
    if (at === undefined) {
      at = 8 * this.#next;
      this.#known.set(word, at);
      this.#words.fill(word, this.#next, this.#next + 2);
      this.#next += 2;
    }
    return at;
  }

  double(x: number): number {
    return this.bits(bitsOf(x));
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

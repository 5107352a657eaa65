/**
 * Texts of one column, which mostly are the same few again and again: each is kept once, as a word, and rows have the words' codes. Where most of
 * them differ, that would be more and not less, and they are kept as they are.
 */

/** Rows by codes of words, which are numbered in the order in which they were met. */
export interface Coded {
  readonly codes: Int32Array;
  /** Each of them differs from all others. */
  readonly words: readonly string[];
}

/** More words than this, or than a quarter of the rows where there are many of these, are not few. */
const MOST_WORDS = 1 << 16;
const FEW_WORDS = 1 << 10;

export class TextCodes {
  readonly #codeOf = new Map<string, number>();
  readonly #words: string[] = [];
  readonly #most: number;
  #codes: Int32Array;
  /** As they are, once there are too many words. */
  #texts: string[] | undefined;
  #count = 0;

  constructor(rows: number) {
    this.#most = Math.min(MOST_WORDS, Math.max(FEW_WORDS, rows / 4));
    this.#codes = new Int32Array(rows);
  }

  /** The text of a row, each of which has one. */
  set(row: number, text: string): void {
    this.#count++;
    if (this.#texts !== undefined) this.#texts[row] = text;
    else {
      const code = this.#codeOf.get(text);
      if (code !== undefined) this.#codes[row] = code;
      else this.#add(row, text);
    }
  }

  /** What `setCode` takes for a text; undefined: it is to be given as it is. */
  codeOf(text: string): number | undefined {
    return this.#texts === undefined ? this.#codeOf.get(text) : undefined;
  }

  /** The same as `set`, of a text whose code is known; false: it has none any more. */
  setCode(row: number, code: number): boolean {
    if (this.#texts !== undefined) return false;
    this.#count++;
    this.#codes[row] = code;
    return true;
  }

  #add(row: number, text: string): void {
    const { size } = this.#codeOf;
    if (size >= this.#most) {
      const [codes, words] = [this.#codes, this.#words];
      this.#texts = Array.from(codes, (code) => words[code] ?? '');
      this.#texts[row] = text;
      this.#codes = new Int32Array(0);
      this.#codeOf.clear();
      return;
    }
    this.#codeOf.set(text, size);
    this.#words.push(text);
    this.#codes[row] = size;
  }

  /** How many rows have got their text. */
  get length(): number {
    return this.#count;
  }

  get cells(): Coded | readonly string[] {
    return this.#texts ?? { codes: this.#codes, words: this.#words };
  }
}

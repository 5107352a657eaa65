/** Columns of texts: mostly these are the same few again and again, so that a column is a list of words, and rows are places in it. */

import type { Coded } from '../../io/index.ts';

export class Texts {
  /** Where each row's text is among the words. */
  readonly codes: Int32Array;
  /** Distinct, in the order of `compareTexts`: codes are compared instead of texts. Not all of them need to occur. */
  readonly words: readonly string[];
  #strings: readonly string[] | undefined;

  constructor(codes: Int32Array, words: readonly string[]) {
    this.codes = codes;
    this.words = words;
  }

  /** Of words in any order. */
  static of({ codes, words }: Coded): Texts {
    const sorted = [...words].sort(compareTexts);
    const places = new Map(sorted.map((word, place) => [word, place]));
    const placeOf = Int32Array.from(words, (word) => places.get(word)!);
    return new Texts(renamed(codes, placeOf), sorted);
  }

  get length(): number {
    return this.codes.length;
  }

  at(row: number): string {
    return this.words[this.codes[row]!]!;
  }

  slice(from: number, to: number): Texts {
    return new Texts(this.codes.slice(from, to), this.words);
  }

  /** All of them, for what knows no codes. */
  strings(): readonly string[] {
    if (this.#strings === undefined) {
      const [{ codes, words }, all] = [this, new Array<string>(this.length)];
      for (let i = 0; i < all.length; i++) all[i] = words[codes[i]!]!;
      this.#strings = all;
    }
    return this.#strings;
  }
}

/** Cells of a column of texts. */
export type TextCells = readonly string[] | Texts;

export const stringsOf = (cells: TextCells): readonly string[] => (cells instanceof Texts ? cells.strings() : cells);

function renamed(codes: Int32Array, nameOf: Int32Array): Int32Array {
  const own = new Int32Array(codes.length);
  for (let i = 0; i < own.length; i++) own[i] = nameOf[codes[i]!]!;
  return own;
}

/** The same texts, with the words of both. */
export function alike(a: Texts, b: Texts): readonly [Texts, Texts] {
  if (a.words === b.words) return [a, b];
  const words: string[] = [];
  const [left, right] = [new Int32Array(a.words.length), new Int32Array(b.words.length)];
  for (let i = 0, j = 0; i < left.length || j < right.length; ) {
    const order = i === left.length ? 1 : j === right.length ? -1 : compareTexts(a.words[i]!, b.words[j]!);
    words.push(order <= 0 ? a.words[i]! : b.words[j]!);
    if (order <= 0) left[i++] = words.length - 1;
    if (order >= 0) right[j++] = words.length - 1;
  }
  return [new Texts(renamed(a.codes, left), words), new Texts(renamed(b.codes, right), words)];
}

/** Less than 0, 0, or more: by their code points, as C++ compares their bytes. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  // Only where surrogates are involved does the order of UTF-16 differ from that of code points.
  if (ASTRAL.test(a) || ASTRAL.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}
const ASTRAL = /[\ud800-\udfff]/;

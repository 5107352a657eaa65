import { DTYPES, type DType, type Elements } from '../../nd/index.ts';
import { keyWords, readKeys, writeKeys } from './keys.ts';
import { radixSort } from './radix.ts';

/** Room that is kept from one sort to the next: the first touch of new memory takes longer than to sort it. */
const KEPT_WORDS = 2 ** 22;
let kept: [Uint32Array, Uint32Array] = [new Uint32Array(0), new Uint32Array(0)];

function room(words: number): [Uint32Array, Uint32Array] {
  if ((kept[0] as Uint32Array).length >= words) return kept;
  const size = words <= KEPT_WORDS ? Math.min(KEPT_WORDS, 2 ** Math.ceil(Math.log2(words + 1))) : words;
  const made: [Uint32Array, Uint32Array] = [new Uint32Array(size), new Uint32Array(size)];
  if (words <= KEPT_WORDS) kept = made;
  return made;
}

/** The elements in order, NaNs last, equal ones (zeros of both signs are) as they stood. */
export function sorted(dtype: DType, from: Elements, descending: boolean, into: Elements): void {
  const words = keyWords(dtype);
  const [records, spare] = room(from.length * words);
  const { negativeZero } = writeKeys(dtype, from, descending, records, words);
  const order = radixSort(records, spare, from.length, words, words);
  readKeys(dtype, order, descending, into);
  if (negativeZero) signZeros(from, into);
}

function signZeros(from: Elements, into: Elements): void {
  let at = (into as Float64Array).indexOf(0);
  for (const x of from as Float64Array) if (x === 0) into[at++] = x;
}

/** Where the elements stand that are in order: `write` is told the places one after the other. */
export function argsorted(dtype: DType, from: Elements, descending: boolean, write: (places: Places) => void): void {
  const words = keyWords(dtype);
  const size = (words + 1) as 2 | 3;
  const count = from.length;
  const [records, spare] = room(count * size);
  writeKeys(dtype, from, descending, records, size);
  for (let i = 0, at = words as number; i < count; i++, at += size) records[at] = i;
  write({ words: radixSort(records, spare, count, size, words), first: words, step: size, count });
}

/** Numbers in an array of words: `count` of them from `first` on, `step` apart. */
export interface Places {
  readonly words: Uint32Array;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Elements of their own, for a line that does not lie in one piece. */
export const line = (dtype: DType, length: number): Elements => {
  const { Elements, bytes } = DTYPES[dtype];
  return new Elements(new ArrayBuffer(length * bytes));
};

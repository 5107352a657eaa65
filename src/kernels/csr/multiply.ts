import type { Elements } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';
import { type Csr, wordsOf } from './format.ts';

/** A range of rows, so that several can be computed at once. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

export const allRows = ({ rows }: Csr): Rows => ({ from: 0, to: rows });

/**
 * The rows cut into so many ranges, each with about as many elements. (Rows count as elements, too: one without any takes its
 * time.)
 */
export function cutRows({ rows, indptr }: Csr, pieces: number): Rows[] {
  const { words, step } = wordsOf(indptr);
  const work = (row: number): number => (words[row * step] as number) + row;
  const cuts: Rows[] = [];
  let from = 0;
  for (let piece = 1; piece <= pieces; piece++) {
    const until = (work(rows) * piece) / pieces;
    let [low, high] = [from, rows];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (work(middle) < until) low = middle + 1;
      else high = middle;
    }
    if (low > from) cuts.push({ from, to: low });
    from = low;
  }
  return cuts;
}

/**
 * `into` (of as many elements as there are rows) becomes the product with a vector, in plain JavaScript. Elements that are not there take no
 * part, whatever stands in the vector: 0 times a NaN is 0 here, as in every sparse library.
 */
export function multiplyVector({ indptr, indices, values }: Csr, x: Strided, into: Strided, { from, to }: Rows): void {
  const along = x.strides[0] as number;
  const row = inner(into.elements);
  const [starts, places] = [wordsOf(indptr), wordsOf(indices)];
  for (let i = from; i < to; i++) {
    const first = starts.words[i * starts.step] as number;
    const end = starts.words[(i + 1) * starts.step] as number;
    const sum = row(values, places.words, places.step, x.elements, x.offset, along, first, end);
    into.elements[into.offset + i * (into.strides[0] as number)] = sum as never;
  }
}

/** The same with each column of a dense matrix of `columns` columns. */
export function multiplyMatrix(a: Csr, b: Strided, into: Strided, columns: number, rows: Rows): void {
  for (let j = 0; j < columns; j++) multiplyVector(a, column(b, j), column(into, j), rows);
}

const column = ({ elements, offset, strides: [down, along] }: Strided, j: number): Strided => ({
  elements,
  offset: offset + j * (along as number),
  strides: [down as number],
});

type Inner = (
  values: Elements,
  places: Int32Array,
  step: number,
  x: Elements,
  offset: number,
  along: number,
  first: number,
  end: number,
) => number | bigint;

function inner(into: Elements): Inner {
  if (into instanceof BigInt64Array || into instanceof BigUint64Array) return bigints;
  return into instanceof Float64Array || into instanceof Float32Array ? floats : integers;
}

const floats: Inner = (values, places, step, x, offset, along, first, end) => {
  let sum = 0;
  for (let at = first; at < end; at++)
    sum += (values[at] as number) * (x[offset + (places[at * step] as number) * along] as number);
  return sum;
};

const integers: Inner = (values, places, step, x, offset, along, first, end) => {
  let sum = 0;
  for (let at = first; at < end; at++) {
    const product = Math.imul(values[at] as number, x[offset + (places[at * step] as number) * along] as number);
    sum = (sum + product) | 0;
  }
  return sum;
};

const bigints: Inner = (values, places, step, x, offset, along, first, end) => {
  let sum = 0n;
  for (let at = first; at < end; at++)
    sum += (values[at] as bigint) * (x[offset + (places[at * step] as number) * along] as bigint);
  return sum;
};

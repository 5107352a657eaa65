import type { Elements } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';
import {
  type Csr,
  countOf,
  type Indices,
  indicesLike,
  putIndex,
  sparseError,
  valuesOf,
  type Words,
  wordsOf,
} from './format.ts';

/** Elements one by one, in any order: where each one is. Those at the same place are added up. */
export interface Coo {
  readonly row: Indices;
  readonly column: Indices;
  readonly values: Elements;
}

/** Throws a UsageError (ERR_SHEAF_SPARSE) for the first index that there is no row, or column, for. */
function checkIndices(what: string, indices: Indices, { words, step }: Words, length: number): void {
  for (let i = 0; i < indices.length; i++) {
    const own = words[i * step] as number;
    if (own >= 0 && own < length && (step === 1 || words[2 * i + 1] === 0)) continue;
    throw sparseError(
      'fromCoo',
      `element ${i} is in ${what} ${indices[i]} of ${length}`,
      'give indices that there are',
    );
  }
}

function isSorted(row: Words, column: Words, count: number): boolean {
  let [lastRow, lastColumn] = [-1, -1];
  for (let i = 0; i < count; i++) {
    const [r, c] = [row.words[i * row.step] as number, column.words[i * column.step] as number];
    if (r < lastRow || (r === lastRow && c < lastColumn)) return false;
    [lastRow, lastColumn] = [r, c];
  }
  return true;
}

/** How many there are of each index, as the places where the elements of each begin. */
function startsOf({ words, step }: Words, count: number, length: number): Uint32Array {
  const starts = new Uint32Array(length + 1);
  for (let i = 0; i < count; i++) starts[(words[i * step] as number) + 1]!++;
  for (let i = 1; i <= length; i++) starts[i]! += starts[i - 1] as number;
  return starts;
}

/** Which element comes where in the order of rows, within a row in that of columns, and otherwise as they stood. */
interface Order {
  readonly row: Words;
  readonly column: Words;
  readonly at: Int32Array;
}

/**
 * Sorted by columns and then, stably, by rows; each time by counting. What is read lies in order both times, and only what is written
 * does not: that takes half as long as looking elements up.
 */
function sorted(row: Words, column: Words, count: number, rows: number, columns: number): Order {
  const byColumn = startsOf(column, count, columns);
  const [rowsThere, atThere] = [new Int32Array(count), new Int32Array(count)];
  for (let i = 0; i < count; i++) {
    const place = byColumn[column.words[i * column.step] as number]!++;
    rowsThere[place] = row.words[i * row.step] as number;
    atThere[place] = i;
  }
  const byRow = startsOf(row, count, rows);
  const [ownColumns, at] = [new Int32Array(count), new Int32Array(count)];
  // By now each column begins where the one before did end.
  for (let c = 0, from = 0; c < columns; c++) {
    for (const end = byColumn[c] as number; from < end; from++) {
      const place = byRow[rowsThere[from] as number]!++;
      ownColumns[place] = c;
      at[place] = atThere[from] as number;
    }
  }
  // The array is there: the rows in order.
  for (let r = 0, from = 0; r < rows; r++) for (const end = byRow[r] as number; from < end; from++) rowsThere[from] = r;
  return { row: { words: rowsThere, step: 1 }, column: { words: ownColumns, step: 1 }, at };
}

/** No row longer than this is sorted by itself: counting is quicker. */
const LONG = 4096;

/** How many elements the longest row has. */
function longestOf(starts: Uint32Array): number {
  let longest = 0;
  for (let i = 1; i < starts.length; i++)
    longest = Math.max(longest, (starts[i] as number) - (starts[i - 1] as number));
  return longest;
}

/** Elements as they came, when those are in order. */
function asTheyCame(row: Words, column: Words, count: number): Order {
  const at = new Int32Array(count);
  for (let i = 0; i < count; i++) at[i] = i;
  return { row, column, at };
}

/**
 * Put into their rows by counting, once, with their values; then each row is sorted by itself, while it is in the cache. That is half as much that
 * is written out of order as sorting all by columns takes first. Equal columns stay in the order in which they came.
 */
function sortedByRows(
  starts: Uint32Array,
  row: Words,
  column: Words,
  values: Elements,
  columns: Int32Array,
  own: Elements,
): void {
  const next = starts.slice();
  const [from, to] = [values as Float64Array, own as Float64Array];
  for (let i = 0; i < from.length; i++) {
    const place = next[row.words[i * row.step] as number]!++;
    columns[place] = column.words[i * column.step] as number;
    to[place] = from[i] as number;
  }
  for (let r = 1; r < starts.length; r++) sortRow(columns, to, starts[r - 1] as number, starts[r] as number);
}

/** So few are sorted by insertion. */
const FEW = 40;

function sortRow(columns: Int32Array, values: Float64Array, first: number, end: number): void {
  if (end - first > FEW) {
    sortLongRow(columns, values, first, end);
    return;
  }
  for (let i = first + 1; i < end; i++) {
    const [column, value] = [columns[i] as number, values[i] as number];
    let at = i;
    for (; at > first && (columns[at - 1] as number) > column; at--) {
      columns[at] = columns[at - 1] as number;
      values[at] = values[at - 1] as number;
    }
    columns[at] = column;
    values[at] = value;
  }
}

/** By one number of each element: its column, and where it stood. */
function sortLongRow(columns: Int32Array, values: Float64Array, first: number, end: number): void {
  const length = end - first;
  const keys = new Float64Array(length);
  for (let i = 0; i < length; i++) keys[i] = (columns[first + i] as number) * length + i;
  keys.sort();
  const before = values.slice(first, end);
  for (let i = 0; i < length; i++) {
    const key = keys[i] as number;
    columns[first + i] = Math.floor(key / length);
    values[first + i] = before[key % length] as number;
  }
}

/** From coordinates. `like`: indices of the type that those of the matrix get. */
export function fromCoo(
  { row, column, values }: Coo,
  rows: number,
  columns: number,
  dtype: Csr['dtype'],
  like: Indices = row,
): Csr {
  const count = values.length;
  if (row.length !== count || column.length !== count)
    throw sparseError(
      'fromCoo',
      `there are ${row.length} rows and ${column.length} columns for ${count} values`,
      'give one of each',
    );
  const [rowOf, columnOf] = [wordsOf(row), wordsOf(column)];
  checkIndices('row', row, rowOf, rows);
  checkIndices('column', column, columnOf, columns);
  if (isSorted(rowOf, columnOf, count))
    return merged(asTheyCame(rowOf, columnOf, count), values, rows, columns, dtype, like);
  const starts = startsOf(rowOf, count, rows);
  if (longestOf(starts) > LONG)
    return merged(sorted(rowOf, columnOf, count, rows, columns), values, rows, columns, dtype, like);
  const [ownColumns, own] = [new Int32Array(count), valuesOf(dtype, count)];
  sortedByRows(starts, rowOf, columnOf, values, ownColumns, own);
  return mergedRows(starts, ownColumns, own, rows, columns, dtype, like);
}

/** What is in one place is added up: of sorted rows. */
function mergedRows(
  starts: Uint32Array,
  places: Int32Array,
  own: Elements,
  rows: number,
  columns: number,
  dtype: Csr['dtype'],
  like: Indices,
): Csr {
  const indptr = indicesLike(like, rows + 1);
  const pointers = wordsOf(indptr);
  const values = own as Float64Array;
  let kept = 0;
  for (let r = 0, at = 0; r < rows; r++) {
    const first = kept;
    for (const end = starts[r + 1] as number; at < end; at++) {
      const column = places[at] as number;
      if (kept > first && places[kept - 1] === column) {
        const sum = values[kept - 1] as number;
        // Integers wrap when they are stored.
        values[kept - 1] = dtype === 'bool' ? sum | (values[at] as number) : sum + (values[at] as number);
        continue;
      }
      places[kept] = column;
      values[kept++] = values[at] as number;
    }
    putIndex(pointers, r + 1, kept);
  }
  return { rows, columns, dtype, indptr, indices: indicesFrom(places, kept, like), values: own.subarray(0, kept) };
}

function indicesFrom(places: Int32Array, count: number, like: Indices): Indices {
  if (like instanceof Int32Array) return places.subarray(0, count);
  const indices = indicesLike(like, count);
  const to = wordsOf(indices);
  for (let i = 0; i < count; i++) putIndex(to, i, places[i] as number);
  return indices;
}

/** The same of all of them in order. */
function merged(
  order: Order,
  values: Elements,
  rows: number,
  columns: number,
  dtype: Csr['dtype'],
  like: Indices,
): Csr {
  const count = values.length;
  const indptr = indicesLike(like, rows + 1);
  const indices = indicesLike(like, count);
  const own = valuesOf(dtype, count);
  const [pointers, to] = [wordsOf(indptr), wordsOf(indices)];
  let kept = -1;
  let [lastRow, lastColumn] = [-1, -1];
  for (let i = 0; i < count; i++) {
    const r = order.row.words[i * order.row.step] as number;
    const c = order.column.words[i * order.column.step] as number;
    const value = values[order.at[i] as number] as number;
    if (r === lastRow && c === lastColumn) {
      // Integers wrap when they are stored.
      own[kept] = (dtype === 'bool' ? (own[kept] as number) | value : (own[kept] as number) + value) as never;
      continue;
    }
    while (lastRow < r) putIndex(pointers, ++lastRow, kept + 1);
    lastColumn = c;
    kept++;
    putIndex(to, kept, c);
    own[kept] = value as never;
  }
  while (lastRow < rows) putIndex(pointers, ++lastRow, kept + 1);
  return {
    rows,
    columns,
    dtype,
    indptr,
    indices: indices.subarray(0, kept + 1) as Indices,
    values: own.subarray(0, kept + 1),
  };
}

/** To coordinates, in the order of rows. */
export function toCoo(a: Csr): Coo {
  const { rows, indptr, indices, values } = a;
  const count = countOf(a);
  const row = indicesLike(indices, count);
  const [to, { words, step }] = [wordsOf(row), wordsOf(indptr)];
  for (let i = 0; i < rows; i++) {
    for (let at = words[i * step] as number, end = words[(i + 1) * step] as number; at < end; at++) putIndex(to, at, i);
  }
  return { row, column: indices.slice(0, count) as Indices, values: values.slice(0, count) };
}

/** From all elements of a dense matrix that are not 0. */
export function fromDense(
  { elements, offset, strides }: Strided,
  rows: number,
  columns: number,
  dtype: Csr['dtype'],
  like: Indices = new Int32Array(0),
): Csr {
  const [down, along] = strides as [number, number];
  const indptr = indicesLike(like, rows + 1);
  const pointers = wordsOf(indptr);
  let count = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0, at = offset + i * down; j < columns; j++, at += along) if (isNotZero(elements[at])) count++;
    putIndex(pointers, i + 1, count);
  }
  const indices = indicesLike(like, count);
  const values = valuesOf(dtype, count);
  const to = wordsOf(indices);
  let next = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0, at = offset + i * down; j < columns; j++, at += along) {
      if (!isNotZero(elements[at])) continue;
      putIndex(to, next, j);
      values[next++] = elements[at] as never;
    }
  }
  return { rows, columns, dtype, indptr, indices, values };
}

const isNotZero = (x: number | bigint | undefined): boolean => x !== 0 && x !== 0n;

/** All elements of a dense matrix, those that are not there as 0. */
export function toDense({ rows, columns, indptr, indices, values }: Csr, { elements, offset, strides }: Strided): void {
  const [down, along] = strides as [number, number];
  const zero = (values instanceof BigInt64Array || values instanceof BigUint64Array ? 0n : 0) as never;
  const [starts, places] = [wordsOf(indptr), wordsOf(indices)];
  for (let i = 0; i < rows; i++) {
    const first = offset + i * down;
    for (let j = 0; j < columns; j++) elements[first + j * along] = zero;
    const end = starts.words[(i + 1) * starts.step] as number;
    for (let at = starts.words[i * starts.step] as number; at < end; at++) {
      elements[first + (places.words[at * places.step] as number) * along] = values[at] as never;
    }
  }
}

/** The transpose. Elements are counted by columns and put there row after row, so that they are in order again. */
export function transpose(a: Csr): Csr {
  const { rows, columns, dtype } = a;
  const count = countOf(a);
  const [starts, places] = [wordsOf(a.indptr), wordsOf(a.indices)];
  const indptr = indicesLike(a.indptr, columns + 1);
  const indices = indicesLike(a.indices, count);
  const values = valuesOf(dtype, count);
  const next = new Uint32Array(columns + 1);
  for (let at = 0; at < count; at++) next[(places.words[at * places.step] as number) + 1]!++;
  const [pointers, to] = [wordsOf(indptr), wordsOf(indices)];
  for (let j = 1; j <= columns; j++) {
    next[j]! += next[j - 1] as number;
    putIndex(pointers, j, next[j] as number);
  }
  for (let i = 0; i < rows; i++) {
    const end = starts.words[(i + 1) * starts.step] as number;
    for (let at = starts.words[i * starts.step] as number; at < end; at++) {
      const place = next[places.words[at * places.step] as number]!++;
      putIndex(to, place, i);
      values[place] = a.values[at] as never;
    }
  }
  return { rows: columns, columns: rows, dtype, indptr, indices, values };
}

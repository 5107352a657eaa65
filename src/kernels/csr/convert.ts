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

/** The order in which the elements come when they are sorted by one of their indices, those with equal ones as they stood. */
function countingSort({ words, step }: Words, among: Uint32Array, length: number, into: Uint32Array): void {
  const next = new Uint32Array(length + 1);
  for (const at of among) next[(words[at * step] as number) + 1]!++;
  for (let i = 1; i <= length; i++) next[i]! += next[i - 1] as number;
  for (const at of among) into[next[words[at * step] as number]!++] = at;
}

function checkIndices(what: string, indices: Indices, count: number, length: number): void {
  for (let i = 0; i < count; i++) {
    const own = Number(indices[i]);
    if (!(own >= 0 && own < length))
      throw sparseError('fromCoo', `element ${i} is in ${what} ${own} of ${length}`, 'give indices that there are');
  }
}

/** From coordinates. */
export function fromCoo({ row, column, values }: Coo, rows: number, columns: number, dtype: Csr['dtype']): Csr {
  const count = values.length;
  if (row.length !== count || column.length !== count)
    throw sparseError(
      'fromCoo',
      `there are ${row.length} rows and ${column.length} columns for ${count} values`,
      'give one of each',
    );
  checkIndices('row', row, count, rows);
  checkIndices('column', column, count, columns);
  const [rowOf, columnOf] = [wordsOf(row), wordsOf(column)];
  // By columns, and then, stably, by rows.
  const byColumn = new Uint32Array(count);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  countingSort(columnOf, order, columns, byColumn);
  countingSort(rowOf, byColumn, rows, order);
  const indptr = indicesLike(row, rows + 1);
  const indices = indicesLike(row, count);
  const own = valuesOf(dtype, count);
  const [pointers, to] = [wordsOf(indptr), wordsOf(indices)];
  let kept = -1;
  let [lastRow, lastColumn] = [-1, -1];
  for (const at of order) {
    const [r, c] = [rowOf.words[at * rowOf.step] as number, columnOf.words[at * columnOf.step] as number];
    if (r === lastRow && c === lastColumn) {
      // Integers wrap when they are stored.
      own[kept] = ((own[kept] as number) + (values[at] as number)) as never;
      continue;
    }
    while (lastRow < r) putIndex(pointers, ++lastRow, kept + 1);
    lastColumn = c;
    kept++;
    putIndex(to, kept, c);
    own[kept] = values[at] as never;
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

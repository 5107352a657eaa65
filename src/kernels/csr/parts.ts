import { UsageError } from '../../base/index.ts';
import { type Csr, countOf, indicesLike, putIndex, valuesOf, wordsOf } from './format.ts';

/** Some rows, in any order and as often as they are named. */
export function takeRows(a: Csr, list: BigInt64Array, most: number): Csr {
  const { columns, dtype } = a;
  const indptr = indicesLike(a.indptr, list.length + 1);
  const indices = indicesLike(a.indices, most);
  const values = valuesOf(dtype, most);
  const [starts, pointers] = [wordsOf(a.indptr), wordsOf(indptr)];
  let kept = 0;
  for (let i = 0; i < list.length; i++) {
    const row = Number(list[i]);
    if (!(row >= 0 && row < a.rows)) {
      throw new UsageError(`at: there is no row ${row} of ${a.rows}; give ${-a.rows} to ${a.rows - 1}`, {
        code: 'ERR_SHEAF_INDEX',
        details: { operation: 'at', index: String(row), length: a.rows },
      });
    }
    const [from, to] = [starts.words[row * starts.step] as number, starts.words[(row + 1) * starts.step] as number];
    indices.set(a.indices.subarray(from, to) as never, kept);
    values.set(a.values.subarray(from, to) as never, kept);
    kept += to - from;
    putIndex(pointers, i + 1, kept);
  }
  return { rows: list.length, columns, dtype, indptr, indices, values };
}

/** One below the other: they have equally many columns. */
export function stackRows(all: readonly Csr[]): Csr {
  const [first] = all as readonly [Csr];
  const rows = all.reduce((sum, each) => sum + each.rows, 0);
  const count = all.reduce((sum, each) => sum + countOf(each), 0);
  const indptr = indicesLike(first.indptr, rows + 1);
  const indices = indicesLike(first.indices, count);
  const values = valuesOf(first.dtype, count);
  const pointers = wordsOf(indptr);
  let [row, at] = [0, 0];
  for (const each of all) {
    const own = countOf(each);
    const starts = wordsOf(each.indptr);
    indices.set(each.indices.subarray(0, own) as never, at);
    values.set(each.values.subarray(0, own) as never, at);
    for (let i = 1; i <= each.rows; i++) putIndex(pointers, ++row, at + (starts.words[i * starts.step] as number));
    at += own;
  }
  return { rows, columns: first.columns, dtype: first.dtype, indptr, indices, values };
}

/** Beside each other: they have equally many rows. */
export function stackColumns(all: readonly Csr[]): Csr {
  const [first] = all as readonly [Csr];
  const { rows, dtype } = first;
  const columns = all.reduce((sum, each) => sum + each.columns, 0);
  const count = all.reduce((sum, each) => sum + countOf(each), 0);
  const indptr = indicesLike(first.indptr, rows + 1);
  const indices = indicesLike(first.indices, count);
  const values = valuesOf(dtype, count);
  const [pointers, to] = [wordsOf(indptr), wordsOf(indices)];
  const parts = all.map((each) => ({ ...each, starts: wordsOf(each.indptr), places: wordsOf(each.indices) }));
  let kept = 0;
  for (let i = 0; i < rows; i++) {
    let before = 0;
    for (const { starts, places, values: own, columns: width } of parts) {
      const end = starts.words[(i + 1) * starts.step] as number;
      for (let at = starts.words[i * starts.step] as number; at < end; at++) {
        values[kept] = own[at] as never;
        putIndex(to, kept++, before + (places.words[at * places.step] as number));
      }
      before += width;
    }
    putIndex(pointers, i + 1, kept);
  }
  return { rows, columns, dtype, indptr, indices, values };
}

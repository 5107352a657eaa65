import { UsageError } from '../../base/index.ts';
import { DTYPES, type DType, type Elements } from '../../nd/index.ts';

/** Numbers of rows, columns and elements; below 2**31 in either type. */
export type Indices = Int32Array | BigInt64Array;

/**
 * A sparse matrix by compressed rows: the elements of row i are `values[indptr[i]]` up to `values[indptr[i + 1]]`, and `indices` says in
 * which columns they are. What is not there is 0. Within a row the columns ascend, and none is there twice (as in SciPy's "canonical
 * format"); an element that is there may be 0.
 */
export interface Csr {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: DType;
  /** `rows` + 1 of them. */
  readonly indptr: Indices;
  /** Both may be longer than what is used. */
  readonly indices: Indices;
  readonly values: Elements;
}

/** Indices of either type as words of 32 bits; of wide ones every second is looked at. */
export interface Words {
  readonly words: Int32Array;
  readonly step: 1 | 2;
}

export function wordsOf(indices: Indices): Words {
  if (indices instanceof Int32Array) return { words: indices, step: 1 };
  return { words: new Int32Array(indices.buffer, indices.byteOffset, 2 * indices.length), step: 2 };
}

/** Sets an index; the upper half of a wide one, too. */
export function putIndex({ words, step }: Words, at: number, value: number): void {
  words[at * step] = value;
  if (step === 2) words[2 * at + 1] = 0;
}

/** How many elements are there. */
export const countOf = ({ indptr, rows }: Csr): number => Number(indptr[rows]);

export const indicesLike = (like: Indices, length: number): Indices =>
  like instanceof Int32Array ? new Int32Array(length) : new BigInt64Array(length);

export function valuesOf(dtype: DType, length: number): Elements {
  const { Elements, bytes } = DTYPES[dtype];
  return new Elements(new ArrayBuffer(length * bytes));
}

export const sparseError = (
  operation: string,
  why: string,
  advice = 'build the matrix from coordinates, which puts them in order',
): UsageError =>
  new UsageError(`${operation}: ${why}; ${advice}`, {
    code: 'ERR_SHEAF_SPARSE',
    details: { operation, why },
  });

/**
 * Whether it is such a matrix. All routines rely on it, and those in WebAssembly would read elsewhere otherwise: a matrix that comes from
 * outside is checked once. Throws a UsageError (ERR_SHEAF_SPARSE).
 */
export function checkCsr(operation: string, { rows, columns, indptr, indices, values }: Csr): void {
  if (indptr.length !== rows + 1)
    throw sparseError(operation, `${rows} rows need ${rows + 1} row pointers, and there are ${indptr.length}`);
  const room = Math.min(indices.length, values.length);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [Number(indptr[row]), Number(indptr[row + 1])];
    if (row === 0 && from !== 0) throw sparseError(operation, `the first row begins at ${from} and not at 0`);
    if (to < from || to > room) throw sparseError(operation, `row ${row} has the elements ${from} to ${to} of ${room}`);
    let last = -1;
    for (let at = from; at < to; at++) {
      const column = Number(indices[at]);
      if (!(column > last && column < columns)) {
        const order = column >= 0 && column < columns ? `after column ${last}` : `of ${columns}`;
        throw sparseError(operation, `row ${row} has column ${column} ${order}`);
      }
      last = column;
    }
  }
  if (rows === 0 && Number(indptr[0]) !== 0) throw sparseError(operation, 'a matrix without rows has elements');
}

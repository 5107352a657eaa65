import type { Arr, ExplainOptions, Ix } from '../arr.ts';
import type { TypedArray } from '../from.ts';
import type { Common, D, Float, Summed, Value } from '../types.ts';

/** What sparse matrices are made of: arrays, typed arrays, or lists. */
export type SparsePart = Arr | TypedArray | readonly (number | bigint)[];

/** A sparse matrix by compressed rows (CSR): what `csr` takes, and a sparse matrix has. */
export interface CsrParts {
  /** The elements that are there, row by row. */
  readonly values: SparsePart;
  /** The column of each of them, which ascend within a row. */
  readonly indices: SparsePart;
  /** Where each row begins among them, and behind the last one their number: one more than there are rows. */
  readonly indptr: SparsePart;
  /** Rows and columns. */
  readonly shape: readonly number[];
}

/** An index of `at` of a sparse matrix. */
export type SparseIx = number | Extract<Ix, `${string}:${string}` | ':'> | Arr<'i32' | 'i64'>;

/** A sparse matrix by its entries. */
export interface Coordinates<T extends D = D> {
  /** The row of each entry. */
  readonly rows: Arr<'i32'>;
  /** The column of each entry. */
  readonly columns: Arr<'i32'>;
  /** The entries. */
  readonly values: Arr<T>;
}

/** What sums and the like of a sparse matrix take. */
export interface SparseAxisOptions {
  /** 0: of each column; 1: of each row; left out: of all elements. */
  axis?: number | readonly number[];
  /** Axes that are combined stay, with length 1. */
  keepdims?: boolean;
}

/**
 * A matrix most of whose elements are 0 and take no room: by compressed rows, with the elements that are there in the order of rows. Like an
 * array it is not computed before its values are asked for, is never changed, and lies in the memory of the session.
 *
 * An element that is not there is 0. In products, and beside dense arrays, it stays 0 whatever it meets, NaN and infinities included, as in
 * every sparse library. What would make all elements appear, such as adding 1, is refused (ERR_SHEAF_SPARSE).
 */
export interface Sparse<T extends D = D> {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The type of its elements. */
  readonly dtype: T;
  /** 2. */
  readonly ndim: 2;
  /**
   * How many elements are there. Those that are 0 and were given are counted. Throws a UsageError (ERR_SHEAF_UNKNOWN_SHAPE) while it depends on
   * values: after `await s.persist()` it is known.
   */
  readonly nnz: number;
  /** Where each row begins among the elements; one more than there are rows. */
  readonly indptr: Arr<'i32'>;
  /** The columns of the elements. Known when `nnz` is. */
  readonly indices: Arr<'i32'>;
  /** The elements that are there, row by row. Known when `nnz` is. */
  readonly values: Arr<T>;
  /** The transpose. A product with it is computed without making it. */
  readonly T: Sparse<T>;
  /** The transpose. */
  transpose(): Sparse<T>;
  /** All of its elements. */
  toDense(): Arr<T>;
  /** Its entries, row by row. Known when `nnz` is. */
  toCoo(): Coordinates<T>;
  /** The elements in another type. */
  astype<const R extends D>(dtype: R): Sparse<R>;
  /** The element at a row and a column, as an array without axes. */
  at(row: number, column: number): Arr<T>;
  /**
   * Some rows, and some columns of those, as a sparse matrix: a number, from the end when it is negative, a slice, or an array of numbers, which
   * may name some of them several times.
   */
  at(rows: SparseIx, columns?: SparseIx): Sparse<T>;
  /** The product with a vector, or with a dense matrix, which is dense. */
  matmul<U extends D>(x: Arr<U>): Arr<Common<T, U>>;
  /**
   * The product with a sparse matrix, which is sparse. How many elements it has depends on values: of large matrices that are not computed, it is a
   * UsageError (ERR_SHEAF_UNKNOWN_SHAPE) that says so.
   */
  matmul<U extends D>(x: Sparse<U>): Sparse<Common<T, U>>;
  /** x + y: sparse, if both are, and dense beside an array. */
  add(y: Sparse<T>): Sparse<T>;
  add(y: Arr<T>): Arr<T>;
  /** x - y: sparse, if both are, and dense beside an array. */
  sub(y: Sparse<T>): Sparse<T>;
  sub(y: Arr<T>): Arr<T>;
  /** x * y, which is sparse: an array scales rows, columns (`[m, 1]`, `[n]`), or every element. */
  mul(y: Sparse<T> | Arr<T> | Value): Sparse<T>;
  /** x / y, which is sparse. Takes floats. */
  div(y: Arr<T> | number): Sparse<T>;
  /** x to the power of a number. */
  pow(y: Value): Sparse<T>;
  /** The greater ones: sparse, if both are, and dense beside an array. NaN wins. */
  maximum(y: Sparse<T> | Value): Sparse<T>;
  maximum(y: Arr<T>): Arr<T>;
  /** The lesser ones: sparse, if both are, and dense beside an array. NaN wins. */
  minimum(y: Sparse<T> | Value): Sparse<T>;
  minimum(y: Arr<T>): Arr<T>;
  /** x > y. */
  greater(y: Value): Sparse<'bool'>;
  /** x >= y. */
  greaterEqual(y: Value): Sparse<'bool'>;
  /** x < y. */
  less(y: Value): Sparse<'bool'>;
  /** x <= y. */
  lessEqual(y: Value): Sparse<'bool'>;
  /** x == y. */
  equal(y: Value): Sparse<'bool'>;
  /** x != y. */
  notEqual(y: Value): Sparse<'bool'>;
  /** The absolute values. */
  abs(): Sparse<T>;
  /** -x. */
  neg(): Sparse<T>;
  /** -1, 0 or 1. */
  sign(): Sparse<T>;
  /** x * x. */
  square(): Sparse<T>;
  /** The square roots. Takes floats. */
  sqrt(): Sparse<T>;
  /** The greatest integers that are not greater. */
  floor(): Sparse<T>;
  /** The least integers that are not less. */
  ceil(): Sparse<T>;
  /** The nearest integers, the even one of two. */
  round(): Sparse<T>;
  /** Without what is behind the point. */
  trunc(): Sparse<T>;
  /** exp(x) - 1. Takes floats. */
  expm1(): Sparse<T>;
  /** The natural logarithm of 1 + x. Takes floats. */
  log1p(): Sparse<T>;
  /** The hyperbolic tangent. Takes floats. */
  tanh(): Sparse<T>;
  /** The sum of all elements, of each row, or of each column. */
  sum(o?: SparseAxisOptions): Arr<Summed<T>>;
  /** The arithmetic mean, of what is 0 as well. Takes floats. */
  mean(this: Sparse<Float>, o?: SparseAxisOptions): Arr<T>;
  /** The greatest element, which may be one that is not there. NaN wins. */
  max(o?: SparseAxisOptions): Arr<T>;
  /** The least element, which may be one that is not there. NaN wins. */
  min(o?: SparseAxisOptions): Arr<T>;
  /** A text for people: its first and last entries. */
  show(): Promise<string>;
  /** Computes it and keeps the elements, so that what is made of it begins there. Gives itself. */
  persist(): Promise<Sparse<T>>;
  /** Lets go of the elements that were computed, as that of arrays does. Its indices stay as long as another matrix that was computed has the same. */
  release(): void;
  /** The same, by `using`. */
  [Symbol.dispose](): void;
  /** What would be computed, and how. */
  explain(o?: ExplainOptions): Promise<string>;
}

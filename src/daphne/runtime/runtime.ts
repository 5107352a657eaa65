/** What running built-ins may use. */

import type { Arr } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import type { ValueType } from '../types.ts';
import type { DenseMatrix, Frame, Matrix, MaybeLater, Scalar, StringMatrix } from '../values/values.ts';
import type { Holdings } from './holdings.ts';
import type { Own } from './own.ts';

export interface Runtime {
  /**
   * The elements of a dense matrix, row by row, computed now if they are not there yet. Nobody may change them. A promise where others have to help
   * to compute them; use `then` of `later.ts`, which goes on at once where it can.
   */
  elements(matrix: DenseMatrix): MaybeLater<Elements>;
  /** The same of several arrays at once, so that what they share is computed once. */
  computed(arrays: readonly Arr[]): MaybeLater<readonly Elements[]>;
  /** A matrix of such an array, whose shape is [rows, columns]. Without `--vec` it is computed at once. */
  matrix(array: Arr, value: Exclude<ValueType, 'str'>): MaybeLater<DenseMatrix>;
  /** A matrix of elements that are there. */
  matrixOf(elements: Elements, value: Exclude<ValueType, 'str'>, rows: number, columns: number): DenseMatrix;
  /** So many rows and columns of a matrix, from a row and a column on. */
  partOf(of: DenseMatrix, top: number, left: number, rows: number, columns: number): MaybeLater<DenseMatrix>;
  /** The first matrix with the second one, of the same type, in place of its elements from a row and a column on. */
  withPart(of: DenseMatrix, by: DenseMatrix, top: number, left: number): MaybeLater<DenseMatrix>;
  /** Sparse matrices as dense ones; others as they are. */
  dense(matrix: Matrix): MaybeLater<DenseMatrix | StringMatrix>;
  /** Which of the arrays that were made somebody may still see. */
  readonly holdings: Holdings;
  /** Matrices whose parts are set in their place. */
  readonly own: Own;
  /** Views of frames by name, for SQL. */
  readonly views: Map<string, Frame>;
  /** Writes to standard output. It is passed on in large pieces, and all of it when the script ends. */
  write(text: string): void;
  writeError(text: string): void;
  /** A path of the script: relative to where it is run. */
  path(path: string): string;
  /** How many work at the same time. */
  readonly workers: number;
  /** Nanoseconds since 1970. */
  now(): bigint;
  /** A seed, where a script wants none of its own. */
  seed(): number;
}

export type { Scalar };

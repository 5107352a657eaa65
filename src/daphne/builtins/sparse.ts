/**
 * Sparse matrices: which results are, by the estimates that DAPHNE makes, and what is computed of sparse matrices as they are. Everything else takes
 * them as dense ones.
 */

import { computedHere, reshape, type Sparse } from '../../arrays/index.ts';
import { all } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, type MatrixType } from '../types.ts';
import type { DenseMatrix, MaybeLater, SparseMatrix, Value } from '../values/values.ts';
import type { CallToInfer, RunArgument, Site } from './builtin.ts';
import type { NumericType } from './operands.ts';

export const isSparse = (value: RunArgument): value is SparseMatrix =>
  typeof value === 'object' && value.kind === 'sparse';

/** The type of a result as the compiler chooses its storage. */
export const chosenStorage = (call: CallToInfer, type: MatrixType): MatrixType =>
  type.value !== 'str' && type.sparsity !== undefined && type.sparsity < call.sparseBelow
    ? { ...type, sparse: true }
    : type;

/** A result in the storage that the compiler has chosen. */
export function stored(runtime: Runtime, site: Site, result: Value): MaybeLater<Value> {
  const [type] = site.results;
  if (typeof result !== 'object' || type?.data !== 'matrix') return result;
  if (type.sparse === true) return result.kind === 'dense' ? made(result.value, result.array.toSparse()) : result;
  return result.kind === 'sparse' ? runtime.dense(result) : result;
}

/** Arguments with dense matrices in place of sparse ones. */
export const densified = (runtime: Runtime, args: readonly RunArgument[]): MaybeLater<readonly RunArgument[]> =>
  all(
    args.map((arg): MaybeLater<RunArgument> => (isSparse(arg) ? runtime.dense(arg) : arg)),
    (full) => full,
  );

const made = (value: NumericType, csr: Sparse): SparseMatrix => {
  const [rows, columns] = csr.shape;
  // How many elements it has depends on values; and whoever uses it would compute it again.
  return { kind: 'sparse', value, rows, columns, csr: computedHere(csr) };
};

/** x * y of a sparse matrix and what it can be multiplied with, in a type that both have been promoted to; undefined: not so. */
export function sparseProduct(
  a: SparseMatrix,
  b: SparseMatrix | DenseMatrix | number | bigint,
  value: NumericType,
): SparseMatrix | undefined {
  const type = ELEMENT_TYPES[value];
  const own = a.csr.astype(type) as Sparse;
  if (value === 'bool') return undefined;
  if (typeof b !== 'object') return made(value, own.mul(b));
  if (b.kind === 'sparse') {
    if (a.rows !== b.rows || a.columns !== b.columns) return undefined;
    return made(value, own.mul(b.csr.astype(type) as Sparse));
  }
  const array = b.array.astype(type);
  if (b.columns === a.columns && b.rows === 1) return made(value, own.mul(reshape(array, [a.columns])));
  return b.rows === a.rows && (b.columns === a.columns || b.columns === 1) ? made(value, own.mul(array)) : undefined;
}

/** x + y or x - y of two of one shape. */
export function sparseSum(
  operation: 'add' | 'sub',
  a: SparseMatrix,
  b: SparseMatrix,
  value: NumericType,
): SparseMatrix | undefined {
  if (value === 'bool' || a.rows !== b.rows || a.columns !== b.columns) return undefined;
  const type = ELEMENT_TYPES[value];
  const [x, y] = [a.csr.astype(type) as Sparse, b.csr.astype(type) as Sparse];
  return made(value, operation === 'add' ? x.add(y) : x.sub(y));
}

/** Products with it are computed without making it. */
export const sparseTranspose = ({ value, rows, columns, csr }: SparseMatrix): SparseMatrix => ({
  kind: 'sparse',
  value,
  rows: columns,
  columns: rows,
  csr: csr.T,
});

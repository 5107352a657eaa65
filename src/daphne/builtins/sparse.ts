/** What stays sparse: operations that make 0 of 0, products, transposes and parts. Everything else takes sparse matrices as dense ones. */

import { reshape, type Sparse } from '../../arrays/index.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import { all } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, isFloat, type MatrixType, type Type } from '../types.ts';
import type { DenseMatrix, MaybeLater, SparseMatrix } from '../values/values.ts';
import type { RunArgument } from './builtin.ts';
import type { NumericType } from './operands.ts';
import type { Selection } from './selection.ts';

export const isSparse = (value: RunArgument): value is SparseMatrix =>
  typeof value === 'object' && value.kind === 'sparse';

export const isSparseType = (type: Type | undefined): boolean => type?.data === 'matrix' && type.sparse === true;

/** A matrix type as sparse as another one, of which it is made. */
export const asSparseAs = (type: MatrixType, of: Type): MatrixType =>
  isSparseType(of) ? { ...type, sparse: true } : type;

/** Arguments with dense matrices in place of sparse ones. */
export const densified = (runtime: Runtime, args: readonly RunArgument[]): MaybeLater<readonly RunArgument[]> =>
  all(
    args.map((arg): MaybeLater<RunArgument> => (isSparse(arg) ? runtime.dense(arg) : arg)),
    (full) => full,
  );

const UNARY: Partial<Record<ScalarOperation, (x: Sparse) => Sparse>> = {
  minus: (x) => x.neg(),
  abs: (x) => x.abs(),
  sign: (x) => x.sign(),
  floor: (x) => x.floor(),
  ceil: (x) => x.ceil(),
  tanh: (x) => x.tanh(),
};

const isSigned = (value: NumericType): boolean => value === 'si8' || value === 'si32' || value === 'si64';

const made = (value: NumericType, csr: Sparse): SparseMatrix => {
  const [rows, columns] = csr.shape;
  return { kind: 'sparse', value, rows, columns, csr };
};

/** Whether such an operation stays sparse, for elements of the type. */
export const keepsSparse = (operation: ScalarOperation, value: NumericType): boolean =>
  UNARY[operation] !== undefined && (isFloat(value) || (isSigned(value) && operation !== 'tanh'));

export const sparseUnary = (operation: ScalarOperation, { value, csr }: SparseMatrix): SparseMatrix =>
  made(value, (UNARY[operation] as (x: Sparse) => Sparse)(csr));

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

export const sparseTranspose = ({ value, csr }: SparseMatrix): SparseMatrix => made(value, csr.T);

export function sparsePart({ value, csr }: SparseMatrix, rows: Selection, columns: Selection): SparseMatrix {
  const index = (side: Selection) =>
    side.kind === 'list' ? (side.array as never) : side.kind === 'all' ? ':' : (`${side.from}:${side.to}` as const);
  return made(value, csr.at(index(rows), index(columns)));
}

/**
 * Sparse matrices: which results are, by the estimates that DAPHNE makes, and what is computed of sparse matrices as they are. Everything else takes
 * them as dense ones.
 */

import { type Arr, arrayOf, computedHere, csr, reshape, type Sparse, type SparseIx } from '../../arrays/index.ts';
import { elements } from '../../nd/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, isFloat, type MatrixType } from '../types.ts';
import type { DenseMatrix, Matrix, MaybeLater, SparseMatrix, Value } from '../values/values.ts';
import { choose, isNan, loose } from './arrays.ts';
import type { CallToInfer, RunArgument, Site } from './builtin.ts';
import type { NumericType } from './operands.ts';
import type { Selection } from './selection.ts';

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
  return result.kind === 'sparse' ? denseWithin(runtime, result) : result;
}

/** 128 MiB of f64. */
const MOST_CELLS = 2 ** 24;

/** Dense, unless that would take much memory, and by rows it takes little. */
export const denseWithin = (runtime: Runtime, sparse: SparseMatrix): MaybeLater<Matrix> =>
  staysSparse(sparse) ? sparse : runtime.dense(sparse);

export const staysSparse = ({ rows, columns, csr }: SparseMatrix): boolean => isSmallerByRows(rows, columns, csr.nnz);

/** Whether that is so of a matrix with so many elements that are not 0. */
export const isSmallerByRows = (rows: number, columns: number, elements: number): boolean =>
  rows * columns > MOST_CELLS && elements < (rows * columns) / 8;

/** Arguments with dense matrices in place of sparse ones. */
export const densified = (runtime: Runtime, args: readonly RunArgument[]): MaybeLater<readonly RunArgument[]> =>
  all(
    args.map((arg): MaybeLater<RunArgument> => (isSparse(arg) ? runtime.dense(arg) : arg)),
    (full) => full,
  );

export const made = (value: NumericType, csr: Sparse): SparseMatrix => {
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

/** The greater or the lesser elements of two of one shape. */
export function sparseExtreme(
  operation: 'max' | 'min',
  a: SparseMatrix,
  b: SparseMatrix,
  value: NumericType,
): SparseMatrix | undefined {
  if (value === 'bool' || a.rows !== b.rows || a.columns !== b.columns) return undefined;
  // Beside a NaN of the second one the first one stays.
  const cells = cellsOf(b);
  const least = operation === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const right = isFloat(b.value)
    ? withCells(b, { ...cells, array: choose(loose(isNan)(cells.array), least, cells.array) })
    : b;
  const [x, y] = [a, right].map(({ csr }) => csr.astype(ELEMENT_TYPES[value])) as [Sparse, Sparse];
  return made(value, operation === 'max' ? x.maximum(y) : x.minimum(y));
}

/** Products with it are computed without making it. */
export const sparseTranspose = ({ value, rows, columns, csr }: SparseMatrix): SparseMatrix => ({
  kind: 'sparse',
  value,
  rows: columns,
  columns: rows,
  csr: csr.T,
});

/** Elements that are there, as a column. */
export const cellsOf = ({ value, csr }: SparseMatrix): DenseMatrix => {
  const rows = csr.nnz;
  return { kind: 'dense', value, rows, columns: 1, array: reshape(csr.values, [rows, 1]) };
};

/** Others in their places. */
export function withCells(of: SparseMatrix, { value, array }: DenseMatrix): SparseMatrix {
  const { indices, indptr, nnz, shape } = of.csr;
  return made(value, csr({ values: reshape(array, [nnz]), indices, indptr, shape }));
}

/** Half as many products of elements as the product with a dense matrix has are not worth it. */
const DENSE_ENOUGH = 0.1;

/** x @ y; undefined: the right side is better made dense. Of bools it is what is not 0. */
export function productOfSparse(a: SparseMatrix, b: SparseMatrix, value: NumericType): SparseMatrix | undefined {
  const cells = b.rows * b.columns;
  if (cells <= MOST_CELLS && b.csr.nnz > DENSE_ENOUGH * cells) return undefined;
  const type = value === 'bool' ? 'i32' : ELEMENT_TYPES[value];
  // How many elements there can be is known of what is there.
  const [x, y] = [a, b].map(({ csr }) => computedHere(csr.astype(type) as Sparse)) as [Sparse, Sparse];
  const product = x.matmul(y);
  return made(value, value === 'bool' ? product.astype('bool') : product);
}

/** Some rows and columns. */
export function sparsePart({ value, csr }: SparseMatrix, rows: Selection, columns: Selection): SparseMatrix {
  // Numbers that are there, since it depends on them how many elements there are.
  const index = (side: Selection): SparseIx => {
    if (side.kind === 'all') return ':';
    const places =
      side.kind === 'list'
        ? Int32Array.from(side.positions)
        : Int32Array.from({ length: side.length }, (_, i) => side.from + i);
    return arrayOf(places, [places.length], 'i32') as Arr<'i32'>;
  };
  let part = csr;
  if (rows.kind !== 'all') part = computedHere(part.at(index(rows)));
  if (columns.kind !== 'all') part = computedHere(computedHere(part.T).at(index(columns))).T;
  return made(value, part);
}

/** Another matrix in place of the elements from a row and a column on. */
export function sparseWith(
  runtime: Runtime,
  of: SparseMatrix,
  by: SparseMatrix | DenseMatrix,
  top: number,
  left: number,
): MaybeLater<SparseMatrix> {
  const inner = by.kind === 'sparse' ? by.csr : computedHere(by.array.toSparse());
  const parts = (csr: Sparse): Arr[] => [csr.indptr, csr.indices, csr.values];
  return then(runtime.computed([...parts(of.csr), ...parts(inner)]), (found) => {
    const [starts, places, values, innerStarts, innerPlaces, innerValues] = found as unknown as [
      Int32Array,
      Int32Array,
      Float64Array,
      Int32Array,
      Int32Array,
      Float64Array,
    ];
    const most = values.length + innerValues.length;
    const indptr = new Int32Array(of.rows + 1);
    const indices = new Int32Array(most);
    const into = elements(ELEMENT_TYPES[of.value], most) as Float64Array;
    let count = 0;
    const put = (from: Float64Array, at: number, column: number): void => {
      indices[count] = column;
      into[count++] = from[at]!;
    };
    for (let row = 0; row < of.rows; row++) {
      let at = starts[row]!;
      const end = starts[row + 1]!;
      if (row >= top && row < top + by.rows) {
        for (; at < end && places[at]! < left; at++) put(values, at, places[at]!);
        for (let k = innerStarts[row - top]!; k < innerStarts[row - top + 1]!; k++)
          put(innerValues, k, left + innerPlaces[k]!);
        while (at < end && places[at]! < left + by.columns) at++;
      }
      for (; at < end; at++) put(values, at, places[at]!);
      indptr[row + 1] = count;
    }
    const shape = [of.rows, of.columns];
    return made(of.value, csr({ values: into.subarray(0, count), indices: indices.subarray(0, count), indptr, shape }));
  });
}

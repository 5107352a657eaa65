/** Products of matrices, dense and sparse. */

import { type Arr, matmul, type Sparse } from '../../arrays/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, type MatrixType, matrix, mostGeneral, type ValueType } from '../types.ts';
import type { DenseMatrix, Matrix, MaybeLater, SparseMatrix, StringMatrix, Value } from '../values/values.ts';
import { type Builtin, RunError, type Site } from './builtin.ts';
import { chosenStorage, isSparse, productOfSparse, stored } from './sparse.ts';
import { checkSame, matrixOf, wantNumbers } from './wanted.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** The more general one, where both are known. */
export const common = (a: ValueType | undefined, b: ValueType | undefined): ValueType | undefined =>
  a === undefined || b === undefined ? undefined : mostGeneral(a, b);

function numeric(own: DenseMatrix | StringMatrix, what: string): DenseMatrix {
  if (own.kind !== 'strings') return own;
  throw new RunError(`${what} takes numbers, and no strings`);
}

export const denseOf = (runtime: Runtime, own: Matrix, what: string): MaybeLater<DenseMatrix> =>
  then(runtime.dense(own), (dense) => numeric(dense, what));

export const asType = (array: Arr, value: NumberType): Arr =>
  array.dtype === ELEMENT_TYPES[value] ? array : array.astype(ELEMENT_TYPES[value]);

const sparseAs = (own: Sparse, value: NumberType): Sparse =>
  own.dtype === ELEMENT_TYPES[value] ? own : own.astype(ELEMENT_TYPES[value]);

/** In the more general type of both, dense unless both are sparse. Of bools it is what is not 0. */
function product(runtime: Runtime, left: Matrix, right: Matrix, what: string): MaybeLater<DenseMatrix | SparseMatrix> {
  if (left.kind === 'strings' || right.kind === 'strings') throw new RunError(`${what} takes numbers, and no strings`);
  checkSame(left.columns, right.rows, (columns, rows) => unfit(what, columns, rows));
  const value = mostGeneral(left.value, right.value) as NumberType;
  if (isSparse(left) && isSparse(right)) {
    const made = productOfSparse(left, right, value);
    if (made !== undefined) return made;
  }
  if (value === 'bool')
    return all([denseOf(runtime, left, what), denseOf(runtime, right, what)], ([a, b]) =>
      runtime.matrix(matmul(a!.array.astype('i32'), b!.array.astype('i32')).astype('bool'), value),
    );
  if (left.kind === 'sparse')
    return then(denseOf(runtime, right, what), ({ array }) =>
      runtime.matrix(sparseAs(left.csr, value).matmul(asType(array, value)), value),
    );
  if (right.kind === 'sparse')
    return runtime.matrix(matmul(asType(left.array, value), sparseAs(right.csr, value)), value);
  return runtime.matrix(matmul(asType(left.array, value), asType(right.array, value)), value);
}

/** In the storage that the compiler has chosen. */
const storedProduct = (runtime: Runtime, site: Site, left: Matrix, right: Matrix, what: string): MaybeLater<Value> =>
  then(product(runtime, left, right, what), (made) => stored(runtime, site, made));

const unfit = (what: string, columns: number, rows: number): string =>
  `${what}: the left side has ${columns} columns, and the right side ${rows} rows; they have to be as many`;

/** As if what is not 0 were anywhere with the same chance. */
function productSparsity(left: MatrixType, right: MatrixType): number | undefined {
  if (left.columns === undefined || left.sparsity === undefined || right.sparsity === undefined) return undefined;
  return 1 - (1 - left.sparsity * right.sparsity) ** left.columns;
}

/** Sparse, if both sides are, and few of its elements are estimated not to be 0. */
const MAT_MUL: Builtin = {
  name: '$matMul',
  parameters: ['lhs', 'rhs'],
  least: 2,
  most: 2,
  takesSparse: true,
  infer(call) {
    const [left, right] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    const sparsity = productSparsity(left, right);
    const type = matrix(common(left.value, right.value), left.rows, right.columns, { sparsity });
    return [left.sparse === true && right.sparse === true ? chosenStorage(call, type) : type];
  },
  run: (runtime, site, [left, right]) => storedProduct(runtime, site, matrixOf(left), matrixOf(right), '@'),
};

/** Its transpose, which is not made: a product reads it the other way round. */
function transposed(own: Matrix): Matrix {
  const shape = { rows: own.columns, columns: own.rows };
  if (own.kind === 'dense') return { ...own, ...shape, array: own.array.T };
  if (own.kind === 'sparse') return { ...own, ...shape, csr: own.csr.T };
  throw new RunError('a product takes numbers, and no strings');
}

const SYRK: Builtin = {
  name: 'syrk',
  parameters: ['arg'],
  least: 1,
  most: 1,
  takesSparse: true,
  infer(call) {
    const { value, columns } = wantNumbers(call, 0);
    return [matrix(value, columns, columns, { symmetric: true })];
  },
  run: (runtime, site, [arg]) => storedProduct(runtime, site, transposed(matrixOf(arg)), matrixOf(arg), 'syrk'),
};

const GEMV: Builtin = {
  name: 'gemv',
  parameters: ['lhs', 'rhs'],
  least: 2,
  most: 2,
  takesSparse: true,
  infer(call) {
    const [left, right] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    return [matrix(common(left.value, right.value), left.columns, 1)];
  },
  run(runtime, site, [mat, vec]) {
    const [left, right] = [matrixOf(mat), matrixOf(vec)];
    checkSame(left.rows, right.rows, notAsLong);
    checkSame(right.columns, 1, notAVector);
    return storedProduct(runtime, site, transposed(left), right, 'gemv');
  },
};

const notAsLong = (rows: number, length: number): string =>
  `gemv: the matrix has ${rows} rows, and the vector ${length}; they have to be as many`;
const notAVector = (columns: number): string => `gemv: the vector has ${columns} columns, and has to have one`;

export const PRODUCTS: readonly Builtin[] = [MAT_MUL, SYRK, GEMV];

import { UsageError } from '../../base/index.ts';
import { type DType, type Elements, sizeOf } from '../../nd/index.ts';
import {
  type Csr,
  CsrKernels,
  combine,
  countOf,
  fromCoo,
  fromDense,
  type Indices,
  toDense,
  transpose,
} from '../csr/index.ts';
import { ELEMENTWISE, type ElementOpName } from '../elementwise.ts';
import type { Strided } from '../reference.ts';
import {
  type ArrayType,
  COUNT,
  type Dense,
  ofKind,
  type Params,
  putCount,
  type Routine,
  sameType,
  shapeError,
} from './routine.ts';

/**
 * Sparse matrices as three arrays of one axis: `indptr`, `indices` (both i32, or both i64) and `values`, in this order among inputs and outputs. The
 * number of columns is a param, `columns`, since they do not tell it. They are taken as they are: whoever lets them in has called
 * `checkCsr`.
 */

const MATRIX = 3;

const withoutMemory = new CsrKernels();
const withMemory = new WeakMap<WebAssembly.Memory, CsrKernels>();

/** Those of a memory are compiled once. */
function kernelsOf(memory: WebAssembly.Memory | undefined): CsrKernels {
  if (memory === undefined) return withoutMemory;
  let kernels = withMemory.get(memory);
  if (kernels === undefined) {
    kernels = new CsrKernels(memory);
    withMemory.set(memory, kernels);
  }
  return kernels;
}

const rowMajor = ({ elements, shape }: Dense): Strided => ({
  elements,
  offset: 0,
  strides: shape.length === 1 ? [1] : [shape[1] as number, 1],
});

const indexTypes = (operation: string, indptr: ArrayType, indices: ArrayType): void => {
  sameType(operation, indptr, indices);
  if (indptr.dtype === 'i32' || indptr.dtype === 'i64') return;
  throw new UsageError(`${operation} wants indices of i32 or i64, and has ${indptr.dtype}; convert them`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation, dtype: indptr.dtype },
  });
};

/** Checks the three arrays of a matrix; gives the number of its rows. */
function rowsOf(operation: string, [indptr, indices, values]: readonly ArrayType[]): number {
  indexTypes(operation, indptr!, indices!);
  ofKind(operation, values!, ['int', 'uint', 'float']);
  for (const { shape } of [indptr!, indices!, values!])
    if (shape.length !== 1) throw shapeError(operation, 'a sparse matrix is made of arrays of one axis', shape);
  if (indptr!.shape[0] === 0) throw shapeError(operation, 'there is one row pointer more than there are rows', [0]);
  return (indptr!.shape[0] as number) - 1;
}

function csr([indptr, indices, values]: readonly Dense[], columns: number): Csr {
  return {
    rows: indptr!.elements.length - 1,
    columns,
    dtype: values!.dtype,
    indptr: indptr!.elements as Indices,
    indices: indices!.elements as Indices,
    values: values!.elements,
  };
}

const columnsParam = ({ columns }: Params): number => columns as number;
const rowsParam = ({ rows }: Params): number => rows as number;

/** The three arrays of a matrix of so many rows, with room for so many elements. */
const matrixTypes = (rows: number, most: number, index: DType, dtype: DType): ArrayType[] => [
  { shape: [rows + 1], dtype: index },
  { shape: [most], dtype: index },
  { shape: [most], dtype },
];

function putMatrix(a: Csr, [indptr, indices, values]: readonly Dense[]): void {
  const put = (into: Dense, from: Elements): void => into.elements.set(from as never);
  const count = countOf(a);
  put(indptr!, a.indptr);
  put(indices!, a.indices.subarray(0, count));
  put(values!, a.values.subarray(0, count));
}

const axes = (operation: string, x: ArrayType, rank: number): void => {
  if (x.shape.length !== rank)
    throw shapeError(operation, `${rank === 1 ? 'a vector' : 'a matrix'} is needed`, x.shape);
};

/** The product of a matrix and a vector. */
const spmv: Routine = {
  outputs(inputs) {
    const [values, x] = inputs.slice(MATRIX - 1) as [ArrayType, ArrayType];
    sameType('spmv', values, x);
    axes('spmv', x, 1);
    return [{ shape: [rowsOf('spmv', inputs)], dtype: values.dtype }];
  },
  run(inputs, _, [into], memory) {
    const x = inputs[MATRIX]!;
    kernelsOf(memory).multiplyVector(csr(inputs, x.elements.length), rowMajor(x), rowMajor(into!));
  },
};

/** The product of a matrix and a dense one. */
const spmm: Routine = {
  outputs(inputs) {
    const [values, b] = inputs.slice(MATRIX - 1) as [ArrayType, ArrayType];
    sameType('spmm', values, b);
    axes('spmm', b, 2);
    return [{ shape: [rowsOf('spmm', inputs), b.shape[1] as number], dtype: values.dtype }];
  },
  run(inputs, _, [into], memory) {
    const b = inputs[MATRIX]!;
    const [rows, columns] = b.shape as [number, number];
    kernelsOf(memory).multiplyMatrix(csr(inputs, rows), rowMajor(b), rowMajor(into!), columns);
  },
};

const csrTranspose: Routine = {
  outputs(inputs, params) {
    rowsOf('csrTranspose', inputs);
    const [, indices, values] = inputs;
    return matrixTypes(columnsParam(params), indices!.shape[0] as number, indices!.dtype, values!.dtype);
  },
  run: (inputs, params, outputs) => putMatrix(transpose(csr(inputs, columnsParam(params))), outputs),
};

const csrToDense: Routine = {
  outputs: (inputs, params) => [
    { shape: [rowsOf('csrToDense', inputs), columnsParam(params)], dtype: inputs[2]!.dtype },
  ],
  run: (inputs, params, [into]) => toDense(csr(inputs, columnsParam(params)), rowMajor(into!)),
};

/** All elements of a dense matrix that are not 0. `index`: the type of the indices, i32 if it is not given. */
const csrFromDense: Routine = {
  outputs([x], { index = 'i32' }) {
    axes('csrFromDense', x!, 2);
    ofKind('csrFromDense', x!, ['int', 'uint', 'float']);
    return [...matrixTypes(x!.shape[0] as number, sizeOf(x!.shape), index as DType, x!.dtype), COUNT];
  },
  run([x], _, outputs) {
    const [rows, columns] = x!.shape as [number, number];
    const a = fromDense(rowMajor(x!), rows, columns, x!.dtype, outputs[0]!.elements as Indices);
    putMatrix(a, outputs);
    putCount(outputs[MATRIX]!, countOf(a));
  },
};

/** Elements by their rows, columns and values, in any order; those in one place are added up. `rows`, `columns`: of the matrix. */
const csrFromCoo: Routine = {
  outputs([row, column, values], params) {
    indexTypes('csrFromCoo', row!, column!);
    ofKind('csrFromCoo', values!, ['int', 'uint', 'float']);
    for (const each of [row!, column!, values!]) axes('csrFromCoo', each, 1);
    return [...matrixTypes(rowsParam(params), values!.shape[0] as number, row!.dtype, values!.dtype), COUNT];
  },
  run([row, column, values], params, outputs) {
    const coo = { row: row!.elements as Indices, column: column!.elements as Indices, values: values!.elements };
    const a = fromCoo(coo, rowsParam(params), columnsParam(params), values!.dtype);
    putMatrix(a, outputs);
    putCount(outputs[MATRIX]!, countOf(a));
  },
};

/** Two matrices of one shape, element by element. `op`: an operator that makes 0 of two zeros. */
const csrCombine: Routine = {
  outputs(inputs, { op }) {
    if (typeof op !== 'string' || !Object.hasOwn(ELEMENTWISE, op)) {
      throw new UsageError(`csrCombine: there is no operator ${String(op)}`, { details: { op } });
    }
    const [a, b] = [inputs.slice(0, MATRIX), inputs.slice(MATRIX)];
    const rows = rowsOf('csrCombine', a);
    if (rowsOf('csrCombine', b) !== rows)
      throw shapeError('csrCombine', 'the matrices need equally many rows', a[0]!.shape, b[0]!.shape);
    sameType('csrCombine', a[0]!, b[0]!);
    sameType('csrCombine', a[2]!, b[2]!);
    const most = (a[1]!.shape[0] as number) + (b[1]!.shape[0] as number);
    return [...matrixTypes(rows, most, a[0]!.dtype, a[2]!.dtype), COUNT];
  },
  run(inputs, params, outputs) {
    const columns = columnsParam(params);
    const [a, b] = [csr(inputs.slice(0, MATRIX), columns), csr(inputs.slice(MATRIX), columns)];
    const made = combine(params.op as ElementOpName, a, b);
    putMatrix(made, outputs);
    putCount(outputs[MATRIX]!, countOf(made));
  },
};

export const SPARSE = { spmv, spmm, csrTranspose, csrToDense, csrFromDense, csrFromCoo, csrCombine } as const;

import { UsageError } from '../../base/index.ts';
import { type DType, type Elements, type Kind, sizeOf } from '../../nd/index.ts';
import {
  type Csr,
  CsrKernels,
  checkCsr,
  combine,
  countOf,
  fromCoo,
  fromDense,
  type Indices,
  multiply,
  multiplyFromLeft,
  reduce,
  type SparseReducer,
  scale,
  stackColumns,
  stackRows,
  takeRows,
  toCoo,
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

const NUMBERS: readonly Kind[] = ['int', 'uint', 'float'];
/** What is moved, and not computed with. */
const ANY: readonly Kind[] = ['bool', ...NUMBERS];

/** Checks the three arrays of a matrix; gives the number of its rows. */
function rowsOf(
  operation: string,
  [indptr, indices, values]: readonly ArrayType[],
  kinds: readonly Kind[] = NUMBERS,
): number {
  indexTypes(operation, indptr!, indices!);
  ofKind(operation, values!, kinds);
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
    rowsOf('csrTranspose', inputs, ANY);
    const [, indices, values] = inputs;
    return matrixTypes(columnsParam(params), indices!.shape[0] as number, indices!.dtype, values!.dtype);
  },
  run: (inputs, params, outputs) => putMatrix(transpose(csr(inputs, columnsParam(params))), outputs),
};

const csrToDense: Routine = {
  outputs: (inputs, params) => [
    { shape: [rowsOf('csrToDense', inputs, ANY), columnsParam(params)], dtype: inputs[2]!.dtype },
  ],
  run: (inputs, params, [into]) => toDense(csr(inputs, columnsParam(params)), rowMajor(into!)),
};

/** All elements of a dense matrix that are not 0. `index`: the type of the indices, i32 if it is not given. */
const csrFromDense: Routine = {
  outputs([x], { index = 'i32' }) {
    axes('csrFromDense', x!, 2);
    return [...matrixTypes(x!.shape[0] as number, sizeOf(x!.shape), index as DType, x!.dtype), COUNT];
  },
  run([x], _, outputs) {
    const [rows, columns] = x!.shape as [number, number];
    const a = fromDense(rowMajor(x!), rows, columns, x!.dtype, outputs[0]!.elements as Indices);
    putMatrix(a, outputs);
    putCount(outputs[MATRIX]!, countOf(a));
  },
};

/**
 * Elements by their rows, columns and values, in any order; those in one place are added up. `rows`, `columns`: of the matrix. `index`: the
 * type of its indices, that of the rows if it is not given.
 */
const csrFromCoo: Routine = {
  outputs([row, column, values], params) {
    indexTypes('csrFromCoo', row!, column!);
    for (const each of [row!, column!, values!]) axes('csrFromCoo', each, 1);
    const index = (params.index ?? row!.dtype) as DType;
    return [...matrixTypes(rowsParam(params), values!.shape[0] as number, index, values!.dtype), COUNT];
  },
  run([row, column, values], params, outputs) {
    const coo = { row: row!.elements as Indices, column: column!.elements as Indices, values: values!.elements };
    const like = outputs[0]!.elements as Indices;
    const a = fromCoo(coo, rowsParam(params), columnsParam(params), values!.dtype, like);
    putMatrix(a, outputs);
    putCount(outputs[MATRIX]!, countOf(a));
  },
};

/** The three arrays of a matrix that somebody else has made, with indices of i32, if they are one. `operation`: for messages. */
const csrChecked: Routine = {
  outputs(inputs, params) {
    const rows = rowsOf(params.operation as string, inputs, ANY);
    return matrixTypes(rows, inputs[1]!.shape[0] as number, 'i32', inputs[2]!.dtype);
  },
  run(inputs, params, outputs) {
    const a = csr(inputs, columnsParam(params));
    checkCsr(params.operation as string, a);
    if (countOf(a) !== a.values.length) {
      const why = `the row pointers end at ${countOf(a)}, and there are ${a.values.length} values`;
      throw new UsageError(`${String(params.operation)}: ${why}; give as many as are used`, {
        code: 'ERR_SHEAF_SPARSE',
        details: { operation: String(params.operation), why },
      });
    }
    for (const [i, from] of [a.indptr, a.indices, a.values].entries()) {
      const into = outputs[i]!.elements;
      if (from instanceof BigInt64Array && into instanceof Int32Array)
        for (let at = 0; at < from.length; at++) into[at] = Number(from[at]);
      else into.set(from as never);
    }
  },
};

/** The row of each element; behind the last one there is nothing of meaning. */
const csrRows: Routine = {
  outputs(inputs) {
    rowsOf('csrRows', inputs, ANY);
    return [{ shape: inputs[1]!.shape, dtype: inputs[1]!.dtype }];
  },
  run(inputs, params, [into]) {
    into!.elements.set(toCoo(csr(inputs, columnsParam(params))).row as never);
  },
};

/** Arrays as they are, in new ones: parts of larger ones that are not needed any more. */
const copied: Routine = {
  outputs: (inputs) => inputs.map(({ shape, dtype }) => ({ shape, dtype })),
  run(inputs, _, outputs) {
    for (const [i, { elements }] of inputs.entries()) outputs[i]!.elements.set(elements as never);
  },
};

/** The elements of each row (`axis` 1), or column (0), combined by `reducer`. */
const csrReduce: Routine = {
  outputs(inputs, params) {
    const rows = rowsOf('csrReduce', inputs);
    return [{ shape: [params.axis === 1 ? rows : columnsParam(params)], dtype: inputs[2]!.dtype }];
  },
  run(inputs, params, [into]) {
    const a = csr(inputs, columnsParam(params));
    reduce(a, params.axis as 0 | 1, params.reducer as SparseReducer, into!.elements);
  },
};

/** The values of a matrix, multiplied with, or divided by (`op`), those of a dense one at their places, each of whose axes may have length 1. */
const csrScale: Routine = {
  outputs(inputs) {
    rowsOf('csrScale', inputs);
    const [, , values, by] = inputs;
    sameType('csrScale', values!, by!);
    axes('csrScale', by!, 2);
    return [{ shape: values!.shape, dtype: values!.dtype }];
  },
  run(inputs, params, [into]) {
    const { elements, shape } = inputs[MATRIX]!;
    const [m, n] = shape as [number, number];
    const by = { elements, offset: 0, strides: [m === 1 ? 0 : n, n === 1 ? 0 : 1] };
    scale(csr(inputs, columnsParam(params)), params.op as 'multiply' | 'divide', by, into!.elements);
  },
};

/** The product of a dense matrix and a sparse one, or (`transposed`) of the transpose of the sparse one and a dense one. */
const denseCsr: Routine = {
  outputs(inputs, params) {
    const rows = rowsOf('denseCsr', inputs);
    const x = inputs[MATRIX]!;
    sameType('denseCsr', inputs[2]!, x);
    axes('denseCsr', x, 2);
    const [m, n] = x.shape as [number, number];
    if ((params.transposed === true ? m : n) !== rows)
      throw shapeError('denseCsr', 'the matrices do not fit', x.shape, [rows, columnsParam(params)]);
    const columns = columnsParam(params);
    return [{ shape: params.transposed === true ? [columns, n] : [m, columns], dtype: x.dtype }];
  },
  run(inputs, params, [into]) {
    const a = csr(inputs, columnsParam(params));
    const [x, y] = [inputs[MATRIX]!, into!];
    const transposed = params.transposed === true;
    const lines = transposed ? (x.shape[1] as number) : (x.shape[0] as number);
    const line = ({ elements, shape: [, n] }: Dense, i: number): Strided =>
      transposed
        ? { elements, offset: i, strides: [n as number] }
        : { elements, offset: i * (n as number), strides: [1] };
    for (let i = 0; i < lines; i++) multiplyFromLeft(a, line(x, i), line(y, i));
  },
};

/** Two matrices of one shape, element by element. `op`: an operator that makes 0 of two zeros. */
const csrCombine: Routine = {
  outputs(inputs, { op }) {
    if (typeof op !== 'string' || !Object.hasOwn(ELEMENTWISE, op)) {
      throw new UsageError(`csrCombine: there is no operator ${String(op)}`, { details: { op } });
    }
    const [a, b] = [inputs.slice(0, MATRIX), inputs.slice(MATRIX)];
    const rows = rowsOf('csrCombine', a, ANY);
    if (rowsOf('csrCombine', b, ANY) !== rows)
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

/** The product of two sparse matrices. `columns`: of both. `room`: for as many elements as it can have. */
const csrProduct: Routine = {
  outputs(inputs, params) {
    const [a, b] = [inputs.slice(0, MATRIX), inputs.slice(MATRIX)];
    const rows = rowsOf('csrProduct', a);
    const inner = rowsOf('csrProduct', b);
    if (inner !== bothColumns(params)[0])
      throw shapeError('csrProduct', 'the matrices do not fit', [rows, bothColumns(params)[0]], [inner]);
    sameType('csrProduct', a[0]!, b[0]!);
    sameType('csrProduct', a[2]!, b[2]!);
    return [...matrixTypes(rows, params.room as number, a[0]!.dtype, a[2]!.dtype), COUNT];
  },
  run(inputs, params, outputs) {
    const [inner, columns] = bothColumns(params);
    const product = multiply(
      csr(inputs.slice(0, MATRIX), inner),
      csr(inputs.slice(MATRIX), columns),
      params.room as number,
    );
    putMatrix(product, outputs);
    putCount(outputs[MATRIX]!, countOf(product));
  },
};

const bothColumns = ({ columns }: Params): readonly [number, number] => columns as unknown as readonly [number, number];

/** Some rows, whose numbers are the last input, an i64. `room`: for as many elements as they can have. */
const csrTake: Routine = {
  outputs(inputs, params) {
    rowsOf('csrTake', inputs, ANY);
    const [, indices, values, list] = inputs;
    axes('csrTake', list!, 1);
    return [...matrixTypes(list!.shape[0] as number, params.room as number, indices!.dtype, values!.dtype), COUNT];
  },
  run(inputs, params, outputs) {
    const list = inputs[MATRIX]!.elements as BigInt64Array;
    const taken = takeRows(csr(inputs, columnsParam(params)), list, params.room as number);
    putMatrix(taken, outputs);
    putCount(outputs[MATRIX]!, countOf(taken));
  },
};

/** Several matrices one below the other (`axis` 0), or beside each other (1). `columns`: of each of them. */
const csrStack: Routine = {
  outputs(inputs, params) {
    const all = matricesOf(inputs);
    const rows = all.map((each) => rowsOf('csrStack', each, ANY));
    const most = all.reduce((sum, [, indices]) => sum + (indices!.shape[0] as number), 0);
    const [indptr, , values] = inputs;
    for (const each of all) {
      sameType('csrStack', indptr!, each[0]!);
      sameType('csrStack', values!, each[2]!);
    }
    const sum = params.axis === 0 ? rows.reduce((a, b) => a + b, 0) : (rows[0] as number);
    return [...matrixTypes(sum, most, indptr!.dtype, values!.dtype), COUNT];
  },
  run(inputs, params, outputs) {
    const columns = params.columns as readonly number[];
    const all = matricesOf(inputs).map((each, i) => csr(each, columns[i] as number));
    const made = params.axis === 0 ? stackRows(all) : stackColumns(all);
    putMatrix(made, outputs);
    putCount(outputs[MATRIX]!, countOf(made));
  },
};

const matricesOf = <T>(inputs: readonly T[]): (readonly T[])[] =>
  Array.from({ length: inputs.length / MATRIX }, (_, i) => inputs.slice(i * MATRIX, (i + 1) * MATRIX));

export const SPARSE = {
  copied,
  csrChecked,
  csrCombine,
  csrFromCoo,
  csrFromDense,
  csrProduct,
  csrReduce,
  csrRows,
  csrScale,
  csrStack,
  csrTake,
  csrToDense,
  csrTranspose,
  denseCsr,
  spmm,
  spmv,
} as const;

export { combine } from './combine.ts';
export { type Coo, fromCoo, fromDense, toCoo, toDense, transpose } from './convert.ts';
export { type Csr, checkCsr, countOf, type Indices } from './format.ts';
export { CsrKernels } from './kernels.ts';
export { allRows, cutRows, type Rows } from './multiply.ts';
export { stackColumns, stackRows, takeRows } from './parts.ts';
export { multiply } from './product.ts';
export { reduce, type SparseReducer } from './reduce.ts';
export { multiplyFromLeft, scale } from './scale.ts';

export { type Blas, type BlasSearch, blas, type Floats, type GemmArray, searchBlas } from './blas.ts';
export { Gate } from './gate.ts';
export type { Lapack } from './lapack.ts';
export * from './libc.ts';
export * from './segment.ts';

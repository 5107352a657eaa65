export type { Arr, ExplainOptions, Ix } from './arr.ts';
export {
  arange,
  broadcastArrays,
  diag,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  type LikeOptions,
  type LinspaceOptions,
  linspace,
  type MeshgridOptions,
  meshgrid,
  ones,
  onesLike,
  type TypeOptions,
  tril,
  triu,
  zeros,
  zerosLike,
} from './creation.ts';
export { cumulativeProd, cumulativeSum, diff } from './cumulative.ts';
export * from './dtypes.ts';
export * from './elementwise.ts';
export type * from './elementwise-types.ts';
export * from './files.ts';
export {
  asarray,
  type ElementTypeOf,
  type FromOptions,
  fromNested,
  fromTyped,
  type TypedArray,
  type TypedArrayTypes,
} from './from.ts';
export * from './groups.ts';
export {
  avgPool2d,
  avgPool2dBackward,
  conv2d,
  conv2dBackwardData,
  conv2dBackwardFilter,
  maxPool2d,
  maxPool2dBackward,
} from './images.ts';
export { type CheckInfo, type Iterated, type IterateOptions, iterate } from './iterate.ts';
export * from './linear.ts';
export type * from './linear-types.ts';
export {
  broadcastTo,
  type CommonOf,
  type ConcatOptions,
  concat,
  expandDims,
  flip,
  matrixTranspose,
  moveaxis,
  permuteDims,
  repeat,
  reshape,
  roll,
  squeeze,
  stack,
  tile,
  transpose,
  unstack,
} from './manipulation.ts';
export type * from './manipulation-types.ts';
export { type CompileOptions, type ComputedIn, type Mapped, map } from './map.ts';
export * from './network.ts';
export type * from './network-types.ts';
export { lexsort, topK } from './ordering.ts';
export { type FromPartitionedOptions, fromPartitioned } from './partitioned.ts';
export { cross, diagonal, matmul, outer, tensordot, trace, vecdot } from './products.ts';
export { type RandomIntegersOptions, type RandomOptions, random, randomIntegers, randomNormal } from './random.ts';
export type * from './reduction-types.ts';
export { all, any, argmax, argmin, countNonzero, max, mean, min, prod, std, sum, var } from './reductions.ts';
export {
  argsort,
  clip,
  nonzero,
  searchsorted,
  sort,
  take,
  takeAlongAxis,
  uniqueAll,
  uniqueCounts,
  uniqueInverse,
  uniqueValues,
  where,
} from './search.ts';
export type * from './search-types.ts';
export { csr, fromCoo, toSparse } from './sparse/make.ts';
export { isSparse } from './sparse/sparse.ts';
export type * from './sparse/types.ts';
export { corrcoef, cov, cumulativeMax, cumulativeMin, digitize, histogram, median, quantile } from './statistics.ts';
export type * from './statistics-types.ts';
export { type Neighbourhood, type Stencil, type StencilOptions, stencil } from './stencil.ts';
export type * from './types.ts';

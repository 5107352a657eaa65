import type { Arr } from './arr.ts';
import type { DiagonalOptions, OffsetOptions, OneAxisOptions } from './manipulation-types.ts';
import type { Sparse } from './sparse/types.ts';
import type { Common, D, Float, Summed, With } from './types.ts';

/** What `qr` takes. */
export interface QrOptions {
  /** `'reduced'`, if nothing is said: as many columns as there are rows or columns, whichever is less. `'complete'`: Q is square. */
  mode?: 'reduced' | 'complete';
}

/** What `svd` takes. */
export interface SvdOptions {
  /** U and Vh are square; true, if nothing is said. */
  fullMatrices?: boolean;
}

/** What `cholesky` takes. */
export interface CholeskyOptions {
  /** The upper triangle, and not the lower one. */
  upper?: boolean;
}

/** What `eigh` takes. */
export interface EighOptions {
  /**
   * In ascending order; true, if nothing is said. False: in the order in which the `EigenSolver` of the C++ library Eigen finds them, and with its
   * signs of vectors. Of more than a few rows roundings decide about some of both, with Eigen as well, whose builds for different processors differ.
   */
  sorted?: boolean;
}

/** What `pinv` and `matrixRank` take. */
export interface ToleranceOptions {
  /** Singular values that are less than this times the greatest count as 0. */
  rtol?: number;
}

/** What `trace` takes. */
export interface TraceOptions<R extends D = D> extends OffsetOptions {
  /** The type to sum in; left out: floats stay, integers become those of 64 bits. */
  dtype?: R;
}

/** What `tensordot` takes. */
export interface TensordotOptions {
  /** How many last axes of the first array go with as many first ones of the second; or which with which. 2, if nothing is said. */
  axes?: number | readonly [number | readonly number[], number | readonly number[]];
}

/** What `matrixNorm` takes. */
export interface MatrixNormOptions {
  /** `'fro'`: of all elements; `'nuc'`: the sum of singular values; 2 and -2: the greatest and the least one; 1, -1, Infinity and -Infinity: of the sums of columns, or of rows. */
  ord?: 'fro' | 'nuc' | 1 | -1 | 2 | -2 | number;
  /** The axes stay, with length 1. */
  keepdims?: boolean;
}

/** What `vectorNorm` takes. */
export interface VectorNormOptions {
  /** 2, if nothing is said; Infinity and -Infinity are the greatest and the least magnitude, 0 counts what is not 0. */
  ord?: number;
  /** Left out: of all elements. */
  axis?: number | readonly number[];
  /** The axes stay, with length 1. */
  keepdims?: boolean;
}

/** A QR decomposition. */
export interface Qr<T extends D = D> {
  /** Orthonormal columns. */
  readonly q: Arr<T>;
  /** An upper triangle. */
  readonly r: Arr<T>;
}

/** A singular value decomposition: u times the diagonal s, times vh. */
export interface Svd<T extends D = D> {
  /** Its columns are the left singular vectors. */
  readonly u: Arr<T>;
  /** Singular values, the greatest first. */
  readonly s: Arr<T>;
  /** Its rows are the right singular vectors. */
  readonly vh: Arr<T>;
}

/** The eigenvalues of a symmetric matrix, and its eigenvectors. */
export interface Eigh<T extends D = D> {
  /** In ascending order, if nothing else was said. */
  readonly eigenvalues: Arr<T>;
  /** Its columns, in the same order. */
  readonly eigenvectors: Arr<T>;
}

/** A determinant as its sign and the logarithm of its magnitude. */
export interface Slogdet<T extends D = D> {
  /** -1, 0 or 1. */
  readonly sign: Arr<T>;
  /** -Infinity where the determinant is 0. */
  readonly logabsdet: Arr<T>;
}

/** A product of two arrays. */
export interface Product<O = undefined> {
  <T extends D>(x: Arr<T>, y: Arr<NoInfer<T>>, o?: O): Arr<T>;
  <T extends D, U extends D>(x: Arr<T>, y: Arr<U> & With<T, U>, o?: O): Arr<Common<T, U>>;
}

/** A product as a method. */
export interface ProductMethod<O = undefined> {
  <T extends D>(this: Arr<T>, y: Arr<NoInfer<T>>, o?: O): Arr<T>;
  <T extends D, U extends D>(this: Arr<T>, y: Arr<U> & With<T, U>, o?: O): Arr<Common<T, U>>;
}

/** The matrix product, of which either side may be sparse. */
export interface MatrixProduct extends Product {
  <T extends D, U extends D>(x: Sparse<T>, y: Sparse<U>): Sparse<Common<T, U>>;
  <T extends D, U extends D>(x: Sparse<T>, y: Arr<U>): Arr<Common<T, U>>;
  <T extends D, U extends D>(x: Arr<T>, y: Sparse<U>): Arr<Common<T, U>>;
}

/** The matrix product as a method. */
export interface MatrixProductMethod extends ProductMethod {
  <T extends D, U extends D>(this: Arr<T>, y: Sparse<U>): Arr<Common<T, U>>;
}

/** A function of one or several matrices, as a method. */
export type MatrixMethod<O = undefined> = <T extends Float>(this: Arr<T>, o?: O) => Arr<T>;

/** `diag` as a method. */
export type DiagMethod = <T extends D>(this: Arr<T>, o?: DiagonalOptions) => Arr<T>;

/** `diagonal` as a method. */
export type DiagonalMethod = <T extends D>(this: Arr<T>, o?: OffsetOptions) => Arr<T>;

/** `matrixTranspose` as a method. */
export type MatrixTransposeMethod = <T extends D>(this: Arr<T>) => Arr<T>;

/** `trace`. */
export interface Trace {
  <T extends D>(x: Arr<T>, o?: OffsetOptions & { dtype?: undefined }): Arr<Summed<T>>;
  <const R extends D>(x: Arr, o: TraceOptions<R>): Arr<R>;
}

/** `trace` as a method. */
export interface TraceMethod {
  <T extends D>(this: Arr<T>, o?: OffsetOptions & { dtype?: undefined }): Arr<Summed<T>>;
  <const R extends D>(this: Arr, o: TraceOptions<R>): Arr<R>;
}

/** `matrixPower` as a method. */
export type MatrixPowerMethod = <T extends Float>(this: Arr<T>, n: number) => Arr<T>;

/** `matrixRank` as a method. */
export type MatrixRankMethod = (this: Arr<Float>, o?: ToleranceOptions) => Arr<'i64'>;

/** `qr` as a method. */
export type QrMethod = <T extends Float>(this: Arr<T>, o?: QrOptions) => Qr<T>;

/** `svd` as a method. */
export type SvdMethod = <T extends Float>(this: Arr<T>, o?: SvdOptions) => Svd<T>;

/** `eigh` as a method. */
export type EighMethod = <T extends Float>(this: Arr<T>, o?: EighOptions) => Eigh<T>;

/** `slogdet` as a method. */
export type SlogdetMethod = <T extends Float>(this: Arr<T>) => Slogdet<T>;

/** Linear algebra, as methods. Matrices are the last two axes; those before them are many of them. */
export interface LinearMethods {
  /** The triangle that multiplied with its transpose gives a symmetric, positive definite matrix. */
  readonly cholesky: MatrixMethod<CholeskyOptions>;
  /** The vector products of vectors of three elements along an axis, the last one if nothing is said. */
  readonly cross: ProductMethod<OneAxisOptions>;
  /** The determinant. */
  readonly det: MatrixMethod;
  /** A matrix with the elements of a vector on a diagonal. */
  readonly diag: DiagMethod;
  /** A diagonal. */
  readonly diagonal: DiagonalMethod;
  /** The eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read. */
  readonly eigh: EighMethod;
  /** The eigenvalues of a symmetric matrix, in ascending order. */
  readonly eigvalsh: MatrixMethod;
  /** The inverse. */
  readonly inv: MatrixMethod;
  /** The matrix product; an array of one axis is a row on the left and a column on the right. */
  readonly matmul: MatrixProductMethod;
  /** A norm of each matrix. */
  readonly matrixNorm: MatrixMethod<MatrixNormOptions>;
  /** The product of a matrix with itself, n times; with a negative n, of its inverse. */
  readonly matrixPower: MatrixPowerMethod;
  /** How many singular values are not 0. */
  readonly matrixRank: MatrixRankMethod;
  /** The last two axes in the other order. */
  readonly matrixTranspose: MatrixTransposeMethod;
  /** All products of an element of one vector with one of another. */
  readonly outer: ProductMethod;
  /** The pseudo-inverse of Moore and Penrose. */
  readonly pinv: MatrixMethod<ToleranceOptions>;
  /** An orthonormal matrix and an upper triangle whose product it is. */
  readonly qr: QrMethod;
  /** The determinant as its sign and the logarithm of its magnitude, which leaves no range. */
  readonly slogdet: SlogdetMethod;
  /** What the matrix has to be multiplied with to give y: a vector, if y has one axis, or several columns. */
  readonly solve: ProductMethod;
  /** The singular value decomposition. */
  readonly svd: SvdMethod;
  /** The singular values, the greatest first. */
  readonly svdvals: MatrixMethod;
  /** Sums of products along chosen axes. */
  readonly tensordot: ProductMethod<TensordotOptions>;
  /** The sum along a diagonal. */
  readonly trace: TraceMethod;
  /** Sums of products along one axis, the last one if nothing is said. */
  readonly vecdot: ProductMethod<OneAxisOptions>;
  /** A norm of vectors. */
  readonly vectorNorm: MatrixMethod<VectorNormOptions>;
}

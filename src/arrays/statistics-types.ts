import type { Arr } from './arr.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import type { Common, D, Float, Summed } from './types.ts';

/** What `topK` takes. */
export interface TopKOptions {
  /** The last one, if nothing is said. */
  axis?: number;
  /** The greatest ones, the greatest first; true, if nothing is said. False: the least ones. */
  largest?: boolean;
}

/** What `topK` gives. */
export interface TopK<T extends D = D> {
  /** In order. */
  readonly values: Arr<T>;
  /** Where they are along the axis. */
  readonly indices: Arr<'i64'>;
}

/** What `lexsort` takes. */
export interface LexsortOptions {
  /** The greatest first: of all keys, or of each. */
  descending?: boolean | readonly boolean[];
}

/** What `quantile` and `median` take. */
export interface QuantileOptions {
  /** Left out: all elements. */
  axis?: number;
  /** The axis stays, with length 1. */
  keepdims?: boolean;
}

/** What `histogram` takes. */
export interface HistogramOptions {
  /** How many there are, equally wide; 10, if nothing is said. Or an array of their edges, ascending. */
  bins?: number | Arr<Float>;
  /** Where the first begins and the last ends; left out: the least and the greatest element. */
  range?: readonly [number, number];
}

/** What `histogram` gives. */
export interface Histogram {
  /** How many elements lie in each. */
  readonly counts: Arr<'i64'>;
  /** One more than there are counts. */
  readonly edges: Arr<'f64'>;
}

/** What `cov` takes. */
export interface CovarianceOptions {
  /** Subtracted from the number of observations; 1, if nothing is said. */
  correction?: number;
}

/** What `bincount` takes. */
export interface BincountOptions<T extends D = D> {
  /** Sums of these, and not counts. */
  weights?: Arr<T>;
  /** At least so many; 0, if nothing is said. */
  minlength?: number;
}

/** What `crosstab` takes. */
export interface CrosstabOptions<T extends D = D> {
  /** Sums of these, one for each place, and not counts. */
  weights?: Arr<T>;
}

/** What `factorize` gives. */
export interface Factorized<T extends D = D> {
  /** Which of the values each element is, in the shape of the array. */
  readonly codes: Arr<'i64'>;
  /** The different values, in the order in which they come first. */
  readonly values: Arr<T>;
}

/** What `digitize` takes. */
export interface DigitizeOptions {
  /** An edge belongs to the interval below it, and not to the one above. */
  right?: boolean;
}

/** What `oneHot` takes. */
export interface OneHotOptions<T extends D = D> {
  /** The type of the result; `f64`, if nothing is said. */
  dtype?: T;
}

/** What `lstsq` takes. */
export interface LstsqOptions {
  /** Singular values up to this times the greatest one count as 0. Left out: the spacing of floats at 1, times the longer side of the matrix. */
  rtol?: number;
}

/** What `lstsq` gives. */
export interface Lstsq<T extends D = D> {
  /** Of all x for which the residual is least, the shortest. */
  readonly solution: Arr<T>;
  /** The sum of the squares of y - a x, of each column. */
  readonly residuals: Arr<T>;
  /** How many singular values are not 0. */
  readonly rank: Arr<'i64'>;
  /** The singular values, the greatest first. */
  readonly s: Arr<T>;
}

/** Statistics, groups and choices, as methods. */
export interface StatisticsMethods {
  /** How often there is each number from 0 on, or the sums of weights at it. */
  bincount(this: Arr, o?: BincountOptions & { weights?: undefined }): Promise<Arr<'i64'>>;
  /** The same with weights. */
  bincount<T extends D>(this: Arr, o: BincountOptions<T>): Promise<Arr<Summed<T>>>;
  /** The coefficients of correlation of rows. */
  corrcoef<T extends Float>(this: Arr<T>): Arr<T>;
  /** The covariances of rows. */
  cov<T extends Float>(this: Arr<T>, o?: CovarianceOptions): Arr<T>;
  /** The greatest element up to each, along an axis; NaN wins. */
  cumulativeMax<T extends D>(this: Arr<T>, o?: OneAxisOptions): Arr<T>;
  /** The least element up to each, along an axis; NaN wins. */
  cumulativeMin<T extends D>(this: Arr<T>, o?: OneAxisOptions): Arr<T>;
  /** How often two numbers stand at the same place, for each pair of them. */
  crosstab(this: Arr, y: Arr, shape: readonly number[], o?: CrosstabOptions & { weights?: undefined }): Arr<'i64'>;
  /** The same with weights: their sums. */
  crosstab<T extends D>(this: Arr, y: Arr, shape: readonly number[], o: CrosstabOptions<T>): Arr<Summed<T>>;
  /** Between which ascending edges each element lies. */
  digitize(this: Arr, edges: Arr, o?: DigitizeOptions): Arr<'i64'>;
  /** Its different values, in the order in which they come first, and which of them each element is. */
  factorize<T extends D>(this: Arr<T>): Promise<Factorized<T>>;
  /** How many elements lie in each of several intervals. */
  histogram(this: Arr, o?: HistogramOptions): Histogram;
  /** The x for which the length of y - a x is least: a vector, if y has one axis, or several columns. */
  lstsq<T extends Float>(this: Arr<T>, y: Arr<NoInfer<T>>, o?: LstsqOptions): Lstsq<T>;
  /** The same for two types. */
  lstsq<T extends Float, U extends Float>(this: Arr<T>, y: Arr<U>, o?: LstsqOptions): Lstsq<Common<T, U>>;
  /** The element in the middle, or the mean of both there. */
  median<T extends Float>(this: Arr<T>, o?: QuantileOptions): Arr<T>;
  /** For each integer, a row of zeros with a 1 at its place. */
  oneHot<const T extends D = 'f64'>(this: Arr, count: number, o?: OneHotOptions<T>): Arr<T>;
  /** Below it, such a share of the elements is. */
  quantile<T extends Float>(this: Arr<T>, q: number | readonly number[], o?: QuantileOptions): Arr<T>;
  /** Of integers that are groups, how often there is each. */
  segmentCount(this: Arr, count: number): Arr<'i64'>;
  /** The greatest of each group. */
  segmentMax<T extends D>(this: Arr<T>, groups: Arr, count: number): Arr<T>;
  /** The mean of each group. */
  segmentMean<T extends Float>(this: Arr<T>, groups: Arr, count: number): Arr<T>;
  /** The least of each group. */
  segmentMin<T extends D>(this: Arr<T>, groups: Arr, count: number): Arr<T>;
  /** The sum of each group. */
  segmentSum<T extends D>(this: Arr<T>, groups: Arr, count: number): Arr<Summed<T>>;
  /** The greatest elements along an axis, or the least. */
  topK<T extends D>(this: Arr<T>, k: number, o?: TopKOptions): TopK<T>;
}

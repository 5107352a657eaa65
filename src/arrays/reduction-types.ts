import type { Arr } from './arr.ts';
import type { D, Float, Summed } from './types.ts';

/** What is combined. */
export interface AxisOptions {
  /** The axis, or several; left out: all of them. */
  axis?: number | readonly number[];
  /** Axes that are combined stay, with length 1. */
  keepdims?: boolean;
}

/** What sums and products take. */
export interface SumOptions<R extends D = D> extends AxisOptions {
  /** The type to combine in; left out: floats stay, integers become those of 64 bits. */
  dtype?: R;
}

/** What variances take. */
export interface VarianceOptions extends AxisOptions {
  /** By how much less than the number of elements the sum of squares is divided by; 1 for a sample. */
  correction?: number;
}

/** What looks for one place along an axis. */
export interface PlaceOptions {
  /** Left out: the place in the array row by row. */
  axis?: number;
  /** The axis stays, with length 1. */
  keepdims?: boolean;
}

/** What runs along one axis. */
export interface CumulativeOptions<R extends D = D> {
  /** May be left out where there is one only. */
  axis?: number;
  /** The type to combine in; left out: floats stay, integers become those of 64 bits. */
  dtype?: R;
  /** Begins with 0, or 1 for products: the axis is longer by 1. */
  includeInitial?: boolean;
}

/** What differences take. */
export interface DiffOptions<T extends D = D> {
  /** The last one, if nothing is said. */
  axis?: number;
  /** How many times. */
  n?: number;
  /** Goes before. */
  prepend?: Arr<T>;
  /** Comes after. */
  append?: Arr<T>;
}

/** Sums and products. */
export interface Sum {
  <T extends D>(x: Arr<T>, o?: AxisOptions & { dtype?: undefined }): Arr<Summed<T>>;
  <const R extends D>(x: Arr, o: SumOptions<R>): Arr<R>;
}

/** What is combined in the type that it has. */
export type Reduction = <T extends D>(x: Arr<T>, o?: AxisOptions) => Arr<T>;

/** Sums and products along an axis. */
export interface Cumulative {
  <T extends D>(x: Arr<T>, o?: CumulativeOptions & { dtype?: undefined }): Arr<Summed<T>>;
  <const R extends D>(x: Arr, o: CumulativeOptions<R>): Arr<R>;
}

/** The same as a method. */
export interface SumMethod {
  <T extends D>(this: Arr<T>, o?: AxisOptions & { dtype?: undefined }): Arr<Summed<T>>;
  <const R extends D>(this: Arr, o: SumOptions<R>): Arr<R>;
}

/** The same as a method. */
export type ReductionMethod = <T extends D>(this: Arr<T>, o?: AxisOptions) => Arr<T>;

/** The same as a method. */
export interface CumulativeMethod {
  <T extends D>(this: Arr<T>, o?: CumulativeOptions & { dtype?: undefined }): Arr<Summed<T>>;
  <const R extends D>(this: Arr, o: CumulativeOptions<R>): Arr<R>;
}

/** `all` and `any` as methods. */
export type QuantifierMethod = (this: Arr, o?: AxisOptions) => Arr<'bool'>;

/** `argmin` and `argmax` as methods. */
export type PlaceMethod = (this: Arr, o?: PlaceOptions) => Arr<'i64'>;

/** `var` and `std` as methods. */
export type VarianceMethod = <T extends Float>(this: Arr<T>, o?: VarianceOptions) => Arr<T>;

/** `mean` as a method. */
export type MeanMethod = <T extends Float>(this: Arr<T>, o?: AxisOptions) => Arr<T>;

/** `diff` as a method. */
export type DiffMethod = <T extends D>(this: Arr<T>, o?: DiffOptions<T>) => Arr<T>;

/** `countNonzero` as a method. */
export type CountMethod = (this: Arr, o?: AxisOptions) => Arr<'i64'>;

/** What makes fewer of many elements, as methods. */
export interface ReductionMethods {
  /** Whether all elements are true, or not 0. Of none: true. */
  readonly all: QuantifierMethod;
  /** Whether any element is true, or not 0. Of none: false. */
  readonly any: QuantifierMethod;
  /** Where the greatest element is, the first one of several; NaN wins. */
  readonly argmax: PlaceMethod;
  /** Where the least element is, the first one of several; NaN wins. */
  readonly argmin: PlaceMethod;
  /** How many elements are true, or not 0. */
  readonly countNonzero: CountMethod;
  /** The products of all elements up to each, along an axis. */
  readonly cumulativeProd: CumulativeMethod;
  /** The sums of all elements up to each, along an axis. */
  readonly cumulativeSum: CumulativeMethod;
  /** The differences of neighbours along an axis. */
  readonly diff: DiffMethod;
  /** The greatest element; NaN wins. Of none it is refused. */
  readonly max: ReductionMethod;
  /** The arithmetic mean. Takes floats. */
  readonly mean: MeanMethod;
  /** The least element; NaN wins. Of none it is refused. */
  readonly min: ReductionMethod;
  /** The product. Of none: 1. */
  readonly prod: SumMethod;
  /** The standard deviation: the square root of the variance. Takes floats. */
  readonly std: VarianceMethod;
  /** The sum. Of none: 0. */
  readonly sum: SumMethod;
  /** The variance. Takes floats. */
  readonly var: VarianceMethod;
}

import type { Arr } from './arr.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import type { Common, D, Value, With } from './types.ts';

/** What sorting takes. */
export interface SortOptions {
  /** The last one, if nothing is said. */
  axis?: number;
  /** The greatest first. */
  descending?: boolean;
  /** Equal elements keep their order, which they do in any case. */
  stable?: boolean;
}

/** What `searchsorted` takes. */
export interface SearchOptions {
  /** Before equal elements, or after them; `'left'` if nothing is said. */
  side?: 'left' | 'right';
  /** The indices that sort the array, where it is not sorted. */
  sorter?: Arr;
}

/** Everything about different values. */
export interface Unique<T extends D = D> {
  /** Each value once, in ascending order; every NaN is a value of its own. */
  readonly values: Arr<T>;
  /** Where each of them is first, row by row. */
  readonly indices: Arr<'i64'>;
  /** For each element, which of the values it is; in the shape of the array. */
  readonly inverseIndices: Arr<'i64'>;
  /** How often there is each of them. */
  readonly counts: Arr<'i64'>;
}

/** `where`: elements of two arrays, or values. */
export interface Where {
  <T extends D>(condition: Arr<'bool'>, x: Arr<T>, y: Arr<NoInfer<T>> | Value): Arr<T>;
  <T extends D>(condition: Arr<'bool'>, x: Value, y: Arr<T>): Arr<T>;
  <T extends D, U extends D>(condition: Arr<'bool'>, x: Arr<T>, y: Arr<U> & With<T, U>): Arr<Common<T, U>>;
}

/** `where` as a method of the condition. */
export interface WhereMethod {
  <T extends D>(this: Arr<'bool'>, x: Arr<T>, y: Arr<NoInfer<T>> | Value): Arr<T>;
  <T extends D>(this: Arr<'bool'>, x: Value, y: Arr<T>): Arr<T>;
  <T extends D, U extends D>(this: Arr<'bool'>, x: Arr<T>, y: Arr<U> & With<T, U>): Arr<Common<T, U>>;
}

/** `sort` as a method. */
export type SortMethod = <T extends D>(this: Arr<T>, o?: SortOptions) => Arr<T>;

/** `argsort` as a method. */
export type ArgsortMethod = (this: Arr, o?: SortOptions) => Arr<'i64'>;

/** `searchsorted` as a method. */
export type SearchMethod = (this: Arr, values: Arr | Value, o?: SearchOptions) => Arr<'i64'>;

/** `take` and `takeAlongAxis` as methods. */
export type TakeMethod = <T extends D>(this: Arr<T>, indices: Arr, o?: OneAxisOptions) => Arr<T>;

/** `nonzero` as a method. */
export type NonzeroMethod = (this: Arr) => Promise<Arr<'i64'>[]>;

/** `uniqueAll` as a method. */
export type UniqueAllMethod = <T extends D>(this: Arr<T>) => Promise<Unique<T>>;

/** `uniqueCounts` as a method. */
export type UniqueCountsMethod = <T extends D>(this: Arr<T>) => Promise<Pick<Unique<T>, 'values' | 'counts'>>;

/** `uniqueInverse` as a method. */
export type UniqueInverseMethod = <T extends D>(this: Arr<T>) => Promise<Pick<Unique<T>, 'values' | 'inverseIndices'>>;

/** `uniqueValues` as a method. */
export type UniqueValuesMethod = <T extends D>(this: Arr<T>) => Promise<Arr<T>>;

/** What looks for elements, as methods. */
export interface SearchMethods {
  /** The indices that sort along an axis. Equal elements keep their order; NaN comes last. */
  readonly argsort: ArgsortMethod;
  /** Where elements are true, or not 0: for each axis, its indices, row by row. */
  readonly nonzero: NonzeroMethod;
  /** Where values would go in, so that the sorted array stays sorted. */
  readonly searchsorted: SearchMethod;
  /** In ascending order along an axis. Equal elements keep their order; NaN comes last. */
  readonly sort: SortMethod;
  /** Some elements along an axis, by an array of indices. The axis may be left out where there is one only. */
  readonly take: TakeMethod;
  /** For each index, the element at it along an axis, everything else being the same; along the last one, if nothing is said. */
  readonly takeAlongAxis: TakeMethod;
  /** Everything about its different values. */
  readonly uniqueAll: UniqueAllMethod;
  /** Its different values, and how often there is each. */
  readonly uniqueCounts: UniqueCountsMethod;
  /** Its different values, and which of them each element is. */
  readonly uniqueInverse: UniqueInverseMethod;
  /** Its different values, in ascending order; every NaN is a value of its own. */
  readonly uniqueValues: UniqueValuesMethod;
  /** Where the condition holds, elements of the first array, elsewhere of the second. */
  readonly where: WhereMethod;
}

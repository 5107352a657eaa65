import type { Arr } from './arr.ts';
import type { D } from './types.ts';

/** What `roll` takes. */
export interface RollOptions {
  /** Left out: the elements move row by row. */
  axis?: number | readonly number[];
}

/** What `repeat` takes. */
export interface RepeatOptions {
  /** Left out: the elements row by row. */
  axis?: number;
}

/** One axis, where there is a choice. */
export interface OneAxisOptions {
  /** The axis; from the end, when it is negative. */
  axis?: number;
}

/** Which diagonal. */
export interface DiagonalOptions {
  /** How far above the main one; below, when it is negative. */
  k?: number;
}

/** Which diagonal. */
export interface OffsetOptions {
  /** How far above the main one; below, when it is negative. */
  offset?: number;
}

/** What `flip` takes. */
export interface FlipOptions {
  /** Left out: all of them. */
  axis?: number | readonly number[];
}

/** `broadcastTo` and `reshape` as methods. */
export type ShapeMethod = <T extends D>(this: Arr<T>, shape: readonly number[]) => Arr<T>;

/** `expandDims` as a method. */
export type ExpandMethod = <T extends D>(this: Arr<T>, o?: OneAxisOptions) => Arr<T>;

/** `squeeze` as a method. */
export type SqueezeMethod = <T extends D>(this: Arr<T>, axis: number | readonly number[]) => Arr<T>;

/** `flip` as a method. */
export type FlipMethod = <T extends D>(this: Arr<T>, o?: FlipOptions) => Arr<T>;

/** `moveaxis` as a method. */
export type MoveMethod = <T extends D>(
  this: Arr<T>,
  source: number | readonly number[],
  destination: number | readonly number[],
) => Arr<T>;

/** `permuteDims` as a method. */
export type PermuteMethod = <T extends D>(this: Arr<T>, axes: readonly number[]) => Arr<T>;

/** `transpose` as a method. */
export type TransposeMethod = <T extends D>(this: Arr<T>, axes?: readonly number[]) => Arr<T>;

/** `repeat` as a method. */
export interface RepeatMethod {
  <T extends D>(this: Arr<T>, repeats: number | readonly number[], o?: RepeatOptions): Arr<T>;
  <T extends D>(this: Arr<T>, repeats: Arr, o?: RepeatOptions): Promise<Arr<T>>;
}

/** `roll` as a method. */
export type RollMethod = <T extends D>(this: Arr<T>, shift: number | readonly number[], o?: RollOptions) => Arr<T>;

/** `tile` as a method. */
export type TileMethod = <T extends D>(this: Arr<T>, repetitions: readonly number[]) => Arr<T>;

/** `unstack` as a method. */
export type UnstackMethod = <T extends D>(this: Arr<T>, o?: OneAxisOptions) => Arr<T>[];

/** `tril` and `triu` as methods. */
export type TriangleMethod = <T extends D>(this: Arr<T>, o?: DiagonalOptions) => Arr<T>;

/** Other shapes and orders of the same elements, as methods. */
export interface ManipulationMethods {
  /** The same elements again and again along axes of length 1, and along new ones in front. */
  readonly broadcastTo: ShapeMethod;
  /** A new axis of length 1; in front, if nothing is said. */
  readonly expandDims: ExpandMethod;
  /** The other way round along some axes, or all. */
  readonly flip: FlipMethod;
  /** Axes at other places; the others keep their order. */
  readonly moveaxis: MoveMethod;
  /** The axes in another order. */
  readonly permuteDims: PermuteMethod;
  /** Each element several times. With a list each has a number of its own; with an array of them the result is a promise, since its shape depends on values. */
  readonly repeat: RepeatMethod;
  /** The elements, row by row, in another shape. One length may be -1: what is left. */
  readonly reshape: ShapeMethod;
  /** The elements moved along; what leaves at one end comes back at the other. */
  readonly roll: RollMethod;
  /** Without axes that have length 1. */
  readonly squeeze: SqueezeMethod;
  /** The array several times along each axis. */
  readonly tile: TileMethod;
  /** The axes in another order; the other way round, if nothing is said. */
  readonly transpose: TransposeMethod;
  /** What lies on a diagonal of the last two axes and below; 0 elsewhere. */
  readonly tril: TriangleMethod;
  /** What lies on a diagonal of the last two axes and above; 0 elsewhere. */
  readonly triu: TriangleMethod;
  /** The parts along an axis, each without it; of the first one, if nothing is said. */
  readonly unstack: UnstackMethod;
}

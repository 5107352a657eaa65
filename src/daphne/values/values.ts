/**
 * Values of a running script. Scalars are JavaScript's own: floats and small integers are numbers (those of f32 rounded to it), bools are booleans,
 * strings are strings. Integers of 64 bits are numbers where a number has them exactly and bigints where it has not, never the other way round,
 * so that equal integers are `===`. What a scalar's type is, the code that the compiler makes knows.
 *
 * Data objects are never changed: what changes one makes another one, so that names may share them.
 */

import type { Arr, Sparse } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import type { ValueType } from '../types.ts';
import type { TextCells } from './texts.ts';

/** An integer: see above. */
export type Integer = number | bigint;
export type Scalar = number | bigint | boolean | string;

interface OfShape {
  readonly rows: number;
  readonly columns: number;
}

/** A matrix all of whose elements are stored, row by row; computed when somebody wants them. */
export interface DenseMatrix extends OfShape {
  readonly kind: 'dense';
  readonly value: Exclude<ValueType, 'str'>;
  /** Of the shape [rows, columns], and of the element type `ELEMENT_TYPES[value]`. */
  readonly array: Arr;
}

/** A matrix by compressed rows. */
export interface SparseMatrix extends OfShape {
  readonly kind: 'sparse';
  readonly value: Exclude<ValueType, 'str'>;
  readonly csr: Sparse;
}

/** A matrix of strings, row by row. */
export interface StringMatrix extends OfShape {
  readonly kind: 'strings';
  readonly value: 'str';
  readonly cells: readonly string[];
}

export type Matrix = DenseMatrix | SparseMatrix | StringMatrix;

/** A column of a frame: elements as `ELEMENT_TYPES` says, or texts. */
export type Column =
  | { readonly label: string; readonly value: Exclude<ValueType, 'str'>; readonly cells: Elements }
  | { readonly label: string; readonly value: 'str'; readonly cells: TextCells };

export interface Frame {
  readonly kind: 'frame';
  readonly rows: number;
  /** All of them as long as the frame. */
  readonly columns: readonly Column[];
}

export interface List {
  readonly kind: 'list';
  readonly value: ValueType | undefined;
  readonly elements: readonly Matrix[];
}

export type DataObject = Matrix | Frame | List;
export type Value = Scalar | DataObject;

/** Something that is there now, or later. */
export type MaybeLater<T> = T | Promise<T>;

export const isDataObject = (value: Value): value is DataObject => typeof value === 'object';

/** What an index selects on one side of a data object, and how that is taken out of it. */

import { type Arr, any, astype, reshape, take } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { gather, withCells } from '../values/frames.ts';
import { stringsOf } from '../values/texts.ts';
import type { Column, Frame, Integer, MaybeLater } from '../values/values.ts';
import { choose, converted, either, isLess, isMore, plus } from './arrays.ts';
import { RunError } from './builtin.ts';
import { counted, type FullMatrix, type NumericType, strings } from './operands.ts';

/** One side, whose length is `of`; `to` is not part of a range any more. Positions of a list are none below 0. */
export type Selection =
  | { readonly kind: 'all'; readonly length: number }
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly length: number }
  | { readonly kind: 'list'; readonly positions: ArrayLike<number>; readonly array: Arr; readonly length: number };

/** A wrong index, for people; undefined: it is fine. */
type Wrong = { readonly wrong: string };

/** Where a position is among so many, from the end where it is negative. */
export function placeOf(position: Integer, length: number, what: string): number | Wrong {
  const place = Number(position) + (position < 0 ? length : 0);
  return place >= 0 && place < length
    ? place
    : { wrong: `there is no ${what} ${position} where there ${length === 1 ? 'is' : 'are'} ${counted(length, what)}` };
}

/** The ends of a range, by which the language counts from the end: where the first one is negative, so is the second one up to 0. */
export function rangeOf(
  from: Integer | undefined,
  to: Integer | undefined,
  length: number,
  what: string,
): { readonly from: number; readonly to: number } | Wrong {
  let [low, high] = [Number(from ?? 0), Number(to ?? length)];
  if (low < 0) {
    low += length;
    if (to !== undefined && high <= 0) high += length;
  } else if (high < 0) high += length;
  if (low >= 0 && low < length && low <= high && high <= length) return { from: low, to: high };
  return {
    wrong: `the range ${from ?? ''}:${to ?? ''} is none where there ${length === 1 ? 'is' : 'are'} ${counted(length, what)}`,
  };
}

export const range = (from: number, to: number): Selection => ({ kind: 'range', from, to, length: to - from });

/** Throws what is wrong. */
export function right<T extends object | number>(found: T | Wrong): T {
  if (typeof found === 'object' && 'wrong' in found) throw new RunError(found.wrong);
  return found as T;
}

/** Positions that are known: of labels, and of what a filter lets through. */
export function listed(runtime: Runtime, positions: readonly number[] | Int32Array): Selection {
  const elements = positions instanceof Int32Array ? positions : Int32Array.from(positions);
  const { array } = runtime.matrixOf(elements, 'si32', elements.length, 1);
  return { kind: 'list', positions: elements, array: reshape(array, [elements.length]), length: elements.length };
}

/** A column of positions: any order, each as often as it is there, negative ones from the end. */
export function listedBy(runtime: Runtime, of: FullMatrix, length: number, what: string): MaybeLater<Selection> {
  if (of.kind === 'strings') throw new RunError(`labels are for columns of frames, and not for ${what}s`);
  if (of.columns !== 1) throw new RunError(`positions are one column, and not ${of.rows}x${of.columns}`);
  const given = reshape(converted(of.array, of.value, 'si64'), [of.rows]);
  const from = choose(isLess(given, 0n), plus(given, BigInt(length)), given);
  const outside = either(isLess(from, 0n), isMore(from, BigInt(length - 1)));
  // Of what is too large the lowest bits are no matter: the check is of all of them.
  const array = astype(from, 'i32');
  return then(runtime.computed([array, any(outside)]), ([positions, found]) => {
    if ((found as Elements)[0] !== 0) {
      throw new RunError(`a position is none of the ${counted(length, what)}`);
    }
    return { kind: 'list', positions: positions as Int32Array, array, length: of.rows };
  });
}

/** A column of bits, one for each: those that are 1 stay. How many that are has to be known, so that they are looked at. */
export function filteredBy(runtime: Runtime, bits: FullMatrix, length: number, what: string): MaybeLater<Selection> {
  if (bits.kind === 'strings') throw new RunError('a filter has bits, and these are strings');
  if (bits.columns !== 1 || bits.rows !== length) {
    throw new RunError(
      `a filter has one bit for each of the ${counted(length, what)}, and this is ${bits.rows}x${bits.columns}`,
    );
  }
  return then(runtime.elements({ ...bits, value: 'bool', array: converted(bits.array, bits.value, 'bool') }), (set) => {
    let count = 0;
    for (let i = 0; i < length; i++) count += set[i] as number;
    const positions = new Int32Array(count);
    for (let i = 0, at = 0; i < length; i++) if (set[i] !== 0) positions[at++] = i;
    return listed(runtime, positions);
  });
}

export const isAll = (selection: Selection): boolean => selection.kind === 'all';

function along(array: Arr, selection: Selection, axis: 0 | 1): Arr {
  switch (selection.kind) {
    case 'all':
      return array;
    case 'range': {
      const part = `${selection.from}:${selection.to}` as const;
      return axis === 0 ? array.at(part, ':') : array.at(':', part);
    }
    case 'list':
      return take(array, selection.array, { axis });
  }
}

/** Where a selection that is no list begins. */
export const startOf = (selection: Selection): number => (selection.kind === 'range' ? selection.from : 0);

const placesOf = (selection: Selection): Iterable<number> & ArrayLike<number> => {
  const { length } = selection;
  if (selection.kind === 'list') return selection.positions as Int32Array;
  const from = selection.kind === 'range' ? selection.from : 0;
  return Int32Array.from({ length }, (_, i) => from + i);
};

export function selectedMatrix(
  runtime: Runtime,
  from: FullMatrix,
  rows: Selection,
  columns: Selection,
): MaybeLater<FullMatrix> {
  if (isAll(rows) && isAll(columns)) return from;
  if (from.kind === 'dense') {
    if (rows.kind === 'list' || columns.kind === 'list') {
      return runtime.matrix(along(along(from.array, rows, 0), columns, 1), from.value);
    }
    return runtime.partOf(from, startOf(rows), startOf(columns), rows.length, columns.length);
  }
  const across = placesOf(columns);
  const cells: string[] = [];
  for (const row of placesOf(rows)) {
    for (const column of across) cells.push(from.cells[row * from.columns + column]!);
  }
  return strings(cells, rows.length, columns.length);
}

/** Rows of a column of a frame. */
function selectedCells(column: Column, rows: Selection): Column {
  if (rows.kind === 'all') return column;
  if (rows.kind === 'range') return { ...column, cells: column.cells.slice(rows.from, rows.to) } as Column;
  return withCells(column, gather<Column['cells']>(column.cells, rows.positions));
}

export function selectedFrame(from: Frame, rows: Selection, columns: Selection): Frame {
  const chosen = isAll(columns) ? from.columns : Array.from(placesOf(columns), (place) => from.columns[place]!);
  return frameOf(
    chosen.map((each) => selectedCells(each, rows)),
    rows.length,
  );
}

/** A frame of these columns, whose labels have to differ. */
export function frameOf(columns: readonly Column[], rows: number): Frame {
  const labels = new Set<string>();
  for (const { label } of columns) {
    if (labels.has(label)) throw new RunError(`a frame has each label once, and '${label}' is there twice`);
    labels.add(label);
  }
  return { kind: 'frame', rows, columns };
}

/** Where columns are that a label, or one with a star for the rest (`f.*`), is of. Empty: there are none. */
export function labelled(labels: readonly string[], label: string): readonly number[] {
  const at = labels.indexOf(label);
  if (at >= 0) return [at];
  if (!label.endsWith('*')) return [];
  const start = label.slice(0, -1);
  return labels.flatMap((each, i) => (each.startsWith(start) ? [i] : []));
}

export const noLabel = (label: string, labels: readonly string[]): string =>
  `there is no column '${label}'; columns are ${labels.map((each) => `'${each}'`).join(', ')}`;

/** A column of a frame as a matrix. */
export const columnMatrix = (runtime: Runtime, column: Column, rows: number): FullMatrix =>
  column.value === 'str'
    ? strings(stringsOf(column.cells), rows, 1)
    : runtime.matrixOf(column.cells, column.value as NumericType, rows, 1);

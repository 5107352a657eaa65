/** Frames are columns side by side: what is done with all of their rows at once. */

import { DTYPES, type Elements } from '../../nd/index.ts';
import { RunError } from '../builtins/builtin.ts';
import { ELEMENT_TYPES, type ValueType } from '../types.ts';
import { Texts } from './texts.ts';
import type { Column, Frame } from './values.ts';

/** Room for elements of a type. */
export const roomFor = (value: Exclude<ValueType, 'str'>, length: number): Elements => {
  const { bytes, Elements } = DTYPES[ELEMENT_TYPES[value]];
  return new Elements(new ArrayBuffer(bytes * length));
};

/** Cells at these positions, in their order. */
export function gather<T extends Column['cells']>(cells: T, positions: ArrayLike<number>): T {
  const length = positions.length;
  if (cells instanceof Texts) return new Texts(gather(cells.codes, positions), cells.words) as T;
  if (!ArrayBuffer.isView(cells)) {
    const strings = cells as readonly string[];
    const out: string[] = new Array(length);
    for (let i = 0; i < length; i++) out[i] = strings[positions[i]!]!;
    return out as unknown as T;
  }
  const typed = cells as Elements;
  const out = new (typed.constructor as new (length: number) => Elements)(length);
  if (typed.BYTES_PER_ELEMENT === 8) {
    // As words: bigints would be made only to be taken apart again, and doubles may lose bits of what is no number.
    const from = new Int32Array(typed.buffer, typed.byteOffset, typed.length * 2);
    const to = new Int32Array(out.buffer);
    for (let i = 0; i < length; i++) {
      const at = positions[i]! * 2;
      to[i * 2] = from[at]!;
      to[i * 2 + 1] = from[at + 1]!;
    }
    return out as T;
  }
  const [from, to] = [typed as Int32Array, out as Int32Array];
  for (let i = 0; i < length; i++) to[i] = from[positions[i]!]!;
  return out as T;
}

export const withCells = (column: Column, cells: Column['cells']): Column => ({ ...column, cells }) as Column;

/** Rows of a frame at these positions, in their order. */
export const frameRows = (frame: Frame, positions: ArrayLike<number>): Frame => ({
  kind: 'frame',
  rows: positions.length,
  columns: frame.columns.map((column) => withCells(column, gather<Column['cells']>(column.cells, positions))),
});

/** A frame of columns, whose labels have to be different. */
export function frameOf(rows: number, columns: readonly Column[]): Frame {
  const labels = new Set<string>();
  for (const { label } of columns) {
    if (labels.has(label)) throw new RunError(`a frame has no two columns with the label ${JSON.stringify(label)}`);
    labels.add(label);
  }
  return { kind: 'frame', rows, columns };
}

/** The column with a label. */
export function columnOf(frame: Frame, label: string): Column {
  const column = frame.columns.find((each) => each.label === label);
  if (column !== undefined) return column;
  const all = frame.columns.map((each) => JSON.stringify(each.label)).join(', ');
  throw new RunError(`there is no column ${JSON.stringify(label)}: the frame has ${all}`);
}

/** The label with a prefix, instead of the one that it has. */
export function prefixed(prefix: string, label: string): string {
  const dot = label.indexOf('.');
  return prefix + (dot < 0 ? `.${label}` : label.slice(dot));
}

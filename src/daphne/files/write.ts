/** Writes a matrix or a frame, and the `.meta` beside it. */

import type { Elements } from '../../nd/index.ts';
import { RunError } from '../builtins/builtin.ts';
import type { ValueType } from '../types.ts';
import { Texts } from '../values/texts.ts';
import type { Frame, StringMatrix } from '../values/values.ts';
import { writeWhole } from './bytes.ts';
import { type Cells, csvLines } from './csv-write.ts';
import { encodeFrame, encodeMatrix } from './dbdf.ts';
import { metaText, storedType } from './meta.ts';
import { formatOf } from './read.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** A matrix whose elements are there. */
export type Written =
  | StringMatrix
  | {
      readonly kind: 'dense';
      readonly value: NumberType;
      readonly rows: number;
      readonly columns: number;
      readonly cells: Elements;
    };

function writable(path: string): 'csv' | 'dbdf' {
  const format = formatOf(path);
  if (format === 'csv' || format === 'dbdf') return format;
  throw new RunError(`the file ${path} is none that can be written: its name has to end in .csv or .dbdf`);
}

const noStrings = (path: string): RunError =>
  new RunError(`the file ${path} can't be written: the binary format has no strings; write .csv`);

export function writeMatrix(path: string, { value, rows, columns, cells }: Written): void {
  if (writable(path) === 'csv') {
    const line = Array.from({ length: columns }, (_, offset): Cells => ({ value, cells, offset, step: columns }));
    writeWhole(path, csvLines(rows, line));
  } else if (value === 'str') throw noStrings(path);
  else writeWhole(path, encodeMatrix(rows, columns, storedType(value) as NumberType, cells as Elements));
  const meta = { rows, columns, value: storedType(value), schema: undefined, nonZeros: undefined };
  writeWhole(`${path}.meta`, [metaText(meta)]);
}

export function writeFrame(path: string, { rows, columns }: Frame): void {
  const schema = columns.map(({ label, value }) => ({ label, value: storedType(value) }));
  if (writable(path) === 'csv') {
    writeWhole(
      path,
      csvLines(
        rows,
        columns.map(({ value, cells }): Cells => {
          return { value, cells: cells instanceof Texts ? cells.strings() : cells, offset: 0, step: 1 };
        }),
      ),
    );
  } else {
    const own = columns.map(({ label, value, cells }) => {
      if (value === 'str') throw noStrings(path);
      return { label, value: storedType(value) as NumberType, cells: cells as Elements };
    });
    writeWhole(path, encodeFrame(rows, own));
  }
  writeWhole(`${path}.meta`, [
    metaText({ rows, columns: columns.length, value: undefined, schema, nonZeros: undefined }),
  ]);
}

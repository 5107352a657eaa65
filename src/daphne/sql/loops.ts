/** Values and conditions of all rows of a table. */

import { isWide } from '../types.ts';
import { roomFor } from '../values/frames.ts';
import { wideCells } from '../values/integers.ts';
import type { Column } from '../values/values.ts';
import { attempt, type Writer } from './code.ts';
import type { Typed } from './expressions.ts';
import type { Cells } from './keys.ts';

/** The values of an expression for all rows. */
export function evaluated(of: Typed, columns: readonly Column[], rows: number): Cells {
  if (of.kind === 'column') return columns[of.index]!.cells;
  return attempt(columns, (writer): Cells => {
    if (of.value === 'str') {
      const out: string[] = new Array(rows);
      fill(writer, of, rows, out);
      return out;
    }
    if (isWide(of.value) && !writer.wide) {
      const numbers = new Float64Array(rows);
      fill(writer, of, rows, numbers);
      return wideCells(numbers, roomFor(of.value, rows) as BigInt64Array);
    }
    const out = roomFor(of.value, rows);
    fill(writer, of, rows, out);
    return out;
  });
}

function fill(writer: Writer, of: Typed, rows: number, out: object): void {
  const value = writer.value(of, of.value);
  writer.run(`${writer.loads()}${writer.array(out)}[i] = ${value};`, rows);
}

/** The rows for which an expression holds. */
export function chosenRows(of: Typed, columns: readonly Column[], rows: number): Int32Array {
  return attempt(columns, (writer) => {
    const condition = writer.truth(of);
    const out = new Int32Array(rows);
    // No branch, which the processor would foresee wrongly again and again.
    const count = writer.run(`${writer.loads()}${writer.array(out)}[m] = i;\nm = m + (${condition} | 0) | 0;`, rows);
    return out.subarray(0, count);
  });
}

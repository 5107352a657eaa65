import type { Elements } from '../../nd/index.ts';
import { generalText } from '../text/numbers.ts';
import { isFloat, type ValueType } from '../types.ts';
import { exactNumbers, isWideCells } from '../values/integers.ts';
import { stringsOf } from '../values/texts.ts';
import type { Column, Scalar } from '../values/values.ts';

/** Text is handed on in pieces of about so many characters. */
const PIECE = 1 << 16;

type Write = (text: string) => void;
type Cells = ArrayLike<number | bigint | string>;

/** A scalar of a type as `print` shows it. */
export function scalarText(value: Scalar, type: ValueType): string {
  if (typeof value === 'number') return isFloat(type) ? generalText(value) : String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return String(value);
}

/** What makes the text of an element: for most integers nothing has to be done but what `+` does. */
const textOf = (type: ValueType): ((cell: number | bigint | string) => string | number | bigint) =>
  isFloat(type) ? (generalText as (cell: number | bigint | string) => string) : String;

/** As numbers where these are exact: their text is made faster. */
const fast = (cells: Elements): Cells => (isWideCells(cells) ? (exactNumbers(cells) ?? cells) : cells) as Cells;

/** Cells row by row, one line each, without a header. */
export function writeCells(
  write: Write,
  cells: Elements | readonly string[],
  type: ValueType,
  rows: number,
  columns: number,
): void {
  const shown: Cells = type === 'str' ? (cells as readonly string[]) : fast(cells as Elements);
  const show = textOf(type);
  let text = '';
  for (let i = 0, at = 0; i < rows; i++) {
    if (columns > 0) text += show(shown[at++]!);
    for (let j = 1; j < columns; j++) {
      text += ' ';
      text += show(shown[at++]!);
    }
    text += '\n';
    if (text.length < PIECE) continue;
    write(text);
    text = '';
  }
  if (text !== '') write(text);
}

/** The same of a frame, which has its cells by columns. */
export function writeColumns(write: Write, columns: readonly Column[], rows: number): void {
  const shown = columns.map(({ value, cells }): Cells => (value === 'str' ? stringsOf(cells) : fast(cells)));
  const shows = columns.map(({ value }) => textOf(value));
  let text = '';
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < shown.length; j++) {
      if (j > 0) text += ' ';
      text += shows[j]!(shown[j]![i]!);
    }
    text += '\n';
    if (text.length < PIECE) continue;
    write(text);
    text = '';
  }
  if (text !== '') write(text);
}

/** Integers plain, floats with six decimals, strings in quotes where they have to be. */

import type { Elements } from '../../nd/index.ts';
import { fixedText } from '../text/numbers.ts';
import { isFloat, type ValueType } from '../types.ts';

export const quoted = (text: string): string => (/[,"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Column by column: `columns[j]` has cell `offset + i * step` of row i. */
export interface Cells {
  readonly value: ValueType;
  readonly cells: Elements | readonly string[];
  readonly offset: number;
  readonly step: number;
}

export function* csvLines(rows: number, columns: readonly Cells[]): Generator<string> {
  const texts = columns.map(({ value, cells }) => {
    if (value === 'str') return (at: number) => quoted(cells[at] as string);
    if (isFloat(value)) return (at: number) => fixedText(cells[at] as number);
    return (at: number) => String(cells[at]);
  });
  for (let i = 0; i < rows; i++) {
    let line = '';
    for (let j = 0; j < columns.length; j++) {
      const { offset, step } = columns[j]!;
      line += `${j === 0 ? '' : ','}${texts[j]!(offset + i * step)}`;
    }
    yield `${line}\n`;
  }
}

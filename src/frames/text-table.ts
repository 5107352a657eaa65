import { type ColumnKind, dtOf } from './column-types.ts';

const WIDEST = 40;

/** Rows as a table in text: names, types, values; numbers to the right. */
export function textTable(columns: readonly ColumnKind[], rows: readonly (readonly unknown[])[], more: string): string {
  const cells = [columns.map(({ name }) => clipped(name)), columns.map(dtOf), ...rows.map((row) => row.map(cellOf))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const right = columns.map(({ base }) => ['i32', 'i64', 'f32', 'f64', 'decimal'].includes(base));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines.slice(0, 2), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(2), more]
    .join('\n')
    .trimEnd();
}

function cellOf(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Date) {
    const text = value.toISOString();
    return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 19).replace('T', ' ');
  }
  return clipped(String(value));
}

const clipped = (text: string): string => {
  const line = text.replace(/\p{Cc}/gu, ' ');
  return line.length > WIDEST ? `${line.slice(0, WIDEST - 3)}...` : line;
};

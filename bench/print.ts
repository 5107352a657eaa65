import type { Row } from './harness.ts';

/** Four significant digits at most, thousands separated. */
export function figure(x: number | null): string {
  if (x === null) return '-';
  if (x !== 0 && Math.abs(x) < 1000) return String(Number(x.toPrecision(3)));
  return Math.round(x).toLocaleString('en-US');
}

const verdict = ({ passed, tier, threshold, note }: Row): string => {
  const asked = threshold === null ? '' : ` (${tier} ${figure(threshold)}x)`;
  if (note !== undefined) return `${passed === false ? 'FAILED: ' : ''}${note.split('\n')[0]}`;
  if (passed === null) return '';
  return `${passed ? 'ok' : 'MISSED'}${asked}`;
};

const COLUMNS = ['row', 'unit', 'ours', 'peer', '', 'ratio', 'spread', ''] as const;
const WIDTHS = [44, 10, 10, 12, 12, 9, 17, 0] as const;
const FLUSH_LEFT = new Set([0, 1, 4, 7]);

const line = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => (FLUSH_LEFT.has(i) ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0)))
    .join(' ')
    .trimEnd();

export const heading = (): string => `${line(COLUMNS)}\n${'-'.repeat(140)}`;

export const formatted = (row: Row): string =>
  line([
    row.name,
    row.unit,
    figure(row.ours),
    figure(row.peer),
    row.peerName ?? '',
    row.ratio === null ? '-' : `${figure(row.ratio)}x`,
    row.spread === null ? '' : `${figure(row.spread[0])} .. ${figure(row.spread[1])}`,
    verdict(row),
  ]);

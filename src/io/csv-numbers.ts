import { statSync } from 'node:fs';
import { scanPart } from './csv-part.ts';
import type { Scanned } from './csv-scan.ts';

/**
 * Scans a file of numbers without a header, in this thread, at once. Undefined: there is something in it that is no number, or a record of another
 * width, for which its reader has rules of its own.
 */
export function scanNumbers(path: string, columns: number, delimiter: number): Scanned | undefined {
  const { size } = statSync(path);
  const range = { from: 0, to: size, start: 0, size };
  const part = scanPart(path, range, columns, { delimiter, comment: -1, booleans: false });
  return part.fault === undefined ? part.scanned : undefined;
}

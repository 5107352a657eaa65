// Runs on workers, for csv-parts.ts.
import { type Part, type Range, scanPart } from './csv-part.ts';
import type { Dialect } from './csv-scan.ts';

/** What one part of a file has. */
export async function scanCsvPart(path: string, range: Range, columns: number, dialect: Dialect): Promise<Part> {
  return scanPart(path, range, columns, dialect);
}

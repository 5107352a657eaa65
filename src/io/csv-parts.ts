import { availableParallelism } from 'node:os';
import { threadState } from '../runtime/index.ts';
import { get, remote } from '../tasks/index.ts';
import type { Head } from './csv-head.ts';
import { type Part, scanBytes } from './csv-part.ts';
import { type Dialect, ScanFault, type Scanned } from './csv-scan.ts';
import type { Bytes } from './source.ts';

/** Below that, calling somebody takes longer than doing it. */
const LEAST_SHARED = 1 << 20;
/** Parts of that size at most, so that nobody holds much at a time. */
const LARGEST_PART = 16 << 20;

/** All records after the head, by the workers of the open session if there is one and it is worth it. */
export async function scanAll(file: Bytes, head: Head, dialect: Dialect): Promise<Scanned> {
  const { start, columns } = head;
  const length = file.size - start;
  if (length <= 0 || columns === 0)
    return { rows: 0, columns, values: new Float64Array(0), kinds: new Uint8Array(columns), large: new Map() };
  const { path } = file;
  if (path === undefined || length < LEAST_SHARED || threadState().engines.size !== 1) {
    return faultless(await scanBytes(await file.read(start, file.size), 0, columns, dialect, start));
  }
  const workers = availableParallelism();
  const count = Math.max(workers, Math.ceil(length / LARGEST_PART));
  const parts = remote<typeof import('./csv-worker.ts')>(new URL('./csv-worker.js', import.meta.url));
  const bounds = Array.from({ length: count + 1 }, (_, i) => start + Math.floor((length * i) / count));
  const refs = Array.from({ length: count }, (_, i) =>
    parts.scanCsvPart(
      path,
      { from: bounds[i] as number, to: bounds[i + 1] as number, start, size: file.size },
      columns,
      dialect,
    ),
  );
  const scanned = ((await get(refs)) as Part[]).map(faultless);
  for (const ref of refs) ref.release();
  return together(scanned, columns);
}

/** The first fault of all counts, as it would if one had read it all. */
function faultless(part: Part): Scanned {
  if (part.fault !== undefined) throw new ScanFault(part.fault.at, part.fault.text);
  return part.scanned;
}

function together(parts: readonly Scanned[], columns: number): Scanned {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const values = new Float64Array(rows * columns);
  const kinds = new Uint8Array(columns);
  const large = new Map<number, bigint>();
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    for (const [i, seen] of part.kinds.entries()) kinds[i] = (kinds[i] as number) | seen;
    for (const [place, value] of part.large) large.set(at + place, value);
    at += part.values.length;
  }
  return { rows, columns, values, kinds, large };
}

import { availableParallelism } from 'node:os';
import { threadState } from '../runtime/index.ts';
import { type Ref, remote } from '../tasks/index.ts';
import type { Head } from './csv-head.ts';
import { type Part, scanBytes, scanPart } from './csv-part.ts';
import { type Dialect, ScanFault, type Scanned } from './csv-scan.ts';
import type { Bytes } from './source.ts';

/** Below that, calling somebody takes longer than doing it. */
const LEAST_SHARED = 1 << 20;
/** Parts of that size at most, so that nobody holds much at a time. */
const LARGEST_PART = 4 << 20;

/** All records after the head, by the workers of the open session if there is one and it is worth it. */
export async function scanAll(file: Bytes, head: Head, dialect: Dialect): Promise<Scanned> {
  const { start, columns } = head;
  const length = file.size - start;
  if (length <= 0 || columns === 0)
    return { rows: 0, columns, values: new Float64Array(0), kinds: new Uint8Array(columns), large: new Map() };
  const { path } = file;
  if (path === undefined) return faultless(scanBytes(await file.read(start, file.size), 0, columns, dialect, start));
  const { size } = file;
  if (length < LEAST_SHARED || threadState().engines.size !== 1) {
    return faultless(scanPart(path, { from: start, to: size, start, size }, columns, dialect));
  }
  const workers = availableParallelism();
  const count = workers * Math.max(1, Math.ceil(length / (LARGEST_PART * workers)));
  const parts = remote<typeof import('./csv-worker.ts')>(new URL('./csv-worker.js', import.meta.url));
  const bounds = Array.from({ length: count + 1 }, (_, i) => start + Math.floor((length * i) / count));
  const refs = Array.from({ length: count }, (_, i) =>
    parts.scanCsvPart(path, { from: bounds[i] as number, to: bounds[i + 1] as number, start, size }, columns, dialect),
  );
  return gathered(refs, columns, count);
}

/** The parts one after the other, as they come: copying the first ones goes on while others are scanned. */
async function gathered(refs: readonly Ref<Part>[], columns: number, count: number): Promise<Scanned> {
  let values: Float64Array | undefined;
  const kinds = new Uint8Array(columns);
  const large = new Map<number, bigint>();
  let at = 0;
  for (const [i, ref] of refs.entries()) {
    const part = faultless(await ref.value);
    const needed = at + part.values.length;
    // From the parts so far it follows how much there will be; that is a little more or less in the end.
    values ??= room(Math.ceil(part.values.length * count * 1.02), columns);
    if (needed > values.length) {
      const larger = room(Math.ceil((needed / (i + 1)) * count * 1.02), columns);
      larger.set(values.subarray(0, at));
      values = larger;
    }
    values.set(part.values, at);
    for (const [column, seen] of part.kinds.entries()) kinds[column] = (kinds[column] as number) | seen;
    for (const [place, value] of part.large) large.set(at + place, value);
    at = needed;
    ref.release();
  }
  const found = (values ?? new Float64Array(0)).subarray(0, at);
  return { rows: at / columns, columns, values: found, kinds, large };
}

const room = (values: number, columns: number): Float64Array => new Float64Array(Math.max(values, columns));

/** The first fault of all counts, as it would if one had read it all. */
function faultless(part: Part): Scanned {
  if (part.fault !== undefined) throw new ScanFault(part.fault.at, part.fault.text);
  return part.scanned;
}

import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { threadState } from '../runtime/index.ts';
import { cancel, type Ref, remote } from '../tasks/index.ts';
import type { Head } from './csv-head.ts';
import { type Part, PartOfFile, scanBytes, scanPart } from './csv-part.ts';
import { type Dialect, ScanFault, type Scanned } from './csv-scan.ts';
import type { Bytes } from './source.ts';

/** Below that, calling somebody takes longer than doing it. */
const LEAST_SHARED = 1 << 20;
/** What this thread scans before it looks whether somebody is waiting for more. */
const PIECE = 1 << 19;
/** So many of these are a part for a worker, at most: near the end there are fewer, since whoever comes to it first waits for the others. */
const MOST_PIECES = 4;
/** The last parts are waited for as long as they would take here, and so much longer, in milliseconds; then they are done here: whoever has them may be busy with something else. */
const PATIENCE = 1;

/** All records after the head, with the workers of the open session if there is one and it is worth it. */
export async function scanAll(file: Bytes, head: Head, dialect: Dialect): Promise<Scanned> {
  const { start, columns } = head;
  const length = file.size - start;
  if (length <= 0 || columns === 0)
    return { rows: 0, columns, values: new Float64Array(0), kinds: new Uint8Array(columns), large: new Map() };
  const { path } = file;
  if (path === undefined) return faultless(scanBytes(await file.read(start, file.size), 0, columns, dialect, start));
  const { size } = file;
  const range = { from: start, to: size, start, size };
  const workers = availableParallelism() - 1;
  if (length < LEAST_SHARED || workers === 0 || threadState().engines.size !== 1)
    return faultless(scanPart(path, range, columns, dialect));
  const own = new PartOfFile(path, range, columns, dialect);
  const others = new Others(path, range, columns, dialect, workers);
  try {
    let scanned = 0;
    let took = 0;
    while (others.ask()) {
      const begun = performance.now();
      throwIf(own.scan(others.next()));
      took += performance.now() - begun;
      scanned++;
      // What others have found arrives meanwhile.
      await turn();
    }
    for await (const { to, part } of others.found(took / scanned)) {
      // The first fault of the file counts, as if one had read it all.
      if (part === undefined) throwIf(own.scan(to));
      else own.take(faultless(part), to);
    }
    return own.result();
  } finally {
    others.close();
    own.close();
  }
}

/** What a worker has been asked for. */
interface Asked {
  readonly ref: Ref<Part>;
  /** The piece after it. */
  readonly end: number;
}

/** A file in pieces: this thread takes them from the beginning, where they follow each other, and workers from the end. */
class Others {
  readonly #call: (range: { from: number; to: number; start: number; size: number }) => Ref<Part>;
  readonly #bounds: readonly number[];
  readonly #workers: number;
  /** By their first pieces. */
  readonly #parts = new Map<number, Asked>();
  readonly #range: { readonly start: number; readonly size: number };
  /** The next piece for this thread, and past the last one that nobody has been asked for. */
  #low = 0;
  #high: number;
  #awaited = 0;

  constructor(
    path: string,
    { start, size }: { readonly start: number; readonly size: number },
    columns: number,
    dialect: Dialect,
    workers: number,
  ) {
    const parts = remote<typeof import('./csv-worker.ts')>(new URL('./csv-worker.js', import.meta.url));
    this.#call = (range) => parts.scanCsvPart(path, range, columns, dialect);
    const count = Math.ceil((size - start) / PIECE);
    this.#bounds = Array.from({ length: count + 1 }, (_, i) => start + Math.floor(((size - start) * i) / count));
    this.#workers = workers;
    this.#range = { start, size };
    this.#high = count;
  }

  /** Asks each worker that has none for a part, and says whether there is a piece left for this thread. */
  ask(): boolean {
    // Not for more than one each, which other workers would come for, on the core of this thread.
    while (this.#awaited < this.#workers && this.#high > this.#low + 1) {
      const share = Math.ceil((this.#high - this.#low) / (2 * (this.#workers + 1)));
      const end = this.#high;
      this.#high -= Math.min(MOST_PIECES, share);
      const [from, to] = [this.#bounds[this.#high] as number, this.#bounds[end] as number];
      const ref = this.#call({ from, to, ...this.#range });
      this.#parts.set(this.#high, { ref, end });
      this.#awaited++;
      const settled = (): void => void this.#awaited--;
      ref.value.then(settled, settled);
    }
    return this.#low < this.#high;
  }

  /** Where the next piece ends. */
  next(): number {
    this.#low++;
    return this.#bounds[this.#low] as number;
  }

  /**
   * The parts of workers one after the other: where each ends, and what was found in it, or undefined where the worker has not come, or has failed,
   * which nobody has to hear of. `pace`: what a piece takes here, in milliseconds.
   */
  async *found(pace: number): AsyncGenerator<{ readonly to: number; readonly part: Part | undefined }> {
    while (this.#low < this.#bounds.length - 1) {
      const first = this.#low;
      const { ref, end } = this.#parts.get(first) as Asked;
      this.#low = end;
      yield { to: this.#bounds[end] as number, part: await within(PATIENCE + pace * (end - first), ref) };
      this.#drop(first);
    }
  }

  close(): void {
    for (const first of this.#parts.keys()) this.#drop(first);
  }

  #drop(first: number): void {
    const { ref } = this.#parts.get(first) as Asked;
    this.#parts.delete(first);
    cancel(ref);
    ref.release();
  }
}

async function within(ms: number, ref: Ref<Part>): Promise<Part | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([ref.value, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function faultless(part: Part): Scanned {
  if (part.fault !== undefined) throw faultOf(part.fault);
  return part.scanned;
}

const faultOf = ({ at, text }: NonNullable<Part['fault']>): ScanFault => new ScanFault(at, text);

function throwIf(fault: Part['fault']): void {
  if (fault !== undefined) throw faultOf(fault);
}

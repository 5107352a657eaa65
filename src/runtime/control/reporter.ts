import { readFileSync } from 'node:fs';
import type { WorkerRow } from '../explain.ts';

/** Who is asked and does not answer within this many milliseconds is busy. */
const PATIENCE_MS = 500;
const PAGE = 4096;

/** One row for each party that was asked; null: it has not answered in time. */
export type Gathered<T> = readonly { readonly party: number; readonly report: T | null }[];

interface Open {
  readonly waiting: Set<number>;
  readonly reports: Map<number, unknown>;
  readonly done: () => void;
}

/** Gathers what the parties of a node alone know: of their calls, their waits, what they have made. */
export class Reporter {
  readonly #ask: (party: number, question: number, what: string, limit: number) => void;
  readonly #open = new Map<number, Open>();
  #next = 1;

  constructor(ask: (party: number, question: number, what: string, limit: number) => void) {
    this.#ask = ask;
  }

  /** Asks each of `parties`. `limit`: of the rows that one gives. */
  async gather<T>(parties: readonly number[], what: string, limit = 0): Promise<Gathered<T>> {
    const question = this.#next++;
    const reports = new Map<number, unknown>();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#open.set(question, { waiting: new Set(parties), reports, done });
      for (const party of parties) this.#ask(party, question, what, limit);
      if (parties.length === 0) done();
    });
    this.#open.delete(question);
    return parties.map((party) => ({ party, report: (reports.get(party) as T | undefined) ?? null }));
  }

  answered(party: number, question: number, report: unknown): void {
    const open = this.#open.get(question);
    if (open === undefined || !open.waiting.delete(party)) return;
    open.reports.set(party, report);
    if (open.waiting.size === 0) open.done();
  }
}

/** Bytes of physical memory that a process has in use, where the system tells. */
export function residentBytes(pid: number | null): WorkerRow['resident'] {
  if (pid === null || process.platform !== 'linux') return null;
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;
  } catch {
    return null;
  }
}

import { readFileSync } from 'node:fs';
import type { NodeReport, PartyReport, WorkerRow } from '../explain.ts';

/** Who is asked and does not answer within this many milliseconds is busy. */
const PATIENCE_MS = 500;
const PAGE = 4096;

/** Gathers what the parties of a node know of their own calls and waits. */
export class Reporter {
  readonly #ask: (party: number, question: number) => void;
  readonly #open = new Map<number, { waiting: Set<number>; reports: Map<number, PartyReport>; done: () => void }>();
  #next = 1;

  constructor(ask: (party: number, question: number) => void) {
    this.#ask = ask;
  }

  /** One row for each of `parties`; those that don't answer in time have no report. */
  async gather(parties: readonly number[]): Promise<NodeReport['parties']> {
    const question = this.#next++;
    const reports = new Map<number, PartyReport>();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#open.set(question, { waiting: new Set(parties), reports, done });
      for (const party of parties) this.#ask(party, question);
      if (parties.length === 0) done();
    });
    this.#open.delete(question);
    return parties.map((party) => ({ party, report: reports.get(party) ?? null }));
  }

  answered(party: number, question: number, report: unknown): void {
    const open = this.#open.get(question);
    if (open === undefined || !open.waiting.delete(party)) return;
    open.reports.set(party, report as PartyReport);
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

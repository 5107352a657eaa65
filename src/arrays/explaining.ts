import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatDuration } from '../base/index.ts';
import { type Computation, explainSvg, explainText, type Plan, type Watch } from '../pipelines/index.ts';
import { shownSite } from '../runtime/index.ts';

/** Between here and the user's own frame there are those of the function that computes. */
const FRAMES = 30;
/** In the place of a folder for drawings. */
const TEXT_ALONE = 'text';

interface Seen {
  readonly number: number;
  readonly where: string;
  readonly operation: string;
  readonly steps: number;
  readonly drawing: string | undefined;
  times: number;
  ms: number;
}

/** Explains on standard error what a program computes, each plan once for each place, and at the end how often each was run. */
class Explaining {
  readonly #folder: string | undefined;
  readonly #seen = new Map<Plan, Map<string, Seen>>();
  readonly #list: Seen[] = [];

  constructor(wish: string) {
    this.#folder = wish === TEXT_ALONE ? undefined : resolve(wish);
    if (this.#folder !== undefined) mkdirSync(this.#folder, { recursive: true });
    process.once('exit', () => this.#end());
  }

  /** For what an operation, called just now, computes. */
  watch(operation: string): Watch {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = FRAMES;
    const { stack } = new Error();
    Error.stackTraceLimit = stackTraceLimit;
    const where = shownSite({ stack }) ?? 'a place that is not known';
    return (computation) => this.#begun(operation, where, computation);
  }

  #begun(operation: string, where: string, computation: Computation): () => void {
    const { plan } = computation;
    const key = `${where} ${operation}`;
    const known = this.#seen.get(plan) ?? new Map<string, Seen>();
    this.#seen.set(plan, known);
    let seen = known.get(key);
    if (seen === undefined) {
      seen = this.#first(operation, where, computation);
      known.set(key, seen);
      this.#list.push(seen);
    }
    const own = seen;
    const begun = performance.now();
    return () => {
      own.times++;
      own.ms += performance.now() - begun;
    };
  }

  #first(operation: string, where: string, computation: Computation): Seen {
    const number = this.#list.length + 1;
    let drawing: string | undefined;
    if (this.#folder !== undefined) {
      const place = where.replace(/^.*[\\/]/, '').replace(/[^\w.-]+/g, '-');
      drawing = join(this.#folder, `${String(number).padStart(3, '0')}-${place}-${operation}.svg`);
      writeFileSync(drawing, explainSvg(computation));
    }
    const drawn = drawing === undefined ? '' : `, drawn in ${drawing}`;
    const text = explainText(computation).replaceAll(/^(?=.)/gm, '  ');
    process.stderr.write(`computation ${number}: ${operation} at ${where}${drawn}\n${text}\n\n`);
    return { number, where, operation, steps: computation.plan.steps.length, drawing, times: 0, ms: 0 };
  }

  /** What took longest comes first. */
  #end(): void {
    if (this.#list.length === 0) return;
    const rows = [...this.#list]
      .sort((a, b) => b.ms - a.ms)
      .map(({ number, times, ms, operation, where }) => [
        `${number}`,
        `${times}`,
        formatDuration(ms),
        `${operation} at ${where}`,
      ]);
    const all = [['computation', 'times', 'took', 'by'], ...rows];
    const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => (row[column] as string).length)));
    const lines = all.map((row) =>
      row.map((cell, i) => (i < 3 ? cell.padStart(widths[i] as number) : cell)).join('  '),
    );
    process.stderr.write(`what arrays were computed, and how long that took:\n  ${lines.join('\n  ')}\n`);
    if (this.#folder !== undefined) {
      const report = this.#list.map((seen) => ({ ...seen, ms: Number(seen.ms.toFixed(3)) }));
      writeFileSync(join(this.#folder, 'computations.json'), `${JSON.stringify(report, undefined, 2)}\n`);
    }
  }
}

let known: Explaining | null | undefined;

/** What watches the computations of an operation, if the environment asks for it. */
export function watching(operation: string): Watch | undefined {
  if (known === undefined) {
    const wish = process.env.SHEAF_EXPLAIN_ARRAYS;
    known = wish ? new Explaining(wish) : null;
  }
  return known?.watch(operation);
}

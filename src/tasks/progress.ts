const WIDTH = 30;
const REDRAW_MS = 100;
const LOG_MS = 2000;

/** A bar on a terminal, a plain line now and then elsewhere; both on standard error. */
export class Progress {
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #terminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  readonly #begun = performance.now();
  #done = 0;
  #shown = 0;

  constructor(label: string, total: number | undefined) {
    this.#label = label;
    this.#total = total;
  }

  step(): void {
    this.#done++;
    const now = performance.now();
    if (now - this.#shown < (this.#terminal ? REDRAW_MS : LOG_MS)) return;
    this.#shown = now;
    this.#show();
  }

  #show(): void {
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(1);
    const count = this.#total === undefined ? `${this.#done}` : `${this.#done}/${this.#total}`;
    if (!this.#terminal) {
      process.stderr.write(`${this.#label}: ${count} after ${seconds} s\n`);
      return;
    }
    const part = this.#total === undefined || this.#total === 0 ? 0 : Math.min(1, this.#done / this.#total);
    const full = Math.round(part * WIDTH);
    const bar = this.#total === undefined ? '' : `[${'='.repeat(full)}${' '.repeat(WIDTH - full)}] `;
    process.stderr.write(`\r${this.#label} ${bar}${count}  ${seconds} s\x1b[K`);
  }

  end(): void {
    this.#show();
    if (this.#terminal) process.stderr.write('\n');
  }
}

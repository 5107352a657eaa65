/** Shows how far something is: a bar in a terminal, a line for each step elsewhere. */
export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #out: NodeJS.WriteStream;
  #done = 0;

  constructor(label: string, total: number, out: NodeJS.WriteStream = process.stdout) {
    this.#label = label;
    this.#total = total;
    this.#out = out;
    this.#draw();
  }

  get done(): number {
    return this.#done;
  }

  step(): void {
    this.#done++;
    this.#draw();
  }

  /** A line of its own, above the bar. */
  log(text: string): void {
    this.#out.write(this.#out.isTTY ? `\r\u001b[K${text}\n` : `${text}\n`);
    if (this.#out.isTTY && this.#done < this.#total) this.#draw();
  }

  #draw(): void {
    const count = `${this.#done}/${this.#total}`;
    if (!this.#out.isTTY) {
      if (this.#done > 0) this.#out.write(`${this.#label} ${count}\n`);
      return;
    }
    const width = Math.max(10, Math.min(40, (this.#out.columns ?? 80) - this.#label.length - count.length - 6));
    const filled = Math.round((width * this.#done) / this.#total);
    this.#out.write(`\r${this.#label} [${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${count}`);
    if (this.#done === this.#total) this.#out.write('\n');
  }
}

/** What this party has asked the control thread and not been answered yet. */
export class Questions {
  readonly #open = new Map<number, (answer: unknown) => void>();
  #next = 1;

  get size(): number {
    return this.#open.size;
  }

  /** `send` gets the number under which the answer will come. */
  ask(send: (question: number) => void): Promise<unknown> {
    const question = this.#next++;
    return new Promise((resolve) => {
      this.#open.set(question, resolve);
      send(question);
    });
  }

  answered(question: number, answer: unknown): void {
    this.#open.get(question)?.(answer);
    this.#open.delete(question);
  }
}

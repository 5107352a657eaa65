/** What this party has asked the control thread and not been answered yet. */
export class Questions {
  readonly #open = new Map<number, (answer: unknown) => void>();
  readonly #hopeful = new Set<number>();
  #next = 1;

  get size(): number {
    return this.#open.size;
  }

  /** `send` gets the number under which the answer will come. `hopeful`: it comes when the session is closed, too. */
  ask(send: (question: number) => void, hopeful = false): Promise<unknown> {
    const question = this.#next++;
    if (hopeful) this.#hopeful.add(question);
    return new Promise((resolve) => {
      this.#open.set(question, resolve);
      send(question);
    });
  }

  answered(question: number, answer: unknown): void {
    this.#open.get(question)?.(answer);
    this.#open.delete(question);
    this.#hopeful.delete(question);
  }

  close(): void {
    for (const question of this.#hopeful) this.answered(question, undefined);
  }
}

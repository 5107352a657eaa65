/** An actor that has something to do at its end, and the numbers of the workers where somebody holds it. */
export interface Disposable {
  readonly id: string;
  readonly worker: number;
  readonly incarnation: number;
  readonly heldOn: readonly number[];
}

/**
 * The order in which the actors of a session end with it: those that others hold after them, since the end of one may call the
 * other; where that goes round in a circle, all that are left. What takes how long is the host's affair. Pure.
 */
export class ActorEndings {
  readonly #end: (actor: Disposable) => void;
  readonly #left = new Map<string, Disposable>();
  readonly #begun = new Set<string>();

  constructor(actors: Iterable<Disposable>, end: (actor: Disposable) => void) {
    this.#end = end;
    for (const actor of actors) this.#left.set(actor.id, actor);
    this.#go();
  }

  /** None is left. */
  get over(): boolean {
    return this.#left.size === 0;
  }

  ended(id: string): void {
    this.#begun.delete(id);
    if (this.#left.delete(id)) this.#go();
  }

  workerDied(worker: number, incarnation: number): void {
    let any = false;
    for (const actor of [...this.#left.values()]) {
      if (actor.worker !== worker || actor.incarnation !== incarnation) continue;
      this.#left.delete(actor.id);
      this.#begun.delete(actor.id);
      any = true;
    }
    if (any) this.#go();
  }

  #go(): void {
    const waiting = [...this.#left.values()].filter(({ id }) => !this.#begun.has(id));
    const free = waiting.filter((actor) => !this.#isHeld(actor));
    for (const actor of free.length === 0 && this.#begun.size === 0 ? waiting : free) {
      this.#begun.add(actor.id);
      this.#end(actor);
    }
  }

  /** Of those that share its worker nobody knows which of them holds it. */
  #isHeld({ worker, heldOn }: Disposable): boolean {
    for (const other of this.#left.values()) {
      if (other.worker !== worker && heldOn.includes(other.worker)) return true;
    }
    return false;
  }
}

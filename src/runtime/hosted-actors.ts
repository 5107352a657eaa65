import type { HostedActor } from './hosted-actor.ts';
import type { Loaded } from './loaded.ts';

/** The actors that a worker hosts: one, or several that share it. */
export class HostedActors {
  readonly #all: HostedActor[] = [];
  /** Whose calls are looked at first, of those that were kept. */
  #turn = 0;
  /** Those that are here share the worker with more. */
  shared = false;

  get size(): number {
    return this.#all.length;
  }

  [Symbol.iterator](): IterableIterator<HostedActor> {
    return this.#all.values();
  }

  add(actor: HostedActor, shared: boolean): void {
    this.#all.push(actor);
    this.shared = shared;
    actor.mailbox.shares = shared;
  }

  remove(actor: HostedActor): void {
    const at = this.#all.indexOf(actor);
    if (at >= 0) this.#all.splice(at, 1);
  }

  get(id: string): HostedActor | undefined {
    return this.#all.find((actor) => actor.id === id);
  }

  /** The one that a method is of: without a target, of the only one that is here. */
  of({ target }: Loaded): HostedActor | undefined {
    return target === null ? this.#all[0] : this.get(target);
  }

  /** The next of what was kept that may begin: the actors take turns. */
  next(): { actor: HostedActor; kept: NonNullable<ReturnType<HostedActor['mailbox']['next']>> } | undefined {
    const count = this.#all.length;
    for (let i = 0; i < count; i++) {
      const at = (this.#turn + i) % count;
      const actor = this.#all[at] as HostedActor;
      const kept = actor.mailbox.next();
      if (kept === undefined) continue;
      this.#turn = at + 1;
      return { actor, kept };
    }
    return undefined;
  }

  /** The worker is about to end: what has been made is disposed of, whatever its calls are at. */
  async leave(): Promise<void> {
    await Promise.all(this.#all.map((actor) => actor.leave()));
  }
}

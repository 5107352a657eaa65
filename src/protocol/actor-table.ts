import type { Disposable } from './actor-endings.ts';
import { ownerKeyOf } from './ids.ts';

/**
 * What a party hears of an actor:
 *
 * - `pending`: it has no worker yet, or again.
 * - `hosted`: that worker has it, and takes calls in; they begin once it is `ready`.
 * - `closing`: it ends as soon as the calls that were made before are over; there may be no more.
 * - `dead`: it ended, `why` says with which failure; null: in order.
 */
export type ActorNews<P> =
  | { readonly type: 'actor'; readonly id: string; readonly state: 'pending' }
  | {
      readonly type: 'actor';
      readonly id: string;
      readonly state: 'hosted' | 'ready' | 'closing';
      /** Negative while it is closing without one. */
      readonly worker: number;
      readonly incarnation: number;
      /** It is closing, and is not made yet. */
      readonly making?: true;
    }
  | { readonly type: 'actor'; readonly id: string; readonly state: 'dead'; readonly why: P | null };

export interface ActorPort<P> {
  tell(party: string, news: ActorNews<P>): void;
  /** The worker that hosts it is to end it: nobody has a call of it left. `alone`: nobody has it any more, to hear of a failure of that. */
  retire(worker: number, incarnation: number, id: string, alone: boolean): void;
  /** Whether an actor that is not in the table will never come: nobody has it any more, or its owner is dead. A host without this never says so. */
  isGone?(id: string): boolean;
  /** Tells one who watches `id` that this is another actor, `of`. A host without this never says so (`alias`). */
  joined?(party: string, id: string, of: string): void;
  /** What those hear whose actor went with its owner. */
  ownerDied(id: string): P;
}

interface Actor<P> {
  readonly id: string;
  readonly name: string | null;
  ready: boolean;
  /** It has something to do at its end: the references that it was made with, which it may need for that. */
  disposes: readonly string[] | null;
  /** Negative: none. */
  worker: number;
  incarnation: number;
  /** Parties that want to hear of it: those who call it. */
  readonly watchers: Set<string>;
  /** While it is closing: the watchers that still have calls. */
  unquiet: Set<string> | null;
  dead: { readonly why: P | null } | null;
  /** Its worker has been told to end it: calls that come now are too late for that. */
  retired: boolean;
  /** Nobody has it any more: with its end there is nothing left to tell. */
  forgotten: boolean;
}

interface Host {
  readonly worker: number;
  readonly incarnation: number;
  readonly ready: boolean;
  readonly disposes: readonly string[] | null;
}

/**
 * The actors of one node: where each is, what it is called, and who wants to know. Its owner runs it, as a task that
 * lasts; this tells its callers. Lives on the control thread. Pure.
 *
 * ```
 * pending --a worker has begun with it--> hosted --[init] is over--> ready
 *    ^                                      |                          |
 *    +------------- the worker died --------+--------------------------+
 *
 * each of them --drain, or nobody has it any more--> closing --its callers are quiet--> dead
 * each of them --no restarts left, its owner died-------------------------------------> dead
 * ```
 */
export class ActorTable<P> {
  readonly #port: ActorPort<P>;
  readonly #actors = new Map<string, Actor<P>>();
  /** By namespace and name, while they live. */
  readonly #names = new Map<string, { readonly id: string; readonly type: string }>();
  /** Ids under which actors are known that had got theirs from somebody else. */
  readonly #aliases = new Map<string, string>();
  /** Of those whose creation is still on its way, from another party. */
  readonly #early = new Map<string, Set<string>>();
  /** Where such ones are hosted: a worker that was lent before can be faster than the word of the creation. */
  readonly #earlyHosts = new Map<string, Host>();
  /** Those of them that are to end as soon as they are there. */
  readonly #earlyDrains = new Set<string>();

  constructor(port: ActorPort<P>) {
    this.#port = port;
  }

  get size(): number {
    return this.#actors.size + this.#aliases.size;
  }

  /** Ids for which something has come, but not their creation. */
  get strays(): number {
    return this.#early.size + this.#earlyHosts.size + this.#earlyDrains.size;
  }

  /** The actor that has that name, and what its class is called. */
  named(namespace: string, name: string): { readonly id: string; readonly type: string } | undefined {
    return this.#names.get(nameKey(namespace, name));
  }

  /** Takes the name for an actor that is about to be created; or answers who has it. */
  claim(
    namespace: string,
    name: string,
    id: string,
    type: string,
  ): { readonly id: string; readonly type: string } | undefined {
    const key = nameKey(namespace, name);
    const known = this.#names.get(key);
    if (known === undefined) this.#names.set(key, { id, type });
    return known;
  }

  /** A new one. If it has a name, it has claimed that before. */
  created(id: string, namespace: string, name: string | null): void {
    const key = name === null ? null : nameKey(namespace, name);
    const watchers = this.#early.get(id) ?? new Set<string>();
    this.#early.delete(id);
    const actor: Actor<P> = {
      id,
      name: key,
      ready: false,
      disposes: null,
      worker: -1,
      incarnation: -1,
      watchers,
      unquiet: null,
      dead: null,
      retired: false,
      forgotten: false,
    };
    this.#actors.set(id, actor);
    const host = this.#earlyHosts.get(id);
    this.#earlyHosts.delete(id);
    if (host !== undefined) this.hosted(id, host.worker, host.incarnation, host.ready, host.disposes);
    else for (const party of watchers) this.#port.tell(party, newsOf(actor, party));
    if (this.#earlyDrains.delete(id)) this.drain(id);
  }

  /** What was to be the actor `id` is `of`: those who watch it are told to watch that. */
  alias(id: string, of: string): void {
    const early = this.#early.get(id);
    this.#early.delete(id);
    // Whoever wants it to end says so again, of the other one, when he hears of that.
    this.#earlyDrains.delete(id);
    this.#aliases.set(id, of);
    for (const party of early ?? []) this.#port.joined?.(party, id, of);
  }

  /** `party` calls it, and hears of it from now on. `ownerIsHere`: its owner lives, so that its creation may still come. */
  watch(id: string, party: string, ownerIsHere: boolean): void {
    const actor = this.#actors.get(id);
    const alias = this.#aliases.get(id);
    if (alias !== undefined) this.#port.joined?.(party, id, alias);
    else if (actor !== undefined) {
      actor.watchers.add(party);
      // Told that it is closing, it will say when it is quiet.
      if (actor.unquiet !== null && actor.dead === null) actor.unquiet.add(party);
      this.#port.tell(party, newsOf(actor, party));
    } else if (ownerIsHere && this.#port.isGone?.(id) === true) {
      // It was called under another id, or the call is over by now.
      this.#port.tell(party, { type: 'actor', id, state: 'dead', why: null });
    } else if (ownerIsHere) {
      const early = this.#early.get(id);
      if (early === undefined) this.#early.set(id, new Set([party]));
      else early.add(party);
    } else this.#port.tell(party, { type: 'actor', id, state: 'dead', why: this.#port.ownerDied(id) });
  }

  /** A worker has it: has begun to make it, or (`ready`) is done with that. `disposes` as in `ActorMessage`. */
  hosted(
    id: string,
    worker: number,
    incarnation: number,
    ready: boolean,
    disposes: readonly string[] | null = null,
  ): void {
    const actor = this.#actors.get(id);
    if (actor === undefined && this.#port.isGone?.(id) !== true)
      this.#earlyHosts.set(id, { worker, incarnation, ready, disposes });
    if (actor === undefined || actor.dead !== null) return;
    actor.worker = worker;
    actor.incarnation = incarnation;
    actor.ready = ready;
    actor.disposes = disposes;
    this.#tellAll(actor);
    this.#retireIfQuiet(actor);
  }

  /** It is to end in order. */
  drain(id: string): void {
    const actor = this.#actors.get(id);
    if (actor === undefined && !this.#aliases.has(id) && this.#port.isGone?.(id) !== true) this.#earlyDrains.add(id);
    if (actor === undefined || actor.dead !== null || actor.unquiet !== null) return;
    actor.unquiet = new Set(actor.watchers);
    this.#unname(actor);
    this.#tellAll(actor);
    this.#retireIfQuiet(actor);
  }

  /** `party` has no call of it left, and will make no more. */
  quiet(id: string, party: string): void {
    const actor = this.#actors.get(id);
    if (actor === undefined || actor.unquiet === null || !actor.unquiet.delete(party)) return;
    this.#retireIfQuiet(actor);
  }

  #retireIfQuiet(actor: Actor<P>): void {
    if (actor.dead !== null || actor.unquiet === null || actor.unquiet.size > 0 || actor.worker < 0) return;
    actor.retired = true;
    this.#port.retire(actor.worker, actor.incarnation, actor.id, actor.forgotten);
  }

  /** Its owner says that it has ended: `why` is the failure, null if it was in order. */
  over(id: string, why: P | null): void {
    const actor = this.#actors.get(id);
    if (actor !== undefined) this.#die(actor, why);
  }

  #die(actor: Actor<P>, why: P | null): void {
    if (actor.dead !== null) return;
    actor.dead = { why };
    actor.worker = -1;
    this.#unname(actor);
    this.#tellAll(actor);
    actor.watchers.clear();
    if (actor.forgotten) this.#actors.delete(actor.id);
  }

  #unname(actor: Actor<P>): void {
    if (actor.name !== null && this.#names.get(actor.name)?.id === actor.id) this.#names.delete(actor.name);
  }

  #tellAll(actor: Actor<P>): void {
    for (const party of actor.watchers) this.#port.tell(party, newsOf(actor, party));
  }

  /** A worker is gone: its actors are without one until their owners find another. */
  workerDied(worker: number, incarnation: number): void {
    for (const [id, host] of this.#earlyHosts) {
      if (host.worker === worker && host.incarnation === incarnation) this.#earlyHosts.delete(id);
    }
    for (const actor of this.#actors.values()) {
      if (actor.worker !== worker || actor.incarnation !== incarnation) continue;
      actor.worker = -1;
      actor.incarnation = -1;
      actor.ready = false;
      actor.disposes = null;
      actor.retired = false;
      this.#tellAll(actor);
    }
  }

  /** A party (an address key) is gone, with the actors that it owned. */
  partyDied(party: string): void {
    for (const [id, early] of this.#early) {
      early.delete(party);
      if (ownerKeyOf(id) === party) {
        this.#early.delete(id);
        const why = this.#port.ownerDied(id);
        for (const each of early) this.#port.tell(each, { type: 'actor', id, state: 'dead', why });
      } else if (early.size === 0) this.#early.delete(id);
    }
    for (const id of this.#earlyHosts.keys()) if (ownerKeyOf(id) === party) this.#earlyHosts.delete(id);
    for (const id of this.#earlyDrains) if (ownerKeyOf(id) === party) this.#earlyDrains.delete(id);
    for (const [name, { id }] of this.#names) if (ownerKeyOf(id) === party) this.#names.delete(name);
    for (const id of this.#aliases.keys()) if (ownerKeyOf(id) === party) this.#aliases.delete(id);
    for (const actor of this.#actors.values()) {
      actor.watchers.delete(party);
      if (ownerKeyOf(actor.id) === party) {
        this.#die(actor, this.#port.ownerDied(actor.id));
        this.#actors.delete(actor.id);
      } else if (actor.unquiet?.delete(party)) this.#retireIfQuiet(actor);
    }
  }

  /** Nobody has it any more. */
  forget(id: string): void {
    this.#aliases.delete(id);
    this.#earlyHosts.delete(id);
    this.#earlyDrains.delete(id);
    const actor = this.#actors.get(id);
    if (actor === undefined) return;
    actor.forgotten = true;
    if (actor.dead !== null) this.#actors.delete(id);
    else this.drain(id);
  }

  /**
   * Those that live on a worker and have something to do at their end. `holders`: the numbers of the workers where an object is
   * held, as far as the directory knows: not of what an actor was made with, which whoever created it holds for it.
   */
  disposable(holders: (id: string) => readonly number[]): Disposable[] {
    const found = [...this.#actors.values()].filter(({ worker, disposes }) => worker >= 0 && disposes !== null);
    return found.map(({ id, worker, incarnation }) => {
      const madeWith = found.filter((other) => other.disposes?.includes(id)).map((other) => other.worker);
      return { id, worker, incarnation, heldOn: [...holders(id), ...madeWith] };
    });
  }

  /** For people. */
  rows(): { id: string; name: string | null; state: string; worker: number }[] {
    return [...this.#actors.values()].map((actor) => ({
      id: actor.id,
      name: actor.name === null ? null : (actor.name.split('\n')[1] as string),
      state: newsOf(actor, '').state,
      worker: actor.worker,
    }));
  }
}

const nameKey = (namespace: string, name: string): string => `${namespace}\n${name}`;

/**
 * What a party hears. One that is closing is nowhere to those who have said that they are quiet: it does not wait for what they may have
 * called since, until they say that they do (`watch`).
 */
function newsOf<P>({ id, dead, unquiet, retired, worker, incarnation, ready }: Actor<P>, party: string): ActorNews<P> {
  if (dead !== null) return { type: 'actor', id, state: 'dead', why: dead.why };
  if (unquiet !== null) {
    const nowhere = retired || !unquiet.has(party);
    return {
      type: 'actor',
      id,
      state: 'closing',
      worker: nowhere ? -1 : worker,
      incarnation: nowhere ? -1 : incarnation,
      ...(nowhere || worker < 0 || ready ? {} : { making: true }),
    };
  }
  if (worker < 0) return { type: 'actor', id, state: 'pending' };
  return { type: 'actor', id, state: ready ? 'ready' : 'hosted', worker, incarnation };
}

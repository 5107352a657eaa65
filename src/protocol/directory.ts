import { incarnationOf, nodeOf, ownerKeyOf, placeOf, sequenceOf } from './ids.ts';
import type { SettledValue } from './messages.ts';

export interface DirectoryPort<P> {
  resolved(party: string, id: string, settled: SettledValue<P>): void;
  lost(party: string, id: string, reason: string): void;
  /** Whether a value that is kept in shared memory is gone. A host without this loses none. */
  isLost?(payload: P): boolean;
  /** Tells the owner that the value is gone, and somebody waits for another one. */
  missing?(owner: string, id: string): void;
  /** Tells the owner that nobody holds it any more, and whether anybody has looked at it. */
  freed(owner: string, id: string, observed: boolean): void;
  /** The directory keeps a value: the host pins what it needs. */
  keep(payload: P): void;
  drop(payload: P): void;
}

interface Entry<P> {
  readonly id: string;
  readonly owner: string;
  /** Additions less removals, by holder: see `counted` and `containing`. Signed. */
  readonly holders: Map<string, number>;
  settled: SettledValue<P> | null;
  /** Parties that want the value. */
  waiting: string[];
  /** Somebody has asked for the value, or said that nobody need: a failure is no longer the owner's to report. */
  observed: boolean;
  /** Its owner is gone. The value is kept only for those to whom it is on its way. */
  lost: boolean;
}

const NOBODY: ReadonlyMap<string, number> = new Map();

/** The holder that a containing object is. */
const containing = (id: string): string => `in:${id}`;

/** The holder that a party (an address key) is, for what the party at the place `by` has added. */
const counted = (party: string, by: string | null): string => (by === null ? party : `${party}<${by}`);

/** The party that such a holder is; undefined for an object. */
const partyOf = (holder: string): string | undefined =>
  holder.startsWith(containing('')) ? undefined : (holder.split('<')[0] as string);

/**
 * The references of one node that have escaped their owner's thread. It answers for them, so that an owner whose event
 * loop is blocked holds nobody up, and it knows who holds them. Lives on the control thread. Pure.
 *
 * An entry lives while any holder's count is not zero. Counts have signs, because an addition (made by whoever passed
 * the reference on) and the removal (made by the holder itself) come over different links.
 */
export class Directory<P> {
  readonly #port: DirectoryPort<P>;
  readonly #entries = new Map<string, Entry<P>>();
  /** Additions for ids that are not here yet: their owner's promotion is still on its way. */
  readonly #early = new Map<string, Map<string, number>>();
  readonly #earlyWaiting = new Map<string, string[]>();
  /** Those of them that somebody has let go of who has looked at the value, or says that nobody need. */
  readonly #earlyObserved = new Set<string>();
  /** The newest dead incarnation at each place. */
  readonly #dead = new Map<string, number>();
  /** Parties that have died and are not buried yet. */
  readonly #dying = new Set<string>();
  /** Those that became unheld meanwhile. */
  readonly #unheld = new Set<Entry<P>>();
  /** The newest promotion of each owner. They come in order, so an older id that is not here has been freed. */
  readonly #newest = new Map<string, number>();
  readonly #node: string;

  constructor(node: string, port: DirectoryPort<P>) {
    this.#node = node;
    this.#port = port;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether somebody may still need what a party (an address key) owns. */
  owns(party: string): boolean {
    for (const entry of this.#entries.values()) if (entry.owner === party) return true;
    return false;
  }

  /** Ids for which something has come, but not their promotion. */
  get strays(): number {
    return this.#early.size + this.#earlyWaiting.size + this.#earlyObserved.size;
  }

  /**
   * Whether this directory answers for an id; others belong to their owner's node. A control thread with more than one
   * node asks, before it passes a message on (`test/spikes/two-nodes/control-node.ts`).
   */
  isLocal(id: string): boolean {
    return nodeOf(id) === this.#node;
  }

  /** It was here, and is not any more; or it will never be, because its owner is dead. */
  isGone(id: string): boolean {
    const owner = ownerKeyOf(id);
    return !this.#entries.has(id) && (this.#isPast(id) || this.#isDead(owner) || this.#dying.has(owner));
  }

  promote(id: string, settled: SettledValue<P> | null): void {
    const owner = ownerKeyOf(id);
    if (this.#isDead(owner)) return;
    this.#newest.set(owner, sequenceOf(id));
    const holders = this.#early.get(id) ?? new Map<string, number>();
    this.#early.delete(id);
    const entry: Entry<P> = {
      id,
      owner,
      holders,
      settled: null,
      waiting: this.#earlyWaiting.get(id) ?? [],
      observed: this.#earlyObserved.delete(id) || this.#earlyWaiting.has(id),
      lost: false,
    };
    this.#earlyWaiting.delete(id);
    this.#entries.set(id, entry);
    this.#count(holders, owner, 1);
    if (settled !== null) this.settle(id, settled);
    // Removals that came first may have balanced it out.
    this.#freeIfUnheld(entry);
  }

  settle(id: string, settled: SettledValue<P>): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.settled !== null) return;
    entry.settled = settled;
    this.#port.keep(settled.payload);
    for (const inner of settled.inner) this.#add(inner, containing(id), 1);
    const { waiting } = entry;
    entry.waiting = [];
    for (const party of waiting) this.#serve(entry, party);
  }

  /** Its value is gone, and the owner makes it again: until then, who asks for it waits. */
  unsettle(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.settled === null) return;
    const { payload, inner } = entry.settled;
    entry.settled = null;
    this.#port.drop(payload);
    for (const each of inner) this.#add(each, containing(id), -1);
  }

  /** `by` as in the message. */
  add(id: string, party: string, by: string | null): void {
    if (!this.#isDead(party)) this.#add(id, counted(party, by), 1);
  }

  remove(id: string, party: string, count: number, by: string | null, observed = false): void {
    if (observed) this.#observe(id);
    this.#add(id, counted(party, by), -count);
  }

  #observe(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.observed = true;
    else if (!this.#isDead(ownerKeyOf(id)) && !this.#isPast(id)) this.#earlyObserved.add(id);
  }

  #add(id: string, holder: string, count: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) this.#addEarly(id, holder, count);
    else {
      this.#count(entry.holders, holder, count);
      this.#freeIfUnheld(entry);
    }
  }

  /** `party` wants the value; it holds the reference, or somebody holds it for it. */
  resolve(id: string, party: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      const owner = ownerKeyOf(id);
      if (this.#isDead(owner) || this.#dying.has(owner)) this.#port.lost(party, id, 'its owner has died');
      else if (this.#isPast(id)) {
        this.#port.lost(party, id, 'it was released, because the party that passed it on died before it was counted');
      } else {
        const waiting = this.#earlyWaiting.get(id);
        if (waiting === undefined) this.#earlyWaiting.set(id, [party]);
        else waiting.push(party);
      }
      return;
    }
    entry.observed = true;
    if (entry.lost) this.#port.lost(party, id, 'its owner has died');
    else if (entry.settled === null) entry.waiting.push(party);
    else if (this.#port.isLost?.(entry.settled.payload) === true) {
      entry.waiting.push(party);
      // The owner, which perhaps knows by now, says the same; then it settles it again.
      this.unsettle(id);
      this.#port.missing?.(entry.owner, id);
    } else this.#serve(entry, party);
  }

  #serve(entry: Entry<P>, party: string): void {
    if (this.#isDead(party)) return;
    const settled = entry.settled as SettledValue<P>;
    for (const inner of settled.inner) this.#add(inner, party, 1);
    this.#port.resolved(party, entry.id, settled);
  }

  #addEarly(id: string, holder: string, count: number): void {
    if (this.#isDead(ownerKeyOf(id)) || this.#isPast(id)) return;
    let holders = this.#early.get(id);
    if (holders === undefined) {
      holders = new Map();
      this.#early.set(id, holders);
    }
    this.#count(holders, holder, count);
    if (holders.size === 0) this.#early.delete(id);
  }

  /** Of a party (an address key). Incarnations at a place come one after the other, each after the burial of the one before. */
  #isDead(party: string): boolean {
    const incarnation = this.#dead.get(placeOf(party));
    return incarnation !== undefined && incarnationOf(party) <= incarnation;
  }

  #isPast(id: string): boolean {
    return sequenceOf(id) <= (this.#newest.get(ownerKeyOf(id)) ?? 0);
  }

  #count(holders: Map<string, number>, holder: string, by: number): void {
    const count = (holders.get(holder) ?? 0) + by;
    if (count === 0) holders.delete(holder);
    else holders.set(holder, count);
  }

  /** What a dead party held, and what it counted others in for: they have counted themselves in since. */
  #strike(holders: Map<string, number>, party: string): void {
    const sponsored = `<${placeOf(party)}`;
    const own = `${party}<`;
    for (const holder of holders.keys()) {
      if (holder === party || holder.startsWith(own) || holder.endsWith(sponsored)) holders.delete(holder);
    }
  }

  #freeIfUnheld(entry: Entry<P>): void {
    if (entry.holders.size > 0) return;
    if (this.#dying.size > 0) {
      this.#unheld.add(entry);
      return;
    }
    if (!this.#entries.delete(entry.id)) return;
    if (entry.settled !== null) {
      this.#port.drop(entry.settled.payload);
      for (const inner of entry.settled.inner) this.#add(inner, containing(entry.id), -1);
    }
    for (const party of entry.waiting) this.#port.lost(party, entry.id, 'it was released');
    if (!this.#isDead(entry.owner)) this.#port.freed(entry.owner, entry.id, entry.observed);
  }

  /**
   * A party is gone; not everybody has heard of it yet. Those to whom it had lent a reference are not counted, and its own
   * lender may let go as soon as it hears of this death: until `partyDied`, nothing is freed.
   */
  partyDying(party: string): void {
    this.#dying.add(party);
    // It has said all that it will ever say: what it owned and had not settled is lost, and nobody has to wait to hear it.
    for (const entry of this.#entries.values()) {
      if (entry.owner !== party || entry.settled !== null) continue;
      entry.lost = true;
      const { waiting } = entry;
      entry.waiting = [];
      for (const each of waiting) this.#port.lost(each, entry.id, 'its owner has died');
    }
    this.#tellThoseTooEarly(party);
  }

  /** Of ids whose promotion will never come. */
  #tellThoseTooEarly(owner: string): void {
    for (const [id, waiting] of this.#earlyWaiting) {
      if (ownerKeyOf(id) !== owner) continue;
      this.#earlyWaiting.delete(id);
      for (const each of waiting) this.#port.lost(each, id, 'its owner has died');
    }
  }

  /**
   * A party is gone, and all that it had sent has been worked in by everybody. It holds nothing any more, and what it
   * owned is lost to those who hold it: an object shares its owner's fate.
   */
  partyDied(party: string): void {
    this.#dead.set(placeOf(party), incarnationOf(party));
    this.#dying.delete(party);
    this.#newest.delete(party);
    for (const [id, holders] of this.#early) {
      this.#strike(holders, party);
      if (holders.size === 0 || ownerKeyOf(id) === party) this.#early.delete(id);
    }
    for (const id of this.#earlyObserved) if (ownerKeyOf(id) === party) this.#earlyObserved.delete(id);
    this.#tellThoseTooEarly(party);
    for (const entry of [...this.#entries.values()]) {
      if (entry.owner === party) this.#ownerDied(entry);
      else {
        this.#strike(entry.holders, party);
        entry.waiting = entry.waiting.filter((each) => each !== party);
        this.#freeIfUnheld(entry);
      }
    }
    if (this.#dying.size > 0) return;
    const unheld = [...this.#unheld];
    this.#unheld.clear();
    for (const entry of unheld) this.#freeIfUnheld(entry);
  }

  #ownerDied(entry: Entry<P>): void {
    this.#strike(entry.holders, entry.owner);
    entry.lost = true;
    if (entry.settled !== null) {
      this.#freeIfUnheld(entry);
      return;
    }
    this.#entries.delete(entry.id);
    for (const party of entry.waiting) this.#port.lost(party, entry.id, 'its owner has died');
  }

  /** The parties (address keys) that hold an object themselves. */
  holders(id: string): string[] {
    const holders = this.#entries.get(id)?.holders ?? NOBODY;
    return [...new Set([...holders.keys()].flatMap((holder) => partyOf(holder) ?? []))];
  }

  /**
   * Failures that nobody has looked at, and whose owners have let go of them: those who still hold them have not asked.
   * Without those of `party`.
   */
  unobserved(party: string): { id: string; payload: P; references: number }[] {
    const found: { id: string; payload: P; references: number }[] = [];
    for (const { id, owner, holders, settled, observed } of this.#entries.values()) {
      if (settled === null || !settled.failed || observed || owner === party || holders.has(owner)) continue;
      found.push({ id, payload: settled.payload, references: settled.inner.length });
    }
    return found;
  }

  /** Who holds what, for people and tests. `payload` is undefined of what has no value yet. */
  entries(): {
    id: string;
    owner: string;
    settled: boolean;
    holders: Record<string, number>;
    payload: P | undefined;
  }[] {
    return [...this.#entries.values()].map((e) => ({
      id: e.id,
      owner: e.owner,
      settled: e.settled !== null,
      holders: Object.fromEntries(e.holders),
      payload: e.settled?.payload,
    }));
  }
}

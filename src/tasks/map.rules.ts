import { Deque } from '../base/index.ts';

/** One item of a map, from the moment it is pulled until its outcome is taken. */
export interface Slot<O> {
  outcome: O | undefined;
}

/**
 * What a map has in hand: the items under way and the outcomes that nobody has taken yet, `inFlight` of both together at
 * most. It knows no promises: its host tells what happened, and asks what to do.
 *
 * An item is wanted only while somebody waits for an outcome, so that a source may depend on the outcomes before it.
 */
export class MapWindow<O> {
  readonly #inFlight: number;
  readonly #ordered: boolean;
  /** Slots in the order of the items, or of their ends. */
  readonly #line = new Deque<Slot<O>>();
  #size = 0;
  #pulling = false;
  #exhausted = false;

  constructor(inFlight: number, ordered: boolean) {
    this.#inFlight = inFlight;
    this.#ordered = ordered;
  }

  /** Whether the source is to be asked for an item, given that somebody waits for an outcome. */
  get wantsItem(): boolean {
    return !this.#exhausted && !this.#pulling && this.#size < this.#inFlight;
  }

  /** No outcome is there or will come. */
  get done(): boolean {
    return this.#exhausted && this.#size === 0;
  }

  /** The source is being asked for an item. */
  pull(): void {
    this.#pulling = true;
  }

  /** It has given one. */
  item(): Slot<O> {
    this.#pulling = false;
    this.#size++;
    const slot: Slot<O> = { outcome: undefined };
    if (this.#ordered) this.#line.push(slot);
    return slot;
  }

  /** The source is at its end, has failed, or is not to be asked again. */
  exhaust(): void {
    this.#pulling = false;
    this.#exhausted = true;
  }

  /** The call of an item has ended. */
  settle(slot: Slot<O>, outcome: O): void {
    slot.outcome = outcome;
    if (!this.#ordered) this.#line.push(slot);
  }

  /** The outcome whose turn it is, if it is there. */
  take(): O | undefined {
    const outcome = this.#line.peek()?.outcome;
    if (outcome === undefined) return undefined;
    this.#line.shift();
    this.#size--;
    return outcome;
  }
}

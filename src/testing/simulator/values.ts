import type { Cell } from '../../protocol/index.ts';
import { Reference, type Value } from './program.ts';

/** Something went otherwise than the rules promise. The simulation ends with it. */
export class Violation extends Error {}

export type FailureKind = 'program' | 'cancelled' | 'worker-died' | 'lost' | 'unschedulable';

/** A task for which there was no worker, because all of them waited. */
export const STANDSTILL = 'standstill';

export function isStandstill(reason: string): boolean {
  return reason.includes('nothing has moved');
}

/** What the simulated host has for an error. The same object travels, so dependents have the same root cause. */
export class Failure {
  readonly kind: FailureKind;
  readonly identity: string;
  constructor(kind: FailureKind, identity: string) {
    this.kind = kind;
    this.identity = identity;
  }
  toString(): string {
    return `${this.kind}(${this.identity})`;
  }
}

/** A large value in shared memory, and who keeps it there. */
export class SharedObject {
  static readonly CONTROL = {};
  readonly name: string;
  readonly #pins = new Map<object, number>();
  total = 0;
  /** Gone by injected failure. */
  lost = false;

  constructor(name: string) {
    this.name = name;
  }

  pin(who: object): void {
    if (this.lost) return;
    this.#pins.set(who, (this.#pins.get(who) ?? 0) + 1);
    this.total++;
  }

  unpin(who: object): void {
    if (this.lost) return;
    const count = this.#pins.get(who) ?? 0;
    if (count === 0) throw new Violation(`${this.name} is unpinned by one who had not pinned it`);
    this.#pins.set(who, count - 1);
    this.total--;
  }

  /** A dead party's pins go. */
  forget(who: object): void {
    if (this.lost) return;
    this.total -= this.#pins.get(who) ?? 0;
    this.#pins.delete(who);
  }

  /** Takes the value away from all who have it. */
  lose(): void {
    this.lost = true;
    this.total = 0;
  }

  /** It goes from hand to hand: whoever wants to read it finds out whether it is lost. */
  use(where: string): void {
    if (!this.lost && this.total <= 0) throw new Violation(`${this.name} is used after it was freed: ${where}`);
  }
}

/** The place of a reference inside a value. */
export class Slot {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

export type Wire = number | readonly Wire[] | Slot;

/** The host's form of a value: the same on a link and in a cell. */
export interface Payload {
  readonly wire: Wire;
  readonly object: SharedObject | null;
  readonly failure: Failure | null;
}

/** What a failed cell keeps: a failure that was made here, or one that came with what is in its fields. */
export function failureOf(cell: Cell): Failure {
  return cell.value instanceof Failure ? cell.value : ((cell.value as Payload).failure as Failure);
}

/** A failure as a program catches it, with handles of its own for what is inside. */
export class Raised {
  readonly failure: Failure;
  readonly carried: Value<Handle>;
  readonly large: boolean;
  constructor(failure: Failure, carried: Value<Handle>, large: boolean) {
    this.failure = failure;
    this.carried = carried;
    this.large = large;
  }
}

/** A user's handle on a cell. */
export class Handle {
  readonly cell: Cell;
  released = false;
  constructor(cell: Cell) {
    this.cell = cell;
  }
}

/** The wire form of a user's value, and the cells of the references in it. */
export function toWire(value: Value<Handle>, cells: Cell[]): Wire {
  if (typeof value === 'number') return value;
  if (value instanceof Reference) {
    if (value.it.released) throw new Violation('the program uses a handle that it has released');
    cells.push(value.it.cell);
    return new Slot(cells.length - 1);
  }
  return value.map((each) => toWire(each, cells));
}

export function fromWire(wire: Wire, handle: (index: number) => Reference<Handle>): Value<Handle> {
  if (typeof wire === 'number') return wire;
  return wire instanceof Slot ? handle(wire.index) : wire.map((each) => fromWire(each, handle));
}

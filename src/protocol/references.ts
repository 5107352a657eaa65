import { Cell, FAILED, FREED, NO_CELLS, PENDING, READY, type Waiter } from './cell.ts';
import { type Address, addressKey, makeId, ownerOf, placeKey } from './ids.ts';
import { describeLoss, type Lineage, type Loss } from './lineage.ts';
import type { SettledValue, ToControl } from './messages.ts';
import type { TaskRecord } from './task-record.ts';

/** What the reference rules need from their host. */
export interface ReferencesPort<P> {
  control(message: ToControl<P>): void;
  /** The host's form of a cell's value, for the wire. */
  encode(cell: Cell): P;
  /** Takes a value from the wire into the cell (its `value` and `pinned`). */
  decode(cell: Cell, payload: P): void;
  /** The cell's value, a failure or not, is let go. */
  free(cell: Cell, failed: boolean): void;
  /** The host's error for an object that can't be had; `of`: an own one, whose value is lost. */
  lostError(id: string, reason: string, of?: { readonly cell: Cell; readonly why: Loss }): unknown;
  /** Who has that number now. */
  addressOf(party: number): Address;
}

/** What the task rules use of the reference rules. */
export interface Holder {
  hold(cell: Cell): void;
  drop(cell: Cell): void;
  revive(cell: Cell): void;
  need(cell: Cell): void;
  promote(cell: Cell): string;
  grant(cell: Cell, to: number): boolean;
  kept(lent: readonly Cell[], caller: number): string[];
}

/**
 * One party's references: its own, and those it borrows.
 *
 * Whoever passes a reference on counts the receiver in, on its own link to the directory and so before its own removal:
 * nothing depends on the order of messages on different links.
 *
 * - *lent* (in the arguments of a task): the caller holds it until the reply. Passing down costs no message. What the
 *   executor still holds then is named in the reply, and the caller adds the executor before it lets go of its own hold.
 * - *granted* (inside a result): the executor adds the caller before it lets go of its own hold.
 * - *served* (inside a value that the directory hands out): the directory adds the receiver itself.
 *
 * One who was lent a reference and counts others in without being counted itself holds it until it is: its lender's removal
 * could overtake the addition otherwise.
 *
 * The owner is counted like any other party, from the moment its reference escapes. Each addition is given back by
 * exactly one removal of the party it was made for. The two travel on different links and may come in either order, so
 * the table counts with signs.
 *
 * A party may die between an addition and the message that tells the receiver of it, or the other way round. So
 * each addition carries the name of who made it, its *sponsor*. When a party dies, those whom it had sponsored add
 * themselves before they say `buried`; then the directory strikes out all that the dead one had sponsored or held,
 * whatever the signs.
 */
export class References<P> implements Holder {
  readonly self: Address;
  readonly #port: ReferencesPort<P>;
  readonly owned = new Map<string, Cell>();
  readonly borrowed = new Map<string, Cell>();
  /** Told of the results of kept tasks that nobody holds any more. */
  lineage: Lineage | null = null;
  /** Told of the tasks of streams that nobody will read any further, and of those of actors that nobody can call any more. */
  abandoned: ((task: TaskRecord) => void) | null = null;
  #sequence = 0;

  constructor(self: Address, port: ReferencesPort<P>) {
    this.self = self;
    this.#port = port;
  }

  hold(cell: Cell): void {
    cell.holds++;
  }

  drop(cell: Cell): void {
    if (--cell.holds > 0) return;
    if (cell.id !== null) {
      if (cell.credits > 0) this.#giveBack(cell);
      // An own one is kept until the directory says that nobody else holds it either.
      if (cell.owner === null) return;
      this.borrowed.delete(cell.id);
      this.#free(cell);
    } else if (cell.state !== PENDING) {
      this.#free(cell);
    } else if (cell.alias !== null) {
      this.#free(cell);
    } else if (cell.task !== null && (cell.task.stream !== null || cell.task.resident)) {
      this.abandoned?.(cell.task);
    }
    // Any other pending private cell is freed when its task ends and finds no holds.
  }

  #giveBack(cell: Cell): void {
    const { credits, sponsored, sponsor } = cell;
    const id = cell.id as string;
    cell.credits = 0;
    cell.sponsored = 0;
    const remove = (count: number, by: string | null): void =>
      this.#port.control({ type: 'remove', id, count, by, ...(cell.observed ? { observed: true } : {}) });
    if (sponsored > 0) remove(sponsored, this.#placeOf(sponsor));
    if (credits > sponsored) remove(credits - sponsored, null);
  }

  #placeOf(party: number): string {
    return placeKey(this.#port.addressOf(party));
  }

  #free(cell: Cell): void {
    const { inner } = cell;
    const { state } = cell;
    cell.state = FREED;
    if (state === READY || state === FAILED) this.#port.free(cell, state === FAILED);
    cell.value = undefined;
    cell.inner = NO_CELLS;
    for (const each of inner) this.drop(each);
    if (cell.alias !== null) {
      const alias = cell.alias;
      cell.alias = null;
      this.drop(alias);
    }
    const { task } = cell;
    if (task === null) return;
    if (task.kept !== null) this.lineage?.released(task);
    task.stream?.close((each) => this.drop(each));
  }

  /** The global id of a cell; an own one becomes known to the directory with it. */
  promote(cell: Cell): string {
    if (cell.id !== null) return cell.id;
    // What is inside first: the directory relies on promotions coming in the order of their numbers.
    const settled = cell.settled ? this.#settled(cell) : null;
    const id = makeId(this.self, ++this.#sequence);
    cell.id = id;
    cell.credits = 1;
    this.owned.set(id, cell);
    this.#port.control({ type: 'promote', id, settled });
    if (cell.alias !== null) this.need(cell.alias);
    return id;
  }

  #settled(cell: Cell): SettledValue<P> {
    return {
      failed: cell.state === FAILED,
      payload: this.#port.encode(cell),
      inner: cell.inner.map((each) => this.promote(each)),
    };
  }

  /**
   * An own cell gets its value; `inner` are the references inside, one hold each already taken for the cell. A cell
   * that nobody holds any more lets it go at once.
   */
  settle(cell: Cell, failed: boolean, value: unknown, pinned: boolean, inner: readonly Cell[]): void {
    if (cell.state !== PENDING) {
      // Settled already (cancelled while its reply was on the way) or freed: what came is let go.
      const late = new Cell();
      late.state = READY;
      late.value = value;
      late.pinned = pinned;
      late.inner = inner;
      this.#free(late);
      return;
    }
    cell.state = failed ? FAILED : READY;
    cell.value = value;
    cell.pinned = pinned;
    cell.inner = inner;
    const { alias } = cell;
    if (alias !== null) {
      cell.alias = null;
      this.drop(alias);
    }
    if (cell.id !== null && cell.owner === null) {
      this.#port.control({ type: 'settle', id: cell.id, settled: this.#settled(cell) });
    }
    notify(cell);
    if (cell.holds <= 0 && cell.id === null && cell.settled) this.#free(cell);
  }

  /** The result of `cell` is what `target` will be; the hold on `target` is already taken for the cell. */
  delegate(cell: Cell, target: Cell): void {
    // Pending with an alias: its task ran again for the sake of another result.
    if (cell.state !== PENDING || cell.alias !== null) {
      this.drop(target);
      return;
    }
    // Whoever says that nobody need look at the one means the other.
    if (cell.observed) target.observed = true;
    if (target.settled) {
      this.#copy(cell, target);
      return;
    }
    cell.alias = target;
    if (cell.holds <= 0 && cell.id === null) {
      cell.alias = null;
      cell.state = FREED;
      this.drop(target);
      return;
    }
    target.addWaiter(new Follower(this, cell));
    // Somebody may be waiting already, here or at the directory, which can't ask for what it does not know.
    if (cell.waiters !== null || cell.id !== null) this.need(target);
  }

  /** @internal */
  follow(cell: Cell, target: Cell): void {
    if (cell.alias === target) this.#copy(cell, target);
  }

  #copy(cell: Cell, target: Cell): void {
    cell.alias = null;
    this.settleLike(cell, target);
    this.drop(target);
  }

  /** An own cell gets what another one has. */
  settleLike(cell: Cell, other: Cell): void {
    // Through the wire form, so that both cells pin what they keep by themselves.
    const own = new Cell();
    this.#port.decode(own, this.#port.encode(other));
    for (const each of other.inner) this.hold(each);
    // A failure is from now on that of the cell, which is looked at or not.
    if (other.state === FAILED) other.observed = true;
    this.settle(cell, other.state === FAILED, own.value, own.pinned, other.inner);
  }

  /** Somebody here wants the value: a borrowed one is asked for, once. */
  need(cell: Cell): void {
    for (let c: Cell | null = cell; c !== null; c = c.alias) {
      if (c.state !== PENDING) return;
      if (c.owner !== null && !c.asked) {
        c.asked = true;
        this.#port.control({ type: 'resolve', id: c.id as string });
      }
    }
  }

  /** The cell for an id that arrived in a message. The caller holds it at once. */
  adopt(id: string): Cell {
    const known = this.owned.get(id) ?? this.borrowed.get(id);
    if (known !== undefined) return known;
    const cell = new Cell();
    cell.id = id;
    cell.owner = ownerOf(id);
    cell.holds = 0;
    this.borrowed.set(id, cell);
    return cell;
  }

  /**
   * Counts `to` in for a reference that goes to it inside a result. True when that is this party itself, which has to
   * hold the reference until the result has arrived.
   */
  grant(cell: Cell, to: number): boolean {
    this.promote(cell);
    if (to === this.self.party) return true;
    this.#add(cell, addressKey(this.#port.addressOf(to)));
    return false;
  }

  /**
   * Counts somebody else in. One who was lent the reference must not let go before it is counted itself, or its lender's
   * removal could overtake this addition, which goes another way.
   */
  #add(cell: Cell, party: string): void {
    this.#port.control({ type: 'add', id: cell.id as string, party, by: placeKey(this.self) });
    if (cell.credits > 0 || cell.sponsoring) return;
    cell.sponsoring = true;
    cell.holds++;
  }

  /** It is counted now: what `#add` held it for is over. */
  #counted(cell: Cell): void {
    if (!cell.sponsoring) return;
    cell.sponsoring = false;
    this.drop(cell);
  }

  /**
   * A reference inside a result, for which the party numbered `by` has counted this one in: it is adopted, and held once
   * for whoever contains it.
   */
  granted(id: string, by: number): Cell {
    const cell = this.adopt(id);
    const known = cell.holds++ > 0;
    if (by === this.self.party) return cell;
    const again = cell.sponsored > 0 && cell.sponsor === by;
    if (again || (!known && cell.credits === 0)) {
      // Another one of the same sponsor is kept to the end: given back at once, it could overtake the addition and
      // cancel the one before it.
      cell.credits++;
      cell.sponsored++;
      cell.sponsor = by;
    } else {
      // Counted already, or lent: then its lender answers for it, and the one that granted it may be lent it from here.
      this.#port.control({ type: 'remove', id, count: 1, by: this.#placeOf(by) });
    }
    return cell;
  }

  /** A reference that the directory has given, alone or inside a value: it has counted this party already. Held once. */
  served(id: string): Cell {
    const cell = this.adopt(id);
    cell.holds++;
    cell.credits++;
    this.#counted(cell);
    return cell;
  }

  /**
   * The end of a task that was the first to bring these references here: the ids of those that this party keeps although
   * the owner does not know it. The reply names them, and `caller` will add this party.
   */
  kept(lent: readonly Cell[], caller: number): string[] {
    const ids: string[] = [];
    // What was lent to this party by itself has another lender, who will hear of it.
    if (caller === this.self.party) return ids;
    for (const cell of lent) {
      if (cell.holds > 0 && cell.credits === 0 && cell.id !== null) {
        cell.credits = 1;
        cell.sponsored = 1;
        cell.sponsor = caller;
        ids.push(cell.id);
        this.#counted(cell);
      }
    }
    return ids;
  }

  /** The reply of `worker` says that it keeps these references. Must come before the task's holds are dropped. */
  keptBy(worker: Address, ids: readonly string[]): void {
    const party = addressKey(worker);
    for (const id of ids) {
      const cell = this.owned.get(id) ?? this.borrowed.get(id);
      if (cell !== undefined) this.#add(cell, party);
    }
  }

  /**
   * A party has died, and all that it had sent here has been worked in. What it was to count this party in for, and
   * perhaps did not, and what it may have lent, this party now counts itself in for. Must come before `buried`.
   */
  partyDied(party: number): void {
    for (const cells of [this.owned, this.borrowed]) {
      for (const [id, cell] of cells) {
        if (cell.sponsored > 0 && cell.sponsor === party) {
          cell.credits -= cell.sponsored;
          cell.sponsored = 0;
        } else if (cell.credits > 0 || cell.holds === 0) continue;
        cell.credits++;
        this.#port.control({ type: 'add', id, party: addressKey(this.self), by: null });
        this.#counted(cell);
      }
    }
  }

  /**
   * A lent reference came together with its value, which saves asking for it. `inner`, the references inside, are lent with it;
   * one hold on each is already taken for the cell.
   */
  lentWith(cell: Cell, payload: P, inner: readonly Cell[]): void {
    if (cell.owner === null || cell.state !== PENDING) {
      for (const each of inner) this.drop(each);
      return;
    }
    cell.state = READY;
    this.#port.decode(cell, payload);
    cell.inner = inner;
    notify(cell);
  }

  resolved(id: string, settled: SettledValue<P>): void {
    const inner = settled.inner.length === 0 ? NO_CELLS : settled.inner.map((each) => this.served(each));
    const cell = this.borrowed.get(id);
    if (cell === undefined || cell.state !== PENDING) {
      for (const each of inner) this.drop(each);
      return;
    }
    cell.state = settled.failed ? FAILED : READY;
    this.#port.decode(cell, settled.payload);
    cell.inner = inner;
    notify(cell);
  }

  /**
   * The value of a cell is gone, and the host has let go of what it had of it. An own one will be settled again; a
   * borrowed one is asked for anew once somebody needs it.
   */
  unsettle(cell: Cell): void {
    const { inner } = cell;
    if (cell.id !== null && cell.owner === null) this.#port.control({ type: 'unsettle', id: cell.id });
    cell.state = PENDING;
    cell.value = undefined;
    cell.pinned = false;
    cell.inner = NO_CELLS;
    cell.asked = false;
    for (const each of inner) this.drop(each);
  }

  /**
   * A task that runs again is about to hold a cell that perhaps nobody has held for a while. Its entry at the directory may be
   * gone by now: a settled one begins anew, as a private cell; of a pending one the directory hears that it is held.
   */
  revive(cell: Cell): void {
    if (cell.owner !== null || cell.id === null || cell.holds > 0 || cell.credits > 0) return;
    if (cell.state === PENDING) {
      cell.credits = 1;
      this.#port.control({ type: 'add', id: cell.id, party: addressKey(this.self), by: null });
    } else {
      this.owned.delete(cell.id);
      cell.id = null;
    }
  }

  /** Somebody wants the value of an object of this party, which knows of it no longer. */
  disown(id: string): void {
    const own = new Cell();
    own.value = this.#port.lostError(id, FORGOTTEN);
    own.state = FAILED;
    const settled = { failed: true, payload: this.#port.encode(own), inner: [] };
    this.#port.control({ type: 'settle', id, settled });
  }

  /** A cell that has no value will not get one. */
  fail(cell: Cell, why: Loss): void {
    const error = this.#port.lostError(cell.id ?? 'a reference that has not left its owner', describeLoss(why), {
      cell,
      why,
    });
    this.settle(cell, true, error, false, NO_CELLS);
  }

  lost(id: string, reason: string): void {
    const cell = this.borrowed.get(id);
    if (cell === undefined || cell.state !== PENDING) return;
    cell.state = FAILED;
    cell.value = this.#port.lostError(id, reason);
    notify(cell);
  }

  /** The directory has let go of an own object; `observed`: others have looked at it. */
  freed(id: string, observed: boolean): void {
    const cell = this.owned.get(id);
    if (cell === undefined) return;
    if (observed) cell.observed = true;
    this.owned.delete(id);
    cell.id = null;
    cell.credits = 0;
    cell.sponsored = 0;
    if (cell.holds > 0) return;
    // Still running: what it returns is let go when it comes.
    if (cell.state !== PENDING || cell.alias !== null) this.#free(cell);
    else if (cell.task?.resident) this.abandoned?.(cell.task);
  }
}

const FORGOTTEN = 'every copy of it is lost, and its owner has let go of how to make it again';

class Follower<P> implements Waiter {
  readonly #references: References<P>;
  readonly #cell: Cell;

  constructor(references: References<P>, cell: Cell) {
    this.#references = references;
    this.#cell = cell;
  }

  cellSettled(target: Cell): void {
    this.#references.follow(this.#cell, target);
  }
}

/** Tells those who wait, each once, in the order of asking. */
function notify(cell: Cell): void {
  const waiters = cell.waiters;
  if (waiters === null) return;
  cell.waiters = null;
  if (!Array.isArray(waiters)) waiters.cellSettled(cell);
  else for (const waiter of waiters) waiter.cellSettled(cell);
}

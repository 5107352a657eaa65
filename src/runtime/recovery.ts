import { type Bytes, bytes, ObjectLostError, OwnerDiedError } from '../base/index.ts';
import { type Cell, type Loss, OWNER_LIMITS, type TaskRecord } from '../protocol/index.ts';
import { Call } from './call.ts';
import { Regathering } from './gathering.ts';
import type { PartyHost } from './party-host.ts';

/** What a record of a finished call takes, besides its arguments. */
const RECORD_BYTES = 512;

/** How many bytes of lineage a party may keep: what the environment says, and never more than its store has. */
export function lineageBudget(storeBytes: number): number {
  const text = process.env.SHEAF_LINEAGE_MEMORY;
  if (!text) return Math.min(OWNER_LIMITS.lineage, storeBytes);
  return bytes(/^\d+$/.test(text) ? Number(text) : (text as Bytes), 'SHEAF_LINEAGE_MEMORY');
}

/**
 * What a party does about values whose bytes are gone: a file of spilled values that was damaged, or what a test takes away. The
 * rules are the protocol's (`Lineage`); here is what they ask of a host.
 */
export class Recovery {
  readonly #host: PartyHost;
  /** Where the bytes of lost values were, for the message. */
  readonly #files = new WeakMap<Cell, string>();
  /** Put values whose memory is counted in the record of the first task that keeps them. */
  readonly #counted = new WeakSet<Cell>();

  constructor(host: PartyHost) {
    this.#host = host;
  }

  isLost(cell: Cell): boolean {
    if (!cell.pinned) return false;
    const { values } = this.#host;
    const slot = values.lostSlot(cell.value);
    if (slot === undefined) return false;
    const file = values.store.fileOf(slot);
    if (file !== undefined) this.#files.set(cell, file);
    return true;
  }

  /** Of a value that was found to be gone: it is made again, or fails, and can be waited for; false when it is there. */
  recover(cell: Cell): boolean {
    const host = this.#host;
    if (host.closed || !cell.settled || !this.isLost(cell)) return false;
    host.party.lost(cell);
    host.settleUp();
    host.reactor.kick();
    return true;
  }

  /**
   * What keeping a finished call takes of the budget: its record, and the shared memory that its arguments have only for its
   * sake. Where values can't leave memory none is lost, and nothing is kept.
   */
  recordSize(call: Call): number {
    const { values, store } = this.#host;
    // What an actor gives depends on what it has become; another call of it would change that.
    if (!store.room.spills || call.plan.actor !== null || call.resident) return Number.POSITIVE_INFINITY;
    let size = RECORD_BYTES + call.length;
    if (call.shared !== null) size += values.sharedBytes(call.shared);
    for (const cell of call.uses) {
      size += 32;
      if (cell.task?.kept) continue;
      if (!cell.pinned || this.#counted.has(cell)) continue;
      this.#counted.add(cell);
      size += values.sharedBytes(cell.value);
    }
    call.keepBytes();
    return size;
  }

  remaking(task: TaskRecord): boolean {
    if (task instanceof Regathering) {
      task.again();
      return true;
    }
    const call = task as Call;
    const { counters } = this.#host;
    call.submittedAt = 0;
    call.plan.pending++;
    counters.finished--;
    this.#host.retrying(call, true, 'its result was lost');
    return false;
  }

  forgotten(task: TaskRecord): void {
    if (!(task instanceof Call)) return;
    const call = task;
    const { shared } = call;
    // One that runs again needs its arguments until it has ended.
    if (shared === null || call.submittedAt >= 0) return;
    call.shared = null;
    this.#host.values.unpin(shared);
  }

  error(id: string, reason: string, of: { readonly cell: Cell; readonly why: Loss } | undefined): unknown {
    if (reason.includes('owner has died')) {
      return new OwnerDiedError(
        `the object ${id} is gone: ${reason}, and only its owner could make it again; run the task that made it from a ` +
          'process that lives as long as the value is needed',
        { details: { id } },
      );
    }
    const why = of === undefined ? {} : { why: of.why };
    const file = of === undefined ? undefined : this.#files.get(of.cell);
    if (file === undefined)
      return new ObjectLostError(`the object ${id} is gone: ${reason}`, { details: { id, ...why } });
    const { folder } = this.#host.store.room;
    return new ObjectLostError(
      `the object ${id} is gone: ${reason}. It had been written to disk to save memory and can't be read back from ${file}: leave ` +
        `the files in ${folder} alone while the session runs, or name a folder on another disk with connect({ spill })`,
      { code: 'ERR_SHEAF_SPILL_UNREADABLE', details: { id, ...why, file, folder } },
    );
  }
}

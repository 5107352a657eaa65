import type { TaskRecord } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { sharedNow } from './clock.ts';
import { timedOut } from './deadlines.ts';
import { SHORT_OF_MEMORY } from './endings.ts';
import type { PartyHost } from './party-host.ts';

/** What a party finds out about a worker that has died: which of its tasks had begun there, and which was on the stack. */
export class Deaths {
  readonly #host: PartyHost;
  /** While a death is taken in: what the control thread said of it. */
  #reason = '';

  constructor(host: PartyHost) {
    this.#host = host;
  }

  /** Takes a death in, of which the control thread said `reason`. */
  during(reason: string, takeIn: () => void): void {
    this.#reason = reason;
    takeIn();
    this.#reason = '';
  }

  /** Whether a worker has begun a call: an actor there may have taken it out of its ring for later. */
  begun(worker: number, { ticket, slot }: TaskRecord): boolean {
    const { reactor, block, self } = this.#host;
    return reactor.taskWriter(worker).claimed(ticket) && !block.kept(self.party, slot);
  }

  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean } {
    const { block, self } = this.#host;
    const started = (each: TaskRecord): boolean => this.begun(worker, each);
    const timeout = this.#reason.startsWith('timeout: ');
    if (timeout) this.#timedOut(worker);
    // A worker that was ended on purpose did nothing wrong by itself; one that was too large may not be so the next time.
    if (timeout || this.#reason.startsWith(SHORT_OF_MEMORY) || this.#reason.startsWith('ended: '))
      return { guilty: -1, started };
    return { guilty: block.currentSlot(worker, self.party), started };
  }

  /**
   * A worker was ended because of a run that gave its event loop no turn. Shared memory still names it, unless it came to its
   * end at that very moment: then nobody is to blame.
   */
  #timedOut(worker: number): void {
    const { block, self, party } = this.#host;
    const run = block.overdue(worker, sharedNow());
    if (run === undefined || run.caller !== self.party) return;
    const call = party.owner.inFlight[run.slot] as Call | null | undefined;
    if (call === null || call === undefined || call.lease?.worker !== worker) return;
    if (call.runName.sequence !== run.sequence || call.runName.attempt !== run.attempt) return;
    call.cancelled ??= timedOut(
      call.name,
      call.plan.timeout,
      call.plan.actor === null
        ? ', without giving the event loop a turn; its worker was ended and other tasks on it run again'
        : ', without giving the event loop a turn; its worker was ended, and the actor with it',
    );
  }
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Run } from '../protocol/index.ts';
import { sharedTicks } from './clock.ts';
import { Deadlines } from './deadlines.ts';
import type { Execution } from './execution.ts';
import type { PartyHost } from './party-host.ts';

/** Which of a worker's runs the code on the stack belongs to, and which of them wait. */
export abstract class Stage {
  readonly #host: PartyHost;
  protected readonly deadlines: Deadlines;
  readonly #storage = new AsyncLocalStorage<Execution>();
  /** The synchronous run on the stack. */
  protected top: Execution | undefined = undefined;
  /** The run that shared memory names as the one on the stack, so that a crash is charged to it. */
  #shown: Execution | undefined = undefined;
  #leaving = false;

  constructor(host: PartyHost) {
    this.#host = host;
    this.deadlines = new Deadlines(host.block, host.self.party, (run) => this.expire(run));
  }

  /** The time of a run is up, and its event loop is free. */
  protected abstract expire(run: Execution): void;

  /** The run that the calling code belongs to. */
  current(): Execution | undefined {
    return this.top ?? this.#storage.getStore();
  }

  /** Calls `fn` as code of `run`. */
  within<T>(run: Run, fn: () => T): T {
    const before = this.top;
    this.top = run as Execution;
    try {
      return fn();
    } finally {
      this.top = before;
    }
  }

  /** The same for code that goes on after it has waited. */
  inContext<A extends unknown[], T>(run: Execution, fn: (...args: A) => T, ...args: A): T {
    return this.#storage.run(run, fn, ...args);
  }

  /**
   * The run waits for something: it gives up its place. It is on the stack all the same until the code that began to wait
   * has come to its end, which is when the microtasks have their turn.
   */
  suspend(run: Execution): void {
    // One that was cancelled and goes on has given up its place already.
    if (run.over) return;
    this.#host.party.executor.suspend(run);
    if (run.suspended === 1) {
      this.waits(run, 1);
      this.#host.recorder?.suspended(run);
    }
    if (this.#leaving) return;
    this.#leaving = true;
    queueMicrotask(this.#left);
  }

  readonly #left = (): void => {
    this.#leaving = false;
    if (this.#shown !== undefined && this.#shown.suspended > 0) this.showPlaced();
    this.deadlines.show();
  };

  /** A wait of the run is over: it goes on, and holds the place again. */
  resume(run: Execution): void {
    if (run.over) return;
    const { executor } = this.#host.party;
    executor.resume(run);
    if (run.suspended > 0) return;
    this.waits(run, -1);
    this.#host.recorder?.resumed(run);
    this.show(run);
    if (executor.running > 1) this.deadlines.enter(run);
    this.deadlines.show();
    this.tellOccupancy(false);
  }

  protected waits({ admitted }: Execution, sign: 1 | -1): void {
    if (admitted > 0 && this.#host.store.usable) this.#host.store.admission.waits(admitted, sign);
  }

  protected show(run: Execution): void {
    this.#shown = run;
    const { block, self } = this.#host;
    block.setCurrent(self.party, run.caller, run.slot, run.sequence, sharedTicks(run.begun));
  }

  /** The run that was shown is not on the stack any more: one that holds the place may be. */
  protected showPlaced(): void {
    const placed = this.#host.party.executor.placed as Execution | undefined;
    if (placed !== undefined) {
      this.show(placed);
      return;
    }
    this.#shown = undefined;
    this.#host.block.clearCurrent(this.#host.self.party);
  }

  /** The run is over. */
  protected hide(run: Execution): void {
    if (this.#shown === run) this.showPlaced();
  }

  /** Tells the control thread, where it has changed, how much of this worker is in use. */
  protected tellOccupancy(idle: boolean): void {
    const occupancy = this.#host.party.executor.occupancy(idle);
    if (occupancy !== undefined) this.#host.control({ type: 'blocked', ...occupancy });
  }
}

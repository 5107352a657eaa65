import { UsageError } from '../base/index.ts';
import { EarlyCredits, Outflow, type StreamStart } from '../protocol/index.ts';
import type { Execution } from './execution.ts';
import type { AnyFunction } from './loaded.ts';

/** A generator is not kept going for longer than this without a look at what others say: milliseconds, and items. */
const SLICE_MS = 1;
const SLICE_ITEMS = 64;

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** What gives the items of one run of a stream's task. */
export class Production {
  readonly iterator: AnyIterator;
  readonly asynchronous: boolean;
  readonly outflow: Outflow;
  /** It waits for its consumer, and has given up the worker's place. */
  paused = false;
  /** Its generator has been asked for an item and has not answered. */
  asked = false;
  /** It has said that there is no more, or is not wanted any more. */
  over = false;
  /** Items since the event loop last had a turn. */
  streak = 0;

  constructor(iterator: AnyIterator, asynchronous: boolean, outflow: Outflow) {
    this.iterator = iterator;
    this.asynchronous = asynchronous;
    this.outflow = outflow;
  }
}

/** What producers need of those who run the tasks. */
interface Runs {
  /** Calls `fn` as code of the run. */
  inContext<T>(run: Execution, fn: () => T): T;
  suspend(run: Execution): void;
  resume(run: Execution): void;
  end(run: Execution, failed: boolean, result: unknown): void;
  /** The generator of a run that is over has come to its end; for those with actors, whose methods keep their place till then. */
  left?(run: Execution): void;
}

/** Where the items go. */
interface ItemSink {
  /** Sends an item; returns how many bytes it takes. */
  send(run: Execution, index: number, value: unknown): number;
}

/** The streams that run on this worker: each goes on while its consumer has room for more, and gives up its place otherwise. */
export class Producers {
  readonly #runs: Runs;
  readonly #sender: ItemSink;
  readonly #kick: () => void;
  readonly #early = new EarlyCredits();
  /** Those that may go on. */
  readonly #ready: Execution[] = [];

  /** `kick`: says that there is something to do. */
  constructor(runs: Runs, sender: ItemSink, kick: () => void) {
    this.#runs = runs;
    this.#sender = sender;
    this.#kick = kick;
  }

  begin(run: Execution, start: StreamStart, fn: AnyFunction, args: unknown[]): void {
    const outflow = new Outflow(start);
    const early = this.#early.claim(run.caller, run.slot, run.sequence);
    if (early !== undefined) outflow.more(early);
    this.#runs.inContext(run, () => {
      let production: Production;
      try {
        const [iterator, asynchronous] = opened(fn(...args), run.name);
        production = new Production(iterator, asynchronous, outflow);
      } catch (error) {
        this.#runs.end(run, true, error);
        return;
      }
      run.production = production;
      if (run.over) this.close(run, production);
      else this.#go(run, production);
    });
  }

  /** The consumer has taken so many items; `run` is undefined while the call that this is for has not begun. */
  more(run: Execution | undefined, caller: number, slot: number, sequence: number, taken: number): void {
    const production = run?.production;
    if (run === undefined || production === null || production === undefined) {
      this.#early.keep(caller, slot, sequence, taken);
      return;
    }
    const { outflow } = production;
    outflow.more(taken);
    if (!production.paused || !outflow.open || run.over) return;
    production.paused = false;
    this.#runs.resume(run);
    this.#ready.push(run);
  }

  callerDied(caller: number): void {
    this.#early.callerDied(caller);
  }

  /** Lets one that may go on do so; false when there is none. */
  goOn(): boolean {
    // Asked before every call.
    if (this.#ready.length === 0) return false;
    const run = this.#ready.shift() as Execution;
    const production = run.production as Production;
    production.streak = 0;
    if (!run.over) this.#runs.inContext(run, () => this.#go(run, production));
    return true;
  }

  #go(run: Execution, production: Production): void {
    const { outflow, iterator } = production;
    const begun = performance.now();
    while (!run.over) {
      if (!outflow.open) {
        production.paused = true;
        this.#runs.suspend(run);
        return;
      }
      if (++production.streak > SLICE_ITEMS || performance.now() - begun > SLICE_MS) {
        this.#ready.push(run);
        this.#kick();
        return;
      }
      production.asked = true;
      if (production.asynchronous) {
        this.#ask(run, production);
        return;
      }
      let step: IteratorResult<unknown>;
      try {
        step = iterator.next() as IteratorResult<unknown>;
      } catch (error) {
        this.#threw(run, production, error);
        return;
      }
      production.asked = false;
      if (!this.#gave(run, production, step)) return;
    }
    // It was ended while it was on the stack, which is when it can't be closed.
    this.close(run, production);
  }

  #ask(run: Execution, production: Production): void {
    let asked: Promise<IteratorResult<unknown>>;
    try {
      asked = Promise.resolve(production.iterator.next() as Promise<IteratorResult<unknown>>);
    } catch (error) {
      this.#threw(run, production, error);
      return;
    }
    asked.then(
      (step) => {
        production.asked = false;
        if (this.#gave(run, production, step)) this.#go(run, production);
        this.#kick();
      },
      (error) => {
        this.#threw(run, production, error);
        this.#kick();
      },
    );
  }

  #threw(run: Execution, production: Production, error: unknown): void {
    production.asked = false;
    production.over = true;
    this.#runs.end(run, true, error);
  }

  /** The generator has answered; true when it is to be asked for more. */
  #gave(run: Execution, production: Production, step: IteratorResult<unknown>): boolean {
    if (step.done === true) {
      production.over = true;
      this.#runs.end(run, false, undefined);
      return false;
    }
    if (run.over) {
      this.close(run, production);
      return false;
    }
    const { outflow } = production;
    if (outflow.skips) {
      outflow.gave(0);
      return true;
    }
    try {
      outflow.gave(this.#sender.send(run, outflow.next, step.value));
    } catch (error) {
      this.#runs.end(run, true, error);
      return false;
    }
    return true;
  }

  /**
   * The run is over, and the generator is to know: its `finally` runs. What it awaits there, or at this moment, it awaits
   * unheard.
   */
  close(run: Execution, production: Production): void {
    if (production.over) return;
    // A synchronous one can't be told while it is on the stack, and is told when it has answered.
    if (production.asked && !production.asynchronous) return;
    production.over = true;
    const left = (): void => this.#runs.left?.(run);
    this.#runs.inContext(run, () => {
      try {
        const closed: unknown = production.iterator.return?.();
        if (closed instanceof Promise) closed.then(left, left);
        else left();
      } catch {
        // Nobody is left who could hear of it.
        left();
      }
    });
  }
}

function opened(result: unknown, name: string): [iterator: AnyIterator, asynchronous: boolean] {
  if (result !== undefined && result !== null) {
    const items = result as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
    const asynchronous = items[Symbol.asyncIterator];
    if (typeof asynchronous === 'function') return [asynchronous.call(items), true];
    const synchronous = items[Symbol.iterator];
    if (typeof synchronous === 'function') return [synchronous.call(items), false];
  }
  throw new UsageError(
    `${name} is a stream, and returned ${typeof result}, which has no items; return an iterable or an async iterable`,
    { details: { task: name } },
  );
}

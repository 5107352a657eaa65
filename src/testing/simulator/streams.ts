import { Cell, EarlyCredits, FAILED, type Intake, type Outflow, type RunId } from '../../protocol/index.ts';
import type { Host } from './host.ts';
import type { Push } from './messages.ts';
import { END, type Operation, type Outcome, type Reference, type Value } from './program.ts';
import type { SimRun } from './run.ts';
import type { SimTask } from './task.ts';
import { fromWire, type Handle, type Payload, toWire, Violation } from './values.ts';

type Step = IteratorResult<Operation<Handle>, readonly Outcome<Handle>[]>;

/** What streams need of the runs of their host. */
interface Runs {
  readonly runs: ReadonlySet<SimRun>;
  suspend(run: SimRun): void;
  resume(run: SimRun): void;
  advance(run: SimRun, resume: () => Step): void;
}

/** Both ends of streams on one host: its runs that give items, and those that read them. */
export class Streams {
  readonly #host: Host;
  readonly #runs: Runs;
  readonly #early = new EarlyCredits();

  constructor(host: Host, runs: Runs) {
    this.#host = host;
    this.#runs = runs;
  }

  callerDied(caller: number): void {
    this.#early.callerDied(caller);
  }

  // ---- the producer

  begun(run: SimRun): void {
    const early = this.#early.claim(run.caller, run.slot, (run.push as Push).ticket);
    if (early === undefined) return;
    this.#host.world.counts.earlyCredits++;
    run.outflow?.more(early);
  }

  /** The program gives an item. False when its consumer has no room for another one, so that it waits. */
  give(run: SimRun, value: Value<Handle>, large: boolean): boolean {
    const outflow = run.outflow as Outflow;
    const { world } = this.#host;
    if (outflow.skips) {
      outflow.gave(0);
      world.counts.skippedItems++;
    } else {
      this.#send(run, outflow.next, value, large);
      outflow.gave(large ? 10 : 1);
      world.counts.items++;
    }
    if (outflow.open) return true;
    run.paused = true;
    this.#runs.suspend(run);
    return false;
  }

  #send(run: SimRun, index: number, value: Value<Handle>, large: boolean): void {
    const { from } = run;
    if (from === null || run.orphaned) return;
    const { references, executor } = this.#host.party;
    const cells: Cell[] = [];
    const wire = toWire(value, cells);
    const object = large ? this.#host.heap.allocate(`item ${index} of ${run.spec.seed}`) : null;
    const payload: Payload = { wire, object, failure: null };
    const receipt = executor.give(run, cells, object === null ? undefined : [object]);
    const { link } = this.#host.port.outgoing.to(from);
    if (cells.length === 0 && object === null && this.#host.world.random.chance(0.8)) {
      link.send({ to: 'yielded', slot: run.slot, index, payload });
      return;
    }
    const result = { payload, inner: cells.map((cell) => references.promote(cell)), delegate: null };
    link.send({ to: 'item', item: { slot: run.slot, index, result, receipt } });
  }

  /** A run is named by its push: a task that its caller calls again, in a run of its own, has the same seed. */
  more(from: Host, { slot, sequence, taken }: RunId & { readonly taken: number }): void {
    // The way of cancellations is not drained at a death, and what comes by it later is for nobody.
    if (!from.alive) return;
    for (const run of this.#runs.runs) {
      if (run.from !== from || run.slot !== slot || run.push?.ticket !== sequence) continue;
      const { outflow } = run;
      if (outflow === null) throw new Violation(`task ${run.spec.seed} is no stream, and is to give more`);
      outflow.more(taken);
      if (!run.paused || !outflow.open || run.ended) return;
      run.paused = false;
      this.#runs.resume(run);
      this.#host.later(this.#host.world.random.int(5), () => this.#runs.advance(run, () => run.program.next()));
      return;
    }
    this.#early.keep(from.number, slot, sequence, taken);
  }

  // ---- the consumer

  /** False when there is an item, or the end. */
  wait(run: SimRun, { it: { cell } }: Reference<Handle>): boolean {
    const task = cell.task as SimTask;
    const stream = task.stream as Intake;
    if (stream.size > 0 || cell.settled) return false;
    if (stream.owes(true)) this.#host.port.more(task);
    let heard = false;
    const listener = (): void => {
      stream.listeners.delete(listener);
      cell.removeWaiter(waiter);
      if (heard || run.ended) return;
      heard = true;
      this.#runs.resume(run);
      this.#host.later(this.#host.world.random.int(5), () => {
        this.#runs.advance(run, this.read(run, { it: { cell } } as Reference<Handle>));
      });
    };
    const waiter = { cellSettled: listener };
    this.#runs.suspend(run);
    stream.listeners.add(listener);
    cell.addWaiter(waiter);
    return true;
  }

  read(run: SimRun, { it: { cell } }: Reference<Handle>): () => Step {
    return () => {
      const task = cell.task as SimTask;
      const stream = task.stream as Intake;
      if (stream.size > 0) {
        const item = stream.take();
        if (stream.owes(false)) this.#host.port.more(task);
        return run.program.next(this.#value(run, item));
      }
      if (!cell.settled) throw new Violation(`${this.#host.name} reads an item of ${task.spec.seed} that is not there`);
      if (cell.state === FAILED) return run.program.throw(this.#host.operations.readFailure(run, cell));
      return run.program.next(END);
    };
  }

  #value(run: SimRun, item: unknown): Value<Handle> {
    const { operations, party } = this.#host;
    if (!(item instanceof Cell)) {
      return fromWire((item as Payload).wire, () => {
        throw new Violation('a plain item has references in it');
      });
    }
    const value = operations.read(run, item);
    party.references.drop(item);
    return value;
  }
}

import { type Cell, FAILED, type Reply, type ResultWire, type RunId, type Waiter } from '../../protocol/index.ts';
import { checkMayRun } from './checks.ts';
import type { Host } from './host.ts';
import { CLAIMED, DELIVERED, type Push, RECALLED, SENT } from './messages.ts';
import { type Body, body, type Operation, type Outcome, ProgramError, Reference, type Value } from './program.ts';
import { cancelled, SimRun } from './run.ts';
import { Streams } from './streams.ts';
import type { SimTask } from './task.ts';
import { Failure, fromWire, Handle, type Payload, Raised, type SharedObject, toWire, Violation } from './values.ts';

/** The runs of a host, from the push that begins one to its reply; a driver's program is one, too. */
export class Executions {
  readonly #host: Host;
  /** Delivered pushes that have not begun, by caller. */
  readonly #inbox = new Map<Host, Push[]>();
  readonly runs = new Set<SimRun>();
  readonly driver: SimRun | null;
  /** The run whose code blocks the event loop. */
  onStack: SimRun | null = null;
  readonly streams: Streams;

  constructor(host: Host, driver: boolean) {
    this.#host = host;
    this.streams = new Streams(host, {
      runs: this.runs,
      suspend: (run) => this.#suspend(run),
      resume: (run) => this.#resume(run),
      advance: (run, resume) => this.#advance(run, resume),
    });
    this.driver = driver ? new SimRun(null, null, host.world.config.root) : null;
  }

  // ---- what others send

  delivered(from: Host, push: Push): void {
    if (push.state !== SENT) return;
    push.state = DELIVERED;
    this.#inboxOf(from).push(push);
  }

  #inboxOf(from: Host): Push[] {
    let inbox = this.#inbox.get(from);
    if (inbox === undefined) {
      inbox = [];
      this.#inbox.set(from, inbox);
    }
    return inbox;
  }

  cancel(from: Host, id: RunId): void {
    for (const run of this.runs) {
      if (!run.is(from, id)) continue;
      const { seed } = run.spec;
      if (!from.port.cancelled.has(seed))
        throw new Violation(`a cancellation ends task ${seed}, which nobody has cancelled`);
      this.abort(run);
    }
  }

  /** Whether that very run goes on here. */
  isRunning(from: Host, id: RunId): boolean {
    for (const run of this.runs) if (run.is(from, id)) return true;
    return false;
  }

  callerDied(number: number, incarnation: number): void {
    this.streams.callerDied(number);
    for (const [from] of this.#inbox) {
      if (from.number === number && from.address.incarnation === incarnation) this.#inbox.delete(from);
    }
    for (const run of [...this.runs]) {
      const { from } = run;
      if (from === null || from.number !== number || from.address.incarnation !== incarnation) continue;
      if (!run.orphaned) throw new Violation('a run of a dead caller is not an orphan');
      // Nobody will ever make room for the next item of a stream.
      if (this.#host.world.config.endsOrphans || run.outflow !== null) this.abort(run);
    }
  }

  // ---- a run's life

  pick(): void {
    const { executor } = this.#host.party;
    while (this.#host.busyUntil <= this.#host.world.now && executor.running === 0) {
      const found = this.#choose(false) ?? this.#choose(true);
      if (found === undefined) break;
      this.#begin(found.from, found.push);
    }
    if (this.#host.busyUntil <= this.#host.world.now) this.#tellOccupancy(true);
  }

  #choose(idle: boolean): { from: Host; push: Push } | undefined {
    let found: { from: Host; push: Push } | undefined;
    for (const [from, inbox] of this.#inbox) {
      while (inbox.length > 0 && (inbox[0] as Push).state === RECALLED) inbox.shift();
      const last = this.#host.world.config.anyOrder ? inbox.length : Math.min(1, inbox.length);
      for (let i = 0; i < last; i++) {
        const push = inbox[i] as Push;
        if (push.state !== DELIVERED || (found !== undefined && push.depth <= found.push.depth)) continue;
        if (this.#host.party.executor.mayStart(push.depth, push.exclusive, idle)) found = { from, push };
      }
    }
    return found;
  }

  #tellOccupancy(idle: boolean): void {
    const occupancy = this.#host.party.executor.occupancy(idle);
    if (occupancy !== undefined) this.#host.port.control({ type: 'blocked', ...occupancy });
  }

  #begin(from: Host, push: Push): void {
    const inbox = this.#inboxOf(from);
    inbox.splice(inbox.indexOf(push), 1);
    checkMayRun(push.task as SimTask);
    push.state = CLAIMED;
    from.port.outgoing.left(this.#host);
    const run = new SimRun(from, push, push.spec);
    this.runs.add(run);
    this.#host.party.executor.started(run);
    this.streams.begun(run);
    this.#tellOccupancy(false);
    const { references, executor } = this.#host.party;
    if (push.args.some(({ payload }) => payload.object?.lost)) {
      run.unread = true;
      this.#host.world.counts.unread++;
      this.#finish(run, new Raised(new Failure('lost', `an argument of ${push.spec.seed}`), 0, false));
      return;
    }
    const lent: Cell[] = [];
    const args = push.args.map(({ payload, inner }) => {
      payload.object?.use(`argument of task ${push.spec.seed}`);
      const cells = inner.map((id) => {
        const cell = references.adopt(id);
        references.hold(cell);
        executor.own(run, cell);
        lent.push(cell);
        return cell;
      });
      return fromWire(payload.wire, (i) => new Reference(new Handle(cells[i] as Cell)));
    });
    run.lent = lent;
    run.program = body<Handle>(this.#host.world.config.program, push.spec, args, push.attempt);
    this.#host.world.log(() => `${this.#host.name} starts ${push.spec.seed} of ${from.name} slot ${push.slot}`);
    this.#advance(run, () => run.program.next());
  }

  #advance(run: SimRun, resume: () => IteratorResult<Operation<Handle>, readonly Outcome<Handle>[]>): void {
    if (run.ended) return;
    if (run.aborted) {
      this.#finish(run, cancelled(run));
      return;
    }
    const { operations } = this.#host;
    let step: IteratorResult<Operation<Handle>, readonly Outcome<Handle>[]>;
    try {
      step = resume();
      for (;;) {
        if (step.done) break;
        const op = step.value;
        if (op.type === 'work') {
          this.#work(run, op.micros, op.blocking);
          return;
        }
        if (op.type === 'await') {
          if (this.#wait(run, op.refs)) return;
          step = this.#waited(run, op.refs)();
        } else if (op.type === 'next') {
          if (this.streams.wait(run, op.ref)) return;
          step = this.streams.read(run, op.ref)();
        } else if (op.type === 'yield') {
          if (!this.streams.give(run, op.value, op.large)) return;
          step = run.program.next();
        } else step = run.program.next(operations.do(run, op));
      }
    } catch (error) {
      if (error instanceof Raised) this.#finish(run, error);
      else if (error instanceof ProgramError) {
        const { identity, carried, large } = error as ProgramError<Handle>;
        this.#finish(run, new Raised(new Failure('program', identity), carried, large));
      } else throw error;
      return;
    }
    this.#finish(run, step.value);
  }

  #work(run: SimRun, micros: number, blocking: boolean): void {
    run.micros += micros;
    if (!blocking) {
      this.#host.later(micros, () => this.#advance(run, () => run.program.next()));
      return;
    }
    this.#host.busyUntil = this.#host.world.now + micros;
    this.onStack = run;
    this.#host.world.after(micros, () => {
      if (!this.#host.alive) return;
      this.onStack = null;
      this.#host.turn(() => this.#advance(run, () => run.program.next()));
    });
  }

  /** False when all is here already. */
  #wait(run: SimRun, refs: readonly Reference<Handle>[]): boolean {
    const pending = new Set<Cell>();
    const { references } = this.#host.party;
    for (const { it } of refs) {
      if (it.cell.settled && this.#host.port.isLost(it.cell)) this.#host.party.lost(it.cell);
      if (!it.cell.settled) pending.add(it.cell);
    }
    if (pending.size === 0) return false;
    run.waits = pending.size;
    const waiter: Waiter = {
      cellSettled: () => {
        if (run.ended) return;
        this.#resume(run);
        if (--run.waits > 0) return;
        this.#host.later(this.#host.world.random.int(5), () => {
          // What was there may be lost by now.
          if (run.ended || run.aborted || !this.#wait(run, refs)) this.#advance(run, this.#waited(run, refs));
        });
      },
    };
    for (const cell of pending) {
      this.#suspend(run);
      cell.addWaiter(waiter);
      references.need(cell);
    }
    return true;
  }

  #suspend(run: SimRun): void {
    if (run !== this.driver) this.#host.party.executor.suspend(run);
  }

  #resume(run: SimRun): void {
    if (run === this.driver) return;
    const { executor } = this.#host.party;
    executor.resume(run);
    this.#tellOccupancy(false);
  }

  #waited(run: SimRun, refs: readonly Reference<Handle>[]) {
    return (): IteratorResult<Operation<Handle>, readonly Outcome<Handle>[]> => {
      const { operations } = this.#host;
      for (const { it } of refs) {
        if (it.cell.state === FAILED) return run.program.throw(operations.readFailure(run, it.cell));
      }
      return run.program.next(refs.map(({ it }) => operations.read(run, it.cell)));
    };
  }

  abort(run: SimRun): void {
    if (run.ended) return;
    run.aborted = true;
    if (run.suspended > 0) this.#finish(run, cancelled(run));
  }

  #finish(run: SimRun, ending: readonly Outcome<Handle>[] | Raised): void {
    run.ended = true;
    this.runs.delete(run);
    const { references, executor } = this.#host.party;
    const { from, push } = run;
    if (from === null || push === null) {
      this.#endDriver(run, ending);
      return;
    }
    if (!run.aborted && !run.orphaned)
      for (const { payload } of push.args) payload.object?.use(`end of task ${run.spec.seed}`);
    this.#host.world.log(
      () => `${this.#host.name} ends ${run.spec.seed}${ending instanceof Raised ? ` with ${ending.failure}` : ''}`,
    );
    const granted: Cell[] = [];
    const objects: SharedObject[] = [];
    const drafts: { payload: Payload; cells: Cell[]; delegate: Cell | null }[] = [];
    const draft = (value: Value<Handle>, large: boolean, failure: Failure | null): void => {
      const cells: Cell[] = [];
      const wire = toWire(value, cells);
      granted.push(...cells);
      const object = large
        ? this.#host.heap.allocate(`${failure === null ? 'result' : 'error'} of ${run.spec.seed}`)
        : null;
      if (object !== null) objects.push(object);
      drafts.push({ payload: { wire, object, failure }, cells, delegate: null });
    };
    if (ending instanceof Raised) draft(ending.carried, ending.large, ending.failure);
    else {
      for (const outcome of ending) {
        if (outcome.delegate === undefined) {
          draft(outcome.value, outcome.large, null);
          continue;
        }
        const { cell, released } = outcome.delegate.it;
        if (released) throw new Violation('the program returns a handle that it has released');
        granted.push(cell);
        drafts.push({ payload: { wire: 0, object: null, failure: null }, cells: [], delegate: cell });
      }
    }
    const { kept, receipt } = executor.finish(run, granted, objects.length > 0 ? objects : undefined);
    if (run.orphaned) return;
    const micros = this.#host.world.random.chance(0.9) ? run.micros : -1;
    const first = drafts[0] as (typeof drafts)[0];
    const { link } = this.#host.port.outgoing.to(from);
    if (
      receipt === 0 &&
      kept.length === 0 &&
      drafts.length === 1 &&
      granted.length === 0 &&
      first.payload.failure === null &&
      this.#host.world.random.chance(0.8)
    ) {
      link.send({ to: 'completed', slot: run.slot, micros, payload: first.payload });
      return;
    }
    const results = drafts.map(
      ({ payload, cells, delegate }): ResultWire<Payload> => ({
        payload,
        inner: cells.map((cell) => references.promote(cell)),
        delegate: delegate === null ? null : references.promote(delegate),
      }),
    );
    const reply: Reply<Payload> = {
      slot: run.slot,
      micros,
      failed: ending instanceof Raised,
      results,
      kept,
      receipt,
      ...(run.unread ? { unread: true } : {}),
    };
    link.send({ to: 'reply', reply });
  }

  startDriver(program: Body<Handle>): void {
    const run = this.driver as SimRun;
    run.program = program;
    this.#host.turn(() => this.#advance(run, () => run.program.next()));
  }

  #endDriver(run: SimRun, ending: readonly Outcome<Handle>[] | Raised): void {
    if (ending instanceof Raised) throw new Violation(`the driver failed with ${ending.failure}`);
    this.#host.finished = true;
    const scope = run.scope ?? [];
    run.scope = null;
    for (const cell of scope) this.#host.party.references.drop(cell);
  }
}

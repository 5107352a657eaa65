import {
  type Address,
  Cell,
  DONE,
  FAILED,
  type Lease,
  Party,
  type PartyPort,
  PUSHED,
  READY,
  type ReferenceMessage,
  type Reply,
  type ResultWire,
  Run,
  type RunId,
  type Shape,
  type TaskMessage,
  type TaskRecord,
  Timing,
  type ToControl,
  type Waiter,
} from '../../protocol/index.ts';
import { checkCancel, checkMayRun, checkOver, checkWorkerDied, DeathCheck } from './checks.ts';
import type { Control } from './control.ts';
import {
  CLAIMED,
  DELIVERED,
  describe,
  type Message,
  type Push,
  type PushedArgument,
  RECALLED,
  SENT,
} from './messages.ts';
import {
  type Body,
  body,
  type Operation,
  type Outcome,
  ProgramError,
  Reference,
  type TaskSpec,
  UNSCHEDULABLE,
  type Value,
} from './program.ts';
import { type Argument, SimTask } from './task.ts';
import {
  Failure,
  failureOf,
  fromWire,
  Handle,
  isStandstill,
  type Payload,
  Raised,
  SharedObject,
  STANDSTILL,
  toWire,
  Violation,
} from './values.ts';
import { type Endpoint, type Envelope, Link, type World } from './world.ts';

class SimRun extends Run {
  readonly from: Host | null;
  readonly spec: TaskSpec;
  readonly push: Push | null;
  program!: Body<Handle>;
  micros = 0;
  ended = false;
  /** It is to end without a result: cancelled, or its caller is gone. */
  aborted = false;
  /** Pending ones of what it waits for. */
  waits = 0;

  is(from: Host, { slot, sequence }: RunId): boolean {
    return this.from === from && this.slot === slot && this.spec.seed === sequence;
  }

  constructor(from: Host | null, push: Push | null, spec: TaskSpec) {
    super(from?.number ?? -1, push?.slot ?? -1, push?.depth ?? 0, push?.exclusive ?? false);
    this.from = from;
    this.push = push;
    this.spec = spec;
  }
}

/** Longer than anything takes where no link is slow, in microseconds. */
const LONG = 10_000_000;

/** What links and pushes there are between two parties, seen from the caller. */
interface Outgoing {
  readonly link: Link<Message>;
  /** Cancellations come another way than calls do, and may come late. */
  readonly cancels: Link<Message>;
  readonly pushes: Map<number, Push>;
  unclaimed: number;
  refused: boolean;
}

interface Sent {
  readonly envelope: Envelope<Message>;
  readonly link: Link<Message>;
}

/** A worker, or the driver: one event loop around a `Party`. */
export class Host implements Endpoint<Message>, PartyPort<Payload> {
  readonly world: World;
  readonly number: number;
  readonly address: Address;
  readonly name: string;
  readonly party: Party<Payload>;
  readonly #control: Control;
  readonly #toControl: Link<Message>;
  readonly #outgoing = new Map<Host, Outgoing>();
  /** Delivered pushes that have not begun, by caller. */
  readonly #inbox = new Map<Host, Push[]>();
  readonly runs = new Set<SimRun>();
  readonly #timings: Timing[];
  readonly driver: SimRun | null;
  alive = true;
  busyUntil = 0;
  /** The run whose code blocks the event loop. */
  onStack: SimRun | null = null;
  /** Ended on purpose, so that no run is to blame. */
  killed = false;
  finished = false;
  #saidBlocked = false;
  /** Cells with a value in shared memory, at some time. */
  readonly #private = new Set<Cell>();
  #tickets = 0;
  #deathCheck: DeathCheck | undefined;
  /** Runs that workers were told to stop, and workers that were to be ended. */
  #told = 0;
  /** Tasks that have been cancelled while they ran, by seed. */
  readonly #cancelled = new Set<number>();
  #kills = 0;
  /** In this turn, or the last one. */
  readonly #sent: Sent[] = [];
  #objects = 0;
  #tickAt = Number.POSITIVE_INFINITY;
  #flushing = false;

  constructor(world: World, control: Control, address: Address, driver: boolean) {
    this.world = world;
    this.#control = control;
    this.address = address;
    this.number = address.party;
    this.name = `${driver ? 'driver' : 'worker'} ${address.party}.${address.incarnation}`;
    this.party = new Party<Payload>(address, this, world.config.owner);
    this.#toControl = new Link<Message>(world, this, control);
    this.#timings = world.config.shapes.map(() => new Timing());
    this.driver = driver ? new SimRun(null, null, world.config.root) : null;
  }

  get toControl(): Link<Message> {
    return this.#toControl;
  }

  // ---- the event loop

  turn(work: () => void): void {
    const { owner } = this.party;
    owner.now = this.world.now / 1000;
    this.#sent.length = 0;
    work();
    if (this.#flushing) return;
    if (this.world.random.chance(this.world.config.lazy)) {
      this.#flushing = true;
      this.#later(this.world.random.int(100), () => {
        this.#flushing = false;
        this.#endOfTurn();
      });
    } else this.#endOfTurn();
  }

  #endOfTurn(): void {
    const { owner } = this.party;
    owner.settleUp();
    this.#pick();
    owner.settleUp();
    const wait = owner.nextTick;
    if (wait === undefined) return;
    const at = this.world.now + Math.ceil(wait * 1000) + 1;
    if (at >= this.#tickAt) return;
    this.#tickAt = at;
    this.world.events.add(at, () => {
      if (this.#tickAt !== at || !this.alive) return;
      this.#tickAt = Number.POSITIVE_INFINITY;
      this.#whenFree(() => this.party.owner.tick());
    });
  }

  #later(micros: number, work: () => void): void {
    this.world.after(micros, () => this.#whenFree(work));
  }

  #whenFree(work: () => void): void {
    if (!this.alive) return;
    if (this.busyUntil > this.world.now) this.world.events.add(this.busyUntil, () => this.#whenFree(work));
    else this.turn(work);
  }

  sent(envelope: Envelope<Message>, link: Link<Message>): void {
    this.#sent.push({ envelope, link });
  }

  /** It may have died in the middle of its last turn: then the rest of what it sent in that was never sent. */
  die(): void {
    this.alive = false;
    const { random } = this.world;
    for (let last = this.#sent.pop(); last !== undefined; last = this.#sent.pop()) {
      if (last.envelope.delivered || random.chance(0.5)) break;
      this.world.log(() => `${this.name} died before it sent ${describe((last as Sent).envelope.message)}`);
      last.link.unsend(last.envelope);
    }
  }

  receive(m: Message, link: Link<Message>): void {
    const from = link.from as Host;
    this.world.log(() => `${this.name} <- ${link.from.name}: ${describe(m)}`);
    switch (m.to) {
      case 'party':
        this.party.fromControl(m.message);
        if (m.message.type === 'died') {
          this.#deathCheck?.done();
          this.#deathCheck = undefined;
          this.#afterDeath(m.message.party, m.message.incarnation);
        }
        break;
      case 'worker':
        if (m.push.state !== SENT) return;
        m.push.state = DELIVERED;
        this.#inboxOf(from).push(m.push);
        break;
      case 'cancel':
        for (const run of this.runs) {
          if (!run.is(from, m)) continue;
          const { seed } = run.spec;
          if (!from.#cancelled.has(seed))
            throw new Violation(`a cancellation ends task ${seed}, which nobody has cancelled`);
          this.#abort(run);
        }
        break;
      case 'acknowledge':
        this.#unpin(this.party.executor.acknowledged(m.receipt));
        break;
      case 'completed':
        this.#answered(from, m.slot);
        this.party.completed(from.number, m.slot, m.micros, m.payload);
        break;
      case 'reply':
        this.#answered(from, m.reply.slot);
        this.party.replied(from.address, m.reply);
        break;
      case 'control':
        throw new Violation('a message for the control thread at a party');
    }
  }

  #inboxOf(from: Host): Push[] {
    let inbox = this.#inbox.get(from);
    if (inbox === undefined) {
      inbox = [];
      this.#inbox.set(from, inbox);
    }
    return inbox;
  }

  /** Whether that very run goes on here. */
  isRunning(from: Host, id: RunId): boolean {
    for (const run of this.runs) if (run.is(from, id)) return true;
    return false;
  }

  /** Whether one has ever called the other. */
  isConnectedTo(other: Host): boolean {
    return this.#outgoing.has(other) || other.#outgoing.has(this);
  }

  #outgoingTo(host: Host): Outgoing {
    let outgoing = this.#outgoing.get(host);
    if (outgoing === undefined) {
      const [link, cancels] = [new Link<Message>(this.world, this, host), new Link<Message>(this.world, this, host)];
      outgoing = { link, cancels, pushes: new Map(), unclaimed: 0, refused: false };
      this.#outgoing.set(host, outgoing);
    }
    return outgoing;
  }

  #answered(worker: Host, slot: number): void {
    const task = this.party.owner.inFlight[slot];
    if (task !== null && task !== undefined) this.#outgoingTo(worker).pushes.delete(task.ticket);
  }

  #afterDeath(number: number, incarnation: number): void {
    for (const [from] of this.#inbox) {
      if (from.number === number && from.address.incarnation === incarnation) this.#inbox.delete(from);
    }
    for (const run of [...this.runs]) {
      const { from } = run;
      if (from === null || from.number !== number || from.address.incarnation !== incarnation) continue;
      if (!run.orphaned) throw new Violation('a run of a dead caller is not an orphan');
      if (this.world.config.endsOrphans) this.#abort(run);
    }
  }

  // ---- a worker's runs

  #pick(): void {
    const { executor } = this.party;
    while (this.busyUntil <= this.world.now && executor.running === 0) {
      const found = this.#choose(false) ?? this.#choose(true);
      if (found === undefined) break;
      this.#start(found.from, found.push);
    }
    if (this.busyUntil <= this.world.now && executor.blocked && !this.#saidBlocked) this.#sayBlocked(true);
  }

  #choose(idle: boolean): { from: Host; push: Push } | undefined {
    let found: { from: Host; push: Push } | undefined;
    for (const [from, inbox] of this.#inbox) {
      while (inbox.length > 0 && (inbox[0] as Push).state === RECALLED) inbox.shift();
      const last = this.world.config.anyOrder ? inbox.length : Math.min(1, inbox.length);
      for (let i = 0; i < last; i++) {
        const push = inbox[i] as Push;
        if (push.state !== DELIVERED || (found !== undefined && push.depth <= found.push.depth)) continue;
        if (this.party.executor.mayStart(push.depth, push.exclusive, idle)) found = { from, push };
      }
    }
    return found;
  }

  #sayBlocked(blocked: boolean): void {
    this.#saidBlocked = blocked;
    this.control({ type: 'blocked', blocked });
  }

  #start(from: Host, push: Push): void {
    const inbox = this.#inboxOf(from);
    inbox.splice(inbox.indexOf(push), 1);
    checkMayRun(push.task as SimTask);
    push.state = CLAIMED;
    from.claimed(this);
    const run = new SimRun(from, push, push.spec);
    this.runs.add(run);
    this.party.executor.started(run);
    if (this.#saidBlocked) this.#sayBlocked(false);
    const { references, executor } = this.party;
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
    run.program = body<Handle>(this.world.config.program, push.spec, args, push.attempt);
    this.world.log(() => `${this.name} starts ${push.spec.seed} of ${from.name} slot ${push.slot}`);
    this.#advance(run, () => run.program.next());
  }

  #advance(run: SimRun, resume: () => IteratorResult<Operation<Handle>, readonly Outcome<Handle>[]>): void {
    if (run.ended) return;
    if (run.aborted) {
      this.#finish(run, cancelled(run));
      return;
    }
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
        } else step = run.program.next(this.#do(run, op));
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
      this.#later(micros, () => this.#advance(run, () => run.program.next()));
      return;
    }
    this.busyUntil = this.world.now + micros;
    this.onStack = run;
    this.world.after(micros, () => {
      if (!this.alive) return;
      this.onStack = null;
      this.turn(() => this.#advance(run, () => run.program.next()));
    });
  }

  /** False when all is here already. */
  #wait(run: SimRun, refs: readonly Reference<Handle>[]): boolean {
    const pending = new Set<Cell>();
    for (const { it } of refs) if (!it.cell.settled) pending.add(it.cell);
    if (pending.size === 0) return false;
    run.waits = pending.size;
    const { executor, references } = this.party;
    const waiter: Waiter = {
      cellSettled: () => {
        if (run.ended) return;
        if (run !== this.driver) {
          executor.resume(run);
          if (executor.running > 0 && this.#saidBlocked) this.#sayBlocked(false);
        }
        if (--run.waits > 0) return;
        this.#later(this.world.random.int(5), () => {
          // What was there may be lost by now.
          if (run.ended || run.aborted || !this.#wait(run, refs)) this.#advance(run, this.#waited(run, refs));
        });
      },
    };
    for (const cell of pending) {
      if (run !== this.driver) executor.suspend(run);
      cell.addWaiter(waiter);
      references.need(cell);
    }
    return true;
  }

  #waited(run: SimRun, refs: readonly Reference<Handle>[]) {
    return (): IteratorResult<Operation<Handle>, readonly Outcome<Handle>[]> => {
      for (const { it } of refs) {
        if (it.cell.state === FAILED) return run.program.throw(this.#readFailure(run, it.cell));
      }
      return run.program.next(refs.map(({ it }) => this.#read(run, it.cell)));
    };
  }

  /** The user's view of a settled cell's value, with handles of its own for what is inside. */
  #read(run: SimRun, cell: Cell): Value<Handle> {
    if (!cell.settled) throw new Violation(`${this.name} reads a value that is not there (state ${cell.state})`);
    const payload = cell.value as Payload;
    payload.object?.use(`read by ${run.spec.seed}`);
    return fromWire(payload.wire, (i) => this.#handle(run, cell.inner[i] as Cell, true));
  }

  #readFailure(run: SimRun, cell: Cell): Raised {
    const failure = failureOf(cell);
    if (cell.value instanceof Failure) return new Raised(failure, 0, false);
    return new Raised(failure, this.#read(run, cell), (cell.value as Payload).object !== null);
  }

  #handle(run: SimRun, cell: Cell, hold: boolean): Reference<Handle> {
    if (hold) this.party.references.hold(cell);
    this.party.executor.own(run, cell);
    return new Reference(new Handle(cell));
  }

  #do(run: SimRun, op: Operation<Handle>): unknown {
    const { references } = this.party;
    switch (op.type) {
      case 'put': {
        const inner: Cell[] = [];
        const wire = toWire(op.value, inner);
        for (const cell of inner) references.hold(cell);
        const object = op.large ? this.#allocate(`put of ${run.spec.seed}`) : null;
        const cell = new Cell();
        references.settle(cell, false, { wire, object, failure: null }, object !== null, inner);
        if (this.world.config.loseEvery > 0) this.#private.add(cell);
        return this.#handle(run, cell, false);
      }
      case 'call':
        return this.#call(run, op.spec, op.args);
      case 'release': {
        const { it } = op.ref;
        if (it.released) throw new Violation('released twice');
        it.released = true;
        const scope = run.scope as Cell[];
        scope.splice(scope.indexOf(it.cell), 1);
        references.drop(it.cell);
        return undefined;
      }
      case 'stash':
        this.#stash(op.ref.it.cell);
        return undefined;
      case 'cancel': {
        const task = op.ref.it.cell.task as SimTask | null;
        if (task !== null) this.#cancel(task, op.force);
        return undefined;
      }
      default:
        throw new Violation(`${op.type} is done elsewhere`);
    }
  }

  #cancel(task: SimTask, force: boolean): void {
    const { world } = this;
    world.log(() => `${this.name} cancels ${task.spec.seed}${force ? ' by force' : ''}`);
    const error = new Failure('cancelled', String(task.spec.seed));
    const begun = this.#hasBegun(task);
    checkCancel(task, error, world.counts, begun, () => {
      const told = this.#told;
      const kills = this.#kills;
      this.party.owner.cancel(task, error, force);
      return { told: this.#told > told && (!force || this.#kills > kills) };
    });
    // Where no message takes as long as that.
    const { slowLinks, stall } = world.config;
    if (task.state === DONE || slowLinks > 0 || stall > 0) return;
    world.after(LONG, () => {
      if (this.alive) checkOver(task);
    });
  }

  #hasBegun(task: SimTask): boolean {
    if (task.state !== PUSHED) return false;
    const target = this.#control.hosts.get((task.lease as Lease).worker) as Host;
    return this.#outgoing.get(target)?.pushes.get(task.ticket)?.state === CLAIMED;
  }

  /** User code puts a reference where it outlives its task; later somebody looks at it, or not, and lets it go. */
  #stash(cell: Cell): void {
    const { references } = this.party;
    const { random } = this.world;
    references.hold(cell);
    this.#later(random.int(random.pick([100, 10_000, 200_000])), () => {
      if (cell.settled || random.chance(0.3)) {
        if (cell.settled && cell.state !== FAILED) (cell.value as Payload).object?.use('stashed');
        references.drop(cell);
        return;
      }
      cell.addWaiter({ cellSettled: () => this.#later(0, () => references.drop(cell)) });
      references.need(cell);
    });
  }

  #call(run: SimRun, spec: TaskSpec, values: readonly Value<Handle>[]): Reference<Handle>[] {
    const { owner } = this.party;
    const uses: Cell[] = [];
    const dependencies: Cell[] = [];
    const args = values.map((value): Argument => {
      if (value instanceof Reference) {
        if (value.it.released) throw new Violation('the program passes a handle that it has released');
        uses.push(value.it.cell);
        dependencies.push(value.it.cell);
        return { dependency: value.it.cell };
      }
      const cells: Cell[] = [];
      const wire = toWire(value, cells);
      uses.push(...cells);
      return { wire, cells };
    });
    const shape = this.world.config.shapes[spec.shape] as Shape;
    const key = owner.queue(spec.retries === 0 ? { ...shape, exclusive: true } : shape);
    const cells = Array.from({ length: spec.results }, () => new Cell());
    const results = spec.results === 1 ? (cells[0] as Cell) : cells;
    const task = new SimTask(spec, args, key, this.#timings[spec.shape] as Timing, results, run.depth + 1);
    task.uses = uses;
    task.dependencies = dependencies;
    const refs = cells.map((cell) => {
      cell.task = task;
      if (this.world.config.loseEvery > 0) this.#private.add(cell);
      return this.#handle(run, cell, false);
    });
    this.world.log(() => `${this.name} submits ${spec.seed} retries ${spec.retries} shape ${spec.shape}`);
    owner.submit(task);
    return refs;
  }

  #abort(run: SimRun): void {
    if (run.ended) return;
    run.aborted = true;
    if (run.suspended > 0) this.#finish(run, cancelled(run));
  }

  #finish(run: SimRun, ending: readonly Outcome<Handle>[] | Raised): void {
    run.ended = true;
    this.runs.delete(run);
    const { references, executor } = this.party;
    const { from, push } = run;
    if (from === null || push === null) {
      this.#endDriver(run, ending);
      return;
    }
    if (!run.aborted && !run.orphaned)
      for (const { payload } of push.args) payload.object?.use(`end of task ${run.spec.seed}`);
    this.world.log(
      () => `${this.name} ends ${run.spec.seed}${ending instanceof Raised ? ` with ${ending.failure}` : ''}`,
    );
    const granted: Cell[] = [];
    const objects: SharedObject[] = [];
    const drafts: { payload: Payload; cells: Cell[]; delegate: Cell | null }[] = [];
    const draft = (value: Value<Handle>, large: boolean, failure: Failure | null): void => {
      const cells: Cell[] = [];
      const wire = toWire(value, cells);
      granted.push(...cells);
      const object = large ? this.#allocate(`${failure === null ? 'result' : 'error'} of ${run.spec.seed}`) : null;
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
    const micros = this.world.random.chance(0.9) ? run.micros : -1;
    const first = drafts[0] as (typeof drafts)[0];
    const { link } = this.#outgoingTo(from);
    if (
      receipt === 0 &&
      kept.length === 0 &&
      drafts.length === 1 &&
      granted.length === 0 &&
      first.payload.failure === null &&
      this.world.random.chance(0.8)
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
    };
    link.send({ to: 'reply', reply });
  }

  #allocate(name: string): SharedObject {
    const object = new SharedObject(`${this.name} object ${++this.#objects} (${name})`);
    object.pin(this);
    this.world.objects.add(object);
    return object;
  }

  #unpin(payload: unknown): void {
    if (payload !== undefined) for (const object of payload as SharedObject[]) object.unpin(this);
  }

  // ---- the driver

  startDriver(program: Body<Handle>): void {
    const run = this.driver as SimRun;
    run.program = program;
    this.turn(() => this.#advance(run, () => run.program.next()));
  }

  #endDriver(run: SimRun, ending: readonly Outcome<Handle>[] | Raised): void {
    if (ending instanceof Raised) throw new Violation(`the driver failed with ${ending.failure}`);
    this.finished = true;
    const scope = run.scope ?? [];
    run.scope = null;
    for (const cell of scope) this.party.references.drop(cell);
  }

  // ---- ports

  claimed(by: Host): void {
    const outgoing = this.#outgoingTo(by);
    outgoing.unclaimed--;
    this.#roomAgain(outgoing);
  }

  #roomAgain(outgoing: Outgoing): void {
    if (!outgoing.refused) return;
    outgoing.refused = false;
    this.#later(this.world.delay(), () => this.party.owner.settleUp());
  }

  push(task: TaskRecord, lease: Lease): number {
    const { spec, args } = task as SimTask;
    checkMayRun(task as SimTask);
    const target = this.#control.hosts.get(lease.worker);
    if (target === undefined || target.address.incarnation !== lease.incarnation) {
      throw new Violation(`${this.name} pushes to worker ${lease.worker}.${lease.incarnation}, which is forgotten`);
    }
    const outgoing = this.#outgoingTo(target);
    if (outgoing.unclaimed >= this.world.config.room) {
      outgoing.refused = true;
      return -1;
    }
    const { references } = this.party;
    const pushed = args.map((arg): PushedArgument => {
      if ('wire' in arg) {
        const payload: Payload = { wire: arg.wire, object: null, failure: null };
        return { payload, inner: arg.cells.map((cell) => references.promote(cell)) };
      }
      const { dependency } = arg;
      if (!dependency.settled || dependency.state === FAILED)
        throw new Violation('a task is pushed before its arguments');
      return { payload: this.encode(dependency), inner: dependency.inner.map((cell) => references.promote(cell)) };
    });
    const push: Push = {
      slot: task.slot,
      ticket: ++this.#tickets,
      spec,
      attempt: task.attempt,
      depth: task.depth,
      exclusive: task.key.shape.exclusive,
      args: pushed,
      state: SENT,
      task,
    };
    this.world.log(() => `${this.name} pushes ${spec.seed} to ${target.name} under lease ${lease.id}`);
    outgoing.unclaimed++;
    outgoing.pushes.set(push.ticket, push);
    outgoing.link.send({ to: 'worker', push });
    return push.ticket;
  }

  recall(task: TaskRecord, lease: Lease): boolean {
    const outgoing = this.#outgoingTo(this.#control.hosts.get(lease.worker) as Host);
    const push = outgoing.pushes.get(task.ticket);
    if (push === undefined) throw new Violation('a task is recalled that was not pushed');
    if (push.state > DELIVERED) return false;
    push.state = RECALLED;
    this.world.log(() => `${this.name} recalls ${push.spec.seed}`);
    outgoing.pushes.delete(task.ticket);
    outgoing.unclaimed--;
    this.#roomAgain(outgoing);
    return true;
  }

  cancelRunning(task: TaskRecord, { worker, incarnation }: Lease, force: boolean, reason: string): void {
    const target = this.#control.hosts.get(worker) as Host;
    const run: RunId = { slot: task.slot, sequence: (task as SimTask).spec.seed };
    this.#cancelled.add(run.sequence);
    // Its ring may be full for a while.
    const { cancels } = this.#outgoingTo(target);
    this.world.after(this.world.random.chance(0.5) ? this.world.random.int(3000) : 0, () => {
      if (this.alive) cancels.send({ to: 'cancel', ...run });
    });
    this.#told++;
    if (force) this.control({ type: 'kill', worker, incarnation, run, reason });
  }

  control(message: TaskMessage | ReferenceMessage<Payload>): void {
    if (message.type === 'kill') this.#kills++;
    this.world.log(() => `${this.name} -> control: ${describe({ to: 'control', message })}`);
    this.#toControl.send({ to: 'control', message: message as ToControl<Payload> });
  }

  fail(task: TaskRecord, error: unknown, inner: readonly Cell[]): void {
    const { references } = this.party;
    const object = error instanceof Failure ? null : (error as Payload).object;
    const failure = error instanceof Failure ? error : (error as Payload).failure;
    this.world.log(() => `${this.name} fails ${(task as SimTask).spec.seed} with ${failure}`);
    task.eachResult((cell) => {
      object?.use('passed on to a dependent');
      object?.pin(this);
      for (const each of inner) references.hold(each);
      references.settle(cell, true, error, object !== null, inner);
    });
  }

  workerDied(task: TaskRecord, reason: string): unknown {
    if (this.#control.deaths === 0) throw new Violation(`a task fails by the death of a worker, and none has died`);
    checkWorkerDied(task as SimTask);
    return new Failure('worker-died', `${(task as SimTask).spec.seed}: ${reason}`);
  }

  unschedulable(_shape: Shape, reason: string): unknown {
    return new Failure('unschedulable', isStandstill(reason) ? STANDSTILL : UNSCHEDULABLE);
  }

  retrying(task: TaskRecord, charged: boolean, reason: string): void {
    this.world.log(() => `${this.name} retries ${(task as SimTask).spec.seed} charged ${charged}: ${reason}`);
  }

  encode(cell: Cell): Payload {
    if (!cell.settled) throw new Violation('a value is sent that is not there');
    if (cell.value instanceof Failure) return { wire: 0, object: null, failure: cell.value };
    const payload = cell.value as Payload;
    payload.object?.use('sent');
    return payload;
  }

  decode(cell: Cell, payload: Payload): void {
    cell.value = payload;
    if (payload.object === null) return;
    payload.object.use('received');
    payload.object.pin(this);
    cell.pinned = true;
  }

  free(cell: Cell): void {
    if (cell.pinned) (cell.value as Payload).object?.unpin(this);
  }

  lostError(id: string, reason: string): unknown {
    this.#control.checkLost(id, reason, this);
    return new Failure('lost', `${id}: ${reason}`);
  }

  addressOf(party: number): Address {
    return (this.#control.hosts.get(party) as Host).address;
  }

  recordSize(): number {
    return 100;
  }

  /** Takes away a value in shared memory that only this party has: what a lost node or a bad disk does. */
  loseSomething(): boolean {
    for (const cell of this.#private) {
      if (cell.id !== null || !cell.pinned || cell.state !== READY) continue;
      if (this.party.owner.inFlight.some((task) => task?.uses.includes(cell))) continue;
      const { object } = cell.value as Payload;
      if (!this.world.random.chance(0.5) || object === null || !object.lose(this)) continue;
      this.world.log(() => `${this.name} loses ${object.name}`);
      this.#control.losses++;
      this.turn(() => this.party.lost(cell));
      return true;
    }
    return false;
  }

  acknowledge(worker: number, receipt: number): void {
    const target = this.#control.hosts.get(worker) as Host;
    this.#outgoingTo(target).link.send({ to: 'acknowledge', receipt });
  }

  wantsRetry(task: TaskRecord, failure: Cell): boolean {
    return (task as SimTask).spec.retryErrors && failureOf(failure).kind === 'program';
  }

  drain(party: number): void {
    const dead = this.#control.hosts.get(party) as Host;
    if (dead.alive) throw new Violation('a living party is drained');
    dead.#outgoing.get(this)?.link.drain();
  }

  autopsy(worker: number): { guilty: number; started(task: TaskRecord): boolean } {
    const dead = this.#control.hosts.get(worker) as Host;
    const { onStack } = dead;
    const pushes = this.#outgoing.get(dead)?.pushes;
    const guilty = !dead.killed && onStack !== null && onStack.from === this ? onStack.slot : -1;
    const started = (task: TaskRecord): boolean => pushes?.get(task.ticket)?.state === CLAIMED;
    const { inFlight } = this.party.owner;
    const there = inFlight.filter((task) => task?.lease?.worker === worker) as SimTask[];
    this.#deathCheck = new DeathCheck(there, guilty, started, this.world.config.owner, this.world.counts);
    return { guilty, started };
  }

  discard(payload: unknown): void {
    this.#unpin(payload);
  }
}

function cancelled(run: SimRun): Raised {
  return new Raised(new Failure('cancelled', String(run.spec.seed)), 0, false);
}

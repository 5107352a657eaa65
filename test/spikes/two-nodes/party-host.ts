import assert from 'node:assert/strict';
import {
  type Address,
  Cell,
  FAILED,
  type FromControl,
  type Lease,
  NO_CELLS,
  nodeOf,
  Party,
  type PartyPort,
  type Reply,
  Run,
  type Shape,
  TaskRecord,
  Timing,
  type ToControl,
} from '../../../src/protocol/index.ts';
import type { Node } from './control-node.ts';
import { Pipe } from './pipe.ts';
import type { Handle, Kind, Mail, Value } from './vocabulary.ts';

interface Spec {
  readonly kind: Kind;
  readonly seed: number;
  readonly deps: readonly Cell[];
  readonly lent: readonly Handle[];
}

class Task extends TaskRecord {
  spec: Spec | undefined;
}

interface Push {
  readonly slot: number;
  readonly caller: PartyHost;
  readonly kind: Kind;
  readonly seed: number;
  readonly deps: readonly { readonly value: Value; readonly inner: readonly string[] }[];
  readonly lent: readonly { readonly id: string; readonly n: number }[];
  state: 'fresh' | 'started' | 'recalled';
}

type Frame =
  | { readonly type: 'push'; readonly push: Push }
  | { readonly type: 'reply'; readonly reply: Reply<Value> }
  | { readonly type: 'acknowledge'; readonly receipt: number };

const SHAPE: Shape = { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: false };

/** One thread of user code around the rules: a driver, or a worker that runs small tasks. */
export class PartyHost implements PartyPort<Value> {
  readonly node: Node;
  readonly address: Address;
  readonly party: Party<Value>;
  readonly toControl: Pipe<ToControl<Value> | Mail>;
  readonly fromControl: Pipe<FromControl<Value>>;
  readonly #from = new Map<number, Pipe<Frame>>();
  readonly #pushes = new Map<number, Push>();
  readonly #inbox: Push[] = [];
  readonly mournedParties = new Map<number, Address>();
  readonly handles: Handle[] = [];
  readonly #timing = new Timing();
  #tickets = 0;
  #ticking = false;
  alive = true;
  waits = 0;
  looked = 0;

  constructor(node: Node, address: Address) {
    this.node = node;
    this.address = address;
    this.party = new Party<Value>(address, this);
    this.toControl = new Pipe(node.cluster, (m) => node.receive(this, m));
    this.fromControl = new Pipe(node.cluster, (m) => this.turn(() => this.party.fromControl(m)));
  }

  turn(work: () => void): void {
    if (!this.alive) return;
    const { owner } = this.party;
    const { clock } = this.node.cluster;
    owner.now = clock.now;
    work();
    owner.settleUp();
    this.#startNext();
    const wait = owner.nextTick;
    if (wait === undefined || this.#ticking) return;
    this.#ticking = true;
    clock.after(wait + 0.1, () => {
      this.#ticking = false;
      this.turn(() => owner.tick());
    });
  }

  pipeFrom(other: PartyHost): Pipe<Frame> {
    const { party } = other.address;
    let pipe = this.#from.get(party);
    if (pipe === undefined) {
      pipe = new Pipe(this.node.cluster, (frame) => this.turn(() => this.#frame(other, frame)));
      this.#from.set(party, pipe);
    }
    return pipe;
  }

  #frame(from: PartyHost, frame: Frame): void {
    if (frame.type === 'push') this.#inbox.push(frame.push);
    else if (frame.type === 'acknowledge') this.party.executor.acknowledged(frame.receipt);
    else this.party.replied(from.address, frame.reply);
  }

  // ---- what a program does

  #later(run: () => void): void {
    const { clock, random } = this.node.cluster;
    clock.after(random.int(30), () => this.turn(run));
  }

  put(n: number, inside: readonly Handle[]): void {
    const cell = new Cell();
    for (const { cell: inner } of inside) this.party.references.hold(inner);
    const value: Value = { n, expect: inside.map((h) => h.n) };
    this.party.references.settle(
      cell,
      false,
      value,
      false,
      inside.map((h) => h.cell),
    );
    this.handles.push({ cell, n });
  }

  call(kind: Kind, seed: number, deps: readonly Handle[], lent: readonly Handle[]): void {
    const cell = new Cell();
    const task = new Task(this.party.owner.queue(SHAPE), this.#timing, cell, 100, 1);
    task.spec = { kind, seed, deps: deps.map((h) => h.cell), lent };
    task.dependencies = task.spec.deps;
    task.uses = [...task.spec.deps, ...lent.map((h) => h.cell)];
    cell.task = task;
    const n = kind === 'delegate' ? (lent[0] as Handle).n : deps.reduce((sum, h) => sum + h.n, seed);
    this.handles.push({ cell, n });
    this.party.owner.submit(task);
  }

  /** Passes a reference on to the other node's driver. */
  give({ cell, n }: Handle, to: PartyHost): void {
    this.party.references.grant(cell, to.address.party);
    const by = this.address.party;
    this.toControl.send({ type: 'mail', to: to.address.party, id: cell.id as string, n, by });
  }

  given({ id, n, by }: Mail): void {
    this.turn(() => this.handles.push({ cell: this.party.references.granted(id, by), n }));
  }

  /** Looks at the value when it is there, and perhaps at what is inside. */
  look(handle: Handle): void {
    const { references } = this.party;
    const { cell } = handle;
    references.hold(cell);
    this.waits++;
    const seen = (): void => {
      this.waits--;
      const { cluster, id } = this.node;
      this.looked++;
      const value = cell.value as Value;
      if (cell.state === FAILED) {
        cluster.lost++;
        this.#checkFailure(value);
      } else {
        if (cell.owner !== null && cell.owner.node !== id) cluster.foreign++;
        assert.equal(value.n, handle.n, `the value of ${cell.id ?? 'a private reference'}`);
        for (const [i, inner] of cell.inner.entries()) {
          references.hold(inner);
          this.handles.push({ cell: inner, n: value.expect[i] as number });
        }
      }
      references.drop(cell);
    };
    if (cell.settled) seen();
    else {
      cell.addWaiter({ cellSettled: () => this.#later(seen) });
      references.need(cell);
    }
  }

  #checkFailure(value: Value): void {
    assert.ok(
      value.failure !== undefined && this.node.cluster.deadParties.size > 0,
      `failed for no reason: ${value.failure}`,
    );
  }

  dropOne(at: number): void {
    const [handle] = this.handles.splice(at, 1);
    if (handle !== undefined) this.party.references.drop(handle.cell);
  }

  // ---- what a worker does

  #startNext(): void {
    const push = this.#inbox[0];
    if (push === undefined || !this.party.executor.mayStart(1, false, true)) return;
    this.#inbox.shift();
    if (push.state === 'recalled') {
      this.#startNext();
      return;
    }
    push.state = 'started';
    const { references, executor } = this.party;
    const run = new Run(push.caller.address.party, push.slot, 1, false);
    executor.started(run);
    const lend = (id: string): Cell => {
      const cell = references.adopt(id);
      references.hold(cell);
      executor.own(run, cell);
      return cell;
    };
    const inside = push.deps.map(({ inner }) => inner.map(lend));
    const lent = push.lent.map(({ id, n }): Handle => ({ cell: lend(id), n }));
    run.lent = [...inside.flat(), ...lent.map((h) => h.cell)];
    this.#later(() => this.#finish(run, push, lent));
  }

  #finish(run: Run, push: Push, lent: readonly Handle[]): void {
    const { references, executor } = this.party;
    const { random } = this.node.cluster;
    // User code may keep what it was lent, and look at it long after the task has ended.
    for (const handle of lent) {
      if (!random.chance(0.3)) continue;
      references.hold(handle.cell);
      if (random.chance(0.5)) this.look(handle);
      this.#later(() => references.drop(handle.cell));
    }
    const inside: Handle[] = push.kind === 'wrap' ? [...lent] : [];
    if (push.kind === 'make') {
      const cell = new Cell();
      references.settle(cell, false, { n: push.seed * 3, expect: [] } satisfies Value, false, NO_CELLS);
      executor.own(run, cell);
      inside.push({ cell, n: push.seed * 3 });
    }
    const delegate = push.kind === 'delegate' ? (lent[0] as Handle).cell : null;
    const granted = delegate === null ? inside.map((h) => h.cell) : [delegate];
    const payload: Value = {
      n: push.deps.reduce((sum, { value }) => sum + value.n, push.seed),
      expect: inside.map((h) => h.n),
    };
    const { kept, receipt } = executor.finish(run, granted, undefined);
    const result = {
      payload,
      inner: inside.map((h) => references.promote(h.cell)),
      delegate: delegate === null ? null : references.promote(delegate),
    };
    const reply: Reply<Value> = { slot: push.slot, micros: 10, failed: false, results: [result], kept, receipt };
    push.caller.pipeFrom(this).send({ type: 'reply', reply });
  }

  // ---- ports

  #workerOf(number: number): PartyHost | undefined {
    return this.node.hosts.get(number);
  }

  push(task: TaskRecord, lease: Lease): number {
    const worker = this.#workerOf(lease.worker);
    if (worker === undefined) return ++this.#tickets;
    const { kind, seed, deps, lent } = (task as Task).spec as Spec;
    const { references } = this.party;
    const push: Push = {
      slot: task.slot,
      caller: this,
      kind,
      seed,
      deps: deps.map((cell) => ({
        value: this.encode(cell),
        inner: cell.inner.map((each) => references.promote(each)),
      })),
      lent: lent.map(({ cell, n }) => ({ id: references.promote(cell), n })),
      state: 'fresh',
    };
    this.#pushes.set(++this.#tickets, push);
    worker.pipeFrom(this).send({ type: 'push', push });
    return this.#tickets;
  }

  recall(task: TaskRecord): boolean {
    const push = this.#pushes.get(task.ticket);
    if (push === undefined || push.state !== 'fresh') return false;
    push.state = 'recalled';
    return true;
  }

  control(message: ToControl<Value>): void {
    this.toControl.send(message);
  }

  fail(task: TaskRecord, error: unknown): void {
    task.eachResult((cell) => this.party.references.settle(cell, true, error, false, NO_CELLS));
  }

  workerDied(_task: TaskRecord, reason: string): Value {
    return { n: 0, expect: [], failure: `the worker died: ${reason}` };
  }

  unschedulable(): Value {
    return { n: 0, expect: [], failure: 'unschedulable' };
  }

  lostError(id: string, reason: string): Value {
    const { deadParties, nodes } = this.node.cluster;
    const cause = [...deadParties].some((key) => nodeOf(id) === key.slice(0, 16));
    assert.ok(cause, `${id} is lost, and nobody on its node has died: ${reason}`);
    assert.equal(nodes.length, 2);
    return { n: 0, expect: [], failure: `lost: ${reason}` };
  }

  encode(cell: Cell): Value {
    return cell.value as Value;
  }

  decode(cell: Cell, payload: Value): void {
    cell.value = payload;
  }

  addressOf(party: number): Address {
    return this.node.cluster.addresses.get(party) as Address;
  }

  mourned(party: number): Address | undefined {
    return this.mournedParties.get(party);
  }

  acknowledge(worker: number, receipt: number): void {
    this.#workerOf(worker)?.pipeFrom(this).send({ type: 'acknowledge', receipt });
  }

  drain(party: number): void {
    this.#from.get(party)?.drain();
    // Its number may have another holder.
    this.#from.delete(party);
  }

  autopsy(): { guilty: number; started(task: TaskRecord): boolean } {
    return { guilty: -1, started: (task) => this.#pushes.get(task.ticket)?.state === 'started' };
  }

  free(): void {}
  cancelRunning(): void {}
  retrying(): void {}
  discard(): void {}
  wantsRetry(): boolean {
    return false;
  }
}

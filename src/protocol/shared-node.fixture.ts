import { FakeHost, SHAPE } from './fake-ports.fixture.ts';
import { type Lease, SCHEDULER_LIMITS, Scheduler, type Shape, type TaskRecord, Timing } from './index.ts';

/** One function of one caller: what its calls take, in microseconds of the node's clock, and when they were over. */
export interface SharedKind {
  readonly name: string;
  readonly caller: Caller;
  readonly shape: Shape;
  readonly timing: Timing;
  readonly micros: (call: number) => number;
  submitted: number;
  /** Microseconds of workers that its calls have had. */
  used: number;
  readonly ended: { readonly call: number; readonly at: number }[];
}

interface Pushed {
  readonly task: TaskRecord;
  readonly caller: Caller;
  state: 'sent' | 'begun' | 'over' | 'recalled';
}

/** A worker runs what was pushed to it, in that order. */
class Worker {
  readonly queue: Pushed[] = [];
  running: Pushed | undefined;
  until = 0;
}

class Caller extends FakeHost {
  readonly name: string;
  readonly #node: SharedNode;
  readonly #tickets = new Map<number, Pushed>();
  #next = 0;

  constructor(name: string, number: number, node: SharedNode) {
    super(number);
    this.name = name;
    this.#node = node;
  }

  override push(task: TaskRecord, lease: Lease): number {
    const pushed: Pushed = { task, caller: this, state: 'sent' };
    this.#tickets.set(++this.#next, pushed);
    this.#node.worker(lease.worker).queue.push(pushed);
    return this.#next;
  }

  override recall(task: TaskRecord): boolean {
    const pushed = this.#tickets.get(task.ticket) as Pushed;
    if (pushed.state !== 'sent') return false;
    pushed.state = 'recalled';
    return true;
  }
}

const STEP_MS = SCHEDULER_LIMITS.quantum;

/** Callers, workers and the scheduler of one node with a clock of its own, on which messages take no time. */
export class SharedNode {
  readonly #scheduler: Scheduler;
  readonly #callers = new Map<string, Caller>();
  readonly #workers = new Map<number, Worker>();
  readonly #calls = new Map<TaskRecord, { readonly kind: SharedKind; readonly call: number }>();
  #nextLook = 0;
  /** Microseconds. */
  now = 0;

  constructor(cpus: number) {
    const callerOf = (owner: string) => this.#callers.get(owner) as Caller;
    const started: { worker: number; incarnation: number }[] = [];
    this.#scheduler = new Scheduler(
      {
        spawn: (worker, incarnation) => started.push({ worker, incarnation }),
        grant: (owner, key, lease, worker, incarnation, gpus) =>
          callerOf(owner).party.fromControl({ type: 'grant', key, lease, worker, incarnation, gpus }),
        reclaim: (owner, lease) => callerOf(owner).party.fromControl({ type: 'reclaim', lease }),
        wanted: (owner, lease) => callerOf(owner).party.fromControl({ type: 'wanted', lease }),
        infeasible: (_owner, _key, reason) => {
          throw new Error(reason);
        },
      },
      { cpus, gpus: 0, memory: 0, custom: {} },
    );
    for (let party = 0; party < 10; party++) this.#scheduler.reserve(party);
    this.#scheduler.prestart(cpus, 'process');
    for (const { worker, incarnation } of started) this.#scheduler.workerStarted(worker, incarnation);
  }

  caller(name: string): Caller {
    let caller = this.#callers.get(name);
    if (caller === undefined) {
      caller = new Caller(name, this.#callers.size + 1, this);
      this.#callers.set(name, caller);
    }
    return caller;
  }

  worker(number: number): Worker {
    let worker = this.#workers.get(number);
    if (worker === undefined) {
      worker = new Worker();
      this.#workers.set(number, worker);
    }
    return worker;
  }

  kind(
    name: string,
    caller: string,
    micros: number | ((call: number) => number),
    shape: Partial<Shape> = {},
  ): SharedKind {
    return {
      name,
      caller: this.caller(caller),
      shape: { ...SHAPE, ...shape },
      timing: new Timing(),
      micros: typeof micros === 'number' ? () => micros : micros,
      submitted: 0,
      used: 0,
      ended: [],
    };
  }

  submit(kind: SharedKind, count: number): void {
    const { owner } = kind.caller.party;
    owner.now = this.now / 1000;
    for (let i = 0; i < count; i++) {
      const task = kind.caller.record(kind);
      this.#calls.set(task, { kind, call: kind.submitted++ });
      owner.submit(task);
    }
    this.#settle();
  }

  /** Lets time pass until `done`, or for so many microseconds. */
  run(done: () => boolean, limit = Number.POSITIVE_INFINITY): void {
    const end = this.now + limit;
    while (!done() && this.now < end) {
      let next = Math.min(this.#nextLook, end);
      for (const worker of this.#workers.values())
        if (worker.running !== undefined) next = Math.min(next, worker.until);
      for (const { party } of this.#callers.values()) {
        const due = party.owner.nextTick;
        if (due !== undefined) next = Math.min(next, this.now + Math.max(1, Math.ceil(due * 1000)));
      }
      this.now = Math.max(this.now, next);
      this.#pass();
    }
  }

  #pass(): void {
    const ms = this.now / 1000;
    this.#scheduler.now = ms;
    for (const { party } of this.#callers.values()) party.owner.now = ms;
    for (const [number, worker] of this.#workers) {
      if (worker.running !== undefined && worker.until <= this.now) this.#end(number, worker, worker.running);
    }
    for (const { party } of this.#callers.values()) if (party.owner.nextTick === 0) party.owner.tick();
    if (this.now >= this.#nextLook) {
      this.#scheduler.tick();
      this.#nextLook = this.now + STEP_MS * 1000;
    }
    this.#settle();
  }

  #end(number: number, worker: Worker, pushed: Pushed): void {
    const { task, caller } = pushed;
    const { kind, call } = this.#calls.get(task) as { kind: SharedKind; call: number };
    pushed.state = 'over';
    worker.running = undefined;
    kind.used += kind.micros(call);
    kind.ended.push({ call, at: this.now });
    this.#calls.delete(task);
    caller.party.completed(number, task.slot, kind.micros(call), 0);
  }

  /** Messages are delivered and workers begin what they can, until nothing moves. */
  #settle(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [name, caller] of this.#callers) {
        caller.party.owner.settleUp();
        for (const message of caller.said.splice(0)) {
          moved = true;
          if (message.type === 'demand') this.#scheduler.demand(name, message.key, message.shape, message.total);
          else if (message.type === 'return') this.#scheduler.returned(name, message.lease);
        }
      }
      for (const worker of this.#workers.values()) {
        if (worker.running !== undefined) continue;
        const next = worker.queue.shift();
        if (next === undefined) continue;
        moved = true;
        if (next.state !== 'sent') continue;
        const { kind, call } = this.#calls.get(next.task) as { kind: SharedKind; call: number };
        next.state = 'begun';
        worker.running = next;
        worker.until = this.now + kind.micros(call);
      }
    }
  }
}

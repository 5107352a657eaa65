import {
  type Address,
  type Cell,
  DONE,
  FAILED,
  type Lease,
  Mailbox,
  NO_CELLS,
  OWNER_LIMITS,
  Party,
  type PartyPort,
  type TaskRecord,
  type ToControl,
} from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Call, Pushed } from './call.ts';
import type { Line } from './line.ts';
import type { Simulation } from './simulation.ts';

/** A party: one that calls, or a worker that hosts. */
export class Node implements PartyPort<unknown> {
  readonly sim: Simulation;
  readonly address: Address;
  readonly party: Party<unknown>;
  alive = true;
  readonly lines = new Map<string, Line>();
  readonly unsettled = new Set<Call>();
  readonly inbox = new Map<Node, Pushed[]>();
  mailbox: Mailbox<Pushed> | null = null;
  hosted: Pushed | null = null;
  retiring = false;
  readonly running = new Set<Pushed>();
  /** The newest number of each line that has begun here. */
  readonly begun = new Map<Line, number>();
  readonly pushes = new Map<number, Pushed>();
  #tickets = 0;

  constructor(sim: Simulation, address: Address) {
    this.sim = sim;
    this.address = address;
    this.party = new Party<unknown>(address, this, OWNER_LIMITS);
  }

  // ---- its port

  push(task: TaskRecord, lease: Lease): number {
    // As a link has it, to one that is dead and not buried, too.
    const target = this.sim.nodes.get(lease.worker);
    if (target?.address.incarnation !== lease.incarnation) throw new Violation('a push to nobody');
    const pushed: Pushed = { call: task as Call, slot: task.slot, from: this, state: 'sent' };
    this.pushes.set(++this.#tickets, pushed);
    this.sim.send(this, target, { to: 'worker', pushed });
    return this.#tickets;
  }

  recall(task: TaskRecord): boolean {
    const pushed = this.pushes.get(task.ticket) as Pushed;
    if (pushed.state === 'claimed') return false;
    pushed.state = 'recalled';
    return true;
  }

  cancelRunning(): void {}

  control(message: ToControl<unknown>): void {
    this.sim.send(this, null, { to: 'control', message });
  }

  fail(task: TaskRecord, error: unknown): void {
    task.eachResult((cell) => {
      if (!cell.settled) this.party.references.settle(cell, true, error, false, NO_CELLS);
    });
  }

  workerDied(task: TaskRecord): unknown {
    return (task as Call).line.died();
  }

  unschedulable(): unknown {
    throw new Violation('an actor can be had nowhere');
  }

  unheld(task: TaskRecord): void {
    const { line } = task as Call;
    line.excused = true;
    this.sim.later(() =>
      this.turn(() => {
        if (task.lease === null) this.party.owner.cancel(task, 'it was let go', false);
        else this.control({ type: 'drain-actor', id: line.id });
      }),
    );
  }

  retrying(): void {}
  acknowledge(): void {}
  wantsRetry(): boolean {
    return false;
  }
  drain(party: number): void {
    this.sim.drain(this.sim.nodes.get(party) as Node, this);
  }
  autopsy(): { guilty: number; started(task: TaskRecord): boolean } {
    return { guilty: -1, started: (task) => this.pushes.get(task.ticket)?.state === 'claimed' };
  }
  discard(): void {}
  encode(cell: Cell): unknown {
    return cell.value;
  }
  decode(cell: Cell, payload: unknown): void {
    cell.value = payload;
  }
  free(): void {}
  lostError(_id: string, reason: string): unknown {
    return reason;
  }
  addressOf(party: number): Address {
    return (this.sim.nodes.get(party) as Node).address;
  }

  // ---- its turns

  turn(work: () => void): void {
    if (!this.alive) return;
    this.party.owner.now = this.sim.now;
    work();
    this.party.owner.settleUp();
    this.#ended();
    this.#pick();
  }

  /** What the host does at the end of a call. */
  #ended(): void {
    for (const call of this.unsettled) {
      if (call.state !== DONE) continue;
      this.unsettled.delete(call);
      call.line.pending--;
      call.line.quiet();
    }
    for (const { host, id, cell } of this.lines.values()) {
      if (host.state !== DONE || host.line.told) continue;
      host.line.told = true;
      this.control({ type: 'actor-over', id, why: cell.state === FAILED ? 'why' : null });
    }
  }

  #pick(): void {
    for (const [from, line] of this.inbox) {
      for (;;) {
        while (line[0]?.state === 'recalled') line.shift();
        const next = line[0];
        if (next === undefined) break;
        if (next.call.resident) {
          if (this.hosted !== null) throw new Violation('two actors on one worker');
          this.#host(next);
        } else {
          if (this.mailbox?.mayBegin(0) !== true) break;
          this.#begin(next);
        }
        next.state = 'claimed';
        if (line.shift() !== next || !from.alive) break;
      }
    }
  }

  #host(pushed: Pushed): void {
    const { id } = pushed.call.line;
    this.hosted = pushed;
    this.begun.clear();
    this.mailbox = new Mailbox({ concurrency: this.sim.concurrency, groups: [] });
    if (++pushed.call.runs > 1) this.sim.restarts++;
    this.control({ type: 'hosting', id, ready: false });
    this.sim.later(() => {
      if (!this.alive || this.hosted !== pushed || this.mailbox === null) return;
      this.mailbox.ready = true;
      this.control({ type: 'hosting', id, ready: true });
      this.turn(() => {});
    });
  }

  #begin(pushed: Pushed): void {
    const { call } = pushed;
    if (call.line.host !== this.hosted?.call) throw new Violation('a call at an actor that is not its own');
    if (pushed.from.alive && call.state === DONE) throw new Violation(`call ${call.number} runs after it is over`);
    if (++call.runs > call.allowed) throw new Violation(`call ${call.number} runs ${call.runs} times`);
    if (call.number <= (this.begun.get(call.line) ?? 0)) throw new Violation(`call ${call.number} is out of order`);
    this.begun.set(call.line, call.number);
    this.mailbox?.began(0);
    this.running.add(pushed);
    if (this.running.size > this.sim.concurrency) throw new Violation('more calls go on than may');
    this.sim.later(() => this.turn(() => this.#end(pushed)));
  }

  #end(pushed: Pushed): void {
    if (!this.running.delete(pushed)) return;
    this.mailbox?.ended(0);
    this.sim.send(this, pushed.from, { to: 'reply', slot: pushed.slot });
    this.#retireIfQuiet();
  }

  retire(id: string): void {
    if (this.hosted?.call.line.id !== id) return;
    this.retiring = true;
    this.#retireIfQuiet();
  }

  #retireIfQuiet(): void {
    const { hosted } = this;
    if (!this.retiring || hosted === null || this.mailbox?.quiet !== true) return;
    this.retiring = false;
    this.mailbox = null;
    this.hosted = null;
    this.sim.send(this, hosted.from, { to: 'reply', slot: hosted.slot });
  }
}

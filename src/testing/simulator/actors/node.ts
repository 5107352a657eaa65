import {
  type ActorNews,
  type Address,
  type Cell,
  DONE,
  FAILED,
  type FromControl,
  type Lease,
  NO_CELLS,
  OWNER_LIMITS,
  Party,
  type PartyPort,
  type Reply,
  type TaskRecord,
  type ToControl,
} from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Call, Pushed } from './call.ts';
import { Hosting } from './hosting.ts';
import { Line } from './line.ts';
import { Runs } from './runs.ts';
import type { Simulation } from './simulation.ts';

/** A party: a driver, or a worker, which runs tasks and hosts actors, and calls others. */
export class Node implements PartyPort<unknown> {
  readonly sim: Simulation;
  readonly address: Address;
  readonly party: Party<unknown>;
  readonly runs: Runs;
  alive = true;
  readonly #lines = new WeakMap<Cell, Line>();
  /** By the id of the actor: what was to be another one, and turned out to be it. */
  readonly #aliases = new Map<string, Line[]>();
  /** Tasks of actors that are owned here, and calls, that are not over. */
  readonly #hosts = new Set<Call>();
  readonly #unsettled = new Set<Call>();
  readonly #inbox = new Map<Node, Pushed[]>();
  hosting: Hosting | null = null;
  readonly #pushes = new Map<number, Pushed>();
  #tickets = 0;
  /** How often it has said that it calls an actor, and how often the control thread has heard that. */
  watches = 0;
  watchesHeard = 0;
  #inTurn = false;

  constructor(sim: Simulation, address: Address) {
    this.sim = sim;
    this.address = address;
    this.party = new Party<unknown>(address, this, OWNER_LIMITS);
    this.runs = new Runs(this);
  }

  // ---- its port

  push(task: TaskRecord, lease: Lease): number {
    // As a link has it, to one that is dead and not buried, too.
    const target = this.sim.control.nodes.get(lease.worker);
    if (target?.address.incarnation !== lease.incarnation) throw new Violation('a push to nobody');
    const call = task as Call;
    const handles = call.handles.map(({ cell }) => this.party.references.promote(cell));
    const pushed: Pushed = { call, slot: task.slot, from: this, handles, state: 'sent' };
    this.#pushes.set(++this.#tickets, pushed);
    this.sim.links.send(this, target, { to: 'worker', pushed });
    return this.#tickets;
  }

  #pushed({ ticket }: TaskRecord): Pushed {
    return this.#pushes.get(ticket) as Pushed;
  }

  recall(task: TaskRecord): boolean {
    const pushed = this.#pushed(task);
    if (pushed.state !== 'sent') return false;
    pushed.state = 'recalled';
    return true;
  }

  cancelRunning(task: TaskRecord, lease: Lease): void {
    const target = this.sim.control.nodes.get(lease.worker);
    if (target?.alive) this.sim.links.send(this, target, { to: 'cancel', pushed: this.#pushed(task) });
  }

  control(message: ToControl<unknown>): void {
    this.sim.links.send(this, null, { to: 'control', message });
  }

  fail(task: TaskRecord, error: unknown): void {
    task.eachResult((cell) => {
      if (!cell.settled) this.party.references.settle(cell, true, error, false, NO_CELLS);
    });
  }

  workerDied(task: TaskRecord): unknown {
    const call = task as Call;
    if (call.runs < call.allowed) throw new Violation(`${call.name} may run again, and fails`);
    if (call.hosts !== null) call.hosts.excuse = 'its worker has died, and it has no restarts left';
    return 'its worker died';
  }

  unschedulable(): unknown {
    throw new Violation('a worker can be had nowhere');
  }

  unheld(task: TaskRecord): void {
    const { hosts } = task as Call;
    this.soon(() => {
      if (task.lease === null) {
        if (hosts !== null) hosts.excuse ??= 'it was let go before it had a worker';
        this.party.owner.cancel(task, 'it was let go', false);
      } else if (hosts !== null) this.control({ type: 'drain-actor', id: hosts.id });
    });
  }

  retrying(): void {}
  acknowledge(worker: number, receipt: number): void {
    const target = this.sim.control.nodes.get(worker);
    if (target?.alive) this.sim.links.send(this, target, { to: 'acknowledge', receipt });
  }
  wantsRetry(): boolean {
    return false;
  }
  drain(party: number): void {
    this.sim.links.drain(this.sim.control.nodes.get(party) as Node, this);
  }
  autopsy(): { guilty: number; started(task: TaskRecord): boolean } {
    return { guilty: -1, started: (task) => this.#pushed(task).state === 'begun' };
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
    return (this.sim.control.nodes.get(party) as Node).address;
  }

  // ---- its turns

  turn(work: () => void): void {
    if (!this.alive) return;
    if (this.#inTurn) {
      work();
      return;
    }
    this.#inTurn = true;
    this.party.owner.now = this.sim.now;
    work();
    this.party.owner.settleUp();
    this.#lookAtEnds();
    this.#pick();
    this.#inTurn = false;
  }

  /** In a turn of its own. */
  soon(work: () => void): void {
    this.sim.later(() => this.turn(work));
  }

  submitted(call: Call): void {
    (call.hosts === null ? this.#unsettled : this.#hosts).add(call);
    this.party.owner.submit(call);
  }

  /** What the host does at the end of a call. */
  #lookAtEnds(): void {
    for (const call of this.#unsettled) {
      if (call.state !== DONE) continue;
      this.#unsettled.delete(call);
      if (call.line === null) continue;
      call.line.pending--;
      if (call.line.closing) this.#quiet(call.line.actor.id);
    }
    for (const host of this.#hosts) {
      if (host.state !== DONE) continue;
      this.#hosts.delete(host);
      const why = host.result.state === FAILED ? 'why' : null;
      if (host.hosts !== null) this.control({ type: 'actor-over', id: host.hosts.id, why });
    }
  }

  // ---- the actors that it knows

  /** What it knows of the actor that the cell stands for. */
  line(cell: Cell): Line {
    let line = this.#lines.get(cell);
    if (line === undefined) {
      line = new Line(this, cell, this.sim.actor(cell.id as string));
      this.#lines.set(cell, line);
    }
    return line;
  }

  #linesOf(id: string): Line[] {
    const { owned, borrowed } = this.party.references;
    const cell = owned.get(id) ?? borrowed.get(id);
    const own = cell === undefined ? undefined : this.#lines.get(cell);
    return [...(this.#aliases.get(id) ?? []), ...(own === undefined ? [] : [own])];
  }

  news(news: ActorNews<unknown>): void {
    for (const line of this.#linesOf(news.id)) line.news(news);
    if (news.state === 'closing') this.#quiet(news.id);
    if (news.state === 'dead') this.#aliases.delete(news.id);
  }

  #quiet(id: string): void {
    if (this.#linesOf(id).every(({ pending }) => pending === 0)) this.control({ type: 'quiet-actor', id });
  }

  /** The name that an actor was to have is looked up: it is created, or is the one that has the name, or can't be. */
  claimed(line: Line, id: string | null, join: boolean): void {
    const { references } = this.party;
    const { actor, cell } = line;
    if (id === null) {
      this.control({ type: 'create-actor', id: actor.id, namespace: '', name: actor.name });
      this.submitted(actor.host);
      line.named();
    } else if (join) {
      references.delegate(cell, references.served(id));
      this.control({ type: 'alias-actor', id: actor.id, of: id });
      this.#alias(line, id);
    } else {
      actor.excuse = 'its name is taken';
      line.refuse();
      references.settle(cell, true, actor.excuse, false, NO_CELLS);
      this.control({ type: 'create-actor', id: actor.id, namespace: '', name: null });
      this.control({ type: 'actor-over', id: actor.id, why: actor.excuse });
    }
    // They were held for as long as it was not known.
    for (const each of [cell, ...actor.host.handles.map((handle) => handle.cell)]) references.drop(each);
  }

  #alias(line: Line, id: string): void {
    this.#aliases.set(id, [...(this.#aliases.get(id) ?? []), line]);
    line.join(this.sim.actor(id));
  }

  joined(id: string, of: string): void {
    for (const line of this.#linesOf(id)) this.#alias(line, of);
  }

  // ---- what it is sent

  fromControl(message: FromControl<unknown>): void {
    if (message.type === 'died') {
      const dead = this.sim.control.nodes.get(message.party) as Node;
      this.party.fromControl(message);
      this.#inbox.delete(dead);
      this.hosting?.callerDied(dead);
      // What an actor does is nobody's any more: its worker goes with it.
      if (this.hosting?.actor.owner === dead) this.sim.later(() => this.sim.control.kill(this));
    } else this.party.fromControl(message);
  }

  replied(worker: Node, reply: Reply<unknown>): void {
    const [result] = reply.results;
    const plain = !reply.failed && result?.inner.length === 0 && reply.kept.length === 0 && reply.receipt === 0;
    if (plain) this.party.completed(worker.address.party, reply.slot, 1, result.payload);
    else this.party.replied(worker.address, reply);
  }

  came(from: Node, pushed: Pushed): void {
    const line = this.#inbox.get(from) ?? [];
    this.#inbox.set(from, line);
    line.push(pushed);
  }

  cancelled(pushed: Pushed): void {
    this.hosting?.cancel(pushed);
  }

  // ---- what it runs

  #pick(): void {
    while (this.hosting?.next()) {}
    const inboxes = [...this.#inbox.values()];
    const first = inboxes.length > 1 ? this.sim.random.int(inboxes.length) : 0;
    for (let i = 0; i < inboxes.length; i++) {
      const line = inboxes[(first + i) % inboxes.length] as Pushed[];
      for (;;) {
        while (line[0]?.state === 'recalled') line.shift();
        const next = line[0];
        if (next === undefined || !this.#take(next)) break;
        line.shift();
      }
    }
  }

  #take(pushed: Pushed): boolean {
    const { call } = pushed;
    if (call.hosts !== null) {
      if (this.hosting !== null) return this.#busyFor(pushed);
      this.#host(pushed);
      return true;
    }
    if (call.line !== null) return this.hosting?.take(pushed) === true;
    if (this.hosting !== null) return this.#busyFor(pushed);
    if (!this.party.executor.mayStart(1, false, true)) return false;
    const run = this.runs.begin(pushed);
    this.runs.act(run, () => this.runs.finish(run));
    return true;
  }

  /** The worker of an owner that has died may be lent again before word of that death has come here. */
  #busyFor({ call, from }: Pushed): false {
    if (this.hosting?.actor.owner.alive && from.alive) throw new Violation(`${call.name} beside an actor`);
    return false;
  }

  #host(pushed: Pushed): void {
    const { hosts } = pushed.call;
    if (hosts === null) return;
    const run = this.runs.begin(pushed);
    if (pushed.call.runs > pushed.call.allowed) throw new Violation('an actor is made once more than it may be');
    if (pushed.call.runs > 1) this.sim.restarts++;
    const hosting = new Hosting(this, run, hosts);
    this.hosting = hosting;
    this.control({ type: 'hosting', id: hosts.id, ready: false });
    this.soon(() => {
      if (this.hosting !== hosting) return;
      if (hosting.closing) return;
      hosting.mailbox.ready = true;
      const disposes = hosts.disposes ? { disposes: pushed.handles } : {};
      this.control({ type: 'hosting', id: hosts.id, ready: true, ...disposes });
    });
  }

  retire(id: string): void {
    if (this.hosting?.actor.id === id) this.hosting.retire();
  }

  /** The session ends. */
  end(id: string): void {
    const over = (): void => this.sim.links.send(this, null, { to: 'ended', id });
    if (this.hosting?.actor.id === id) this.hosting.close(over);
    else over();
  }

  /** The actor here has ended. */
  ended({ run, mailbox }: Hosting): void {
    if (!mailbox.quiet) throw new Violation('an actor ends while calls of it go on');
    this.hosting = null;
    this.runs.finish(run);
  }
}

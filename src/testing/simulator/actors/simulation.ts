import { Cell, DONE, NO_CELLS, Timing } from '../../../protocol/index.ts';
import { mix, Random } from '../random.ts';
import { Violation } from '../values.ts';
import { Actor } from './actor.ts';
import { Call, type Message, SHAPE, TASKS } from './call.ts';
import { Control } from './control.ts';
import type { Line } from './line.ts';
import { type Link, Links } from './links.ts';
import type { Node } from './node.ts';

const NAMES = ['one', 'two'];
const MOST_ACTORS = 20;

/** Everybody who takes part, what is under way between them, and what their programs do. */
export class Simulation {
  readonly random: Random;
  readonly links = new Links((link, message) => this.#deliver(link, message));
  readonly control: Control;
  readonly #actors = new Map<string, Actor>();
  /** Handles that programs have: each is one hold. */
  held: Line[] = [];
  readonly calls: Call[] = [];
  readonly #later: (() => void)[] = [];
  readonly #taskTiming = new Map<Node, Timing>();
  now = 0;
  restarts = 0;
  serials = 0;

  constructor(seed: number) {
    this.random = new Random(mix(seed, 77) * 1024 + 1);
    this.control = new Control(this);
  }

  actor(id: string): Actor {
    const actor = this.#actors.get(id);
    if (actor === undefined) throw new Violation(`${id} is no actor`);
    return actor;
  }

  get roomForMore(): boolean {
    return this.control.table.size < MOST_ACTORS;
  }

  later(work: () => void): void {
    this.#later.push(work);
  }

  #deliver({ from, to }: Link, m: Message): void {
    if (m.to === 'control') {
      this.control.handle(from as Node, m.message);
      return;
    }
    if (m.to === 'claim') {
      this.control.claim(from as Node, m.line, m.name, m.join);
      return;
    }
    if (m.to === 'ended') {
      this.control.ending?.ended(m.id);
      return;
    }
    const node = to as Node;
    node.turn(() => {
      if (m.to === 'party') node.fromControl(m.message);
      else if (m.to === 'news') node.news(m.news);
      else if (m.to === 'claimed') node.claimed(m.line, m.id, m.join);
      else if (m.to === 'joined') node.joined(m.id, m.of);
      else if (m.to === 'retire') node.retire(m.id);
      else if (m.to === 'end') node.end(m.id);
      else if (m.to === 'reply') node.replied(from as Node, m.reply);
      else if (m.to === 'acknowledge') node.party.executor.acknowledged(m.receipt);
      else if (m.to === 'cancel') node.cancelled(m.pushed);
      else if (m.to === 'worker') node.came(from as Node, m.pushed);
    });
  }

  // ---- what programs do

  create(node: Node): Line {
    const { random } = this;
    const { owner, references } = node.party;
    const cell = new Cell();
    const allowed = random.pick([1, 2, 6]);
    // Only what can't turn out to be the new one itself, which would be kept by itself then.
    const handles = this.#someOf(node, 0.4).filter(({ actor }) => actor.name === null);
    const host = new Call(node, owner.queue(SHAPE), new Timing(), cell, {
      allowed,
      number: 0,
      line: null,
      method: '',
      handles,
    });
    host.resident = true;
    host.uses = handles.map((line) => line.cell);
    const id = references.promote(cell);
    const name = random.chance(0.4) ? random.pick(NAMES) : null;
    this.#actors.set(id, new Actor(id, host, name, random));
    const line = node.line(cell);
    if (name === null) {
      node.control({ type: 'create-actor', id, namespace: '', name: null });
      node.turn(() => node.submitted(host));
      return line;
    }
    line.unnamed = true;
    // Until the answer is there.
    for (const each of [cell, ...host.uses]) references.hold(each);
    this.links.send(node, null, { to: 'claim', line, name, join: random.chance(0.8) });
    return line;
  }

  /** Some of the handles that a party has. */
  #someOf(node: Node, chance: number): Line[] {
    if (!this.random.chance(chance)) return [];
    const own = this.held.filter((line) => line.node === node);
    return own.length === 0 ? [] : [this.random.pick(own)];
  }

  /** One more handle. */
  take(node: Node, cell: Cell): void {
    node.party.references.hold(cell);
    this.held.push(node.line(cell));
  }

  call(line: Line): void {
    const { random } = this;
    const { node, actor } = line;
    if (!line.takesCalls) return;
    const handles = this.#someOf(node, 0.2);
    const call = new Call(node, line.queue, line.timing, new Cell(), {
      allowed: random.pick([1, 1, 3]),
      number: ++line.calls,
      line,
      method: random.pick(actor.methods),
      handles,
    });
    line.pending++;
    line.watch();
    this.#submit(call, [line.cell]);
    if (random.chance(0.05)) node.soon(() => node.party.owner.cancel(call, 'cancelled', false));
  }

  /** A task that calls what it is given. */
  task(node: Node): void {
    const handles = this.#someOf(node, 1);
    let timing = this.#taskTiming.get(node);
    if (timing === undefined) {
      timing = new Timing();
      this.#taskTiming.set(node, timing);
    }
    const options = { allowed: 100, number: 0, line: null, method: '', handles };
    this.#submit(new Call(node, node.party.owner.queue(TASKS), timing, new Cell(), options), []);
  }

  #submit(call: Call, uses: readonly Cell[]): void {
    const node = call.from;
    const { references } = node.party;
    const argument = this.random.chance(0.2) ? new Cell() : undefined;
    call.dependencies = argument === undefined ? NO_CELLS : [argument];
    call.uses = [...call.dependencies, ...uses, ...call.handles.map(({ cell }) => cell)];
    this.calls.push(call);
    node.turn(() => node.submitted(call));
    if (argument !== undefined) node.soon(() => references.settle(argument, false, 1, false, NO_CELLS));
    const { result } = call;
    result.addWaiter({
      cellSettled: () =>
        node.soon(() => {
          for (const cell of result.inner) if (this.random.chance(0.7)) this.take(node, cell);
          references.drop(result);
        }),
    });
  }

  letGo(line: Line): void {
    this.held.splice(this.held.indexOf(line), 1);
    line.node.turn(() => line.node.party.references.drop(line.cell));
  }

  drain(line: Line): void {
    if (!line.unnamed) line.node.control({ type: 'drain-actor', id: line.actor.id });
  }

  /** What it owned is gone with it. */
  died(node: Node): void {
    this.held = this.held.filter((line) => line.node !== node);
    for (const actor of this.#actors.values()) if (actor.owner === node) actor.excuse ??= 'its owner died';
  }

  // ---- how it goes on

  /** One thing that can happen next, of those under way; false when nothing is. */
  step(): boolean {
    const { busy } = this.links;
    const n = busy + this.#later.length;
    if (n === 0) return false;
    this.now++;
    this.control.scheduler.now = this.now;
    const at = this.random.int(n);
    if (at < busy) this.links.next(at);
    else (this.#later.splice(at - busy, 1)[0] as () => void)();
    return true;
  }

  /** All that is under way comes to its end, and all handles that somebody gets meanwhile are let go. */
  settle(): void {
    let steps = 0;
    do {
      while (this.held.length > 0) this.letGo(this.held[0] as Line);
      if (++steps > 100_000) throw new Violation('there is no end of it');
    } while (this.step());
  }

  /** The session ends in the middle of everything. True when some actor has something to do then. */
  end(): boolean {
    const ending = this.control.end();
    for (let steps = 0; !ending.over; steps++) {
      if (steps > 100_000 || !this.step()) throw new Violation('the session does not come to its end');
      if (this.random.chance(0.02)) this.killOne();
    }
    return ending.actors > 0;
  }

  /** A worker, or now and then the second driver, dies. */
  killOne(): void {
    const { control, random } = this;
    const driver = control.drivers[1];
    const workers = control.living.filter((each) => !control.drivers.includes(each));
    if (driver?.alive && random.chance(0.05)) control.kill(driver);
    else if (workers.length > 0) control.kill(random.pick(workers));
  }

  /** Leases that lie idle go back. */
  tick(): void {
    this.now += 100_000;
    for (const node of this.control.living) node.turn(() => node.party.owner.tick());
  }

  check(): void {
    const problems: string[] = [];
    const { control } = this;
    for (const call of [...this.calls, ...[...this.#actors.values()].map(({ host }) => host)]) {
      const begun = call.hosts === null || call.lease !== null;
      if (begun && call.from.alive && (call.state !== DONE || !call.settled)) {
        problems.push(`${call.name} hangs in state ${call.state}`);
      }
    }
    for (const row of control.table.rows()) problems.push(`the table has ${JSON.stringify(row)}`);
    if (control.table.size + control.table.strays > 0) problems.push('the table has aliases, or strays');
    for (const entry of control.directory.entries()) problems.push(`the directory has ${JSON.stringify(entry)}`);
    for (const node of control.living) {
      const { owner, references, executor } = node.party;
      const { party } = node.address;
      if (node.hosting !== null) problems.push(`an actor is left on ${party}`);
      if (owner.pending !== 0) problems.push(`${owner.pending} calls are pending at ${party}`);
      if ([...owner.lines].length !== 0) problems.push('calls stand in line');
      if (owner.inFlight.some((task) => task !== null)) problems.push('calls are in flight');
      if (references.owned.size + references.borrowed.size > 0) problems.push(`references are left at ${party}`);
      if (executor.running + executor.suspended > 0) problems.push(`${party} still runs something`);
      if (executor.unacknowledged.size > 0) problems.push(`${party} waits for an acknowledgement`);
    }
    for (const worker of control.scheduler.workers()) if (worker.leases > 0) problems.push(JSON.stringify(worker));
    if (control.scheduler.waiting) problems.push('demands are left');
    if (problems.length > 0) throw new Violation(problems.join('\n'));
  }
}

import {
  type ActorNews,
  ActorTable,
  type Address,
  addressKey,
  type Cell,
  Cell as CellClass,
  Directory,
  DONE,
  FAILED,
  type FromControl,
  type KeyQueue,
  type Lease,
  Mailbox,
  NO_CELLS,
  OWNER_LIMITS,
  Party,
  type PartyPort,
  SCHEDULER_LIMITS,
  Scheduler,
  type Shape,
  TaskRecord,
  Timing,
  type ToControl,
} from '../../protocol/index.ts';
import { NODE } from './control.ts';
import { mix, Random } from './random.ts';
import { Violation } from './values.ts';

/**
 * Actors under random schedules: two parties create actors and call them, workers that host them die, and so may one of the two;
 * handles are let go, actors are drained. Every link is first in, first out, and nothing else is ordered. At the end nothing may
 * hang, be left, or have run out of order, or twice without leave.
 */
export interface ActorSimulation {
  readonly seed: number;
  readonly problem: string | undefined;
  readonly calls: number;
  readonly answered: number;
  readonly deaths: number;
  readonly restarts: number;
}

const CALLS: Shape = { cpus: 0, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: true };
const SHAPE: Shape = { ...CALLS, resident: true };

class Call extends TaskRecord {
  /** Its number among the calls of its caller to its actor; 0: it hosts the actor. */
  readonly number: number;
  readonly line: Line;
  readonly allowed: number;
  runs = 0;

  constructor(queue: KeyQueue, timing: Timing, cell: Cell, number: number, line: Line, retries: number) {
    super(queue, timing, cell, retries, 1);
    this.number = number;
    this.line = line;
    this.allowed = retries + 1;
  }
}

interface Pushed {
  readonly call: Call;
  readonly slot: number;
  readonly from: Node;
  state: 'sent' | 'claimed' | 'recalled';
}

type Message =
  | { readonly to: 'control'; readonly message: ToControl<unknown> }
  | { readonly to: 'party'; readonly message: FromControl<unknown> | ActorNews<unknown> }
  | { readonly to: 'retire'; readonly id: string }
  | { readonly to: 'worker'; readonly pushed: Pushed }
  | { readonly to: 'reply'; readonly slot: number };

/** An actor as the party that owns and calls it knows it. */
class Line {
  readonly node: Node;
  readonly cell: Cell;
  readonly id: string;
  readonly host: Call;
  readonly queue: KeyQueue;
  readonly timing = new Timing();
  state: ActorNews<unknown>['state'] = 'pending';
  calls = 0;
  pending = 0;
  watching = false;
  told = false;
  /** Something has happened for which its calls may fail. */
  excused = false;
  #worker = -1;
  #incarnation = -1;

  constructor(node: Node, restarts: number) {
    this.node = node;
    const { owner, references } = node.party;
    this.cell = new CellClass();
    this.host = new Call(owner.queue(SHAPE), new Timing(), this.cell, 0, this, restarts);
    this.host.resident = true;
    this.cell.task = this.host;
    this.id = references.promote(this.cell);
    this.queue = owner.orderedQueue(CALLS);
  }

  news(news: ActorNews<unknown>): void {
    if (this.state === 'dead') return;
    this.state = news.state;
    const { owner } = this.node.party;
    if ('worker' in news) this.#moved(news.worker, news.incarnation);
    else this.#moved(-1, -1);
    if (news.state === 'dead') {
      owner.failLine(this.queue, () => this.died());
      for (const task of [...owner.inFlight]) if (task?.key === this.queue) owner.cancel(task, this.died(), false);
    }
    this.quiet();
  }

  #moved(worker: number, incarnation: number): void {
    if (this.#worker === worker && this.#incarnation === incarnation) return;
    const { owner } = this.node.party;
    if (this.#worker >= 0) owner.detach(this.queue, this.#worker, this.#incarnation);
    this.#worker = worker;
    this.#incarnation = incarnation;
    if (worker >= 0) owner.attach(this.queue, worker, incarnation);
  }

  died(): string {
    // An actor that nothing has happened to may not be said to have died.
    if (!this.excused) throw new Violation(`actor ${this.id} is said to have died`);
    return 'the actor died';
  }

  quiet(): void {
    if (this.state === 'closing' && this.pending === 0) this.node.control({ type: 'quiet-actor', id: this.id });
  }
}

/** A party: one that calls, or a worker that hosts. */
class Node implements PartyPort<unknown> {
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

interface Link {
  readonly from: Node | null;
  readonly to: Node | null;
  readonly queue: Message[];
}

class Simulation {
  readonly random: Random;
  readonly nodes = new Map<number, Node>();
  readonly concurrency: number;
  readonly table: ActorTable<unknown>;
  readonly directory: Directory<unknown>;
  readonly scheduler: Scheduler;
  readonly drivers: Node[];
  held: Line[] = [];
  readonly calls: Call[] = [];
  now = 0;
  deaths = 0;
  restarts = 0;
  readonly #links = new Map<string, Link>();
  readonly #later: (() => void)[] = [];
  readonly #burials = new Map<Node, Set<Node>>();

  constructor(seed: number) {
    this.random = new Random(mix(seed, 77) * 1024 + 1);
    this.concurrency = this.random.pick([1, 1, 3]);
    this.directory = new Directory<unknown>(NODE, {
      resolved: (party, id, settled) => this.tell(party, { type: 'resolved', id, settled }),
      lost: (party, id, reason) => this.tell(party, { type: 'lost', id, reason }),
      freed: (owner, id, observed) => {
        this.tell(owner, { type: 'freed', id, observed });
        this.table.forget(id);
      },
      keep: () => {},
      drop: () => {},
    });
    this.scheduler = new Scheduler(
      {
        spawn: (worker, incarnation) => {
          this.later(() => {
            this.#enter({ node: NODE, party: worker, incarnation });
            this.scheduler.workerStarted(worker, incarnation);
          });
        },
        grant: (owner, key, lease, worker, incarnation, gpus) =>
          this.tell(owner, { type: 'grant', key, lease, worker, incarnation, gpus }),
        reclaim: () => {
          throw new Violation('the lease of an actor is called back');
        },
        wanted: () => {
          throw new Violation('the lease of an actor is wanted');
        },
        infeasible: (owner, key, reason) => this.tell(owner, { type: 'infeasible', key, reason }),
      },
      { cpus: 4, gpus: 0, memory: 0, custom: {} },
      { ...SCHEDULER_LIMITS, parties: 64 },
    );
    this.table = new ActorTable<unknown>({
      tell: (party, news) => this.tell(party, news),
      retire: (worker, incarnation, id) => {
        const node = this.nodes.get(worker);
        if (node?.alive && node.address.incarnation === incarnation) this.#toParty(node, { to: 'retire', id });
      },
      ownerDied: () => 'its owner died',
    });
    for (const number of [0, 1, 2]) this.scheduler.reserve(number);
    this.drivers = [1, 2].map((party) => this.#enter({ node: NODE, party, incarnation: 1 }));
  }

  #enter(address: Address): Node {
    const node = new Node(this, address);
    this.nodes.set(address.party, node);
    return node;
  }

  later(work: () => void): void {
    this.#later.push(work);
  }

  #post(name: string, from: Node | null, to: Node | null, message: Message): void {
    const link = this.#links.get(name) ?? { from, to, queue: [] };
    this.#links.set(name, link);
    link.queue.push(message);
  }

  send(from: Node, to: Node | null, message: Message): void {
    this.#post(nameOf(from, to), from, to, message);
  }

  #toParty(node: Node, message: Message): void {
    this.#post(nameOf(null, node), null, node, message);
  }

  tell(party: string, message: FromControl<unknown> | ActorNews<unknown>): void {
    for (const node of this.nodes.values()) {
      if (node.alive && addressKey(node.address) === party) this.#toParty(node, { to: 'party', message });
    }
  }

  drain(from: Node, to: Node | null): void {
    const link = this.#links.get(nameOf(from, to));
    while (link !== undefined && link.queue.length > 0) this.#deliver(link, link.queue.shift() as Message);
  }

  #deliver({ from, to }: Link, m: Message): void {
    if (m.to === 'control') {
      this.#control(from as Node, m.message);
      return;
    }
    const node = to as Node;
    if (!node.alive) return;
    if (m.to === 'party') {
      const { message } = m;
      node.turn(() => {
        if (message.type === 'actor') node.lines.get(message.id)?.news(message);
        else node.party.fromControl(message);
      });
    } else if (m.to === 'retire') node.turn(() => node.retire(m.id));
    else if (m.to === 'reply') node.turn(() => node.party.completed((from as Node).address.party, m.slot, 1, 1));
    else {
      const line = node.inbox.get(from as Node) ?? [];
      node.inbox.set(from as Node, line);
      line.push(m.pushed);
      node.turn(() => {});
    }
  }

  #control(from: Node, m: ToControl<unknown>): void {
    const key = addressKey(from.address);
    const { directory, table, scheduler } = this;
    if (m.type === 'demand') scheduler.demand(key, m.key, m.shape, m.total);
    else if (m.type === 'return') scheduler.returned(key, m.lease);
    else if (m.type === 'promote') directory.promote(m.id, m.settled);
    else if (m.type === 'settle') directory.settle(m.id, m.settled);
    else if (m.type === 'add') directory.add(m.id, m.party, m.by);
    else if (m.type === 'remove') directory.remove(m.id, key, m.count, m.by, m.observed);
    else if (m.type === 'resolve') directory.resolve(m.id, key);
    else if (m.type === 'buried') this.#buried(from, m.party);
    else if (m.type === 'create-actor') table.created(m.id, m.namespace, m.name);
    else if (m.type === 'watch-actor') table.watch(m.id, key, true);
    else if (m.type === 'hosting') table.hosted(m.id, from.address.party, from.address.incarnation, m.ready);
    else if (m.type === 'actor-over') table.over(m.id, m.why);
    else if (m.type === 'drain-actor') table.drain(m.id);
    else if (m.type === 'quiet-actor') table.quiet(m.id, key);
    else throw new Violation(`${m.type} is not expected`);
  }

  // ---- deaths

  kill(node: Node): void {
    if (!node.alive) return;
    this.drain(node, null);
    node.alive = false;
    this.deaths++;
    const { party, incarnation } = node.address;
    const key = addressKey(node.address);
    this.directory.partyDying(key);
    const mourners = new Set([...this.nodes.values()].filter((each) => each.alive));
    this.#burials.set(node, mourners);
    for (const each of mourners) {
      this.tell(addressKey(each.address), { type: 'died', party, incarnation, reason: 'by chance' });
    }
    this.table.workerDied(party, incarnation);
    this.table.partyDied(key);
    this.scheduler.workerDied(party, incarnation);
    // Where its actors live nobody has anything to say any more; the host ends those workers.
    for (const { worker } of this.scheduler.ownerDied(key)) this.kill(this.nodes.get(worker) as Node);
    for (const [dead, waiting] of [...this.#burials]) if (waiting.delete(node)) this.#buryIfDone(dead);
    this.#buryIfDone(node);
  }

  #buried(from: Node, party: number): void {
    const dead = this.nodes.get(party) as Node;
    this.#burials.get(dead)?.delete(from);
    this.#buryIfDone(dead);
  }

  #buryIfDone(dead: Node): void {
    if (this.#burials.get(dead)?.size !== 0) return;
    this.#burials.delete(dead);
    this.directory.partyDied(addressKey(dead.address));
    this.nodes.delete(dead.address.party);
    // The number of one that calls is nobody else's.
    if (!this.drivers.includes(dead)) this.scheduler.unreserve(dead.address.party);
  }

  // ---- what happens

  create(node: Node): void {
    const line = new Line(node, this.random.pick([0, 1, 5]));
    node.lines.set(line.id, line);
    node.control({ type: 'create-actor', id: line.id, namespace: '', name: null });
    node.turn(() => node.party.owner.submit(line.host));
    this.held.push(line);
  }

  call(line: Line): void {
    const { random } = this;
    const { node } = line;
    if (line.state === 'dead' || line.state === 'closing') return;
    const result = new CellClass();
    const call = new Call(line.queue, line.timing, result, ++line.calls, line, random.pick([0, 0, 2]));
    result.task = call;
    const argument = random.chance(0.2) ? new CellClass() : undefined;
    call.dependencies = argument === undefined ? NO_CELLS : [argument];
    call.uses = [...call.dependencies, line.cell];
    this.calls.push(call);
    line.pending++;
    node.unsettled.add(call);
    if (!line.watching) node.control({ type: 'watch-actor', id: line.id });
    line.watching = true;
    node.turn(() => node.party.owner.submit(call));
    if (argument !== undefined) {
      this.later(() => node.turn(() => node.party.references.settle(argument, false, 1, false, NO_CELLS)));
    }
    if (random.chance(0.05)) this.later(() => node.turn(() => node.party.owner.cancel(call, 'cancelled', false)));
  }

  letGo(line: Line): void {
    this.held = this.held.filter((each) => each !== line);
    line.node.turn(() => line.node.party.references.drop(line.cell));
  }

  /** One thing that can happen next, of those under way; false when nothing is. */
  step(): boolean {
    const links = [...this.#links.values()].filter((link) => link.queue.length > 0);
    const n = links.length + this.#later.length;
    if (n === 0) return false;
    this.now++;
    this.scheduler.now = this.now;
    const at = this.random.int(n);
    const link = links[at];
    if (link !== undefined) this.#deliver(link, link.queue.shift() as Message);
    else (this.#later.splice(at - links.length, 1)[0] as () => void)();
    return true;
  }

  /** All that is under way comes to its end. */
  settle(): void {
    let steps = 0;
    while (this.step()) if (++steps > 100_000) throw new Violation('there is no end of it');
  }

  check(): void {
    const problems: string[] = [];
    for (const call of this.calls) {
      if (call.line.node.alive && call.state !== DONE) {
        problems.push(`call ${call.number} of ${call.line.id.slice(-4)} hangs in state ${call.state}`);
      }
    }
    for (const row of this.table.rows()) problems.push(`the table has ${JSON.stringify(row)}`);
    for (const { party, alive } of this.drivers) {
      if (!alive) continue;
      const { owner } = party;
      if (owner.pending !== 0) problems.push(`${owner.pending} calls are pending`);
      if ([...owner.lines].length !== 0) problems.push('calls stand in line');
      if (owner.inFlight.some((task) => task !== null)) problems.push('calls are in flight');
      if (party.references.owned.size !== 0) problems.push('references are left');
    }
    for (const worker of this.scheduler.workers()) if (worker.leases > 0) problems.push(JSON.stringify(worker));
    if (this.scheduler.waiting) problems.push('demands are left');
    if (problems.length > 0) throw new Violation(problems.join('\n'));
  }
}

function nameOf(from: Node | null, to: Node | null): string {
  const name = (node: Node | null): string => (node === null ? 'control' : addressKey(node.address));
  return `${name(from)}>${name(to)}`;
}

/** Runs one random life of some actors. */
export function simulateActors(seed: number): ActorSimulation {
  const sim = new Simulation(seed);
  const { random } = sim;
  let problem: string | undefined;
  try {
    for (let actions = random.between(20, 120); actions > 0; ) {
      if (random.chance(0.6)) {
        sim.step();
        continue;
      }
      actions--;
      const what = random.next();
      if (sim.held.length === 0 || what < 0.1) {
        if (sim.table.rows().length < 20) sim.create(random.pick(sim.drivers.filter((each) => each.alive)));
      } else if (what < 0.85) sim.call(random.pick(sim.held));
      else if (what < 0.9) sim.letGo(random.pick(sim.held));
      else if (what < 0.94) {
        const line = random.pick(sim.held);
        line.excused = true;
        line.node.control({ type: 'drain-actor', id: line.id });
      } else {
        const driver = sim.drivers[1] as Node;
        const workers = [...sim.nodes.values()].filter((each) => each.alive && !sim.drivers.includes(each));
        const victim = driver.alive && random.chance(0.05) ? driver : workers.length > 0 && random.pick(workers);
        if (!victim) continue;
        for (const line of sim.held) {
          const { lease } = line.host;
          if (lease === null || lease.worker === victim.address.party) line.excused = true;
        }
        for (const call of sim.calls)
          if (call.line.host.lease?.worker === victim.address.party) call.line.excused = true;
        if (victim.hosted !== null) victim.hosted.call.line.excused = true;
        sim.held = sim.held.filter((line) => line.node !== victim);
        sim.kill(victim);
      }
    }
    while (sim.held.length > 0) sim.letGo(sim.held[0] as Line);
    sim.settle();
    // Leases that lie idle go back.
    sim.now += 100_000;
    for (const node of sim.drivers) node.turn(() => node.party.owner.tick());
    sim.settle();
    sim.check();
  } catch (error) {
    problem = error instanceof Violation ? error.message : String((error as Error).stack);
  }
  const answered = sim.calls.filter((call) => (call.results as Cell).value === 1 || call.runs > 0).length;
  return { seed, problem, calls: sim.calls.length, answered, deaths: sim.deaths, restarts: sim.restarts };
}

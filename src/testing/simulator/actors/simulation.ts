import {
  type ActorNews,
  ActorTable,
  type Address,
  addressKey,
  Cell,
  Directory,
  DONE,
  type FromControl,
  NO_CELLS,
  SCHEDULER_LIMITS,
  Scheduler,
  type ToControl,
} from '../../../protocol/index.ts';
import { NODE } from '../control.ts';
import { mix, Random } from '../random.ts';
import { Violation } from '../values.ts';
import { Call, type Message } from './call.ts';
import { Line } from './line.ts';
import { Node } from './node.ts';

interface Link {
  readonly from: Node | null;
  readonly to: Node | null;
  readonly queue: Message[];
}

export class Simulation {
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
    const result = new Cell();
    const call = new Call(line.queue, line.timing, result, ++line.calls, line, random.pick([0, 0, 2]));
    result.task = call;
    const argument = random.chance(0.2) ? new Cell() : undefined;
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

import {
  type ActorNews,
  ActorTable,
  type Address,
  addressKey,
  Directory,
  type FromControl,
  ownerKeyOf,
  SCHEDULER_LIMITS,
  Scheduler,
  type ToControl,
} from '../../../protocol/index.ts';
import { NODE } from '../control.ts';
import { Violation } from '../values.ts';
import { Ending } from './ending.ts';
import type { Line } from './line.ts';
import { Node } from './node.ts';
import type { Simulation } from './simulation.ts';

const DRIVERS = [1, 2];

/** The control thread: the table of actors with the directory and the scheduler, and the deaths of parties. */
export class Control {
  readonly #sim: Simulation;
  /** By number; a dead one stays until it is buried. */
  readonly nodes = new Map<number, Node>();
  readonly #living = new Map<string, Node>();
  readonly drivers: readonly Node[];
  readonly table: ActorTable<unknown>;
  readonly directory: Directory<unknown>;
  readonly scheduler: Scheduler;
  /** Who has which name, as it ought to be. */
  readonly #names = new Map<string, string>();
  /** Actors of which their owner has told, and those that were to end before that. */
  readonly #created = new Set<string>();
  readonly #drained = new Set<string>();
  readonly #burials = new Map<Node, Set<Node>>();
  ending: Ending | null = null;
  deaths = 0;
  joins = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.directory = new Directory<unknown>(NODE, {
      resolved: (party, id, settled) => this.#tell(party, { type: 'resolved', id, settled }),
      lost: (party, id, reason) => this.#tell(party, { type: 'lost', id, reason }),
      freed: (owner, id, observed) => {
        this.#tell(owner, { type: 'freed', id, observed });
        this.table.forget(id);
        this.#unname(id);
      },
      keep: () => {},
      drop: () => {},
    });
    this.scheduler = new Scheduler(
      {
        spawn: (worker, incarnation) => {
          sim.later(() => {
            this.#enter({ node: NODE, party: worker, incarnation });
            this.scheduler.workerStarted(worker, incarnation);
          });
        },
        grant: (owner, key, lease, worker, incarnation, gpus) =>
          this.#tell(owner, { type: 'grant', key, lease, worker, incarnation, gpus }),
        reclaim: () => {
          throw new Violation('a lease is called back, and nobody wants for any');
        },
        wanted: () => {
          throw new Violation('a lease is wanted, and nobody wants for any');
        },
        infeasible: (owner, key, reason) => this.#tell(owner, { type: 'infeasible', key, reason }),
      },
      { cpus: 4, gpus: 0, memory: 0, custom: {} },
      { ...SCHEDULER_LIMITS, parties: 64 },
    );
    this.table = new ActorTable<unknown>({
      tell: (party, news) => this.#tellNews(party, news),
      retire: (worker, incarnation, id) => {
        sim.actor(id).retired = new Map(this.living.map((each) => [each, each.watchesHeard]));
        const node = this.nodes.get(worker);
        if (node?.alive && node.address.incarnation === incarnation) sim.links.send(null, node, { to: 'retire', id });
      },
      isGone: (id) => !this.#living.has(ownerKeyOf(id)) || this.directory.isGone(id),
      joined: (party, id, of) => {
        const node = this.#living.get(party);
        if (node !== undefined) sim.links.send(null, node, { to: 'joined', id, of });
      },
      ownerDied: () => 'its owner died',
    });
    for (const number of [0, ...DRIVERS]) this.scheduler.reserve(number);
    this.drivers = DRIVERS.map((party) => this.#enter({ node: NODE, party, incarnation: 1 }));
  }

  #enter(address: Address): Node {
    const node = new Node(this.#sim, address);
    this.nodes.set(address.party, node);
    this.#living.set(addressKey(address), node);
    return node;
  }

  get living(): Node[] {
    return [...this.#living.values()];
  }

  #tell(party: string, message: FromControl<unknown>): void {
    const node = this.#living.get(party);
    if (node !== undefined) this.#sim.links.send(null, node, { to: 'party', message });
  }

  #tellNews(party: string, news: ActorNews<unknown>): void {
    const node = this.#living.get(party);
    if (node !== undefined) this.#sim.links.send(null, node, { to: 'news', news });
  }

  handle(from: Node, m: ToControl<unknown>): void {
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
    else if (m.type === 'create-actor') this.#create(m.id, m.namespace, m.name);
    else if (m.type === 'alias-actor') table.alias(m.id, m.of);
    else if (m.type === 'watch-actor') this.#watch(from, key, m.id);
    else if (m.type === 'hosting')
      table.hosted(m.id, from.address.party, from.address.incarnation, m.ready, m.disposes ?? null);
    else if (m.type === 'actor-over') {
      this.#unname(m.id);
      table.over(m.id, m.why);
    } else if (m.type === 'drain-actor') {
      if (this.#created.has(m.id)) this.#unname(m.id);
      else this.#drained.add(m.id);
      table.drain(m.id);
    } else if (m.type === 'quiet-actor') table.quiet(m.id, key);
    else throw new Violation(`${m.type} is not expected`);
  }

  // ---- actors

  #watch(from: Node, key: string, id: string): void {
    from.watchesHeard++;
    this.table.watch(id, key, this.#living.has(ownerKeyOf(id)));
  }

  #create(id: string, namespace: string, name: string | null): void {
    this.#created.add(id);
    if (this.#drained.has(id)) this.#unname(id);
    this.table.created(id, namespace, name);
    if (name === null) return;
    const living = this.table
      .rows()
      .filter((row) => row.name === name && row.state !== 'dead' && row.state !== 'closing');
    if (living.length > 1) throw new Violation(`${living.length} actors have the name ${name}`);
  }

  /** Somebody wants to create an actor with that name, or to have the one that has it. */
  claim(from: Node, line: Line, name: string, join: boolean): void {
    const { id } = line.actor;
    const known = this.table.claim('', name, id, 'Simulated')?.id;
    if (known !== this.#names.get(name)) {
      throw new Violation(`the name ${name} is ${known ?? 'nobody'}'s, and should be ${this.#names.get(name)}'s`);
    }
    if (known === undefined) this.#names.set(name, id);
    else if (join) {
      this.joins++;
      this.directory.add(known, addressKey(from.address), null);
    }
    this.#sim.links.send(null, from, { to: 'claimed', line, id: known ?? null, join });
  }

  #unname(id: string): void {
    for (const [name, of] of this.#names) if (of === id) this.#names.delete(name);
  }

  /** Has the actors end that have something to do then. */
  end(): Ending {
    this.ending = new Ending(this.#sim);
    return this.ending;
  }

  // ---- deaths

  kill(node: Node): void {
    if (!node.alive) return;
    const sim = this.#sim;
    sim.links.drain(node, null);
    const { party, incarnation } = node.address;
    const key = addressKey(node.address);
    node.alive = false;
    this.#living.delete(key);
    this.deaths++;
    sim.died(node);
    this.directory.partyDying(key);
    const mourners = new Set(this.#living.values());
    this.#burials.set(node, mourners);
    for (const each of mourners) {
      this.#tell(addressKey(each.address), { type: 'died', party, incarnation, reason: 'by chance' });
    }
    const hosted = node.hosting?.actor;
    if (hosted !== undefined) hosted.retired = null;
    this.table.workerDied(party, incarnation);
    for (const [name, id] of this.#names) if (ownerKeyOf(id) === key) this.#names.delete(name);
    this.table.partyDied(key);
    this.ending?.died(node);
    this.scheduler.workerDied(party, incarnation);
    this.scheduler.ownerDied(key);
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
}

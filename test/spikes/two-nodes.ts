import assert from 'node:assert/strict';
import {
  type Address,
  addressKey,
  Cell,
  Directory,
  FAILED,
  type FromControl,
  type Lease,
  NO_CELLS,
  nodeOf,
  Party,
  type PartyPort,
  type Reply,
  Run,
  SCHEDULER_LIMITS,
  Scheduler,
  type SettledValue,
  type Shape,
  TaskRecord,
  Timing,
  type ToControl,
} from '../../src/protocol/index.ts';
import { Random } from '../../src/testing/simulator/random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { MemoryLink, SessionLink } from '../../src/transport/index.ts';

/** A value, and what the references inside must turn out to be. */
export interface Value {
  readonly n: number;
  readonly expect: readonly number[];
  readonly failure?: string;
}

/** What user code holds. */
export interface Handle {
  readonly cell: Cell;
  readonly n: number;
}

type Kind = 'sum' | 'wrap' | 'make' | 'delegate';

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

/** The directory's form of a value: it keeps the ids of other nodes' objects too, which it must not count itself. */
interface Kept {
  readonly id: string;
  readonly value: Value;
  readonly inner: readonly string[];
}

type Mail = {
  readonly type: 'mail';
  readonly to: number;
  readonly id: string;
  readonly n: number;
  readonly by: number;
};

/** What control threads say to each other. */
type BetweenNodes =
  | { readonly type: 'add'; readonly id: string; readonly party: string; readonly by: string | null }
  | {
      readonly type: 'remove';
      readonly id: string;
      readonly party: string;
      readonly count: number;
      readonly by: string | null;
    }
  | { readonly type: 'resolve'; readonly id: string; readonly party: string }
  | { readonly type: 'tell'; readonly party: string; readonly message: FromControl<Value> }
  | { readonly type: 'dying' | 'buried' | 'died'; readonly address: Address }
  | { readonly type: 'ask'; readonly request: string }
  | { readonly type: 'answer'; readonly request: string; readonly answer: number }
  | Mail;

const SHAPE: Shape = { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: false };

/** A party names its peers by numbers of its own. One numbering serves all of them here: so far apart lie those of two nodes. */
const NUMBERS = 1000;

/** Two nodes, time and chance. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly nodes: readonly [Node, Node];
  readonly deadParties = new Set<string>();
  /** Who has each number, or had it last. */
  readonly addresses = new Map<number, Address>();
  live: MemoryLink[] = [];
  /** Nothing can be dialled. */
  cut = false;
  dialled = 0;
  /** Values of the other node's objects that somebody looked at, and failures instead. */
  foreign = 0;
  lost = 0;

  constructor(seed: number, giveUpMs = 1e9) {
    this.random = new Random(seed);
    const common = { incarnation: 1, after: this.clock.after, giveUpMs, acknowledgeAfter: 4 };
    const accepting = new SessionLink(common);
    const dialling = new SessionLink({ ...common, dial: () => this.#dial(accepting) });
    this.nodes = [new Node(this, 0, '00000000000000aa', dialling), new Node(this, 1, '00000000000000bb', accepting)];
    for (const node of this.nodes) node.start(this.nodes[1 - node.index] as Node);
  }

  #dial(to: SessionLink): MemoryLink | undefined {
    if (this.cut || this.random.chance(0.2)) return undefined;
    this.dialled++;
    const [here, there] = MemoryLink.pair({ later: (run) => void this.clock.after(this.random.int(10), run) });
    this.live.push(here);
    this.clock.after(this.random.int(5), () => to.attach(there));
    return here;
  }

  break(): void {
    for (const link of this.live.splice(0)) link.break();
  }

  partyAt(number: number): PartyHost | undefined {
    return this.nodes[Math.floor(number / NUMBERS) as 0 | 1].hosts.get(number);
  }
}

/** First in, first out, within one machine. */
class Pipe<M> {
  readonly #cluster: Cluster;
  readonly #deliver: (message: M) => void;
  #queue: M[] = [];
  #last = 0;

  constructor(cluster: Cluster, deliver: (message: M) => void) {
    this.#cluster = cluster;
    this.#deliver = deliver;
  }

  send(message: M): void {
    const { clock, random } = this.#cluster;
    this.#queue.push(message);
    this.#last = Math.max(this.#last, clock.now + random.next() * 2);
    clock.after(this.#last - clock.now, () => this.#next());
  }

  #next(): void {
    const message = this.#queue.shift();
    if (message !== undefined) this.#deliver(message);
  }

  drain(): void {
    while (this.#queue.length > 0) this.#next();
  }
}

/** The control thread of a node: scheduler, directory, and the way to the other node. */
export class Node {
  readonly cluster: Cluster;
  readonly index: 0 | 1;
  readonly id: string;
  readonly session: SessionLink;
  readonly scheduler: Scheduler;
  readonly directory: Directory<Kept>;
  readonly hosts = new Map<number, PartyHost>();
  driver!: PartyHost;
  #peer!: Node;
  readonly #burials = new Map<string, { readonly address: Address; readonly missing: Set<number | 'peer'> }>();
  /** Asked of the other node and not answered: who wants it, by id. */
  readonly #asked = new Map<string, Set<string>>();
  /** Counts that the other node's objects have here because of what is inside them. */
  readonly #contained = new Map<string, { id: string; holder: string; count: number }>();
  /** Answers already given, by request. */
  readonly #answers = new Map<string, number>();
  readonly requests = new Map<string, number | undefined>();
  executed = 0;
  peerDied: string | undefined;

  constructor(cluster: Cluster, index: 0 | 1, id: string, session: SessionLink) {
    this.cluster = cluster;
    this.index = index;
    this.id = id;
    this.session = session;
    this.directory = new Directory<Kept>(id, {
      resolved: (party, object, settled) => this.#resolved(party, object, settled),
      lost: (party, object, reason) => this.#tell(party, { type: 'lost', id: object, reason }),
      freed: (owner, object) => this.#tell(owner, { type: 'freed', id: object }),
      keep: (kept) => this.#eachForeign(kept, (inner) => this.#add(inner, `in:${kept.id}`, null)),
      drop: (kept) => this.#eachForeign(kept, (inner) => this.#remove(inner, `in:${kept.id}`, 1, null)),
    });
    this.scheduler = new Scheduler(
      {
        spawn: (worker, incarnation) => {
          cluster.clock.after(1 + cluster.random.int(20), () => {
            this.#enter(worker, incarnation);
            this.#schedule(() => this.scheduler.workerStarted(worker, incarnation));
          });
        },
        grant: (owner, key, lease, worker, incarnation, gpus) =>
          this.#tell(owner, { type: 'grant', key, lease, worker: this.number(worker), incarnation, gpus }),
        reclaim: (owner, lease) => this.#tell(owner, { type: 'reclaim', lease }),
        wanted: (owner, lease) => this.#tell(owner, { type: 'wanted', lease }),
        infeasible: (owner, key, reason) => this.#tell(owner, { type: 'infeasible', key, reason }),
      },
      { cpus: 2, gpus: 0, memory: 1e9, custom: {} },
      { ...SCHEDULER_LIMITS, parties: 16 },
    );
  }

  number(local: number): number {
    return this.index * NUMBERS + local;
  }

  start(peer: Node): void {
    this.#peer = peer;
    this.scheduler.reserve(1);
    this.driver = this.#enter(1, 1);
    this.scheduler.prestart(2, 'process');
    this.session.listen({
      message: (bytes) => this.#fromPeer(JSON.parse(new TextDecoder().decode(bytes)) as BetweenNodes),
      writable: () => {},
      closed: (reason) => this.#peerIsDead(reason),
    });
  }

  #enter(local: number, incarnation: number): PartyHost {
    const host = new PartyHost(this, { node: this.id, party: this.number(local), incarnation });
    this.hosts.set(host.address.party, host);
    this.cluster.addresses.set(host.address.party, host.address);
    return host;
  }

  #schedule(work: () => void): void {
    this.scheduler.now = this.cluster.clock.now;
    work();
    if (!this.scheduler.waiting) return;
    this.cluster.clock.after(SCHEDULER_LIMITS.quantum, () => {
      this.scheduler.now = this.cluster.clock.now;
      this.scheduler.tick();
    });
  }

  #toPeer(message: BetweenNodes): void {
    this.session.send(new TextEncoder().encode(JSON.stringify(message)));
  }

  #tell(party: string, message: FromControl<Value>): void {
    if (!party.startsWith(this.id)) {
      this.#toPeer({ type: 'tell', party, message });
      return;
    }
    for (const host of this.hosts.values()) if (host.party.key === party && host.alive) host.fromControl.send(message);
  }

  // ---- references of any node: those of others go to their owner's node

  #add(id: string, party: string, by: string | null): void {
    if (this.directory.isLocal(id)) this.directory.add(id, party, by);
    else this.#toPeer({ type: 'add', id, party, by });
  }

  #remove(id: string, party: string, count: number, by: string | null): void {
    if (this.directory.isLocal(id)) this.directory.remove(id, party, count, by);
    else this.#toPeer({ type: 'remove', id, party, count, by });
  }

  #resolve(id: string, party: string): void {
    if (this.directory.isLocal(id)) this.directory.resolve(id, party);
    else if (this.peerDied !== undefined) this.#tell(party, { type: 'lost', id, reason: this.peerDied });
    else {
      const who = this.#asked.get(id) ?? new Set();
      this.#asked.set(id, who.add(party));
      this.#toPeer({ type: 'resolve', id, party });
    }
  }

  #eachForeign(kept: Kept, visit: (id: string) => void): void {
    for (const id of kept.inner) if (!this.directory.isLocal(id)) visit(id);
  }

  #settled(id: string, { failed, payload, inner }: SettledValue<Value>): SettledValue<Kept> {
    const local = inner.filter((each) => this.directory.isLocal(each));
    return { failed, payload: { id, value: payload, inner }, inner: local };
  }

  #resolved(party: string, id: string, { failed, payload }: SettledValue<Kept>): void {
    // A party of the other node is counted in there, with the word itself: the link may break for good between two words.
    if (party.startsWith(this.id)) this.#eachForeign(payload, (inner) => this.#add(inner, party, null));
    this.#tell(party, { type: 'resolved', id, settled: { failed, payload: payload.value, inner: payload.inner } });
  }

  // ---- messages

  receive(from: PartyHost, m: ToControl<Value> | Mail): void {
    const { key } = from.party;
    switch (m.type) {
      case 'demand':
        this.#schedule(() => this.scheduler.demand(key, m.key, m.shape, m.total));
        break;
      case 'return':
        this.#schedule(() => this.scheduler.returned(key, m.lease));
        break;
      case 'promote':
        this.directory.promote(m.id, m.settled === null ? null : this.#settled(m.id, m.settled));
        break;
      case 'settle':
        this.directory.settle(m.id, this.#settled(m.id, m.settled));
        break;
      case 'add':
        this.#add(m.id, m.party, m.by);
        break;
      case 'remove':
        this.#remove(m.id, key, m.count, m.by);
        break;
      case 'resolve':
        this.#resolve(m.id, key);
        break;
      case 'buried':
        this.#said((this.cluster.partyAt(m.party)?.address ?? from.mourned(m.party)) as Address, from.address.party);
        break;
      case 'mail':
        this.#toPeer(m);
        break;
      default:
        throw new Error(`${m.type} is not expected here`);
    }
  }

  #fromPeer(m: BetweenNodes): void {
    switch (m.type) {
      case 'add':
        if (m.party.startsWith('in:')) this.#count(m.id, m.party, 1);
        this.directory.add(m.id, m.party, m.by);
        break;
      case 'remove':
        if (m.party.startsWith('in:')) this.#count(m.id, m.party, -m.count);
        this.directory.remove(m.id, m.party, m.count, m.by);
        break;
      case 'resolve':
        this.directory.resolve(m.id, m.party);
        break;
      case 'tell': {
        const { message } = m;
        if (message.type === 'resolved' || message.type === 'lost') this.#asked.get(message.id)?.delete(m.party);
        if (message.type === 'resolved') {
          for (const id of message.settled.inner) if (this.directory.isLocal(id)) this.directory.add(id, m.party, null);
        }
        this.#tell(m.party, message);
        break;
      }
      case 'mail':
        this.hosts.get(m.to)?.given(m);
        break;
      case 'dying':
        this.directory.partyDying(addressKey(m.address));
        this.#mourn(m.address, false);
        break;
      case 'buried':
        this.#said(m.address, 'peer');
        break;
      case 'died':
        this.directory.partyDied(addressKey(m.address));
        break;
      case 'ask': {
        // Asked again after a silence: the answer stands, and nothing is done twice.
        let answer = this.#answers.get(m.request);
        if (answer === undefined) {
          answer = ++this.executed;
          this.#answers.set(m.request, answer);
        }
        this.#toPeer({ type: 'answer', request: m.request, answer });
        break;
      }
      case 'answer':
        this.requests.set(m.request, m.answer);
    }
  }

  #count(id: string, holder: string, by: number): void {
    const key = `${id} ${holder}`;
    const entry = this.#contained.get(key) ?? { id, holder, count: 0 };
    entry.count += by;
    if (entry.count === 0) this.#contained.delete(key);
    else this.#contained.set(key, entry);
  }

  /** A request to the other node's control, repeated by an impatient caller until it is answered. */
  ask(request: string): void {
    this.requests.set(request, undefined);
    const again = (): void => {
      if (this.requests.get(request) !== undefined || this.peerDied !== undefined) return;
      this.#toPeer({ type: 'ask', request });
      this.cluster.clock.after(15, again);
    };
    again();
  }

  // ---- deaths

  kill(host: PartyHost): void {
    host.alive = false;
    this.cluster.deadParties.add(host.party.key);
    this.cluster.clock.after(1 + this.cluster.random.int(10), () => {
      const { address } = host;
      host.toControl.drain();
      this.hosts.delete(address.party);
      this.directory.partyDying(host.party.key);
      this.#toPeer({ type: 'dying', address });
      this.#mourn(address, true);
      this.#schedule(() => {
        this.scheduler.workerDied(address.party - this.number(0), address.incarnation);
        this.scheduler.ownerDied(host.party.key);
      });
      for (const burial of [...this.#burials.values()]) this.#said(burial.address, address.party);
    });
  }

  #mourn(address: Address, own: boolean): void {
    const missing = new Set<number | 'peer'>(own && this.peerDied === undefined ? ['peer'] : []);
    for (const host of this.hosts.values()) {
      if (!host.alive) continue;
      missing.add(host.address.party);
      host.mournedParties.set(address.party, address);
      host.fromControl.send({
        type: 'died',
        party: address.party,
        incarnation: address.incarnation,
        reason: 'it crashed',
      });
    }
    this.#burials.set(addressKey(address), { address, missing });
    this.#said(address, -1);
  }

  #said(address: Address, who: number | 'peer'): void {
    const key = addressKey(address);
    const burial = this.#burials.get(key);
    burial?.missing.delete(who);
    if (burial === undefined || burial.missing.size > 0) return;
    this.#burials.delete(key);
    if (address.node !== this.id) {
      if (this.peerDied === undefined) this.#toPeer({ type: 'buried', address });
      else this.directory.partyDied(key);
      return;
    }
    this.directory.partyDied(key);
    this.#toPeer({ type: 'died', address });
    this.#schedule(() => this.scheduler.unreserve(address.party - this.number(0)));
  }

  /** The other node does not come back: what it owned is lost, and what it held is let go. */
  #peerIsDead(reason: string): void {
    this.peerDied = `its node is gone: ${reason}`;
    for (const burial of [...this.#burials.values()]) this.#said(burial.address, 'peer');
    for (const host of this.#peer.hosts.values()) {
      this.cluster.deadParties.add(host.party.key);
      this.directory.partyDying(host.party.key);
      this.#mourn(host.address, false);
    }
    for (const { id, holder, count } of this.#contained.values()) this.directory.remove(id, holder, count, null);
    this.#contained.clear();
    for (const [id, parties] of this.#asked) {
      for (const party of parties) this.#tell(party, { type: 'lost', id, reason: this.peerDied });
    }
    this.#asked.clear();
  }
}

type Frame =
  | { readonly type: 'push'; readonly push: Push }
  | { readonly type: 'reply'; readonly reply: Reply<Value> }
  | { readonly type: 'acknowledge'; readonly receipt: number };

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

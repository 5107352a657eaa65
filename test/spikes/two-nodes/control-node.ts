import {
  type Address,
  addressKey,
  Directory,
  type FromControl,
  SCHEDULER_LIMITS,
  Scheduler,
  type SettledValue,
  type ToControl,
} from '../../../src/protocol/index.ts';
import type { SessionLink } from '../../../src/transport/index.ts';
import type { Cluster } from './cluster.ts';
import { PartyHost } from './party-host.ts';
import type { BetweenNodes, Mail, Value } from './vocabulary.ts';

/** A party names its peers by numbers of its own. One numbering serves all of them here: so far apart lie those of two nodes. */
export const NUMBERS = 1000;

/** The directory's form of a value: it keeps the ids of other nodes' objects too, which it must not count itself. */
interface Kept {
  readonly id: string;
  readonly value: Value;
  readonly inner: readonly string[];
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
      freed: (owner, object, observed) => this.#tell(owner, { type: 'freed', id: object, observed }),
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

import {
  type Address,
  addressKey,
  Directory,
  type DirectoryPort,
  type FromControl,
  ownerKeyOf,
  Scheduler,
  type SchedulerPort,
  type SettledValue,
  type Shape,
} from '../../protocol/index.ts';
import { Host } from './host.ts';
import { describe, type Message } from './messages.ts';
import { isStandstill, type Payload, SharedObject, Violation } from './values.ts';
import { type Endpoint, Link, type World } from './world.ts';

export const NODE = '00000000000000aa';
const DRIVER = 1;

/** While everybody waits for a message that takes seconds, there would be no end of them. */
const MOST_LOSSES = 20_000;

/** The control thread: scheduler and directory, the births and deaths of workers. */
export class Control implements Endpoint<Message>, SchedulerPort, DirectoryPort<Payload> {
  readonly world: World;
  readonly name = 'control';
  readonly alive = true;
  readonly busyUntil = 0;
  readonly scheduler: Scheduler;
  readonly directory: Directory<Payload>;
  readonly driver: Host;
  /** By number; a dead one stays until it is buried. */
  readonly hosts = new Map<number, Host>();
  readonly #byKey = new Map<string, Host>();
  readonly #links = new Map<Host, Link<Message>>();
  /** Those whose word is missing, by dead party. */
  readonly #burials = new Map<Host, Set<Host>>();
  readonly #deadKeys = new Set<string>();
  /** Workers that have died, and those that are going to. */
  deaths = 0;
  crashes = 0;
  /** Demands refused because nothing moved any more. */
  standstills = 0;
  retired = 0;
  #ticking = false;
  #losses = 0;

  constructor(world: World) {
    this.world = world;
    const { config } = world;
    this.scheduler = new Scheduler(this, config.capacity, config.scheduler);
    this.directory = new Directory<Payload>(NODE, this);
    this.scheduler.reserve(0);
    this.scheduler.reserve(DRIVER);
    this.driver = this.#enter({ node: NODE, party: DRIVER, incarnation: 1 }, true);
    this.turn(() => this.scheduler.prestart(config.prestart, 'process'));
    this.#planCrash();
    this.#planLoss();
  }

  #planLoss(): void {
    const { world } = this;
    const { loseEvery } = world.config;
    if (loseEvery === 0 || ++this.#losses > MOST_LOSSES) return;
    world.after(1 + world.random.int(loseEvery), () => {
      if (this.driver.finished) return;
      const hosts = [...this.hosts.values()].filter((host) => host.alive && host.busyUntil <= world.now);
      if (hosts.length > 0) world.random.pick(hosts).heap.lose();
      this.#planLoss();
    });
  }

  #enter(address: Address, driver: boolean): Host {
    const host = new Host(this.world, this, address, driver);
    this.hosts.set(address.party, host);
    this.#byKey.set(addressKey(address), host);
    this.#links.set(host, new Link<Message>(this.world, this, host));
    return host;
  }

  #runningOn(running: { caller: number; key: number } | null): { owner: string; key: number } | undefined {
    const caller = running === null ? undefined : this.hosts.get(running.caller);
    return caller === undefined || running === null
      ? undefined
      : { owner: addressKey(caller.address), key: running.key };
  }

  turn(work: () => void): void {
    const { scheduler, world } = this;
    scheduler.now = world.now / 1000;
    work();
    if (this.#ticking || !scheduler.waiting) return;
    this.#ticking = true;
    world.after(world.config.scheduler.quantum * 1000, () => {
      this.#ticking = false;
      this.turn(() => scheduler.tick());
    });
  }

  receive(m: Message, link: Link<Message>): void {
    if (m.to !== 'control') throw new Violation('a message for a party at the control thread');
    const from = link.from as Host;
    const { message } = m;
    const key = addressKey(from.address);
    const { scheduler, directory } = this;
    this.world.log(() => `control <- ${from.name}: ${describe(m)}`);
    switch (message.type) {
      case 'demand':
        scheduler.demand(key, message.key, message.shape, message.total);
        break;
      case 'return':
        scheduler.returned(key, message.lease);
        break;
      case 'blocked':
        scheduler.blocked(from.number, from.address.incarnation, message.blocked, this.#runningOn(message.running));
        break;
      case 'kill': {
        // By itself, when it hears that the run has to stop; from here, when it does not. Late, there is nothing to stop.
        const host = this.hosts.get(message.worker);
        if (!host?.alive || host.address.incarnation !== message.incarnation) break;
        if (host.executions.isRunning(from, message.run)) this.#crash(host, true);
        break;
      }
      case 'promote':
        directory.promote(message.id, message.settled);
        break;
      case 'settle':
        directory.settle(message.id, message.settled);
        break;
      case 'unsettle':
        directory.unsettle(message.id);
        break;
      case 'add':
        directory.add(message.id, message.party, message.by);
        break;
      case 'remove':
        directory.remove(message.id, key, message.count, message.by, message.observed);
        break;
      case 'resolve':
        directory.resolve(message.id, key);
        break;
      case 'buried':
        this.#buried(from, message.party, message.incarnation);
        break;
    }
  }

  #tell(host: Host | undefined, message: FromControl<Payload>): void {
    if (host === undefined || !host.alive) return;
    this.world.log(() => `control -> ${host.name}: ${describe({ to: 'party', message })}`);
    (this.#links.get(host) as Link<Message>).send({ to: 'party', message });
  }

  // ---- births and deaths

  spawn(worker: number, incarnation: number, _isolation: Shape['isolation']): void {
    const { world } = this;
    world.log(() => `control spawns worker ${worker}.${incarnation}`);
    if (this.hosts.has(worker)) throw new Violation(`number ${worker} is given away while it is in use`);
    world.after(1 + world.random.int(world.config.startup), () => {
      this.turn(() => {
        if (world.config.crashEvery > 0 && this.crashes < world.config.crashes && world.random.chance(0.05)) {
          this.crashes++;
          this.scheduler.workerDied(worker, incarnation);
          this.scheduler.unreserve(worker);
          return;
        }
        this.#enter({ node: NODE, party: worker, incarnation }, false);
        this.scheduler.workerStarted(worker, incarnation);
      });
    });
  }

  #planCrash(): void {
    const { world } = this;
    const { crashEvery, crashes } = world.config;
    if (crashEvery === 0) return;
    world.after(1 + Math.floor(-Math.log(1 - world.random.next()) * crashEvery), () => {
      if (this.driver.finished || this.crashes >= crashes) return;
      const workers = [...this.hosts.values()].filter((host) => host.alive && host !== this.driver);
      if (workers.length > 0) {
        this.crashes++;
        this.#crash(world.random.pick(workers), false);
      }
      this.#planCrash();
    });
  }

  #crash(host: Host, killed: boolean): void {
    const { world } = this;
    world.log(() => `${host.name} ${killed ? 'is killed' : 'crashes'}`);
    host.killed = killed;
    host.die();
    this.deaths++;
    const learn = world.random.chance(0.2) ? 20_000 : 300;
    world.after(world.random.int(learn), () => this.turn(() => this.#learn(host)));
  }

  #learn(host: Host): void {
    const { party, incarnation } = host.address;
    this.world.log(() => `control learns that ${host.name} has died`);
    host.toControl.drain();
    this.#deadKeys.add(addressKey(host.address));
    this.directory.partyDying(addressKey(host.address));
    // The others have nothing to do with it, and are not waited for.
    const related = new Set(
      [...this.hosts.values()].filter(
        (other) => other.isConnectedTo(host) || this.scheduler.hasLent(party, incarnation, addressKey(other.address)),
      ),
    );
    this.scheduler.workerDied(party, incarnation);
    this.scheduler.ownerDied(addressKey(host.address));
    const missing = new Set<Host>();
    for (const other of this.hosts.values()) {
      if (other === host || this.#burials.has(other) || !related.has(other)) continue;
      missing.add(other);
      this.#tell(other, { type: 'died', party, incarnation, reason: 'it crashed' });
    }
    this.#burials.set(host, missing);
    for (const dead of [...this.#burials.keys()]) this.#said(dead, host);
  }

  #buried(from: Host, party: number, incarnation: number): void {
    const dead = this.hosts.get(party);
    if (dead === undefined || dead.address.incarnation !== incarnation) throw new Violation('buried twice');
    this.#said(dead, from);
  }

  #said(dead: Host, who: Host): void {
    const missing = this.#burials.get(dead) as Set<Host>;
    missing.delete(who);
    if (missing.size > 0) return;
    const { party } = dead.address;
    this.world.log(() => `${dead.name} is buried`);
    this.#burials.delete(dead);
    this.hosts.delete(party);
    this.directory.partyDied(addressKey(dead.address));
    for (const object of this.world.objects) object.forget(dead);
    this.scheduler.unreserve(party);
  }

  // ---- the scheduler's port

  grant(owner: string, key: number, lease: number, worker: number, incarnation: number, gpus: readonly number[]): void {
    this.#tell(this.#byKey.get(owner), { type: 'grant', key, lease, worker, incarnation, gpus });
  }

  reclaim(owner: string, lease: number): void {
    this.#tell(this.#byKey.get(owner), { type: 'reclaim', lease });
  }

  wanted(owner: string, lease: number): void {
    this.#tell(this.#byKey.get(owner), { type: 'wanted', lease });
  }

  retire(worker: number, incarnation: number): boolean {
    const host = this.hosts.get(worker);
    if (host === undefined || !host.alive || host.address.incarnation !== incarnation) return false;
    if (this.directory.owns(addressKey(host.address))) return false;
    this.retired++;
    this.#crash(host, true);
    return true;
  }

  infeasible(owner: string, key: number, reason: string): void {
    if (isStandstill(reason)) {
      this.standstills++;
      this.#checkStandstill();
    }
    this.#tell(this.#byKey.get(owner), { type: 'infeasible', key, reason });
  }

  // ---- the directory's port

  resolved(party: string, id: string, settled: SettledValue<Payload>): void {
    settled.payload.object?.use(`served to ${party}`);
    this.#tell(this.#byKey.get(party), { type: 'resolved', id, settled });
  }

  lost(party: string, id: string, reason: string): void {
    this.#tell(this.#byKey.get(party), { type: 'lost', id, reason });
  }

  freed(owner: string, id: string, observed: boolean): void {
    this.checkUnheld(id);
    this.#tell(this.#byKey.get(owner), { type: 'freed', id, observed });
  }

  isLost(payload: Payload): boolean {
    return payload.object?.lost === true;
  }

  missing(owner: string, id: string): void {
    this.world.counts.missing++;
    this.#tell(this.#byKey.get(owner), { type: 'missing', id });
  }

  keep(payload: Payload): void {
    payload.object?.use('kept by the directory');
    payload.object?.pin(SharedObject.CONTROL);
  }

  drop(payload: Payload): void {
    payload.object?.unpin(SharedObject.CONTROL);
  }

  // ---- checks

  /** Where no message takes as long as that, nothing must be able to go on. */
  #checkStandstill(): void {
    const { slowLinks, stall } = this.world.config;
    if (slowLinks > 0 || stall > 0) return;
    for (const host of this.hosts.values()) {
      if (host === this.driver || !host.alive) continue;
      const { executor } = host.party;
      if (executor.running > 0) throw new Violation(`a demand is refused although ${host.name} goes on`);
    }
  }

  /** An entry must not go while a living party has a hold on it. */
  checkUnheld(id: string): void {
    for (const host of this.hosts.values()) {
      if (!host.alive) continue;
      const { owned, borrowed } = host.party.references;
      const cell = owned.get(id) ?? borrowed.get(id);
      if (cell !== undefined && cell.holds > 0) {
        throw new Violation(
          `${id} is freed although ${host.name} holds it (${cell.holds} holds, ${cell.credits} credits)`,
        );
      }
    }
  }

  checkLost(id: string, reason: string, at: Host): void {
    // What the fault injection took away, and could not be made again.
    if (this.world.losses > 0 && reason.startsWith('every copy')) return;
    if (!this.#deadKeys.has(ownerKeyOf(id))) {
      throw new Violation(`${at.name} lost ${id}, whose owner is alive: ${reason}`);
    }
  }
}

import { ActorDiedError } from '../../base/index.ts';
import type { SlotRef } from '../../memory/index.ts';
import { libc } from '../../native/index.ts';
import {
  ActorEndings,
  type ActorNews,
  ActorTable,
  addressKey,
  Directory,
  type FromControl,
  ownerOf,
  SCHEDULER_LIMITS,
  Scheduler,
  type Shape,
  type ToControl,
} from '../../protocol/index.ts';
import { type Bell, type ControlBlock, Reactor, type ReactorHost, type RingReader } from '../../transport/index.ts';
import { type ControlConfig, DRIVER } from '../config.ts';
import type { NodeReport, PartyReport, WorkerRow } from '../explain.ts';
import * as F from '../frames.ts';
import type { HostMessage, LastAnswer, NameAnswer } from '../host-messages.ts';
import { ACTORS_END_MS } from '../last-moments.ts';
import { Mailer } from '../mailer.ts';
import { isWireOfShared, type Wire } from '../values.ts';
import type { WorkerHost } from '../worker-host.ts';
import { Burials } from './burials.ts';
import { DEADLINE_CHECK_MS, type Member, Members } from './members.ts';
import { MemoryGuard } from './memory-guard.ts';
import { MemoryKeeper } from './memory-keeper.ts';
import { Observer } from './observer.ts';
import { Recordings } from './recordings.ts';
import { Reporter, residentBytes } from './reporter.ts';
import { SignalWatch } from './signal-watch.ts';
import { Starts } from './starts.rules.ts';
import { StatusServer } from './status-server.ts';

/** The latest deaths, for those who ask what happened. */
const DEATHS_KEPT = 10;
const TRIM_STEP = 64 * 1024 * 1024;
const TRIM_AFTER_MS = 5000;
const LISTEN_AFTER_MS = 100;

/**
 * The control thread: one per node. It lends workers, starts and ends them, answers for references that have escaped,
 * and never runs user code, so that nothing a user does can keep it from doing so.
 */
export class ControlHost implements ReactorHost {
  readonly #config: ControlConfig;
  readonly #block: ControlBlock;
  readonly #memory: MemoryKeeper;
  readonly #guard: MemoryGuard;
  readonly #reactor: Reactor;
  readonly #mailer: Mailer;
  readonly #scheduler: Scheduler;
  readonly #directory: Directory<Wire>;
  readonly #actors: ActorTable<Wire>;
  readonly #members: Members;
  readonly #burials: Burials;
  readonly #deaths: { worker: number; reason: string; at: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #starts = new Starts();
  #closing: (() => void) | undefined;
  /** Of the actors, when the session or the program is about to end. */
  #ending: { readonly actors: ActorEndings; readonly over: () => void } | undefined;
  readonly #reporter = new Reporter((party, question, what, limit) =>
    this.#mailer.post(party, { type: 'ask', question, what, limit }),
  );
  readonly #observer: Observer;
  readonly #recordings: Recordings;
  readonly #signals: SignalWatch;
  #server: StatusServer | undefined;
  readonly #startedAt = performance.now();
  #lastBusy = performance.now();

  constructor(
    config: ControlConfig,
    block: ControlBlock,
    bell: Bell,
    hosts: ReadonlyMap<Shape['isolation'], WorkerHost>,
  ) {
    this.#config = config;
    this.#block = block;
    this.#reactor = new Reactor(block, 0, bell, this, { spin: 0, slice: 10, spinners: 0, yieldCore: undefined });
    this.#mailer = new Mailer(this.#reactor);
    this.#memory = new MemoryKeeper(config, () => {
      for (const { party } of this.#members) this.#reactor.notify(party);
    });
    this.#members = new Members(config, block, hosts, (member, reason) => this.#ended(member, reason));
    this.#burials = new Burials(
      (dead) => this.#buried(dead),
      (dead, mourners) => this.#endOrphans(dead, mourners),
    );
    this.#directory = new Directory<Wire>(config.node, {
      resolved: (party, id, settled) => this.#tell(party, { type: 'resolved', id, settled }),
      lost: (party, id, reason) => this.#tell(party, { type: 'lost', id, reason }),
      freed: (owner, id, observed) => {
        this.#tell(owner, { type: 'freed', id, observed });
        this.#actors.forget(id);
      },
      isLost: (payload) => {
        const { values } = this.#memory;
        return isWireOfShared(payload) && values.lostSlot(values.parse(payload)) !== undefined;
      },
      missing: (owner, id) => this.#tell(owner, { type: 'missing', id }),
      keep: (payload) => {
        if (isWireOfShared(payload)) this.#memory.values.pin(this.#memory.values.parse(payload));
      },
      drop: (payload) => {
        if (isWireOfShared(payload)) this.#memory.values.unpin(this.#memory.values.parse(payload));
      },
    });
    this.#actors = new ActorTable<Wire>({
      tell: (party, news) => this.#tellOfActor(party, news),
      retire: (worker, incarnation, id, alone) => {
        if (this.#members.get(worker)?.incarnation === incarnation)
          this.#mailer.post(worker, { type: 'retire-actor', id, alone });
      },
      isGone: (id) => this.#members.numberOf(addressKey(ownerOf(id))) === undefined || this.#directory.isGone(id),
      joined: (party, id, of) => this.#tell(party, { type: 'joined-actor', id, of }),
      ownerDied: () => this.#memory.values.toWire(new ActorDiedError('the process that had created it has ended')),
    });
    this.#scheduler = new Scheduler(
      {
        spawn: (worker, incarnation, isolation) => {
          if (this.#closing === undefined) this.#members.start(worker, incarnation, isolation, this.#starts.pause);
        },
        grant: (owner, key, lease, worker, incarnation, gpus) =>
          this.#tell(owner, { type: 'grant', key, lease, worker, incarnation, gpus }),
        reclaim: (owner, lease) => this.#tell(owner, { type: 'reclaim', lease }),
        wanted: (owner, lease) => this.#tell(owner, { type: 'wanted', lease }),
        infeasible: (owner, key, reason) => this.#tell(owner, { type: 'infeasible', key, reason }),
        retire: (worker, incarnation) => this.#retire(worker, incarnation),
      },
      config.capacity,
      { ...SCHEDULER_LIMITS, parties: config.shape.parties },
    );
    this.#guard = new MemoryGuard(this.#members, block, config.workerMemory, (party) =>
      this.#scheduler.runsOnce(party, this.#members.get(party)?.incarnation ?? -1),
    );
    const sources = { config, block, members: this.#members, reporter: this.#reporter };
    this.#recordings = new Recordings({ ...sources, deaths: this.#deaths });
    this.#observer = new Observer({
      ...sources,
      actors: this.#actors,
      directory: this.#directory,
      scheduler: this.#scheduler,
      memory: this.#memory,
    });
    this.#scheduler.reserve(0);
    this.#scheduler.reserve(DRIVER);
    this.#scheduler.prestart(config.prestart, config.isolation);
    // Nobody asks in the first moments, in which every millisecond counts.
    setTimeout(() => this.#listen(), LISTEN_AFTER_MS).unref();
    this.#signals = new SignalWatch(
      block,
      () => this.#mailer.post(DRIVER, { type: 'signalled' }),
      (code) => void this.#endProgram(code),
    );
    this.#reactor.kick();
  }

  #tell(party: string, message: FromControl<Wire> | HostMessage): void {
    const number = this.#members.numberOf(party);
    if (number !== undefined) this.#mailer.post(number, message);
  }

  #tellOfActor(party: string, news: ActorNews<Wire>): void {
    if ('worker' in news) {
      const host = this.#members.get(news.worker);
      if (host?.incarnation === news.incarnation) host.knownTo.add(party);
    }
    this.#tell(party, news);
  }

  // ---- the end of a party

  /** An idle worker makes room for one of the other isolation, unless somebody may still want what it owns. */
  #retire(party: number, incarnation: number): boolean {
    const member = this.#members.get(party);
    if (member?.incarnation !== incarnation || member.process === undefined) return false;
    if (this.#directory.owns(member.key)) return false;
    this.#members.kill(party, incarnation, 'ended: its number was wanted for a worker of the other isolation');
    return true;
  }

  /** A worker's process or thread has ended: what it had sent counts, what it held and owned does not. */
  #ended(member: Member, reason: string): void {
    if (this.#members.get(member.party) !== member) return;
    this.#reactor.drain(member.party);
    const why = member.killReason ?? member.lastWords ?? reason;
    this.#deaths.push({ worker: member.party, reason: why, at: Date.now() });
    if (this.#deaths.length > DEATHS_KEPT) this.#deaths.shift();
    this.#members.remove(member);
    this.#reactor.forget(member.party, member.incarnation);
    this.#mailer.forget(member.party);
    this.#block.forgetSpin(member.party);
    // Nobody waits for it.
    this.#block.setRelieved(member.party, 0x7fffffff);

    if (this.#closing !== undefined) {
      // Nobody has to hear of it, and nobody takes its place.
      this.#closeIfDone();
      return;
    }
    this.#directory.partyDying(member.key);
    // The rest of its memory has to wait for the burial, and that for whoever is deaf just now: its task may need this
    // much to run again.
    this.#memory.store.reclaimUnsealed(member.party);
    const mourners = new Set<number>();
    for (const other of this.#members) {
      // One that has not started yet can't have heard of it.
      if (!other.ready || !this.#haveDealings(other, member)) continue;
      mourners.add(other.party);
      this.#mailer.post(other.party, {
        type: 'died',
        party: member.party,
        incarnation: member.incarnation,
        reason: why,
      });
    }
    this.#burials.begin(member, mourners);
    // After word of the death itself, which says what becomes of the calls that were under way there.
    this.#actors.workerDied(member.party, member.incarnation);
    this.#ending?.actors.workerDied(member.party, member.incarnation);
    this.#lookAtEnding();
    this.#actors.partyDied(member.key);
    this.#scheduler.now = performance.now();
    if (!member.ready) {
      const refusal = this.#starts.failed(why, this.#members.anyReady, this.#scheduler.now);
      if (refusal !== undefined) this.#refuseAll(refusal);
    }
    this.#scheduler.workerDied(member.party, member.incarnation);
    this.#scheduler.ownerDied(member.key);
    this.#burials.excuse(member.party);
    // The next one to lose its worker finds another one ready.
    if (this.#starts.refusal(this.#scheduler.now) === undefined)
      this.#scheduler.prestart(this.#config.prestart, this.#config.isolation);
    this.#reactor.kick();
  }

  /**
   * Whether a party has anything to do at the death of another one: something has been sent between them, or may be. Others need
   * not hear of it, and nobody waits until they have: they may compute for long. One that was told of an actor there may make its
   * first call of it only now, and that must not come to the next worker of the number.
   */
  #haveDealings(other: Member, dead: Member): boolean {
    return (
      this.#block.connected(other.party, dead.party) ||
      this.#scheduler.hasLent(dead.party, dead.incarnation, other.key) ||
      dead.knownTo.has(other.key)
    );
  }

  /** A worker in a synchronous loop for a caller that is gone hears nothing of that: it is ended. */
  #endOrphans(dead: Member, mourners: Iterable<number>): void {
    for (const party of mourners) {
      const member = this.#members.get(party);
      if (member === undefined || this.#block.currentSlot(party, dead.party) < 0) continue;
      this.#members.kill(party, member.incarnation, 'ended: the caller of its task is gone');
    }
  }

  /** Nobody waits for a worker that will never come. */
  #refuseAll(reason: string): void {
    for (const { owner, key, shape } of this.#scheduler.explain()) {
      this.#scheduler.demand(owner, key, shape, 0);
      this.#tell(owner, { type: 'infeasible', key, reason });
    }
  }

  #buried(dead: Member): void {
    this.#directory.partyDied(dead.key);
    if (this.#closing !== undefined) return;
    this.#memory.store.reclaimParty(dead.party);
    this.#scheduler.unreserve(dead.party);
  }

  // ---- messages

  message(from: number, reader: RingReader): void {
    const { words, bytes } = reader.views;
    const kind = words[reader.at >> 2] as number;
    if (kind === F.CONTROL) {
      this.#handle(from, this.#mailer.open(bytes, reader.at) as ToControl<Wire> | HostMessage);
    } else if (kind === F.PART) {
      this.#mailer.part(from, words, bytes, reader.at, (whole) => {
        this.#handle(from, this.#mailer.open(whole, 0) as ToControl<Wire> | HostMessage);
      });
    }
  }

  #handle(from: number, message: ToControl<Wire> | HostMessage): void {
    const member = this.#members.get(from);
    if (member === undefined) return;
    const { key } = member;
    this.#scheduler.now = performance.now();
    this.#lastBusy = this.#scheduler.now;
    switch (message.type) {
      case 'demand': {
        const refusal = message.total > 0 ? this.#starts.refusal(this.#scheduler.now) : undefined;
        if (refusal === undefined) this.#scheduler.demand(key, message.key, message.shape, message.total);
        else this.#tell(key, { type: 'infeasible', key: message.key, reason: refusal });
        break;
      }
      case 'return':
        this.#scheduler.returned(key, message.lease);
        break;
      case 'blocked': {
        const { blocked, running } = message;
        const owner = running === null ? undefined : this.#members.get(running.caller)?.key;
        const known = running === null || owner === undefined ? undefined : { owner, key: running.key };
        this.#scheduler.blocked(from, member.incarnation, blocked, known);
        break;
      }
      case 'kill':
        this.#members.killRun(message.worker, message.incarnation, from, message.run, `ended: ${message.reason}`);
        break;
      case 'promote':
        this.#directory.promote(message.id, message.settled);
        break;
      case 'settle':
        this.#directory.settle(message.id, message.settled);
        break;
      case 'unsettle':
        this.#directory.unsettle(message.id);
        break;
      case 'add':
        this.#directory.add(message.id, message.party, message.by);
        break;
      case 'remove':
        this.#directory.remove(message.id, key, message.count, message.by, message.observed);
        break;
      case 'resolve':
        this.#directory.resolve(message.id, key);
        break;
      case 'create-actor':
        this.#actors.created(message.id, message.namespace, message.name);
        break;
      case 'alias-actor':
        this.#actors.alias(message.id, message.of);
        break;
      case 'watch-actor': {
        const owner = addressKey(ownerOf(message.id));
        this.#actors.watch(message.id, key, this.#members.numberOf(owner) !== undefined);
        break;
      }
      case 'hosting':
        this.#actors.hosted(message.id, from, member.incarnation, message.ready, message.disposes);
        break;
      case 'actor-over':
        this.#actors.over(message.id, message.why);
        break;
      case 'drain-actor':
        this.#actors.drain(message.id);
        break;
      case 'quiet-actor':
        this.#actors.quiet(message.id, key);
        break;
      case 'actor-ended':
        this.#ending?.actors.ended(message.id);
        this.#lookAtEnding();
        break;
      case 'create-detached': {
        // Counted in for the driver, as with everything that is given from here.
        const driver = this.#members.get(DRIVER) as Member;
        this.#directory.add(message.args, driver.key, null);
        this.#mailer.post(DRIVER, message);
        break;
      }
      case 'created-detached': {
        const { question, to, id, of } = message;
        const asked = this.#members.get(to);
        if (asked === undefined) break;
        if (id !== null) this.#directory.add(id, asked.key, null);
        const answer: NameAnswer = { id, of };
        this.#mailer.post(to, { type: 'answer', question, answer });
        break;
      }
      case 'name-actor': {
        const { namespace, name, id, of, join } = message;
        const actors = this.#actors;
        const known = id === null ? actors.named(namespace, name) : actors.claim(namespace, name, id, of);
        // Counted in for who asks, as with everything that is given from here.
        if (known !== undefined && join && known.type === of) this.#directory.add(known.id, key, null);
        const answer: NameAnswer = { id: known?.id ?? null, of: known?.type ?? null };
        this.#mailer.post(from, { type: 'answer', question: message.question, answer });
        break;
      }
      case 'buried':
        this.#burials.said(message.party, message.incarnation, from);
        break;
      case 'hello':
        member.ready = true;
        this.#starts.succeeded();
        this.#scheduler.workerStarted(from, member.incarnation);
        if (this.#recordings.active) this.#mailer.post(from, { type: 'ask', question: 0, what: 'record' });
        break;
      case 'exited':
        this.#members.exited(message.party, message.reason);
        break;
      case 'last-words':
        member.lastWords = message.text;
        break;
      case 'cancel': {
        const owner = this.#members.numberOf(addressKey(ownerOf(message.id)));
        if (owner !== undefined) this.#mailer.post(owner, message);
        break;
      }
      case 'ask':
        void this.#answer(from, message.question, message.what);
        break;
      case 'bring':
        void this.#bring(from, message.question, message.slots);
        break;
      case 'answer':
        this.#reporter.answered(from, message.question, message.answer);
        break;
      default:
        break;
    }
  }

  /** Has the actors end that have something to do then; resolves when they have, or their time is up. */
  async #endActors(ms: number): Promise<void> {
    const living = this.#actors.disposable((id) => this.#workersThatHold(id));
    if (living.length === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, ms);
      const actors = new ActorEndings(living, ({ worker, incarnation, id }) => {
        if (this.#members.get(worker)?.incarnation === incarnation)
          this.#mailer.post(worker, { type: 'end-actor', id, ms });
      });
      const over = (): void => {
        clearTimeout(late);
        resolve();
      };
      this.#ending = { actors, over };
      this.#reactor.kick();
    });
  }

  #lookAtEnding(): void {
    if (this.#ending?.actors.over) this.#ending.over();
  }

  #workersThatHold(id: string): number[] {
    return this.#directory.holders(id).flatMap((holder) => this.#members.numberOf(holder) ?? []);
  }

  async #bring(from: number, question: number, slots: readonly SlotRef[]): Promise<void> {
    await this.#memory.bring(slots);
    this.#mailer.post(from, { type: 'answer', question, answer: undefined });
  }

  async #answer(from: number, question: number, what: string): Promise<void> {
    const last = what === 'close' || what === 'exit';
    const answer = last ? await this.#lastAnswer(from, ACTORS_END_MS[what]) : await this.describe();
    this.#mailer.post(from, { type: 'answer', question, answer });
    if (!last) return;
    // The thread ends by itself: being ended from outside in the middle of a foreign call takes the process down.
    clearTimeout(this.#timer);
    this.#signals.close();
    this.#reactor.close();
    process.exit(0);
  }

  /** Ends all workers. What they would have had to say of failures that nobody has looked at is told instead of them. */
  async #lastAnswer(to: number, actorsMs: number): Promise<LastAnswer> {
    // What they have sent already, among it that they have let go, may not have been taken in yet.
    const drain = (): void => {
      for (const { party } of [...this.#members]) if (party !== to) this.#reactor.drain(party);
    };
    drain();
    await this.#endActors(actorsMs);
    drain();
    const unobserved = this.#directory.unobserved(this.#members.get(to)?.key ?? '');
    await this.#close();
    await this.#memory.close();
    return { unobserved };
  }

  /** What people may want to know of the node: for `sheaf status`, and for waits that take long. */
  async describe(): Promise<NodeReport> {
    const ready = [...this.#members].filter((member) => member.ready).map((member) => member.party);
    const parties = await this.#reporter.gather<PartyReport>(ready, 'report');
    this.#scheduler.now = performance.now();
    return {
      node: this.#config.node,
      name: this.#config.name,
      pid: process.pid,
      upMs: performance.now() - this.#startedAt,
      isolation: this.#config.isolation,
      capacity: this.#config.capacity,
      free: this.#scheduler.free,
      workers: this.#scheduler.workers().map((row) => this.#workerRow(row)),
      waiting: this.#scheduler.explain(),
      references: this.#directory.size,
      memory: { ...this.#memory.store.stats() },
      deaths: [...this.#deaths],
      parties,
    };
  }

  #workerRow(row: { worker: number; incarnation: number; state: string; leases: number }): WorkerRow {
    const pid = this.#members.get(row.worker)?.process?.pid ?? null;
    const callers = [...this.#members].map(({ party: caller }) => ({
      caller,
      slot: this.#block.currentSlot(row.worker, caller),
    }));
    const current = callers.find(({ slot }) => slot >= 0);
    const resident = pid === process.pid ? null : residentBytes(pid);
    return { ...row, pid, resident, caller: current?.caller ?? null, slot: current?.slot ?? null };
  }

  #listen(): void {
    const { socket } = this.#config;
    if (socket === undefined || this.#closing !== undefined) return;
    this.#server = new StatusServer(socket, {
      status: () => this.describe(),
      tasks: ({ limit }) => this.#observer.tasks(limit),
      actors: ({ limit }) => this.#observer.actors(limit),
      objects: ({ limit }) => this.#observer.objects(limit),
      record: ({ seconds }) => this.#recordings.record(seconds * 1000),
    });
  }

  /** The program hears no signal: it is ended from here, as the signal would have done, but for what is in our hands. */
  async #endProgram(code: number): Promise<void> {
    // It does hear, and has begun to end by itself.
    if (this.#closing !== undefined || this.#ending !== undefined) return;
    this.#signals.close();
    await this.#endActors(ACTORS_END_MS.exit);
    this.#server?.close();
    for (const { process: worker } of this.#members) if (worker?.pid !== process.pid) worker?.kill();
    this.#memory.removeFolder();
    libc()?.exit(code);
  }

  /** Ends all workers; resolves when they are gone. */
  #close(): Promise<void> {
    this.#server?.close();
    return new Promise((resolve) => {
      this.#closing = resolve;
      this.#members.killAll('the session was closed');
      this.#closeIfDone();
    });
  }

  #closeIfDone(): void {
    if (!this.#members.anyWorker) this.#closing?.();
  }

  // ---- ReactorHost

  runTasks(): boolean {
    this.#memory.look();
    return false;
  }

  settleUp(): void {}

  expecting(): boolean {
    return true;
  }

  busy(): boolean {
    return false;
  }

  parking(): void {
    this.#arm();
  }

  nextTick(): undefined {
    return undefined;
  }

  tick(): void {}

  /** A timer only while something can be due: a demand that waits, a deadline that may pass, memory to give back. */
  #arm(): void {
    if (this.#timer !== undefined) return;
    const now = performance.now();
    let wait: number | undefined;
    if (this.#scheduler.waiting) wait = SCHEDULER_LIMITS.quantum;
    // A worker says by itself in shared memory when its task has to be over; somebody has to look.
    else if (this.#scheduler.busy) wait = DEADLINE_CHECK_MS;
    else if ((this.#memory.mapped?.stats().warm ?? 0) > TRIM_STEP) {
      wait = now - this.#lastBusy > TRIM_AFTER_MS ? 50 : TRIM_AFTER_MS;
    }
    if (wait === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#scheduler.now = performance.now();
      this.#scheduler.tick();
      this.#members.enforceDeadlines();
      this.#guard.look(this.#scheduler.now);
      if (!this.#scheduler.waiting && performance.now() - this.#lastBusy > TRIM_AFTER_MS) {
        const store = this.#memory.mapped;
        if (store?.stats().used === 0) store.trim(TRIM_STEP, TRIM_STEP);
      }
      this.#arm();
    }, wait);
  }
}

import { InternalError } from '../../base/index.ts';
import { SharedStore } from '../../memory/index.ts';
import {
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
import { AdoptedProcess } from '../adopted-process.ts';
import { type ControlConfig, DRIVER } from '../config.ts';
import type { NodeReport, WorkerRow } from '../explain.ts';
import * as F from '../frames.ts';
import { Mailer } from '../mailer.ts';
import type { HostMessage } from '../party-host.ts';
import { isWireOfShared, Values, type Wire } from '../values.ts';
import type { WorkerHost, WorkerProcess } from '../worker-host.ts';
import { Reporter, residentBytes } from './reporter.ts';
import { StatusServer } from './status-server.ts';

interface Member {
  readonly party: number;
  readonly incarnation: number;
  readonly key: string;
  process: WorkerProcess | undefined;
  ready: boolean;
  /** Why it is being ended, if it is. */
  killReason: string | undefined;
  lastWords: string | undefined;
  startedAt: number;
}

/** A party that is gone, until everybody has taken in what it had sent. */
interface Burial {
  readonly member: Member;
  readonly mourners: Set<number>;
}

const DEADLINE_CHECK_MS = 20;
/** A task that gives its event loop no turn may go on for so long after its caller has died. */
const ORPHAN_GRACE_MS = 500;
/** After so many workers in a row that ended before they were ready, it is no accident. */
const FAILED_STARTS = 3;
/** As long as others go on, a pause before each further start, doubling up to some half a minute. */
const START_AGAIN_MS = 100;
const MOST_START_DOUBLINGS = 8;
/** Otherwise nobody tries again before so long. */
const TRY_AGAIN_MS = 5000;
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
  #attached: { readonly store: SharedStore; readonly values: Values } | undefined;
  readonly #reactor: Reactor;
  readonly #mailer: Mailer;
  readonly #scheduler: Scheduler;
  readonly #directory: Directory<Wire>;
  readonly #hosts: ReadonlyMap<Shape['isolation'], WorkerHost>;
  readonly #members = new Map<number, Member>();
  readonly #keys = new Map<string, number>();
  readonly #burials = new Map<number, Burial>();
  readonly #restarts: { worker: number; reason: string; at: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failedStarts = 0;
  /** Why no worker can be had, when that is so, and until when nobody tries again. */
  #broken: { readonly reason: string; readonly until: number } | undefined;
  #closing: (() => void) | undefined;
  readonly #reporter = new Reporter((party, question) =>
    this.#mailer.post(party, { type: 'ask', question, what: 'report' }),
  );
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
    this.#hosts = hosts;
    this.#reactor = new Reactor(block, 0, bell, this, { spin: 0, slice: 10, spinners: 0, yieldCore: undefined });
    this.#mailer = new Mailer(this.#reactor);
    this.#directory = new Directory<Wire>(config.node, {
      resolved: (party, id, settled) => this.#tell(party, { type: 'resolved', id, settled }),
      lost: (party, id, reason) => this.#tell(party, { type: 'lost', id, reason }),
      freed: (owner, id) => this.#tell(owner, { type: 'freed', id }),
      keep: (payload) => {
        if (isWireOfShared(payload)) this.#memory.values.pin(this.#memory.values.parse(payload));
      },
      drop: (payload) => {
        if (isWireOfShared(payload)) this.#memory.values.unpin(this.#memory.values.parse(payload));
      },
    });
    this.#scheduler = new Scheduler(
      {
        spawn: (worker, incarnation, isolation) => this.#spawn(worker, incarnation, isolation),
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
    this.#scheduler.reserve(0);
    this.#scheduler.reserve(DRIVER);
    this.#join({
      party: DRIVER,
      incarnation: block.incarnation(DRIVER),
      key: addressKey({ node: config.node, party: DRIVER, incarnation: block.incarnation(DRIVER) }),
      process: undefined,
      ready: true,
      killReason: undefined,
      lastWords: undefined,
      startedAt: performance.now(),
    });
    this.#scheduler.prestart(config.prestart, config.isolation);
    // Nobody asks in the first moments, in which every millisecond counts.
    setTimeout(() => this.#listen(), LISTEN_AFTER_MS).unref();
    this.#reactor.kick();
  }

  /** Shared memory, mapped on first use: the first worker starts sooner without it. */
  get #memory(): { readonly store: SharedStore; readonly values: Values } {
    if (this.#attached === undefined) {
      const store = SharedStore.attach(this.#config.store, 0);
      const values = new Values(store, () => {
        throw new InternalError('the control thread looked into a value');
      });
      this.#attached = { store, values };
    }
    return this.#attached;
  }

  #join(member: Member): void {
    this.#members.set(member.party, member);
    this.#keys.set(member.key, member.party);
  }

  #tell(party: string, message: FromControl<Wire> | HostMessage): void {
    const number = this.#keys.get(party);
    if (number !== undefined) this.#mailer.post(number, message);
  }

  // ---- workers

  #spawn(party: number, incarnation: number, isolation: Shape['isolation']): void {
    if (this.#closing !== undefined) return;
    const host = this.#hosts.get(isolation) as WorkerHost;
    const { adopted } = this.#config;
    const isAdopted = adopted?.party === party && adopted.incarnation === incarnation;
    // An adopted one may have sent something already.
    if (!isAdopted) this.#block.reset(party, incarnation);
    const member: Member = {
      party,
      incarnation,
      key: addressKey({ node: this.#config.node, party, incarnation }),
      process: undefined,
      ready: false,
      killReason: undefined,
      lastWords: undefined,
      startedAt: performance.now(),
    };
    this.#join(member);
    const ended = (reason: string): void => this.#ended(member, reason);
    if (isAdopted) member.process = new AdoptedProcess(adopted, ended);
    else if (this.#failedStarts < FAILED_STARTS) member.process = host.start(party, incarnation, ended);
    else this.#startLater(member, () => host.start(party, incarnation, ended));
  }

  /** Workers keep failing to start, while others go on: not again and again without a pause. */
  #startLater(member: Member, start: () => WorkerProcess): void {
    const doublings = Math.min(this.#failedStarts - FAILED_STARTS, MOST_START_DOUBLINGS);
    setTimeout(
      () => {
        if (this.#closing === undefined && this.#members.get(member.party) === member) member.process = start();
      },
      START_AGAIN_MS * 2 ** doublings,
    ).unref();
  }

  /** Whether a worker is there that can run tasks. */
  get #hasWorkers(): boolean {
    for (const member of this.#members.values()) if (member.ready && member.party !== DRIVER) return true;
    return false;
  }

  #kill(party: number, incarnation: number, reason: string): void {
    const member = this.#members.get(party);
    if (member?.incarnation !== incarnation || member.process === undefined) return;
    member.killReason ??= reason;
    member.process.kill();
  }

  /** An idle worker makes room for one of the other isolation, unless somebody may still want what it owns. */
  #retire(party: number, incarnation: number): boolean {
    const member = this.#members.get(party);
    if (member?.incarnation !== incarnation || member.process === undefined) return false;
    if (this.#directory.owns(member.key)) return false;
    this.#kill(party, incarnation, 'ended: its number was wanted for a worker of the other isolation');
    return true;
  }

  /** A worker's process or thread has ended: what it had sent counts, what it held and owned does not. */
  #ended(member: Member, reason: string): void {
    if (this.#members.get(member.party) !== member) return;
    this.#reactor.drain(member.party);
    const why = member.killReason ?? (member.lastWords === undefined ? reason : member.lastWords);
    this.#restarts.push({ worker: member.party, reason: why, at: Date.now() });
    if (this.#restarts.length > 100) this.#restarts.shift();
    this.#members.delete(member.party);
    this.#keys.delete(member.key);
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
    const mourners = new Set<number>();
    for (const other of this.#members.values()) {
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
    const burial: Burial = { member, mourners };
    this.#burials.set(member.party, burial);
    setTimeout(() => this.#endOrphans(burial), ORPHAN_GRACE_MS).unref();
    this.#scheduler.now = performance.now();
    if (!member.ready && ++this.#failedStarts >= FAILED_STARTS && !this.#hasWorkers) {
      this.#giveUp(`${FAILED_STARTS} workers in a row ended before they were ready, the last one because ${why}`);
    }
    this.#scheduler.workerDied(member.party, member.incarnation);
    this.#scheduler.ownerDied(member.key);
    for (const each of [...this.#burials.values()]) this.#mourned(each, member.party);
    // The next one to lose its worker finds another one ready.
    if (this.#closing === undefined && this.#broken === undefined) {
      this.#scheduler.prestart(this.#config.prestart, this.#config.isolation);
    }
    if (this.#closing !== undefined) this.#closeIfDone();
    this.#reactor.kick();
  }

  /**
   * Whether a party has anything to do at the death of another one: something has been sent between them, or may be. Others need
   * not hear of it, and nobody waits until they have: they may compute for long.
   */
  #haveDealings(other: Member, dead: Member): boolean {
    return (
      this.#block.connected(other.party, dead.party) || this.#scheduler.hasLent(dead.party, dead.incarnation, other.key)
    );
  }

  /** A worker in a synchronous loop for a caller that is gone hears nothing of that: it is ended. */
  #endOrphans(burial: Burial): void {
    const dead = burial.member.party;
    if (this.#burials.get(dead) !== burial) return;
    for (const party of burial.mourners) {
      const member = this.#members.get(party);
      if (member === undefined || this.#block.currentSlot(party, dead) < 0) continue;
      this.#kill(party, member.incarnation, 'ended: the caller of its task is gone');
    }
  }

  /** Nobody waits for a worker that will never come. */
  #giveUp(reason: string): void {
    this.#broken = { reason, until: performance.now() + TRY_AGAIN_MS };
    for (const { owner, key, shape } of this.#scheduler.explain()) {
      this.#scheduler.demand(owner, key, shape, 0);
      this.#tell(owner, { type: 'infeasible', key, reason });
    }
  }

  #mourned(burial: Burial, by: number): void {
    burial.mourners.delete(by);
    if (burial.mourners.size > 0) return;
    const { member } = burial;
    this.#burials.delete(member.party);
    this.#directory.partyDied(member.key);
    if (this.#closing !== undefined) return;
    this.#memory.store.reclaimParty(member.party);
    this.#scheduler.unreserve(member.party);
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
      case 'demand':
        if (this.#broken !== undefined && message.total > 0) {
          if (this.#scheduler.now < this.#broken.until) {
            this.#tell(key, { type: 'infeasible', key: message.key, reason: this.#broken.reason });
            break;
          }
          // What was in the way may be gone: one more try.
          this.#broken = undefined;
          this.#failedStarts = FAILED_STARTS - 1;
        }
        this.#scheduler.demand(key, message.key, message.shape, message.total);
        break;
      case 'return':
        this.#scheduler.returned(key, message.lease);
        break;
      case 'blocked':
        this.#scheduler.blocked(from, member.incarnation, message.blocked);
        break;
      case 'kill':
        this.#kill(message.worker, message.incarnation, `ended: ${message.reason}`);
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
        this.#directory.remove(message.id, key, message.count, message.by);
        break;
      case 'resolve':
        this.#directory.resolve(message.id, key);
        break;
      case 'buried': {
        const burial = this.#burials.get(message.party);
        if (burial?.member.incarnation === message.incarnation) this.#mourned(burial, from);
        break;
      }
      case 'hello':
        member.ready = true;
        this.#failedStarts = 0;
        this.#broken = undefined;
        this.#scheduler.workerStarted(from, member.incarnation);
        break;
      case 'exited': {
        const process = this.#members.get(message.party)?.process;
        if (process instanceof AdoptedProcess) process.exited(message.reason);
        break;
      }
      case 'last-words':
        member.lastWords = message.text;
        break;
      case 'cancel': {
        const owner = this.#keys.get(addressKey(ownerOf(message.id)));
        if (owner !== undefined) this.#mailer.post(owner, message);
        break;
      }
      case 'ask':
        void this.#answer(from, message.question, message.what);
        break;
      case 'answer':
        this.#reporter.answered(from, message.question, message.answer);
        break;
      default:
        break;
    }
  }

  async #answer(from: number, question: number, what: string): Promise<void> {
    if (what === 'close') await this.#close();
    const answer = what === 'close' ? true : await this.describe();
    this.#mailer.post(from, { type: 'answer', question, answer });
    if (what !== 'close') return;
    // The thread ends by itself: being ended from outside in the middle of a foreign call takes the process down.
    clearTimeout(this.#timer);
    this.#reactor.close();
    process.exit(0);
  }

  /** What people may want to know of the node: for `sheaf status`, and for waits that take long. */
  async describe(): Promise<NodeReport> {
    const ready = [...this.#members.values()].filter((member) => member.ready).map((member) => member.party);
    const parties = await this.#reporter.gather(ready);
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
      deaths: this.#restarts.slice(-10),
      parties,
    };
  }

  #workerRow(row: { worker: number; incarnation: number; state: string; leases: number }): WorkerRow {
    const pid = this.#members.get(row.worker)?.process?.pid ?? null;
    const callers = [...this.#members.keys()].map((caller) => ({
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
    this.#server = new StatusServer(socket, () => this.describe());
  }

  /** Ends all workers; resolves when they are gone. */
  #close(): Promise<void> {
    this.#server?.close();
    return new Promise((resolve) => {
      this.#closing = resolve;
      for (const member of this.#members.values()) {
        member.killReason ??= 'the session was closed';
        member.process?.kill();
      }
      this.#closeIfDone();
    });
  }

  #closeIfDone(): void {
    for (const member of this.#members.values()) if (member.process !== undefined) return;
    this.#closing?.();
  }

  // ---- ReactorHost

  runTasks(): boolean {
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
    else if ((this.#attached?.store.stats().warm ?? 0) > TRIM_STEP) {
      wait = now - this.#lastBusy > TRIM_AFTER_MS ? 50 : TRIM_AFTER_MS;
    }
    if (wait === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#scheduler.now = performance.now();
      this.#scheduler.tick();
      this.#enforceDeadlines();
      if (!this.#scheduler.waiting && performance.now() - this.#lastBusy > TRIM_AFTER_MS) {
        const store = this.#attached?.store;
        if (store?.stats().used === 0) store.trim(TRIM_STEP, TRIM_STEP);
      }
      this.#arm();
    }, wait);
  }

  /** A task that gives its event loop no turn can't end itself: its worker is ended a moment after the deadline. */
  #enforceDeadlines(): void {
    const now = Date.now();
    for (const member of this.#members.values()) {
      const at = this.#block.deadline(member.party);
      if (at === 0 || now < at + DEADLINE_CHECK_MS) continue;
      this.#block.setDeadline(member.party, 0);
      this.#kill(member.party, member.incarnation, 'timeout: its task ran longer than its timeout');
    }
  }
}

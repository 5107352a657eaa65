import { addressKey, type RunId, type Shape } from '../../protocol/index.ts';
import type { ControlBlock } from '../../transport/index.ts';
import { AdoptedProcess } from '../adopted-process.ts';
import { sharedNow } from '../clock.ts';
import { type ControlConfig, DRIVER } from '../config.ts';
import type { WorkerHost, WorkerProcess } from '../worker-host.ts';

/** A party that takes part: the driver, or a worker. */
export interface Member {
  readonly party: number;
  readonly incarnation: number;
  readonly key: string;
  /** Undefined for the driver. */
  process: WorkerProcess | undefined;
  ready: boolean;
  /** Why it is being ended, if it is. */
  killReason: string | undefined;
  lastWords: string | undefined;
  /** Parties (address keys) that were told that an actor is here, and may call it until they hear otherwise. */
  readonly knownTo: Set<string>;
  /** The deadline that was found to have passed, and how often. */
  overdue: { at: number; looks: number } | undefined;
}

/** How often deadlines are looked at. */
export const DEADLINE_CHECK_MS = 20;
/**
 * A task that lets its event loop go on ends by itself when its time is up. It is given so much longer, and so many looks:
 * on a machine with more to do than cores, its worker may be as late as they are.
 */
const DEADLINE_GRACE_MS = 500;
const DEADLINE_LOOKS = 10;
/** Pauses between looks for a run that has to be ended by force, in milliseconds. */
const LOOKS_MS: readonly number[] = [5, 20, 100, 500];

/** Who takes part in a session now. Workers are started and ended here; `ended` hears of each that is over. */
export class Members {
  readonly #config: ControlConfig;
  readonly #block: ControlBlock;
  readonly #hosts: ReadonlyMap<Shape['isolation'], WorkerHost>;
  readonly #ended: (member: Member, reason: string) => void;
  readonly #members = new Map<number, Member>();
  readonly #numbers = new Map<string, number>();
  #closed = false;

  constructor(
    config: ControlConfig,
    block: ControlBlock,
    hosts: ReadonlyMap<Shape['isolation'], WorkerHost>,
    ended: (member: Member, reason: string) => void,
  ) {
    this.#config = config;
    this.#block = block;
    this.#hosts = hosts;
    this.#ended = ended;
    this.#join(DRIVER, block.incarnation(DRIVER)).ready = true;
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values();
  }

  get(party: number): Member | undefined {
    return this.#members.get(party);
  }

  /** The number of a party that is here, by its address key. */
  numberOf(key: string): number | undefined {
    return this.#numbers.get(key);
  }

  /** Whether any worker has not ended. */
  get anyWorker(): boolean {
    for (const member of this.#members.values()) if (member.process !== undefined) return true;
    return false;
  }

  /** Whether a worker is there that can run tasks. */
  get anyReady(): boolean {
    for (const member of this.#members.values()) if (member.ready && member.party !== DRIVER) return true;
    return false;
  }

  #join(party: number, incarnation: number): Member {
    const key = addressKey({ node: this.#config.node, party, incarnation });
    const member: Member = {
      party,
      incarnation,
      key,
      process: undefined,
      ready: false,
      killReason: undefined,
      lastWords: undefined,
      knownTo: new Set(),
      overdue: undefined,
    };
    this.#members.set(party, member);
    this.#numbers.set(key, party);
    return member;
  }

  /** Starts a worker, after `pause` milliseconds. */
  start(party: number, incarnation: number, isolation: Shape['isolation'], pause: number): void {
    const { adopted } = this.#config;
    const isAdopted = adopted?.party === party && adopted.incarnation === incarnation;
    // An adopted one may have sent something already.
    if (!isAdopted) this.#block.reset(party, incarnation);
    const member = this.#join(party, incarnation);
    const ended = (reason: string): void => this.#ended(member, reason);
    if (isAdopted) member.process = new AdoptedProcess(adopted, ended);
    else {
      const start = (): void => {
        if (this.#closed || this.#members.get(party) !== member) return;
        member.process = (this.#hosts.get(isolation) as WorkerHost).start(party, incarnation, ended);
      };
      if (pause === 0) start();
      else setTimeout(start, pause).unref();
    }
  }

  remove(member: Member): void {
    this.#members.delete(member.party);
    this.#numbers.delete(member.key);
  }

  kill(party: number, incarnation: number, reason: string): void {
    const member = this.#members.get(party);
    if (member?.incarnation !== incarnation || member.process === undefined) return;
    member.killReason ??= reason;
    member.process.kill();
  }

  /**
   * Ends a worker if that very run is on its stack, and so keeps it from hearing that it has to stop; one that hears ends by
   * itself. The run may be about to come onto the stack, so it is looked for a few times.
   */
  killRun(party: number, incarnation: number, caller: number, run: RunId, reason: string, looks = LOOKS_MS): void {
    const member = this.#members.get(party);
    if (this.#closed || member?.incarnation !== incarnation || member.process === undefined) return;
    if (this.#block.isCurrent(party, caller, run)) {
      // It may be over in the next moment, and another one begin: only of one that stands still it is certain.
      const goOn = member.process.pause?.();
      if (this.#block.isCurrent(party, caller, run)) this.kill(party, incarnation, reason);
      goOn?.();
      return;
    }
    const [wait, ...later] = looks;
    if (wait === undefined) return;
    setTimeout(() => this.killRun(party, incarnation, caller, run, reason, later), wait).unref();
  }

  /** No worker is started any more. */
  killAll(reason: string): void {
    this.#closed = true;
    for (const member of this.#members.values()) {
      member.killReason ??= reason;
      member.process?.kill();
    }
  }

  /** The main thread's word on why a worker that it has started is over. */
  exited(party: number, reason: string): void {
    const process = this.#members.get(party)?.process;
    if (process instanceof AdoptedProcess) process.exited(reason);
  }

  /**
   * A task that gives its event loop no turn can't end itself: its worker is ended a moment after the deadline, which stays
   * where it is, so that its owner finds out whose it was.
   */
  enforceDeadlines(): void {
    const now = sharedNow();
    for (const member of this.#members.values()) {
      const at = this.#block.deadline(member.party);
      if (at === 0 || now < at || member.killReason !== undefined) {
        member.overdue = undefined;
        continue;
      }
      if (member.overdue?.at !== at) member.overdue = { at, looks: 0 };
      if (++member.overdue.looks < DEADLINE_LOOKS || now < at + DEADLINE_GRACE_MS) continue;
      this.kill(member.party, member.incarnation, 'timeout: a task there ran longer than its timeout');
    }
  }
}

import type { Cell } from './cell.ts';
import { NO_CELLS } from './cell.ts';
import type { Holder } from './references.ts';

/** One run of a task on this worker. The host extends it with what it needs to answer. */
export class Run {
  /** The caller's party number and its slot for the task. */
  readonly caller: number;
  readonly slot: number;
  readonly depth: number;
  readonly exclusive: boolean;
  /** The queue of the caller that it came from; negative where that is not known. */
  readonly key: number;
  /** It waits for other tasks, and has given up its place. */
  suspended = 0;
  /** Its caller has died: nobody waits for an answer. The host may end it. */
  orphaned = false;
  /** References that came with the arguments. */
  lent: readonly Cell[] = NO_CELLS;
  /** What the run holds until it ends: the lent references, and every handle that it made. */
  scope: Cell[] | null = null;

  constructor(caller: number, slot: number, depth: number, exclusive: boolean, key = -1) {
    this.caller = caller;
    this.slot = slot;
    this.depth = depth;
    this.exclusive = exclusive;
    this.key = key;
  }
}

/** What the scheduler has to know of a worker's cores; see the message `blocked`. */
export interface Occupancy {
  readonly blocked: boolean;
  readonly running: { readonly caller: number; readonly key: number } | null;
}

const ALL: Occupancy = Object.freeze({ blocked: false, running: null });
const NONE: Occupancy = Object.freeze({ blocked: true, running: null });

export interface ExecutorLimits {
  /** Suspended tasks that may share the worker before it takes only deeper ones. */
  readonly shared: number;
}

export const EXECUTOR_LIMITS: ExecutorLimits = { shared: 8 };

/** What a worker keeps for a caller until it has acknowledged a result: pins of shared memory; references sent to itself. */
interface Unacknowledged {
  readonly caller: number;
  readonly granted: readonly Cell[];
  /** The host's: pins of shared memory. */
  readonly payload: unknown;
}

/**
 * The worker's side of tasks. A worker runs one task at a time; a task that waits for others is suspended and frees
 * the place, so that nesting never deadlocks. Pure.
 */
export class Executor {
  readonly #references: Holder;
  readonly #limits: ExecutorLimits;
  readonly #suspended = new Set<Run>();
  /** All that have begun and not ended, in the order of their beginning. */
  readonly #active: Run[] = [];
  #running = 0;
  #exclusive = 0;
  #sequence = 0;
  /** What was last told of the cores. */
  #told = ALL;
  readonly #discard: (payload: unknown) => void;
  readonly unacknowledged = new Map<number, Unacknowledged>();

  /** `discard` lets go of a payload that nobody will acknowledge. */
  constructor(
    references: Holder,
    limits: ExecutorLimits = EXECUTOR_LIMITS,
    discard: (payload: unknown) => void = () => {},
  ) {
    this.#references = references;
    this.#limits = limits;
    this.#discard = discard;
  }

  /** Runs that hold the worker's place: at most one, but for those resumed while another one runs. */
  get running(): number {
    return this.#running;
  }

  /** Of the runs that hold the worker's place the one that began last. */
  get placed(): Run | undefined {
    if (this.#running === 0) return undefined;
    return this.#active.findLast((run) => run.suspended === 0);
  }

  get suspended(): number {
    return this.#suspended.size;
  }

  /** All that is here waits for others. */
  get blocked(): boolean {
    return this.#running === 0 && this.#suspended.size > 0;
  }

  /**
   * What is to be told of the cores, as soon as a run has begun or goes on, or there is nothing to do (`idle`); undefined when
   * that is known already. Nothing is said of the moments between two runs.
   */
  occupancy(idle: boolean): Occupancy | undefined {
    const told = this.#told;
    if (this.#suspended.size === 0) {
      if (told === ALL) return undefined;
      this.#told = ALL;
    } else if (this.blocked) {
      if (!idle || told === NONE) return undefined;
      this.#told = NONE;
    } else {
      const placed = this.#running === 1 ? this.placed : undefined;
      if (placed === undefined || placed.key < 0) {
        if (told === ALL) return undefined;
        this.#told = ALL;
      } else {
        const { caller, key } = placed;
        if (told.running?.caller === caller && told.running.key === key) return undefined;
        this.#told = { blocked: false, running: { caller, key } };
      }
    }
    return this.#told;
  }

  /**
   * Whether a task may start now. With suspended ones here, deeper tasks are always welcome, because somebody waits
   * for them; others only up to a limit, so that a queue of parents is not opened all at once. The limit gives way when
   * the worker would otherwise go to sleep (`idle`): what waits may be waiting for just that task.
   */
  mayStart(depth: number, exclusive: boolean, idle: boolean): boolean {
    if (this.#running > 0) return false;
    if (this.#suspended.size === 0) return true;
    if (this.#exclusive > 0) return false;
    if (exclusive) {
      for (const run of this.#suspended) if (!run.orphaned) return false;
      return true;
    }
    if (idle || this.#suspended.size < this.#limits.shared) return true;
    for (const run of this.#suspended) if (run.depth >= depth) return false;
    return true;
  }

  started(run: Run): void {
    this.#running++;
    this.#active.push(run);
    if (run.exclusive) this.#exclusive++;
  }

  /** The run waits for another task. Waits of one run may overlap. */
  suspend(run: Run): void {
    if (run.suspended++ > 0) return;
    this.#running--;
    this.#suspended.add(run);
  }

  resume(run: Run): void {
    if (run.suspended === 0 || --run.suspended > 0) return;
    this.#suspended.delete(run);
    this.#running++;
  }

  /** A reference came with the arguments of `run`, or the run made it: held until the run ends. */
  own(run: Run, cell: Cell): void {
    run.scope ??= [];
    run.scope.push(cell);
  }

  /**
   * The run has ended; `result` are the references in what it returns, one for each place, `payload` what the host keeps
   * for the caller. Returns what the reply must say: the ids of lent references that are kept here, and, when the caller
   * has to acknowledge, the number under which it does. For an orphaned run there is nothing to say, and nobody to say it to.
   */
  finish(run: Run, result: readonly Cell[], payload: unknown): { kept: readonly string[]; receipt: number } {
    if (run.suspended > 0) {
      this.#suspended.delete(run);
      run.suspended = 0;
    } else {
      this.#running--;
    }
    if (run.exclusive && !run.orphaned) this.#exclusive--;
    const place = this.#active.lastIndexOf(run);
    const receipt = this.give(run, result, payload);
    const { scope } = run;
    if (scope !== null) {
      run.scope = null;
      for (const cell of scope) this.#references.drop(cell);
    }
    const kept = run.lent.length === 0 ? NOTHING : this.#references.kept(this.#firstLent(run, place), run.caller);
    if (place === this.#active.length - 1) this.#active.pop();
    else if (place >= 0) this.#active.splice(place, 1);
    return { kept, receipt };
  }

  /**
   * The run has something for its caller: what it returns, or an item of its stream. The number under which the caller has to
   * acknowledge it; 0 where it has not. What is for nobody is let go.
   */
  give(run: Run, references: readonly Cell[], payload: unknown): number {
    if (run.orphaned) {
      if (payload !== undefined) this.#discard(payload);
      return 0;
    }
    if (references.length === 0 && payload === undefined) return 0;
    const held: Cell[] = [];
    for (const cell of references) {
      if (!this.#references.grant(cell, run.caller)) continue;
      this.#references.hold(cell);
      held.push(cell);
    }
    if (held.length === 0 && payload === undefined) return 0;
    this.unacknowledged.set(++this.#sequence, { caller: run.caller, granted: held, payload });
    return this.#sequence;
  }

  /**
   * What no earlier run was lent, too. Only the first lender of a reference can be relied on: later ones may have it from
   * here, and wait for this party to let it go.
   */
  #firstLent(run: Run, place: number): readonly Cell[] {
    const earlier = new Set<Cell>();
    for (let i = 0; i < place; i++) for (const cell of (this.#active[i] as Run).lent) earlier.add(cell);
    return earlier.size === 0 ? run.lent : run.lent.filter((cell) => !earlier.has(cell));
  }

  /** The caller has counted itself in: what was kept for it is let go. Returns the host's payload. */
  acknowledged(receipt: number): unknown {
    const entry = this.unacknowledged.get(receipt);
    if (entry === undefined) return undefined;
    this.unacknowledged.delete(receipt);
    for (const cell of entry.granted) this.#references.drop(cell);
    return entry.payload;
  }

  /** A caller has died: it will acknowledge nothing, and its runs answer nobody. Returns the host's payloads. */
  callerDied(caller: number): unknown[] {
    for (const run of this.#active) {
      if (run.caller !== caller || run.orphaned) continue;
      run.orphaned = true;
      // Nobody loses anything by a crash of it now, and the scheduler takes the worker for an idle one.
      if (run.exclusive) this.#exclusive--;
    }
    const payloads: unknown[] = [];
    for (const [receipt, entry] of this.unacknowledged) {
      if (entry.caller === caller) payloads.push(this.acknowledged(receipt));
    }
    return payloads;
  }
}

const NOTHING: readonly string[] = Object.freeze([]);

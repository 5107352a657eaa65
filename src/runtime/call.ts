import type { FunctionSpec } from '../code/index.ts';
import { type Cell, type KeyQueue, type Run, TaskRecord, Timing } from '../protocol/index.ts';
import type { CallTarget } from './actor-link.ts';
import type { Hosting } from './loaded.ts';
import type { Reference } from './reference.ts';
import type { Site } from './sites.ts';
import { ownBytes, type Stored } from './values.ts';

/** A function as its owner knows it: what it is, and the number under which workers know it. */
export class FunctionEntry {
  readonly number: number;
  readonly name: string;
  /** Null for a method. */
  readonly spec: FunctionSpec | null;
  readonly timing: Timing;
  /** The name of a method; null for a function. */
  readonly method: string | null = null;
  readonly #target: (() => string) | null;
  /** Of a class. */
  readonly actor: Hosting | null = null;
  /** Worker numbers to the incarnation that has been told. */
  readonly told: number[] = [];
  readonly maxCalls: number;
  /** Where the latest call was made of those that had to do with shared memory, and whose place is known. */
  largeSite: string | undefined = undefined;

  constructor(
    number: number,
    name: string,
    spec: FunctionSpec | null,
    maxCalls: number,
    o: { timing?: Timing; method?: string; target?: (() => string) | null; actor?: Hosting } = {},
  ) {
    this.number = number;
    this.name = name;
    this.spec = spec;
    this.maxCalls = maxCalls;
    this.timing = o.timing ?? new Timing();
    this.method = o.method ?? null;
    this.#target = o.target ?? null;
    this.actor = o.actor ?? null;
  }

  /** Of a method: the id of its actor, which may not be asked for before it is known; null for those of a pool. */
  get target(): string | null {
    return this.#target?.() ?? null;
  }
}

/** Options of a task with everything resolved, for one session. */
export interface Plan {
  readonly fn: FunctionEntry;
  readonly queue: KeyQueue;
  readonly retries: number;
  readonly retryErrors: boolean | ((e: Error) => boolean);
  /** Milliseconds that one run may take; 0: any. */
  readonly timeout: number;
  /** How many results; 0: one, not a tuple. */
  readonly returns: number;
  readonly copy: boolean;
  /** Items that a stream may run ahead; 0: it is none. */
  readonly ahead: number;
  readonly maxPending: number;
  pending: number;
  /** Of a method: its actor, or the pool of them, as this party knows it. */
  readonly actor: CallTarget | null;
}

const CHUNK = 64 * 1024;

/** Where encoded arguments wait for their worker: one large piece of heap after the other, collected as a whole. */
export class ArgumentArena {
  #chunk = new Uint8Array(CHUNK);
  #used = 0;
  start = 0;

  /** Copies `bytes[0..length)`; the copy begins at `start` of the returned chunk. */
  add(bytes: Uint8Array, length: number): Uint8Array {
    if (length > CHUNK / 8) {
      this.start = 0;
      return ownBytes(bytes, length);
    }
    if (this.#used + length > CHUNK) {
      this.#chunk = new Uint8Array(CHUNK);
      this.#used = 0;
    }
    const chunk = this.#chunk;
    const start = this.#used;
    for (let i = 0; i < length; i++) chunk[start + i] = bytes[i] as number;
    this.start = start;
    this.#used = start + length;
    return chunk;
  }
}

/** The call whose result a cell is, if it is one's. */
export function callOf(cell: Cell): Call | null {
  return cell.task instanceof Call ? cell.task : null;
}

/** A task with what it takes to send it. */
export class Call extends TaskRecord {
  readonly plan: Plan;
  bytes: Uint8Array;
  start: number;
  readonly length: number;
  /** Cells of references nested in the arguments, in the order of the body. */
  nested: readonly Cell[] | null = null;
  /** Shared memory of the arguments: body or buffers. Pinned until the task is done. */
  shared: Stored | null = null;
  /** Keeps the user's handles while nobody else can. */
  handles: Reference<unknown> | readonly Reference<unknown>[] | null = null;
  readonly sequence: number;
  /** Where it was called, if that was recorded. */
  site: Site | undefined = undefined;
  onEnd: (() => void) | null = null;
  /** The actor that it hosts. */
  actorId: string | null = null;
  /** The run that called it, on a worker. */
  parent: Run | null = null;
  /** Cancelling it reaches the tasks that it has called. */
  cancelRecursively = true;
  /** Milliseconds of the host's clock, whole ones mostly; negative once it has ended. */
  submittedAt = 0;

  constructor(
    plan: Plan,
    results: Cell | readonly Cell[],
    depth: number,
    sequence: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ) {
    super(plan.queue, plan.fn.timing, results, plan.retries, depth);
    this.plan = plan;
    this.sequence = sequence;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
  }

  /** It is to last: without this it would keep the arguments of all calls beside it. */
  keepBytes(): void {
    if (this.bytes.length === this.length) return;
    this.bytes = new Uint8Array(this.bytes.subarray(this.start, this.start + this.length));
    this.start = 0;
  }

  get name(): string {
    return this.plan.fn.name;
  }

  /** It has returned a reference, and its result is whatever that becomes. */
  get delegates(): boolean {
    const { results } = this;
    return Array.isArray(results)
      ? (results as readonly Cell[]).some((cell) => cell.alias !== null)
      : (results as Cell).alias !== null;
  }

  /** Sequence and attempt as the frame of a call has them, and with it the worker. */
  get runName(): { sequence: number; attempt: number } {
    return { sequence: this.sequence | 0, attempt: Math.min(this.attempt, 0xff) };
  }
}

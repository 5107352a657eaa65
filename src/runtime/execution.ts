import { CancelledError, UsageError } from '../base/index.ts';
import { Run, type StreamStart } from '../protocol/index.ts';
import type { FileValue } from './files.ts';
import type { HostedActor } from './hosted-actor.ts';
import type { Loaded } from './loaded.ts';
import type { Production } from './producers.ts';
import { Reference } from './reference.ts';
import type { TaskHost } from './task-host.ts';

/** One run of one task on this worker. */
export class Execution extends Run {
  readonly host: TaskHost;
  readonly loaded: Loaded;
  readonly attempt: number;
  readonly returns: number;
  readonly sequence: number;
  readonly timeout: number;
  readonly begun: number;
  /** When it has to be over, on the clock that all parties share; once its function has been called. */
  deadline = 0;
  gpus: readonly number[] = [];
  /** Bytes of shared memory that it was admitted with. */
  admitted = 0;
  /** Values looked at by `checkWrites`. */
  checks: (() => string | undefined)[] | null = null;
  #handles: Reference<unknown>[] | null = null;
  #abort: AbortController | undefined = undefined;
  #random = 0;
  timer: NodeJS.Timeout | undefined = undefined;
  /** Where a stream begins; and, once its function has been called, what gives the items. */
  streamStart: StreamStart | null = null;
  production: Production | null = null;
  over = false;
  /** Among its arguments, files that have been opened, if they could be. */
  filesTried: readonly FileValue[] | null = null;
  /** It can't begin, because the value of an argument is gone: its caller has it made again. */
  unread = false;
  /** Of a method, and of the run that is the actor: where it is. */
  actor: HostedActor | null = null;
  /** Of a method: its place in the actor's `Mailbox`. */
  group = -1;
  /** It was ended while its method goes on, which keeps that place. */
  lingers = false;
  /** Of a method: it waits for its batch, and nothing is done of it before that begins. */
  gathers = false;
  /** The actor that it is to host. */
  actorId: string | null = null;
  /** Of code of an actor: what has its handles, where they do not end with a worker. */
  keeper: { keep(handle: Reference<unknown>): void } | undefined = undefined;

  constructor(
    host: TaskHost,
    loaded: Loaded,
    caller: number,
    slot: number,
    depth: number,
    exclusive: boolean,
    attempt: number,
    returns: number,
    sequence: number,
    timeout: number,
    begun: number,
    key: number,
  ) {
    super(caller, slot, depth, exclusive, key);
    this.host = host;
    this.loaded = loaded;
    this.attempt = attempt;
    this.returns = returns;
    this.sequence = sequence;
    this.timeout = timeout;
    this.begun = begun;
    this.#random = Math.imul(sequence ^ (caller << 20), 0x9e3779b1) | 0;
  }

  get name(): string {
    // A call of a function that was never told of ends in an error, and that is when it is asked for.
    return (this.loaded as Loaded | undefined)?.name ?? 'a task';
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.cancelled() && !this.#abort.signal.aborted) this.#abort.abort(cancelledHere(this.name));
    return this.#abort.signal;
  }

  cancelled(): boolean {
    return this.#abort?.signal.aborted === true || this.host.block.cancelled(this.caller, this.slot);
  }

  abort(reason: unknown): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }

  /** Mulberry32 (Tommy Ettinger, public domain algorithm), seeded by the task and not by the attempt. */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** It is code of an actor, which may keep what it is given from one call to the next. */
  get lasts(): boolean {
    return this.group >= 0 || this.actorId !== null;
  }

  /** Whose a handle is that its code makes or is given; undefined: that of an actor is its worker's. */
  get holder(): object | undefined {
    return this.lasts ? this.keeper : this;
  }

  /** A handle that this run made or was given: it ends with the run, or with the actor. */
  adopt(handle: Reference<unknown>): void {
    if (this.lasts) {
      this.keeper?.keep(handle);
      return;
    }
    this.#handles ??= [];
    this.#handles.push(handle);
  }

  /** The run's own references go with it. */
  expireHandles(): void {
    const handles = this.#handles;
    if (handles === null) return;
    this.#handles = null;
    for (const handle of handles) Reference.expire(handle, this.name);
  }
}

export function cancelledHere(name: string): CancelledError {
  return new CancelledError(`the task ${name} was cancelled`);
}

/** `what`: how much of it. Found by `checkWrites`. */
export function wroteToShared(name: string, what: string): UsageError {
  return new UsageError(
    `${name} wrote into a value that it shares with others (${what}); take an own copy with .slice(), or run ` +
      'the task with { copy: true }',
    { code: 'ERR_SHEAF_WRITE_TO_SHARED', details: { task: name } },
  );
}

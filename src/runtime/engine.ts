import type { FunctionSpec } from '../code/index.ts';
import type { SharedStore } from '../memory/index.ts';
import type { Concurrency, Shape } from '../protocol/index.ts';
import type { ActorPool } from './actor-pool.ts';
import type { NameAnswer } from './host-messages.ts';
import type { IncomingStream } from './incoming-stream.ts';
import type { AnyClass, AnyFunction } from './loaded.ts';
import type { PoolLimits } from './pool.rules.ts';
import type { Reference } from './reference.ts';
import type { WaitLimits } from './waits.ts';

/** What an engine that has actors can do with them. */
export interface ActorEngine {
  /** What calls of a method of the actor behind a handle, or of a pool, need. */
  prepareMethod(
    target: Reference<unknown> | ActorPool,
    className: string,
    method: string,
    options: ResolvedOptions,
  ): Prepared;
  /**
   * Actors behind one handle: those given, and as many more as `make` makes for what is to be done; null for a pool that stays
   * as it is.
   */
  pool(
    className: string,
    limits: PoolLimits,
    handles: readonly Reference<unknown>[],
    make: (() => Reference<unknown>) | null,
  ): ActorPool;
  /** A new actor: the reference that stands for it. `original`: the class of this process that `spec` describes, if it is here. */
  create(
    spec: FunctionSpec,
    plan: ActorPlan | PackedPlan,
    args: readonly unknown[],
    original?: AnyClass,
  ): Reference<unknown>;
  /** The actor that has the name, if any. */
  lookup(className: string, namespace: string, name: string): Promise<Reference<unknown> | undefined>;
  /** Resolves when it has been made, and rejects if that has failed. */
  ready(handle: Reference<unknown>, className: string): Promise<void>;
  /** Ends it, when all the calls that have been made are over. */
  drain(handle: Reference<unknown>, className: string): Promise<void>;
}

/** An engine that has actors. */
export interface EngineWithActors extends Engine {
  readonly actors: ActorEngine | undefined;
}

/** What an engine can do with actors; undefined for one that has none. */
export function actorsOf(engine: Engine): ActorEngine | undefined {
  return (engine as Partial<EngineWithActors>).actors;
}

/** Options of an actor with everything resolved. */
export interface ActorPlan {
  readonly className: string;
  readonly shape: Shape;
  readonly restarts: number;
  readonly concurrency: Concurrency;
  readonly namespace: string;
  readonly name: string | null;
  /** Whoever has the name is taken instead. */
  readonly join: boolean;
  /** It lives until it is drained, with handles or without, and as long as its owner. */
  readonly detached: boolean;
}

/** A detached actor that a task wants to have: its arguments come as one array, in which these are references, each in an array by itself. */
export interface PackedPlan extends ActorPlan {
  readonly packed: readonly number[];
  /** Told which actor it is in the end; an id of null: it can't have the name. */
  readonly known: (answer: NameAnswer) => void;
}

/** Options of a task, resolved to numbers. */
export interface ResolvedOptions {
  readonly name: string;
  readonly shape: Shape;
  readonly retries: number;
  readonly retryErrors: boolean | ((e: Error) => boolean);
  readonly timeout: number;
  readonly returns: number;
  readonly copy: boolean;
  readonly maxCalls: number;
  /** Items that a stream may run ahead; 0 for a task that is none. */
  readonly ahead: number;
  readonly maxPending: number;
  /** A task of our own: nobody asks where in the program it was called. */
  readonly internal?: true;
}

/** A task as an engine has prepared it; opaque outside of it. */
export interface Prepared {
  readonly name: string;
}

/** A reference that is passed as a reference at the top level of arguments. */
export class ByReference {
  readonly ref: Reference<unknown>;
  readonly #brand = true;

  constructor(ref: Reference<unknown>) {
    this.ref = ref;
  }

  /** Unlike `instanceof` it asks nothing of an object, which may be a proxy that answers with errors. */
  static is(value: unknown): value is ByReference {
    return typeof value === 'object' && value !== null && #brand in value;
  }
}

/** What a running task can learn of itself. */
export interface CurrentTask {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly node: string;
  readonly worker: string;
  readonly signal: AbortSignal;
  readonly gpus: readonly number[];
  cancelled(): boolean;
  random(): number;
}

/**
 * What runs tasks. The public API stands on this and knows no more: the owned engine implements it with leases and
 * owners, an SPMD engine with semantic hashes. What concerns one reference is asked of its `HandleHost`.
 */
export interface Engine {
  readonly store: SharedStore;
  /** The kind of workers that tasks get by default. */
  readonly isolation: 'process' | 'thread';
  /** `original`: the function of this process that `spec` describes, if it is here. */
  prepare(spec: FunctionSpec, options: ResolvedOptions, original?: AnyFunction): Prepared;
  /** Calls a task. One that is a stream, with `ahead` in its options, gives what there is to read of it. */
  submit(task: Prepared, args: readonly unknown[]): Reference<unknown> | Reference<unknown>[] | IncomingStream;
  /** A `FileValue` stands for a file. */
  put(value: unknown): Reference<unknown>;
  /** One reference of many: an array, or a record if there are keys. Items that are no references stand for themselves. */
  gather(keys: readonly string[] | null, items: readonly unknown[]): Reference<unknown>;
  /** True when `count` have settled, or one failed and `failFast` is set; false when time ran out with `timeout` 0. */
  settled(refs: readonly Reference<unknown>[], count: number, failFast: boolean, limits: WaitLimits): Promise<boolean>;
  /** Ends a pending task. `recursive`: with what it has called, or, for one that gathers, with what it gathers. */
  cancel(ref: Reference<unknown>, error: Error, force: boolean, recursive: boolean): void;
  current(): CurrentTask | undefined;
}

import type { Bytes, Duration } from '../base/index.ts';

export type { Bytes, Duration };

/**
 * A distributed future. Not thenable on purpose: a reference passes through `async` functions, generators and
 * `Promise.all` unchanged. `structuredClone(ref)` and `JSON.stringify(ref)` throw and say why.
 */
export interface Ref<T> extends Disposable {
  /** 40 hexadecimal digits, the same wherever the reference goes. */
  readonly id: string;
  /** The value, here. Made on first use; a failed task rejects it. */
  readonly value: Promise<T>;
  /** Lets go of it now instead of when the garbage collector comes by. Using it afterwards is a ReleasedError. */
  release(): void;
  /** The failure of this task need not be looked at. */
  ignore(): this;
}

/** A reference passed as a reference at the top level of the arguments. */
export interface ByRef<T> {
  readonly ref: Ref<T>;
}

/** What a parameter of type A accepts. A parameter that is itself a `Ref<U>` takes `byRef(...)` only; one of type any, anything. */
export type Arg<A> = 0 extends 1 & A ? unknown : [A] extends [Ref<infer U>] ? ByRef<U> : A | Ref<A>;
export type Args<P extends readonly unknown[]> = { [K in keyof P]: Arg<P[K]> };
/** A result that is itself a `Ref` delegates: no bytes move, and the type does not nest. `[ref]` keeps it nested. */
export type Settled<R> = Delegated<Awaited<R>>;
type Delegated<A> = A extends Ref<infer U> ? U : A;
/** What a call gives: a `Stream` for a generator, otherwise one `Ref` whatever the union. */
export type Out<R> = unknown extends R
  ? Ref<Settled<R>>
  : [Extract<R, AsyncGenerator | Generator>] extends [never]
    ? Ref<Settled<R>>
    : Stream<Yielded<R>>;
type Yielded<R> = R extends AsyncGenerator<infer Y> | Generator<infer Y> ? Y : never;
export type Values<X> = { -readonly [K in keyof X]: X[K] extends Ref<infer T> ? T : X[K] };

/**
 * What a task that is a generator gives: its items, as they come, while it runs. It is read once: a loop over the stream and one over
 * `refs()` share its items. Leaving the loop ends the producer; so do `cancel(stream)`, `await using`, and letting go of
 * the stream.
 */
export interface Stream<T> extends AsyncIterable<T>, AsyncDisposable {
  /** The items as references, to pass on without fetching them. */
  refs(): AsyncIterable<Ref<T>>;
}

export interface TaskOptions {
  /** For messages, logs and `sheaf status`. Default: the function's own name. */
  name?: string;
  /** Cores that it takes while it runs, fractions allowed. Default 1. */
  cpus?: number;
  /** Devices, or a share of one; `current().gpus` has their numbers. Default 0. */
  gpus?: number;
  /** Memory to set aside on the node while it runs. Default none. */
  memory?: Bytes;
  /** The node's own resources, by name, as given to `connect`. */
  resources?: Record<string, number>;
  /** What kind of worker runs it. Default: the session's. */
  isolation?: 'process' | 'thread';
  /** How often it runs again after its worker died. Default 3. */
  retries?: number;
  /** Whether its own errors count as well: all of them, or those for which the function says true. Default false. */
  retryErrors?: boolean | ((e: Error) => boolean);
  /** How long one run may take. A synchronous loop is ended with its worker. Default: any time. */
  timeout?: Duration;
  /** Cancels its calls when it aborts. */
  signal?: AbortSignal;
  /**
   * A worker is replaced after so many runs of it, as soon as no task on it waits and nobody holds what it owns. Default:
   * never.
   */
  maxCalls?: number;
  /** More pending calls than this are refused with BackPressureError. Default: no limit. */
  maxPending?: number;
  /** The session it runs in. Default: the one open session. */
  session?: Session;
  /** Arguments from shared memory arrive as own copies that may be written to. Default false. */
  copy?: boolean;
  /**
   * Items that a stream may run ahead of its consumer; 16 MiB of them at most, whatever this says. Default 16. For tasks that are
   * generators only.
   */
  ahead?: number;
  /** The task returns a tuple of this length; each element becomes a `Ref` of its own. Checked at run time. */
  returns?: number;
}

export interface MapOptions {
  /** Calls under way at once. Default 64. */
  inFlight?: number;
  /** Outcomes in the order of the items, or as they come. Default true. */
  ordered?: boolean;
  signal?: AbortSignal;
  /** Shows progress on standard error; a text is its label. */
  progress?: boolean | string;
}

export type Outcome<T, I> = { ok: true; value: T; input: I } | { ok: false; error: Error; input: I };

/** A task with `returns`: a call gives a `Ref` for each element of the tuple. An element that is a `Ref` delegates. */
export type Several<P extends readonly unknown[], R> = (
  ...args: Args<P>
) => Awaited<R> extends readonly [...infer T] ? { [K in keyof T]: Ref<Delegated<T[K]>> } : never;

export interface Task<P extends readonly unknown[], R> {
  (...args: Args<P>): Out<R>;
  with<const O extends TaskOptions>(o: O): O extends { returns: number } ? Several<P, R> : Task<P, R>;
  /** One-parameter tasks take the items; others say how an item becomes arguments. Pulls lazily, holds `inFlight` at most. */
  map<I extends P[0]>(items: Iterable<I> | AsyncIterable<I>, o?: MapOptions): AsyncIterable<Outcome<Settled<R>, I>>;
  map<I>(
    items: Iterable<I> | AsyncIterable<I>,
    toArgs: (item: I) => Args<P>,
    o?: MapOptions,
  ): AsyncIterable<Outcome<Settled<R>, I>>;
}

export interface ActorOptions {
  /** A name by which `lookup` finds it, in its namespace; one living actor at a time has it. */
  name?: string;
  /** Default `'default'`. */
  namespace?: string;
  /** Whoever has the name already is taken, instead of an error. */
  getIfExists?: boolean;
  /** It lives on without handles, until it is drained or the session ends. Only where the session was opened. */
  detached?: boolean;
  /** Cores that it holds for as long as it lives. Default 0: an actor at rest takes no core. */
  cpus?: number;
  gpus?: number;
  memory?: Bytes;
  resources?: Record<string, number>;
  isolation?: 'process' | 'thread';
  session?: Session;
  /** A worker that it shares with others; not in this version. Default false: a worker of its own. */
  shared?: boolean;
  /** Calls under way at the same time. Default 1: a call ends, awaits included, before the next begins. */
  concurrency?: number;
  /** Limits of their own for some methods: their calls hold up none of the others. */
  groups?: Record<string, { methods: readonly string[]; concurrency: number }>;
  /** How often it is made again, from its arguments, when its worker dies. Default 0. */
  restarts?: number;
  /** How often one call is made again that was under way when the worker died. Default 0: it fails, and may have had an effect. */
  callRetries?: number;
  /** Calls of one caller that may be pending; more are refused with a `BackPressureError`. */
  maxPending?: number;
}

/**
 * An actor: each method is a `Task` that runs where the actor is. An unknown one fails when it is called. A handle travels, inside of
 * values and as an argument; the actor ends when nobody has one any more.
 */
export type Handle<C> = {
  readonly [K in keyof C as C[K] extends (...a: never[]) => unknown ? K : never]: C[K] extends (
    ...a: infer P
  ) => infer R
    ? Task<P, R>
    : never;
} & AsyncDisposable & {
    /** Resolves when it has been made, `[init]` included; rejects with an `ActorDiedError` when that failed. */
    readonly ready: Promise<void>;
    /** Ends it in order: what has been called is done first, and nothing more is taken. Resolves when it is gone. */
    drain(): Promise<void>;
  };

/** A class whose instances live on workers. */
export interface ActorClass<K extends abstract new (...a: never[]) => object> {
  with(options: ActorOptions): ActorClass<K>;
  /** A new one; at once, and in the background. References among the arguments arrive as their values. */
  create(...args: Args<ConstructorParameters<K>>): Handle<InstanceType<K>>;
  /** The living actor of that name. */
  lookup(name: string, options?: { namespace?: string }): Promise<Handle<InstanceType<K>>>;
}

/** A module elsewhere: its functions are tasks, its generators streams, its classes actors. */
export type Remote<M> = {
  readonly [K in keyof M]: M[K] extends abstract new (
    ...a: never[]
  ) => object
    ? ActorClass<M[K]>
    : M[K] extends (...a: infer P) => infer R
      ? Task<P, R>
      : never;
};

export interface WaitOptions {
  timeout?: Duration;
  signal?: AbortSignal;
}

export interface CancelOptions {
  /** Ends the worker of a running task. Default false. */
  force?: boolean;
  /** Cancels what it has called, or gathers, as well. Default true. */
  recursive?: boolean;
}

export interface Scope extends AsyncDisposable {
  readonly signal: AbortSignal;
  start<P extends unknown[], R>(t: Task<P, R>, ...args: Args<P>): Out<R>;
  keep<T>(ref: Ref<T>): Ref<T>;
}

export interface ScopeOptions {
  timeout?: Duration;
  signal?: AbortSignal;
}

export interface Current {
  readonly id: string;
  readonly name: string;
  /** 0 for the first run. */
  readonly attempt: number;
  readonly node: string;
  readonly worker: string;
  /** Aborts when the task is cancelled. */
  readonly signal: AbortSignal;
  readonly gpus: readonly number[];
  /** True at once, even inside a synchronous loop. */
  cancelled(): boolean;
  /** Uniform in [0, 1), seeded by the task: the same in a retry. */
  random(): number;
}

export interface ConnectOptions {
  /** Cores to lend, 256 at most. Default: those of the machine. */
  cpus?: number;
  /** Devices to lend, numbered from 0. Default 0. */
  gpus?: number;
  /** The node's own resources by name, such as `{ license: 2 }`. */
  resources?: Record<string, number>;
  /** Shared memory for values. Default 30 % of the machine's. */
  memory?: Bytes;
  /**
   * The folder for values that have no room in memory, written there and read back when they are needed; `'off'` keeps them
   * in memory. Default: a folder of the user's own on a disk, below `/var/tmp`.
   */
  spill?: string;
  /** Default: processes where memory can be shared between them (Linux), threads elsewhere. */
  isolation?: 'process' | 'thread';
  /** `inline` runs tasks in this thread and is not in this version. Default `workers`. */
  mode?: 'workers' | 'inline';
  /** Further environment variables for workers. */
  env?: Record<string, string>;
  /** Finds tasks that write into shared values, and fails them by name. Costs a pass over each shared argument. */
  checkWrites?: boolean;
  /** Closes the session when it aborts. */
  signal?: AbortSignal;
  /** For `sheaf status`. */
  name?: string;
}

export interface SessionStats {
  tasks: Record<string, number>;
  /** Bytes of arguments and results that this process sent, received, or looked at in shared memory. */
  bytesThroughDriver: number;
  memory: Record<string, number>;
}

export interface Session extends AsyncDisposable {
  readonly url: string;
  /** Runs `fn` with this session as the one that unbound tasks use. Needed only when several are open. */
  run<T>(fn: () => T): T;
  /** Resolves when no task of this process is pending in the session. */
  drained(): Promise<void>;
  stats(): SessionStats;
}

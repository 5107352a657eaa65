import type { ArrayQueues, ArrayScheme, ArrayVictims, Bytes, Duration } from '../base/index.ts';

export type { ArrayQueues, ArrayScheme, ArrayVictims, Bytes, Duration };

/**
 * A distributed future. Not thenable on purpose: a reference passes through `async` functions, generators and
 * `Promise.all` unchanged. `structuredClone(ref)` and `JSON.stringify(ref)` throw and say why.
 */
export interface Ref<T> extends Disposable {
  /** 40 hexadecimal digits, the same wherever the reference goes. */
  readonly id: string;
  /**
   * The value, here: a promise, made on first use and the same from then on.
   *
   * @throws what the task threw; WorkerDiedError, CancelledError, TimeoutError and others when it came to no result;
   *   OwnerDiedError or ObjectLostError when the result is gone. Reading `value` of a released reference is a ReleasedError.
   */
  readonly value: Promise<T>;
  /** Lets go of it now instead of when the garbage collector comes by. Using it afterwards is a ReleasedError. */
  release(): void;
  /** The failure of this task need not be looked at: it is not reported. Gives the reference itself. */
  ignore(): this;
}

/** A reference passed as a reference at the top level of the arguments. */
export interface ByRef<T> {
  /** The reference that is passed. */
  readonly ref: Ref<T>;
}

/** What a parameter of type A accepts. A parameter that is itself a `Ref<U>` takes `byRef(...)` only; one of type any, anything. */
export type Arg<A> = 0 extends 1 & A ? unknown : [A] extends [Ref<infer U>] ? ByRef<U> : A | Ref<A>;
/** What a call of a task takes: an `Arg` for each parameter. */
export type Args<P extends readonly unknown[]> = { [K in keyof P]: Arg<P[K]> };
/** A result that is itself a `Ref` delegates: no bytes move, and the type does not nest. `[ref]` keeps it nested. */
export type Settled<R> = Delegated<Awaited<R>>;
/** What a reference to a reference comes to. */
type Delegated<A> = A extends Ref<infer U> ? U : A;
/** What a call gives: a `Stream` for a generator, otherwise one `Ref` whatever the union. */
export type Out<R> = unknown extends R
  ? Ref<Settled<R>>
  : [Extract<R, AsyncGenerator | Generator>] extends [never]
    ? Ref<Settled<R>>
    : Stream<Yielded<R>>;
/** The items of a generator. */
type Yielded<R> = R extends AsyncGenerator<infer Y> | Generator<infer Y> ? Y : never;
/** An array or a record of references, as their values; what is no reference stands for itself. */
export type Values<X> = { -readonly [K in keyof X]: X[K] extends Ref<infer T> ? T : X[K] };

/**
 * What a task that is a generator gives: its items, as they come, while it runs. It is read once: a loop over the stream and one over
 * `refs()` share its items. Leaving the loop ends the producer; so do `cancel(stream)`, `await using`, and letting go of
 * the stream.
 */
export interface Stream<T> extends AsyncIterable<T>, AsyncDisposable {
  /** The items as references, to pass on without fetching them. Each is yours to release. */
  refs(): AsyncIterable<Ref<T>>;
}

/** What a task takes while it runs, and what is done when a run fails. Options that are `undefined` are not given. */
export interface TaskOptions {
  /** For messages, logs and `sheaf status`. Default: the function's own name. */
  name?: string;
  /** Cores that it takes while it runs; fractions share a core, 0 is for tasks that only wait. Default 1. */
  cpus?: number;
  /** Whole devices, or a share of one below 1; `current().gpus` has their numbers. Default 0. */
  gpus?: number;
  /** Of the session's `memory`, what is set aside for it while it runs. Counted, and not enforced. Default none. */
  memory?: Bytes;
  /** How much it takes of the session's own resources, by name, as given to `connect`. Default none. */
  resources?: Record<string, number>;
  /** What kind of worker runs it; a session of threads has no processes (NotAvailableError). Default: the session's. */
  isolation?: 'process' | 'thread';
  /**
   * How often it runs again after its worker died; `Infinity` is allowed. With 0 it runs at most once, and shares its worker with
   * nobody. Default 3.
   */
  retries?: number;
  /** Whether its own errors count as well: all of them, or those for which the function says true. Default false. */
  retryErrors?: boolean | ((e: Error) => boolean);
  /**
   * How long one run may take, `'596h'` at most: then it fails with a TimeoutError. An endless loop is ended with its worker.
   * Default: any time.
   */
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

/** How `task.map` goes through its items. */
export interface MapOptions {
  /** Calls under way at once. Default 64. */
  inFlight?: number;
  /** Outcomes in the order of the items, or as they come. Default true. */
  ordered?: boolean;
  /** Ends the loop when it aborts, with its reason as the error; calls under way are cancelled. */
  signal?: AbortSignal;
  /** Shows progress on standard error; a text is its label. */
  progress?: boolean | string;
}

/** What became of an item: the value of its call, or the error; and the item itself. */
export type Outcome<T, I> = { ok: true; value: T; input: I } | { ok: false; error: Error; input: I };

/** A task with `returns`: a call gives a `Ref` for each element of the tuple. An element that is a `Ref` delegates. */
export type Several<P extends readonly unknown[], R> = (
  ...args: Args<P>
) => Awaited<R> extends readonly [...infer T] ? { [K in keyof T]: Ref<Delegated<T[K]>> } : never;

/** A function that runs elsewhere, as `task` and `remote` make it. It is a value, too: it can be an argument or a result. */
export interface Task<P extends readonly unknown[], R> {
  /**
   * Calls it: the call is queued, and what it will give is there at once.
   *
   * @throws UsageError without an open session, or with several; CodecError for an argument that can't travel; ReleasedError
   *   for a released one; BackPressureError beyond `maxPending`.
   */
  (...args: Args<P>): Out<R>;
  /**
   * The same task with these options in place of its own; `undefined` takes one away.
   *
   * @throws UsageError for an option that does not exist, or has a value that it can't have.
   */
  with<const O extends TaskOptions>(o: O): O extends { returns: number } ? Several<P, R> : Task<P, R>;
  /**
   * Calls it for each item, and gives what becomes of each as data. One-parameter tasks take the items; others say how an item
   * becomes arguments. Pulls lazily, holds `inFlight` at most; leaving the loop cancels what is under way.
   *
   * @throws what the source of the items throws; the reason of `signal`.
   */
  map<I extends P[0]>(items: Iterable<I> | AsyncIterable<I>, o?: MapOptions): AsyncIterable<Outcome<Settled<R>, I>>;
  map<I>(
    items: Iterable<I> | AsyncIterable<I>,
    toArgs: (item: I) => Args<P>,
    o?: MapOptions,
  ): AsyncIterable<Outcome<Settled<R>, I>>;
}

/** What an actor takes for as long as it lives, how it is found, and what is done when its worker dies. */
export interface ActorOptions {
  /** A name by which `lookup` finds it, in its namespace; one living actor at a time has it. */
  name?: string;
  /** Default `'default'`. */
  namespace?: string;
  /** Whoever of that class has the name already is taken, instead of an error. */
  getIfExists?: boolean;
  /** It lives on without handles, and without the task that has created it, until it is drained or the session ends. It needs a `name`. */
  detached?: boolean;
  /** Cores that it holds for as long as it lives. Default 0: an actor at rest takes no core. */
  cpus?: number;
  /** Devices that it holds, whole or a share of one below 1. Default 0. */
  gpus?: number;
  /** Of the session's `memory`, what is set aside for it. Counted, and not enforced. Default none. */
  memory?: Bytes;
  /** How much it holds of the session's own resources, by name, as given to `connect`. Default none. */
  resources?: Record<string, number>;
  /** What kind of worker it lives on. Default: the session's. */
  isolation?: 'process' | 'thread';
  /** The session it lives in. Default: the one open session. */
  session?: Session;
  /**
   * It lives on one worker with other actors of the session that say so, up to 64 of them. They share its thread and its end: one that
   * computes holds up the others, and a death of the worker is one of all of them. Default false: a worker of its own.
   */
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
    : C[K] extends (...a: infer P extends readonly unknown[]) => infer R
      ? Task<[...P], R>
      : never;
} & AsyncDisposable & {
    /** Resolves when it has been made, `[init]` included; rejects with an `ActorDiedError` when that failed. */
    readonly ready: Promise<void>;
    /** Ends it in order: what has been called is done first, and nothing more is taken. Resolves when it is gone. */
    drain(): Promise<void>;
  };

/** A class whose instances live on workers. */
export interface ActorClass<K extends abstract new (...a: never[]) => object> {
  /**
   * The same class with these options in place of its own; `undefined` takes one away.
   *
   * @throws UsageError for an option that does not exist, or has a value that it can't have.
   */
  with(options: ActorOptions): ActorClass<K>;
  /** A new one; at once, and in the background. References among the arguments arrive as their values. */
  create(...args: Args<ConstructorParameters<K>>): Handle<InstanceType<K>>;
  /**
   * Equal actors behind one handle: each call goes to the one with the fewest under way. One that dies is made again, unless
   * `restarts` says otherwise; what it had not begun is done by the others. With `min` and `max` their number follows the calls.
   *
   * @throws UsageError for a size that is none, or an option of one actor, such as `name`.
   */
  pool(size: number | { min: number; max: number }, ...args: Args<ConstructorParameters<K>>): Handle<InstanceType<K>>;
  /**
   * The living actor of that name and class.
   *
   * @throws UsageError with code `ERR_SHEAF_NO_SUCH_ACTOR` when there is none, and `ERR_SHEAF_ACTOR_NAME` when it is of a class with another name.
   */
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

/** How long to wait. They end the waiting, and not the task. */
export interface WaitOptions {
  /** The longest wait, in milliseconds or as a text; with 0 it only looks. Default: any time. */
  timeout?: Duration;
  /** Ends the wait when it aborts, with its reason as the error. */
  signal?: AbortSignal;
}

/** How far a cancellation goes. */
export interface CancelOptions {
  /** Ends the worker of a running task; not for methods of actors. Default false. */
  force?: boolean;
  /** Cancels what it has called, or gathers, as well. Default true. */
  recursive?: boolean;
}

/** The tasks of a block. Disposing of it cancels and releases what was started in it and not kept. */
export interface Scope extends AsyncDisposable {
  /** Aborts when the scope's time is up or its own signal aborts: for what is not a task. */
  readonly signal: AbortSignal;
  /** Calls a task, as part of this scope. */
  start<P extends unknown[], R>(t: Task<P, R>, ...args: Args<P>): Out<R>;
  /** Lets a reference outlive the scope. Gives the reference itself. */
  keep<T>(ref: Ref<T>): Ref<T>;
}

/** When a scope ends before its block does. */
export interface ScopeOptions {
  /** After so long everything inside is cancelled, and the scope throws a TimeoutError. Default: any time. */
  timeout?: Duration;
  /** Likewise when it aborts: the scope throws its reason. */
  signal?: AbortSignal;
}

/** The task that the code belongs to, as `current()` gives it. */
export interface Current {
  /** Names the call, for logs: the same in each of its runs. */
  readonly id: string;
  /** Its option `name`, or the function's name. */
  readonly name: string;
  /** 0 for the first run, 1 for the first retry, and so on. */
  readonly attempt: number;
  /** Names the session's machine: 16 hexadecimal digits. */
  readonly node: string;
  /** Names the worker: its number and how often that number was given out, such as `2.1`. */
  readonly worker: string;
  /** Aborts when the task is cancelled. */
  readonly signal: AbortSignal;
  /** Numbers of the devices that it may use, as many as its option `gpus`; one for a share of a device. */
  readonly gpus: readonly number[];
  /** True at once, even inside a synchronous loop. */
  cancelled(): boolean;
  /** Uniform in [0, 1), seeded by the task: the same in a retry. */
  random(): number;
}

/** What a session has. What is left out comes from the environment, and then from the machine. */
export interface ConnectOptions {
  /** Cores to lend, above 0 and 256 at most. Default: those that the process may use. */
  cpus?: number;
  /** Devices to lend, numbered from 0; 1024 at most. They are counted and not looked for. Default 0. */
  gpus?: number;
  /** Resources of your own by name, such as `{ license: 2 }`, for tasks to take. Default none. */
  resources?: Record<string, number>;
  /** Shared memory for values, at least `'1MiB'`. Default 30 % of the memory that the process may use. */
  memory?: Bytes;
  /**
   * The folder for values that have no room in memory, written there and read back when they are needed; `'off'` keeps them
   * in memory. Default: a folder of the user's own on a disk, below `/var/tmp`.
   */
  spill?: string;
  /** Default: processes where memory can be shared between them (Linux), threads elsewhere. */
  isolation?: 'process' | 'thread';
  /**
   * `inline` runs tasks in this thread, one after the other, for debuggers and unit tests: breakpoints work and stacks are
   * plain. Results are the same. Default `workers`.
   */
  mode?: 'workers' | 'inline';
  /** Environment variables for the workers, besides those of the program. */
  env?: Record<string, string>;
  /** Finds tasks that write into shared values, and fails them by name. Costs a pass over each shared argument. */
  checkWrites?: boolean;
  /** How arrays are computed by several workers. */
  arrays?: ArrayOptions;
  /** Closes the session when it aborts. */
  signal?: AbortSignal;
  /** What `sheaf status` calls it. Default: the path of the program. */
  name?: string;
}

/**
 * How the rows of a large array are shared out among those who compute it: they are cut into chunks, which workers take from queues.
 * What a scheme is good for depends on how much the cost of rows differs and how late workers come; results are the same.
 */
export interface ArrayOptions {
  /**
   * How large chunks are: equal parts (`STATIC`, `MSTATIC`, `MFSC`, `SS`, `AUTO`), ever smaller ones (`GSS`, `TSS`, `FAC2`, `TFSS`, `PLS`, `PSS`), or growing
   * ones (`FISS`, `VISS`). Default `FAC2`.
   */
  scheme?: ArrayScheme;
  /** Which queues the chunks are dealt to. Default `CENTRALIZED`. */
  layout?: ArrayQueues;
  /** Whose queue a worker takes from when its own is empty. Default `SEQ`. */
  victims?: ArrayVictims;
  /** Rows of a chunk, at least. Default: as many as make the taking of a chunk cheap beside computing it. */
  grain?: number;
}

/** A snapshot of a session, as this process sees it. */
export interface SessionStats {
  /** Calls of this process: `submitted`, `finished`, `failed`, `pending`; runs again: `retried` (charged), `resubmitted` (not). */
  tasks: Record<string, number>;
  /** Bytes of arguments and results that this process sent, received, or looked at in shared memory. */
  bytesThroughDriver: number;
  /** Shared memory, in bytes: `limit`, `used`, `pinned`, `warm`, `free`, `largestFree`, `spilled` (on disk alone); and `objects`. */
  memory: Record<string, number>;
}

/** An open session. Disposing of it ends its workers, fails what is pending with a CancelledError, and gives all memory back. */
export interface Session extends AsyncDisposable {
  /** Names it: `sheaf://local/` and the node's name. */
  readonly url: string;
  /**
   * Runs `fn` with this session as the one that unbound tasks use, and gives its result. Needed only when several are open. An
   * asynchronous `fn` keeps it across its awaits.
   */
  run<T>(fn: () => T): T;
  /** Resolves when no task of this process is pending in the session. */
  drained(): Promise<void>;
  /** Figures of this moment; cheap enough to ask for often. */
  stats(): SessionStats;
}

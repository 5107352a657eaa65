/**
 * The names that the design gives this version, as it writes them, for `conforms.ts` to compare with the package's own.
 * What differs on purpose is said here: `Settled` and `Out` give one `Ref` for a union of results, a parameter of type
 * any takes anything, and an element of a tuple that is a `Ref` delegates, as a result does.
 */
export interface Ref<T> extends Disposable {
  readonly id: string;
  readonly value: Promise<T>;
  release(): void;
  ignore(): this;
}
export interface ByRef<T> {
  readonly ref: Ref<T>;
}
export type Arg<A> = [A] extends [Ref<infer U>] ? ByRef<U> : A | Ref<A>;
export type Args<P extends readonly unknown[]> = { [K in keyof P]: Arg<P[K]> };
export type Settled<R> = Awaited<R> extends Ref<infer U> ? U : Awaited<R>;
export type Out<R> = R extends AsyncGenerator<infer Y> | Generator<infer Y> ? Stream<Y> : Ref<Settled<R>>;
export interface Stream<T> extends AsyncIterable<T>, AsyncDisposable {
  refs(): AsyncIterable<Ref<T>>;
}
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;
export type Bytes = number | `${number}${'KiB' | 'MiB' | 'GiB'}`;
export interface TaskOptions {
  name?: string;
  cpus?: number;
  gpus?: number;
  memory?: Bytes;
  resources?: Record<string, number>;
  isolation?: 'process' | 'thread';
  retries?: number;
  retryErrors?: boolean | ((e: Error) => boolean);
  timeout?: Duration;
  signal?: AbortSignal;
  maxCalls?: number;
  maxPending?: number;
  session?: Session;
  copy?: boolean;
  returns?: number;
  /** An addition of this version. */
  ahead?: number;
}
export interface MapOptions {
  inFlight?: number;
  ordered?: boolean;
  signal?: AbortSignal;
  progress?: boolean | string;
}
export type Outcome<T, I> = { ok: true; value: T; input: I } | { ok: false; error: Error; input: I };
export interface Task<P extends readonly unknown[], R> {
  (...args: Args<P>): Out<R>;
  with<const O extends TaskOptions>(
    o: O,
  ): O extends { returns: number }
    ? (...args: Args<P>) => Awaited<R> extends readonly [...infer T] ? { [K in keyof T]: Out<T[K]> } : never
    : Task<P, R>;
  map<I extends P[0]>(items: Iterable<I> | AsyncIterable<I>, o?: MapOptions): AsyncIterable<Outcome<Settled<R>, I>>;
  map<I>(
    items: Iterable<I> | AsyncIterable<I>,
    toArgs: (item: I) => Args<P>,
    o?: MapOptions,
  ): AsyncIterable<Outcome<Settled<R>, I>>;
}
export type Values<X> = { -readonly [K in keyof X]: X[K] extends Ref<infer T> ? T : X[K] };
export interface WaitOptions {
  timeout?: Duration;
  signal?: AbortSignal;
}
export interface Scope extends AsyncDisposable {
  readonly signal: AbortSignal;
  start<P extends unknown[], R>(t: Task<P, R>, ...args: Args<P>): Out<R>;
  keep<T>(ref: Ref<T>): Ref<T>;
}
export interface Current {
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
export interface ConnectOptions {
  cpus?: number;
  memory?: Bytes;
  mode?: 'workers' | 'inline';
  isolation?: 'process' | 'thread';
  env?: Record<string, string>;
  checkWrites?: boolean;
  spill?: string;
  signal?: AbortSignal;
  name?: string;
  /** Additions of this version. */
  gpus?: number;
  resources?: Record<string, number>;
  arrays?: ArrayOptions;
}
/** How DAPHNE's users know the choices; an addition of this version. */
export interface ArrayOptions {
  scheme?:
    | 'STATIC'
    | 'SS'
    | 'GSS'
    | 'TSS'
    | 'FAC2'
    | 'TFSS'
    | 'FISS'
    | 'VISS'
    | 'PLS'
    | 'PSS'
    | 'MFSC'
    | 'MSTATIC'
    | 'AUTO';
  layout?: 'CENTRALIZED' | 'PERGROUP' | 'PERCPU';
  victims?: 'SEQ' | 'SEQPRI' | 'RANDOM' | 'RANDOMPRI';
  grain?: number;
}
export interface Session extends AsyncDisposable {
  readonly url: string;
  run<T>(fn: () => T): T;
  drained(): Promise<void>;
  stats(): SessionStats;
}
export interface SessionStats {
  tasks: Record<string, number>;
  bytesThroughDriver: number;
  memory: Record<string, number>;
}

/** The functions, by name. */
export interface Functions {
  byRef<T>(ref: Ref<T>): ByRef<T>;
  task<P extends unknown[], R>(
    fn: (...args: P) => R,
    o?: TaskOptions & { captures?: Record<string, unknown> },
  ): Task<P, R>;
  get<T>(ref: Ref<T>, o?: WaitOptions): Promise<T>;
  get<const X extends readonly unknown[] | Record<string, unknown>>(refs: X, o?: WaitOptions): Promise<Values<X>>;
  all<const X extends readonly unknown[] | Record<string, unknown>>(refs: X): Ref<Values<X>>;
  put<T>(value: T): Ref<T>;
  alloc<A extends ArrayBufferView>(type: { new (b: ArrayBufferLike, o: number, n: number): A }, length: number): A;
  file(path: string | URL): Ref<Blob>;
  wait<R extends Ref<unknown>>(
    refs: readonly R[],
    o?: WaitOptions & { count?: number },
  ): Promise<{ ready: R[]; pending: R[] }>;
  asCompleted<R extends Ref<unknown>>(refs: readonly R[], o?: WaitOptions): AsyncIterable<[index: number, ref: R]>;
  asCompleted<X extends Record<string, Ref<unknown>>>(
    refs: X,
    o?: WaitOptions,
  ): AsyncIterable<{ [K in keyof X]: [K, X[K]] }[keyof X]>;
  cancel(ref: Ref<unknown> | Stream<unknown>, o?: { force?: boolean; recursive?: boolean }): void;
  stream<P extends unknown[], Y>(fn: (...args: P) => Iterable<Y> | AsyncIterable<Y>): Task<P, AsyncGenerator<Y>>;
  merge<T>(streams: readonly Stream<T>[]): AsyncIterable<[index: number, value: T]>;
  batch<X, Y>(o: { max: number; wait: Duration }, fn: (xs: X[]) => Promise<Y[]> | Y[]): (x: X) => Promise<Y>;
  scope<T>(body: (s: Scope) => Promise<T>, o?: { timeout?: Duration; signal?: AbortSignal }): Promise<T>;
  scope(o?: { timeout?: Duration; signal?: AbortSignal }): Scope;
  current(): Current;
  connect(where?: string | ConnectOptions): Promise<Session>;
}

export type ErrorNames =
  | 'SheafError'
  | 'TaskError'
  | 'WorkerDiedError'
  | 'OwnerDiedError'
  | 'ObjectLostError'
  | 'CancelledError'
  | 'TimeoutError'
  | 'ReleasedError'
  | 'CodecError'
  | 'CaptureError'
  | 'BackPressureError'
  | 'OutOfMemoryError'
  | 'NotAvailableError'
  | 'ActorDiedError'
  | 'UnschedulableError';

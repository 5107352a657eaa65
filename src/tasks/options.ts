import {
  ARRAY_QUEUES,
  ARRAY_SCHEMES,
  ARRAY_VICTIMS,
  bytes,
  LONGEST_TIMER,
  milliseconds,
  NotAvailableError,
  UsageError,
} from '../base/index.ts';
import {
  type ActorPlan,
  type ArraySettings,
  LEAST_MEMORY,
  MOST_CPUS,
  POOL_TIMES,
  type PoolLimits,
  type ResolvedOptions,
  STREAM_ITEMS,
} from '../runtime/index.ts';
import * as check from './check.ts';
import { engines } from './context.ts';
import type {
  ActorOptions,
  ArrayOptions,
  CancelOptions,
  ConnectOptions,
  MapOptions,
  ScopeOptions,
  Session,
  TaskOptions,
  WaitOptions,
} from './types.ts';

// One table for each place where options are given. That each has every option of its type is checked by the compiler.
type TableOf<O> = check.OptionTable<Extract<keyof O, string>>;

const MOST_RESULTS = 65_536;
/** Devices are counted one by one. */
const MOST_DEVICES = 1024;

const resources = check.each(check.amount, 'amounts by name, such as { license: 2 }');

const taskTable: TableOf<TaskOptions> = {
  name: check.text,
  cpus: check.amount,
  gpus: (value) =>
    check.amount(value) ??
    ((value as number) > 1 && !Number.isInteger(value)
      ? 'whole devices, or a share of one that is less than 1'
      : undefined),
  memory: check.size,
  resources,
  isolation: check.oneOf('process', 'thread'),
  retries: check.wholeOrInfinity(0),
  retryErrors: (value) =>
    typeof value === 'boolean' || typeof value === 'function' ? undefined : 'a boolean, or a function of the error',
  timeout: (value) => check.duration(value) ?? limitOfRun(value as number),
  signal: check.abortSignal,
  maxCalls: check.whole(0),
  maxPending: check.wholeOrInfinity(0),
  session: (value) => (engines.has(value as Session) ? undefined : 'what `await connect()` gave'),
  copy: check.yesOrNo,
  ahead: check.wholeOrInfinity(1),
  returns: check.whole(1, MOST_RESULTS),
};

/** Workers keep the time of a run with one timer. */
function limitOfRun(value: number): string | undefined {
  const ms = milliseconds(value, '');
  return ms > LONGEST_TIMER && ms !== Number.POSITIVE_INFINITY
    ? "'596h' at most, the longest that a run can be timed, or Infinity"
    : undefined;
}

const laterOfTasks = {
  labels: 'the cluster',
  placement: 'the cluster',
  replicas: 'the cluster',
  pure: 'the SPMD engine',
  ranks: 'the SPMD engine',
};

const definitionTable = { ...taskTable, captures: check.record };

/** The options of `task(fn, ...)`. */
export function checkDefinition(options: unknown, what: string): void {
  check.checkOptions(options, definitionTable, what, { later: laterOfTasks });
}

/** The options of `f.with(...)`. */
export function checkVariant(options: unknown, what: string): void {
  check.checkOptions(options, taskTable, what, {
    later: laterOfTasks,
    elsewhere: { captures: 'what a function captures is part of its definition; give it to task(fn, { captures })' },
  });
}

const methodTable: TableOf<
  Pick<TaskOptions, 'name' | 'retries' | 'timeout' | 'signal' | 'maxPending' | 'copy' | 'ahead' | 'returns'>
> = {
  name: taskTable.name,
  retries: taskTable.retries,
  timeout: taskTable.timeout,
  signal: taskTable.signal,
  maxPending: taskTable.maxPending,
  copy: taskTable.copy,
  ahead: taskTable.ahead,
  returns: taskTable.returns,
};

/** The options of `handle.method.with(...)`. */
export function checkMethodVariant(options: unknown, what: string): void {
  const elsewhere = Object.fromEntries(
    Object.keys(taskTable)
      .filter((name) => !Object.hasOwn(methodTable, name))
      .map((name) => [name, 'a method runs where its actor is; give it to the class: actor(Class).with({ ... })']),
  );
  check.checkOptions(options, methodTable, what, { later: laterOfTasks, elsewhere });
}

const MOST_REPLICAS = 1024;
const limitOfCalls = check.wholeOrInfinity(1);

const actorTable: TableOf<ActorOptions> = {
  name: (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text that is not empty'),
  namespace: check.text,
  getIfExists: check.yesOrNo,
  detached: check.yesOrNo,
  cpus: check.amount,
  gpus: taskTable.gpus,
  memory: check.size,
  resources,
  isolation: taskTable.isolation,
  session: taskTable.session,
  shared: check.yesOrNo,
  concurrency: limitOfCalls,
  groups: groupsRule,
  restarts: check.wholeOrInfinity(0),
  callRetries: check.wholeOrInfinity(0),
  maxPending: check.wholeOrInfinity(0),
};

function groupsRule(value: unknown): ReturnType<check.Rule> {
  const give = "groups by name, such as { io: { methods: ['fetch'], concurrency: 8 } }";
  if (check.record(value) !== undefined) return give;
  const seen = new Set<string>();
  for (const [name, group] of Object.entries(value as object)) {
    const { methods, concurrency } = (group ?? {}) as { methods?: unknown; concurrency?: unknown };
    if (!Array.isArray(methods) || !methods.every((each) => typeof each === 'string')) {
      return { at: `.${name}.methods`, value: methods, give: 'the names of methods' };
    }
    const fault = limitOfCalls(concurrency);
    if (fault !== undefined) return { at: `.${name}.concurrency`, value: concurrency, give: fault };
    for (const method of methods) {
      if (seen.has(method)) return { at: `.${name}.methods`, value: method, give: 'each method in one group only' };
      seen.add(method);
    }
  }
  return undefined;
}

/** The options of `actor(Class, ...)`. */
export function checkActorDefinition(options: unknown, what: string): void {
  const elsewhere = Object.fromEntries(
    Object.keys(actorTable).map((name) => [name, 'give it to the result: actor(Class).with({ ... })']),
  );
  check.checkOptions(options, { captures: check.record }, what, { elsewhere });
}

/** The options of `actor(Class).with(...)`. */
export function checkActor(options: unknown, what: string): void {
  check.checkOptions(options, actorTable, what, {
    later: { labels: 'the cluster', placement: 'the cluster' },
    elsewhere: {
      captures: 'what a class captures is part of its definition; give it to actor(Class, { captures })',
      retries: 'an actor has `restarts`, and its calls `callRetries`',
    },
  });
}

/** Options that mean nothing for an actor that nobody can find by a name, when it is created. */
export function checkNamed(o: ActorOptions, what: string): void {
  if (o.name !== undefined) return;
  for (const option of ['getIfExists', 'detached', 'namespace'] as const) {
    const value = o[option];
    if (value === undefined || value === false) continue;
    throw new UsageError(
      `${what}: ${option} is for an actor that has a name, by which others find it; give it one: ` +
        `with({ name, ${option}: ${JSON.stringify(value)} })`,
    );
  }
}

/** What `Class.lookup(name, options)` is given. */
export function checkLookup(name: unknown, options: unknown, what: string): void {
  check.checkValue(name, actorTable.name, 'the name', `${what}: `);
  check.checkOptions(options, { namespace: actorTable.namespace }, what);
}

/** How many replicas a pool has. */
export function checkPool(size: unknown, className: string, o: ActorOptions): PoolLimits {
  const what = `actor ${className}: pool`;
  for (const option of ['name', 'detached', 'getIfExists', 'shared'] as const) {
    if (o[option] !== undefined)
      throw new UsageError(`${what}: the option ${option} is for one actor, and a pool is many`);
  }
  const whole = check.whole(1, MOST_REPLICAS);
  const bounds = typeof size === 'object' && size !== null && !Array.isArray(size);
  if (bounds) check.checkOptions(size, { min: whole, max: whole }, what);
  else check.checkValue(size, whole, 'the size', `${what}: `);
  const { min, max } = (bounds ? size : { min: size, max: size }) as { min?: number; max?: number };
  if (min === undefined || max === undefined) {
    const missing = min === undefined ? 'min' : 'max';
    throw new UsageError(`${what}: ${missing} is not given; give a number, or both, such as { min: 1, max: 4 }`);
  }
  if (min > max) throw new UsageError(`${what}: min is ${min}, and max ${max}; give a min no larger than max`);
  return { min, max, perReplica: Math.max(2, o.concurrency ?? 1), ...POOL_TIMES };
}

/** Defaults filled in, for a session with workers of kind `isolation`. The options are checked already. */
export function resolveActor(o: ActorOptions, className: string, isolation: 'process' | 'thread'): ActorPlan {
  const { cpus = 0, gpus, memory, resources } = o;
  const task: TaskOptions = { cpus, retries: 0 };
  if (gpus !== undefined) task.gpus = gpus;
  if (memory !== undefined) task.memory = memory;
  if (resources !== undefined) task.resources = resources;
  if (o.isolation !== undefined) task.isolation = o.isolation;
  return {
    className,
    shape: { ...resolveOptions(task, className, isolation, false).shape, resident: true, shared: o.shared ?? false },
    restarts: o.restarts ?? 0,
    concurrency: { concurrency: o.concurrency ?? 1, groups: Object.values(o.groups ?? {}) },
    namespace: o.namespace ?? 'default',
    name: o.name ?? null,
    join: o.getIfExists ?? false,
    detached: o.detached ?? false,
  };
}

const connectTable: TableOf<ConnectOptions> = {
  cpus: (value) =>
    typeof value === 'number' && value > 0 && value <= MOST_CPUS
      ? undefined
      : `a number above 0, and ${MOST_CPUS} at most`,
  gpus: check.whole(0, MOST_DEVICES),
  resources,
  memory: (value) =>
    check.size(value) ?? (bytes(value as number, '') < LEAST_MEMORY ? "bytes, at least '1MiB'" : undefined),
  spill: (value) =>
    typeof value === 'string' && value !== '' && !value.includes('\0') ? undefined : "a folder, or 'off'",
  isolation: taskTable.isolation,
  mode: check.oneOf('workers', 'inline'),
  env: check.each(
    (value) => (typeof value === 'string' && !value.includes('\0') ? undefined : 'a text'),
    'texts by name, such as { LOG: "1" }',
  ),
  checkWrites: check.yesOrNo,
  // Its own options are checked where they get their defaults.
  arrays: check.record,
  signal: check.abortSignal,
  name: check.text,
};

const arrayTable: TableOf<ArrayOptions> = {
  scheme: check.oneOf(...ARRAY_SCHEMES),
  layout: check.oneOf(...ARRAY_QUEUES),
  victims: check.oneOf(...ARRAY_VICTIMS),
  grain: check.whole(1),
};

/** The option `arrays` of `connect`, checked, with defaults. */
export function arraySettings(options: ArrayOptions = {}): Omit<ArraySettings, 'cpus' | 'preload'> {
  check.checkOptions(options, arrayTable, 'connect: arrays');
  return {
    scheme: options.scheme ?? 'FAC2',
    layout: options.layout ?? 'CENTRALIZED',
    victims: options.victims ?? 'SEQ',
    grain: options.grain,
  };
}

const laterOfConnect = {
  workers: 'the cluster',
  token: 'the cluster',
  tls: 'the cluster',
  files: 'the cluster',
  cache: 'the SPMD engine',
  onRankLoss: 'the SPMD engine',
  divergence: 'the SPMD engine',
};

export function checkConnect(options: unknown): void {
  check.checkOptions(options, connectTable, 'connect', { later: laterOfConnect });
}

/** What the environment may give where the program says nothing. */
export type EnvironmentOption = 'cpus' | 'memory' | 'isolation' | 'mode' | 'spill';

/** A value that the environment gives in the place of an option of `connect`. */
export function checkEnvironment(variable: string, value: unknown, option: EnvironmentOption): void {
  check.checkValue(value, connectTable[option], variable);
}

/** Of waits and of scopes. */
const waitTable: TableOf<WaitOptions & ScopeOptions> = { timeout: check.duration, signal: check.abortSignal };
const countTable = { count: check.whole(0), ...waitTable };
const cancelTable: TableOf<CancelOptions> = { force: check.yesOrNo, recursive: check.yesOrNo };
const mapTable: TableOf<MapOptions> = {
  inFlight: check.whole(1),
  ordered: check.yesOrNo,
  signal: check.abortSignal,
  progress: check.textOrYesOrNo,
};

const batchTable = { max: check.wholeOrInfinity(1), wait: check.duration };

export function checkBatch(options: unknown): void {
  check.checkOptions(options, batchTable, 'batch');
  for (const name of ['max', 'wait'] as const) {
    if ((options as Record<string, unknown>)[name] !== undefined) continue;
    throw new UsageError(`batch: ${name} is not given; give both, such as { max: 16, wait: '4ms' }`);
  }
}

export function checkCancel(options: unknown): void {
  check.checkOptions(options, cancelTable, 'cancel');
}

export function checkMap(options: unknown, what: string): void {
  check.checkOptions(options, mapTable, what);
}

export interface Limits {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** The checked limits of a wait or a scope, with units resolved. `count` is an option of `wait` alone. */
export function limits(o: WaitOptions | undefined, what: 'get' | 'wait' | 'asCompleted' | 'scope'): Limits {
  if (o === undefined) return {};
  check.checkOptions(o, what === 'wait' ? countTable : waitTable, what);
  return {
    ...(o.timeout === undefined ? {} : { timeout: milliseconds(o.timeout, what) }),
    ...(o.signal === undefined ? {} : { signal: o.signal }),
  };
}

/** Defaults filled in, units resolved, for a session with workers of kind `isolation`. The options are checked already. */
export function resolveOptions(
  o: TaskOptions,
  name: string,
  isolation: 'process' | 'thread',
  isStream: boolean,
): ResolvedOptions {
  if (o.isolation === 'process' && isolation === 'thread') {
    throw new NotAvailableError(
      `task ${name}: isolation is "process", but this session shares memory between threads only`,
    );
  }
  const retries = Math.min(o.retries ?? 3, Number.MAX_SAFE_INTEGER);
  const timeout = milliseconds(o.timeout ?? 0, 'timeout');
  return {
    name: o.name ?? name,
    shape: {
      cpus: o.cpus ?? 1,
      gpus: o.gpus ?? 0,
      memory: bytes(o.memory ?? 0, 'memory'),
      custom: { ...o.resources },
      isolation: o.isolation ?? isolation,
      exclusive: retries === 0,
    },
    retries,
    retryErrors: o.retryErrors ?? false,
    timeout: timeout === Number.POSITIVE_INFINITY ? 0 : Math.ceil(timeout),
    returns: o.returns ?? 0,
    copy: o.copy ?? false,
    maxCalls: o.maxCalls ?? 0,
    ahead: isStream ? (o.ahead ?? STREAM_ITEMS) : 0,
    maxPending: o.maxPending ?? Number.POSITIVE_INFINITY,
  };
}

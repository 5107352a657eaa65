import { mix, Random } from './random.ts';

/**
 * Random programs of tasks. A task is a generator that yields what it wants done; the simulated workers carry that out
 * with delays and crashes, and the twin below carries it out at once, in order. Every choice comes from the task's own
 * seed and from what its inputs look like, so both make the same choices and must come to the same values.
 */
export type Value<R> = number | readonly Value<R>[] | Reference<R>;

/** Something of the host's that stands for a value; a class of its own, so that it is told from lists and numbers. */
export class Reference<R> {
  readonly it: R;
  constructor(it: R) {
    this.it = it;
  }
}

export interface TaskSpec {
  readonly seed: number;
  /** How many tasks it may start, theirs included. */
  readonly size: number;
  readonly results: number;
  readonly retries: number;
  /** Its own errors are retried too. */
  readonly retryErrors: boolean;
  /** It fails in every attempt before this one. */
  readonly failUntil: number;
  /** Which of the configuration's shapes it needs. */
  readonly shape: number;
  /** Not 0: it is a stream that may run so many items ahead. */
  readonly ahead: number;
}

export interface ProgramConfig {
  /** Of each shape: whether tasks of it may wait for others while they hold it. */
  readonly shapes: readonly { readonly mayWait: boolean; readonly feasible: boolean }[];
  readonly cancelRate: number;
  readonly throwRate: number;
  readonly largeRate: number;
  readonly passRate: number;
  readonly stashRate: number;
  readonly streamRate: number;
  readonly work: number;
}

export type Operation<R> =
  | { readonly type: 'work'; readonly micros: number; readonly blocking: boolean }
  | { readonly type: 'put'; readonly value: Value<R>; readonly large: boolean }
  | { readonly type: 'call'; readonly spec: TaskSpec; readonly args: readonly Value<R>[] }
  /** A call of a stream; gives what is read by `next`. */
  | { readonly type: 'open'; readonly spec: TaskSpec; readonly args: readonly Value<R>[] }
  /** The next item of a stream, or `END`. */
  | { readonly type: 'next'; readonly ref: Reference<R> }
  | { readonly type: 'yield'; readonly value: Value<R>; readonly large: boolean }
  | { readonly type: 'await'; readonly refs: readonly Reference<R>[] }
  | { readonly type: 'release'; readonly ref: Reference<R> }
  | { readonly type: 'stash'; readonly ref: Reference<R> }
  | { readonly type: 'cancel'; readonly ref: Reference<R>; readonly force: boolean };

/** What follows the last item of a stream. */
export const END = Symbol('end');

export type Outcome<R> =
  | { readonly value: Value<R>; readonly large: boolean; readonly delegate?: undefined }
  | { readonly delegate: Reference<R> };

export type Body<R> = Generator<Operation<R>, readonly Outcome<R>[], unknown>;

/** What a program throws by itself; the text is its identity, and it may have references and large data in its fields. */
export class ProgramError<R> extends Error {
  readonly identity: string;
  readonly carried: Value<R>;
  readonly large: boolean;
  constructor(identity: string, carried: Value<R>, large: boolean) {
    super(identity);
    this.identity = identity;
    this.carried = carried;
    this.large = large;
  }
}

function digest<R>(value: Value<R>): number {
  if (typeof value === 'number') return mix(1, value);
  if (value instanceof Reference) return 7;
  let h = 3;
  for (const each of value) h = mix(h, digest(each));
  return h;
}

function collect<R>(value: Value<R>, into: Reference<R>[]): void {
  if (typeof value === 'number') return;
  if (value instanceof Reference) into.push(value);
  else for (const each of value) collect(each, into);
}

function contains<R>(value: Value<R>, ref: Reference<R>): boolean {
  if (typeof value === 'number') return false;
  return value instanceof Reference ? value === ref : value.some((each) => contains(each, ref));
}

function weight<R>(value: Value<R>): number {
  if (typeof value === 'number' || value instanceof Reference) return 1;
  let n = 1;
  for (const each of value) n += weight(each);
  return n;
}

/** The code of every task, and of the driver. */
export function* body<R>(
  config: ProgramConfig,
  spec: TaskSpec,
  args: readonly Value<R>[],
  attempt: number,
  driver = false,
): Body<R> {
  const random = new Random(spec.seed);
  const refs: Reference<R>[] = [];
  const children: Reference<R>[] = [];
  const values: Value<R>[] = [];
  let sum = mix(spec.seed, 11);
  let budget = spec.size;
  let calls = 0;
  for (const arg of args) {
    sum = mix(sum, digest(arg));
    collect(arg, refs);
    if (typeof arg !== 'number' && !(arg instanceof Reference) && weight(arg) < 8) values.push(arg);
  }
  const mayWait = driver || (config.shapes[spec.shape]?.mayWait ?? true);

  const forget = (ref: Reference<R>): void => {
    for (const list of [refs, children]) {
      for (let i = list.length - 1; i >= 0; i--) if (list[i] === ref) list.splice(i, 1);
    }
    for (let i = values.length - 1; i >= 0; i--) if (contains(values[i] as Value<R>, ref)) values.splice(i, 1);
  };
  const make = (): Value<R> => {
    const kind = random.next();
    if (kind < 0.35 || (refs.length === 0 && values.length === 0)) return sum & 0xffff;
    if (kind < 0.5 && values.length > 0) return random.pick(values);
    const list: Value<R>[] = [];
    for (let n = random.between(1, 3); n > 0; n--) {
      if (refs.length > 0 && random.chance(0.6)) list.push(random.pick(refs));
      else list.push(sum & 0xff);
    }
    return list;
  };
  const seen = (value: Value<R>): void => {
    sum = mix(sum, digest(value));
    collect(value, refs);
  };
  const pause = (by: Random = random): Operation<R> => ({
    type: 'work',
    micros: by.chance(0.05) ? by.int(config.work * 50) : by.int(config.work),
    blocking: by.chance(0.7),
  });

  // Some items, perhaps all. A driver makes no use of them, as of nothing that may fail; its choices must not depend on how
  // far it comes.
  const readStream = function* (ref: Reference<R>, by: Random): Generator<Operation<R>, void, unknown> {
    for (let n = by.int(16); n > 0; n--) {
      if (by.chance(0.2)) yield pause(by);
      const item = yield { type: 'next', ref };
      if (item === END) break;
      if (!driver) seen(item as Value<R>);
    }
  };

  if (random.chance(0.7)) yield pause();
  for (let step = random.between(driver ? 4 : 0, driver ? 24 : 6); step > 0 || (driver && budget > 0); step--) {
    if (refs.length > 0 && random.chance(config.stashRate)) yield { type: 'stash', ref: random.pick(refs) };
    if (budget > 0 && mayWait && random.chance(config.streamRate)) {
      const size = random.int(Math.min(budget, 6));
      budget -= size + 1;
      const child = childSpec(config, random, mix(spec.seed, ++calls), size);
      const shape = config.shapes[child.shape]?.mayWait === true ? child.shape : 0;
      const ahead = random.pick([1, 2, 5, 16]);
      const childArgs = refs.length > 0 && random.chance(config.passRate) ? [random.pick(refs), make()] : [make()];
      const spare: TaskSpec = { ...child, results: 1, shape, ahead };
      const ref = (yield { type: 'open', spec: spare, args: childArgs }) as Reference<R>;
      if (random.chance(0.15)) yield { type: 'cancel', ref, force: random.chance(0.3) && config.cancelRate > 0 };
      if (random.chance(0.9)) {
        try {
          yield* readStream(ref, new Random(child.seed));
        } catch (error) {
          if (!driver) throw error;
        }
      }
      if (random.chance(0.8)) yield { type: 'release', ref };
    }
    const what = random.next();
    if (what < 0.42) {
      if (budget <= 0) continue;
      const size = random.int(Math.min(budget, driver ? 12 : budget));
      budget -= size + 1;
      const child = childSpec(config, random, mix(spec.seed, ++calls), size);
      const childArgs: Value<R>[] = [];
      for (let n = random.int(4); n > 0; n--) {
        if (refs.length > 0 && random.chance(config.passRate)) childArgs.push(random.pick(refs));
        else childArgs.push(make());
      }
      const made = (yield { type: 'call', spec: child, args: childArgs }) as Reference<R>[];
      refs.push(...made);
      children.push(...made);
    } else if (what < 0.52) {
      const ref = (yield { type: 'put', value: make(), large: random.chance(config.largeRate) }) as Reference<R>;
      refs.push(ref);
    } else if (what < 0.62) {
      yield pause();
    } else if (what < 0.8) {
      if (refs.length === 0 || !mayWait) continue;
      const chosen = [random.pick(refs)];
      if (random.chance(0.3)) for (let n = random.int(3); n > 0; n--) chosen.push(random.pick(refs));
      if (driver || random.chance(0.25)) {
        // The outcome is not used, so that what happens after a failure does not depend on it.
        try {
          yield { type: 'await', refs: chosen };
        } catch {}
      } else {
        for (const value of (yield { type: 'await', refs: chosen }) as Value<R>[]) seen(value);
      }
    } else if (what < 0.88) {
      if (refs.length === 0) continue;
      const ref = random.pick(refs);
      forget(ref);
      yield { type: 'release', ref };
    } else {
      if (children.length === 0 || !random.chance(config.cancelRate)) continue;
      // At once it has hardly ever begun.
      if (random.chance(0.5)) yield pause();
      yield { type: 'cancel', ref: random.pick(children), force: random.chance(0.3) };
    }
  }
  if (spec.ahead > 0) {
    for (let n = random.int(24); n > 0; n--) {
      if (random.chance(0.2)) yield pause();
      yield {
        type: 'yield',
        value: random.chance(0.5) ? sum & 0xffff : [make(), n],
        large: random.chance(config.largeRate),
      };
    }
  }
  // An attempt that is charged for a crash must not make a success of what is a failure without it.
  if ((spec.retryErrors ? attempt : 0) < spec.failUntil || (!driver && random.chance(config.throwRate))) {
    const carried = refs.length > 0 && random.chance(0.5) ? [random.pick(refs), make()] : 0;
    throw new ProgramError(`program:${spec.seed}`, carried, random.chance(config.largeRate));
  }
  if (driver) return [{ value: refs.slice(), large: false }];
  if (spec.ahead > 0) return [{ value: 0, large: false }];
  const outcomes: Outcome<R>[] = [];
  for (let i = 0; i < spec.results; i++) {
    const kind = random.next();
    const large = random.chance(config.largeRate);
    if (kind < 0.5) outcomes.push({ value: mix(sum, i), large });
    else if (kind < 0.8 || refs.length === 0) outcomes.push({ value: [make(), mix(sum, i)], large });
    else outcomes.push({ delegate: random.pick(refs) });
  }
  return outcomes;
}

function childSpec(config: ProgramConfig, random: Random, seed: number, size: number): TaskSpec {
  const shape = random.chance(0.5) ? 0 : random.int(config.shapes.length);
  const mayWait = (config.shapes[shape] as { mayWait: boolean }).mayWait;
  const retries = random.int(4);
  return {
    seed,
    size: mayWait ? size : 0,
    results: random.chance(0.12) ? random.between(2, 3) : 1,
    retries,
    retryErrors: random.chance(0.3),
    failUntil: random.chance(config.throwRate) ? random.between(1, 3) : 0,
    shape,
    ahead: 0,
  };
}

// ---- the twin

/** By their identity, what is in the fields of errors. */
export type TwinErrors = ReadonlyMap<string, Value<Twin>>;
/** A value, or all the failures that may be its cause: with several failed arguments the first to fail decides. */
export type TwinOutcome = { readonly value: Value<Twin> } | { readonly errors: TwinErrors };
export interface Twin {
  readonly outcome: TwinOutcome;
  /** Of a stream: what is left of its items. */
  readonly items?: Value<Twin>[];
}

class TwinFailure extends Error {
  readonly errors: TwinErrors;
  constructor(errors: TwinErrors) {
    super('failed');
    this.errors = errors;
  }
}

export const UNSCHEDULABLE = 'unschedulable';

/** What a program must come to, by plain evaluation in program order. */
export function evaluate(config: ProgramConfig, spec: TaskSpec): { outcome: TwinOutcome; tasks: number } {
  let tasks = 0;

  const call = (child: TaskSpec, args: readonly Value<Twin>[]): Reference<Twin>[] => {
    tasks++;
    let items: Value<Twin>[] = [];
    const errors = new Map<string, Value<Twin>>();
    const resolved = args.map((arg) => {
      if (!(arg instanceof Reference)) return fresh(arg);
      const { outcome } = arg.it;
      if ('value' in outcome) return fresh(outcome.value);
      for (const [identity, carried] of outcome.errors) errors.set(identity, carried);
      return 0;
    });
    let outcomes: readonly TwinOutcome[];
    if (errors.size > 0) outcomes = failed(child, errors);
    else if (!(config.shapes[child.shape] as { feasible: boolean }).feasible) {
      outcomes = failed(child, new Map([[UNSCHEDULABLE, 0]]));
    } else {
      for (let attempt = 0; ; attempt++) {
        try {
          items = [];
          outcomes = run(child, resolved, attempt, false, items).map((o) =>
            o.delegate === undefined ? { value: o.value } : o.delegate.it.outcome,
          );
          break;
        } catch (error) {
          if (!child.retryErrors || attempt >= child.retries) {
            outcomes = failed(child, errorsOf(error));
            break;
          }
        }
      }
    }
    return outcomes.map((outcome) => new Reference<Twin>(child.ahead > 0 ? { outcome, items } : { outcome }));
  };

  const run = (
    child: TaskSpec,
    args: readonly Value<Twin>[],
    attempt: number,
    driver: boolean,
    items: Value<Twin>[],
  ) => {
    const generator = body<Twin>(config, child, args, attempt, driver);
    let step = generator.next();
    while (!step.done) {
      const op = step.value;
      if (op.type === 'put') step = generator.next(new Reference<Twin>({ outcome: { value: op.value } }));
      else if (op.type === 'call') step = generator.next(call(op.spec, op.args));
      else if (op.type === 'open') step = generator.next(call(op.spec, op.args)[0]);
      else if (op.type === 'yield') {
        items.push(op.value);
        step = generator.next();
      } else if (op.type === 'next') {
        const { items: left = [], outcome } = op.ref.it;
        const item = left.shift();
        if (item !== undefined) step = generator.next(fresh(item));
        else if ('errors' in outcome) step = generator.throw(new TwinFailure(outcome.errors));
        else step = generator.next(END);
      } else if (op.type === 'await') {
        const failure = op.refs.find((ref) => 'errors' in ref.it.outcome);
        if (failure !== undefined) {
          step = generator.throw(new TwinFailure((failure.it.outcome as { errors: TwinErrors }).errors));
        } else step = generator.next(op.refs.map((ref) => fresh((ref.it.outcome as { value: Value<Twin> }).value)));
      } else step = generator.next();
    }
    return step.value;
  };

  const [result] = run(spec, [], 0, true, []);
  return { outcome: { value: (result as { value: Value<Twin> }).value }, tasks };
}

/** Every reader has handles of its own. */
function fresh(value: Value<Twin>): Value<Twin> {
  if (typeof value === 'number') return value;
  return value instanceof Reference ? new Reference(value.it) : value.map(fresh);
}

function failed(spec: TaskSpec, errors: TwinErrors): TwinOutcome[] {
  return new Array<TwinOutcome>(spec.results).fill({ errors });
}

function errorsOf(error: unknown): TwinErrors {
  if (error instanceof TwinFailure) return error.errors;
  if (error instanceof ProgramError) return new Map([[error.identity, (error as ProgramError<Twin>).carried]]);
  throw error;
}

import { CancelledError, CodecError, isClass, kindOf, onAbort, UsageError } from '../base/index.ts';
import { callSite, describeFunction, type FunctionSpec } from '../code/index.ts';
import { registerCodec } from '../codec/index.ts';
import {
  afterSettling,
  ByReference,
  type Engine,
  type IncomingStream,
  isReference,
  type Prepared,
  type Reference,
  threadState,
} from '../runtime/index.ts';
import { isTask, taskBrand } from './brand.ts';
import { currentEngine, engineOf } from './context.ts';
import { type MapTarget, mapItems } from './map.ts';
import { checkDefinition, checkMap, checkVariant, resolveOptions } from './options.ts';
import { enterScope } from './scope.ts';
import { openStream } from './stream.ts';
import type { ByRef, MapOptions, Ref, Several, Stream, Task, TaskOptions } from './types.ts';

/** @internal */
export type AnyTask = Task<unknown[], unknown>;
type AnyFunction = (...args: unknown[]) => unknown;

/** @internal What a task is made of. Its options have been checked. */
export class Definition {
  readonly spec: FunctionSpec;
  readonly options: TaskOptions;
  /** The function itself, where the task was made of one. */
  readonly original: AnyFunction | undefined;
  #engine: Engine | undefined;
  #prepared: Prepared | undefined;

  constructor(spec: FunctionSpec, options: TaskOptions, original?: AnyFunction) {
    this.original = original;
    this.spec = spec;
    this.options = options;
  }

  get name(): string {
    return this.options.name ?? this.spec.name;
  }

  engine(): Engine {
    const { session } = this.options;
    return session === undefined ? currentEngine(this.name) : engineOf(session);
  }

  /** Its calls give items, not one value. */
  get isStream(): boolean {
    return this.spec.kind === 'generator' || this.spec.kind === 'asyncGenerator';
  }

  protected prepare(engine: Engine): Prepared {
    const options = resolveOptions(this.options, this.spec.name, engine.isolation, this.isStream);
    return engine.prepare(this.spec, options, this.original);
  }

  /** The same with other options. */
  variant(options: TaskOptions): AnyTask {
    checkVariant(options, `task ${this.name}`);
    return define(this.spec, { ...this.options, ...options }, this.original);
  }

  /** What to send in its place. */
  wire(): TaskWire {
    return wireOf(this);
  }

  #prepare(engine: Engine): Prepared {
    let prepared = this.#prepared;
    if (engine !== this.#engine || prepared === undefined) {
      prepared = this.prepare(engine);
      this.#engine = engine;
      this.#prepared = prepared;
    }
    return prepared;
  }

  open(engine: Engine, args: readonly unknown[]): Stream<unknown> {
    const incoming = engine.submit(this.#prepare(engine), args) as IncomingStream;
    enterScope(incoming.end);
    const { signal } = this.options;
    if (signal !== undefined) endOnAbort(incoming, signal);
    return openStream(incoming);
  }

  call(engine: Engine, args: readonly unknown[]): Reference<unknown> | Reference<unknown>[] {
    const result = engine.submit(this.#prepare(engine), args) as Reference<unknown> | Reference<unknown>[];
    enterScope(result);
    const { signal } = this.options;
    if (signal !== undefined) cancelOnAbort(engine, result, signal, this.name);
    return result;
  }

  /** Its calls for a map: all in the session that is the current one now. */
  target(): MapTarget {
    const engine = this.engine();
    return {
      name: this.name,
      call: (args) => this.call(engine, args) as Reference<unknown> as Ref<unknown>,
      cancel: (ref) => {
        const error = new CancelledError(`the loop over ${this.name}.map was left`);
        engine.cancel(ref as unknown as Reference<unknown>, error, false, true);
      },
      get closed() {
        return !threadState().engines.has(engine);
      },
    };
  }
}

function cancelOnAbort(
  engine: Engine,
  result: Reference<unknown> | Reference<unknown>[],
  signal: AbortSignal,
  name: string,
): void {
  const refs = Array.isArray(result) ? result : [result];
  const first = refs[0];
  if (first === undefined) return;
  const stop = onAbort(signal, () => {
    const error = new CancelledError(`${name} was cancelled by its signal`, { cause: signal.reason });
    engine.cancel(first, error, false, true);
  });
  if (!signal.aborted) afterSettling(first, stop);
}

/** The listener does not keep the stream, which ends when nobody else does. */
function endOnAbort(incoming: IncomingStream, signal: AbortSignal): void {
  const { name, end } = incoming;
  const stream = new WeakRef(incoming);
  const stop = onAbort(signal, () => {
    stream
      .deref()
      ?.cancel(new CancelledError(`${name} was cancelled by its signal`, { cause: signal.reason }), false, true);
  });
  if (!signal.aborted) afterSettling(end, stop);
}

/** Tasks are functions with this prototype: by it the codec knows them. */
class Callable {}
Object.setPrototypeOf(Callable.prototype, Function.prototype);
Object.defineProperty(Callable.prototype, taskBrand, { value: true });
// Two copies of the package register their tasks under one id and so under one name, even if a minifier made another.
Object.defineProperty(Callable, 'name', { value: 'Task' });

const definitions = new WeakMap<object, Definition>();

/** A task is a value, too: where it arrives, it can be called. What binds it to this process can't go along. */
function registerTasks(): void {
  registerCodec(Callable, { id: 'sheaf/task', encode, decode });
}

/** @internal */
export interface TaskWire {
  readonly spec: FunctionSpec;
  readonly options: TaskOptions;
}

const encode = (value: Callable): TaskWire => (definitions.get(value) as Definition).wire();

function wireOf({ spec, options, name }: Definition): TaskWire {
  const { session, signal, retryErrors, ...rest } = options;
  const refuse = (option: string, why: string): never => {
    throw new CodecError(
      `the task ${name} has the option \`${option}\`, ${why}, so it can't be sent; send ${name}.with({ ${option}: undefined })`,
    );
  };
  if (session !== undefined) refuse('session', 'which belongs to this process');
  if (signal !== undefined) refuse('signal', 'which belongs to this process');
  if (typeof retryErrors === 'function') refuse('retryErrors', 'which is a function here');
  return { spec, options: retryErrors === undefined ? rest : { ...rest, retryErrors } };
}

function decode({ spec, options }: TaskWire): Callable {
  return callable(new Definition(spec, options));
}

registerTasks();

/** @internal */
export function callable(definition: Definition): AnyTask {
  const { name } = definition;
  const call = definition.isStream
    ? (...args: unknown[]): unknown => definition.open(definition.engine(), args)
    : (...args: unknown[]): unknown => definition.call(definition.engine(), args);
  Object.setPrototypeOf(call, Callable.prototype);
  definitions.set(call, definition);
  Object.defineProperty(call, 'name', { value: name });
  return Object.assign(call, {
    with: (options: TaskOptions) => definition.variant(options),
    map: (items: Iterable<unknown>, a?: unknown, b?: MapOptions) => {
      if (definition.isStream) {
        throw new UsageError(
          `${name}.map: a call of it gives a stream of items, and map takes one value of each; open the streams and read them ` +
            'with merge(streams)',
        );
      }
      if (definition.options.returns !== undefined) {
        throw new UsageError(
          `${name}.map: with the option \`returns\` a call gives several Refs, and map takes one; map the task without ` +
            'it: task.with({ returns: undefined })',
        );
      }
      const toArgs = typeof a === 'function' ? (a as (item: unknown) => unknown[]) : (item: unknown) => [item];
      const given = typeof a === 'function' || a === undefined ? b : a;
      if (given !== undefined) checkMap(given, `${name}.map`);
      return mapItems(definition.target(), items, toArgs, (given ?? {}) as MapOptions);
    },
  }) as unknown as AnyTask;
}

/** @internal `original`: the function itself, if it is here. */
export function define(spec: FunctionSpec, options: TaskOptions, original?: AnyFunction): AnyTask {
  const definition = new Definition(spec, options, original);
  const { name, isStream } = definition;
  if (isStream && options.returns !== undefined) {
    throw new UsageError(`${name} is a generator, which gives a stream of items: the option \`returns\` is for tuples`);
  }
  if (!isStream && options.ahead !== undefined) {
    throw new UsageError(
      `${name} is no generator: the option \`ahead\` is for streams; stream(fn) makes one of a function whose generator ` +
        'nature does not show',
    );
  }
  return callable(definition);
}

/** A task made of a task is that task, with other options if there are any. */
function again(fn: AnyTask, options: object, captures: unknown, what: string): AnyTask {
  if (captures !== undefined) {
    throw new UsageError(
      `${what}: it is a task already, and what a function captures is part of its definition; give the captures there`,
    );
  }
  return Object.keys(options).length === 0 ? fn : fn.with(options);
}

/**
 * Makes a function a task: calling it runs it on a worker and gives a `Ref` of its result at once.
 *
 * @param fn a function whose free names are all globals, imports, or top-level functions and constants of its file;
 *   anything else is listed in `captures` and sent by value. A generator function gives a `Stream` for each call.
 * @param o its options; `captures` are values that go along with the function, 64 MiB at most.
 * @throws CaptureError when it uses a name that can't travel, or captures a value that can't; UsageError for an option that
 *   does not exist, or has a value that it can't have.
 */
export function task<P extends unknown[], R>(
  fn: (...args: P) => R,
  o: TaskOptions & { captures?: Record<string, unknown>; returns: number },
): Several<P, R>;
export function task<P extends unknown[], R>(
  fn: (...args: P) => R,
  o?: TaskOptions & { captures?: Record<string, unknown> },
): Task<P, R>;
export function task<P extends unknown[], R>(
  fn: (...args: P) => R,
  o: TaskOptions & { captures?: Record<string, unknown> } = {},
): Task<P, R> | Several<P, R> {
  if (typeof fn !== 'function') throw new UsageError(`task takes a function, not ${kindOf(fn)}`);
  const what = typeof fn.name === 'string' && fn.name !== '' ? `task ${fn.name}` : 'task';
  if (isClass(fn)) {
    throw new UsageError(`${what}: it is a class, and a task is a function; actor(Class) makes a class an actor`);
  }
  checkDefinition(o, what);
  const { captures, ...options } = o;
  if (isTask(fn)) return again(fn as unknown as AnyTask, options, captures, what) as unknown as Task<P, R>;
  const spec = describeFunction(fn, { captures, isRef: isReference, callSite: callSite(task), what: 'task' });
  return define(spec, options, fn as AnyFunction) as unknown as Task<P, R>;
}

/**
 * A task that is a stream, out of a function of which that does not show: one that a build tool has rewritten, or that returns
 * an iterable made by others. Also of a task, such as one of a `remote` module.
 *
 * @throws CaptureError when it uses a name that can't travel.
 */
export function stream<P extends unknown[], Y>(
  fn: (...args: P) => Iterable<Y> | AsyncIterable<Y>,
): Task<P, AsyncGenerator<Y>> {
  if (typeof fn !== 'function') throw new UsageError(`stream takes a function, not ${kindOf(fn)}`);
  const known = isTask(fn) ? (definitions.get(fn) as Definition) : undefined;
  const spec = known?.spec ?? describeFunction(fn, { isRef: isReference, callSite: callSite(stream), what: 'task' });
  const kind = spec.kind === 'generator' ? spec.kind : 'asyncGenerator';
  const original = known === undefined ? (fn as AnyFunction) : known.original;
  return define({ ...spec, kind }, known?.options ?? {}, original) as unknown as Task<P, AsyncGenerator<Y>>;
}

/**
 * Passes a reference as a reference at the top level of the arguments, where it would arrive as its value.
 *
 * @throws UsageError for what is no reference.
 */
export function byRef<T>(ref: Ref<T>): ByRef<T> {
  if (!isReference(ref)) throw new UsageError(`byRef takes a Ref, not ${kindOf(ref)}`);
  return new ByReference(ref as unknown as Reference<unknown>) as unknown as ByRef<T>;
}

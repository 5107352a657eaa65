import { CancelledError, NotAvailableError, UsageError } from '../base/index.ts';
import { callSite, describeExport, describeFunction, describeModule, type FunctionSpec } from '../code/index.ts';
import {
  afterSettling,
  ByReference,
  type Engine,
  isReference,
  type Prepared,
  type Reference,
} from '../runtime/index.ts';
import { currentEngine, engineOf } from './context.ts';
import { mapItems } from './map.ts';
import { checkCaptures, checkTaskOptions, resolveOptions } from './options.ts';
import { enterScope } from './scope.ts';
import type { Args, ByRef, MapOptions, Ref, Remote, Task, TaskOptions } from './types.ts';

type AnyTask = Task<unknown[], unknown>;

/** What a task is made of; shared by its variants with other options. */
class Definition {
  readonly spec: FunctionSpec;
  readonly options: TaskOptions;
  #engine: Engine | undefined;
  #prepared: Prepared | undefined;

  constructor(spec: FunctionSpec, options: TaskOptions) {
    this.spec = spec;
    this.options = options;
    checkTaskOptions(options, spec.name);
  }

  get name(): string {
    return this.options.name ?? this.spec.name;
  }

  call(args: readonly unknown[]): Reference<unknown> | Reference<unknown>[] {
    const { session, signal } = this.options;
    const engine = session === undefined ? currentEngine(this.name) : engineOf(session);
    let prepared = this.#prepared;
    if (engine !== this.#engine || prepared === undefined) {
      prepared = engine.prepare(this.spec, resolveOptions(this.options, this.spec.name, engine.isolation));
      this.#engine = engine;
      this.#prepared = prepared;
    }
    const result = engine.submit(prepared, args);
    enterScope(result);
    if (signal !== undefined) cancelOnAbort(engine, result, signal, this.name);
    return result;
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
  const abort = (): void => {
    const error = new CancelledError(`${name} was cancelled by its signal`, { cause: signal.reason });
    engine.cancel(first, error, false, true);
  };
  if (signal.aborted) {
    abort();
    return;
  }
  signal.addEventListener('abort', abort, { once: true });
  afterSettling(first, () => signal.removeEventListener('abort', abort));
}

function callable(definition: Definition): AnyTask {
  const call = (...args: unknown[]): unknown => definition.call(args);
  const named = Object.defineProperty(call, 'name', { value: definition.name });
  return Object.assign(named, {
    with: (options: TaskOptions) => {
      checkTaskOptions(options, definition.name);
      return callable(new Definition(definition.spec, { ...definition.options, ...options }));
    },
    map: (items: Iterable<unknown>, a?: unknown, b?: MapOptions) => {
      const toArgs = typeof a === 'function' ? (a as (item: unknown) => unknown[]) : (item: unknown) => [item];
      const options = (typeof a === 'function' ? b : (a as MapOptions | undefined)) ?? {};
      return mapItems(call as (...args: unknown[]) => Ref<unknown>, definition.name, items, toArgs, options);
    },
  }) as unknown as AnyTask;
}

function define(spec: FunctionSpec, options: TaskOptions): AnyTask {
  if (spec.kind === 'generator' || spec.kind === 'asyncGenerator') {
    throw new NotAvailableError(
      `${spec.name} is a generator: a stream of results, which comes with actors and is not in this version; return an ` +
        'array, or several Refs with { returns }',
    );
  }
  return callable(new Definition(spec, options));
}

/**
 * Makes a function a task: calling it runs it on a worker and gives a `Ref` of its result at once.
 *
 * @param fn a function whose free names are all globals, imports, or top-level functions and constants of its file;
 *   anything else is listed in `captures` and sent by value.
 * @throws CaptureError when it uses a name that can't travel, or captures a value that can't.
 */
export function task<P extends unknown[], R>(
  fn: (...args: P) => R,
  o: TaskOptions & { captures?: Record<string, unknown> } = {},
): Task<P, R> {
  if (typeof fn !== 'function') throw new UsageError(`task takes a function, not ${fn === null ? 'null' : typeof fn}`);
  const { captures, ...options } = o;
  if (captures !== undefined) checkCaptures(captures);
  const spec = describeFunction(fn, { captures, isRef: isReference, callSite: callSite(task), what: 'task' });
  return define(spec, options) as unknown as Task<P, R>;
}

/**
 * A module elsewhere, typed: its functions are tasks. Takes what `import.meta.resolve('./x.ts')` or
 * `new URL('./x.ts', import.meta.url)` give; the module runs on workers only.
 */
export function remote<M extends object>(module: string | URL): Remote<M> {
  const described = describeModule(module);
  const tasks = new Map<string, AnyTask>();
  return new Proxy(
    {},
    {
      get(_target, name): unknown {
        // Whatever is a Proxy must not look like a promise.
        if (typeof name !== 'string' || name === 'then') return undefined;
        let found = tasks.get(name);
        if (found === undefined) {
          if (described.exports[name] === 'class') {
            throw new NotAvailableError(`${name} is a class: actors are not in this version`);
          }
          found = define(describeExport(described, name), {});
          tasks.set(name, found);
        }
        return found;
      },
      has: (_target, name) => typeof name === 'string' && name in described.exports,
      ownKeys: () => Object.keys(described.exports),
      getOwnPropertyDescriptor: (_target, name) =>
        typeof name === 'string' && name in described.exports ? { configurable: true, enumerable: true } : undefined,
    },
  ) as Remote<M>;
}

/** Passes a reference as a reference at the top level of the arguments. */
export function byRef<T>(ref: Ref<T>): ByRef<T> {
  if (!isReference(ref)) throw new UsageError(`byRef takes a Ref, not ${ref === null ? 'null' : typeof ref}`);
  return new ByReference(ref as unknown as Reference<unknown>) as unknown as ByRef<T>;
}

export type { Args };

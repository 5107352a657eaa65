import { CodecError, kindOf, NotAvailableError, UsageError } from '../base/index.ts';
import { callSite, describeFunction, type FunctionSpec, kindOf as functionKind } from '../code/index.ts';
import { registerCodec } from '../codec/index.ts';
import {
  type ActorEngine,
  actorsOf,
  type Engine,
  isReference,
  type Prepared,
  Reference,
  threadState,
} from '../runtime/index.ts';
import { currentEngine, engineOf } from './context.ts';
import { checkActor, checkMethodVariant, resolveActor, resolveOptions } from './options.ts';
import { type AnyTask, callable, Definition, type TaskWire } from './task.ts';
import type { ActorClass, ActorOptions, Handle, TaskOptions } from './types.ts';

type AnyClass = abstract new (...args: never[]) => object;
type AnyHandle = Handle<Record<string, (...args: unknown[]) => unknown>>;

/** The name of a method that is awaited before the first call: `async [init]() { ... }`. It takes no arguments. */
export const init: unique symbol = Symbol.for('sheaf.init');

/** Names that mean something else on a handle. */
const RESERVED = ['then', 'ready', 'drain', 'with'];

/** What a handle is made of, wherever it is. */
interface HandleData {
  readonly ref: Reference<unknown>;
  readonly className: string;
  /** Methods that are generators, as far as that is known where the class is. */
  readonly streams: readonly string[];
  readonly callRetries: number;
  readonly maxPending: number;
  /** `create` gave it: its end is the actor's. */
  readonly owns: boolean;
}

/** By the handle itself, which is a Proxy, and by what is behind it. */
const handles = new WeakMap<object, HandleData>();

/** Handles have this prototype: by it the codec knows them. */
class ActorHandle {}

const engineOfActors = (engine: Engine, what: string): ActorEngine => {
  const actors = actorsOf(engine);
  if (actors === undefined) throw new NotAvailableError(`${what}: this kind of session has no actors`);
  return actors;
};

/** A method of an actor, as a task. */
class Method extends Definition {
  readonly #handle: HandleData;
  readonly #method: string;

  constructor(handle: HandleData, method: string, options: TaskOptions) {
    super(specOf(handle, method), options);
    this.#handle = handle;
    this.#method = method;
  }

  override engine(): Engine {
    return Reference.engine(this.#handle.ref);
  }

  protected override prepare(engine: Engine): Prepared {
    const { ref, className, callRetries, maxPending } = this.#handle;
    const options = { retries: callRetries, maxPending, ...this.options };
    const resolved = resolveOptions(options, this.spec.name, engine.isolation, this.isStream);
    return engineOfActors(engine, this.name).prepareMethod(ref, className, this.#method, resolved);
  }

  override variant(options: TaskOptions): AnyTask {
    checkMethodVariant(options, `method ${this.name}`);
    return callable(new Method(this.#handle, this.#method, { ...this.options, ...options }));
  }

  override wire(): TaskWire {
    throw new CodecError(
      `the method ${this.name} of an actor does not travel by itself; send the handle of the actor, and call the method there`,
    );
  }
}

/** Methods have no source of their own: they are called where their class is. */
function specOf({ className, streams }: HandleData, method: string): FunctionSpec {
  return {
    digest: '',
    name: `${className}.${method}`,
    kind: streams.includes(method) ? 'asyncGenerator' : 'function',
    synchronous: false,
    source: { kind: 'module', url: '', exportName: method },
  };
}

function handleOf(data: HandleData): AnyHandle {
  const target = new ActorHandle();
  const methods = new Map<string, AnyTask>();
  let ready: Promise<void> | undefined;
  const { ref, className } = data;
  const engine = (): ActorEngine => engineOfActors(Reference.engine(ref), className);
  const drain = (): Promise<void> => engine().drain(ref, className);
  const dispose = async (): Promise<void> => {
    if (data.owns) await drain();
    else ref.release();
  };
  const handle = new Proxy(target, {
    get(_target, key): unknown {
      if (key === Symbol.asyncDispose) return dispose;
      if (typeof key === 'symbol' || key === 'constructor') return Reflect.get(target, key);
      switch (key) {
        // What has it would be taken for a promise.
        case 'then':
          return undefined;
        case 'ready':
          ready ??= engine().ready(ref, className);
          return ready;
        case 'drain':
          return drain;
        case 'toJSON':
          return () => {
            throw new UsageError(
              `the handle of an actor (${className}) has no JSON form; pass it to a task, or to another actor`,
            );
          };
      }
      let method = methods.get(key);
      if (method === undefined) {
        method = callable(new Method(data, key, {}));
        methods.set(key, method);
      }
      return method;
    },
    set(_target, key): boolean {
      throw new UsageError(
        `${className}.${String(key)}: the state of an actor is set by its methods, not through its handle`,
      );
    },
  });
  handles.set(target, data);
  handles.set(handle, data);
  return handle as unknown as AnyHandle;
}

interface HandleWire {
  readonly ref: unknown;
  readonly className: string;
  readonly streams: readonly string[];
  readonly callRetries: number;
  readonly maxPending: number;
}

registerCodec(ActorHandle, {
  id: 'sheaf/actor',
  encode(value: ActorHandle): HandleWire {
    const { ref, className, streams, callRetries, maxPending } = handles.get(value) as HandleData;
    return { ref, className, streams, callRetries, maxPending };
  },
  decode({ ref, ...rest }: HandleWire): ActorHandle {
    return handleOf({ ...rest, ref: ref as Reference<unknown>, owns: false }) as unknown as ActorHandle;
  },
});

/** @internal Classes as actors, with options that have been checked. */
export function actorClass(
  spec: FunctionSpec,
  streams: readonly string[] = [],
  o: ActorOptions = {},
): ActorClass<AnyClass> {
  const { name: className } = spec;
  const engine = (): Engine => (o.session === undefined ? currentEngine(className) : engineOf(o.session));
  const dataOf = (ref: Reference<unknown>, owns: boolean): HandleData => {
    const { callRetries = 0, maxPending = Number.POSITIVE_INFINITY } = o;
    return { ref, className, streams, callRetries, maxPending, owns };
  };
  return {
    with(options: ActorOptions) {
      checkActor(options, `actor ${className}`);
      return actorClass(spec, streams, { ...o, ...options });
    },
    create(...args: unknown[]) {
      const where = engine();
      if (o.detached === true && threadState().onWorker) {
        throw new NotAvailableError(
          `actor ${className}: inside of a task an actor ends with the worker that created it at the latest; create a detached one ` +
            'where the session was opened, and look it up by its name',
        );
      }
      const ref = engineOfActors(where, className).create(spec, resolveActor(o, className, where.isolation), args);
      return handleOf(dataOf(ref, true));
    },
    async lookup(name: string, options: { namespace?: string } = {}) {
      checkActor({ ...options, name }, `actor ${className}: lookup`);
      const where = engine();
      const namespace = options.namespace ?? o.namespace ?? 'default';
      const ref = await engineOfActors(where, className).lookup(className, namespace, name);
      if (ref !== undefined) return handleOf(dataOf(ref, false));
      throw new UsageError(
        `there is no actor ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)}; it has never been created, or has ended`,
        { code: 'ERR_SHEAF_NO_SUCH_ACTOR', details: { name, namespace } },
      );
    },
  } as unknown as ActorClass<AnyClass>;
}

/**
 * Makes a class an actor: its instances live on workers of their own, and their methods are called from anywhere.
 *
 * @param cls a class that travels as functions do: its free names are globals, imports, or top-level functions and constants
 *   of its file; anything else is listed in `captures` and sent by value.
 * @throws CaptureError when it uses a name that can't travel; UsageError when it has a method that a handle can't have.
 */
export function actor<K extends abstract new (...a: never[]) => object>(
  cls: K,
  o: { captures?: Record<string, unknown> } = {},
): ActorClass<K> {
  const isClass = typeof cls === 'function' && typeof cls.prototype === 'object' && cls.prototype !== null;
  if (!isClass) throw new UsageError(`actor takes a class, not ${kindOf(cls)}`);
  const { captures, ...other } = o;
  if (Object.keys(other).length > 0) {
    throw new UsageError(
      `actor ${cls.name}: there is no option \`${Object.keys(other)[0]}\` here; give options by actor(${cls.name}).with({ ... })`,
    );
  }
  const streams: string[] = [];
  for (
    let each: object = cls.prototype;
    each !== null && each !== Object.prototype;
    each = Object.getPrototypeOf(each)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (typeof value !== 'function' || name === 'constructor') continue;
      if (RESERVED.includes(name)) {
        throw new UsageError(
          `actor ${cls.name}: a method can't be called ${name}, which means something else on a handle`,
        );
      }
      if (/enerator$/.test(functionKind(value))) streams.push(name);
    }
  }
  const spec = describeFunction(cls, { captures, isRef: isReference, callSite: callSite(actor), what: 'class' });
  return actorClass(spec, streams) as unknown as ActorClass<K>;
}

import { CodecError, NotAvailableError, UsageError } from '../base/index.ts';
import type { FunctionSpec } from '../code/index.ts';
import { registerCodec } from '../codec/index.ts';
import {
  type ActorEngine,
  type ActorPool,
  actorsOf,
  type Engine,
  type PoolLimits,
  type Prepared,
  Reference,
} from '../runtime/index.ts';
import { checkMethodVariant, resolveOptions } from './options.ts';
import { type AnyTask, callable, Definition, type TaskWire } from './task.ts';
import type { Handle, TaskOptions } from './types.ts';

export type AnyHandle = Handle<Record<string, (...args: unknown[]) => unknown>>;

/** What a handle is made of, wherever it is. */
export interface HandleData {
  readonly engine: Engine;
  /** What stands for the actor, or for those of a pool. */
  readonly target: Reference<unknown> | ActorPool;
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

export const engineOfActors = (engine: Engine, what: string): ActorEngine => {
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
    return this.#handle.engine;
  }

  protected override prepare(engine: Engine): Prepared {
    const { target, className, callRetries, maxPending } = this.#handle;
    const options = { retries: callRetries, maxPending, ...this.options };
    const resolved = resolveOptions(options, this.spec.name, engine.isolation, this.isStream);
    return engineOfActors(engine, this.name).prepareMethod(target, className, this.#method, resolved);
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

export function handleOf(data: HandleData): AnyHandle {
  const target = new ActorHandle();
  const methods = new Map<string, AnyTask>();
  let ready: Promise<void> | undefined;
  const { target: actor, className } = data;
  const one = actor instanceof Reference ? actor : undefined;
  const engine = (): ActorEngine => engineOfActors(data.engine, className);
  const drain = (): Promise<void> => (actor instanceof Reference ? engine().drain(actor, className) : actor.drain());
  const dispose = async (): Promise<void> => {
    if (data.owns) await drain();
    else one?.release();
  };
  const handle = new Proxy(target, {
    get(_target, key): unknown {
      if (key === Symbol.asyncDispose) return dispose;
      // In a text it is no call of `toString`, of which nobody would look at the result.
      if (key === Symbol.toPrimitive) return () => `[actor ${className}]`;
      if (typeof key === 'symbol' || key === 'constructor') return Reflect.get(target, key);
      switch (key) {
        // What has it would be taken for a promise.
        case 'then':
          return undefined;
        case 'ready':
          ready ??= actor instanceof Reference ? engine().ready(actor, className) : actor.untilReady();
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
  /** References of the actors. */
  readonly refs: readonly unknown[];
  /** Of a pool. */
  readonly limits: PoolLimits | null;
  readonly className: string;
  readonly streams: readonly string[];
  readonly callRetries: number;
  readonly maxPending: number;
}

registerCodec(ActorHandle, {
  id: 'sheaf/actor',
  encode(value: ActorHandle): HandleWire {
    const { target, className, streams, callRetries, maxPending } = handles.get(value) as HandleData;
    const isOne = target instanceof Reference;
    const refs = isOne ? [target] : target.handles;
    return { refs, limits: isOne ? null : target.limits, className, streams, callRetries, maxPending };
  },
  decode({ refs, limits, ...rest }: HandleWire): ActorHandle {
    const [first] = refs as [Reference<unknown>];
    const engine = Reference.engine(first);
    const all = refs as readonly Reference<unknown>[];
    // Whoever is given a pool sees those that are in it now.
    const target =
      limits === null ? first : engineOfActors(engine, rest.className).pool(rest.className, limits, all, null);
    return handleOf({ ...rest, engine, target, owns: false }) as unknown as ActorHandle;
  },
});

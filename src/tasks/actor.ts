import { kindOf, UsageError } from '../base/index.ts';
import { callSite, describeFunction, type FunctionSpec, kindOf as functionKind } from '../code/index.ts';
import { type ActorPool, type Engine, isReference, type Reference } from '../runtime/index.ts';
import { currentEngine, engineOf } from './context.ts';
import { engineOfActors, type HandleData, handleOf } from './handle.ts';
import { checkActor, checkActorDefinition, checkLookup, checkNamed, checkPool, resolveActor } from './options.ts';
import type { ActorClass, ActorOptions } from './types.ts';

type AnyClass = abstract new (...args: never[]) => object;

/** The name of a method that is awaited before the first call: `async [init]() { ... }`. It takes no arguments. */
export const init: unique symbol = Symbol.for('sheaf.init');

/** Names that mean something else on a handle. */
const RESERVED = ['then', 'ready', 'drain', 'with'];

/** @internal Classes as actors, with options that have been checked. `original`: the class itself, if it is here. */
export function actorClass(
  spec: FunctionSpec,
  streams: readonly string[] = [],
  o: ActorOptions = {},
  original?: AnyClass,
): ActorClass<AnyClass> {
  const { name: className } = spec;
  const engine = (): Engine => (o.session === undefined ? currentEngine(className) : engineOf(o.session));
  const dataOf = (where: Engine, target: Reference<unknown> | ActorPool, owns: boolean): HandleData => {
    const { callRetries = 0, maxPending = Number.POSITIVE_INFINITY } = o;
    return { engine: where, target, className, streams, callRetries, maxPending, owns };
  };
  return {
    with(options: ActorOptions) {
      checkActor(options, `actor ${className}`);
      return actorClass(spec, streams, { ...o, ...options }, original);
    },
    create(...args: unknown[]) {
      checkNamed(o, `actor ${className}`);
      const where = engine();
      const ref = engineOfActors(where, className).create(
        spec,
        resolveActor(o, className, where.isolation),
        args,
        original,
      );
      return handleOf(dataOf(where, ref, true));
    },
    pool(size: unknown, ...args: unknown[]) {
      const limits = checkPool(size, className, o);
      const where = engine();
      const actors = engineOfActors(where, className);
      // One that dies is made again, and what it had not begun is done by the others meanwhile.
      const plan = resolveActor({ restarts: Number.POSITIVE_INFINITY, ...o }, className, where.isolation);
      const pool = actors.pool(className, limits, [], () => actors.create(spec, plan, args, original));
      return handleOf(dataOf(where, pool, true));
    },
    async lookup(name: string, options: { namespace?: string } = {}) {
      checkLookup(name, options, `actor ${className}: lookup`);
      const where = engine();
      const namespace = options.namespace ?? o.namespace ?? 'default';
      const ref = await engineOfActors(where, className).lookup(className, namespace, name);
      if (ref !== undefined) return handleOf(dataOf(where, ref, false));
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
  const what = typeof cls.name === 'string' && cls.name !== '' ? `actor ${cls.name}` : 'actor';
  checkActorDefinition(o, what);
  const { captures } = o;
  const streams: string[] = [];
  for (
    let each: object = cls.prototype;
    each !== null && each !== Object.prototype;
    each = Object.getPrototypeOf(each)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (typeof value !== 'function' || name === 'constructor') continue;
      if (RESERVED.includes(name)) {
        throw new UsageError(`${what}: a method can't be called ${name}, which means something else on a handle`);
      }
      if (/enerator$/.test(functionKind(value))) streams.push(name);
    }
  }
  const spec = describeFunction(cls, { captures, isRef: isReference, callSite: callSite(actor), what: 'class' });
  return actorClass(spec, streams, {}, cls as unknown as AnyClass) as unknown as ActorClass<K>;
}

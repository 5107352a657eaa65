import { kindOf, UsageError } from '../base/index.ts';
import { kindOfPrototype } from './kinds.ts';
import { loadCodec } from './later.ts';

/** How instances of a class `T` travel: as what. */
interface ValueCodec<T, W> {
  /** Names the class on the wire: the same in every process, and unique. */
  readonly id: string;
  /** What to send in the place of the value: anything that can be sent, references included. It may refuse with a CodecError. */
  encode(value: T): W;
  /** Makes the value again of what `encode` gave. */
  decode(wire: W): T;
}

type AnyCodec = ValueCodec<object, unknown>;

interface Registry {
  readonly byPrototype: WeakMap<object, AnyCodec>;
  readonly byId: Map<string, { readonly codec: AnyCodec; readonly prototype: object }>;
}

// On globalThis, so that two copies of the package in one process know the same classes.
const key = Symbol.for('sheaf.codecs');
const shared = globalThis as { [key]?: Registry };
shared[key] ??= { byPrototype: new WeakMap(), byId: new Map() };
const registry: Registry = shared[key];

/**
 * Lets instances of a class travel. Only the class itself is meant, not its subclasses. Register in a module that every
 * process loads, which the module that defines the class usually is. Registering the same class again replaces its codec.
 *
 * An object that is reachable from its own wire form can't travel: it would be needed before it is decoded.
 *
 * @param type the class.
 * @param codec its name on the wire, and how a value is turned into what is sent, and back.
 * @throws UsageError when the id is taken by a class of another name, or the class is built in.
 */
export function registerCodec<T extends object, W>(
  type: abstract new (...args: never[]) => T,
  codec: ValueCodec<T, W>,
): void {
  const prototype: unknown = type?.prototype;
  if (typeof type !== 'function' || typeof prototype !== 'object' || prototype === null) {
    throw new UsageError(`registerCodec: the first argument is ${kindOf(type)}; give a class`);
  }
  if (typeof codec?.id !== 'string' || codec.id === '') {
    throw new UsageError(
      `registerCodec(${type.name}): the codec needs an id, a text that is the same in every process`,
    );
  }
  for (const name of ['encode', 'decode'] as const) {
    if (typeof codec[name] === 'function') continue;
    throw new UsageError(
      `registerCodec(${type.name}): \`${name}\` is ${kindOf(codec[name])}; give a function: encode makes what is sent ` +
        'of a value, and decode the value of that',
    );
  }
  if (prototype === Object.prototype || prototype === Array.prototype || kindOfPrototype(prototype) !== undefined) {
    throw new UsageError(`registerCodec(${type.name}): ${type.name} is built in and travels by itself`);
  }
  const taken = registry.byId.get(codec.id);
  if (taken !== undefined && taken.prototype !== prototype) {
    // The same class from a second copy of its module is replaced, as a hot reload would; another class is a mistake.
    const name = (taken.prototype as { constructor?: { name?: unknown } }).constructor?.name;
    if (name !== type.name) {
      throw new UsageError(
        `registerCodec(${type.name}): the id '${codec.id}' is taken by class ${String(name)}; give each class its own`,
      );
    }
  }
  const stored = codec as unknown as AnyCodec;
  registry.byPrototype.set(prototype, stored);
  registry.byId.set(codec.id, { codec: stored, prototype });
}

/** @internal */
export function codecOfPrototype(prototype: object): AnyCodec | undefined {
  return registry.byPrototype.get(prototype);
}

/** @internal */
export function codecOfId(id: string): AnyCodec | undefined {
  const known = registry.byId.get(id);
  if (known !== undefined) return known.codec;
  loadCodec(id);
  return registry.byId.get(id)?.codec;
}

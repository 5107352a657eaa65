import { types } from 'node:util';
import { errorTypes } from '../base/index.ts';
import { viewNames, viewTypes } from './format.ts';

/** What the encoder does with an object that is neither a plain object nor an array. Views are `view + wire number`. */
export const Kind = {
  nullObject: 0,
  map: 1,
  set: 2,
  date: 3,
  regexp: 4,
  boxed: 5,
  error: 6,
  url: 7,
  urlSearchParams: 8,
  buffer: 9,
  /** Object.prototype or Array.prototype of another realm (a `vm` context, as some test runners use). */
  object: 10,
  array: 11,
  view: 32,
} as const;

const byName = new Map<string, number>([
  ['Map', Kind.map],
  ['Set', Kind.set],
  ['Date', Kind.date],
  ['RegExp', Kind.regexp],
  ['Number', Kind.boxed],
  ['String', Kind.boxed],
  ['Boolean', Kind.boxed],
  ['BigInt', Kind.boxed],
  ['ArrayBuffer', Kind.buffer],
  ['SharedArrayBuffer', Kind.buffer],
  ['Object', Kind.object],
  ['Array', Kind.array],
  ...viewNames.map((name, i): [string, number] => [name, Kind.view + i]),
]);

// Node 24 and later.
const { SuppressedError } = globalThis as { SuppressedError?: { readonly prototype: object } };
const builtinErrors: Readonly<Record<string, { readonly prototype: object }>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
  ...(SuppressedError === undefined ? {} : { SuppressedError }),
};

const errorPrototypes = new Map<string, object>();
for (const [name, type] of Object.entries({ ...errorTypes, ...builtinErrors }))
  errorPrototypes.set(name, type.prototype);
const errorNames = new Map<object, string>();
for (const [name, prototype] of errorPrototypes) errorNames.set(prototype, name);

const byPrototype = new Map<object, number>([
  [Map.prototype, Kind.map],
  [Set.prototype, Kind.set],
  [Date.prototype, Kind.date],
  [RegExp.prototype, Kind.regexp],
  [Number.prototype, Kind.boxed],
  [String.prototype, Kind.boxed],
  [Boolean.prototype, Kind.boxed],
  [BigInt.prototype, Kind.boxed],
  [URL.prototype, Kind.url],
  [URLSearchParams.prototype, Kind.urlSearchParams],
  [ArrayBuffer.prototype, Kind.buffer],
  [SharedArrayBuffer.prototype, Kind.buffer],
  [DOMException.prototype, Kind.error],
  [Buffer.prototype, Kind.view + viewNames.indexOf('Uint8Array')],
]);
for (const prototype of errorPrototypes.values()) byPrototype.set(prototype, Kind.error);
viewTypes.forEach((type, i) => {
  if (type !== undefined) byPrototype.set(type.prototype, Kind.view + i);
});

/** The kind of a built-in of this realm, by its exact prototype. */
export function kindOfPrototype(prototype: object): number | undefined {
  return byPrototype.get(prototype);
}

/** The kind of a built-in of another realm, or of an error of any class; undefined for an instance of a class. */
export function kindOfForeign(value: object, prototype: object): number | undefined {
  if (types.isNativeError(value) || value instanceof Error) return Kind.error;
  const type: unknown = Object.hasOwn(prototype, 'constructor') ? prototype.constructor : undefined;
  if (typeof type !== 'function' || type.prototype !== prototype) return undefined;
  const kind = byName.get(type.name);
  if (kind === undefined || !isNativeFunction(type)) return undefined;
  return kind;
}

function isNativeFunction(f: object): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(f));
}

const sheafBrand = Symbol.for('sheaf.error');

/** The nearest class of an error that every process has: a built-in one, DOMException or one of ours. */
export function errorClass(error: object): string {
  const brand = (error as Record<symbol, unknown>)[sheafBrand];
  if (typeof brand === 'string' && Object.hasOwn(errorTypes, brand)) return brand;
  if (error instanceof DOMException) return 'DOMException';
  for (
    let p: unknown = Object.getPrototypeOf(error);
    typeof p === 'object' && p !== null;
    p = Object.getPrototypeOf(p)
  ) {
    const name = errorNames.get(p);
    if (name !== undefined) return name;
    const own: unknown = Object.hasOwn(p, 'constructor') ? (p as { constructor: unknown }).constructor : undefined;
    if (typeof own === 'function' && Object.hasOwn(builtinErrors, own.name) && isNativeFunction(own)) return own.name;
  }
  return 'Error';
}

export function prototypeOfError(name: string): object | undefined {
  return errorPrototypes.get(name);
}

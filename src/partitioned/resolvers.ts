import { kindOf, NotAvailableError, ObjectLostError, SheafError, shown, UsageError } from '../base/index.ts';
import { fault } from './faults.ts';

/** How `get` is written where functions can't be: who resolves handles, and what that has to know. */
export interface Resolver {
  /** A name under which `registerResolver` knows a function. */
  readonly resolver: string;
  /** What it is given, such as an address; JSON. */
  readonly endpoint?: unknown;
}

/** Fetches what several handles of one description stand for, in their order. It has to fail when their producer is gone. */
export type Fetch<H = unknown, T = unknown> = {
  // A method for the sake of its types, as `Get` is.
  fetch(handles: readonly H[]): readonly T[] | PromiseLike<readonly T[]>;
}['fetch'];

/** Makes the function that resolves the handles of one description. `version` is the one of the description, if it has one. */
export type OpenResolver = (endpoint: unknown, about: { readonly version: string | number | undefined }) => Fetch;

// On globalThis, so that two copies of the package in one process know the same ones.
const key = Symbol.for('sheaf.resolvers');
const shared = globalThis as { [key]?: Map<string, OpenResolver> };
shared[key] ??= new Map();
const resolvers = shared[key];

/** Lets `get` of descriptions that were written as JSON work here. Registering a name again replaces what it meant. */
export function registerResolver(name: string, open: OpenResolver): void {
  if (typeof name !== 'string' || name === '')
    throw new UsageError(`registerResolver: the name is ${shown(name)}; give a text`);
  if (typeof open !== 'function')
    throw new UsageError(`registerResolver('${name}'): the second argument is ${kindOf(open)}; give a function`);
  resolvers.set(name, open);
}

/** The `get` of any description as a function of several handles. */
export function fetchOf(get: unknown, description: object, version: string | number | undefined): Fetch {
  if (typeof get === 'function') {
    return (handles) => Reflect.apply(get, description, [[...handles]]) as ReturnType<Fetch>;
  }
  const { resolver } = (get ?? {}) as Partial<Resolver>;
  if (typeof resolver === 'string' && resolver !== '') return fetchBy(get as Resolver, version);
  throw fault('get', ['get'], `is ${kindOf(get)}; it has to be a function, or { resolver: 'name', endpoint }`);
}

/** Looks the resolver up when it is needed, and not before: metadata can be read without it. */
function fetchBy({ resolver, endpoint }: Resolver, version: string | number | undefined): Fetch {
  let open: Fetch | undefined;
  return async (handles) => {
    open ??= opened(resolver, endpoint, version);
    try {
      return await open(handles);
    } catch (error) {
      if (error instanceof SheafError) throw error;
      throw new ObjectLostError(
        `__partitioned__: the resolver '${resolver}' could not fetch ${handles.length} partitions: ${(error as Error)?.message ?? String(error)}; their producer may be gone`,
        { code: 'ERR_SHEAF_UNRESOLVED', cause: error, details: { resolver } },
      );
    }
  };
}

function opened(name: string, endpoint: unknown, version: string | number | undefined): Fetch {
  const open = resolvers.get(name);
  if (open !== undefined) return open(endpoint, { version });
  const known = [...resolvers.keys()];
  throw new NotAvailableError(
    `__partitioned__: no resolver '${name}' is registered here (${known.length === 0 ? 'none is' : `known: ${known.join(', ')}`}); registerResolver('${name}', ...) says how its handles are fetched`,
    { code: 'ERR_SHEAF_NO_RESOLVER', details: { resolver: name } },
  );
}

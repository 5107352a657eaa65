import { kindOf } from '../base/index.ts';
import { fault, type Place } from './faults.ts';
import { type Locate, readLocations } from './locations.ts';
import { Partitioned } from './partitioned.ts';
import { descriptionOf } from './read.ts';
import { fetchOf, type Resolver } from './resolvers.ts';

/** Where a part is: the machine, the process, the kind of the device and its index. */
export type ObjectLocation = readonly [ip: string, pid: number, device: string, index: number];

/** One part of an object that has no shape. */
export interface ObjectPart<H = unknown> {
  /** A handle, which `get` takes; null for one that can't be had from here. */
  readonly data: H | null;
  /** Every place where the data can be read without communication. */
  readonly location: readonly ObjectLocation[];
}

/**
 * A description of an object without shape, such as a graph: parts by any names. It is what remains of the protocol without `shape`,
 * `partition_tiling` and `start`, with locations of four parts, as proposed on 31 January 2022.
 */
export interface PartitionedObject<H = unknown> {
  /** The parts by their names. */
  readonly partitions: ReadonlyMap<string, ObjectPart<H>>;
  /** Resolves a handle, or several. */
  readonly get: { (handles: readonly H[]): Promise<unknown[]>; (handle: H | null): Promise<unknown> };
  /** SPMD only: the names of the parts of this process. */
  readonly locals?: readonly string[];
}

/**
 * Reads the general form. A description of an array is one too: its parts are named by their keys.
 *
 * @throws FormatError (ERR_SHEAF_PARTITIONED) that names the rule and the place.
 */
export function readPartitionedObject(source: unknown, options: { readonly locate?: Locate } = {}): PartitionedObject {
  const description = descriptionOf(source);
  const { partitions, get, locals } = description as Record<string, unknown>;
  for (const [name, value] of Object.entries({ partitions, get })) {
    if (value === undefined) throw fault('missing', [name], 'is missing; every description has one');
  }
  if (typeof partitions !== 'object' || partitions === null || Array.isArray(partitions)) {
    throw fault(
      'object',
      ['partitions'],
      `is ${kindOf(partitions)}; it has to be a Map or an object, from names to records`,
    );
  }
  const read = new Map<string, ObjectPart>();
  const entries =
    Symbol.iterator in partitions ? (partitions as ReadonlyMap<string, unknown>) : Object.entries(partitions);
  for (const [name, record] of entries)
    read.set(String(name), partOf(record, ['partitions', String(name)], options.locate));
  const names = locals === undefined ? undefined : localNames(locals, read);
  const call = description instanceof Partitioned ? description.get : fetchOf(get, description, undefined);
  return {
    partitions: read,
    get: (async (handles: unknown) => {
      if (handles === null) return null;
      const found = await call(Array.isArray(handles) ? handles : [handles]);
      return Array.isArray(handles) ? [...found] : found[0];
    }) as PartitionedObject['get'],
    ...(names === undefined ? {} : { locals: names }),
  };
}

/** For JSON: a plain object, whose `get` is a named resolver. */
export function objectToJson(object: PartitionedObject, resolver: Resolver): Record<string, unknown> {
  return {
    partitions: Object.fromEntries(object.partitions),
    get: resolver,
    ...(object.locals === undefined ? {} : { locals: object.locals }),
  };
}

function partOf(record: unknown, place: Place, locate: Locate | undefined): ObjectPart {
  if (typeof record !== 'object' || record === null)
    throw fault('object', place, `is ${kindOf(record)}; it has to be a record`);
  const { data, location } = record as { data?: unknown; location?: unknown };
  for (const [name, value] of Object.entries({ data, location })) {
    if (value === undefined) throw fault('missing', [...place, name], 'is missing; every record has one');
  }
  const read = readLocations(location, [...place, 'location'], locate);
  return {
    data,
    location: read.location.map(([ip, pid, device = 'kDLCPU']) => {
      const [kind, index] = device.split(':') as [string, string?];
      return [ip, pid, kind, Number(index ?? 0)];
    }),
  };
}

function localNames(locals: unknown, parts: ReadonlyMap<string, ObjectPart>): string[] {
  if (!Array.isArray(locals)) throw fault('locals', ['locals'], `is ${kindOf(locals)}; it has to be an array of names`);
  return locals.map((each, i) => {
    const name = Array.isArray(each) ? each.join(',') : String(each);
    if (!parts.has(name)) throw fault('locals', ['locals', i], `is ${JSON.stringify(name)}, and there is no such part`);
    return name;
  });
}

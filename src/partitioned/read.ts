import { kindOf, shown, UsageError } from '../base/index.ts';
import { registerCodec } from '../codec/index.ts';
import { isDType } from '../nd/index.ts';
import { fault, type Place } from './faults.ts';
import { axisOf, Grid, keyOf, type Position, positionOf } from './grid.rules.ts';
import { kindOfDevice, type Locate, type Location, readLocations } from './locations.ts';
import { Partitioned } from './partitioned.ts';
import { type Partition, type PartitionFacts, Partitions } from './partitions.ts';
import { type Fetch, fetchOf, type Resolver } from './resolvers.ts';

/** What a consumer asks of descriptions. */
export interface ReadOptions {
  /** Kinds of devices that it can read, such as `['kDLCPU']`; others are refused by name. Without it all are carried through. */
  readonly devices?: readonly string[];
  /**
   * `'controller'`: a program that gets all partitions by handles (Ray, Dask). `'spmd'`: one of the ranks of a program, which have their own
   * partitions (MPI). Without it what `locals` says.
   */
  readonly kind?: 'controller' | 'spmd';
  /** Where a location of before 2022 is: a rank, an address, an address with a port. */
  readonly locate?: Locate;
}

type Unread = Readonly<Record<string, unknown>>;

/**
 * Reads a description of partitions, or of an object that has one as `__partitioned__`: from this process, or parsed from JSON; of every date
 * of the protocol. All that a description can get wrong is checked, and nothing is fetched.
 *
 * @throws FormatError (ERR_SHEAF_PARTITIONED) that names the rule and the place.
 */
export function readPartitioned<T = unknown>(source: unknown, options: ReadOptions = {}): Partitioned<unknown, T> {
  const given = descriptionOf(source);
  if (given instanceof Partitioned && isIntact(given)) return accepted(given, options);
  const description = given as Unread;
  for (const name of ['shape', 'partition_tiling', 'partitions', 'get'] as const) {
    if (description[name] === undefined) throw fault('missing', [name], 'is missing; every description has one');
  }
  const shape = numbers(description.shape, ['shape']);
  const tiling = numbers(description.partition_tiling, ['partition_tiling'], shape.length);
  for (const [axis, count] of tiling.entries()) {
    if (count === 0) throw fault('tiling', ['partition_tiling', axis], 'is 0; an axis that is not cut has 1 partition');
  }
  const records = recordsOf(description.partitions, tiling);
  const boxes = new Map([...records].map(([key, record]) => [key, boxOf(record, key, shape.length)]));
  const grid = gridOfBoxes(shape, tiling, boxes);
  const locals = localsOf(description.locals, grid, options.kind);
  const facts = factsOf(records, options, locals);
  const version = description['x-version'] as string | number | undefined;
  if (version !== undefined && typeof version !== 'string' && !Number.isFinite(version)) {
    throw fault('number', ['x-version'], `is ${kindOf(version)}; give a text or a number`);
  }
  const get = description.get;
  return new Partitioned<unknown, T>({
    shape,
    cuts: grid,
    partition: (position) => facts.get(keyOf(position)) as PartitionFacts<unknown>,
    get: fetchOf(get, description, version) as Fetch<unknown, T>,
    ...(locals === undefined ? {} : { locals }),
    ...(dtypeOf(description) === undefined ? {} : { dtype: dtypeOf(description) as string }),
    ...(version === undefined ? {} : { version: () => version }),
    ...(typeof get === 'function' ? {} : { resolver: get as Resolver }),
  });
}

/** The description itself: that of a container, or what was given. */
export function descriptionOf(source: unknown): Unread | Partitioned {
  if (typeof source !== 'object' || source === null) {
    throw fault(
      'object',
      [],
      `is ${kindOf(source)}; give a description, or an object that has one as \`__partitioned__\``,
    );
  }
  const inner = '__partitioned__' in source ? source.__partitioned__ : source;
  if (typeof inner === 'function') throw fault('property', [], 'is a method; since October 2021 it is a property');
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner))
    throw fault('object', [], `is ${kindOf(inner)}; it has to be an object`);
  return inner as Unread;
}

/** What was made here may have been changed since, as any object of JavaScript can be: then it is read as one that is not known. */
const isIntact = ({ shape, partition_tiling, partitions, get, locals, grid, source }: Partitioned): boolean =>
  shape === grid.shape &&
  partition_tiling === grid.tiling &&
  partitions instanceof Partitions &&
  typeof get === 'function' &&
  locals === source.locals;

/** What was made here is right as it is, but for what the consumer asks. */
function accepted<T>(description: Partitioned, { devices, kind }: ReadOptions): Partitioned<unknown, T> {
  localsAsked(description.locals, kind);
  if (devices === undefined) return description as Partitioned<unknown, T>;
  const { source, grid } = description;
  return new Partitioned<unknown, T>({
    ...(source as Partitioned<unknown, T>['source']),
    cuts: grid,
    partition(position, box) {
      const facts = source.partition(position, box);
      checkDevices(facts.location, devices, ['partitions', keyOf(position)]);
      return facts;
    },
  });
}

function numbers(value: unknown, place: Place, rank?: number): number[] {
  if (!Array.isArray(value)) throw fault('number', place, `is ${kindOf(value)}; it has to be an array of numbers`);
  for (const [i, n] of value.entries()) {
    if (!Number.isSafeInteger(n) || n < 0)
      throw fault('number', [...place, i], `is ${shown(n)}, which is no whole number from 0 to 2**53 - 1`);
  }
  if (rank !== undefined && value.length !== rank) {
    throw fault('rank', place, `has ${value.length} numbers, where the shape has ${rank}`);
  }
  return value as number[];
}

/** Every position of the grid has its record, and nothing else has one. */
function recordsOf(partitions: unknown, tiling: readonly number[]): Map<string, Unread> {
  if (typeof partitions !== 'object' || partitions === null || Array.isArray(partitions)) {
    throw fault(
      'object',
      ['partitions'],
      `is ${kindOf(partitions)}; it has to be a Map or an object, from positions to records`,
    );
  }
  const records = new Map<string, Unread>();
  for (const [key, record] of isMap(partitions) ? partitions : Object.entries(partitions)) {
    const position = Array.isArray(key) ? (key as number[]) : positionOf(String(key));
    if (position === undefined) throw fault('key', ['partitions', String(key)], 'is no position; keys look like "0,1"');
    const own = keyOf(position);
    if (position.length !== tiling.length) {
      throw fault(
        'rank',
        ['partitions', own],
        `is a position of ${position.length} axes, where the container has ${tiling.length}`,
      );
    }
    if (position.some((n, axis) => n >= (tiling[axis] as number))) {
      throw fault('grid', ['partitions', own], `is outside of the grid of ${tiling.join(' x ')}`);
    }
    if (typeof record !== 'object' || record === null)
      throw fault('object', ['partitions', own], `is ${kindOf(record)}; it has to be a record`);
    records.set(own, record as Unread);
  }
  const count = tiling.reduce((product, n) => product * n, 1);
  if (records.size < count) {
    const grid = new Grid(tiling.map((n) => axisOf(n, { parts: n }, 'partition_tiling')));
    // No more steps than there are records: the first one without a record ends it.
    for (const position of grid.positions()) {
      if (records.has(keyOf(position))) continue;
      throw fault(
        'grid',
        ['partitions'],
        `has no "${keyOf(position)}", where the grid is ${tiling.join(' x ')}; every position needs a record, on every process`,
      );
    }
  }
  return records;
}

const isMap = (value: object): value is ReadonlyMap<unknown, unknown> =>
  Symbol.iterator in value && typeof (value as { get?: unknown }).get === 'function';

interface OwnBox {
  readonly start: readonly number[];
  readonly shape: readonly number[];
}

function boxOf(record: Unread, key: string, rank: number): OwnBox {
  for (const name of ['start', 'shape', 'data', 'location'] as const) {
    if (record[name] === undefined)
      throw fault('missing', ['partitions', key, name], 'is missing; every record has one');
  }
  return {
    start: numbers(record.start, ['partitions', key, 'start'], rank),
    shape: numbers(record.shape, ['partitions', key, 'shape'], rank),
  };
}

/** The cuts of each axis, by the partitions along its edge; all others have to agree with them. */
function gridOfBoxes(shape: readonly number[], tiling: readonly number[], boxes: ReadonlyMap<string, OwnBox>): Grid {
  const axes = shape.map((length, axis) => {
    const starts: number[] = [];
    let reached = 0;
    for (let i = 0; i < (tiling[axis] as number); i++) {
      const key = keyOf(shape.map((_, other) => (other === axis ? i : 0)));
      const { start, shape: extents } = boxes.get(key) as OwnBox;
      checkStart(start[axis] as number, reached, key, axis);
      starts.push(reached);
      reached += extents[axis] as number;
      if (reached > length) {
        throw fault(
          'extent',
          ['partitions', key, 'shape', axis],
          `makes it reach to ${reached}, where axis ${axis} ends at ${length}`,
        );
      }
    }
    if (reached < length)
      throw fault('gap', ['partitions'], `reach to ${reached} along axis ${axis}, which ends at ${length}`);
    return axisOf(length, { starts }, '__partitioned__');
  });
  const grid = new Grid(axes);
  for (const [key, { start, shape: extents }] of boxes) {
    const expected = grid.box(positionOf(key) as Position);
    for (let axis = 0; axis < shape.length; axis++) {
      checkStart(start[axis] as number, expected.start[axis] as number, key, axis);
      if (extents[axis] !== expected.shape[axis]) {
        throw fault(
          'extent',
          ['partitions', key, 'shape', axis],
          `is ${extents[axis]}, where others of its row have ${expected.shape[axis]}`,
        );
      }
    }
  }
  return grid;
}

function checkStart(start: number, expected: number, key: string, axis: number): void {
  if (start === expected) return;
  const [rule, what] =
    start > expected ? (['gap', 'leaves out elements'] as const) : (['overlap', 'covers elements of others'] as const);
  throw fault(
    rule,
    ['partitions', key, 'start', axis],
    `is ${start}, which ${what}: the partitions before it end at ${expected}`,
  );
}

function localsAsked(locals: unknown, kind: ReadOptions['kind']): void {
  if (kind === 'controller' && locals !== undefined) {
    throw fault(
      'locals',
      ['locals'],
      'is there; only descriptions of SPMD programs have it, and a controller was expected',
    );
  }
  if (kind === 'spmd' && locals === undefined) {
    throw fault(
      'locals',
      ['locals'],
      'is missing; the description of one rank of an SPMD program says which partitions are its own',
    );
  }
}

function localsOf(value: unknown, grid: Grid, kind: ReadOptions['kind']): Position[] | undefined {
  localsAsked(value, kind);
  if (value === undefined) return undefined;
  if (!Array.isArray(value))
    throw fault('locals', ['locals'], `is ${kindOf(value)}; it has to be an array of positions`);
  const seen = new Set<string>();
  for (const [i, position] of value.entries()) {
    const named = Array.isArray(position) ? `(${position.join(', ')})` : shown(position);
    if (!Array.isArray(position) || !grid.has(position as number[]))
      throw fault('locals', ['locals', i], `is ${named}, which is no position of the grid`);
    if (seen.has(keyOf(position as number[]))) throw fault('locals', ['locals', i], `is ${named} a second time`);
    seen.add(keyOf(position as number[]));
  }
  return value as Position[];
}

function factsOf(
  records: ReadonlyMap<string, Unread>,
  { devices, locate }: ReadOptions,
  locals: readonly Position[] | undefined,
): Map<string, PartitionFacts<unknown>> {
  const own = locals === undefined ? undefined : new Set(locals.map(keyOf));
  const facts = new Map<string, PartitionFacts<unknown>>();
  let first: { readonly key: string; readonly type: string } | undefined;
  for (const [key, record] of records) {
    const place: Place = ['partitions', key];
    const { location, ranks, ports } = readLocations(record.location, [...place, 'location'], locate);
    if (devices !== undefined) checkDevices(location, devices, place);
    const { data } = record;
    if (data === null) {
      if (own?.has(key) ?? true)
        throw fault(
          'data',
          [...place, 'data'],
          own === undefined ? 'is null, and without `locals` nobody has it' : 'is null, although it is one of `locals`',
        );
    } else {
      const type = kindOf(data);
      first ??= { key, type };
      if (type !== first.type)
        throw fault(
          'mixed',
          [...place, 'data'],
          `is ${type}, where that of "${first.key}" is ${first.type}; all have one type`,
        );
    }
    facts.set(key, {
      data,
      location,
      ...(ranks === undefined ? {} : { 'x-rank': ranks }),
      ...(ports === undefined ? {} : { 'x-port': ports }),
      ...perLocation(record, location, place),
    });
  }
  return facts;
}

function perLocation(record: Unread, location: readonly Location[], place: Place): Partial<Partition> {
  const found: Record<string, readonly number[]> = {};
  for (const name of ['x-rank', 'x-thread', 'x-port']) {
    if (record[name] === undefined) continue;
    found[name] = numbers(record[name], [...place, name]);
    if (found[name].length !== location.length) {
      throw fault('location', [...place, name], `has ${found[name].length} numbers for ${location.length} locations`);
    }
  }
  return found;
}

function checkDevices(location: readonly Location[], devices: readonly string[], place: Place): void {
  for (const [i, [, , device = 'kDLCPU']] of location.entries()) {
    if (devices.includes(kindOfDevice(device))) continue;
    throw fault(
      'device',
      [...place, 'location', i],
      `is on ${device}; this can be read from ${devices.join(', ') || 'no device'} only`,
    );
  }
}

/** The draft has no element types; HeAT calls it `dtype`. */
function dtypeOf(description: Unread): string | undefined {
  if (typeof description['x-dtype'] === 'string') return description['x-dtype'];
  return isDType(description.dtype) ? description.dtype : undefined;
}

/**
 * Whether a container has changed since this description of it was made: a property `x-version` of both, compared.
 *
 * @throws UsageError for a description that has none.
 */
export function isStale(description: Partitioned, container: unknown): boolean {
  const then = description['x-version'];
  if (then === undefined)
    throw new UsageError('isStale: the description has no `x-version`, so it can not be told from a later one');
  const now = descriptionOf(container);
  return now['x-version'] !== then;
}

/** Descriptions travel as values of tasks do, with their handles as they are: references, say. `get` travels as the name of its resolver. */
registerCodec(Partitioned, {
  id: 'sheaf.Partitioned',
  encode: (description: Partitioned) => {
    const { source } = description;
    return description.written((handle) =>
      handle === null || source.send === undefined ? handle : source.send(handle),
    );
  },
  decode: (wire: Record<string, unknown>) => readPartitioned(wire),
});

import { ObjectLostError, UsageError } from '../base/index.ts';
import { type DType, isDType } from '../nd/index.ts';
import { type Box, boxText, fitsInto, seenFrom } from './boxes.rules.ts';
import { boxOf, copyInto, type Dense, denseOf, zeros } from './dense.ts';
import { fault } from './faults.ts';
import { type Cut, Grid, gridOf, keyOf, type Position } from './grid.rules.ts';
import { type Partition, type PartitionFacts, Partitions } from './partitions.ts';
import type { Fetch, Resolver } from './resolvers.ts';

/** Resolves one handle, or several in their order. No handle is no data: null gives null. */
export type Get<H = unknown, T = unknown> = {
  // Written as a method, so that a description of some type of handles can be given where any will do.
  get(handles: readonly (H | null)[]): Promise<(T | null)[]>;
  get(handle: H | null): Promise<T | null>;
}['get'];

/** What makes a description. */
export interface PartitionedOptions<H, T> {
  /** Of the whole container, in elements. */
  readonly shape: readonly number[];
  /** How each axis is cut, or a grid. */
  readonly cuts: readonly Cut[] | Grid;
  /** What is known of a partition; asked each time, and never before somebody wants to know. */
  partition(position: Position, box: Box): PartitionFacts<H>;
  /** Fetches data. It is only called with handles, and never with none. */
  readonly get: Fetch<H, T>;
  /** SPMD only: the partitions of this process. */
  readonly locals?: readonly Position[];
  /** The type of the elements. */
  readonly dtype?: string;
  /** What changes when the container does: descriptions of before are stale, and their `get` says so. */
  readonly version?: () => string | number;
  /** How others can call `get`. Without it the description can't leave its process. */
  readonly resolver?: Resolver;
  /** A handle as JSON. */
  encode?(handle: H): unknown;
  /** A handle as it goes to tasks: a reference, say. Without it, as it is. */
  send?(handle: H): unknown;
}

/** A part of a box that lies in one partition. */
export interface Piece<H = unknown> {
  /** Of the partition in the grid. */
  readonly position: Position;
  /** Its record. */
  readonly partition: Partition<H>;
  /** Where it is in the partition. */
  readonly within: Box;
  /** Where it is in the box. */
  readonly at: Box;
}

/** More than that are not written out one by one. */
const MOST_WRITTEN = 1_000_000;

/**
 * A description of a container by its partitions, as the `__partitioned__` protocol has it: which elements each of them has, where it
 * is, and how to get it. It moves nothing. Records are made when they are asked for.
 */
export class Partitioned<H = unknown, T = unknown> {
  /** Of the whole container, in elements. */
  readonly shape: readonly number[];
  /** How many partitions there are along each axis. */
  readonly partition_tiling: readonly number[];
  /** A record for each position of the grid, by its key: `"i,j"`. */
  readonly partitions: Partitions<H>;
  /** Resolves a handle, or several. */
  readonly get: Get<H, T>;
  /** SPMD only: the positions of the partitions of this process. */
  declare readonly locals?: readonly Position[];
  /** The type of the elements, such as `f64`, where it is known. */
  declare readonly 'x-dtype'?: string;
  /** The version of the container that this describes, if it has any. */
  declare readonly 'x-version'?: string | number;
  /** @internal */
  readonly grid: Grid;
  /** @internal */
  readonly source: PartitionedOptions<H, T>;

  constructor(options: PartitionedOptions<H, T>) {
    this.source = options;
    this.grid = options.cuts instanceof Grid ? options.cuts : gridOf(options.shape, options.cuts, '__partitioned__');
    this.shape = this.grid.shape;
    this.partition_tiling = this.grid.tiling;
    this.partitions = new Partitions(this.grid, (position, box) => options.partition(position, box));
    this.get = ((handles: unknown) => this.#get(handles)) as Get<H, T>;
    if (options.locals !== undefined) this.locals = options.locals;
    if (options.dtype !== undefined) this['x-dtype'] = options.dtype;
    if (options.version !== undefined) this['x-version'] = options.version();
  }

  /** Whether the container has changed since. */
  get stale(): boolean {
    return this.source.version !== undefined && this.source.version() !== this['x-version'];
  }

  /** The parts of a box, partition by partition: whoever wants elements of several knows from that where they are. */
  *pieces(region: Box): IterableIterator<Piece<H>> {
    if (!fitsInto(region, this.shape)) {
      throw new UsageError(
        `__partitioned__: the container has ${boxText({ start: this.shape.map(() => 0), shape: this.shape })}, and ${boxText(region)} is not in it`,
        { code: 'ERR_SHEAF_SHAPE' },
      );
    }
    for (const { position, part } of this.grid.meeting(region)) {
      const partition = this.partitions.at(position);
      yield { position, partition, within: seenFrom(part, partition.start), at: seenFrom(part, region.start) };
    }
  }

  /** The elements of a box, from the partitions that have some. What is one whole partition is not copied. */
  async slice(region: Box): Promise<Dense> {
    const pieces = [...this.pieces(region)];
    // An empty box has no partition, but a type.
    const wanted = pieces.length > 0 ? pieces.map(({ position }) => position) : [this.shape.map(() => 0)];
    const parts = await this.#arrays(wanted);
    const whole =
      pieces.length === 1 &&
      boxText(pieces[0]!.within) === boxText({ ...pieces[0]!.within, shape: pieces[0]!.partition.shape });
    if (whole) return parts[0] as Dense;
    const result = zeros([...region.shape], parts[0]!.dtype);
    for (const [i, { within, at }] of pieces.entries()) copyInto(boxOf(result, at), boxOf(parts[i] as Dense, within));
    return result;
  }

  /** The form for other languages and processes; `JSON.stringify` calls it. */
  toJSON(): Record<string, unknown> {
    return this.written((handle, key) => {
      const json = handle === null || this.source.encode === undefined ? handle : this.source.encode(handle);
      if (isJson(json)) return json;
      throw new UsageError(
        `__partitioned__: the handle of partition (${key}) is no JSON; give \`encode\`, which makes it such`,
      );
    });
  }

  /**
   * As a plain object, with handles as `encode` gives them.
   *
   * @internal
   */
  written(encode: (handle: H | null, key: string) => unknown): Record<string, unknown> {
    const { resolver } = this.source;
    if (resolver === undefined) {
      throw new UsageError(
        "__partitioned__: this description has no named resolver, so nobody else could get its data; make it with `resolver: { resolver: 'name', endpoint }`",
      );
    }
    if (this.partitions.size > MOST_WRITTEN) {
      throw new UsageError(
        `__partitioned__: ${this.partitions.size} partitions are too many to be written one by one (${MOST_WRITTEN}); make larger ones, or send what \`pieces\` gives`,
      );
    }
    const partitions: Record<string, unknown> = {};
    for (const [key, { data, ...facts }] of this.partitions) {
      if (facts.location.some(([ip]) => ip === '')) {
        throw new UsageError(
          `__partitioned__: the location of partition (${key}) names no machine, so it can't be written in the form of 2022; read the description with \`locate\``,
        );
      }
      const { start, shape, location, ...extensions } = facts;
      partitions[key] = { start, shape, data: encode(data, key), location, ...extensions };
    }
    const own = (['locals', 'x-dtype', 'x-version'] as const).filter((name) => this[name] !== undefined);
    return {
      shape: this.shape,
      partition_tiling: this.partition_tiling,
      partitions,
      get: resolver,
      ...Object.fromEntries(own.map((name) => [name, this[name]])),
    };
  }

  async #get(handles: unknown): Promise<unknown> {
    if (Array.isArray(handles)) return this.#fetch(handles as (H | null)[]);
    return (await this.#fetch([handles as H | null]))[0];
  }

  async #fetch(handles: readonly (H | null)[]): Promise<(T | null)[]> {
    this.#beFresh();
    const real = handles.filter((handle): handle is H => handle !== null && handle !== undefined);
    if (real.length === 0) return handles.map(() => null);
    const found: unknown = await this.source.get(real);
    this.#beFresh();
    if (!Array.isArray(found) || found.length !== real.length) {
      const given = Array.isArray(found) ? `${found.length} values` : 'no array';
      throw fault('get', ['get'], `gave ${given} for ${real.length} handles`);
    }
    let next = 0;
    return handles.map((handle) => (handle === null || handle === undefined ? null : (found[next++] as T)));
  }

  #beFresh(): void {
    if (!this.stale) return;
    const [then, now] = [this['x-version'], this.source.version?.()];
    throw new ObjectLostError(
      `__partitioned__: this description is of version ${then} of the container, which has version ${now} now; ask for a new one`,
      {
        code: 'ERR_SHEAF_STALE',
        details: { described: then, current: now },
      },
    );
  }

  async #arrays(positions: readonly Position[]): Promise<Dense[]> {
    const records = positions.map((position) => this.partitions.at(position));
    const data = await this.#fetch(records.map((record) => record.data));
    let dtype: DType | undefined = isDType(this['x-dtype']) ? this['x-dtype'] : undefined;
    return data.map((each, i) => {
      const place = ['partitions', keyOf(positions[i] as Position), 'data'];
      if (each === null)
        throw fault('data', place, 'is not here, and no handle says how to get it: it belongs to another process');
      const array = denseOf(each, records[i]!.shape, dtype, place);
      dtype = array.dtype;
      return array;
    });
  }
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson);
}

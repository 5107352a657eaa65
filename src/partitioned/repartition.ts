import { type DType, isDType } from '../nd/index.ts';
import { boxText } from './boxes.rules.ts';
import { boxOf, copyInto, type Dense, denseOf, zeros } from './dense.ts';
import { fault } from './faults.ts';
import { type Cut, Grid, gridOf, keyOf, type Position } from './grid.rules.ts';
import { Partitioned, type PartitionedOptions } from './partitioned.ts';
import type { PartitionFacts } from './partitions.ts';
import { checkSame, type Move, movesInto } from './repartition.rules.ts';

/** How a container gets another grid. */
export interface RepartitionOptions<H, T> {
  /** How each axis is cut from then on, or a grid. */
  readonly cuts: readonly Cut[] | Grid;
  /** Keeps a new partition wherever it belongs, and says what is known of it then: its handle and its locations. */
  put(position: Position, array: Dense): PartitionFacts<H> | PromiseLike<PartitionFacts<H>>;
  /** Fetches data of the new partitions, as `get` of a description. */
  readonly get: PartitionedOptions<H, T>['get'];
  /** How others can call it. */
  readonly resolver?: PartitionedOptions<H, T>['resolver'];
  /**
   * Reads one rectangle of a partition, where that is possible without the rest of it. Without it whole partitions are fetched, each once,
   * and kept until the last one that needs it is made.
   */
  read?(move: Move): Dense | PromiseLike<Dense>;
}

/**
 * Makes the partitions of another grid out of those of a description, one after the other, and gives the description of them. It needs
 * nothing but the functions that it is given: no session, no workers.
 */
export async function repartition<H = unknown, T = unknown>(
  source: Partitioned,
  options: RepartitionOptions<H, T>,
): Promise<Partitioned<H, T>> {
  const target = options.cuts instanceof Grid ? options.cuts : gridOf(source.shape, options.cuts, 'repartition');
  checkSame(source.grid, target);
  const parts = new SourceParts(source, target, options.read?.bind(options));
  const made = new Map<string, PartitionFacts<H>>();
  for (const to of target.positions()) {
    const { shape } = target.box(to);
    const moves = [...movesInto(source.grid, target, to)];
    const arrays = await parts.of(moves);
    made.set(keyOf(to), await options.put(to, assembled(shape, moves, arrays, await parts.dtype())));
  }
  return new Partitioned<H, T>({
    shape: target.shape,
    cuts: target,
    partition: (position) => made.get(keyOf(position)) as PartitionFacts<H>,
    get: options.get,
    dtype: await parts.dtype(),
    ...(options.resolver === undefined ? {} : { resolver: options.resolver }),
  });
}

/** What is one whole piece is not copied. */
function assembled(shape: readonly number[], moves: readonly Move[], arrays: readonly Dense[], dtype: DType): Dense {
  const only = moves.length === 1 ? arrays[0] : undefined;
  if (only !== undefined && only.strides === undefined) return only;
  const result = zeros([...shape], dtype);
  for (const [i, move] of moves.entries()) copyInto(boxOf(result, move.target), arrays[i] as Dense);
  return result;
}

/** Partitions of the source, or rectangles of them, each fetched once. */
class SourceParts {
  readonly #source: Partitioned;
  readonly #read: ((move: Move) => Dense | PromiseLike<Dense>) | undefined;
  /** How often each will be needed still. */
  readonly #uses = new Map<string, number>();
  readonly #kept = new Map<string, Promise<Dense>>();
  #dtype: DType | undefined;

  constructor(source: Partitioned, target: Grid, read: ((move: Move) => Dense | PromiseLike<Dense>) | undefined) {
    this.#source = source;
    this.#read = read;
    if (isDType(source['x-dtype'])) this.#dtype = source['x-dtype'];
    if (read !== undefined) return;
    for (const position of source.grid.positions()) {
      let uses = 0;
      for (const _ of target.meeting(source.grid.box(position))) uses++;
      this.#uses.set(keyOf(position), uses);
    }
  }

  async of(moves: readonly Move[]): Promise<Dense[]> {
    const arrays = await Promise.all(moves.map((move) => this.#one(move)));
    const [first] = arrays;
    if (first !== undefined) this.#dtype ??= first.dtype;
    return arrays;
  }

  /** Where nothing was needed yet, as of an empty partition, any part of the source knows. */
  async dtype(): Promise<DType> {
    this.#dtype ??= (await this.#part(this.#source.shape.map(() => 0))).dtype;
    return this.#dtype;
  }

  async #one(move: Move): Promise<Dense> {
    if (this.#read !== undefined) return this.#checked(await this.#read(move), move);
    const key = keyOf(move.from);
    const found = this.#part(move.from);
    const left = (this.#uses.get(key) as number) - 1;
    this.#uses.set(key, left);
    if (left === 0) this.#kept.delete(key);
    const array = await found;
    const all = { start: move.source.start.map(() => 0), shape: array.shape };
    return boxText(all) === boxText(move.source) ? array : boxOf(array, move.source);
  }

  /** A whole partition, fetched if it is not here. */
  #part(position: Position): Promise<Dense> {
    const key = keyOf(position);
    const kept = this.#kept.get(key) ?? this.#whole(position);
    if ((this.#uses.get(key) ?? 0) > 0) this.#kept.set(key, kept);
    return kept;
  }

  #checked(array: Dense, { from, source }: Move): Dense {
    return denseOf(array, source.shape, this.#dtype, ['partitions', keyOf(from), 'data']);
  }

  async #whole(position: Position): Promise<Dense> {
    const { data, shape } = this.#source.partitions.at(position);
    const place = ['partitions', keyOf(position), 'data'];
    const found = await this.#source.get(data);
    if (found === null)
      throw fault('data', place, 'is not here, and no handle says how to get it: it belongs to another process');
    return denseOf(found, shape, this.#dtype, place);
  }
}

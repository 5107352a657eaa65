import { UsageError } from '../base/index.ts';
import type { Box } from './boxes.rules.ts';
import { type Grid, keyOf, type Position, positionOf } from './grid.rules.ts';
import type { Location } from './locations.ts';

/** What a description says about one partition. */
export interface Partition<H = unknown> extends Box {
  /** A handle, which `get` takes; null for one of another process that can't be had from here. */
  readonly data: H | null;
  /** Every place where the data can be read without communication: more than one for what is replicated. */
  readonly location: readonly Location[];
  /** The rank (MPI) at each location. */
  readonly 'x-rank'?: readonly number[];
  /** The thread at each location, since threads share the id of their process. */
  readonly 'x-thread'?: readonly number[];
  /** The port at each location. */
  readonly 'x-port'?: readonly number[];
}

/** What is known of a partition besides its place in the container. */
export type PartitionFacts<H> = Omit<Partition<H>, keyof Box>;

/**
 * The records of all partitions by their keys, `"i,j"`. It reads as a Map, and makes each record when it is asked for: a grid of a thousand
 * million partitions costs no more than one of four.
 */
export class Partitions<H = unknown> implements ReadonlyMap<string, Partition<H>> {
  readonly #grid: Grid;
  readonly #facts: (position: Position, box: Box) => PartitionFacts<H>;

  constructor(grid: Grid, facts: (position: Position, box: Box) => PartitionFacts<H>) {
    this.#grid = grid;
    this.#facts = facts;
  }

  /** How many there are. */
  get size(): number {
    return this.#grid.count;
  }

  /** The record of a position. */
  at(position: Position): Partition<H> {
    if (!this.#grid.has(position)) {
      throw new UsageError(
        `partitions.at: there is no partition at (${position.join(', ')}); the grid has ${this.#grid.tiling.join(' x ') || 'one partition, ()'}`,
      );
    }
    const box = this.#grid.box(position);
    return { ...box, ...this.#facts(position, box) };
  }

  /** The record of a key; undefined where it names none. */
  get(key: string): Partition<H> | undefined {
    const position = positionOf(key);
    return position !== undefined && this.#grid.has(position) ? this.at(position) : undefined;
  }

  /** Whether there is a partition of that key. */
  has(key: string): boolean {
    const position = positionOf(key);
    return position !== undefined && this.#grid.has(position);
  }

  /** Calls `fn` for each, one after the other. */
  forEach(fn: (partition: Partition<H>, key: string, all: ReadonlyMap<string, Partition<H>>) => void): void {
    for (const [key, partition] of this) fn(partition, key, this);
  }

  /** All keys, the last axis runs first. */
  *keys(): MapIterator<string> {
    for (const position of this.#grid.positions()) yield keyOf(position);
  }

  /** All records in that order. */
  *values(): MapIterator<Partition<H>> {
    for (const position of this.#grid.positions()) yield this.at(position);
  }

  /** Both. */
  *entries(): MapIterator<[string, Partition<H>]> {
    for (const position of this.#grid.positions()) yield [keyOf(position), this.at(position)];
  }

  /** Likewise. */
  [Symbol.iterator](): MapIterator<[string, Partition<H>]> {
    return this.entries();
  }
}

import type { SlotRef } from '../../memory/index.ts';

/**
 * Computes rows [from, to) of a chunk. It is called for all rows of a chunk, in order, in pieces of whole tiles, by one thread. What a chunk
 * accumulates has a place of its own, which the first piece begins anew: a chunk may be computed again, from its first row on, when whoever
 * computed it has died.
 */
export type TileRunner = (chunk: number, from: number, to: number) => void;

/**
 * What makes a runner of a plan, over the memory that the plan's addresses are in, without a look at what lies there. Workers import it from its module. `participant`: whose
 * runner it is, from 0 up to `Gang.size` - 1; no two that run at the same time have the same. `common`: of the work; the same object for the same
 * work, most of the time.
 */
export type RunnerOf<Plan, Common = unknown> = (
  plan: Plan,
  memory: WebAssembly.Memory,
  participant: number,
  common: Common,
) => TileRunner;

/** Where workers find a `RunnerOf`. */
export interface RunnerModule {
  /** Of a module that every worker can import. */
  readonly url: string;
  readonly name: string;
}

/** An object of the store where the plan says that it is. */
export interface Placed {
  readonly slot: SlotRef;
  /** Bytes from the beginning of the region. */
  readonly offset: number;
}

/** What is known of the costs of some work, from one run to the next. */
export interface Estimate {
  /** Bytes of arrays for each row, those that are written counted twice. */
  readonly bytes: number;
  /** Milliseconds that a row has taken one thread; undefined before the first run. */
  perRow?: number;
  /** That was measured while nobody else took part. */
  alone?: boolean;
}

/** Rows to be computed by several threads. */
export interface TileWork {
  readonly module: RunnerModule;
  /** As `module` makes it of `plan`, in this thread, for participant 0. */
  readonly runner: TileRunner;
  /** Plain data. */
  readonly plan: unknown;
  /** Plain data as well, in an object that does not change and is the same one in the next run of the same: it is encoded and decoded once. */
  readonly common?: object;
  /** The region of the store that the plan's addresses are in. */
  readonly region: number;
  /** What the runner reads and writes there, asked for when somebody is called. It is sealed, and in use, until the work is done. */
  readonly objects: () => readonly Placed[];
  /** As `Gang.cut` gives them. */
  readonly chunks: readonly number[];
  /** Kept for the next run of the same. */
  readonly estimate?: Estimate;
  /** Rows of a piece at least, and what pieces are multiples of. */
  readonly tile: number;
  /**
   * Milliseconds that one thread would take for all of it, where that is known beforehand. Others are then called before this thread begins, and
   * it computes whole chunks, as they do: for work of which small pieces would be slow.
   */
  readonly expected?: number;
}

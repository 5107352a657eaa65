import { InternalError } from '../../base/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { threadState } from '../../runtime/index.ts';
import { type BoardShape, SharedBoard } from './board.ts';
import { NONE, release, stop, type Taker, type Words } from './chunks.rules.ts';
import type { Placed, RunnerModule, RunnerOf, TileRunner } from './work.ts';

/** What a member is sent. */
export interface Membership {
  readonly board: SlotRef;
  readonly shape: BoardShape;
  readonly participant: number;
  readonly module: RunnerModule;
  readonly plan: unknown;
  readonly region: number;
  readonly objects: readonly Placed[];
}

const runners = new Map<string, RunnerOf<unknown>>();

/**
 * The task of a member of a gang: it takes chunks until none is free. One that comes late finds nothing to do, and touches nothing but the
 * board.
 */
export function tiles(membership: Membership): void | Promise<void> {
  const { single } = threadState();
  if (single === undefined) throw new InternalError('tiles of arrays are computed on a worker of a session');
  const { store } = single;
  const { board: slot, shape, module } = membership;
  // Held here, too: nobody else does it when the owner dies.
  store.use(slot);
  const end = (): void => {
    if (store.usable) store.unuse(slot);
  };
  try {
    const board = new SharedBoard(store.bytes(slot), shape);
    const known = runners.get(keyOf(module));
    if (known !== undefined) {
      work(store, membership, board, known);
      end();
      return;
    }
    return load(module)
      .then((runnerOf) => {
        if (store.usable) work(store, membership, board, runnerOf);
      })
      .finally(end);
  } catch (error) {
    end();
    throw error;
  }
}

const keyOf = ({ url, name }: RunnerModule): string => `${name} ${url}`;

async function load(module: RunnerModule): Promise<RunnerOf<unknown>> {
  const exports = (await import(module.url)) as Record<string, RunnerOf<unknown> | undefined>;
  const runnerOf = exports[module.name];
  if (runnerOf === undefined) throw new InternalError(`${module.url} does not export ${module.name}`);
  runners.set(keyOf(module), runnerOf);
  return runnerOf;
}

function work(store: SharedStore, membership: Membership, board: SharedBoard, runnerOf: RunnerOf<unknown>): void {
  const { participant, shape } = membership;
  const taker = board.taker(participant, Math.random);
  if (taker.begin()) {
    for (let chunk = 0; chunk < shape.chunks; chunk++) release(board.words, board.board, participant, chunk);
  }
  const first = taker.take();
  if (first === NONE) return;
  // From here on the owner, if it is alive, keeps what the plan names: a chunk is taken and not done.
  const used: SlotRef[] = [];
  try {
    const runner = runnerFor(store, membership, runnerOf, used);
    for (let chunk = first; chunk !== NONE; chunk = taker.take()) compute(board, taker, chunk, runner);
  } finally {
    if (store.usable) for (const slot of used) store.unuse(slot);
  }

  function runnerFor(
    store: SharedStore,
    { plan, region, objects, participant }: Membership,
    runnerOf: RunnerOf<unknown>,
    used: SlotRef[],
  ): TileRunner {
    try {
      for (const { slot, offset } of objects) {
        store.use(slot);
        used.push(slot);
        const place = store.address(slot);
        if (place.region !== region || place.offset !== offset)
          throw new InternalError(`an array that is being computed has moved, so its owner is gone`);
      }
      return runnerOf(plan, store.memory(region) as WebAssembly.Memory, participant);
    } catch (error) {
      fail(board.words, taker, first);
      throw error;
    }
  }
}

function compute({ ends, words }: SharedBoard, taker: Taker, chunk: number, runner: TileRunner): void {
  try {
    runner(chunk, ends[chunk] as number, ends[chunk + 1] as number);
  } catch (error) {
    fail(words, taker, chunk);
    throw error;
  }
  taker.done(chunk);
}

/** With a chunk that is not done and not to be had the owner does not come to its end before it hears of the error. */
function fail(words: Words, taker: Taker, chunk: number): void {
  stop(words);
  taker.giveBack(chunk);
}

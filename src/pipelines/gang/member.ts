import { InternalError } from '../../base/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { threadState } from '../../runtime/index.ts';
import { type BoardPlace, type Brief, SharedBoard } from './board.ts';
import { NONE, release, stop, type Taker, type Words } from './chunks.rules.ts';
import type { RunnerModule, RunnerOf, TileRunner } from './work.ts';

const runners = new Map<string, RunnerOf<unknown>>();

/**
 * The task of a member of a gang: it takes chunks until none is free. One that comes late finds nothing to do, and touches nothing but the
 * board.
 */
export function tiles(participant: number, ...[index, generation, start]: BoardPlace): void | Promise<void> {
  const { single } = threadState();
  if (single === undefined) throw new InternalError('tiles of arrays are computed on a worker of a session');
  const { store } = single;
  const slot: SlotRef = { index, generation };
  // Held here, too: nobody else does it when the owner dies.
  store.use(slot);
  const end = (): void => {
    if (store.usable) store.unuse(slot);
  };
  try {
    const { brief, board } = SharedBoard.open(store, slot, start);
    const known = runners.get(keyOf(brief.module));
    if (known !== undefined) {
      work(store, participant, brief, board, known);
      end();
      return;
    }
    return load(brief.module)
      .then((runnerOf) => {
        if (store.usable) work(store, participant, brief, board, runnerOf);
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

function work(
  store: SharedStore,
  participant: number,
  brief: Brief,
  board: SharedBoard,
  runnerOf: RunnerOf<unknown>,
): void {
  const taker = board.taker(participant, Math.random);
  if (taker.begin()) {
    for (let chunk = 0; chunk < brief.shape.chunks; chunk++) release(board.words, board.board, participant, chunk);
  }
  const first = taker.take();
  if (first === NONE) return;
  // From here on the owner, if it is alive, keeps what the plan names: a chunk is taken and not done.
  const used: SlotRef[] = [];
  try {
    const run = runner();
    for (let chunk = first; chunk !== NONE; chunk = taker.take()) compute(board, taker, chunk, run);
  } finally {
    if (store.usable) for (const slot of used) store.unuse(slot);
  }

  function runner(): TileRunner {
    const { plan, region, objects } = brief;
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

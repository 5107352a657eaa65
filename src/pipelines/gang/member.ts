import { InternalError } from '../../base/index.ts';
import type { SharedStore, SlotRef } from '../../memory/index.ts';
import { libc } from '../../native/index.ts';
import { threadState } from '../../runtime/index.ts';
import { type BoardPlace, type Brief, SharedBoard } from './board.ts';
import { coreOf, firstOpen, isHeard, isStopped, NONE, release, stop, type Taker, type Words } from './chunks.rules.ts';
import { calledTo, leave, wait } from './standby.rules.ts';
import type { RunnerModule, RunnerOf, TileRunner } from './work.ts';

/** So long a member that has nothing more to do waits for the next run: most loops come back by then. It takes a core meanwhile. */
const STANDING_MS = 0.6;
/** After so long a member ends all the same, so that tasks have their turn on its worker, and messages. */
const LONGEST_MS = 30;

const runners = new Map<string, RunnerOf<unknown>>();

/** What a member is called to. */
interface Called {
  readonly participant: number;
  readonly at: BoardPlace;
}

/** Of a board that is in use. */
type Opened = ReturnType<typeof SharedBoard.open> & { readonly participant: number };

/**
 * The task of a member of a gang: it takes chunks until none is free, and then those of the next run if there is one soon. One that comes late finds nothing
 * to do, and touches nothing but the board.
 */
export function tiles(participant: number, ...at: BoardPlace): void | Promise<void> {
  const { single } = threadState();
  if (single === undefined) throw new InternalError('tiles of arrays are computed on a worker of a session');
  const { store } = single;
  const end = performance.now() + LONGEST_MS;
  for (let called: Called | undefined = { participant, at }; called !== undefined; ) {
    const [index, generation, brief, common]: BoardPlace = called.at;
    const slot: SlotRef = { index, generation };
    // Held here, too: nobody else does it when the owner dies.
    store.use(slot);
    const over = (): void => {
      if (store.usable) store.unuse(slot);
    };
    try {
      const opened: Opened = { ...SharedBoard.open(store, slot, brief, common), participant: called.participant };
      const { module } = opened.brief;
      const known = runners.get(keyOf(module));
      if (known === undefined) {
        return load(module)
          .then((runnerOf) => {
            if (store.usable) work(store, opened, runnerOf);
          })
          .finally(over);
      }
      work(store, opened, known);
      called = performance.now() < end ? next(opened) : undefined;
    } catch (error) {
      over();
      throw error;
    }
    over();
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

/** Whoever rings for a sleeper has it wake up on the own core most of the time, where the two would go by turns while others are idle. */
function stepAside(words: Words): void {
  const core = coreOf(words);
  if (core === undefined) return;
  const c = libc();
  if (c?.currentCore() === core) c.leaveCore(core);
}

/** Waits for the next run, for a moment. */
function next({ participant, board: { words, board } }: Opened): Called | undefined {
  wait(words, board, participant);
  for (const end = performance.now() + STANDING_MS; ; ) {
    let place = calledTo(words, board, participant);
    if (place === undefined && (performance.now() >= end || isHeard(words) || isStopped(words))) {
      if (leave(words, board, participant)) return undefined;
      place = calledTo(words, board, participant);
    }
    if (place === undefined) continue;
    const [as, index, generation, brief, common] = place as [number, number, number, number, number];
    return { participant: as, at: [index, generation >>> 0, brief, common] };
  }
}

function work(store: SharedStore, { participant, brief, common, board }: Opened, runnerOf: RunnerOf<unknown>): void {
  const { plan, region, objects, shape }: Brief = brief;
  const { words } = board;
  const taker = board.taker(participant, Math.random);
  if (taker.begin()) {
    for (let chunk = 0; chunk < shape.chunks; chunk++) release(words, board.board, participant, chunk);
  }
  if (firstOpen(words, board.board, 0) === shape.chunks) return;
  stepAside(words);
  // It may have to be compiled, for longer than others take for the rest: until it is there, what there is to do is theirs.
  const run = runnerOf(plan, store.memory(region) as WebAssembly.Memory, participant, common);
  const first = taker.take();
  if (first === NONE) return;
  // From here on the owner, if it is alive, keeps what the plan names: a chunk is taken and not done.
  const used: SlotRef[] = [];
  try {
    hold();
    for (let chunk = first; chunk !== NONE; chunk = taker.take()) compute(board, taker, chunk, run);
  } finally {
    if (store.usable) for (const slot of used) store.unuse(slot);
  }

  function hold(): void {
    try {
      for (const { slot, offset } of objects) {
        store.use(slot);
        used.push(slot);
        const place = store.address(slot);
        if (place.region !== region || place.offset !== offset)
          throw new InternalError(`an array that is being computed has moved, so its owner is gone`);
      }
    } catch (error) {
      fail(words, taker, first);
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

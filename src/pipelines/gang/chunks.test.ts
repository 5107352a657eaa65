import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRAY_QUEUES, ARRAY_SCHEMES, ARRAY_VICTIMS } from '../../base/index.ts';
import { Random } from '../../testing/simulator/random.ts';
import {
  AGAIN,
  type Board,
  firstOpen,
  markBegun,
  NONE,
  release,
  stop,
  Taker,
  type Words,
  wordsOf,
} from './chunks.rules.ts';
import { orderOf, queuesOf } from './queues.rules.ts';
import { chunksOf } from './schemes.rules.ts';

class PlainWords implements Words {
  readonly all: number[];

  constructor(length: number) {
    this.all = new Array<number>(length).fill(0);
  }

  load(at: number): number {
    return this.all[at] as number;
  }

  store(at: number, value: number): void {
    this.all[at] = value;
  }

  add(at: number, value: number): number {
    const before = this.load(at);
    this.all[at] = before + value;
    return before;
  }

  exchange(at: number, expected: number, value: number): number {
    const before = this.load(at);
    if (before === expected) this.all[at] = value;
    return before;
  }
}

/** What participants compute: elements of a result, in parts, and a sum of floats for each chunk. */
class Data {
  readonly ends: readonly number[];
  readonly out: (number | undefined)[];
  readonly sums: (number | undefined)[];
  readonly holder: (number | undefined)[];
  computed = 0;

  constructor(ends: readonly number[], rows: number) {
    this.ends = ends;
    this.out = new Array(rows).fill(undefined);
    this.sums = new Array(ends.length - 1).fill(undefined);
    this.holder = new Array(ends.length - 1).fill(undefined);
  }

  /** One row at a time, and last the chunk's own accumulator: anything may happen in between. */
  *compute(chunk: number, who: number): Generator<void, void> {
    assert.equal(this.holder[chunk], undefined, 'two at one chunk');
    this.holder[chunk] = who;
    this.computed++;
    let sum = 0;
    for (let row = this.ends[chunk] as number; row < (this.ends[chunk + 1] as number); row++) {
      this.out[row] = valueAt(row);
      sum += valueAt(row);
      yield;
    }
    this.sums[chunk] = sum;
    this.holder[chunk] = undefined;
  }

  died(who: number): void {
    for (const [chunk, holder] of this.holder.entries()) if (holder === who) this.holder[chunk] = undefined;
  }
}

const valueAt = (row: number): number => 1 / (1 + row);

/** Takes and computes until nothing is free, one atomic operation or one row after the other; the owner until all is done. */
function* participate(
  words: Words,
  board: Board,
  data: Data,
  who: number,
  order: readonly number[],
  first?: number,
): Generator<void, void> {
  const taker = new Taker(words, board, who, order);
  if (first !== undefined) {
    yield* data.compute(first, who);
    taker.done(first);
  }
  if (taker.begin()) {
    for (let chunk = 0; chunk < board.queues.chunks; chunk++) {
      release(words, board, who, chunk);
      yield;
    }
  }
  for (;;) {
    const chunk = taker.step();
    yield;
    if (chunk === AGAIN) continue;
    if (chunk === NONE) {
      if (who !== 0 || firstOpen(words, board, 0) === board.queues.chunks) return;
      continue;
    }
    yield* data.compute(chunk, who);
    yield;
    taker.done(chunk);
    yield;
  }
}

interface Outcome {
  readonly deaths: number;
  readonly redone: number;
  readonly late: number;
}

/** One run with everything that can happen to members; `chaos` false: nothing does. */
function simulate(seed: number): Outcome {
  const random = new Random(seed);
  const rows = random.int(120);
  const members = random.int(6);
  const crew = { workers: members + 1, groups: random.between(1, 3) };
  const ends = chunksOf(random.pick(ARRAY_SCHEMES), {
    rows,
    workers: crew.workers,
    grain: random.between(1, 6),
    tile: 1,
  });
  const layout = random.pick(ARRAY_QUEUES);
  const victims = random.pick(ARRAY_VICTIMS);
  const board: Board = { queues: queuesOf(layout, crew, ends.length - 1), members };
  const words = new PlainWords(wordsOf(board));
  const data = new Data(ends, rows);
  const begin = (who: number, at?: number) =>
    participate(
      words,
      board,
      data,
      who,
      orderOf(layout, victims, crew, who, () => random.next()),
      at,
    );

  // The owner has begun by itself before it called the others, and is in the middle of a chunk.
  const first = rows === 0 ? undefined : random.int(Math.min(3, ends.length - 1));
  if (first !== undefined) {
    for (let chunk = 0; chunk < first; chunk++) for (const _ of data.compute(chunk, 0));
    markBegun(words, board, first);
  }

  const owner = begin(0, first);
  const coming = Array.from({ length: members }, (_, i) => i + 1);
  const active = new Map<number, Generator<void, void>>();
  const dead: number[] = [];
  const danger = random.pick([0, 0.01, 0.1]);
  let deaths = 0;
  let late = 0;
  let ownerDone = false;
  for (let steps = 0; !ownerDone || active.size > 0; steps++) {
    assert.ok(steps < 100_000, `seed ${seed} does not come to its end`);
    const pick = random.int(active.size + 2);
    if (coming.length > 0 && random.chance(0.02)) {
      // Or it is cancelled, and never comes.
      const who = coming.shift() as number;
      if (ownerDone) late++;
      if (random.chance(0.9)) active.set(who, begin(who));
      continue;
    }
    if (dead.length > 0 && random.chance(0.05)) {
      // The owner hears of it, sooner or later.
      const who = dead.shift() as number;
      for (let chunk = 0; chunk < board.queues.chunks; chunk++) release(words, board, who, chunk);
      continue;
    }
    if (pick < 2) {
      if (!ownerDone) ownerDone = owner.next().done === true;
      continue;
    }
    const [who, member] = [...active][pick - 2] as [number, Generator<void, void>];
    if (random.chance(danger)) {
      deaths++;
      data.died(who);
      active.delete(who);
      // Its task fails and the owner hears of it; or it is sent to another worker, where it begins again.
      if (random.chance(0.5)) dead.push(who);
      else active.set(who, begin(who));
      continue;
    }
    if (member.next().done === true) active.delete(who);
  }
  assert.deepEqual(
    data.out,
    Array.from({ length: rows }, (_, row) => valueAt(row)),
  );
  assert.deepEqual(
    data.sums,
    ends.slice(1).map((end, i) => sumOf(ends[i] as number, end)),
  );
  return { deaths, redone: data.computed - (ends.length - 1), late };
}

const sumOf = (from: number, to: number): number => {
  let sum = 0;
  for (let row = from; row < to; row++) sum += valueAt(row);
  return sum;
};

test('all is computed once and for all, whoever comes late, dies in the middle, or never comes: 20,000 schedules', () => {
  let [deaths, redone, late] = [0, 0, 0];
  for (let seed = 0; seed < 20_000; seed++) {
    const outcome = simulate(seed);
    deaths += outcome.deaths;
    redone += outcome.redone;
    late += outcome.late;
  }
  // So the schedules have in them what this is about.
  assert.ok(deaths > 1000 && redone > 1000 && late > 1000, `${deaths} deaths, ${redone} redone, ${late} late`);
});

test('whoever dies between the hint and the chunk loses nothing: the owner finds it', () => {
  const board: Board = { queues: { count: 1, chunks: 3 }, members: 1 };
  const words = new PlainWords(wordsOf(board));
  const member = new Taker(words, board, 1, [0]);
  assert.equal(member.step(), AGAIN); // Nobody says stop.
  assert.equal(member.step(), AGAIN); // The hint: chunk 0, which it never takes.
  const owner = new Taker(words, board, 0, [0]);
  const taken = [owner.take(), owner.take(), owner.take(), owner.take()];
  assert.deepEqual(taken, [1, 2, 0, NONE]);
});

test('nothing more is taken after the word to stop, but what was about to be', () => {
  const board: Board = { queues: { count: 2, chunks: 100 }, members: 1 };
  const words = new PlainWords(wordsOf(board));
  const member = new Taker(words, board, 1, [1, 0]);
  const chunk = member.take();
  assert.equal(chunk, 1);
  stop(words);
  member.done(chunk);
  assert.equal(member.take(), NONE);
  assert.equal(firstOpen(words, board, 0), 0);
});

test('a chunk that is given back is taken by others; one that another has is not done by who has lost it', () => {
  const board: Board = { queues: { count: 1, chunks: 1 }, members: 2 };
  const words = new PlainWords(wordsOf(board));
  const [a, b] = [new Taker(words, board, 1, [0]), new Taker(words, board, 2, [0])];
  assert.equal(a.take(), 0);
  assert.equal(b.take(), NONE);
  a.giveBack(0);
  assert.equal(b.take(), 0);
  assert.throws(() => a.done(0), { code: 'ERR_SHEAF_INTERNAL' });
  release(words, board, 1, 0); // Not its own any more.
  assert.equal(a.take(), NONE);
  b.done(0);
  assert.equal(firstOpen(words, board, 0), 1);
});

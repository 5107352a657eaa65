import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { type BlockShape, blockShape, ControlBlock, MESSAGES, type RunName, TASKS } from './control-block.ts';
import type { RingReader, RingWriter } from './ring.ts';

const SHAPE: BlockShape = { parties: 40, ring: 4096 };

function send(writer: RingWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const at = writer.reserve(bytes.length + 4);
  assert.ok(at >= 0);
  writer.views.words[at >> 2] = bytes.length;
  writer.views.bytes.set(bytes, at + 4);
  writer.commit(bytes.length + 4);
}

function received(reader: RingReader): string[] {
  const texts: string[] = [];
  while (reader.next()) {
    const length = reader.views.words[reader.at >> 2] as number;
    texts.push(new TextDecoder().decode(reader.views.bytes.slice(reader.at + 4, reader.at + 4 + length)));
    reader.advance();
  }
  return texts;
}

const block = (): ControlBlock => ControlBlock.create(SHAPE, 'threads');
const run: RunName = { caller: 3, slot: 8191, sequence: -5, attempt: 255 };

/** Rings as often as it is told to by `mustRing`, in a thread of its own. */
const racer = (
  workerData as { race?: { handle: Parameters<typeof ControlBlock.attach>[0]; wins: SharedArrayBuffer } } | null
)?.race;
if (!isMainThread && racer !== undefined) {
  const shared = ControlBlock.attach(racer.handle, SHAPE);
  const wins = new Int32Array(racer.wins);
  Atomics.add(wins, 2, 1);
  while (Atomics.load(wins, 0) === 0) if (shared.mustRing(3)) Atomics.add(wins, 1, 1);
} else {
  tests();
}

function tests(): void {
  describe('the block of memory that parties share', () => {
    test('keeps the rings of every pair, direction and channel apart', () => {
      const b = block();
      const pairs: [number, number][] = [];
      for (const from of [0, 1, 31, 32, 39]) for (const to of [0, 1, 31, 32, 39]) pairs.push([from, to]);
      for (const [from, to] of pairs) {
        for (const channel of [TASKS, MESSAGES] as const) send(b.writer(from, to, channel), `${from} ${to} ${channel}`);
      }
      for (const [from, to] of pairs) {
        for (const channel of [TASKS, MESSAGES] as const) {
          assert.deepEqual(received(b.reader(from, to, channel)), [`${from} ${to} ${channel}`]);
        }
      }
    });

    test('says who has opened a ring to a party, and that somebody new has', () => {
      const b = block();
      assert.deepEqual(b.openers(5), []);
      const before = b.epoch(5);
      b.writer(39, 5, TASKS);
      b.writer(0, 5, MESSAGES);
      b.writer(31, 5, MESSAGES);
      assert.deepEqual(b.openers(5), [0, 31, 39]);
      assert.notEqual(b.epoch(5), before);
      assert.deepEqual(b.openers(6), []);
    });

    test('a number given to its next holder has empty rings, both ways, and no openers', () => {
      const b = block();
      send(b.writer(7, 1, MESSAGES), 'from the old one');
      send(b.writer(1, 7, TASKS), 'to the old one');
      send(b.writer(2, 1, MESSAGES), 'of somebody else');
      b.park(7);
      b.setCurrent(7, 1, 4);
      b.setDeadline(7, 1e12, run);
      const epoch = b.epoch(1);
      b.reset(7, 3);
      assert.equal(b.incarnation(7), 3);
      assert.deepEqual(received(b.reader(7, 1, MESSAGES)), []);
      assert.deepEqual(received(b.reader(1, 7, TASKS)), []);
      assert.deepEqual(received(b.reader(2, 1, MESSAGES)), ['of somebody else']);
      assert.deepEqual(b.openers(1), [2]);
      assert.notEqual(b.epoch(1), epoch);
      assert.equal(b.mustRing(7), false);
      assert.equal(b.currentSlot(7, 1), -1);
      assert.equal(b.deadline(7), 0);
    });

    test('exactly one of many senders has to ring for a party that sleeps', async () => {
      const b = block();
      const wins = new SharedArrayBuffer(12);
      const counts = new Int32Array(wins);
      const { handle } = b.segment;
      const threads = [0, 1].map(
        () => new Worker(new URL(import.meta.url), { workerData: { race: { handle, wins } } }),
      );
      while (Atomics.load(counts, 2) < 2) await new Promise(setImmediate);
      const naps = 300;
      for (let i = 0; i < naps; i++) {
        b.park(3);
        while (Atomics.load(counts, 1) <= i) await new Promise(setImmediate);
      }
      Atomics.store(counts, 0, 1);
      await Promise.all(threads.map((thread) => once(thread, 'exit')));
      assert.equal(counts[1], naps);
    });

    test('nobody rings for a party that is awake', () => {
      const b = block();
      assert.equal(b.mustRing(2), false);
      b.park(2);
      b.unpark(2);
      assert.equal(b.mustRing(2), false);
      b.park(2);
      assert.equal(b.mustRing(2), true);
      assert.equal(b.mustRing(2), false);
    });

    test('lends no more spins than there are to lend, and takes back those of the dead', () => {
      const b = block();
      assert.equal(b.beginSpin(1, 2), true);
      assert.equal(b.beginSpin(2, 2), true);
      assert.equal(b.beginSpin(3, 2), false);
      b.forgetSpin(2);
      b.forgetSpin(2);
      assert.equal(b.beginSpin(3, 2), true);
      assert.equal(b.beginSpin(4, 2), false);
      b.endSpin(1);
      b.reset(3, 2);
      assert.equal(b.beginSpin(4, 2), true);
      assert.equal(b.beginSpin(5, 2), true);
      assert.equal(b.beginSpin(6, 2), false);
    });

    test('says whose task is on the stack of a party', () => {
      const b = block();
      assert.equal(b.currentSlot(4, 0), -1);
      b.setCurrent(4, 0, 0);
      assert.equal(b.currentSlot(4, 0), 0);
      assert.equal(b.currentSlot(4, 1), -1);
      b.setCurrent(4, 39, 1_000_000);
      assert.equal(b.currentSlot(4, 39), 1_000_000);
      b.setCurrent(4, 511, 7);
      assert.equal(b.currentSlot(4, 511), 7);
      b.clearCurrent(4);
      assert.equal(b.currentSlot(4, 511), -1);
    });

    test('has a flag for the cancellation of each slot of each owner, up to a number of them', () => {
      const b = block();
      b.setCancelled(1, 8191, true);
      b.setCancelled(2, 0, true);
      assert.equal(b.cancelled(1, 8191), true);
      assert.equal(b.cancelled(1, 0), false);
      assert.equal(b.cancelled(2, 0), true);
      b.setCancelled(2, 0, false);
      assert.equal(b.cancelled(2, 0), false);
      // Beyond them a message says it.
      b.setCancelled(1, 8192, true);
      assert.equal(b.cancelled(1, 8192), false);
      assert.equal(b.cancelled(2, 0), false);
    });

    test('a deadline is kept to the fraction of a millisecond', () => {
      const b = block();
      const at = performance.now() + 0.5;
      b.setDeadline(9, at, run);
      assert.equal(b.deadline(9), at);
      assert.equal(b.deadline(8), 0);
      assert.equal(b.deadline(10), 0);
    });

    test('who is past its deadline is known by caller, slot, sequence and attempt', () => {
      const b = block();
      assert.equal(b.overdue(9, 1e12), undefined);
      b.setDeadline(9, 1000, run);
      assert.equal(b.overdue(9, 999), undefined);
      assert.deepEqual(b.overdue(9, 1000), run);
      assert.equal(b.overdue(8, 1000), undefined);
      const other = { caller: 511, slot: 0, sequence: 0x7fffffff, attempt: 0 };
      b.setDeadline(9, 900, other);
      assert.deepEqual(b.overdue(9, 1000), other);
      b.clearDeadline(9);
      assert.equal(b.overdue(9, 1e12), undefined);
    });

    test('no two facts about a party share a word, in the largest block either', () => {
      const big = ControlBlock.create(blockShape(1024), 'threads');
      const party = 7;
      const set: (() => unknown)[] = [
        () => big.setCurrent(party, 2, 5),
        () => big.setDeadline(party, 1.7e12, run),
        () => big.setRelieved(party, 99),
        () => big.writer(511, party, TASKS),
        () => big.writer(0, party, TASKS),
        () => big.setCancelled(party, 0, true),
        () => big.setCancelled(party, 8191, true),
        () => big.beginSpin(party, 10),
        () => big.park(party),
      ];
      for (const order of [set, [...set].reverse()]) {
        big.reset(party, 3);
        for (const each of order) each();
        const facts = {
          incarnation: big.incarnation(party),
          current: big.currentSlot(party, 2),
          deadline: big.deadline(party),
          overdue: big.overdue(party, 1.8e12),
          relieved: big.relieved(party),
          openers: big.openers(party),
          cancelled: [big.cancelled(party, 0), big.cancelled(party, 1), big.cancelled(party, 8191)],
          parked: big.mustRing(party),
        };
        assert.deepEqual(facts, {
          incarnation: 3,
          current: 5,
          deadline: 1.7e12,
          overdue: run,
          relieved: 99,
          openers: [0, 511],
          cancelled: [true, false, true],
          parked: true,
        });
      }
      for (const neighbour of [6, 8]) {
        assert.deepEqual([big.incarnation(neighbour), big.deadline(neighbour), big.mustRing(neighbour)], [0, 0, false]);
        assert.deepEqual(big.openers(neighbour), []);
      }
    });

    test('an attached block is the same memory', () => {
      const b = block();
      const other = ControlBlock.attach(b.segment.handle, SHAPE);
      send(b.writer(1, 2, TASKS), 'hello');
      assert.deepEqual(other.openers(2), [1]);
      assert.deepEqual(received(other.reader(1, 2, TASKS)), ['hello']);
    });

    test('has room for workers of large machines, within two gigabytes and the indices of 32-bit words', () => {
      for (const cpus of [1, 2, 8, 64, 128, 256, 1024]) {
        const { parties, ring } = blockShape(cpus);
        assert.ok(
          parties >= 32 && (parties >= cpus * 2 + 8 || parties === 512),
          `${parties} parties for ${cpus} cores`,
        );
        assert.equal(ring & (ring - 1), 0);
        assert.ok(parties * parties * 2 * (ring + 128) <= 2 ** 31);
        // What the table of openers and the word for the current task can name.
        assert.ok(parties <= (64 - 8) * 32 && parties <= 2048);
      }
    });
  });
}

test('a number that gets a new holder never looks open under another name while its rings are not empty', () => {
  const shared = block();
  shared.reset(4, 1);
  const writer = shared.writer(4, 1, MESSAGES);
  send(writer, 'from the first holder');
  received(shared.reader(4, 1, MESSAGES));
  // Whoever looks between any two steps must see the old holder, or nobody.
  const names = ['and', 'or', 'store', 'add'] as const;
  const originals = names.map((name) => Atomics[name]);
  let looks = 0;
  const look = (): void => {
    looks++;
    if (!shared.openers(1).includes(4)) return;
    assert.equal(shared.incarnation(4), 1);
  };
  try {
    for (const [i, name] of names.entries()) {
      const original = originals[i] as (...a: unknown[]) => unknown;
      Object.assign(Atomics, {
        [name]: (...args: unknown[]) => {
          const result = original.apply(Atomics, args);
          look();
          return result;
        },
      });
    }
    shared.reset(4, 2);
  } finally {
    for (const [i, name] of names.entries()) Object.assign(Atomics, { [name]: originals[i] });
  }
  assert.ok(looks > 100);
  assert.equal(shared.incarnation(4), 2);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { libc } from '../native/index.ts';
import {
  type BlockHandle,
  type BlockShape,
  blockShape,
  ControlBlock,
  MESSAGES,
  MOST_CPUS,
  type RunName,
  TASKS,
} from './control-block.ts';
import type { RingReader, RingWriter } from './ring.ts';

const SHAPE: BlockShape = { parties: 40, ring: 4096 };

function send(writer: RingWriter, text: string): number {
  const bytes = new TextEncoder().encode(text);
  const at = writer.reserve(bytes.length + 4);
  assert.ok(at >= 0);
  writer.views.words[at >> 2] = bytes.length;
  writer.views.bytes.set(bytes, at + 4);
  return writer.commit(bytes.length + 4);
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
const racer = (workerData as { race?: { handle: BlockHandle; wins: SharedArrayBuffer } } | null)?.race;
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
      assert.deepEqual([b.openers(5, TASKS), b.openers(5, MESSAGES)], [[], []]);
      const before = b.epoch(5);
      b.writer(39, 5, TASKS);
      b.writer(31, 5, TASKS);
      b.writer(0, 5, MESSAGES);
      b.writer(31, 5, MESSAGES);
      b.writer(32, 5, MESSAGES);
      assert.deepEqual(b.openers(5, TASKS), [31, 39]);
      assert.deepEqual(b.openers(5, MESSAGES), [0, 31, 32]);
      assert.notEqual(b.epoch(5), before);
      assert.deepEqual([b.openers(6, TASKS), b.openers(6, MESSAGES)], [[], []]);
    });

    test('a number given to its next holder has empty rings, both ways, and no openers', () => {
      const b = block();
      send(b.writer(7, 1, MESSAGES), 'from the old one');
      send(b.writer(1, 7, TASKS), 'to the old one');
      send(b.writer(2, 1, MESSAGES), 'of somebody else');
      b.park(7);
      b.setCurrent(7, 1, 4, 1);
      b.setDeadline(7, 1e12, run);
      const epoch = b.epoch(1);
      b.reset(7, 3);
      assert.equal(b.incarnation(7), 3);
      assert.deepEqual(received(b.reader(7, 1, MESSAGES)), []);
      assert.deepEqual(received(b.reader(1, 7, TASKS)), []);
      assert.deepEqual(received(b.reader(2, 1, MESSAGES)), ['of somebody else']);
      assert.deepEqual(b.openers(1, MESSAGES), [2]);
      assert.deepEqual([b.openers(7, TASKS), b.openers(1, TASKS)], [[], []]);
      assert.notEqual(b.epoch(1), epoch);
      assert.equal(b.mustRing(7), false);
      assert.equal(b.currentSlot(7, 1), -1);
      assert.equal(b.deadline(7), 0);
    });

    test('exactly one of many senders has to ring for a party that sleeps', async () => {
      const b = block();
      const wins = new SharedArrayBuffer(12);
      const counts = new Int32Array(wins);
      const { handle } = b;
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
      b.setCurrent(4, 0, 0, 1);
      assert.equal(b.currentSlot(4, 0), 0);
      assert.equal(b.currentSlot(4, 1), -1);
      b.setCurrent(4, 39, 1_000_000, 1);
      assert.equal(b.currentSlot(4, 39), 1_000_000);
      b.setCurrent(4, 511, 7, -5);
      assert.equal(b.isCurrent(4, 511, { slot: 7, sequence: -5 }), true);
      // The same slot, used again.
      assert.equal(b.isCurrent(4, 511, { slot: 7, sequence: -4 }), false);
      assert.equal(b.isCurrent(4, 510, { slot: 7, sequence: -5 }), false);
      assert.equal(b.currentSlot(4, 511), 7);
      b.clearCurrent(4);
      assert.equal(b.currentSlot(4, 511), -1);
      assert.equal(b.isCurrent(4, 511, { slot: 7, sequence: -5 }), false);
    });

    test('has a flag for the cancellation of each slot of each owner, up to a number of them', () => {
      const b = block();
      b.setCancelled(1, 8191);
      b.setCancelled(2, 0);
      assert.equal(b.cancelled(1, 8191), true);
      assert.equal(b.cancelled(1, 0), false);
      assert.equal(b.cancelled(2, 0), true);
      b.clearCall(2, 0);
      assert.equal(b.cancelled(2, 0), false);
      // Beyond them a message says it.
      b.setCancelled(1, 8192);
      assert.equal(b.cancelled(1, 8192), false);
      assert.equal(b.cancelled(2, 0), false);
    });

    test('has a flag for a call that its worker keeps, beside that', () => {
      const b = block();
      b.setKept(1, 5, true);
      assert.deepEqual([b.kept(1, 5), b.cancelled(1, 5), b.kept(1, 4), b.kept(2, 5)], [true, false, false, false]);
      b.setCancelled(1, 5);
      b.setKept(1, 5, false);
      assert.deepEqual([b.kept(1, 5), b.cancelled(1, 5)], [false, true]);
      b.setKept(1, 5, true);
      b.clearCall(1, 5);
      assert.deepEqual([b.kept(1, 5), b.cancelled(1, 5)], [false, false]);
      // Beyond them a call that was claimed counts as begun.
      b.setKept(1, 8192, true);
      assert.deepEqual([b.kept(1, 8192), b.kept(2, 0)], [false, false]);
    });

    test('wherever a worker dies, a call that it had begun is known to have begun, and one that it kept is not', () => {
      const [caller, worker, slot] = [1, 2, 7];
      for (let steps = 0; steps <= 6; steps++) {
        const b = block();
        const writer = b.writer(caller, worker, TASKS);
        const reader = b.reader(caller, worker, TASKS);
        // What the slot was used for last is no matter.
        b.setKept(caller, slot, true);
        b.clearCall(caller, slot);
        const ticket = send(writer, 'call');
        let ran = false;
        const life = [
          () => assert.ok(reader.next()),
          () => assert.ok(reader.claim()),
          () => b.setKept(caller, slot, true),
          () => reader.advance(),
          () => b.setKept(caller, slot, false),
          () => {
            ran = true;
          },
        ];
        for (const step of life.slice(0, steps)) step();
        const begun = writer.claimed(ticket) && !b.kept(caller, slot);
        // Between claim and mark, and between the end of that and the call, it is said to have begun.
        assert.deepEqual({ steps, begun }, { steps, begun: [2, 5, 6].includes(steps) });
        if (ran) assert.ok(begun);
      }
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
      const shape = blockShape(MOST_CPUS, 'threads');
      const big = ControlBlock.create(shape, 'threads');
      const last = shape.parties - 1;
      const party = 7;
      const set: (() => unknown)[] = [
        () => big.setCurrent(party, 2, 5, 77),
        () => big.setDeadline(party, 1.7e12, run),
        () => big.setRelieved(party, 99),
        () => big.writer(last, party, TASKS),
        () => big.writer(0, party, TASKS),
        () => big.writer(last, party, MESSAGES),
        () => big.writer(1, party, MESSAGES),
        () => big.setCancelled(party, 0),
        () => big.setCancelled(party, 8191),
        () => big.beginSpin(party, 10),
        () => big.park(party),
      ];
      for (const order of [set, [...set].reverse()]) {
        big.reset(party, 3);
        for (const each of order) each();
        const facts = {
          incarnation: big.incarnation(party),
          current: [big.currentSlot(party, 2), big.isCurrent(party, 2, { slot: 5, sequence: 77 })],
          deadline: big.deadline(party),
          overdue: big.overdue(party, 1.8e12),
          relieved: big.relieved(party),
          callers: big.openers(party, TASKS),
          senders: big.openers(party, MESSAGES),
          cancelled: [big.cancelled(party, 0), big.cancelled(party, 1), big.cancelled(party, 8191)],
          parked: big.mustRing(party),
        };
        assert.deepEqual(facts, {
          incarnation: 3,
          current: [5, true],
          deadline: 1.7e12,
          overdue: run,
          relieved: 99,
          callers: [0, last],
          senders: [1, last],
          cancelled: [true, false, true],
          parked: true,
        });
      }
      for (const neighbour of [6, 8]) {
        assert.deepEqual([big.incarnation(neighbour), big.deadline(neighbour), big.mustRing(neighbour)], [0, 0, false]);
        assert.deepEqual([big.openers(neighbour, TASKS), big.openers(neighbour, MESSAGES)], [[], []]);
      }
    });

    test('an attached block is the same memory', () => {
      const b = block();
      const other = ControlBlock.attach(b.handle, SHAPE);
      send(b.writer(1, 2, TASKS), 'hello');
      assert.deepEqual(other.openers(2, TASKS), [1]);
      assert.deepEqual(received(other.reader(1, 2, TASKS)), ['hello']);
    });

    test('has numbers for twice as many workers as cores, and rings of half a megabyte between processes', () => {
      for (let cpus = 1; cpus <= MOST_CPUS; cpus += cpus < 20 ? 1 : 12) {
        const { parties, ring } = blockShape(cpus, 'processes');
        assert.ok(parties >= 32 && parties >= cpus * 2 + 8, `${parties} parties for ${cpus} cores`);
        assert.equal(ring, 512 * 1024);
        const threads = blockShape(cpus, 'threads');
        assert.equal(threads.parties, parties);
        // A power of two, and not so small that ordinary calls need a parcel.
        assert.equal(threads.ring & (threads.ring - 1), 0);
        assert.ok(threads.ring >= 8192 && threads.ring <= ring, `rings of ${threads.ring} bytes for ${cpus} cores`);
        assert.ok(cpus > 28 || threads.ring === ring, `rings of ${threads.ring} bytes for ${cpus} cores`);
        // What the word for the current task and the table of openers can name.
        assert.ok(parties <= 2048 && 2 * Math.ceil(parties / 32) <= 63 - 8);
      }
    });
  });

  describe('blocks of every size', () => {
    const sizes = [2, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 130];
    const kinds = libc() === undefined ? (['threads'] as const) : (['threads', 'processes'] as const);
    for (const between of kinds) {
      test(`keep their rings apart, whichever mapping they are in (${between})`, () => {
        for (const parties of sizes) {
          const shape = { parties, ring: 512 * 1024 };
          const b = ControlBlock.create(shape, between);
          try {
            // On both sides of where one mapping ends and the next begins, too.
            const end = Math.floor(1024 / parties);
            const among = (numbers: number[]): number[] =>
              [...new Set(numbers)].filter((n) => n >= 0 && n < parties).sort((x, y) => x - y);
            const senders = among([0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => [n, parties - 1 - n]));
            const receivers = among([0, 1, end - 1, end, parties - 1]);
            const largest = 128 * 1024;
            const payload = largest - 8;
            const every: [number, number, typeof TASKS | typeof MESSAGES][] = [];
            for (const from of senders) {
              for (const to of receivers) every.push([from, to, TASKS], [from, to, MESSAGES]);
            }
            every.forEach(([from, to, channel], i) => {
              const writer = b.writer(from, to, channel);
              assert.equal(writer.largest, largest);
              // To the last byte of the ring, so that whatever it shared with a neighbour would be seen.
              for (let at = writer.reserve(payload); at >= 0; at = writer.reserve(payload)) {
                for (const byte of [0, 77_776, payload - 4]) writer.views.words[(at + byte) >> 2] = i;
                writer.commit(payload);
              }
            });
            // As another process sees it: in mappings of its own.
            const other = ControlBlock.attach(b.handle, shape);
            every.forEach(([from, to, channel], i) => {
              const reader = other.reader(from, to, channel);
              let records = 0;
              for (; reader.next(); reader.advance()) {
                records++;
                const { words } = reader.views;
                for (const byte of [0, 77_776, payload - 4]) {
                  assert.equal(words[(reader.at + byte) >> 2], i, `${from} to ${to} of ${parties}`);
                }
              }
              assert.equal(records, 4);
            });
            for (const to of receivers) assert.deepEqual(other.openers(to, MESSAGES), senders);
          } finally {
            b.close();
          }
        }
      });
    }

    test('are one mapping up to 12 cores, and mapped where they are used beyond', () => {
      for (const [cpus, pieces] of [
        [1, 1],
        [12, 1],
        [13, 4],
        [28, 4],
      ] as const) {
        const { handle } = ControlBlock.create(blockShape(cpus, 'threads'), 'threads');
        assert.equal(handle.kind === 'memory' && handle.memories.length, pieces, `${cpus} cores`);
      }
    });

    test('have no byte in two mappings', { skip: libc() === undefined }, () => {
      for (const parties of [33, 130]) {
        const shape = { parties, ring: 512 * 1024 };
        const b = ControlBlock.create(shape, 'processes');
        try {
          const end = Math.floor(1024 / parties);
          const payload = 128 * 1024 - 8;
          const ends: [number, number][] = [];
          for (let n = 0; n < 9; n++) ends.push([parties - 1 - n, end - 1], [n, end]);
          const every = ends.flatMap(([from, to]) =>
            ([TASKS, MESSAGES] as const).map((channel) => [from, to, channel] as const),
          );
          every.forEach(([from, to, channel], i) => {
            const writer = b.writer(from, to, channel);
            for (let at = writer.reserve(payload); at >= 0; at = writer.reserve(payload)) {
              writer.views.bytes.fill(i, at, at + payload);
              writer.commit(payload);
            }
          });
          every.forEach(([from, to, channel], i) => {
            const reader = b.reader(from, to, channel);
            let records = 0;
            for (; reader.next(); reader.advance()) {
              records++;
              const record = reader.views.bytes.subarray(reader.at, reader.at + payload);
              assert.ok(
                record.every((byte) => byte === i),
                `${from} to ${to} of ${parties}`,
              );
            }
            assert.equal(records, 4, `${from} to ${to} of ${parties}`);
          });
        } finally {
          b.close();
        }
      }
    });

    test('have no facts about parties where the rings are', () => {
      for (const parties of sizes) {
        const b = ControlBlock.create({ parties, ring: 4096 }, 'threads');
        send(b.writer(0, 0, TASKS), 'first');
        send(b.writer(parties - 1, parties - 1, MESSAGES), 'last');
        b.setCancelled(parties - 1, 8191);
        b.setRelieved(parties - 1, -1);
        b.reset(parties - 1, 7);
        assert.deepEqual(received(b.reader(0, 0, TASKS)), ['first']);
        assert.deepEqual(received(b.reader(parties - 1, parties - 1, MESSAGES)), []);
        assert.equal(b.cancelled(parties - 1, 8191), true);
        assert.equal(b.incarnation(parties - 1), 7);
      }
    });

    test('a number that is given on costs only the memory of rings that were in use', {
      skip: libc() === undefined,
    }, () => {
      const shape = blockShape(128, 'processes');
      const b = ControlBlock.create(shape, 'processes');
      try {
        const fd = (b.handle as { fd: number }).fd;
        const pages = (): number => fstatSync(fd).blocks / 8;
        b.reset(5, 1);
        const before = pages();
        for (let party = 6; party < 70; party++) b.reset(party, 1);
        // The words about parties, and nothing else.
        assert.ok(pages() - before <= (shape.parties * 256) / 4096 + 1, `${pages() - before} pages`);
        send(b.writer(9, 200, MESSAGES), 'to be gone');
        b.reset(9, 2);
        assert.deepEqual(received(b.reader(9, 200, MESSAGES)), []);
      } finally {
        b.close();
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
    if (!shared.openers(1, MESSAGES).includes(4)) return;
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

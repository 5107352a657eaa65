import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { Random } from '../testing/simulator/random.ts';
import { RingReader, RingWriter, resetRing, ringBytes, Views } from './ring.ts';

const OFFSET = 256;

function ring(size: number, position = 0): { views: Views; writer: RingWriter; reader: RingReader } {
  const views = new Views(new SharedArrayBuffer(OFFSET + ringBytes(size) + 64));
  views.words[OFFSET >> 2] = position;
  views.words[(OFFSET >> 2) + 16] = position;
  return { views, writer: new RingWriter(views, OFFSET, size), reader: new RingReader(views, OFFSET, size) };
}

/** A payload that says which it is in its first word, and has the same byte in all others. */
function push(writer: RingWriter, number: number, length: number): number {
  const at = writer.reserve(length);
  if (at < 0) return -1;
  const { words, bytes } = writer.views;
  assert.equal(at % 8, 0);
  words[at >> 2] = number;
  bytes.fill(number & 255, at + 4, at + length);
  return writer.commit(length);
}

function take(reader: RingReader, length: number): number {
  const { words, bytes } = reader.views;
  const number = words[reader.at >> 2] as number;
  assert.ok(reader.end - reader.at >= length && reader.end - reader.at < length + 8, 'the length is as it was sent');
  for (let i = reader.at + 4; i < reader.at + length; i++) assert.equal(bytes[i], number & 255);
  return number;
}

interface Hammer {
  readonly role: 'producer' | 'consumer';
  readonly memory: SharedArrayBuffer;
  readonly size: number;
  readonly count: number;
  readonly seed: number;
}

/** What each thread says has become of each record: flags behind the ring. */
function fatesOf(h: Hammer): { recalled: Uint8Array; claimed: Uint8Array } {
  const at = OFFSET + ringBytes(h.size);
  return { recalled: new Uint8Array(h.memory, at, h.count), claimed: new Uint8Array(h.memory, at + h.count, h.count) };
}

function produce(h: Hammer): void {
  const random = new Random(h.seed);
  const views = new Views(h.memory);
  const writer = new RingWriter(views, OFFSET, h.size);
  const { recalled } = fatesOf(h);
  const tickets: number[] = [];
  for (let n = 0; n < h.count; n++) {
    let ticket = push(writer, n, 4 + random.int(60));
    while (ticket < 0) ticket = push(writer, n, 4 + random.int(60));
    tickets.push(ticket);
    // Some of the newest, which the consumer is about to reach.
    if (!random.chance(0.3)) continue;
    const which = Math.max(0, n - random.int(4));
    if (recalled[which] === 0 && writer.recall(tickets[which] as number)) recalled[which] = 1;
  }
  let ticket = -1;
  while (ticket < 0) ticket = push(writer, -1, 4);
}

function consume(h: Hammer): void {
  const views = new Views(h.memory);
  const reader = new RingReader(views, OFFSET, h.size);
  const { claimed } = fatesOf(h);
  let last = -1;
  for (;;) {
    if (!reader.next()) continue;
    if (reader.claim()) {
      const number = views.words[reader.at >> 2] as number;
      if (number === -1) return;
      if (number <= last) throw new Error(`record ${number} came after ${last}`);
      for (let i = reader.at + 4; i < reader.end - 8; i++) {
        if (views.bytes[i] !== (number & 255)) throw new Error(`record ${number} is damaged`);
      }
      last = number;
      claimed[number] = 1;
    }
    reader.advance();
  }
}

const hammer = (workerData as { hammer?: Hammer } | null)?.hammer;
if (!isMainThread && hammer !== undefined) {
  if (hammer.role === 'producer') produce(hammer);
  else consume(hammer);
} else {
  tests();
}

function tests(): void {
  describe('a ring in shared memory', () => {
    test('does what a queue does, with records taken back, at every position (model)', () => {
      const operation = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ op: fc.constant('push' as const), length: fc.integer({ min: 4, max: 64 }) }),
        },
        { weight: 3, arbitrary: fc.record({ op: fc.constant('claim' as const), length: fc.constant(0) }) },
        { weight: 1, arbitrary: fc.record({ op: fc.constant('look' as const), length: fc.constant(0) }) },
        { weight: 2, arbitrary: fc.record({ op: fc.constant('recall' as const), length: fc.nat(30) }) },
      );
      const position = fc.constantFrom(0, 8, 248, 2 ** 31 - 512, -(2 ** 31) + 64, -512, -64, -8);
      fc.assert(
        fc.property(position, fc.array(operation, { maxLength: 200 }), (at, operations) => {
          const { writer, reader } = ring(256, at);
          interface Item {
            readonly number: number;
            readonly length: number;
            readonly ticket: number;
            state: 'fresh' | 'claimed' | 'recalled' | 'gone';
          }
          const items: Item[] = [];
          const first = (): Item | undefined => items.find((item) => item.state === 'fresh');
          for (const { op, length } of operations) {
            if (op === 'push') {
              const ticket = push(writer, items.length, length);
              if (ticket >= 0) items.push({ number: items.length, length, ticket, state: 'fresh' });
              else
                assert.ok(
                  items.some((item) => item.state !== 'gone'),
                  'an empty ring has room',
                );
            } else if (op === 'recall') {
              const item = items[items.length - 1 - length];
              // Long since overwritten tickets may mean anything.
              if (item === undefined) continue;
              const expected = item.state === 'fresh';
              if (item.state === 'gone' || item.state === 'claimed') assert.equal(writer.claimed(item.ticket), true);
              assert.equal(writer.recall(item.ticket), expected, `recall of ${item.state}`);
              if (expected) item.state = 'recalled';
            } else {
              const item = first();
              const found = reader.next();
              assert.equal(found, item !== undefined);
              // Everything before has been passed by.
              for (const each of items) {
                if (item !== undefined && each.number >= item.number) break;
                if (each.state === 'recalled') each.state = 'gone';
              }
              if (item === undefined) continue;
              assert.equal(take(reader, item.length), item.number);
              if (op === 'look') continue;
              assert.equal(writer.claimed(item.ticket), false);
              assert.equal(reader.claim(), true);
              assert.equal(writer.claimed(item.ticket), true);
              assert.equal(writer.recall(item.ticket), false);
              reader.advance();
              item.state = 'gone';
            }
          }
        }),
        { numRuns: 500 },
      );
    });

    // Compared modulo 2^32, the record of a task that waits for long became one of those still to come.
    test('a record stays claimed, however much goes by afterwards', () => {
      const size = 2 ** 20;
      const { writer, reader } = ring(size);
      const ticket = push(writer, 1, 8);
      assert.ok(reader.next() && reader.claim());
      reader.advance();
      for (let passed = 0; passed < 2 ** 33; passed += size / 4) {
        assert.notEqual(writer.reserve(writer.largest), -1);
        const later = writer.commit(writer.largest);
        assert.ok(later > ticket);
        assert.equal(writer.claimed(later), false);
        assert.ok(reader.next());
        assert.equal(writer.claimed(ticket), true);
        assert.equal(writer.recall(ticket), false);
        reader.advance();
      }
    });

    test('a record that was looked at but not claimed can still be taken back, and claim then fails', () => {
      const { writer, reader } = ring(256);
      const ticket = push(writer, 1, 8);
      push(writer, 2, 8);
      assert.ok(reader.next());
      assert.equal(writer.recall(ticket), true);
      assert.equal(reader.claim(), false);
      reader.advance();
      assert.ok(reader.next());
      assert.equal(take(reader, 8), 2);
    });

    test('takes records up to a quarter of its size, whatever the position', () => {
      for (let at = 0; at < 256; at += 8) {
        const { writer, reader } = ring(256, at);
        for (let n = 0; n < 40; n++) {
          assert.notEqual(push(writer, n, writer.largest), -1, `position ${at}, record ${n}`);
          assert.ok(reader.next());
          assert.equal(take(reader, writer.largest), n);
          reader.advance();
        }
      }
    });

    test('a full ring has no room until the reader has gone on', () => {
      const { writer, reader } = ring(256);
      let n = 0;
      while (push(writer, n, 24) >= 0) n++;
      assert.equal(n, 8);
      assert.ok(reader.next());
      assert.ok(reader.claim());
      assert.equal(push(writer, n, 24), -1, 'a claimed record still lies there');
      reader.advance();
      assert.notEqual(push(writer, n, 24), -1);
      assert.equal(push(writer, n, 24), -1);
    });

    test('commit may cut a record shorter than was reserved', () => {
      const { writer, reader } = ring(256);
      const at = writer.reserve(60);
      writer.views.words[at >> 2] = 5;
      writer.commit(4);
      push(writer, 6, 4);
      assert.ok(reader.next());
      assert.equal(reader.end - reader.at, 8);
      reader.advance();
      assert.ok(reader.next());
      assert.equal(take(reader, 4), 6);
    });

    test('what was reserved and not committed is not seen', () => {
      const { writer, reader } = ring(256);
      writer.reserve(40);
      assert.equal(reader.next(), false);
      push(writer, 3, 8);
      assert.ok(reader.next());
      assert.equal(take(reader, 8), 3);
      reader.advance();
      assert.equal(reader.next(), false);
    });

    test('a writer and a reader that come later go on where others stopped', () => {
      const { views, writer, reader } = ring(256);
      for (let n = 0; n < 9; n++) {
        push(writer, n, 20);
        if (n < 5 && reader.next()) reader.advance();
      }
      const laterReader = new RingReader(views, OFFSET, 256);
      const laterWriter = new RingWriter(views, OFFSET, 256);
      push(laterWriter, 9, 20);
      const seen: number[] = [];
      while (laterReader.next()) {
        seen.push(take(laterReader, 20));
        laterReader.advance();
      }
      assert.deepEqual(seen, [5, 6, 7, 8, 9]);
    });

    test('an emptied ring begins anew', () => {
      const { views, writer, reader } = ring(256, 640);
      push(writer, 1, 8);
      // The word of the tail alone does not tell: it comes by zero every 4 GiB.
      views.words[OFFSET >> 2] = 0;
      resetRing(views, OFFSET);
      assert.equal(new RingReader(views, OFFSET, 256).next(), false);
      assert.notEqual(push(new RingWriter(views, OFFSET, 256), 2, 8), -1);
      const fresh = new RingReader(views, OFFSET, 256);
      assert.ok(fresh.next());
      assert.equal(take(fresh, 8), 2);
      void reader;
    });

    test('between two threads every record is either claimed or taken back, in order and whole', async () => {
      for (const [seed, size] of [
        [1, 512],
        [2, 4096],
        [3, 65_536],
      ] as const) {
        const count = 150_000;
        const memory = new SharedArrayBuffer(OFFSET + ringBytes(size) + 2 * count);
        const common = { memory, size, count, seed };
        const threads = (['producer', 'consumer'] as const).map(
          (role) => new Worker(new URL(import.meta.url), { workerData: { hammer: { ...common, role } } }),
        );
        await Promise.all(threads.map((thread) => once(thread, 'exit')));
        const { claimed, recalled } = fatesOf({ ...common, role: 'producer' });
        let taken = 0;
        for (let n = 0; n < count; n++) {
          const fates = (claimed[n] as number) + (recalled[n] as number);
          assert.equal(fates, 1, `record ${n} of seed ${seed} has ${fates} fates`);
          taken += recalled[n] as number;
        }
        assert.ok(taken > 0 && taken < count, `${taken} taken back`);
      }
    });
  });
}

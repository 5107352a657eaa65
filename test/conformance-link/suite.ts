import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Random } from '../../src/testing/simulator/random.ts';
import type { Link } from '../../src/transport/index.ts';

/** A kind of link, as the suite needs it. */
export interface LinkKind {
  readonly name: string;
  /** Two ends; `highWater` is as many bytes as each may hold before it asks for patience. */
  connect(highWater: number): Pair;
}

export interface Pair {
  readonly a: Link;
  readonly b: Link;
  /** The connection breaks. Absent where a link outlives what is under it. */
  readonly break?: () => void;
  /** Nothing of it stays behind. */
  dispose(): void;
}

class Ear {
  readonly got: Uint8Array[] = [];
  readonly closed: string[] = [];
  writable = 0;
  /** Set while a method of a link is being called. */
  inCall = false;

  constructor(link: Link) {
    link.listen({
      message: (m) => {
        assert.ok(!this.inCall, 'a message was delivered inside a call');
        assert.deepEqual(this.closed, [], 'a message came after closed');
        this.got.push(m.slice());
      },
      writable: () => {
        assert.ok(!this.inCall, 'writable was called inside a call');
        this.writable++;
      },
      closed: (reason) => {
        assert.ok(!this.inCall, 'closed was called inside a call');
        this.closed.push(reason);
      },
    });
  }

  call<T>(run: () => T): T {
    this.inCall = true;
    try {
      return run();
    } finally {
      this.inCall = false;
    }
  }
}

async function until(what: string, done: () => boolean): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!done()) {
    assert.ok(performance.now() < limit, `waited 20 s for: ${what}`);
    await turn();
  }
}

/** A message that says by its contents which it is, and whether it is whole. */
function message(size: number, number: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (number * 31 + i * 7 + (i >> 8)) & 255;
  return bytes;
}

export function linkConformance(kind: LinkKind): void {
  const withPair = async (run: (pair: Pair) => Promise<void>, highWater = 1 << 20): Promise<void> => {
    const pair = kind.connect(highWater);
    try {
      await run(pair);
    } finally {
      pair.dispose();
    }
  };

  describe(`${kind.name}: what every link does`, () => {
    test('messages of any size arrive whole, once and in order, both ways at once', () =>
      withPair(async ({ a, b }) => {
        const ears = { a: new Ear(a), b: new Ear(b) };
        const random = new Random(7);
        const sent = { a: [] as Uint8Array[], b: [] as Uint8Array[] };
        for (let i = 0; i < 400; i++) {
          const size = random.chance(0.05) ? random.int(200_000) : random.int(300);
          const m = message(size, i);
          const from = random.chance(0.5) ? 'a' : 'b';
          sent[from].push(m);
          (from === 'a' ? a : b).send(m);
          if (random.chance(0.1)) await turn();
        }
        await until('all messages', () => ears.a.got.length >= sent.b.length && ears.b.got.length >= sent.a.length);
        assert.deepEqual(ears.b.got, sent.a);
        assert.deepEqual(ears.a.got, sent.b);
      }));

    test('a message much larger than any buffer on the way arrives whole, between small ones', () =>
      withPair(async ({ a, b }) => {
        new Ear(a);
        const ear = new Ear(b);
        const sent = [message(3, 1), message(5_000_001, 2), message(0, 3), message(1, 4)];
        for (const m of sent) a.send(m);
        await until('four messages', () => ear.got.length === 4);
        for (let i = 0; i < 4; i++) {
          assert.equal(Buffer.compare(ear.got[i] as Uint8Array, sent[i] as Uint8Array), 0, `message ${i}`);
        }
      }));

    test('the sender may use its buffer again at once', () =>
      withPair(async ({ a, b }) => {
        new Ear(a);
        const ear = new Ear(b);
        // A Buffer, whose slice copies nothing, and a part of one.
        const buffer = Buffer.alloc(300);
        for (let i = 0; i < 50; i++) a.send(buffer.fill(i).subarray(100, 200));
        buffer.fill(255);
        await until('50 messages', () => ear.got.length === 50);
        for (const [i, m] of ear.got.entries()) assert.deepEqual([m[0], m[99]], [i, i]);
      }));

    test('what comes before anybody listens waits', () =>
      withPair(async ({ a, b }) => {
        new Ear(a);
        for (let i = 0; i < 10; i++) a.send(message(10, i));
        for (let i = 0; i < 10; i++) await turn();
        const ear = new Ear(b);
        a.send(message(10, 10));
        await until('11 messages', () => ear.got.length === 11);
        assert.deepEqual(
          ear.got,
          Array.from({ length: 11 }, (_, i) => message(10, i)),
        );
      }));

    test('no listener runs inside a call', () =>
      withPair(async ({ a, b }) => {
        const [earA, earB] = [new Ear(a), new Ear(b)];
        const both = <T>(run: () => T): T => earA.call(() => earB.call(run));
        for (let i = 0; i < 100; i++) {
          both(() => a.send(message(1000, i)));
          both(() => b.send(message(1000, i)));
          if (i % 10 === 0) await turn();
        }
        both(() => a.close());
        await until('closed', () => earA.closed.length + earB.closed.length === 2);
        assert.equal(earB.got.length, 100);
      }));

    test('send says when it has enough, takes the message all the same, and says when there is room', () =>
      withPair(async ({ a, b }) => {
        const earA = new Ear(a);
        const sent: Uint8Array[] = [];
        let patient = true;
        while (patient && sent.length < 10_000) {
          const m = message(1000, sent.length);
          sent.push(m);
          patient = a.send(m);
        }
        assert.equal(patient, false, 'it never asked for patience');
        assert.ok(a.buffered > 0);
        const most = a.buffered;
        for (let i = 0; i < 20; i++) await turn();
        assert.equal(earA.writable, 0, 'room, although nobody reads');
        const ear = new Ear(b);
        // Something that makes the reader look, on links where that is needed.
        b.send(message(1, 0));
        await until('room', () => earA.writable > 0);
        assert.ok(a.buffered < most);
        await until('all', () => ear.got.length === sent.length);
        assert.deepEqual(ear.got, sent);
        assert.equal(earA.writable, 1);
        await until('an empty buffer', () => a.buffered === 0);
      }, 64 * 1024));

    test('a sender that waits for room never holds more than its limit and one message', () =>
      withPair(async ({ a, b }) => {
        const limit = 64 * 1024;
        const ear = new Ear(b);
        let wake: (() => void) | undefined;
        a.listen({ message: () => {}, writable: () => wake?.(), closed: () => {} });
        for (let i = 0; i < 500; i++) {
          const room = a.send(message(4000, i));
          assert.ok(a.buffered <= limit + 4000, `${a.buffered} bytes`);
          if (!room) await new Promise<void>((resolve) => (wake = resolve));
        }
        await until('500 messages', () => ear.got.length === 500);
        for (const [i, m] of ear.got.entries()) assert.equal(Buffer.compare(m, message(4000, i)), 0);
      }, 64 * 1024));

    test('close comes behind what was sent, and both ends hear of it once', () =>
      withPair(async ({ a, b }) => {
        const [earA, earB] = [new Ear(a), new Ear(b)];
        for (let i = 0; i < 200; i++) a.send(message(5000, i));
        a.close('enough');
        assert.equal(a.open, false);
        assert.equal(a.send(message(1, 1)), false);
        a.close('again');
        await until('closed', () => earA.closed.length > 0 && earB.closed.length > 0);
        assert.equal(earB.got.length, 200);
        assert.equal(b.open, false);
        assert.equal(b.send(message(1, 1)), false);
        b.close();
        for (let i = 0; i < 20; i++) await turn();
        assert.deepEqual([earA.closed.length, earB.closed.length, earB.got.length], [1, 1, 200]);
      }));

    test('both ends may close at once', () =>
      withPair(async ({ a, b }) => {
        const [earA, earB] = [new Ear(a), new Ear(b)];
        a.send(message(10, 1));
        b.send(message(10, 2));
        a.close();
        b.close();
        await until('closed', () => earA.closed.length > 0 && earB.closed.length > 0);
        for (let i = 0; i < 20; i++) await turn();
        assert.deepEqual([earA.closed.length, earB.closed.length], [1, 1]);
      }));

    test('after a break both ends hear of it, and what arrived is a prefix', async (t) => {
      for (let seed = 1; seed <= 20; seed++) {
        await withPair(async (pair) => {
          if (pair.break === undefined) {
            t.skip('it outlives what is under it');
            return;
          }
          const { a, b } = pair;
          const random = new Random(seed);
          const [earA, earB] = [new Ear(a), new Ear(b)];
          const sent: Uint8Array[] = [];
          for (let i = 0; i < 50; i++) {
            const m = message(random.int(2000), i);
            sent.push(m);
            a.send(m);
            if (random.chance(0.2)) await turn();
          }
          pair.break();
          await until('closed', () => earA.closed.length > 0 && earB.closed.length > 0);
          assert.equal(a.send(message(1, 1)), false);
          assert.deepEqual(earB.got, sent.slice(0, earB.got.length));
          assert.deepEqual([earA.closed.length, earB.closed.length], [1, 1]);
        });
      }
    });
  });
}

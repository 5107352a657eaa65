import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ControlBlock, Reactor, type ReactorHost, type RingReader } from '../transport/index.ts';
import * as F from './frames.ts';
import { Mailer } from './mailer.ts';

interface Party {
  readonly mailer: Mailer;
  readonly reactor: Reactor;
  /** Kind, and the contents or the first word of them. */
  readonly got: [kind: number, contents: unknown][];
}

function parties(count: number, ring = 8192): Party[] {
  const block = ControlBlock.create({ parties: 32, ring }, 'threads');
  return Array.from({ length: count }, (_, party) => {
    const got: [number, unknown][] = [];
    const one = (words: Int32Array, bytes: Uint8Array, at: number): void => {
      const kind = words[at >> 2] as number;
      if (kind === F.CONTROL || kind === F.REPLY) got.push([kind, mailer.open(bytes, at)]);
      else got.push([kind, words[(at >> 2) + 1]]);
    };
    const host: ReactorHost = {
      message(from: number, reader: RingReader): void {
        const { words, bytes } = reader.views;
        if (words[reader.at >> 2] !== F.PART) one(words, bytes, reader.at);
        else {
          mailer.part(from, words, bytes, reader.at, (frame) => {
            one(new Int32Array(frame.buffer), frame, 0);
          });
        }
      },
      runTasks: () => false,
      settleUp: () => {},
      expecting: () => false,
      busy: () => false,
      parking: () => {},
      nextTick: () => undefined,
      tick: () => {},
    };
    const bell = { ring: () => {}, listen: () => {}, hold: () => {}, close: () => {} };
    const reactor = new Reactor(block, party, bell, host, { spin: 0, slice: 10, spinners: 0, yieldCore: undefined });
    const mailer = new Mailer(reactor);
    return { mailer, reactor, got };
  });
}

/** Until nobody has anything left to send or to take in. */
function settle(all: readonly Party[]): void {
  for (let i = 0; i < 1000; i++) for (const { reactor } of all) reactor.poll();
}

describe('the mailer', () => {
  test('carries messages of any size, in order, among small frames of other kinds', () => {
    const all = parties(2);
    const [a, b] = all as [Party, Party];
    const sizes = [0, 1, 100, 2000, 2039, 2040, 2041, 2048, 5000, 100_000];
    for (const size of sizes) {
      a.mailer.post(1, { size, text: 'x'.repeat(size) });
      a.mailer.acknowledge(1, size);
    }
    a.mailer.post(1, [1, 2], F.REPLY);
    a.mailer.cancel(1, { slot: 7, sequence: -3 }, F.CANCEL_RECURSIVE);
    a.mailer.define(1, 12, { name: 'f', text: 'y'.repeat(9000) });
    settle(all);
    const expected = sizes.flatMap((size): [number, unknown][] => [
      [F.CONTROL, { size, text: 'x'.repeat(size) }],
      [F.ACKNOWLEDGE, size],
    ]);
    assert.deepEqual(b.got, [...expected, [F.REPLY, [1, 2]], [F.CANCEL, 7], [F.DEFINE, 12]]);
  });

  test('keeps the pieces of several senders apart', () => {
    const all = parties(4);
    for (let round = 0; round < 5; round++) {
      for (const from of [1, 2, 3]) all[from]?.mailer.post(0, { from, round, data: new Uint8Array(20_000).fill(from) });
    }
    settle(all);
    const got = (all[0] as Party).got.map(
      ([, contents]) => contents as { from: number; round: number; data: Uint8Array },
    );
    assert.equal(got.length, 15);
    for (const from of [1, 2, 3]) {
      const own = got.filter((message) => message.from === from);
      assert.deepEqual(
        own.map(({ round }) => round),
        [0, 1, 2, 3, 4],
      );
      for (const { data } of own) assert.ok(data.length === 20_000 && data.every((byte) => byte === from));
    }
  });

  test('forgets half a message of one who is gone', () => {
    const all = parties(2);
    const [a, b] = all as [Party, Party];
    a.mailer.post(1, 'x'.repeat(30_000));
    // The ring holds some of the pieces, and the sender dies.
    b.reactor.poll();
    assert.equal(b.got.length, 0);
    b.mailer.forget(0);
    a.reactor.forget(1, 0);
    settle([b]);
    b.mailer.forget(0);
    a.mailer.post(1, 'whole');
    settle(all);
    assert.deepEqual(b.got, [[F.CONTROL, 'whole']]);
  });

  test('a message keeps what it said when the sender goes on', () => {
    const all = parties(2, 4096);
    const [a, b] = all as [Party, Party];
    // More than the ring holds: most of them wait.
    for (let i = 0; i < 200; i++) a.mailer.post(1, { i, text: `${i}`.repeat(50) });
    settle(all);
    assert.deepEqual(
      b.got.map(([, contents]) => contents),
      Array.from({ length: 200 }, (_, i) => ({ i, text: `${i}`.repeat(50) })),
    );
  });
});

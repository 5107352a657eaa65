import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { FunctionSpec } from '../code/index.ts';
import { Encoder } from '../codec/index.ts';
import { SharedStore } from '../memory/index.ts';
import { libc } from '../native/index.ts';
import type { Shape, ToControl } from '../protocol/index.ts';
import { type Bell, type BlockShape, blockShape, ControlBlock, Reactor, type ReactorHost } from '../transport/index.ts';
import type { Prepared } from './engine.ts';
import { Executions } from './executions.ts';
import { Mailer } from './mailer.ts';
import { OwnedEngine } from './owned-engine.ts';
import { PartyHost } from './party-host.ts';
import type { Reference } from './reference.ts';
import { INLINE_TOTAL } from './values.ts';

const KiB = 1024;
const MiB = 1024 ** 2;
const between = libc() === undefined ? 'threads' : 'processes';

/** A caller and a worker in one thread, over real rings and real shared memory, and who lends the one to the other. */
function encoded(captures: Record<string, unknown>): Uint8Array {
  const { bytes, length } = new Encoder({ isRef: () => false }).encode(captures, 'captures', Number.MAX_SAFE_INTEGER);
  return bytes.slice(0, length);
}

class Node {
  readonly block: ControlBlock;
  readonly store: SharedStore;
  readonly caller: PartyHost;
  readonly engine: OwnedEngine;
  readonly worker: PartyHost;
  readonly executions: Executions;
  readonly #listeners: (() => void)[] = [];
  /** Numbers of queues to that of the lease that they have. */
  readonly #leases = new Map<number, number>();
  #lent = 0;
  readonly #control: Reactor;
  readonly #alive = setInterval(() => {}, 1000);

  constructor(shape: BlockShape) {
    const { parties } = shape;
    this.block = ControlBlock.create(shape, between);
    this.#control = this.#lender();
    this.store = SharedStore.create({ limit: 64 * MiB, parties, between, party: 1 });
    // As far from the caller as can be: in the last mapping.
    const [caller, worker] = [1, parties - 1];
    this.caller = this.#party(caller, this.store, 'driver');
    this.engine = new OwnedEngine(this.caller, 'process');
    this.worker = this.#party(worker, SharedStore.attach(this.store.handle, worker), 'worker');
    this.executions = new Executions(this.worker, false);
    this.worker.executions = this.executions;
    new OwnedEngine(this.worker, 'process');
  }

  #bell(party: number): Bell {
    return {
      ring: (to) => void setImmediate(() => this.#listeners[to]?.()),
      listen: (heard) => {
        this.#listeners[party] = heard;
      },
      hold: () => {},
      close: () => {
        delete this.#listeners[party];
      },
    };
  }

  #party(party: number, store: SharedStore, role: 'driver' | 'worker'): PartyHost {
    this.block.reset(party, 1);
    const self = { node: 'n', party, incarnation: 1 };
    const log = (line: string): void => assert.fail(line);
    return new PartyHost({
      self,
      block: this.block,
      store,
      bell: this.#bell(party),
      spinners: 0,
      yieldCore: undefined,
      role,
      log,
    });
  }

  /** Stands in for the control thread: each queue gets the one worker, and gives it back. */
  #lender(): Reactor {
    const host: ReactorHost = {
      message: (_from, { views: { bytes }, at }) => {
        const message = mailer.open(bytes, at) as ToControl<unknown>;
        if (message.type === 'return') {
          for (const [key, lease] of this.#leases) if (lease === message.lease) this.#leases.delete(key);
        }
        if (message.type !== 'demand' || message.total === 0 || this.#leases.has(message.key)) return;
        this.#leases.set(message.key, ++this.#lent);
        const { party: worker, incarnation } = this.worker.self;
        mailer.post(1, { type: 'grant', key: message.key, lease: this.#lent, worker, incarnation, gpus: [] });
      },
      runTasks: () => false,
      settleUp: () => {},
      expecting: () => false,
      busy: () => false,
      parking: () => {},
      nextTick: () => undefined,
      tick: () => {},
    };
    const reactor = new Reactor(this.block, 0, this.#bell(0), host, {
      spin: 0,
      slice: 10,
      spinners: 0,
      yieldCore: undefined,
    });
    const mailer = new Mailer(reactor);
    return reactor;
  }

  /** The worker hears nothing until `wake`. */
  deaf(): () => void {
    const { party } = this.worker.self;
    const listener = this.#listeners[party] as () => void;
    this.#listeners[party] = () => {};
    return () => {
      this.#listeners[party] = listener;
      listener();
    };
  }

  prepare(
    text: string,
    options: { shape?: Partial<Shape>; returns?: number; captures?: Record<string, unknown> } = {},
  ) {
    const spec: FunctionSpec = {
      digest: text,
      name: 'f',
      kind: 'function',
      synchronous: true,
      source: { kind: 'slice', text: `async ({ captures }) => ${text}`, url: 'test:f', lineOffset: 0 },
      ...(options.captures === undefined ? {} : { captures: encoded(options.captures) }),
    };
    const shape: Shape = { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: false };
    return this.engine.prepare(spec, {
      name: 'f',
      shape: { ...shape, ...options.shape },
      retries: 0,
      retryErrors: false,
      timeout: 0,
      returns: options.returns ?? 0,
      copy: false,
      maxCalls: 0,
      ahead: 0,
      maxPending: Number.POSITIVE_INFINITY,
    });
  }

  call(task: Prepared, ...args: unknown[]): Reference<unknown> {
    return this.engine.submit(task, args) as Reference<unknown>;
  }

  get used(): number {
    return this.store.stats().used;
  }

  close(): void {
    clearInterval(this.#alive);
    this.#control.close();
    this.caller.close('closed');
    this.worker.close('closed');
    this.store.close();
    this.block.close();
  }
}

const open: Node[] = [];
function nodeOf(shape: BlockShape): Node {
  const node = new Node(shape);
  open.push(node);
  return node;
}
afterEach(() => {
  for (const node of open.splice(0)) node.close();
});

/** What the arguments are like, seen by the worker: whether each is an object of its own, its length and its ends. */
const LOOK =
  '(...xs) => xs.map((x) => [x.buffer instanceof ArrayBuffer && x.byteLength === x.buffer.byteLength, x.length, x[0], x.at(-1)])';
const seen = (xs: readonly Uint8Array[]): unknown[] => xs.map((x) => [true, x.length, x[0], x.at(-1)]);

function data(length: number, mark: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = mark;
  bytes[length - 1] = mark + 1;
  return bytes;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !holds(); ) {
    assert.ok(performance.now() < end, what);
    await new Promise(setImmediate);
  }
}

const shapes = new Map<string, BlockShape>();
for (const cpus of [1, 12, 13, 28, 29, 60, 64, 128, 256]) {
  for (const kind of ['processes', 'threads'] as const) shapes.set(`${cpus} cores, ${kind}`, blockShape(cpus, kind));
}
// Smaller than any that a session has.
shapes.set('rings of 2 KiB', { parties: 130, ring: 2048 });

describe('a call, whatever the number of cores', () => {
  for (const [name, shape] of shapes) {
    test(`keeps what is below 100 KiB out of shared memory, and what is above in it (${name})`, async () => {
      const node = nodeOf(shape);
      const { engine } = node;
      const look = node.prepare(LOOK);
      for (const length of [1, 1024, 24 * KiB, 90 * KiB, 100 * KiB - 64]) {
        const x = data(length, 7);
        const put = engine.put(x);
        assert.equal(node.used, 0, `${length} bytes, put`);
        assert.deepEqual(await node.call(look, x, put).value, seen([x, x]));
        assert.equal(node.used, 0, `${length} bytes, as arguments`);
      }
      const echo = node.prepare('(x) => x');
      assert.deepEqual(await node.call(echo, data(100 * KiB - 64, 3)).value, data(100 * KiB - 64, 3));
      const text = 'x'.repeat(100 * KiB - 64);
      assert.equal(await node.call(echo, text).value, text);
      assert.equal(node.used, 0, 'as a result');

      const large = engine.put(data(100 * KiB, 5));
      assert.equal(node.used, 128 * KiB);
      const lengthOf = node.prepare('(x) => x.length');
      assert.equal(await node.call(lengthOf, large).value, 100 * KiB);
    });

    test(`takes ten thousand arguments, and forty large ones (${name})`, async () => {
      const node = nodeOf(shape);
      const { engine } = node;
      const sum = node.prepare('(...xs) => xs.reduce((a, b) => a + b, 0)');
      const look = node.prepare(LOOK);
      const numbers = Array.from({ length: 10_000 }, (_, i) => i);
      const expected = (10_000 * 9999) / 2;
      assert.equal(await node.call(sum, ...numbers).value, expected);
      const refs = numbers.map((n) => engine.put(n));
      assert.equal(await node.call(sum, ...refs).value, expected);
      const many = Array.from({ length: 40 }, (_, i) => data(90 * KiB, i));
      assert.deepEqual(await node.call(look, ...many).value, seen(many));
      const ofMany = many.map((x) => engine.put(x));
      assert.deepEqual(await node.call(look, ...ofMany).value, seen(many));
      assert.equal(node.used, 0);
      assert.equal(node.executions.inboxes.parcels.byteLength, 0);
    });
  }
});

describe('what one call carries in messages', () => {
  const shape = blockShape(2, 'processes');

  test('is 10 MiB at most: more binary data lies in shared memory', async () => {
    const node = nodeOf(shape);
    const look = node.prepare(LOOK);
    const fit = Math.floor(INLINE_TOTAL / (90 * KiB));
    const many = Array.from({ length: fit + 20 }, (_, i) => data(90 * KiB, i));
    const ref = node.call(look, ...many);
    const used = node.used;
    // Twenty of them, or one more for what goes along.
    assert.ok(used >= 20 * 90 * KiB && used <= 21 * 90 * KiB + 128 * KiB, `${used} bytes`);
    const kinds = (await ref.value) as [own: boolean, ...unknown[]][];
    assert.ok(kinds.slice(0, fit - 1).every(([own]) => own));
    assert.deepEqual(
      kinds.map(([, ...rest]) => rest),
      many.map((x) => [x.length, x[0], x.at(-1)]),
    );
  });

  test('is 10 MiB at most: more text travels through shared memory', async () => {
    const node = nodeOf(shape);
    const lengths = node.prepare('(...xs) => xs.reduce((n, x) => n + x.length, 0)');
    const text = 't'.repeat(90 * KiB);
    const within = Array.from({ length: 100 }, () => text);
    assert.equal(await node.call(lengths, ...within).value, 100 * text.length);
    assert.equal(node.used, 0);
    const beyond = Array.from({ length: 120 }, () => text);
    const ref = node.call(lengths, ...beyond);
    assert.ok(node.used >= INLINE_TOTAL);
    assert.equal(await ref.value, 120 * text.length);
    await until('shared memory is back', () => node.used === 0);
  });

  test('is 10 MiB at most: more values of references travel through shared memory', async () => {
    const node = nodeOf(shape);
    const { engine } = node;
    const look = node.prepare(LOOK);
    const many = Array.from({ length: 120 }, (_, i) => data(90 * KiB, i));
    const refs = many.map((x) => engine.put(x));
    await node.call(look).value;
    assert.equal(node.used, 0);
    const wake = node.deaf();
    const ref = node.call(look, ...refs);
    assert.ok(node.used >= INLINE_TOTAL, `${node.used} bytes`);
    wake();
    // Whichever way they came, each is an object of its own.
    assert.deepEqual(await ref.value, seen(many));
    await until('shared memory is back', () => node.used === 0);
  });

  test('so does what one reply carries', async () => {
    const node = nodeOf(shape);
    const count = Math.floor(INLINE_TOTAL / (90 * KiB)) + 20;
    const make = node.prepare(`(n) => Array.from({ length: ${count} }, (_, i) => new Uint8Array(n).fill(i))`, {
      returns: count,
    });
    const refs = node.engine.submit(make, [90 * KiB]) as Reference<unknown>[];
    const values = (await Promise.all(refs.map((ref) => ref.value))) as Uint8Array[];
    values.forEach((x, i) => {
      assert.deepEqual([x.length, x[0], x.at(-1)], [90 * KiB, i & 255, i & 255]);
    });
    const { used, objects } = node.store.stats();
    assert.ok(objects >= 20 && objects <= 22, `${objects} of ${count} in shared memory`);
    assert.equal(used, objects * 128 * KiB);
  });

  test('each argument counts by itself, with the buffers that it is the first to show', async () => {
    const node = nodeOf(shape);
    const look = node.prepare('(...xs) => xs.map((x) => [x.byteLength === x.buffer.byteLength, x.length])');
    const small = new Uint8Array(60 * KiB);
    const other = new Uint8Array(60 * KiB);
    assert.deepEqual(await node.call(look, small, other, small).value, [
      [true, 60 * KiB],
      [true, 60 * KiB],
      [true, 60 * KiB],
    ]);
    assert.equal(node.used, 0);
    // Together they are one argument, of more than 100 KiB.
    const sizes = node.prepare('({ a, b }) => [a.length, b.length]');
    const ref = node.call(sizes, { a: small, b: other });
    assert.equal(node.used, 128 * KiB);
    assert.deepEqual(await ref.value, [60 * KiB, 60 * KiB]);
    // And a large one leaves its neighbours alone.
    const before = node.used;
    const mixed = node.call(sizes, { a: small, b: new Uint8Array(200 * KiB) }, other);
    assert.equal(node.used - before, 320 * KiB);
    assert.deepEqual(await mixed.value, [60 * KiB, 200 * KiB]);
  });
});

describe('a call whose function or arguments are still under way', () => {
  // A definition or a body of so much fills the message ring many times over.
  const shape: BlockShape = { parties: 34, ring: 16 * KiB };
  const body = 'y'.repeat(95 * KiB);

  test('waits for its function', async () => {
    const node = nodeOf(shape);
    const task = node.prepare('(x) => captures.text.length + x', { captures: { text: 'x'.repeat(3 * MiB) } });
    const wake = node.deaf();
    const ref = node.call(task, 1);
    // The worker looks at all that has room, before its caller sends the rest.
    wake();
    assert.equal(node.executions.started, 0);
    assert.equal(await ref.value, 3 * MiB + 1);
  });

  test('waits for its body, and lets nothing overtake it that was sent later', async () => {
    const node = nodeOf(shape);
    const order = node.prepare('(x) => { globalThis.sheafOrder ??= []; return globalThis.sheafOrder.push(x.length); }');
    await node.call(order, '').value;
    const wake = node.deaf();
    const refs = [node.call(order, body), node.call(order, 'small')];
    wake();
    assert.equal(node.executions.started, 1);
    assert.deepEqual(await Promise.all(refs.map((ref) => ref.value)), [2, 3]);
    assert.deepEqual((globalThis as { sheafOrder?: number[] }).sheafOrder, [0, body.length, 5]);
  });

  test('is taken back with all that came of it', async () => {
    const node = nodeOf(shape);
    const lengthOf = node.prepare('(x) => x.length');
    await node.call(lengthOf, '').value;
    const wake = node.deaf();
    const ref = node.call(lengthOf, body);
    const next = node.call(lengthOf, body);
    node.executions.inboxes.runNext(true);
    assert.ok(node.executions.inboxes.parcels.byteLength > 0, 'some of it has come');
    node.engine.cancel(ref, new Error('no longer'), false, true);
    await assert.rejects(ref.value, /no longer/);
    wake();
    assert.equal(await next.value, body.length);
    await until('nothing is kept', () => node.executions.inboxes.parcels.byteLength === 0);
    assert.equal(node.executions.started, 2);
  });

  test('is forgotten with its caller', async () => {
    const node = nodeOf(shape);
    const lengthOf = node.prepare('(x) => x.length');
    await node.call(lengthOf, '').value;
    const wake = node.deaf();
    node.call(lengthOf, body).ignore();
    node.executions.inboxes.runNext(true);
    assert.ok(node.executions.inboxes.parcels.byteLength > 0);
    node.executions.callerDied(1);
    assert.equal(node.executions.inboxes.parcels.byteLength, 0);
    wake();
  });

  test('and others like it are not gathered without end at a worker that is busy', async () => {
    const node = nodeOf(blockShape(2, 'processes'));
    const lengthOf = node.prepare('(...xs) => xs.length');
    // What they cost is known now, so that many are sent ahead.
    for (let i = 0; i < 20; i++) await node.call(lengthOf, '').value;
    const xs = Array.from({ length: 100 }, () => body);
    const wake = node.deaf();
    const refs = Array.from({ length: 8 }, () => node.call(lengthOf, ...xs));
    for (let i = 0; i < 1000; i++) {
      node.caller.reactor.poll();
      node.worker.reactor.poll();
    }
    const kept = node.executions.inboxes.parcels.byteLength;
    assert.ok(kept > 9 * MiB && kept <= 16 * MiB + INLINE_TOTAL, `${kept} bytes`);
    wake();
    for (const ref of refs) assert.equal(await ref.value, 100);
    assert.equal(node.executions.inboxes.parcels.byteLength, 0);
    assert.equal(node.used, 0);
  });
});

test('a call that found the way to its worker full is sent when there is room, though nothing of its own was answered', {
  timeout: 30_000,
}, async () => {
  const node = nodeOf({ parties: 34, ring: 4 * KiB });
  const lengthOf = node.prepare('(x) => x.length');
  const other = node.prepare('(x) => x', { shape: { cpus: 0.5 } });
  const { queues } = node.caller.party.owner;
  do {
    assert.equal(await node.call(lengthOf, 'abc').value, 3);
    assert.equal(await node.call(other, 7).value, 7);
  } while (queues.some(({ leases }) => leases.length === 0));
  // As on a machine that is not busy: so cheap that only the ring limits how many are sent.
  for (const { fn } of [lengthOf, other]) fn.timing.micros = 1;
  const wake = node.deaf();
  // Small ones, so that not even a small one finds room behind them.
  const refs = Array.from({ length: 200 }, () => node.call(lengthOf, 'abc'));
  const last = node.call(other, 42);
  node.caller.settleUp();
  assert.equal(queues[1]?.waiting.size, 1, 'there was no room for it');
  wake();
  assert.equal(await last.value, 42);
  for (const ref of refs) assert.equal(await ref.value, 3);
});

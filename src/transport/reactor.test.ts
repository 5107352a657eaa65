import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bell } from './bell.ts';
import { ControlBlock } from './control-block.ts';
import { type Inbox, Reactor, type ReactorHost, type ReactorOptions } from './reactor.ts';
import type { RingReader } from './ring.ts';

const SHAPE = { parties: 32, ring: 4096 };

/** Bells of one thread: ringing calls the listener in a turn of its own. */
class Bells {
  readonly listeners: (() => void)[] = [];
  readonly rung: number[] = [];
  readonly held = new Map<number, boolean>();
  /** Called before the one who rings goes on. */
  during: ((to: number) => void) | undefined;

  of(party: number): Bell {
    return {
      ring: (to) => {
        this.rung.push(to);
        this.during?.(to);
        setImmediate(() => this.listeners[to]?.());
      },
      listen: (heard) => {
        this.listeners[party] = heard;
      },
      hold: (keepAlive) => {
        this.held.set(party, keepAlive);
      },
      close: () => {
        delete this.listeners[party];
      },
    };
  }
}

class Fake implements ReactorHost {
  readonly reactor: Reactor;
  readonly got: [from: number, text: string][] = [];
  readonly log: string[] = [];
  onMessage: ((from: number, text: string) => void) | undefined;
  work = 0;
  waiting = false;
  working = false;
  due: number | undefined;

  constructor(block: ControlBlock, party: number, bells: Bells, options: Partial<ReactorOptions> = {}) {
    this.reactor = new Reactor(block, party, bells.of(party), this, {
      spin: 0,
      slice: 10,
      spinners: 1,
      yieldCore: undefined,
      ...options,
    });
  }

  send(to: number, text: string): void {
    const bytes = new Uint8Array(4 + text.length);
    new DataView(bytes.buffer).setInt32(0, text.length, true);
    bytes.set(new TextEncoder().encode(text), 4);
    this.reactor.post(to, bytes, bytes.length);
  }

  message(from: number, reader: RingReader): void {
    const { words, bytes } = reader.views;
    const at = reader.at + 4;
    const text = new TextDecoder().decode(bytes.slice(at, at + (words[reader.at >> 2] as number)));
    this.got.push([from, text]);
    this.log.push(text.slice(0, 10));
    this.onMessage?.(from, text);
  }

  runTasks(idle: boolean): boolean {
    if (this.work === 0) return false;
    this.work--;
    this.log.push(idle ? 'idle task' : 'task');
    return true;
  }

  settleUp(): void {
    this.log.push('settle');
  }

  expecting(): boolean {
    return this.waiting;
  }

  busy(): boolean {
    return this.working;
  }

  parking(): void {
    this.log.push('park');
  }

  nextTick(): number | undefined {
    return this.due;
  }

  tick(): void {
    this.log.push('tick');
    this.due = undefined;
  }

  get texts(): string[] {
    return this.got.map(([, text]) => text);
  }
}

async function until(what: string, done: () => boolean): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!done()) {
    assert.ok(performance.now() < limit, `waited 10 s for: ${what}`);
    await sleep(1);
  }
}

function pair(options: Partial<ReactorOptions> = {}): { a: Fake; b: Fake; bells: Bells; block: ControlBlock } {
  const block = ControlBlock.create(SHAPE, 'threads');
  const bells = new Bells();
  return { a: new Fake(block, 1, bells, options), b: new Fake(block, 2, bells, options), bells, block };
}

describe('a reactor', () => {
  test('wakes a sleeper once for many messages, and settles up after each batch', async () => {
    const { a, b, bells } = pair();
    for (let i = 0; i < 5; i++) a.send(2, `m${i}`);
    assert.deepEqual(bells.rung, [2]);
    await until('messages', () => b.got.length === 5);
    assert.deepEqual(b.log.slice(0, 6), ['m0', 'm1', 'm2', 'm3', 'm4', 'settle']);
    assert.deepEqual(
      b.got.map(([from]) => from),
      [1, 1, 1, 1, 1],
    );
  });

  test('does not ring for one who is awake', async () => {
    const { a, b, bells } = pair();
    a.send(2, 'first');
    b.onMessage = () => a.send(2, 'while it works');
    await until('the first', () => b.got.length >= 1);
    b.onMessage = undefined;
    await until('the second', () => b.got.length >= 2);
    assert.deepEqual(bells.rung, [2]);
  });

  test('who rings is awake before the other one is, so that an answer given at once needs no bell', async () => {
    const { a, b, bells } = pair();
    const { listeners, rung } = bells;
    const turns = listeners[2] as () => void;
    // As if on another core: it has answered before the one who rang goes on.
    let answered = false;
    b.onMessage = () => {
      b.send(1, 'answer');
      answered = true;
    };
    bells.during = (to) => {
      if (to === 2) turns();
    };
    a.send(2, 'question');
    assert.ok(answered);
    assert.deepEqual(rung, [2]);
    await until('the answer', () => a.got.length === 1);
    assert.deepEqual(rung, [2]);
  });

  test('gives the core away once after the last of its work, and takes in what comes meanwhile', async () => {
    let given = 0;
    const yieldCore = () => {
      given++;
      if (given < 3) a.send(2, `during ${given}`);
    };
    // Nobody may spin.
    const { a, b, bells } = pair({ spin: 5, spinners: 0, yieldCore });
    a.send(2, 'first');
    await until('all', () => b.got.length === 3);
    await sleep(5);
    assert.deepEqual(b.texts, ['first', 'during 1', 'during 2']);
    assert.equal(given, 3);
    // It never slept in between.
    assert.deepEqual(bells.rung, [2]);
    assert.deepEqual(b.log.slice(0, 7), ['first', 'settle', 'during 1', 'settle', 'during 2', 'settle', 'park']);
  });

  test('keeps the order when a ring is full, and sends what waited as soon as there is room', async () => {
    const { a, b, bells } = pair();
    const long = 'x'.repeat(900);
    const sent = Array.from({ length: 40 }, (_, i) => `${i} ${long}`);
    for (const text of sent) a.send(2, text);
    assert.equal(a.reactor.messageWriter(2), undefined, 'older messages wait');
    await until('messages', () => b.got.length === 40);
    assert.deepEqual(b.texts, sent);
    assert.notEqual(a.reactor.messageWriter(2), undefined);
    assert.ok(bells.rung.length >= 1);
  });

  test('looks for room now and then while the receiver does nothing, and sends as soon as it reads', async () => {
    const { a, b, bells } = pair();
    const listener = bells.listeners[2] as () => void;
    bells.listeners[2] = () => {};
    const sent = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(900)}`);
    for (const text of sent) a.send(2, text);
    const begun = performance.now();
    await sleep(200);
    const turns = a.log.filter((line) => line === 'park').length;
    // Not in every turn of the event loop, of which there are many in a millisecond.
    assert.ok(turns > 1 && turns < (performance.now() - begun) * 2 + 100, `${turns} turns`);
    bells.listeners[2] = listener;
    listener();
    await until('messages', () => b.got.length === 40);
    assert.deepEqual(b.texts, sent);
  });

  test('answers, however long, in both directions at once', async () => {
    const { a, b } = pair();
    const long = 'y'.repeat(700);
    let left = 100;
    b.onMessage = (_, text) => b.send(1, text);
    a.onMessage = () => {
      if (--left > 0) a.send(2, `${left} ${long}`);
    };
    for (let i = 0; i < 10; i++) a.send(2, `${i} first ${long}`);
    await until('110 answers', () => a.got.length >= 109);
    assert.deepEqual(a.texts, b.texts);
  });

  test('takes messages in between tasks, and parks when there is neither', async () => {
    const { a, b } = pair();
    b.work = 3;
    a.send(2, 'm');
    await until('parked', () => b.log.includes('park'));
    assert.deepEqual(b.log, ['m', 'settle', 'task', 'task', 'task', 'park']);
    assert.equal(b.work, 0);
  });

  test('gives the event loop a turn after a slice, however much there is to do', async () => {
    const { b } = pair({ slice: 2 });
    b.work = Number.POSITIVE_INFINITY;
    const turns: number[] = [];
    const timer = setInterval(() => turns.push(b.log.length), 1);
    b.reactor.kick();
    await until('timers', () => turns.length > 5);
    b.work = 0;
    clearInterval(timer);
    assert.ok((turns[5] as number) > (turns[0] as number));
  });

  test('gives the event loop a turn at once when asynchronous work is under way', async () => {
    const { b } = pair({ slice: 1e6, spin: 1e6 });
    b.working = true;
    b.work = 1e6;
    let turned = false;
    b.reactor.kick();
    setTimeout(() => {
      turned = true;
      b.work = 0;
    }, 0);
    await until('a timer', () => turned);
  });

  test('ticks when its host says that something is due', async () => {
    const { b } = pair();
    b.due = 5;
    b.reactor.kick();
    await until('a tick', () => b.log.includes('tick'));
    b.due = 3;
    b.reactor.kick();
    await until('another tick', () => b.log.filter((line) => line === 'tick').length === 2);
  });

  test('keeps the process alive only while its host expects something', async () => {
    const { b, bells } = pair();
    assert.equal(bells.held.get(2), false);
    b.waiting = true;
    b.reactor.kick();
    await until('held', () => bells.held.get(2) === true);
    b.waiting = false;
    b.reactor.kick();
    await until('let go', () => bells.held.get(2) === false);
  });

  test('spinning on the spot ends with what was waited for', () => {
    const { a, b } = pair({ spin: 1000, slice: 1000 });
    a.send(2, 'answer');
    b.onMessage = () => {
      b.reactor.deliveries++;
    };
    b.reactor.spinNow();
    assert.deepEqual(b.texts, ['answer']);
    b.reactor.close();
  });

  test('who is waited for on the same core gets its turn while the spin goes on', () => {
    // Nothing but the other one's turn ends this spin.
    const { a, b } = pair({ spin: 1e6, slice: 1e6, yieldCore: () => a.send(2, 'at last') });
    b.onMessage = () => {
      b.reactor.deliveries++;
    };
    b.reactor.spinNow();
    assert.deepEqual(b.texts, ['at last']);
    b.reactor.close();
  });

  test('spinning on the spot leaves the budget as it was, also when it runs out of time', () => {
    const { b, block } = pair({ spin: 3, slice: 5 });
    b.reactor.spinNow();
    assert.equal(block.beginSpin(3, 1), true);
    block.endSpin(3);
    // With the budget used up it does not spin at all.
    assert.equal(block.beginSpin(3, 1), true);
    b.reactor.spinNow();
    block.endSpin(3);
    b.reactor.close();
  });

  test('takes in the last words of a dead party, and forgets it until its number has another holder', async () => {
    const { a, b, block, bells } = pair();
    a.send(2, 'hello');
    await until('hello', () => b.got.length === 1);
    a.send(2, 'last words');
    b.reactor.drain(1);
    assert.deepEqual(b.texts, ['hello', 'last words']);
    b.reactor.forget(1, block.incarnation(1));
    // Its memory is still there, and a slow write of it does no harm.
    a.send(2, 'from the grave');
    b.reactor.poll();
    assert.equal(b.got.length, 2);

    block.reset(1, 2);
    const next = new Fake(block, 1, bells);
    next.send(2, 'the next one');
    await until('the next one', () => b.got.length === 3);
    assert.deepEqual(b.texts[2], 'the next one');
  });

  test('has an inbox for calls of those who have called, and for no others', async () => {
    const { a, b } = pair();
    a.send(2, 'a message');
    await until('a message', () => b.got.length === 1);
    const inboxes = (): readonly Inbox[] => b.reactor.taskInboxes;
    assert.equal(inboxes().length, 0);
    const writer = a.reactor.taskWriter(2);
    assert.ok(writer.reserve(16) >= 0);
    writer.commit(16);
    b.reactor.poll();
    assert.deepEqual(
      inboxes().map(({ from, reader }) => [from, reader.next()]),
      [[1, true]],
    );
    b.reactor.poll();
    assert.equal(inboxes().length, 1);
    b.reactor.forget(1, 0);
    b.reactor.poll();
    assert.equal(inboxes().length, 0);
  });

  test('what waits for room at a party that dies is dropped', async () => {
    const { a, b } = pair();
    for (let i = 0; i < 40; i++) a.send(2, `${i} ${'z'.repeat(900)}`);
    assert.equal(a.reactor.messageWriter(2), undefined);
    a.reactor.forget(2, a.reactor.block.incarnation(2));
    await sleep(5);
    assert.notEqual(a.reactor.messageWriter(2), undefined);
    void b;
  });

  test('does not take in messages inside of a message', async () => {
    const { a, b } = pair();
    const order: string[] = [];
    b.onMessage = (_, text) => {
      order.push(`begin ${text}`);
      assert.equal(b.reactor.poll(), false);
      order.push(`end ${text}`);
    };
    a.send(2, '1');
    a.send(2, '2');
    await until('both', () => order.length === 4);
    assert.deepEqual(order, ['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  test('does nothing after it was closed', async () => {
    const { a, b, bells } = pair();
    b.reactor.close();
    b.reactor.close();
    a.send(2, 'm');
    b.reactor.kick();
    b.reactor.spinNow();
    await sleep(5);
    assert.deepEqual(b.got, []);
    assert.equal(bells.listeners[2], undefined);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../testing/simulator/random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { MemoryLink } from './memory-link.ts';
import { SessionLink } from './session-link.ts';

/** A network between two ends that delays messages, breaks connections, and refuses some attempts to dial. */
class Network {
  readonly clock = new VirtualClock();
  readonly random: Random;
  live: MemoryLink[] = [];
  /** Where connections arrive. */
  accept: ((link: MemoryLink) => void) | undefined;
  /** The share of attempts that fail. */
  refusals = 0;
  dialled = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  readonly dial = (): MemoryLink | undefined => {
    if (this.random.chance(this.refusals)) return undefined;
    this.dialled++;
    const [here, there] = MemoryLink.pair({ later: (run) => void this.clock.after(this.random.int(20), run) });
    this.live.push(here);
    this.clock.after(this.random.int(20), () => {
      if (there.open) this.accept?.(there);
    });
    return here;
  };

  breakAll(): void {
    for (const link of this.live.splice(0)) link.break();
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

interface End {
  readonly link: SessionLink;
  readonly sent: string[];
  readonly got: string[];
  readonly closed: string[];
}

function end(link: SessionLink): End {
  const got: string[] = [];
  const closed: string[] = [];
  link.listen({ message: (m) => got.push(text(m)), writable: () => {}, closed: (reason) => closed.push(reason) });
  return { link, sent: [], got, closed };
}

function pair(net: Network, giveUpMs = 1e9): { a: End; b: End } {
  const { clock } = net;
  const common = { incarnation: 1, after: clock.after, giveUpMs, acknowledgeAfter: 4 };
  const b = end(new SessionLink(common));
  net.accept = (link) => b.link.attach(link);
  return { a: end(new SessionLink({ ...common, dial: net.dial })), b };
}

function say(from: End, what: string): void {
  from.sent.push(what);
  from.link.send(bytes(what));
}

describe('a session over connections that break', () => {
  test('loses nothing, repeats nothing and keeps the order, whatever breaks when (1,000 seeds)', () => {
    let dialled = 0;
    for (let seed = 1; seed <= 1000; seed++) {
      const net = new Network(seed);
      const { clock, random } = net;
      net.refusals = random.next() * 0.5;
      const { a, b } = pair(net);
      const breaks = random.int(8);
      const count = random.int(60);
      for (let i = 0; i < count; i++) {
        const from = random.chance(0.5) ? a : b;
        clock.after(random.int(600), () => say(from, `${seed}.${from.sent.length}`));
      }
      for (let i = 0; i < breaks; i++) clock.after(random.int(700), () => net.breakAll());
      clock.run();
      assert.deepEqual(b.got, a.sent, `seed ${seed}, to the accepting end`);
      assert.deepEqual(a.got, b.sent, `seed ${seed}, to the dialling end`);
      assert.equal(a.link.buffered + b.link.buffered, 0, `seed ${seed}: something was never acknowledged`);
      dialled += net.dialled;
    }
    assert.ok(dialled > 3000, `only ${dialled} connections: the breaks did not happen`);
  });

  test('says goodbye behind what was sent, however often it breaks on the way (300 seeds)', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const net = new Network(seed);
      const { clock, random } = net;
      const { a, b } = pair(net, 5000);
      const [closing, other] = random.chance(0.5) ? [a, b] : [b, a];
      for (let i = 0; i < 20; i++) say(closing, `${i}`);
      clock.after(random.int(50), () => closing.link.close('enough'));
      for (let i = 0; i < random.int(4); i++) clock.after(random.int(100), () => net.breakAll());
      clock.run();
      assert.deepEqual(other.got, closing.sent, `seed ${seed}`);
      assert.equal(closing.closed.length, 1, `seed ${seed}`);
      assert.deepEqual(other.closed, ['the other end has closed'], `seed ${seed}`);
    }
  });

  test('hands back what a restarted end had not acknowledged, and begins again with its successor (500 seeds)', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const net = new Network(seed);
      const { clock, random } = net;
      const returned: string[] = [];
      let incarnation = 1;
      const lives: End[] = [];
      const common = { after: clock.after, giveUpMs: 1e9, acknowledgeAfter: 4 };
      const start = (): void => {
        const b = end(new SessionLink({ ...common, incarnation: incarnation++ }));
        lives.push(b);
        net.accept = (link) => b.link.attach(link);
      };
      start();
      const replaced = (lost: readonly Uint8Array[]): void => void returned.push(...lost.map(text));
      const a = end(new SessionLink({ ...common, incarnation: 1, dial: net.dial, replaced }));
      for (let i = 0; i < 40; i++) clock.after(random.int(400), () => say(a, `${i}.${a.sent.length}`));
      for (let i = 0; i < 3; i++) {
        clock.after(100 + random.int(300), () => {
          start();
          net.breakAll();
        });
      }
      clock.run();
      const all = lives.flatMap((life) => life.got);
      // Each message reached exactly one life, or came back, or both: taken in, and the word of it lost with that life.
      for (const message of a.sent) {
        assert.ok(all.includes(message) || returned.includes(message), `seed ${seed}: ${message} is lost`);
      }
      assert.equal(new Set(all).size, all.length, `seed ${seed}: a message came twice`);
      const order = all.map((message) => a.sent.indexOf(message));
      assert.deepEqual(
        order,
        [...order].sort((x, y) => x - y),
        `seed ${seed}: out of order`,
      );
      assert.equal(a.link.buffered, 0);
    }
  });

  test('refuses an end that is older than the one it knows', () => {
    const net = new Network(1);
    const b = end(new SessionLink({ incarnation: 1, after: net.clock.after, giveUpMs: 1e9 }));
    net.accept = (link) => b.link.attach(link);
    const young = end(new SessionLink({ incarnation: 8, after: net.clock.after, dial: net.dial, giveUpMs: 100 }));
    say(young, 'young');
    net.clock.run(() => b.got.length > 0);
    const ghost = end(
      new SessionLink({ incarnation: 7, after: net.clock.after, dial: net.dial, giveUpMs: 500, redialMs: 100 }),
    );
    say(ghost, 'ghost');
    net.clock.run(() => ghost.closed.length > 0);
    assert.deepEqual(b.got, ['young']);
    assert.match(ghost.closed[0] as string, /no connection for 500 ms/);
  });

  test('gives up, once, when nobody answers any more', () => {
    const net = new Network(2);
    const { a, b } = pair(net, 1000);
    say(a, 'x');
    net.clock.run(() => b.got.length > 0);
    net.refusals = 1;
    const cut = net.clock.now;
    net.breakAll();
    say(a, 'y');
    net.clock.run();
    assert.deepEqual([a.closed.length, b.closed.length], [1, 1]);
    assert.ok(net.clock.now >= cut + 1000);
    assert.equal(a.link.send(bytes('z')), false);
  });

  test('keeps what comes before anybody listens, in order', () => {
    const net = new Network(3);
    const late = new SessionLink({ incarnation: 1, after: net.clock.after, giveUpMs: 1e9 });
    net.accept = (link) => late.attach(link);
    const a = end(new SessionLink({ incarnation: 1, after: net.clock.after, dial: net.dial, giveUpMs: 1e9 }));
    for (let i = 0; i < 5; i++) say(a, `${i}`);
    net.clock.after(500, () => {});
    net.clock.run(() => net.clock.now >= 500);
    for (let i = 5; i < 10; i++) say(a, `${i}`);
    const b = end(late);
    net.clock.run();
    assert.deepEqual(b.got, a.sent);
  });
});

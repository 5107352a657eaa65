import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorTable } from './actor-table.ts';
import { idOf, NODE } from './fake-ports.fixture.ts';

const A = idOf(1, 1);
const B = idOf(1, 2);
const DRIVER = `${NODE}.1.1`;
const OTHER = `${NODE}.7.1`;

class Node {
  readonly said: string[] = [];
  /** What nobody has any more. */
  readonly gone = new Set<string>();
  readonly table: ActorTable<string>;

  constructor() {
    const short = (id: string): string => (id === A ? 'A' : 'B');
    const who = (party: string): string => (party === DRIVER ? 'driver' : party === OTHER ? 'other' : party);
    this.table = new ActorTable<string>({
      tell: (party, news) => {
        const more = 'worker' in news ? ` ${news.worker}` : 'why' in news && news.why !== null ? `: ${news.why}` : '';
        this.said.push(`${who(party)}: ${short(news.id)} ${news.state}${more}`);
      },
      retire: (worker, _incarnation, id, alone) =>
        void this.said.push(`retire ${short(id)} on ${worker}${alone ? ' alone' : ''}`),
      joined: (party, id, of) => void this.said.push(`${who(party)}: ${short(id)} is ${short(of)}`),
      isGone: (id) => this.gone.has(id),
      ownerDied: () => 'its owner died',
    });
  }

  take(): string[] {
    return this.said.splice(0);
  }

  /** A is ready on worker 5, and the driver calls it. */
  made(name: string | null = null): void {
    this.table.created(A, 'default', name);
    this.table.watch(A, DRIVER, true);
    this.table.hosted(A, 5, 1, false);
    this.table.hosted(A, 5, 1, true);
    this.take();
  }
}

describe('the table of actors', () => {
  it('tells those who call one where it is, and when it is made', () => {
    const node = new Node();
    node.table.created(A, 'default', null);
    node.table.watch(A, DRIVER, true);
    node.table.hosted(A, 5, 1, false);
    node.table.hosted(A, 5, 1, true);
    node.table.watch(A, OTHER, true);
    assert.deepEqual(node.take(), ['driver: A pending', 'driver: A hosted 5', 'driver: A ready 5', 'other: A ready 5']);
  });

  it('tells those who come before its creation does, unless it can come no more', () => {
    const node = new Node();
    node.table.watch(A, OTHER, true);
    assert.deepEqual(node.take(), []);
    node.table.created(A, 'default', null);
    assert.deepEqual(node.take(), ['other: A pending']);
    node.table.watch(B, OTHER, true);
    node.table.partyDied(DRIVER);
    assert.deepEqual(node.take().sort(), ['other: A dead: its owner died', 'other: B dead: its owner died']);
    node.table.watch(B, OTHER, false);
    assert.deepEqual(node.take(), ['other: B dead: its owner died']);
    assert.equal(node.table.size, 0);
  });

  it('knows where one is whose worker was faster than the word of its creation', () => {
    const node = new Node();
    node.table.hosted(A, 5, 1, false);
    node.table.watch(A, OTHER, true);
    assert.deepEqual(node.take(), []);
    node.table.created(A, 'default', null);
    assert.deepEqual(node.take(), ['other: A hosted 5']);
    node.table.hosted(B, 6, 1, true);
    node.table.workerDied(6, 1);
    node.table.created(B, 'default', null);
    assert.equal(node.table.rows().find((row) => row.id === B)?.state, 'pending');
  });

  it('has it pending again when its worker dies, and no word of the incarnation before it counts', () => {
    const node = new Node();
    node.made();
    node.table.workerDied(5, 2);
    assert.deepEqual(node.take(), [], 'another incarnation of the worker');
    node.table.workerDied(5, 1);
    assert.deepEqual(node.take(), ['driver: A pending']);
    node.table.hosted(A, 6, 1, true);
    assert.deepEqual(node.take(), ['driver: A ready 6']);
  });

  it('says with what it died, once, and to those who ask later', () => {
    const node = new Node();
    node.made();
    node.table.over(A, 'no room');
    node.table.over(A, 'again');
    node.table.watch(A, OTHER, true);
    assert.deepEqual(node.take(), ['driver: A dead: no room', 'other: A dead: no room']);
    node.table.forget(A);
    assert.equal(node.table.size, 0);
  });

  it('drains: nobody calls any more, then it ends', () => {
    const node = new Node();
    node.made();
    node.table.watch(A, OTHER, true);
    node.take();
    node.table.drain(A);
    node.table.drain(A);
    assert.deepEqual(node.take(), ['driver: A closing 5', 'other: A closing 5']);
    node.table.quiet(A, DRIVER);
    node.table.quiet(A, DRIVER);
    assert.deepEqual(node.take(), []);
    node.table.quiet(A, OTHER);
    assert.deepEqual(node.take(), ['retire A on 5']);
    node.table.over(A, null);
    assert.deepEqual(node.take(), ['driver: A dead', 'other: A dead']);
  });

  it('ends one that was drained before it had a worker as soon as it has one', () => {
    const node = new Node();
    node.table.created(A, 'default', null);
    node.table.drain(A);
    assert.deepEqual(node.take(), []);
    node.table.hosted(A, 5, 1, false);
    assert.deepEqual(node.take(), ['retire A on 5']);
  });

  it('sends nobody there any more once its worker is to end it', () => {
    const node = new Node();
    node.made();
    node.table.drain(A);
    node.table.quiet(A, DRIVER);
    node.take();
    node.table.watch(A, OTHER, true);
    assert.deepEqual(node.take(), ['other: A closing -1']);
    node.table.over(A, null);
    assert.deepEqual(node.take(), ['driver: A dead', 'other: A dead']);
  });

  it('does not wait for those who die while it drains', () => {
    const node = new Node();
    node.made();
    node.table.watch(A, OTHER, true);
    node.table.drain(A);
    node.table.quiet(A, DRIVER);
    node.take();
    node.table.partyDied(OTHER);
    assert.deepEqual(node.take(), ['retire A on 5']);
  });

  it('ends with its last reference', () => {
    const node = new Node();
    node.made();
    node.table.forget(A);
    node.table.quiet(A, DRIVER);
    assert.deepEqual(node.take(), ['driver: A closing 5', 'retire A on 5 alone']);
    node.table.over(A, null);
    assert.equal(node.table.size, 0, 'nothing is kept of it');
  });

  it('ends with its owner, and its name is free', () => {
    const node = new Node();
    assert.equal(node.table.claim('default', 'log', A, 'Log'), undefined);
    node.made('log');
    node.table.watch(A, OTHER, true);
    node.take();
    node.table.partyDied(DRIVER);
    assert.deepEqual(node.take(), ['other: A dead: its owner died']);
    assert.equal(node.table.size, 0);
    assert.equal(node.table.named('default', 'log'), undefined);
  });

  it('gives a name to one actor of its namespace, until that ends', () => {
    const node = new Node();
    node.table.claim('default', 'log', A, 'Log');
    node.made('log');
    assert.deepEqual(node.table.claim('default', 'log', B, 'Other'), { id: A, type: 'Log' });
    assert.equal(node.table.claim('elsewhere', 'log', B, 'Log'), undefined);
    assert.deepEqual(node.table.named('default', 'log'), { id: A, type: 'Log' });
    node.table.workerDied(5, 1);
    assert.deepEqual(node.table.named('default', 'log'), { id: A, type: 'Log' }, 'it is made anew');
    node.table.drain(A);
    assert.equal(node.table.claim('default', 'log', B, 'Log'), undefined);
    node.table.over(A, null);
    assert.deepEqual(node.table.named('default', 'log'), { id: B, type: 'Log' });
  });

  it('knows who has something to do at the end, and who holds whom', () => {
    const node = new Node();
    node.table.created(A, 'default', null);
    node.table.hosted(B, 6, 1, true, [A]);
    node.table.created(B, 'default', null);
    node.table.hosted(A, 5, 1, false);
    const disposable = () => node.table.disposable((id) => (id === B ? [1] : []));
    assert.deepEqual(disposable(), [{ id: B, worker: 6, incarnation: 1, heldOn: [1] }]);
    node.table.hosted(A, 5, 1, true, []);
    assert.deepEqual(disposable(), [
      { id: A, worker: 5, incarnation: 1, heldOn: [6] },
      { id: B, worker: 6, incarnation: 1, heldOn: [1] },
    ]);
    node.table.workerDied(6, 1);
    assert.deepEqual(disposable(), [{ id: A, worker: 5, incarnation: 1, heldOn: [] }]);
    node.table.over(A, null);
    assert.deepEqual(disposable(), []);
  });

  it('tells those who watch what turns out to be another one to watch that', () => {
    const node = new Node();
    node.table.watch(B, OTHER, true);
    node.made();
    node.table.alias(B, A);
    assert.deepEqual(node.take(), ['other: B is A']);
    node.table.watch(B, DRIVER, true);
    assert.deepEqual(node.take(), ['driver: B is A']);
    node.table.forget(B);
    assert.equal(node.table.size, 1);
    node.table.alias(B, A);
    node.table.partyDied(DRIVER);
    assert.equal(node.table.size, 0);
  });

  it('ends what was to end before word of its creation came', () => {
    const node = new Node();
    assert.equal(node.table.claim('default', 'log', A, 'Log'), undefined);
    node.table.watch(A, OTHER, true);
    node.table.drain(A);
    assert.equal(node.table.strays, 2);
    node.table.created(A, 'default', 'log');
    assert.deepEqual(node.take(), ['other: A pending', 'other: A closing -1']);
    assert.equal(node.table.named('default', 'log'), undefined);
    node.table.hosted(A, 5, 1, true);
    node.table.quiet(A, OTHER);
    assert.deepEqual(node.take(), ['other: A closing 5', 'retire A on 5']);
    assert.equal(node.table.strays, 0);
  });

  it('forgets that something was to end that never comes', () => {
    const node = new Node();
    node.table.drain(A);
    node.table.alias(A, B);
    assert.equal(node.table.strays, 0, 'it is another one, of which it is said again');
    node.table.drain(B);
    node.table.partyDied(DRIVER);
    assert.equal(node.table.strays, 0, 'its owner is dead');
    node.table.drain(A);
    node.table.forget(A);
    assert.equal(node.table.strays, 0, 'nobody has it');
  });

  it('tells those who come when nobody has it any more that it has ended', () => {
    const node = new Node();
    node.made();
    node.table.over(A, 'it crashed');
    node.table.forget(A);
    node.gone.add(A);
    node.take();
    // Known to them under another id, which they still have.
    node.table.watch(A, OTHER, true);
    assert.deepEqual(node.take(), ['other: A dead']);
    node.table.drain(A);
    node.table.hosted(A, 5, 1, true);
    assert.equal(node.table.strays, 0);
  });

  it('is nowhere, while it is closing, to those who are quiet', () => {
    const node = new Node();
    node.made();
    node.table.watch(A, OTHER, true);
    node.table.drain(A);
    node.table.quiet(A, OTHER);
    node.take();
    node.table.workerDied(5, 1);
    node.table.hosted(A, 6, 1, true);
    // It may have called the actor since, and would send that to a worker that does not wait for it.
    assert.deepEqual(node.take(), [
      'driver: A closing -1',
      'other: A closing -1',
      'driver: A closing 6',
      'other: A closing -1',
    ]);
    node.table.watch(A, OTHER, true);
    node.table.quiet(A, DRIVER);
    assert.deepEqual(node.take(), ['other: A closing 6']);
    node.table.quiet(A, OTHER);
    assert.deepEqual(node.take(), ['retire A on 6']);
  });
});

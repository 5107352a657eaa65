import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type PoolLimits, PoolSize } from './pool.rules.ts';

type Step =
  | { readonly does: 'load'; readonly pending: number }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'ready' | 'die' };

const bounds = fc
  .record({ min: fc.integer({ min: 1, max: 4 }), more: fc.nat(8), perReplica: fc.integer({ min: 1, max: 4 }) })
  .map(({ min, more, perReplica }) => ({ min, max: min + more, perReplica, growAfter: 20, shrinkAfter: 200 }));

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant('load' as const), pending: fc.nat(40) }) },
    { weight: 4, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.nat(400) }) },
    { weight: 3, arbitrary: fc.constant<Step>({ does: 'ready' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ does: 'die' }) },
  ),
  { maxLength: 150 },
);

/** A pool whose replicas are made and end as its size says, on a clock that a schedule moves. */
class Run {
  readonly limits: PoolLimits;
  readonly size: PoolSize;
  starting = 0;
  ready = 0;
  pending = 0;
  now = 0;
  /** How many were of use, from when on. */
  readonly history: { at: number; useful: number }[] = [];
  grown = 0;
  shrunk = 0;

  constructor(limits: PoolLimits) {
    this.limits = limits;
    this.size = new PoolSize(limits);
    this.load(0);
  }

  get useful(): number {
    const { min, max, perReplica } = this.limits;
    return Math.min(max, Math.max(min, Math.ceil(this.pending / perReplica)));
  }

  load(pending: number): void {
    this.pending = pending;
    this.history.push({ at: this.now, useful: this.useful });
    this.look();
  }

  /** The most and the least that were of use in the last so many milliseconds. */
  within(ms: number): { most: number; least: number } {
    const from = this.history.findLastIndex(({ at }) => at <= this.now - ms);
    const useful = this.history.slice(Math.max(0, from)).map((each) => each.useful);
    return { most: Math.max(...useful), least: Math.min(...useful) };
  }

  look(): void {
    const change = this.size.look(this.pending, this.now);
    const { min, max, growAfter, shrinkAfter } = this.limits;
    if (change > 0) {
      const before = this.size.live;
      if (before >= min) {
        assert.ok(
          this.now >= growAfter && this.within(growAfter).least > before,
          'it grows for what is of use for a while',
        );
        this.grown++;
      }
      this.size.made(change);
      this.starting += change;
    } else if (change < 0) {
      const after = this.size.live + change;
      assert.ok(after >= this.within(shrinkAfter).most, 'what was of use lately stays');
      this.shrunk++;
      // Those that are ready go first.
      for (let i = 0; i < -change; i++) this.end('letGo', this.ready > 0);
    }
    assert.ok(this.size.live <= max && this.size.live >= (this.size.dead ? 0 : 1), `${this.size.live} live`);
    assert.equal(this.size.live, this.starting + this.ready);
  }

  end(how: 'died' | 'letGo', wasReady: boolean): void {
    if (wasReady) this.ready--;
    else this.starting--;
    this.size[how](wasReady);
  }

  /** Time passes, with looks when they are asked for. */
  wait(ms: number): void {
    const end = this.now + ms;
    for (let next = this.size.nextLook; next !== undefined && next <= end; next = this.size.nextLook) {
      const before = this.now;
      this.now = Math.max(this.now, next);
      this.look();
      if (this.size.nextLook !== undefined) assert.ok(this.size.nextLook > before, 'it does not look for ever');
    }
    this.now = end;
    this.look();
  }
}

describe('the size of a pool', () => {
  test('stays within its bounds, grows for what lasts, and keeps what was of use lately', () => {
    let grown = 0;
    let shrunk = 0;
    fc.assert(
      fc.property(bounds, steps, (limits, schedule) => {
        const run = new Run(limits);
        assert.equal(run.size.live, limits.min);
        for (const step of schedule) {
          if (step.does === 'load') run.load(step.pending);
          else if (step.does === 'wait') run.wait(step.ms);
          else if (step.does === 'ready' && run.starting > 0) {
            run.starting--;
            run.ready++;
            run.size.ready();
          } else if (step.does === 'die' && run.ready > 0) {
            run.end('died', true);
            run.look();
            assert.ok(run.size.live >= limits.min, 'one that has worked is replaced');
          }
        }
        // A load that stays for long has just what it can use.
        run.load(run.pending);
        run.wait(limits.growAfter);
        run.wait(2 * limits.shrinkAfter);
        assert.equal(run.size.live, run.useful);
        grown += run.grown;
        shrunk += run.shrunk;
      }),
      { numRuns: 2000 },
    );
    assert.ok(grown > 50 && shrunk > 20, `${grown} times grown, ${shrunk} times shrunk`);
  });

  test('does not change for a burst', () => {
    const run = new Run({ min: 1, max: 8, perReplica: 2, growAfter: 20, shrinkAfter: 1000 });
    for (let i = 0; i < 10; i++) {
      run.load(1000);
      run.wait(19);
      run.load(0);
      run.wait(1);
    }
    assert.equal(run.size.live, 1);
    run.load(5);
    run.wait(20);
    assert.equal(run.size.live, 3);
  });

  test('makes nothing in the place of what could not be made', () => {
    const run = new Run({ min: 2, max: 8, perReplica: 2, growAfter: 20, shrinkAfter: 1000 });
    run.end('died', false);
    run.look();
    assert.deepEqual([run.size.live, run.size.dead], [1, false], 'the other one may be made yet');
    run.end('died', false);
    run.look();
    assert.deepEqual([run.size.live, run.size.dead], [0, true]);
    run.load(100);
    run.wait(100);
    assert.equal(run.size.live, 0);
  });

  test('makes another one where one could be made', () => {
    const run = new Run({ min: 2, max: 2, perReplica: 2, growAfter: 20, shrinkAfter: 1000 });
    run.starting--;
    run.ready++;
    run.size.ready();
    run.end('died', false);
    run.look();
    assert.equal(run.size.live, 2);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MapWindow, type Slot } from './map.rules.ts';

/** A map whose source and calls end when a schedule says so. */
class Run {
  readonly window: MapWindow<number>;
  readonly underWay: { slot: Slot<number>; item: number }[] = [];
  readonly taken: number[] = [];
  /** In the order in which calls ended. */
  readonly ended: number[] = [];
  readonly #items: number;
  pulled = 0;
  widest = 0;

  constructor(items: number, inFlight: number, ordered: boolean) {
    this.window = new MapWindow(inFlight, ordered);
    this.#items = items;
  }

  /** Asks the source, if that is wanted; it answers in `answer`. */
  ask(): boolean {
    if (!this.window.wantsItem) return false;
    this.window.pull();
    assert.equal(this.window.wantsItem, false, 'the source is asked for one item at a time');
    return true;
  }

  answer(): void {
    if (this.pulled === this.#items) {
      this.window.exhaust();
      return;
    }
    this.underWay.push({ slot: this.window.item(), item: this.pulled++ });
    this.widest = Math.max(this.widest, this.pulled - this.taken.length);
  }

  end(which: number): void {
    const [call] = this.underWay.splice(which % this.underWay.length, 1);
    if (call === undefined) return;
    this.ended.push(call.item);
    this.window.settle(call.slot, call.item);
  }

  take(): boolean {
    const item = this.window.take();
    if (item !== undefined) this.taken.push(item);
    return item !== undefined;
  }
}

describe('the window of a map', () => {
  test('holds so many items and no more, and gives each outcome once, in order', () => {
    fc.assert(
      fc.property(
        fc.nat(30),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        fc.array(fc.nat(1000), { maxLength: 300 }),
        (items, inFlight, ordered, schedule) => {
          const run = new Run(items, inFlight, ordered);
          let asked = false;
          for (const choice of [...schedule, ...new Array(items * 8 + 20).fill(0).map((_, i) => i)]) {
            if (choice % 4 === 0) asked ||= run.ask();
            else if (choice % 4 === 1 && asked) {
              asked = false;
              run.answer();
            } else if (choice % 4 === 2 && run.underWay.length > 0) run.end(choice);
            else if (choice % 4 === 3) run.take();
          }
          const all = Array.from({ length: items }, (_, i) => i);
          assert.deepEqual(run.taken, ordered ? all : run.ended);
          assert.deepEqual(
            [...run.taken].sort((a, b) => a - b),
            all,
          );
          assert.ok(run.window.done);
          assert.ok(run.widest <= inFlight, `${run.widest} of ${inFlight}`);
        },
      ),
    );
  });

  test('gives an outcome as soon as it is there, whether the window is full or not', () => {
    const run = new Run(10, 4, true);
    run.ask();
    run.answer();
    run.ask();
    run.end(0);
    assert.ok(run.take(), 'the source is being asked, and the outcome is there all the same');
    assert.equal(run.take(), false);
    assert.equal(run.window.done, false);
  });

  test('in order, a late one holds up those behind it; out of order it does not', () => {
    for (const ordered of [true, false]) {
      const run = new Run(3, 3, ordered);
      for (let i = 0; i < 3; i++) {
        run.ask();
        run.answer();
      }
      assert.equal(run.ask(), false, 'it is full');
      run.end(1);
      assert.equal(run.take(), !ordered);
      assert.equal(run.ask(), !ordered, 'room is made by taking');
    }
  });

  test('is done when the source is and all has been taken', () => {
    const run = new Run(1, 4, false);
    run.ask();
    run.answer();
    run.ask();
    run.answer();
    assert.equal(run.window.done, false);
    assert.equal(run.window.wantsItem, false);
    run.end(0);
    assert.equal(run.window.done, false);
    run.take();
    assert.ok(run.window.done);
    const empty = new Run(0, 4, true);
    empty.ask();
    empty.answer();
    assert.ok(empty.window.done);
  });
});

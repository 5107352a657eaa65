import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { statsOf, usedBy } from './accounts.ts';
import { Admission } from './admission.ts';
import { audit } from './audit.ts';
import { countBits, findRun, lastRun } from './bitmap.ts';
import { H_BUSY, H_DIRTY, H_FREE, H_FREE_SLOT, H_LOW, H_WARM, PAGE, REGION_PAGES } from './layout.ts';
import { statesDuring, tables } from './table.fixture.ts';
import { type SlotRef, Table } from './table.ts';

test('runs are found where a scan page by page finds them, and never across regions', () => {
  const bits = fc.array(fc.constantFrom(0, -1, 1, 0x80000000 | 0, 0x7fffffff, 0x0ff0f00f, -2), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(bits, fc.integer({ min: 1, max: 100 }), fc.boolean(), (list, n, atBorder) => {
      const offset = atBorder ? REGION_PAGES / 32 - 4 : 0;
      const words = new Int32Array(offset + list.length);
      words.set(list, offset);
      const pick = (w: number) => words[w]!;
      const has = (page: number) => (words[page >>> 5]! & (1 << (page & 31))) !== 0;
      let expected = -1;
      let run = 0;
      let last: number | undefined;
      for (let page = offset * 32; page < words.length * 32; page++) {
        if (page % REGION_PAGES === 0) run = 0;
        run = has(page) ? run + 1 : 0;
        if (run > 0) last = page;
        if (run === n && expected === -1) expected = page - n + 1;
      }
      assert.equal(findRun(pick, offset, words.length, n), expected);
      const found = lastRun(pick, words.length, n);
      assert.equal(found?.[1], last === undefined ? undefined : last + 1);
      if (found !== undefined) assert.equal(countBits(words, 0, found[0], found[1]), found[1] - found[0]);
    }),
  );
});

type Op =
  | { op: 'allocate'; party: number; pages: number }
  | { op: 'pin' | 'unpin'; party: number; pick: number }
  | { op: 'trim'; party: number; keep: number };

const party = fc.nat(39);
const ops: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof(
    fc.record({ op: fc.constant('allocate' as const), party, pages: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ op: fc.constantFrom('pin' as const, 'unpin' as const), party, pick: fc.nat() }),
    fc.record({ op: fc.constantFrom('unpin' as const), party, pick: fc.nat() }),
    fc.record({ op: fc.constant('trim' as const), party, keep: fc.nat(100) }),
  ),
  { maxLength: 120 },
);

test('the table agrees with a model under random use by forty parties', () => {
  fc.assert(
    fc.property(ops, (list) => {
      const { layout, words, table } = tables(100, 40);
      const all = Array.from({ length: 40 }, (_, i) => table(i));
      const model = new Map<string, { ref: SlotRef; pages: number; pins: Set<number> }>();
      const used = () => [...model.values()].reduce((n, o) => n + o.pages, 0);
      for (const step of list) {
        const me = all[step.party]!;
        const objects = [...model.values()];
        if (step.op === 'allocate') {
          const ref = me.allocate(step.pages, step.pages * PAGE - 1);
          if (ref === undefined) {
            assert.ok(statsOf(me).largestFree < step.pages * PAGE);
          } else {
            assert.ok(!model.has(`${ref.index}.${ref.generation}`));
            model.set(`${ref.index}.${ref.generation}`, { ref, pages: step.pages, pins: new Set([step.party]) });
            assert.equal(me.byteLength(ref), step.pages * PAGE - 1);
          }
        } else if (step.op === 'trim') {
          for (let run = me.takeWarm(step.keep, 7); run !== undefined; run = me.takeWarm(step.keep, 7)) {
            assert.deepEqual(audit(words, layout), []);
            me.putBack(run, true);
          }
          assert.ok(statsOf(me).warm <= step.keep * PAGE);
        } else if (objects.length > 0) {
          const object = objects[step.pick % objects.length]!;
          if (step.op === 'pin') {
            me.pin(object.ref);
            object.pins.add(step.party);
          } else {
            const last = object.pins.delete(step.party) && object.pins.size === 0;
            assert.equal(me.unpin(object.ref), last);
            if (last) {
              model.delete(`${object.ref.index}.${object.ref.generation}`);
              assert.throws(() => me.pin(object.ref), {
                code: 'ERR_SHEAF_INTERNAL',
                message: /not in the shared memory/,
              });
            }
          }
        }
        assert.deepEqual(audit(words, layout), []);
      }
      const stats = statsOf(all[0]!);
      assert.equal(stats.used, used() * PAGE);
      assert.equal(stats.objects, model.size);
      assert.equal(stats.free, stats.limit - stats.used);
      for (const p of [0, 31, 32, 39]) {
        const mine = [...model.values()].filter((o) => o.pins.has(p)).reduce((n, o) => n + o.pages, 0);
        assert.equal(usedBy(all[1]!, p), mine * PAGE);
      }
    }),
    { numRuns: 150 },
  );
});

test('a death at any step of any operation loses no page and gives none to two, once the party is reclaimed', () => {
  const { layout, words, table } = tables(70, 34);
  const control = table(0);
  const victim = table(33);
  const other = table(5);
  const kept = other.allocate(3, 1000)!;
  const shared = victim.allocate(4, 2000)!;
  other.pin(shared);
  const states = statesDuring(words, () => {
    const a = victim.allocate(2, 5)!;
    const b = victim.allocate(40, 5)!;
    victim.seal(a);
    victim.unpin(a);
    victim.pin(kept);
    victim.unpin(b);
    const warm = victim.takeWarm(10, 20)!;
    victim.putBack(warm, true);
    victim.allocate(33, 1);
    victim.unpin(kept);
    victim.unpin(shared);
  });
  assert.ok(states.length > 100);
  assert.deepEqual(statsOf(control).used, 40 * PAGE);
  for (const state of states) {
    if (state[H_DIRTY] === 1) {
      // Whatever is derived may be half-written: nothing of it may be trusted.
      for (const at of [H_FREE, H_WARM, H_FREE_SLOT, H_LOW, H_BUSY]) state[at] = 12345;
      state.fill(0x5a5a5a5a, layout.freeAt, layout.touchedAt);
    }
    state[layout.partyAt + 1] = 0; // The control thread attaches anew.
    const reclaimer = new Table(state, layout, 0);
    reclaimer.reclaimUnsealed(33);
    assert.deepEqual(audit(state, layout), []);
    assert.equal(usedBy(reclaimer, 5), 7 * PAGE);
    reclaimer.reclaim(33);
    const stats = statsOf(reclaimer);
    assert.deepEqual(audit(state, layout), []);
    assert.equal(stats.used, 7 * PAGE);
    assert.equal(stats.free, 63 * PAGE);
    assert.equal(usedBy(reclaimer, 33), 0);
    assert.equal(usedBy(reclaimer, 5), 7 * PAGE);
    // The room is whole again, and usable.
    const again = reclaimer.allocate(63, 1);
    assert.ok(again !== undefined || stats.largestFree < 63 * PAGE);
    assert.deepEqual(audit(state, layout), []);
  }
});

test('what a dead party had not sealed can be had before the rest', () => {
  const { table } = tables(10, 2);
  const control = table(0);
  const victim = table(1);
  const sealed = victim.allocate(3, 1)!;
  victim.seal(sealed);
  victim.allocate(6, 1);
  control.reclaimUnsealed(1);
  assert.equal(statsOf(control).used, 3 * PAGE, 'somebody may have been told of the sealed one');
  control.pin(sealed);
  control.reclaim(1);
  assert.equal(statsOf(control).used, 3 * PAGE);
  control.unpin(sealed);
  assert.equal(statsOf(control).used, 0);
});

test('a second party with the same number is refused until the first is reclaimed, and then the first is', () => {
  const { table } = tables(4, 2);
  const control = table(0);
  const first = table(1);
  assert.throws(() => table(1), { message: /party 1 of the shared memory is taken/ });
  first.allocate(4, 1);
  control.reclaim(1);
  assert.equal(statsOf(control).used, 0);
  const second = table(1);
  assert.throws(() => first.allocate(1, 1), { message: /given up as dead/ });
  assert.ok(second.allocate(4, 1));
});

test('tasks are admitted to a part of the memory, the first always; what waits counts or not, and the dead do not', () => {
  const { table } = tables(10, 3);
  const control = table(0);
  const [a, b] = [new Admission(table(1)), new Admission(table(2))];
  const pages = (n: number) => n * PAGE;
  assert.ok(a.admit(pages(9), true), 'more than the part, but alone');
  assert.ok(!b.admit(pages(1), true));
  a.dismiss(pages(9));
  assert.ok(a.admit(pages(4), true));
  assert.ok(b.admit(pages(3), true));
  assert.ok(!b.admit(pages(1), true));
  a.dismiss(pages(4));
  assert.ok(b.admit(pages(1), true), 'one party may begin with several');
  assert.ok(a.admit(pages(3), true));
  a.waits(pages(3), 1);
  assert.ok(!a.admit(pages(4), true), 'what waits keeps what it has');
  assert.ok(a.admit(pages(3), false), 'and is not what keeps others from what it waits for');
  a.dismiss(pages(3));
  a.waits(pages(3), -1);
  assert.ok(!a.standsStill);
  control.reclaimUnsealed(2);
  assert.ok(a.admit(pages(4), true));
  control.reclaim(2);
  const next = new Admission(table(2));
  assert.ok(!next.admit(pages(1), true));
  a.dismiss(pages(4));
  a.waits(pages(3), 1);
  assert.ok(next.standsStill);
});

test('an error in the middle of a change leaves the table usable', () => {
  const { layout, words, table } = tables(8, 1);
  const me = table(0);
  statsOf(me);
  const real = Atomics.or;
  Atomics.or = () => {
    throw new RangeError('Maximum call stack size exceeded');
  };
  try {
    assert.throws(() => me.allocate(2, 1), RangeError);
  } finally {
    Atomics.or = real;
  }
  assert.equal(statsOf(me).used, 0);
  assert.ok(me.allocate(8, 1));
  assert.deepEqual(audit(words, layout), []);
});

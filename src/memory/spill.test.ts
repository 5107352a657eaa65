import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Piece } from './eviction.rules.ts';
import { type SpillLimits, type SpillPlan, SpillRules } from './spill.rules.ts';

type Named = Piece & { readonly name: string };

const LIMITS: SpillLimits = {
  pages: 100,
  regionPages: 100,
  high: 80,
  low: 70,
  batchPages: 20,
  batchObjects: 3,
  writing: 2,
  pause: 500,
};

const piece = (name: string, start: number, end: number, usedAt: number, more: Partial<Piece> = {}): Named => ({
  name,
  start,
  end,
  usedAt,
  idle: true,
  copied: false,
  ...more,
});
const names = (list: readonly Named[]) => list.map(({ name }) => name);

/** Ten objects of nine pages each, the oldest first. */
const nine = Array.from({ length: 10 }, (_, i) => piece(`o${i}`, i * 9, i * 9 + 9, i));

test('above the mark the oldest are written, down to the other mark, each once and a batch at a time', () => {
  const rules = new SpillRules<Named>(LIMITS);
  assert.deepEqual(rules.look(nine, 80, 0, 0), { evict: [], write: [], answer: true });
  const first = rules.look(nine, 90, 0, 0);
  assert.deepEqual(names(first.write), ['o0', 'o1', 'o2']);
  assert.deepEqual(rules.look(nine, 90, 0, 0).write, [], 'what is on its way is enough');
  rules.written(first.write);
  assert.equal(rules.files, 0);
});

test('who finds no room is answered when what was in the way is gone, and not before', () => {
  const rules = new SpillRules<Named>(LIMITS);
  const plan = rules.look(nine, 100, 18, 0);
  assert.deepEqual(names(plan.write), ['o0', 'o1', 'o2'], 'what is needed, and what would be next');
  assert.equal(plan.answer, false);
  const again = rules.look(nine, 100, 18, 0);
  assert.deepEqual([again.write, again.answer], [[], false]);
  rules.written(plan.write);
  assert.equal(rules.look(nine.slice(3), 73, 18, 0).answer, true, 'there is room');
  const busy = nine.map((each) => ({ ...each, idle: false }));
  assert.equal(rules.look(busy, 100, 18, 0).answer, true, 'nothing can be done');
});

test('what has a copy leaves without being written', () => {
  const rules = new SpillRules<Named>(LIMITS);
  const copied = nine.map((each, i) => (i < 2 ? { ...each, copied: true } : each));
  const plan = rules.look(copied, 100, 18, 0);
  assert.deepEqual([names(plan.evict), names(plan.write), plan.answer], [['o0', 'o1'], [], true]);
});

test('after a failure nothing is tried for a while, and who asks is told at once', () => {
  const rules = new SpillRules<Named>(LIMITS);
  const plan = rules.look(nine, 90, 0, 1000);
  rules.failed(plan.write, 1000);
  assert.equal(rules.retryIn(1100), 400);
  assert.deepEqual(rules.look(nine, 90, 0, 1100).write, []);
  const forced = rules.look(nine, 100, 9, 1100);
  assert.deepEqual([forced.write, forced.answer], [[], true]);
  assert.equal(rules.retryIn(1600), undefined);
  assert.ok(rules.look(nine, 90, 0, 1600).write.length > 0);
});

test('no more objects go into one file than may, but always what is in the way of one allocation', () => {
  const limits = { ...LIMITS, pages: 30, low: 10 };
  const small = Array.from({ length: 30 }, (_, i) => piece(`s${i}`, i, i + 1, i));
  assert.equal(new SpillRules<Named>(limits).look(small, 30, 1, 0).write.length, 3);
  assert.equal(new SpillRules<Named>(limits).look(small, 30, 10, 0).write.length, 10);
});

type Event =
  | { kind: 'look'; wanted: number }
  | { kind: 'written' | 'failed'; pick: number }
  | { kind: 'allocate' | 'use' | 'drop'; pick: number; pages: number }
  | { kind: 'time'; ms: number };

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('look' as const), wanted: fc.constantFrom(0, 0, 1, 5, 30) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('written' as const, 'written' as const, 'failed' as const),
        pick: fc.nat(),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom('allocate' as const, 'allocate' as const, 'use' as const, 'drop' as const),
        pick: fc.nat(),
        pages: fc.integer({ min: 1, max: 12 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(100, 600) }) },
  ),
  { maxLength: 120 },
);

test('whatever happens: nothing is written twice at once, few files are open, and nobody waits for nothing', () => {
  fc.assert(
    fc.property(events, (list) => {
      const rules = new SpillRules<Named>(LIMITS);
      let pieces: Named[] = [];
      let flights: (readonly Named[])[] = [];
      let now = 0;
      let next = 0;
      const taken = () => pieces.reduce((sum, each) => sum + each.end - each.start, 0);
      const act = (plan: SpillPlan<Named>) => {
        const writing = new Set(flights.flat().map(({ name }) => name));
        for (const each of plan.write) {
          assert.ok(each.idle && !each.copied && !writing.has(each.name));
          writing.add(each.name);
        }
        for (const each of plan.evict) assert.ok(each.idle && each.copied);
        if (plan.write.length > 0) flights.push(plan.write);
        assert.equal(rules.files, flights.length);
        assert.ok(flights.length <= LIMITS.writing);
        pieces = pieces.filter((each) => !plan.evict.some(({ name }) => name === each.name));
      };
      const land = (pick: number, ok: boolean) => {
        const flight = flights[pick % flights.length]!;
        flights = flights.filter((each) => each !== flight);
        if (ok) {
          rules.written(flight);
          const gone = new Set(flight.map(({ name }) => name));
          pieces = pieces
            .map((each) => (gone.has(each.name) ? { ...each, copied: true } : each))
            .filter((each) => !gone.has(each.name) || !each.idle);
        } else rules.failed(flight, now);
      };
      for (const event of list) {
        if (event.kind === 'time') now += event.ms;
        else if (event.kind === 'look') act(rules.look(pieces, taken(), event.wanted, now));
        else if (event.kind === 'written' || event.kind === 'failed') {
          if (flights.length > 0) land(event.pick, event.kind === 'written');
        } else if (event.kind === 'allocate') {
          const sorted = [...pieces].sort((a, b) => a.start - b.start);
          const from = [0, ...sorted.map(({ end }) => end)].find(
            (at) => at + event.pages <= 100 && !pieces.some((p) => p.start < at + event.pages && p.end > at),
          );
          if (from !== undefined) pieces.push(piece(`p${next}`, from, from + event.pages, next++));
        } else if (pieces.length > 0) {
          const at = event.pick % pieces.length;
          if (event.kind === 'drop') pieces.splice(at, 1);
          else pieces[at] = { ...pieces[at]!, idle: !pieces[at]!.idle, usedAt: next++ };
        }
      }
      // From any state on: a disk that works and a request for room, and it is answered with room, unless what is in use is in the way.
      now += 10_000;
      for (let turn = 0; turn < 1000; turn++) {
        const plan = rules.look(pieces, taken(), 10, now);
        act(plan);
        if (plan.answer) {
          const free = (at: number) => !pieces.some((p) => !p.idle && p.start < at + 10 && p.end > at);
          const possible = Array.from({ length: 91 }, (_, at) => at).some(free);
          const room = Array.from({ length: 91 }, (_, at) => at).some(
            (at) => !pieces.some((p) => p.start < at + 10 && p.end > at),
          );
          assert.equal(room, possible);
          return;
        }
        assert.ok(flights.length > 0, 'it waits for something that is under way');
        land(0, true);
      }
      assert.fail('it is never answered');
    }),
    { numRuns: 3000 },
  );
});

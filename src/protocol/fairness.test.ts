import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SharedKind, SharedNode } from './shared-node.fixture.ts';

const MS = 1000;
const SECOND = 1000 * MS;
const LONG = 100 * MS;

/** Shares of the workers' time among kinds that always have something queued, after the clock has run for so long. */
function shares(node: SharedNode, kinds: readonly SharedKind[], micros: number): number[] {
  // Until everybody's cost is known, and everybody has had a turn.
  node.run(() => kinds.every(({ ended }) => ended.length > 2));
  const before = kinds.map(({ used }) => used);
  node.run(() => false, micros);
  const used = kinds.map((kind, i) => kind.used - (before[i] as number));
  const all = used.reduce((a, b) => a + b, 0);
  return used.map((each) => each / all);
}

const isShare = (share: number | undefined, of: number, what: string): void =>
  assert.ok(Math.abs((share as number) - of) < 0.1, `${what} has ${share} of the time, not about ${of}`);

describe('fairness', () => {
  for (const cpus of [1, 2, 4]) {
    it(`lets a few calls of one function pass thousands of another, with ${cpus} workers`, () => {
      const node = new SharedNode(cpus);
      const many = node.kind('many', 'a', LONG);
      const few = node.kind('few', 'a', LONG);
      node.submit(many, 5000);
      node.run(() => many.ended.length >= 10);
      node.submit(few, 5);
      const at = many.ended.length;
      node.run(() => few.ended.length === 5);
      // One each in turn, and what was running or on its way.
      assert.ok(many.ended.length - at <= 5 + 3 * cpus, `${many.ended.length - at} went before them`);
    });

    it(`does so for functions of other shapes and other callers, with ${cpus} workers`, () => {
      for (const [caller, shape] of [
        ['a', { cpus: 0.5 }],
        ['b', {}],
        ['b', { exclusive: true }],
      ] as const) {
        const node = new SharedNode(cpus);
        const many = node.kind('many', 'a', LONG);
        const few = node.kind('few', caller, LONG, shape);
        node.submit(many, 5000);
        node.run(() => many.ended.length >= 10);
        node.submit(few, 5);
        const at = many.ended.length;
        node.run(() => few.ended.length === 5);
        const passed = many.ended.length - at;
        assert.ok(passed <= 5 * cpus + 3 * cpus, `${passed} went before those of ${caller} ${JSON.stringify(shape)}`);
      }
    });
  }

  it('keeps the order of one function’s calls on one worker', () => {
    const node = new SharedNode(1);
    const kinds = [node.kind('x', 'a', 3 * MS), node.kind('y', 'a', 700), node.kind('z', 'a', LONG)];
    for (let i = 0; i < 20; i++) for (const kind of kinds) node.submit(kind, 3);
    node.run(() => kinds.every(({ ended }) => ended.length === 60));
    for (const { name, ended } of kinds) {
      assert.deepEqual(
        ended.map(({ call }) => call),
        ended.map((_, i) => i),
        name,
      );
    }
  });

  it('gives functions of one shape equal time, whatever their calls take', () => {
    for (const cpus of [1, 2]) {
      const node = new SharedNode(cpus);
      const kinds = [
        node.kind('short', 'a', 2 * MS),
        node.kind('longer', 'a', 20 * MS),
        node.kind('long', 'a', 300 * MS),
      ];
      for (const kind of kinds) node.submit(kind, 20_000);
      const each = shares(node, kinds, 60 * SECOND);
      kinds.forEach(({ name }, i) => {
        isShare(each[i], 1 / 3, `${name} on ${cpus}`);
      });
    }
  });

  it('gives callers and shapes turns on one worker that are as long as their tasks', () => {
    const node = new SharedNode(1);
    const kinds = [node.kind('short', 'a', MS), node.kind('long', 'b', 300 * MS)];
    for (const kind of kinds) node.submit(kind, 100_000);
    const each = shares(node, kinds, 60 * SECOND);
    kinds.forEach(({ name }, i) => {
      isShare(each[i], 1 / 2, name);
    });
  });

  it('has three of them wait for the shorter one of the others', () => {
    const node = new SharedNode(1);
    const kinds = [
      node.kind('short', 'a', MS),
      node.kind('long', 'b', 300 * MS),
      node.kind('longer', 'b', 600 * MS, { exclusive: true }),
    ];
    for (const kind of kinds) node.submit(kind, 100_000);
    const each = shares(node, kinds, 120 * SECOND);
    for (const [i, share] of [0.25, 0.25, 0.5].entries()) isShare(each[i], share, (kinds[i] as SharedKind).name);
  });

  it('lets nobody wait for longer than a second because his own tasks are longer than that', () => {
    const node = new SharedNode(1);
    const short = node.kind('short', 'a', 5 * MS);
    const long = node.kind('long', 'b', 30 * SECOND);
    node.submit(short, 10_000);
    node.submit(long, 5);
    node.run(() => long.ended.length === 5);
    for (const [i, { at }] of long.ended.entries()) {
      if (i === 0) continue;
      const waited = at - (long.ended[i - 1] as { at: number }).at - 30 * SECOND;
      assert.ok(waited > 0.9 * SECOND && waited < 1.1 * SECOND, `${waited} µs before call ${i}`);
    }
  });

  it('gives nobody a share that he does not use', () => {
    const node = new SharedNode(2);
    const many = node.kind('many', 'a', LONG);
    const rare = node.kind('rare', 'b', LONG);
    node.submit(many, 100_000);
    node.submit(rare, 3);
    node.run(() => rare.ended.length === 3);
    const before = many.used;
    node.run(() => false, 10 * SECOND);
    assert.ok(many.used - before > 19 * SECOND, `${many.used - before} µs of 20 s were used`);
  });

  it('lets a function that has waited for a long time make up for nothing', () => {
    const node = new SharedNode(1);
    const busy = node.kind('busy', 'a', 10 * MS);
    const late = node.kind('late', 'a', 10 * MS);
    node.submit(late, 3);
    node.run(() => late.ended.length === 3);
    node.submit(busy, 100_000);
    node.run(() => busy.ended.length === 1000);
    node.submit(late, 1000);
    const at = busy.ended.length;
    node.run(() => late.ended.length === 103);
    assert.ok(Math.abs(busy.ended.length - at - 100) < 10, `${busy.ended.length - at} beside 100`);
  });
});

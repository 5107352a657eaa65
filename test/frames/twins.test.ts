import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { connect, type Session } from 'sheaf';
import { fromColumns } from 'sheaf/frame';
import { compare, ENDS, key, type Rows, SCHEMA, STEPS, type Value } from './model.ts';

let session: Session;
before(async () => {
  session = await connect({ cpus: 2, memory: '256MiB', spill: 'off' });
});
after(() => session[Symbol.asyncDispose]());

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 4 });
const table = fc.array(
  fc.record({
    k: optional(fc.integer({ min: -3, max: 3 })),
    s: optional(fc.constantFrom('a', 'b', 'Ä€𝄞', "it's", '')),
    x: optional(fc.integer({ min: -8, max: 8 }).map((value) => value / 4)),
    b: optional(fc.boolean()),
  }),
  { maxLength: 40 },
);

/** Each step and each end by itself, over rows with everything in them and over none; what is random comes on top. */
const SOME = Array.from({ length: 24 }, (_, i) => ({
  k: i % 5 === 4 ? null : (i % 6) - 2,
  s: ([null, 'a', 'b', "it's", 'Ä€𝄞'] as const)[(i * 3) % 5]!,
  x: i % 7 === 6 ? null : (i % 9) / 4 - 1,
  b: [true, false, null][i % 3]!,
}));
type Case = [typeof SOME, (typeof STEPS)[number][], (typeof ENDS)[number]];
const FIXED: Case[] = [
  ...ENDS.map((end): Case => [SOME, [], end]),
  ...STEPS.map((step): Case => [SOME, [step], ENDS[0]!]),
  ...ENDS.map((end): Case => [[], [], end]),
];

const columnsOf = (rows: Rows) =>
  Object.fromEntries(Object.keys(SCHEMA).map((name) => [name, rows.map((row) => row[name])])) as Record<
    keyof typeof SCHEMA,
    number[]
  >;

test('random plans give what plain JavaScript gives, over one partition and over several', async () => {
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.array(fc.constantFrom(...STEPS), { maxLength: 3 }),
      fc.constantFrom(...ENDS),
      async (given, steps, end) => {
        // Its number makes each row another one, and the order of rows certain.
        const rows: Rows = given.map((row, i) => ({ ...row, n: BigInt(i) }));
        const expected = end.rows(steps.reduce((now, step) => step.rows(now), rows));
        for (const partitions of [1, 3]) {
          const frame = fromColumns(columnsOf(rows), SCHEMA, { partitions });
          const found = (await end.frame(steps.reduce((now, step) => step.frame(now), frame)).rows()) as Rows;
          const what = `${partitions} partitions: ${[...steps, end].map(({ name }) => name).join(', ')}`;
          assert.deepEqual(found.map(key).sort(), expected.map(key).sort(), what);
        }
      },
    ),
    { numRuns: 12 + FIXED.length, examples: FIXED },
  );
});

test('joins of every kind give what plain JavaScript gives, however they are done', async () => {
  const left: Rows = [1, 2, 2, 3, null, 5].map((k, i) => ({ k, a: `l${i}` }));
  const right: Rows = [2, 2, 3, 4, null].map((j, i) => ({ j, a: 'other', c: i }));
  const pairs = left.flatMap((l) =>
    right.filter((r) => l.k !== null && l.k === r.j).map((r) => ({ ...l, j: r.j!, c: r.c! })),
  );
  const lonely = left.filter(({ k }) => !right.some(({ j }) => k !== null && j === k));
  const others = right.filter(({ j }) => !left.some(({ k }) => j !== null && j === k));
  const lost = lonely.map((l) => ({ ...l, j: null, c: null }));
  const found = others.map(({ j, c }) => ({ k: null, a: null, j: j!, c: c! }));
  const expected: Record<string, Rows> = {
    inner: pairs,
    left: [...pairs, ...lost],
    right: [...pairs, ...found],
    full: [...pairs, ...lost, ...found],
    semi: left.filter((row) => !lonely.includes(row)),
    anti: lonely,
  };
  const l = fromColumns(
    { k: left.map(({ k }) => k as number), a: left.map(({ a }) => a as string) },
    { k: 'i32?', a: 'str' },
    { partitions: 3 },
  );
  const r = fromColumns(
    {
      j: right.map(({ j }) => j as number),
      a: right.map(({ a }) => a as string),
      c: right.map(({ c }) => c as number),
    },
    // Of another type: 2 is 2.
    { j: 'f64?', a: 'str', c: 'i32' },
    { partitions: 2 },
  );
  for (const [how, rows] of Object.entries(expected)) {
    for (const strategy of ['auto', 'broadcast', 'shuffle'] as const) {
      const joined = l.join(r, { on: { k: 'j' }, how: how as 'inner', strategy });
      assert.deepEqual((await joined.rows()).map(key).sort(), rows.map(key).sort(), `${how}, ${strategy}`);
    }
  }
  // A key of the same name is the key of either side.
  const full = l.join(r.derive((c) => ({ k: c.j.cast('i32') })).select('k', 'c'), { on: { k: 'k' }, how: 'full' });
  assert.deepEqual((await full.where((c) => c.a.isNull()).rows()).map(({ k }) => k).sort(), [4, null]);
});

test('many rows are sorted by ranges, missing values last', async () => {
  const rows = 210_000;
  const x = Array.from({ length: rows }, (_, i): Value => (i % 1000 === 7 ? null : ((i * 7919) % 10_007) - 5000));
  const frame = fromColumns(
    { x: x as number[], i: Int32Array.from(x, (_, i) => i) },
    { x: 'f64?', i: 'i32' },
    { partitions: 4 },
  );
  for (const order of ['x', '-x'] as const) {
    const found = (await frame.orderBy(order, 'i').select('x').toColumns()).x;
    const expected = x.toSorted((a, b) => compare(a, b, order === '-x'));
    assert.deepEqual([...found], expected);
  }
});

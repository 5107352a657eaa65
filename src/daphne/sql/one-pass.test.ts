import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Texts } from '../values/texts.ts';
import type { Column } from '../values/values.ts';
import { bind } from './bind.ts';
import { groupedInOnePass } from './one-pass.ts';
import { parse } from './parser.ts';
import { inSteps, type Table } from './steps.ts';

const WORDS = ['', 'B', 'a', 'b', '\u{1f600}', '\uffee'];
const codedOf = (texts: readonly string[]): Texts =>
  Texts.of({ codes: Int32Array.from(texts, (text) => WORDS.indexOf(text)), words: WORDS });

const text = fc.constantFrom(...WORDS);
const float = fc.constantFrom(0.5, -0, 0, -1, 3, Number.NaN, 1e300, 0.1);
const row = fc.record({
  s: text,
  t: text,
  small: fc.integer({ min: -3, max: 3 }),
  wide: fc.constantFrom(0n, 7n, -7n, 2n ** 40n, -(2n ** 52n)),
  size: fc.constantFrom(0n, 5n, 2n ** 31n, 2n ** 33n),
  byte: fc.constantFrom(0, 1, 200, 255),
  int: fc.constantFrom(0, -5, 2 ** 31 - 1),
  bool: fc.constantFrom(0, 1),
  x: float,
  f: float.map(Math.fround),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

function tableOf(rows: readonly Row[]): Table {
  const columns: Column[] = [
    { label: 'v.s', value: 'str', cells: codedOf(rows.map(({ s }) => s)) },
    { label: 'v.t', value: 'str', cells: codedOf(rows.map(({ t }) => t)) },
    { label: 'v.small', value: 'si64', cells: BigInt64Array.from(rows, (each) => BigInt(each.small)) },
    { label: 'v.wide', value: 'si64', cells: BigInt64Array.from(rows, ({ wide }) => wide) },
    { label: 'v.size', value: 'ui64', cells: BigUint64Array.from(rows, ({ size }) => size) },
    { label: 'v.byte', value: 'ui8', cells: Uint8Array.from(rows, ({ byte }) => byte) },
    { label: 'v.int', value: 'si32', cells: Int32Array.from(rows, ({ int }) => int) },
    { label: 'v.bool', value: 'bool', cells: Uint8Array.from(rows, ({ bool }) => bool) },
    { label: 'v.x', value: 'f64', cells: Float64Array.from(rows, ({ x }) => x) },
    { label: 'v.f', value: 'f32', cells: Float32Array.from(rows, ({ f }) => f) },
  ];
  return { rows: rows.length, columns };
}

const plain = (cells: Column['cells']): readonly unknown[] =>
  cells instanceof Texts ? cells.strings() : Array.from(cells as ArrayLike<unknown>);

const cellsOf = ({ rows, columns }: Table) => ({
  rows,
  columns: columns.map(({ value, cells }) => [value, plain(cells)]),
});

const VALUES = ['small', 'wide', 'size', 'byte', 'int', 'bool', 'x', 'f'];
const NUMBERS = [...VALUES.map((each) => `v.${each}`), 'v.small * v.int', 'v.byte + v.byte', 'v.f * v.f', 'v.x > 0'];
const AGGREGATES = [
  ...NUMBERS.flatMap((of) => ['count', 'sum', 'min', 'max', 'avg'].map((aggregate) => `${aggregate}(${of})`)),
  ...['count(v.s)', 'min(v.t)', 'max(v.s)', "count('x')", "count(v.s + 'x')"],
];
const CONDITIONS = [
  ...['v.small > 0', 'v.x < 1 AND v.wide <> 7', 'v.byte', 'v.x', 'v.s = v.t', 'v.s < v.t', "v.s + 'x' <> 'ax'"],
  ...['=', '<>', '<', '<=', '>', '>='].flatMap((is) => [`v.s ${is} 'a'`, `'b' ${is} v.t`, `v.s ${is} 'aa'`]),
];
const KEYS = ['v.s', 'v.t', 'v.small', 'v.byte', 'v.bool'];

const queries = fc.record({
  aggregates: fc.subarray(AGGREGATES, { minLength: 1, maxLength: 6 }),
  where: fc.option(fc.constantFrom(...CONDITIONS)),
  keys: fc.subarray(KEYS, { maxLength: 3 }),
});

test('groups in one pass are those that are found step by step', () => {
  let ways = 0;
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), queries, (rows, { aggregates, where, keys }) => {
      const table = tableOf(rows);
      const results = aggregates.map((each, i) => `${each} AS r${i}`).join(', ');
      const by = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : '';
      const bound = bind(parse(`SELECT ${results} FROM v${where ? ` WHERE ${where}` : ''}${by}`), () => table.columns);
      const found = groupedInOnePass(bound, table);
      const expected = inSteps(bound, table);
      // Sums that no number has exactly, and groups of nothing, are left to the other way.
      if (found === undefined) return;
      ways++;
      assert.deepEqual(cellsOf(found), cellsOf(expected));
    }),
    { numRuns: 300 },
  );
  assert.ok(ways > 150);
});

test('groups are told by what their rows have', () => {
  const rows = 3000;
  const texts = Array.from({ length: rows }, (_, i) => WORDS[(i * 7) % 5]!);
  const numbers = BigInt64Array.from({ length: rows }, (_, i) => BigInt((i * 31) % 997));
  const columns: Column[] = [
    { label: 'v.s', value: 'str', cells: codedOf(texts) },
    { label: 'v.n', value: 'si64', cells: numbers },
  ];
  const bound = bind(
    parse('SELECT v.s, count(v.n), sum(v.n), max(v.n) FROM v WHERE v.n > 500 GROUP BY v.s'),
    () => columns,
  );
  const expected = [...WORDS]
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flatMap((word) => {
      const own = Array.from(numbers).filter((number, i) => texts[i] === word && number > 500n);
      if (own.length === 0) return [];
      const [sum, most] = [own.reduce((a, b) => a + b), own.reduce((a, b) => (a > b ? a : b))];
      return [[word, BigInt(own.length), sum, most]];
    });
  const found = groupedInOnePass(bound, { rows, columns })!;
  const cells = found.columns.map((each) => plain(each.cells));
  assert.deepEqual(
    expected.map((_, i) => cells.map((column) => column[i])),
    expected,
  );
  assert.equal(found.rows, expected.length);
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { scanPart } from './csv-part.ts';
import { type Dialect, fastFor, ScanFault, type Scanned, scan } from './csv-scan.ts';

const FAST: Dialect = { delimiter: 44, comment: -1, booleans: true };
/** Comments are for JavaScript, and nothing in these texts begins one. */
const SLOW: Dialect = { ...FAST, comment: 126 };

const folder = mkdtempSync(join(tmpdir(), 'sheaf-scan-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const number = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((x) => (Object.is(x, -0) ? '-0' : String(x))),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((x) => x.toExponential(18)),
  fc.integer().map(String),
  // As most are, and next to it.
  fc.stringMatching(/^[+-]?\d{1,9}(\.\d{0,9})?$/),
  fc.stringMatching(/^-?\d{0,15}\.?\d{0,15}$/).filter((text) => /\d/.test(text)),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.stringMatching(/^[+-]?\d{0,22}\.?\d{1,22}(e[+-]?\d{1,3})?$/),
  fc.constantFrom(
    '0',
    '-0',
    '00012',
    '.5',
    '5.',
    '1e5',
    '9007199254740993',
    '18446744073709551616',
    '0.00000000000000000001',
    '1e22',
    '1e23',
  ),
);
const field = fc.oneof(
  { weight: 12, arbitrary: number },
  { weight: 2, arbitrary: fc.constantFrom('', ' 1 ', '"2.5"', 'NA', 'inf', '-Infinity', 'true', 'False', ' ', '\t3') },
);

const outcome = (bytes: Uint8Array, columns: number, dialect: Dialect): Scanned | string => {
  try {
    return scan(bytes, 0, bytes.length, columns, dialect);
  } catch (error) {
    assert.ok(error instanceof ScanFault, String(error));
    return error.text;
  }
};

const bitsOf = ({ values }: Scanned): bigint[] => [...new BigInt64Array(values.slice().buffer)];

function same(fast: Scanned | string, slow: Scanned | string): void {
  if (typeof fast === 'string' || typeof slow === 'string') {
    assert.equal(fast, slow);
    return;
  }
  assert.equal(fast.rows, slow.rows);
  assert.deepEqual(bitsOf(fast), bitsOf(slow));
  assert.deepEqual(fast.kinds, slow.kinds);
  assert.deepEqual(fast.large, slow.large);
}

/** Long enough that WebAssembly scans it. */
const MANY = 20_000;

test('WebAssembly finds in a text what JavaScript finds', () => {
  assert.ok(fastFor(3, FAST) !== undefined && fastFor(3, SLOW) === undefined);
  let scanned = 0;
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 4 })
        .chain((columns) =>
          fc.array(fc.array(field, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 12 }),
        ),
      fc.constantFrom('\n', '\r\n', '\n\n'),
      (grid, newline) => {
        const once = grid.map((row) => row.join(',')).join(newline) + newline;
        const bytes = new TextEncoder().encode(once.repeat(Math.ceil(MANY / once.length)));
        const columns = grid[0]!.length;
        const fast = outcome(bytes, columns, FAST);
        same(fast, outcome(bytes, columns, SLOW));
        if (typeof fast !== 'string') scanned++;
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(scanned > 250, `${scanned} were no errors`);
});

test('fields that are as short as can be have all of their values', () => {
  for (const record of [',\n', '1,\n']) {
    const columns = record.trim().split(',').length;
    const bytes = new TextEncoder().encode(`${'5,'.repeat(columns - 1)}5\n${record.repeat(80_000)}`);
    same(outcome(bytes, columns, FAST), outcome(bytes, columns, SLOW));
  }
});

test('both say the same of texts that are damaged', () => {
  const line = '1.5,-2,3e4\n';
  let faults = 0;
  fc.assert(
    fc.property(fc.nat(line.length * 50 - 1), fc.constantFrom(...'x,.-e"\n 0'), (at, damage) => {
      const text = line.repeat(50);
      const bytes = new TextEncoder().encode(
        (text.slice(0, at) + damage + text.slice(at + 1)).padEnd(MANY, line).replace(/[^\n]*$/, ''),
      );
      const fast = outcome(bytes, 3, FAST);
      same(fast, outcome(bytes, 3, SLOW));
      if (typeof fast === 'string') faults++;
    }),
    { numRuns: 300 },
  );
  assert.ok(faults > 50);
});

test('the parts of a file, cut anywhere, have all of its records once', () => {
  const lines = Array.from({ length: 30_000 }, (_, i) => `${i},${(i * 0.1).toFixed(i % 9)}`);
  // Lines that are longer than what is read at a time.
  lines[9000] = `${' '.repeat(700_000)}9000,1`;
  lines[20_000] = `20000,${' '.repeat(300_000)}1`;
  const text = lines.join('\n');
  const path = join(folder, 'x.csv');
  writeFileSync(path, text);
  const bytes = new TextEncoder().encode(`${text}\n`);
  const { values } = scan(bytes, 0, bytes.length, 2, FAST);
  assert.equal(values.length, 60_000);
  const size = text.length;
  fc.assert(
    fc.property(fc.array(fc.nat(size), { maxLength: 6 }), fc.constantFrom(FAST, SLOW), (cuts, dialect) => {
      const bounds = [0, ...cuts.sort((a, b) => a - b), size];
      const found: number[] = [];
      for (let i = 0; i + 1 < bounds.length; i++) {
        const part = scanPart(path, { from: bounds[i]!, to: bounds[i + 1]!, start: 0, size }, 2, dialect);
        assert.ok(part.fault === undefined);
        for (const value of part.scanned.values) found.push(value);
      }
      assert.ok(Buffer.from(Float64Array.from(found).buffer).equals(Buffer.from(values.slice().buffer)));
    }),
    { numRuns: 12 },
  );
});

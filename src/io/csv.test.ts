import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../base/index.ts';
import { DTYPE_NAMES, elements as zeros } from '../nd/index.ts';
import { connect } from '../tasks/index.ts';
import { csvText } from './csv.ts';
import { type CsvOptions, readCsv, readCsvColumns, writeCsv } from './index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const folder = mkdtempSync(join(tmpdir(), 'sheaf-csv-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function rows(text: string, options?: CsvOptions): Promise<number[][]> {
  const { shape, elements } = await readCsv(bytes(text), options);
  return Array.from({ length: shape[0]! }, (_, i) => [
    ...(elements as Float64Array).subarray(i * shape[1]!, (i + 1) * shape[1]!),
  ]);
}

const refused = (text: string, message: RegExp, options?: CsvOptions): Promise<void> =>
  assert.rejects(readCsv(bytes(text), options), (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.match(error.message, message);
    return true;
  });

describe('numbers', () => {
  const finite = fc.oneof(
    fc.double({ noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(0, -0, 5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, 2 ** 53, 2 ** 53 + 2, 1e22, 1e23),
  );
  const written = finite.chain((value) =>
    fc.constantFrom(
      Object.is(value, -0) ? '-0' : String(value),
      value.toExponential(),
      Number.isFinite(value) ? value.toExponential(18) : String(value),
      Math.abs(value) < 1e15 && Math.abs(value) > 1e-5 ? value.toFixed(12) : `+${Math.abs(value)}`,
      Math.abs(value) < 1 && Math.abs(value) > 1e-5 ? value.toFixed(17).replace('0.', '.') : ` ${value} `,
    ),
  );

  test('are what JavaScript reads in their text, in any grid of any dialect', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 4 })
          .chain((n) => fc.array(fc.array(written, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 8 })),
        fc.constantFrom(',', ';', '\t', '|', ' '),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.constantFrom('', '\n', '\n\n'),
        async (grid, delimiter, newline, header, end) => {
          const lines = grid.map((row) => row.join(delimiter));
          if (header) lines.unshift(grid[0]!.map((_, i) => `"a ${i}"`).join(delimiter));
          const text = lines.join(newline) + end;
          const { shape, elements, names } = await readCsv(bytes(text), { delimiter });
          assert.deepEqual(shape, [grid.length, grid[0]!.length]);
          assert.deepEqual([...elements], grid.flat().map(Number));
          assert.deepEqual(names, header ? grid[0]!.map((_, i) => `a ${i}`) : undefined);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of many digits are rounded right', async () => {
    const digits = fc.tuple(
      fc.stringMatching(/^\d{1,40}$/),
      fc.integer({ min: -40, max: 40 }),
      fc.integer({ min: -330, max: 310 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(digits, { minLength: 20, maxLength: 20 }), async (all) => {
        const texts = all.map(
          ([text, at, exponent]) =>
            `${at > 0 && at < text.length ? `${text.slice(0, at)}.${text.slice(at)}` : text}e${exponent}`,
        );
        assert.deepEqual((await rows(texts.join('\n'))).flat(), texts.map(Number));
      }),
    );
  });

  test('that are whole are exact in types of integers, and others are refused there', async () => {
    const big = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    await fc.assert(
      fc.asyncProperty(fc.array(big, { minLength: 1, maxLength: 20 }), async (values) => {
        const text = bytes(values.join('\n'));
        assert.deepEqual([...(await readCsv(text, { dtype: 'i64' })).elements], values);
        const [column] = await readCsvColumns(text);
        assert.equal(column!.dtype, 'i64');
        assert.deepEqual([...column!.elements], values);
      }),
    );
    assert.deepEqual(
      [...(await readCsv(bytes('18446744073709551615,0'), { dtype: 'u64' })).elements],
      [2n ** 64n - 1n, 0n],
    );
    assert.deepEqual((await readCsv(bytes('1,2.0\n-3,1e2'), { dtype: 'i8' })).elements, Int8Array.of(1, 2, -3, 100));
    assert.deepEqual((await readCsv(bytes('True,false\n0,1'), { dtype: 'bool' })).elements, Uint8Array.of(1, 0, 0, 1));
    for (const [text, dtype, message] of [
      ['a,b\n1,2\n\n3,128', 'i8', /:4: field 2: 128 is no i8; it holds whole numbers from -128 to 127/],
      ['1,2\n# x\n2,', 'i32', /:3: field 2: there is no value, and i32 has none for that; read it as f64/],
      ['9223372036854775808', 'i64', /:1: field 1: 9223372036854775808 is no i64/],
      ['0.5', 'u8', /0.5 is no u8/],
      ['2', 'bool', /2 is no bool; it holds true and false/],
    ] as const) {
      await assert.rejects(readCsv(bytes(text), { dtype, comment: '#' }), { name: 'FormatError', message });
    }
  });
});

describe('fields', () => {
  test('without value are NaN', async () => {
    assert.deepEqual(await rows('a,b,c\n1,,NA\n,2,\nNaN,null,"" \n'), [
      [1, NaN, NaN],
      [NaN, 2, NaN],
      [NaN, NaN, NaN],
    ]);
    assert.deepEqual(await rows('inf,-Infinity\n+Inf,-nan'), [
      [Infinity, -Infinity],
      [Infinity, NaN],
    ]);
  });

  test('may be quoted, and have blanks around', async () => {
    assert.deepEqual(await rows('"1", "2.5" ,3\n 4 ,"-5e1","6"\n'), [
      [1, 2.5, 3],
      [4, -50, 6],
    ]);
    const { names } = await readCsv(bytes('"a ""x""","b,\nc",d\n1,2,3\n'));
    assert.deepEqual(names, ['a "x"', 'b,\nc', 'd']);
  });

  test('are separated by what the first record has', async () => {
    for (const text of ['1;2;3', '1\t2\t3', '1|2|3', '1,2,3', '1 2  3', '  1 \t 2 3 '])
      assert.deepEqual(await rows(text), [[1, 2, 3]], text);
    assert.deepEqual(await rows('# made today\n1 2 # first\n  3 4\n#5 6\n', { comment: '#' }), [
      [1, 2],
      [3, 4],
    ]);
    assert.deepEqual(await rows('some text, of somebody\n\n1,2\n', { skip: 1 }), [[1, 2]]);
    assert.deepEqual(await rows('1,2\n3,4\n', { header: true }), [[3, 4]]);
    assert.deepEqual(await rows('\u{feff}a,b\r\n1,2\r\n'), [[1, 2]]);
  });

  test('that are no numbers are named with their line', async () => {
    await refused('a,b\n1,2\n3,x4\n', /the bytes given:3: field 2 is "x4", which is no number$/);
    await refused('1,2\n3\n', /:2: has 1 field, where those before have 2/);
    await refused('1,2\n\n3,4,5,6\n', /:3: has 4 fields, where those before have 2/);
    await refused('1,2\n3,"4\n5,6', /:2: a quote is opened and not closed in its line/);
    await refused('1,2\n3,"4"5\n', /:2: after a quoted field comes something else/);
    await refused('1,2\n1.2.3,4\n', /field 1 is "1.2.3"/);
    await refused('1,2\n1e,4\n', /field 1 is "1e"/);
    await refused('1,2\n--1,4\n', /field 1 is "--1"/);
    await refused('1 2\n3 4 5\n', /:2: has 3 fields/);
    await refused('a,b\ntrue,1', /field 1 is "true"/);
    await assert.rejects(readCsv(Uint8Array.of(0xff, 0xfe, 49, 0)), { name: 'FormatError', message: /is UTF-16/ });
  });

  test('are no more than there are: empty files have no rows', async () => {
    assert.deepEqual((await readCsv(bytes(''))).shape, [0, 0]);
    assert.deepEqual((await readCsv(bytes('\n\n'))).shape, [0, 0]);
    const { shape, names } = await readCsv(bytes('a,b'));
    assert.deepEqual(
      [shape, names],
      [
        [0, 2],
        ['a', 'b'],
      ],
    );
  });
});

test('columns have types of their own', async () => {
  const text = bytes('id,ok,x,y,n\n1,true,0.5,1,3\n2,False,2,,4\n');
  const columns = await readCsvColumns(text, { dtypes: { n: 'u8' } });
  assert.deepEqual(
    columns.map(({ name, dtype, elements }) => [name, dtype, ...elements]),
    [
      ['id', 'i64', 1n, 2n],
      ['ok', 'bool', 1, 0],
      ['x', 'f64', 0.5, 2],
      ['y', 'f64', 1, NaN],
      ['n', 'u8', 3, 4],
    ],
  );
  await assert.rejects(readCsvColumns(text, { dtypes: { z: 'f64' } }), {
    name: 'UsageError',
    message: /there is no column "z" in the bytes given; it has id, ok, x/,
  });
});

test('options and places that are wrong are refused', async () => {
  await assert.rejects(readCsv(join(folder, 'none.csv')), {
    name: 'UsageError',
    message: /none\.csv can't be read: ENOENT/,
  });
  await assert.rejects(readCsv(folder), { message: /it is no file|EISDIR/ });
  await assert.rejects(readCsv(bytes('1'), { delimiter: 'ab' }), UsageError);
  await assert.rejects(readCsv(bytes('1'), { dtype: 'f16' as 'f64' }), { message: /"f16" is no type of elements/ });
  await assert.rejects(readCsv(3 as never), {
    message: /readCsv takes a path, a file: URL, bytes or a Blob, not number/,
  });
});

test('cut anywhere it is an error, or what was whole until then', async () => {
  const text = 'a,b\n1.5,"2"\n-3e2,4\n';
  for (let end = 0; end <= text.length; end++) {
    try {
      const { elements } = await readCsv(bytes(text.slice(0, end)));
      const whole = [1.5, 2, -300, 4];
      // What was cut inside of a number is another number; all before it is as it was.
      for (const [i, value] of [...elements].slice(0, -1).entries()) assert.equal(value, whole[i]);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      assert.match(error.message, /the bytes given:\d+: /);
    }
  }
});

test('workers read a large file in parts, and get what one thread gets', async () => {
  const lines = ['a,b,c'];
  for (let i = 0; lines.length < 60_000; i++) {
    lines.push(`${i},${(i * 0.37).toExponential(i % 18)},${i % 11 === 0 ? '' : -i}`);
    if (i % 1000 === 0) lines.push('');
  }
  const text = lines.join('\r\n');
  const path = join(folder, 'large.csv');
  writeFileSync(path, text);
  const alone = await readCsv(bytes(text));
  assert.ok(text.length > 1 << 20);
  await using _session = await connect({ cpus: 2 });
  const shared = await readCsv(path);
  assert.deepEqual(shared.shape, alone.shape);
  // Bit for bit, since NaN is not equal to itself.
  const bits = ({
    elements,
  }: {
    elements: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number };
  }): Buffer => Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength);
  assert.ok(bits(shared).equals(bits(alone)));
  // What a worker has no words for: large whole numbers, and here and there another type.
  for (const i of [20_000, 40_000, 59_000]) lines[i] = `${2n ** 60n + BigInt(i)},${2n ** 63n + 1n},${i}`;
  lines[30_000] = '1,"2.5",true';
  writeFileSync(path, lines.join('\n'));
  assert.deepEqual(await readCsvColumns(path), await readCsvColumns(bytes(lines.join('\n'))));
  for (const [at, message] of [
    [40_001, /large\.csv:40002: field 2 is "x", which is no number/],
    [20_001, /large\.csv:20002: field 2 is "x", which is no number/],
  ] as const) {
    lines[at] = '1,x,3';
    writeFileSync(path, lines.join('\n'));
    await assert.rejects(readCsvColumns(path), { name: 'FormatError', message });
  }
});

test('what is written is read again, of every type', async () => {
  for (const dtype of DTYPE_NAMES) {
    const elements = zeros(dtype, 12);
    const raw = new Uint8Array(elements.buffer);
    for (let i = 0; i < raw.length; i++) raw[i] = dtype === 'bool' ? i % 2 : (i * 89) % 120;
    const array = { shape: [4, 3], dtype, elements };
    const path = join(folder, `${dtype}.csv`);
    await writeCsv(path, array, { names: ['a', 'b "x"', ' c,'], delimiter: ';' });
    const again = await readCsv(path, { dtype });
    assert.deepEqual(again, { ...array, names: ['a', 'b "x"', ' c,'] });
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double()), async (values) => {
      const array = { shape: [values.length], dtype: 'f64' as const, elements: Float64Array.from(values) };
      const { elements } = await readCsv(bytes([...csvText(array)].join('')));
      assert.deepEqual([...elements], values);
    }),
  );
  await assert.rejects(
    writeCsv(join(folder, 'x'), { shape: [1, 1, 1], dtype: 'f64', elements: Float64Array.of(1) }),
    /has 3 axes/,
  );
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, current, type Session, type SheafError, task } from 'sheaf';
import { count, fromArrow, fromColumns, lit, mean, readCsv, readParquet, sum } from 'sheaf/frame';
import { leaks } from 'sheaf/testing';

const folder = mkdtempSync(join(tmpdir(), 'sheaf-frames-'));
let session: Session;
before(async () => {
  session = await connect({ cpus: 2, memory: '256MiB', spill: 'off' });
});
after(async () => {
  await session[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const failure = async (what: () => unknown): Promise<SheafError> => {
  try {
    await what();
  } catch (error) {
    return error as SheafError;
  }
  throw new Error('it has not failed');
};

const people = () =>
  fromColumns(
    {
      id: BigInt64Array.from([1n, 2n, 3n, 4n, 5n]),
      name: ['ann', 'bob', null, "o'neil", 'ann'],
      born: [new Date('1990-02-01'), null, new Date('1969-12-31'), new Date('2000-01-01'), new Date('1990-02-01')],
      seen: [new Date(0), new Date('1969-12-31T23:59:59.999Z'), null, new Date('2024-02-29T12:00:00.5Z'), new Date(5)],
      paid: ['12.50', '-0.000000001', null, '99999999999999999999.5', '0'],
      ok: [true, null, false, true, true],
    },
    { id: 'i64', name: 'str?', born: 'date?', seen: 'timestamp?', paid: 'decimal?', ok: 'bool?' },
    { partitions: 2 },
  );

test('values of every type go to Parquet, and come back as they were', async () => {
  const dir = join(folder, 'people');
  const expected = await people().rows();
  const { files, rows, bytes } = await people().writeParquet(dir);
  assert.deepEqual([files, rows, bytes > 0, readdirSync(dir).length], [2, 5, true, 2]);
  const read = readParquet(join(dir, '*.parquet'));
  assert.deepEqual(await read.rows(), expected);
  assert.equal(expected[1]!.paid, '-0.000000001');
  assert.deepEqual(expected[1]!.seen, new Date('1969-12-31T23:59:59.999Z'));
  assert.deepEqual(await read.schema(), {
    id: 'i64?',
    name: 'str?',
    born: 'date?',
    seen: 'timestamp?',
    paid: 'decimal?',
    ok: 'bool?',
  });
  assert.deepEqual(
    await people()
      .join(read, { on: { id: 'id' }, strategy: 'shuffle' })
      .count(),
    5,
  );
  const failed = await failure(() => people().writeParquet(dir));
  assert.equal(failed.code, 'ERR_SHEAF_FRAME_FILE');
  assert.match(failed.message, /has part-00000\.parquet already/);
  assert.equal(readdirSync(dir).length, 2, 'nothing is left of the attempt');
  const half = join(folder, 'half');
  const broken = people().derive((c) => ({ n: c.name.fillNull('0').cast('i64') }));
  assert.equal((await failure(() => broken.writeParquet(half))).code, 'ERR_SHEAF_FRAME_VALUE');
  assert.deepEqual(readdirSync(half), []);
});

test('folders by values of a column are written, and read as that column', async () => {
  const dir = join(folder, 'by');
  await people()
    .select('id', 'name')
    .writeParquet(dir, { partitionBy: ['name'] });
  assert.deepEqual(readdirSync(dir).sort(), [
    'name=__HIVE_DEFAULT_PARTITION__',
    'name=ann',
    'name=bob',
    'name=o%27neil',
  ]);
  const back = await readParquet(join(dir, '**/*.parquet')).orderBy('id').rows();
  assert.deepEqual(back, await people().select('id', 'name').rows());
});

test('a text is read as its first line and its schema say', async () => {
  mkdirSync(join(folder, 'csv'));
  writeFileSync(join(folder, 'csv/a.csv'), 'id,name,x\n1,ann,1.5\n2,"b,ob",\n');
  writeFileSync(join(folder, 'csv/b [1].csv'), 'id,name,x\n3,,7\n');
  const all = readCsv(join(folder, 'csv/*.csv'));
  assert.deepEqual(await all.orderBy('id').rows(), [
    { id: 1n, name: 'ann', x: 1.5 },
    { id: 2n, name: 'b,ob', x: null },
    { id: 3n, name: null, x: 7 },
  ]);
  assert.equal(await readCsv(join(folder, 'csv/b [1].csv')).count(), 1);
  const some = readCsv(join(folder, 'csv/a.csv'), { x: 'f32?', id: 'i32' });
  assert.deepEqual(await some.toColumns(), { x: [1.5, null], id: Int32Array.of(1, 2) });
  writeFileSync(join(folder, 'odd.csv'), 'id,name\n1,ann\nx,bob\n');
  const failed = await failure(() => readCsv(join(folder, 'odd.csv'), { id: 'i32' }).rows());
  assert.deepEqual([failed.name, failed.code], ['FormatError', 'ERR_SHEAF_FRAME_VALUE']);
  assert.match(failed.message, /Line: 3/);
});

test('files that are missing, none, or not what the schema says, are named', async () => {
  const broken = join(folder, 'broken.parquet');
  writeFileSync(broken, 'PAR1 and nothing else');
  const good = join(folder, 'good.parquet');
  mkdirSync(good);
  await people().writeParquet(good);
  const file = join(good, 'part-00000.parquet');
  for (const [read, name, code, text] of [
    [
      () => readParquet(join(folder, 'no.parquet')).count(),
      'UsageError',
      'ERR_SHEAF_FRAME_FILE',
      /no\.parquet does not exist/,
    ],
    [
      () => readParquet(join(folder, 'no*.parquet')).count(),
      'UsageError',
      'ERR_SHEAF_FRAME_FILE',
      /pattern of no file/,
    ],
    [() => readParquet(folder).count(), 'UsageError', 'ERR_SHEAF_FRAME_FILE', /is a folder/],
    [() => readParquet(broken).count(), 'FormatError', 'ERR_SHEAF_FORMAT', /broken\.parquet/],
    [
      () => readParquet(file, { id: 'i32' }).count(),
      'UsageError',
      'ERR_SHEAF_FRAME_SCHEMA',
      /"id" of .* is i64\? \(BIGINT\)/,
    ],
    [
      () => readParquet(file, { nope: 'i32' }).count(),
      'UsageError',
      'ERR_SHEAF_FRAME_SCHEMA',
      /"nope", and .* has not/,
    ],
    [
      () => readParquet(join(good, '*'), { name: 'str' }).rows(),
      'FormatError',
      'ERR_SHEAF_FRAME_VALUE',
      /call it str\?/,
    ],
  ] as const) {
    const failed = await failure(read);
    assert.deepEqual([failed.name, failed.code], [name, code], failed.message);
    assert.match(failed.message, text);
  }
});

test('columns and types that do not fit are found where they are written, or with the file', async () => {
  const known = people();
  const unknown = readParquet(join(folder, 'good.parquet/*'));
  for (const frame of [known, unknown as unknown as typeof known]) {
    for (const [use, code, text] of [
      [
        () => frame.where((c) => (c as unknown as Record<string, typeof c.id>).idd!.gt(1n)).count(),
        'ERR_SHEAF_FRAME_COLUMN',
        /no column "idd" \("id", maybe\)/,
      ],
      [() => frame.select('nope' as 'id').count(), 'ERR_SHEAF_FRAME_COLUMN', /select: there is no column "nope"/],
      [
        () =>
          frame
            .groupBy('id')
            .agg({ a: mean('name') })
            .count(),
        'ERR_SHEAF_FRAME_TYPE',
        /str\?; mean is for numbers/,
      ],
      [
        () => frame.where((c) => c.name.gt(1 as unknown as string)).count(),
        'ERR_SHEAF_FRAME_TYPE',
        /1 is no value of type str/,
      ],
      [() => frame.where((c) => c.id as unknown as typeof c.ok).count(), 'ERR_SHEAF_FRAME_TYPE', /a condition is bool/],
      [() => frame.derive((c) => ({ a: c.name.hour() })).count(), 'ERR_SHEAF_FRAME_TYPE', /hour\(\) is for timestamps/],
      [() => frame.derive((c) => ({ NAME: c.name })).count(), 'ERR_SHEAF_FRAME_COLUMN', /differ in case only/],
      [() => frame.derive((c) => ({ a: c.id.add(c.name) })).count(), 'ERR_SHEAF_FRAME_TYPE', /no type in common/],
      [() => frame.where((c) => c.name.eq(null)).count(), 'ERR_SHEAF_FRAME_TYPE', /isNull\(\)/],
      [() => frame.join(frame, { on: { id: 'name' } }).count(), 'ERR_SHEAF_FRAME_TYPE', /join: "id" and "name"/],
      [() => frame.sql('SELEC').count(), 'ERR_SHEAF_FRAME_SQL', /syntax error/],
      [() => frame.sql('SELECT 1 AS a; SELECT 2 AS a').count(), 'ERR_SHEAF_FRAME_SQL', /2 statements/],
      [() => frame.sql('DELETE FROM this').count(), 'ERR_SHEAF_FRAME_SQL', /sql: /],
      [() => frame.sql('SELECT [id] AS l FROM this').count(), 'ERR_SHEAF_FRAME_TYPE', /BIGINT\[\]/],
      [
        () => frame.derive((c) => ({ a: c.id.mul(9_223_372_036_854_775_807n) })).rows(),
        'ERR_SHEAF_FRAME_VALUE',
        /Overflow/,
      ],
      [() => frame.derive((c) => ({ a: c.name.cast('f64') })).rows(), 'ERR_SHEAF_FRAME_VALUE', /ann/],
    ] as const) {
      const failed = await failure(use);
      assert.equal(failed.code, code, failed.message);
      assert.match(failed.message, text);
    }
  }
});

test('names and texts are never SQL', async () => {
  const name = `a"; DROP TABLE x; --' \\`;
  const value = `'); DELETE FROM this; --"`;
  const frame = fromColumns({ [name]: [value, 'b'], k: [1, 2] }, { [name]: 'str', k: 'f64' }, { partitions: 2 });
  const found = await frame
    .where((c) => c[name]!.eq(value))
    .derive((c) => ({ [`${name}2`]: c[name]!.concat(value) }))
    .orderBy(name)
    .rows();
  assert.deepEqual(found, [{ [name]: value, k: 1, [`${name}2`]: value + value }]);
  const grouped = await frame
    .groupBy(name)
    .agg({ 'n"': count(), t: sum('k') })
    .where((c) => c.t.gt(1))
    .rows();
  assert.deepEqual(grouped, [{ [name]: 'b', 'n"': 1n, t: 2 }]);
});

test('types of the engine that frames do not have are the nearest ones that hold their values', async () => {
  const query = `SELECT 18446744073709551615::UBIGINT AS u, sum(id) AS h, 'a'::ENUM('a') AS e, 7::TINYINT AS t, TIMESTAMPTZ '2001-01-01 00:00:00+02' AS z FROM this`;
  const [row] = await people()
    .sql(query)
    .derive((c) => ({ l: lit('x', 'str'), s: c.t!.add(1) }))
    .rows();
  assert.deepEqual(row, {
    u: '18446744073709551615',
    h: '15',
    e: 'a',
    t: 7,
    z: new Date('2000-12-31T22:00:00Z'),
    l: 'x',
    s: 8,
  });
});

test('batches go through a task of one’s own, whose worker may be killed in the middle', async () => {
  const numbers = fromColumns({ i: Int32Array.from({ length: 1000 }, (_, i) => i) }, undefined, { partitions: 4 });
  assert.deepEqual(
    (await numbers.head(300).toColumns()).i,
    Int32Array.from({ length: 300 }, (_, i) => i),
  );
  const squares = numbers.mapBatches(
    task(({ i }: { i: Int32Array }) => {
      if (i[0] === 250 && current().attempt === 0) process.kill(process.pid, 'SIGKILL');
      return { square: Float64Array.from(i, (value) => value ** 2), text: Array.from(i, String) };
    }),
    { square: 'f64', text: 'str' },
  );
  assert.deepEqual(
    await squares
      .groupBy()
      .agg({ n: count(), t: sum('square') })
      .rows(),
    [{ n: 1000n, t: 332_833_500 }],
  );
  assert.ok(session.stats().tasks.retried! > 0, 'a worker died');
  const wrong = numbers.mapBatches(
    task(() => ({ square: [1, null] })),
    { square: 'f64' },
  );
  const failed = await failure(() => wrong.count());
  assert.equal(failed.code, 'ERR_SHEAF_FRAME_TYPE');
  assert.match(failed.message, /mapBatches: the column "square": the value of row 1 is missing/);
});

test('what is shown, explained, persisted and taken as Arrow', async () => {
  const frame = people()
    .select('id', 'name', 'seen')
    .where((c) => c.id.lt(4n));
  assert.equal(
    await frame.show(),
    [
      ' id  name  seen',
      'i64  str?  timestamp?',
      '---  ----  -------------------',
      '  1  ann   1970-01-01',
      '  2  bob   1969-12-31 23:59:59',
      '  3  null  null',
    ].join('\n'),
  );
  const text = await readParquet(join(folder, 'good.parquet/*'))
    .where((c) => c.id!.gt(1n))
    .groupBy('name')
    .agg({ n: count() })
    .explain();
  assert.match(text, /^columns: name: str\?, n: i64\n\ngroup by name: n = count\(\)\nwhere id > 1n\nscan parquet /);
  assert.match(text, /each a task; the first one:\n {2}SELECT .*WHERE \("id" > CAST\('1' AS BIGINT\)\)/s);
  using kept = await frame.persist();
  assert.deepEqual([await kept.count(), await kept.head(1).count()], [3, 1]);
  assert.deepEqual(await (await fromArrow(await frame.toArrow())).rows(), await frame.rows());
  // Leaving the loop early ends what it asked for.
  for await (const { id } of kept) {
    assert.equal(id, 1n);
    break;
  }
});

test('nothing is left', async () => {
  assert.deepEqual(await leaks(session), []);
});

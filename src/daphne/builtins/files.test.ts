import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { writeParquet } from '../../io/index.ts';
import { parquetHead } from '../files/parquet-head.ts';
import type { Builtin } from './builtin.ts';
import { type CallOptions, called, frameOf, mat, type Plain, sparseMat } from './calls.fixture.ts';
import { FILES } from './files.ts';

const call = (name: string, args: readonly Plain[], options?: CallOptions) => called(FILES, name, args, options);

const folder = mkdtempSync(join(tmpdir(), 'sheaf-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** A file, and what is said of it. */
function file(name: string, text: string | Uint8Array, meta?: object | string): string {
  writeFileSync(at(name), text);
  if (meta !== undefined) writeFileSync(at(`${name}.meta`), typeof meta === 'string' ? meta : JSON.stringify(meta));
  return at(name);
}

const ofShape = (numRows: number, numCols: number, valueType = 'f64') => ({ numRows, numCols, valueType });
let count = 0;
const csv = (text: string, meta?: object | string): string => file(`${count++}.csv`, text, meta);

const MATRICES: readonly (readonly [string, object | undefined, string])[] = [
  ['1,2.5\n-3e2,inf\n', ofShape(2, 2), 'f64 2x2: 1 2.5 | -300 Infinity'],
  ['1,2\n3,4', ofShape(2, 2), 'f64 2x2: 1 2 | 3 4'],
  ['1,2\r\n3,4\r\n', ofShape(2, 2, 'si64'), 'si64 2x2: 1 2 | 3 4'],
  ['abc,1\n,2x\n', ofShape(2, 2), 'f64 2x2: NaN 1 | NaN 2'],
  ['9007199254740993,-9223372036854775808\n', ofShape(1, 2, 'si64'), 'si64 1x2: 9007199254740993 -9223372036854775808'],
  ['18446744073709551615\n', ofShape(1, 1, 'ui64'), 'ui64 1x1: 18446744073709551615'],
  ['1.9,abc,-2\n', ofShape(1, 3, 'si32'), 'si32 1x3: 1 0 -2'],
  ['200,255\n', ofShape(1, 2, 'ui8'), 'ui8 1x2: 200 255'],
  ['0.1\n', ofShape(1, 1, 'f32'), 'f32 1x1: 0.1'],
  ['1,2\n3,4\n5,6\n', ofShape(2, 2), 'f64 2x2: 1 2 | 3 4'],
  ['1,2,3\n4,5,6\n', ofShape(2, 2), 'f64 2x2: 1 2 | 4 5'],
  ['a,"b,c"\n"d ""e""","f\ng"\n', ofShape(2, 2, 'str'), 'str 2x2: a b,c | d "e" f\ng'],
  // An empty line is a field of a single column, and no number.
  ['1\n\n3\n', ofShape(3, 1), 'f64 3x1: 1 | NaN | 3'],
  ['1\n\n3\n4\n', ofShape(3, 1, 'si64'), 'si64 3x1: 1 | 0 | 3'],
  ['', ofShape(0, 3), 'f64 0x3: '],
  [
    '1,2\n',
    {
      numRows: 1,
      numCols: 2,
      schema: [
        { label: 'a', valueType: 'si64' },
        { label: '', valueType: 'f64' },
      ],
    },
    'si64 1x2: 1 2',
  ],
  ['1,2\n3,4\n', undefined, 'si64 2x2: 1 2 | 3 4'],
  ['1,2.5\n3,4\n', undefined, 'f64 2x2: 1 2.5 | 3 4'],
  ['1,x\n', undefined, 'str 1x2: 1 x'],
];

test('readMatrix reads CSV as its .meta says, and without one as its first records look', () => {
  for (const [text, meta, expected] of MATRICES) {
    const path = csv(text, meta);
    assert.equal(call('readMatrix', [path]), expected, text);
    assert.equal(call('readMatrix', [path], { blind: true }), expected, text);
  }
});

const FRAMES: readonly (readonly [string, object | undefined, string])[] = [
  [
    '1,2.5,x\n2,nan,"y,z"\n',
    {
      numRows: 2,
      numCols: 3,
      schema: [
        { label: 'a', valueType: 'si64' },
        { label: 'b', valueType: 'f64' },
        { label: '', valueType: 'str' },
      ],
    },
    'frame 2: a:si64 1 2 | b:f64 2.5 NaN | :str x y,z',
  ],
  [
    '1,2\n',
    {
      numRows: 1,
      numCols: 2,
      valueType: 'f32',
      schema: [
        { label: 'a', valueType: '' },
        { label: 'b', valueType: 'ui8' },
      ],
    },
    'frame 1: a:f32 1 | b:ui8 2',
  ],
  ['1,2\n', ofShape(1, 2, 'si64'), 'frame 1: col_0:si64 1 | col_1:si64 2'],
  ['1,x\n2,y', undefined, 'frame 2: col_0:si64 1 2 | col_1:str x y'],
];

test('readFrame reads columns of several types', () => {
  for (const [text, meta, expected] of FRAMES) {
    const path = csv(text, meta);
    assert.equal(call('readFrame', [path]), expected, text);
    assert.equal(call('readFrame', [path], { blind: true }), expected, text);
  }
});

test('a large file of CSV goes past the windows of its reader', () => {
  const rows = 50_000;
  const padding = '.'.repeat(100);
  const long = Array.from({ length: rows }, (_, i) => `${i},"${padding} text ${i}, ü"\n`).join('');
  const schema = [
    { label: 'i', valueType: 'si64' },
    { label: 't', valueType: 'str' },
  ];
  const path = csv(long, { numRows: rows, numCols: 2, schema });
  const text = call('readFrame', [path]) as string;
  assert.ok(text.endsWith(`text ${rows - 1}, ü`));
  assert.ok(text.includes(` ${rows - 1} | t:str ${padding} text 0, ü ${padding} text 1, ü`));
});

test('a sparse matrix of CSV is pairs of row and column, if the compiler chooses it', () => {
  const path = csv('0,1\n2,0\n', { ...ofShape(3, 3), numNonZeros: 2 });
  assert.equal(call('readMatrix', [path], { selects: true }), 'sparse f64 3x3: 0 1 0 | 0 0 0 | 1 0 0');
  const dense = csv('0,1\n2,0\n', { ...ofShape(2, 2), numNonZeros: 2 });
  assert.equal(call('readMatrix', [dense], { selects: true }), 'f64 2x2: 0 1 | 2 0');
  const wrong = csv('0,7\n', { ...ofShape(3, 3), numNonZeros: 1 });
  assert.match(call('readMatrix', [wrong], { selects: true }) as string, /^execution: .*names the place 0, 7/);
});

const COORDINATES = '%%MatrixMarket matrix coordinate real general\n% a comment\n2 2 2\n1 1 1.5\n2 2 2\n';

test('files of the Matrix Market are read, with and without .meta', async () => {
  const path = file('a.mtx', COORDINATES);
  assert.equal(await call('readMatrix', [path]), 'f64 2x2: 1.5 0 | 0 2');
  const typed = file('b.mtx', COORDINATES, ofShape(2, 2, 'si64'));
  assert.equal(await call('readMatrix', [typed]), 'si64 2x2: 1 0 | 0 2');
  const few = file('c.mtx', COORDINATES.replace('2 2 2', '4 2 1').replace('2 2 2\n', ''), {
    ...ofShape(4, 2),
    numNonZeros: 1,
  });
  assert.equal(await call('readMatrix', [few], { selects: true }), 'sparse f64 4x2: 1.5 0 | 0 0 | 0 0 | 0 0');
  const array = file('d.mtx', '%%MatrixMarket matrix array integer general\n2 1\n3\n4\n');
  assert.equal(await call('readMatrix', [array]), 'si64 2x1: 3 | 4');
  assert.match(
    (await call('readMatrix', [file('e.mtx', '%%MatrixMarket\n1 1\n')])) as string,
    /^execution: the file \S+e\.mtx can't be read: line 1: the banner says nothing, and not matrix/,
  );
  assert.match(
    (await call('readMatrix', [file('f.mtx', COORDINATES, ofShape(3, 2))])) as string,
    /^execution: .*2x2.*3x2/,
  );
  assert.match((await call('readFrame', [path])) as string, /^execution: .*use readMatrix/);
});

test('files of Parquet are read, strings in them as well', async () => {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 's', data: ['a', null, 'c'], type: 'STRING' },
      { name: 'n', data: Int32Array.of(1, 2, 3), type: 'INT32' },
      { name: 't', data: [0, 1, 2].map((ms) => new Date(ms)), type: 'TIMESTAMP', nullable: false },
    ],
  });
  const mixed = file('mixed.parquet', new Uint8Array(bytes));
  assert.equal(await call('readFrame', [mixed]), 'frame 3: s:str a  c | n:si32 1 2 3 | t:si64 0 1000000 2000000');
  // As CSV has it: what is beside strings is one.
  assert.equal(await call('readMatrix', [mixed]), 'str 3x3: a 1 0 |  2 1000000 | c 3 2000000');
  const records = parquetWriteBuffer({ columnData: [{ name: 'r', data: [new Uint8Array(16)], type: 'UUID' }] });
  assert.match(
    (await call('readFrame', [file('records.parquet', new Uint8Array(records))])) as string,
    /can't be read: its column "r" is of type \S.*, and columns are numbers, bools, strings/,
  );
  const damaged = bytes.slice(0);
  new Uint8Array(damaged).fill(0x15, damaged.byteLength - 40, damaged.byteLength - 8);
  assert.match(
    (await call('readFrame', [file('damaged.parquet', new Uint8Array(damaged))])) as string,
    /^execution: the file \S+ can't be read: can't be read as Parquet: (?!Cannot|.* is not a)/,
  );
  assert.deepEqual(parquetHead(mixed), {
    rows: 3,
    columns: [
      { label: 's', value: 'str' },
      { label: 'n', value: 'si32' },
      { label: 't', value: 'si64' },
    ],
  });
  const path = at('a.parquet');
  const columns = [
    { name: 'i', dtype: 'i64' as const, elements: BigInt64Array.of(1n, 2n) },
    { name: 'x', dtype: 'f64' as const, elements: Float64Array.of(0.5, 1.5) },
  ];
  await writeParquet(path, columns);
  assert.deepEqual(
    parquetHead(path)?.columns.map(({ value }) => value),
    ['si64', 'f64'],
  );
  assert.equal(await call('readFrame', [path]), 'frame 2: i:si64 1 2 | x:f64 0.5 1.5');
  writeFileSync(`${path}.meta`, JSON.stringify(ofShape(2, 2)));
  assert.equal(await call('readMatrix', [path]), 'f64 2x2: 1 0.5 | 2 1.5');
  assert.match((await call('readFrame', [file('b.parquet', 'nothing')])) as string, /^execution: /);
});

test('what is written is read again, and .meta says what it is', () => {
  const path = at('out.csv');
  assert.equal(
    call('write', [
      mat('f64', [
        [1, Number.NaN],
        [-2.5, Number.POSITIVE_INFINITY],
      ]),
      path,
    ]),
    '',
  );
  assert.equal(readFileSync(path, 'utf8'), '1.000000,nan\n-2.500000,inf\n');
  assert.equal(readFileSync(`${path}.meta`, 'utf8'), '{"numCols":2,"numRows":2,"valueType":"f64"}');
  assert.equal(call('readMatrix', [path]), 'f64 2x2: 1 NaN | -2.5 Infinity');
  call('writeMatrix', [mat('si8', [[-1, 5]]), path]);
  assert.equal(readFileSync(path, 'utf8'), '-1,5\n');
  call('write', [
    mat('str', [
      ['a,b', 'c"d'],
      ['e\nf', 'g h'],
    ]),
    path,
  ]);
  assert.equal(readFileSync(path, 'utf8'), '"a,b","c""d"\n"e\nf",g h\n');
  assert.equal(call('readMatrix', [path]), 'str 2x2: a,b c"d | e\nf g h');
  call('write', [sparseMat('f64', [[0, 2]]), path]);
  assert.equal(readFileSync(path, 'utf8'), '0.000000,2.000000\n');
  const frame = frameOf(
    { label: 'a', value: 'si64', cells: BigInt64Array.of(1n, 2n) },
    { label: 'b', value: 'f64', cells: Float64Array.of(0.5, 1) },
    { label: 'c', value: 'str', cells: ['x', 'y,'] },
  );
  call('writeFrame', [frame, path]);
  assert.equal(readFileSync(path, 'utf8'), '1,0.500000,x\n2,1.000000,"y,"\n');
  assert.equal(
    readFileSync(`${path}.meta`, 'utf8'),
    '{"numCols":3,"numRows":2,"schema":[{"label":"a","valueType":"si64"},{"label":"b","valueType":"f64"},{"label":"c","valueType":"str"}]}',
  );
  assert.equal(call('readFrame', [path]), 'frame 2: a:si64 1 2 | b:f64 0.5 1 | c:str x y,');
  call('write', [mat('f64', [], 2), path]);
  assert.equal(call('readMatrix', [path]), 'f64 0x2: ');
});

test('the binary format keeps all bits', () => {
  const path = at('out.dbdf');
  for (const value of ['si8', 'si32', 'si64', 'ui8', 'ui32', 'ui64', 'f32', 'f64'] as const) {
    call('write', [
      mat(value, [
        [1, 2, 3],
        [4, 5, 6],
      ]),
      path,
    ]);
    assert.equal(call('readMatrix', [path]), `${value} 2x3: 1 2 3 | 4 5 6`);
    // The header of 45 bytes: version, dense, shape, type, place, block of 2x3, dense, type.
    assert.deepEqual([...readFileSync(path).subarray(0, 18)], [1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    rmSync(`${path}.meta`);
    assert.equal(call('readMatrix', [path]), `${value} 2x3: 1 2 3 | 4 5 6`);
  }
  const frame = frameOf(
    { label: 'a', value: 'si64', cells: BigInt64Array.of(1n, 2n) },
    { label: 'bü', value: 'f32', cells: Float32Array.of(0.5, 1) },
  );
  call('write', [frame, path]);
  assert.equal(call('readFrame', [path]), 'frame 2: a:si64 1 2 | bü:f32 0.5 1');
  assert.match(call('readMatrix', [path]) as string, /^execution: .*holds a frame/);
  assert.match(call('write', [mat('str', [['a']]), path]) as string, /^execution: .*has no strings/);
});

/** Numbers of so many bits. */
type Part = readonly [8 | 16 | 32 | 64 | 'f64', ...number[]];

/** Little endian. */
function bytesOf(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap(([size, ...numbers]) =>
      numbers.map((own) => {
        if (size === 'f64') return Buffer.from(Float64Array.of(own).buffer);
        return Buffer.from(BigUint64Array.of(BigInt(own)).buffer).subarray(0, size / 8);
      }),
    ),
  );
}

test('blocks of the binary format are of four kinds, and types have the numbers of its page or of DAPHNE', () => {
  const header = (type: number, code: number): readonly Part[] => [
    [8, 1, type],
    [64, 2, 2],
    [8, code],
  ];
  const whole = [
    [64, 0, 0],
    [32, 2, 2],
  ] as const;
  const read = (...parts: readonly Part[]) => call('readMatrix', [file(`${count++}.dbdf`, bytesOf(...parts))]);
  assert.equal(read(...header(1, 10), ...whole, [8, 0]), 'f64 2x2: 0 0 | 0 0');
  assert.equal(read(...header(1, 10), ...whole, [8, 1, 10], ['f64', 1, 2, 3, 4]), 'f64 2x2: 1 2 | 3 4');
  assert.equal(read(...header(1, 7), ...whole, [8, 1, 7], ['f64', 1, 2, 3, 4]), 'f64 2x2: 1 2 | 3 4');
  assert.equal(read(...header(1, 7), ...whole, [8, 1, 7], [32, 1, 2, 3, 4]), 'si32 2x2: 1 2 | 3 4');
  const row = [
    [32, 1],
    [32, 1],
    ['f64', 5],
    [32, 0],
  ] as const;
  assert.equal(read(...header(2, 10), ...whole, [8, 2, 10], [64, 1], ...row), 'f64 2x2: 0 5 | 0 0');
  assert.equal(read(...header(2, 10), ...whole, [8, 3, 10], [32, 1], [32, 1, 0], ['f64', 5]), 'f64 2x2: 0 0 | 5 0');
  const halves = [0, 1].flatMap((i): readonly Part[] => [
    [64, i, 0],
    [32, 1, 2],
    [8, 1, 1, i, 9],
  ]);
  assert.equal(read(...header(1, 10), ...halves), 'f64 2x2: 0 9 | 1 9');
  assert.match(read(...header(1, 10), ...whole, [8, 1, 10], ['f64', 1, 2]) as string, /^execution: .*ends at byte/);
  assert.match(read([8, 2, 1]) as string, /^execution: .*version 2/);
  assert.match(read([8, 1, 9], [64, 1, 1]) as string, /^execution: .*type 9/);
  assert.match(read(...header(1, 10), ...whole, [8, 7, 10], ['f64', 1]) as string, /^execution: .*kind 7/);
  assert.match(read() as string, /^execution: .*ends at byte 0/);
});

const BROKEN: readonly (readonly [string, object | string, RegExp])[] = [
  ['1,2\n', ofShape(2, 2), /has 1 rows, and 2 are expected/],
  ['a,2\n', ofShape(2, 2), /has 1 rows, and 2 are expected/],
  ['1\n2\n', ofShape(2, 2), /has 1 fields in row 0, and 2 are expected/],
  ['"a,2\n', ofShape(1, 2, 'str'), /ends within quotes/],
  ['1\n', '{', /it is no JSON/],
  ['1\n', '[]', /it is no JSON object/],
  ['1\n', { numCols: 1, valueType: 'f64' }, /there is no numRows/],
  ['1\n', { numRows: 1, valueType: 'f64' }, /there is no numCols/],
  ['1\n', { numRows: -1, numCols: 1, valueType: 'f64' }, /numRows is -1/],
  ['1\n', { numRows: 1, numCols: 1 }, /neither valueType nor schema/],
  ['1\n', { numRows: 1, numCols: 1, valueType: 'f16' }, /valueType is "f16"/],
  ['1\n', { numRows: 1, numCols: 2, schema: [{ label: 'a', valueType: 'f64' }] }, /schema has 1 columns/],
  ['1\n', { numRows: 1, numCols: 1, schema: [{ valueType: 'f64' }] }, /column 0 of the schema has no label/],
  [
    '1\n',
    { numRows: 1, numCols: 1, schema: [{ label: 'a', valueType: '' }] },
    /column 0 of the schema has no valueType/,
  ],
  ['1\n', { ...ofShape(1, 1), hdfs: { isHDFS: true, HDFSFilename: '/a' } }, /HDFS/],
];

test('files that are short or malformed, and what describes them wrongly, are told when they are read', () => {
  for (const [text, meta, expected] of BROKEN) {
    const told = call('readMatrix', [csv(text, meta)]) as string;
    assert.match(told, /^execution: /, text);
    assert.match(told, expected);
  }
  assert.match(call('readMatrix', [csv('1,2\n3\n')]) as string, /^execution: .*write a .meta file/);
});

test('files that are missing, not to be read, or of no format that there is, are told', async () => {
  assert.match(call('readMatrix', [at('none.csv')]) as string, /^execution: .*no such file/);
  assert.match((await call('readFrame', [at('none.parquet')])) as string, /^execution: .*no such file/);
  file('gone.csv.meta', JSON.stringify(ofShape(1, 1)));
  assert.match(call('readMatrix', [at('gone.csv')]) as string, /^execution: .*no such file/);
  mkdirSync(at('folder.csv'));
  assert.match(call('readMatrix', [at('folder.csv')]) as string, /^execution: .*folder/);
  for (const name of ['a.txt', 'a', 'a.CSV', 'csv'])
    assert.match(call('readMatrix', [file(name, '1\n', ofShape(1, 1))]) as string, /^execution: .*has to end in/);
  assert.match(call('write', [mat('f64', [[1]]), at('a.mtx')]) as string, /^execution: .*has to end in .csv or .dbdf/);
  assert.match(
    call('write', [mat('f64', [[1]]), at('nowhere/a.csv')]) as string,
    /^execution: .*can't be written: there is no such/,
  );
  assert.equal(existsSync(at('nowhere')), false);
  assert.match(call('write', [1, at('a.csv')]) as string, /^parser: /);
  assert.match(call('readMatrix', [1]) as string, /^parser: /);
});

test('files that nobody may read are told', { skip: process.getuid?.() === 0 && 'root may read all' }, () => {
  const path = csv('1\n', ofShape(1, 1));
  chmodSync(path, 0);
  assert.match(call('readMatrix', [path]) as string, /^execution: .*not allowed/);
});

test('readCsv reads numbers with a delimiter, from a path or an open file', () => {
  const path = csv('1;2\n3;4\n');
  assert.equal(call('readCsv', [path, 2, 2, ';']), 'f64 2x2: 1 2 | 3 4');
  assert.equal(call('readCsv', [call('openFile', [path]) as string, 1, 2, ';']), 'f64 1x2: 1 2');
  assert.equal(call('readCsv', [csv('1 2\n'), 1, 2, ' ']), 'f64 1x2: 1 2');
  assert.equal(call('close', [path]), '');
  assert.match(call('readCsv', [path, 3, 2, ';']) as string, /^execution: .*has 2 rows/);
  assert.match(call('readCsv', [path, 2, 2, ',,']) as string, /^execution: .*delimiter/);
  assert.match(call('openFile', [at('none')]) as string, /^execution: .*no such file/);
  assert.match(call('openDevice', ['a']) as string, /^parser: openDevice/);
  assert.match(call('openFileOnTarget', ['a', 'b']) as string, /^parser: openFileOnTarget/);
});

test('a file that the script writes between its compilation and its reading has to be of the shape that the compiler saw', () => {
  const path = csv('1\n', ofShape(1, 1));
  const { run, ...rest } = FILES.find(({ name }) => name === 'readMatrix')!;
  const changed: Builtin = {
    ...rest,
    run(...args) {
      writeFileSync(path, '1,2\n');
      writeFileSync(`${path}.meta`, JSON.stringify(ofShape(1, 2)));
      return run(...args);
    },
  };
  assert.match(called([changed], 'readMatrix', [path]) as string, /^execution: .*1x2, which it did not when/);
  assert.equal(called([changed], 'readMatrix', [path], { blind: true }), 'f64 1x2: 1 2');
});

test('texts of Parquet are the same, few words or many', async () => {
  const rows = 3000;
  const texts = ['few', 'many', 'plain'].map((name, j) => ({
    name,
    data: Array.from({ length: rows }, (_, i) => (i % 7 === 0 ? null : `${name} ${i % [5, 2500, 4][j]!}`)),
    type: 'STRING' as const,
    ...(name === 'plain' ? { encoding: 'PLAIN' as const } : {}),
  }));
  const path = file('texts.parquet', new Uint8Array(parquetWriteBuffer({ columnData: texts, rowGroupSize: 700 })));
  const expected = texts.map(({ name, data }) => `${name}:str ${data.map((each) => each ?? '').join(' ')}`);
  assert.equal(await call('readFrame', [path]), `frame ${rows}: ${expected.join(' | ')}`);
});

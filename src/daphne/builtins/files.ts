import { existsSync } from 'node:fs';
import { OpenFile } from '../files/bytes.ts';
import { readNumbers } from '../files/csv-read.ts';
import { columnsIn, type Description, elementType, MetaFault, parseMeta } from '../files/meta.ts';
import { type ParquetHead, parquetHead } from '../files/parquet-head.ts';
import { type Expected, formatOf, readFrame, readMatrix } from '../files/read.ts';
import { sniffCsv, sniffMatrixMarket } from '../files/sniff.ts';
import { writeFrame, writeMatrix } from '../files/write.ts';
import { then } from '../runtime/later.ts';
import { frame, type MatrixType, matrix, scalar, typeName } from '../types.ts';
import type { Frame, Matrix } from '../values/values.ts';
import { type Builtin, type CallToInfer, RunError, type Site } from './builtin.ts';
import { checkCells } from './generation.ts';
import { elementsOf, sizeOf, textOf, wantSize, wantText } from './wanted.ts';

/** What is known of a file before the script runs. What is wrong with it shows when it is read. */
function described(call: CallToInfer, path: string | undefined): Description | undefined {
  if (path === undefined || formatOf(path) === undefined) return undefined;
  const text = call.describe(`${path}.meta`);
  if (text !== undefined) {
    const found = parseMeta(text);
    return found instanceof MetaFault ? undefined : found;
  }
  if (!existsSync(path)) return undefined;
  try {
    if (path.endsWith('.csv')) return sniffCsv(path, false);
    return path.endsWith('.mtx') ? sniffMatrixMarket(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Rows that are not counted are NaN. */
const known = (length: number | undefined): number | undefined =>
  length === undefined || Number.isNaN(length) ? undefined : length;

const READ_MATRIX: Builtin = {
  name: 'readMatrix',
  parameters: ['filename'],
  least: 1,
  most: 1,
  // What it reads may be written before, or after.
  effects: true,
  infer(call) {
    const own = described(call, wantText(call, 0));
    if (own === undefined) return [matrix(undefined)];
    const [rows, columns] = [known(own.rows), own.columns];
    const { nonZeros } = own;
    const sparsity = nonZeros === undefined || rows === undefined ? undefined : nonZeros / Math.max(1, rows * columns);
    const value = elementType(own);
    const sparse = value !== 'str' && sparsity !== undefined && sparsity < call.sparseBelow;
    return [matrix(value, rows, columns, { sparsity, ...(sparse ? { sparse } : {}) })];
  },
  run: (runtime, site, [filename]) => readMatrix(runtime, runtime.path(textOf(filename)), expectedOf(site)),
};

/** What a file of Parquet says of itself. */
function headOfParquet(path: string | undefined): ParquetHead | undefined {
  if (path === undefined || formatOf(path) !== 'parquet' || existsSync(`${path}.meta`) || !existsSync(path))
    return undefined;
  try {
    return parquetHead(path);
  } catch {
    return undefined;
  }
}

function expectedOf(site: Site): Expected {
  const { value, rows, columns, sparse = false } = site.results[0] as MatrixType;
  return { value, rows, columns, sparse };
}

const READ_FRAME: Builtin = {
  name: 'readFrame',
  parameters: ['filename'],
  least: 1,
  most: 1,
  effects: true,
  infer(call) {
    const path = wantText(call, 0);
    const own = described(call, path);
    if (own !== undefined) return [frame(columnsIn(own), known(own.rows))];
    const head = headOfParquet(path);
    return [head === undefined ? frame(undefined) : frame(head.columns, head.rows)];
  },
  run(runtime, site, [filename]) {
    const path = runtime.path(textOf(filename));
    return then(readFrame(path), (own) => checkFrame(path, own, site));
  },
};

/** The compiler has made a program for these columns. */
function checkFrame(path: string, own: Frame, site: Site): Frame {
  const [expected] = site.results;
  if (expected?.data !== 'frame' || expected.columns === undefined) return own;
  const same =
    (expected.rows === undefined || expected.rows === own.rows) &&
    expected.columns.length === own.columns.length &&
    expected.columns.every(
      ({ label, value }, j) =>
        label === own.columns[j]!.label && (value ?? own.columns[j]!.value) === own.columns[j]!.value,
    );
  if (same) return own;
  throw new RunError(
    `the file ${path} holds another ${typeName(expected)} than when the script was compiled; run it again`,
  );
}

const writer = (name: string): Builtin => ({
  name,
  parameters: ['arg', 'filename'],
  least: 2,
  most: 2,
  effects: true,
  infer(call) {
    const { type } = call.args[0]!;
    if (type.data !== 'matrix' && type.data !== 'frame')
      call.fail('parser', `argument 1 is ${typeName(type)}, and not a matrix or a frame`, 0);
    wantText(call, 1);
    return [];
  },
  run(runtime, _, [arg, filename]) {
    const path = runtime.path(textOf(filename));
    const own = arg as Matrix | Frame;
    if (own.kind === 'frame') return writeFrame(path, own) as undefined;
    if (own.kind === 'strings') return writeMatrix(path, own) as undefined;
    const { value, rows, columns } = own;
    return then(elementsOf(runtime, own), (cells) => {
      writeMatrix(path, { kind: 'dense', value, rows, columns, cells });
      return undefined;
    });
  },
});

/** DAPHNE has the name, and nothing behind it. Numbers are f64. */
const READ_CSV: Builtin = {
  name: 'readCsv',
  parameters: ['file', 'rows', 'cols', 'delim'],
  least: 4,
  most: 4,
  effects: true,
  infer(call) {
    wantText(call, 0);
    const [rows, columns] = [wantSize(call, 1), wantSize(call, 2)];
    wantText(call, 3);
    return [matrix('f64', rows, columns)];
  },
  run(runtime, _, [file, numRows, numCols, delim]) {
    const [rows, columns] = [sizeOf(numRows, 'numRows'), sizeOf(numCols, 'numCols')];
    const delimiter = textOf(delim);
    if (!isDelimiter(delimiter)) throw new RunError(badDelimiter(delimiter));
    checkCells('readCsv', rows, columns);
    const cells = readNumbers(runtime.path(textOf(file)), 'f64', { rows, columns, delimiter });
    return runtime.matrixOf(cells, 'f64', rows, columns);
  },
};

const isDelimiter = (text: string): boolean => text.length === 1 && !/["\r\n]/.test(text);
const badDelimiter = (text: string): string =>
  `readCsv: the delimiter is ${JSON.stringify(text)}, and has to be one character that is no quote and no end of a line`;

/** A file that is open is its path here: each read opens it, and closes it. */
const OPEN_FILE: Builtin = {
  name: 'openFile',
  parameters: ['filename'],
  least: 1,
  most: 1,
  effects: true,
  infer(call) {
    wantText(call, 0);
    return [scalar('str')];
  },
  run(runtime, _, [filename]) {
    new OpenFile(runtime.path(textOf(filename))).close();
    return textOf(filename);
  },
};

const CLOSE: Builtin = {
  name: 'close',
  parameters: ['fileOrTarget'],
  least: 1,
  most: 1,
  effects: true,
  infer(call) {
    wantText(call, 0);
    return [];
  },
  run: () => undefined,
};

const refused = (name: string, count: number): Builtin => ({
  name,
  parameters: new Array<string>(count).fill(''),
  least: count,
  most: count,
  infer: (call) =>
    call.fail('parser', `${name}: there are no storage devices here; use openFile, readMatrix or readFrame`),
  run() {
    throw new RunError(`${name}: there are no storage devices here`);
  },
});

export const FILES: readonly Builtin[] = [
  READ_MATRIX,
  READ_FRAME,
  writer('write'),
  writer('writeMatrix'),
  writer('writeFrame'),
  READ_CSV,
  OPEN_FILE,
  CLOSE,
  refused('openDevice', 1),
  refused('openFileOnTarget', 2),
];

import { arange, computedHere, csr, full } from '../../arrays/index.ts';
import { type Elements, elements } from '../../nd/index.ts';
import { fillDense, fillSparse, type RandElements, sparseCount } from '../random/rand.ts';
import { sampleIntegers, sampleReals } from '../random/sample.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  ELEMENT_TYPES,
  isFloat,
  isInteger,
  isWide,
  type MatrixType,
  matrix,
  mostGeneral,
  type ValueType,
} from '../types.ts';
import { isWideCells, wideCells } from '../values/integers.ts';
import type { Matrix, MaybeLater, SparseMatrix } from '../values/values.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError, type Site } from './builtin.ts';
import { chosenStorage, isSmallerByRows } from './sparse.ts';
import {
  bigOf,
  checkSame,
  elementOf,
  elementsOf,
  flagOf,
  matrixOf,
  narrowed,
  scalarOf,
  sizeOf,
  told,
  wantFlag,
  wantNumber,
  wantNumbers,
  wantScalar,
  wantSize,
} from './wanted.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** The value type of a matrix that a call makes. */
export const madeType = (site: Site, at = 0): NumberType => {
  const type = site.results[at]!;
  return (type as { value: NumberType }).value;
};

/** A limit of the memory that is worth asking for: typed arrays end there. */
const MOST_CELLS = 2 ** 33;
/** Strings are in arrays of JavaScript, which become tables, many times as large, from there on. */
const MOST_STRINGS = 2 ** 25;

export function checkCells(what: string, rows: number, columns: number, most = MOST_CELLS): void {
  if (rows * columns <= most) return;
  throw new RunError(`${what}: a matrix of ${rows}x${columns} is larger than any memory here`);
}

const FILL: Builtin = {
  name: 'fill',
  parameters: ['value', 'numRows', 'numCols'],
  least: 3,
  most: 3,
  infer(call) {
    const value = wantScalar(call, 0);
    const [rows, columns] = [wantSize(call, 1), wantSize(call, 2)];
    const { constant } = call.args[0]!;
    const sparsity = constant === undefined || value === 'str' ? undefined : Number(constant) === 0 ? 0 : 1;
    const symmetric = rows !== undefined && rows === columns;
    return [matrix(value, rows, columns, { sparsity, ...(symmetric ? { symmetric } : {}) })];
  },
  run(runtime, site, [value, ...shape]) {
    const [rows, columns] = [sizeOf(shape[0], 'numRows'), sizeOf(shape[1], 'numCols')];
    const type = (site.args[0] as { value: ValueType }).value;
    checkCells('fill', rows, columns, type === 'str' ? MOST_STRINGS : MOST_CELLS);
    if (type === 'str')
      return { kind: 'strings', value: 'str', rows, columns, cells: new Array(rows * columns).fill(value) };
    const element = elementOf(type, scalarOf(value));
    const array = full([rows, columns], type === 'bool' ? element === 1 : element, { dtype: ELEMENT_TYPES[type] });
    return runtime.matrix(array, type);
  },
};

/** Both limits have one type, in which numbers are drawn. */
function limitsOf(call: CallToInfer): NumberType {
  const [min, max] = [wantNumber(call, 2), wantNumber(call, 3)];
  if (min !== max)
    call.fail('parser', `rand: min is ${min}, and max is ${max}; give both in the same type, by a cast`, 3);
  if (min === 'bool') call.fail('parser', 'rand: there are no random bools; give numbers as min and max', 2);
  return min as NumberType;
}

const RAND: Builtin = {
  name: 'rand',
  parameters: ['numRows', 'numCols', 'min', 'max', 'sparsity', 'seed'],
  least: 6,
  most: 6,
  infer(call) {
    const [rows, columns] = [wantSize(call, 0), wantSize(call, 1)];
    const value = limitsOf(call);
    wantNumber(call, 4);
    wantNumber(call, 5);
    const { constant } = call.args[4]!;
    const sparsity = constant === undefined ? undefined : Number(constant);
    const sparse = sparsity !== undefined && sparsity < call.sparseBelow;
    return [matrix(value, rows, columns, { sparsity, ...(sparse ? { sparse } : {}) })];
  },
  run(runtime, site, args) {
    const [rows, columns] = [sizeOf(args[0], 'numRows'), sizeOf(args[1], 'numCols')];
    const [min, max] = [scalarOf(args[2]) as number | bigint, scalarOf(args[3]) as number | bigint];
    const sparsity = Number(args[4]);
    if (!(min <= max))
      throw new RunError(`rand: min is ${told(min)}, and max is ${told(max)}: min has to be the smaller one`);
    if (!(sparsity >= 0 && sparsity <= 1))
      throw new RunError(`rand: the sparsity is ${told(sparsity)}, and has to be from 0 to 1`);
    if (Number(min) === 0 && Number(max) === 0 && sparsity > 0 && rows * columns > 0)
      throw new RunError('rand: min and max are 0, and values that are stored are not; give a sparsity of 0.0');
    const seed = seedOf(runtime, args[5]);
    const type = madeType(site);
    if ((site.results[0] as { sparse?: boolean }).sparse)
      return sparseRand(type, rows, columns, min, max, sparsity, seed);
    checkCells('rand', rows, columns);
    const into = elements(ELEMENT_TYPES[type], rows * columns) as RandElements;
    if (into.length > 0) fillDense(into, rows, columns, min, max, sparsity, seed);
    return runtime.matrixOf(into, type, rows, columns);
  },
};

const seedOf = (runtime: Runtime, value: RunArgument): bigint => {
  const seed = bigOf(value);
  return seed === -1n ? BigInt(runtime.seed()) : seed;
};

function sparseRand(
  value: NumberType,
  rows: number,
  columns: number,
  min: number | bigint,
  max: number | bigint,
  sparsity: number,
  seed: bigint,
): SparseMatrix {
  const values = elements(ELEMENT_TYPES[value], sparseCount(rows, columns, sparsity)) as RandElements;
  const { rowOffsets, columnIndices } = fillSparse(values, rows, columns, min, max, sparsity, seed);
  const parts = {
    values,
    indices: Int32Array.from(columnIndices),
    indptr: Int32Array.from(rowOffsets),
    shape: [rows, columns],
  };
  return { kind: 'sparse', value, rows, columns, csr: computedHere(csr(parts as Parameters<typeof csr>[0])) };
}

const SAMPLE: Builtin = {
  name: 'sample',
  parameters: ['range', 'size', 'withReplacement', 'seed'],
  least: 4,
  most: 4,
  infer(call) {
    const value = wantNumber(call, 0);
    if (value === 'bool') call.fail('parser', 'sample: the range is a bool; give a number', 0);
    const rows = wantSize(call, 1);
    wantFlag(call, 2);
    wantNumber(call, 3);
    return [matrix(value, rows, 1)];
  },
  run(runtime, site, [range, size, withReplacement, seed]) {
    const type = madeType(site);
    const count = sizeOf(size, 'size');
    const limit = Number(range);
    if (!(limit > 0)) throw new RunError(`sample: the range is ${told(range)}, and has to be greater than 0`);
    return then(flagOf(runtime, withReplacement), (replaces) => {
      const all = isFloat(type) ? countFloats(limit, type) : limit;
      if (!replaces && count > all)
        throw new RunError(`sample: of ${all} numbers ${count} can't be drawn without replacement`);
      const drawn = isFloat(type)
        ? sampleReals(limit, count, replaces, seedOf(runtime, seed), type)
        : sampleIntegers(limit, count, replaces, seedOf(runtime, seed));
      const into = elements(ELEMENT_TYPES[type], count);
      if (isInteger(type) && isWideCells(into)) wideCells(drawn, into);
      else for (let i = 0; i < count; i++) into[i] = elementOf(type, drawn[i]!);
      return runtime.matrixOf(into, type, count, 1);
    });
  },
};

/** How many floats there are from 0 up to a limit, which is left out: their bits are numbers in the same order. */
function countFloats(limit: number, type: 'f32' | 'f64'): number {
  if (type === 'f32') return new Uint32Array(Float32Array.of(limit).buffer)[0]!;
  return Number(new BigUint64Array(Float64Array.of(limit).buffer)[0]!);
}

/** A sequence may miss its end by so much. */
const TOLERANCE = 1e-13;

/** How many elements a sequence of floats has, as they add up. */
function seqLength(from: number, to: number, by: number, round: (x: number) => number): number {
  const length = Math.ceil(round(Math.abs(to - from) / Math.abs(by)) + 1);
  let last = from;
  for (let i = 1; i < length; i++) last = round(last + by);
  const beyond = to >= from ? last - to : to - last;
  return beyond > TOLERANCE ? length - 1 : length;
}

function seqOfFloats(from: number, to: number, by: number, type: 'f64' | 'f32'): Elements {
  const round = rounding(type);
  const [start, end, step] = [round(from), round(to), round(by)];
  if (!(Math.abs(end - start) / Math.abs(step) < MOST_CELLS))
    throw new RunError(`seq: from ${told(start)} to ${told(end)} by ${told(step)} there are too many numbers`);
  const length = isAway(start, end, step) ? 0 : seqLength(start, end, step, round);
  const into = type === 'f32' ? new Float32Array(length) : new Float64Array(length);
  for (let i = 0, value = start; i < length; i++, value = round(value + step)) into[i] = value;
  return into;
}

const isAway = (from: number | bigint, to: number | bigint, by: number | bigint): boolean =>
  (from < to && by < 0) || (from > to && by > 0);

/** Of integers. */
function countOf(from: bigint, to: bigint, by: bigint): number {
  const distance = to > from ? to - from : from - to;
  return isAway(from, to, by) ? 0 : Number(distance / (by < 0n ? -by : by)) + 1;
}

function checkSeq(from: number | bigint, to: number | bigint, by: number | bigint): void {
  for (const each of [from, to, by]) if (Number.isNaN(each)) throw new RunError('seq: an argument is nan');
  if (Number(by) === 0) throw new RunError('seq: the increment is 0, with which the end is never reached');
}

const rounding = (type: ValueType): ((x: number) => number) => (type === 'f32' ? (x) => Math.fround(x) : (x) => x);

/** How many of so many numbers there are, the compiler finds out; of more the run. */
const MOST_COUNTED = 100_000;

function rowsOf([from, to, by]: [number, number, number], type: 'f32' | 'f64'): number | undefined {
  if (isAway(from, to, by)) return 0;
  return Math.abs((to - from) / by) <= MOST_COUNTED ? seqLength(from, to, by, rounding(type)) : undefined;
}

const SEQ: Builtin = {
  name: 'seq',
  parameters: ['from', 'to', 'inc'],
  least: 2,
  most: 3,
  infer(call) {
    const own = call.args.map((_, at) => wantNumber(call, at));
    const value = own.reduce(mostGeneral, 'si8');
    const known = call.args.map(({ constant }) => constant);
    if (known.includes(undefined)) return [matrix(value, undefined, 1)];
    const [from, to, by = 1] = known.map((each) => (typeof each === 'bigint' ? each : Number(each))) as [
      number | bigint,
      number | bigint,
      (number | bigint)?,
    ];
    // What is wrong with them shows when it is run.
    if ([from, to, by].some(Number.isNaN) || Number(by) === 0) return [matrix(value, undefined, 1)];
    if (!isFloat(value)) return [matrix(value, countOf(BigInt(from), BigInt(to), BigInt(by)), 1)];
    const line = [from, to, by].map(Number).map(rounding(value)) as [number, number, number];
    return [matrix(value, rowsOf(line, value), 1)];
  },
  run(runtime, site, args) {
    const type = madeType(site);
    const [from, to, by = 1] = args.map((each) => (typeof each === 'boolean' ? Number(each) : each)) as [
      number | bigint,
      number | bigint,
      (number | bigint)?,
    ];
    checkSeq(from, to, by);
    if (isFloat(type)) {
      const own = seqOfFloats(Number(from), Number(to), Number(by), type);
      return runtime.matrixOf(own, type, own.length, 1);
    }
    const [start, step] = [BigInt(from), BigInt(by)];
    const count = countOf(start, BigInt(to), step);
    if (count > MOST_CELLS) throw new RunError(`seq: from ${from} to ${to} by ${by} there are too many numbers`);
    const last = start + step * BigInt(count);
    if (isWide(type) && [start, step, last].every((each) => Number.isSafeInteger(Number(each)))) {
      const line = arange(Number(start), Number(last), Number(step), { dtype: ELEMENT_TYPES[type] });
      return runtime.matrix(line.reshape([count, 1]), type);
    }
    const into = elements(ELEMENT_TYPES[type], count);
    for (let i = 0, value = start; i < count; i++, value += step) into[i] = elementOf(type, narrowed(value));
    return runtime.matrixOf(into, type, count, 1);
  },
};

function diagonalMatrix(runtime: Runtime, own: Matrix, wantsSparse: boolean): MaybeLater<Matrix> {
  checkSame(own.columns, 1, (columns) => `diagMatrix takes a matrix of one column, and this one has ${columns}`);
  if (own.kind === 'strings') throw new RunError('diagMatrix takes numbers, and no strings');
  const { rows, value } = own;
  const sparse = wantsSparse || isSmallerByRows(rows, rows, rows);
  return then(elementsOf(runtime, own), (line) => {
    if (sparse) return sparseDiagonal(line, value);
    const into = elements(ELEMENT_TYPES[value], rows * rows);
    for (let i = 0; i < rows; i++) into[i * rows + i] = line[i]!;
    return runtime.matrixOf(into, value, rows, rows);
  });
}

function sparseDiagonal(line: Elements, value: NumberType): SparseMatrix {
  const rows = line.length;
  // NaN is there as well.
  const indices = Int32Array.from({ length: rows }, (_, i) => i).filter((i) => Number(line[i]) !== 0);
  const indptr = new Int32Array(rows + 1);
  const values = elements(ELEMENT_TYPES[value], indices.length);
  for (const [at, i] of indices.entries()) {
    values[at] = line[i]!;
    indptr[i + 1] = 1;
  }
  for (let i = 0; i < rows; i++) indptr[i + 1]! += indptr[i]!;
  const own = csr({ values, indices, indptr, shape: [rows, rows] } as Parameters<typeof csr>[0]);
  return { kind: 'sparse', value, rows, columns: rows, csr: computedHere(own) };
}

const DIAG_MATRIX: Builtin = {
  name: 'diagMatrix',
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    const { value, rows, sparsity } = wantNumbers(call, 0);
    const share = rows === undefined || rows === 0 ? undefined : (sparsity ?? 1) / rows;
    return [chosenStorage(call, matrix(value, rows, rows, { sparsity: share, symmetric: true }))];
  },
  run: (runtime, site, [arg]) =>
    diagonalMatrix(runtime, matrixOf(arg), (site.results[0] as MatrixType).sparse === true),
};

export const GENERATION: readonly Builtin[] = [FILL, RAND, SAMPLE, SEQ, DIAG_MATRIX];

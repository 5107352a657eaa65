/** `ctable`: how often pairs come. */

import { csr } from '../../arrays/index.ts';
import { type Elements, elements } from '../../nd/index.ts';
import { all } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, matrix, type ValueType } from '../types.ts';
import type { Matrix, SparseMatrix } from '../values/values.ts';
import { type Builtin, type CallToInfer, RunError } from './builtin.ts';
import { checkCells } from './generation.ts';
import { isSmallerByRows, made } from './sparse.ts';
import {
  checkSame,
  elementOf,
  elementsOf,
  integerOf,
  knownNumber,
  matrixOf,
  scalarOf,
  wantNumber,
  wantNumbers,
} from './wanted.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** The weight, and where the shape of the result begins: of four arguments, the last two are that. */
const ctableLayout = (count: number): { weight: number | undefined; shape: number | undefined } => ({
  weight: count === 3 || count === 5 ? 2 : undefined,
  shape: count === 4 ? 2 : count === 5 ? 3 : undefined,
});

export const CTABLE: Builtin = {
  name: 'ctable',
  parameters: ['lhs', 'rhs', 'weight', 'resNumRows', 'resNumCols'],
  least: 2,
  most: 5,
  infer(call) {
    wantNumbers(call, 0);
    wantNumbers(call, 1);
    const { weight, shape } = ctableLayout(call.args.length);
    const value = weight === undefined ? 'f64' : weightType(call, weight);
    const [rows, columns] = [0, 1].map((i) => {
      if (shape === undefined) return undefined;
      wantNumber(call, shape + i);
      const known = knownNumber(call, shape + i);
      return known === undefined || known < 0 ? undefined : known;
    });
    return [matrix(value, rows, columns)];
  },
  run(runtime, site, args) {
    const [left, right] = [matrixOf(args[0]), matrixOf(args[1])];
    for (const { columns } of [left, right]) checkSame(columns, 1, notColumn);
    checkSame(left.rows, right.rows, notPaired);
    const given = args.filter((each) => each !== undefined).length;
    const { weight, shape } = ctableLayout(given);
    const [rows, columns] =
      shape === undefined
        ? [-1, -1]
        : [0, 1].map((i) => integerOf(args[shape + i], i === 0 ? 'resNumRows' : 'resNumCols'));
    const own = weight === undefined ? 1 : args[weight];
    if (typeof own !== 'object') {
      const value = (site.results[0] as { value: NumberType }).value;
      const by = elementOf(value, scalarOf(own));
      return all([elementsOf(runtime, left), elementsOf(runtime, right)], ([a, b]) =>
        countPairs(runtime, { left: a!, right: b!, weight: () => by, value }, rows!, columns!),
      );
    }
    const weights = matrixOf(own);
    checkSame(weights.columns, 1, notColumn);
    checkSame(
      weights.rows,
      left.rows,
      (a, b) => `ctable: there are ${a} weights for ${b} pairs; they have to be as many`,
    );
    return all(
      [left, right, weights].map((each) => elementsOf(runtime, each)),
      ([a, b, line]) =>
        countPairs(
          runtime,
          { left: a!, right: b!, weight: (k) => line![k]!, value: weights.value as NumberType },
          rows!,
          columns!,
        ),
    );
  },
};

/** One for all, or, beyond what DAPHNE has, a column with one for each pair. */
function weightType(call: CallToInfer, at: number): ValueType | undefined {
  const { type } = call.args[at]!;
  return type.data === 'matrix' ? wantNumbers(call, at).value : wantNumber(call, at);
}

const notColumn = (columns: number): string => `ctable takes matrices of one column, and this one has ${columns}`;
const notPaired = (left: number, right: number): string =>
  `ctable: there are ${left} rows on the left, and ${right} on the right; they have to be as many`;

/** How many rows there have to be for all positions. */
function extent(places: Elements, what: string): number {
  let greatest = -1;
  for (const each of places) greatest = Math.max(greatest, Math.trunc(Number(each)));
  if (greatest < Number.MAX_SAFE_INTEGER) return greatest + 1;
  throw new RunError(`ctable: ${what} has ${greatest}, and has to have positions`);
}

/** Pairs and their weights. */
interface Pairs {
  readonly left: Elements;
  readonly right: Elements;
  readonly weight: (pair: number) => number | bigint;
  readonly value: NumberType;
}

/** Dense, unless that would take much memory, and by rows it takes little. */
function countPairs(runtime: Runtime, pairs: Pairs, wantedRows: number, wantedColumns: number): Matrix {
  const { left, right, value } = pairs;
  const rows = wantedRows < 0 ? extent(left, 'lhs') : wantedRows;
  const columns = wantedColumns < 0 ? extent(right, 'rhs') : wantedColumns;
  if (value !== 'bool' && isSmallerByRows(rows, columns, left.length)) return countedByRows(pairs, rows, columns);
  checkCells('ctable', rows, columns);
  const table = elements(ELEMENT_TYPES[value], rows * columns) as Float64Array;
  forEachPair(pairs, rows, columns, (i, j, weight) => {
    // A sum of bools is whether there was any.
    if (value === 'bool') table[i * columns + j] ||= weight as number;
    else (table[i * columns + j] as number) += weight as number;
  });
  return runtime.matrixOf(table, value, rows, columns);
}

/** What lies beyond a shape that is given does not count. */
function forEachPair(
  { left, right, weight }: Pairs,
  rows: number,
  columns: number,
  each: (row: number, column: number, weight: number | bigint) => void,
): void {
  for (let k = 0; k < left.length; k++) {
    const [i, j] = [Math.trunc(Number(left[k])), Math.trunc(Number(right[k]))];
    if (!(i >= 0 && j >= 0))
      throw new RunError(`ctable: at ${k} there are ${left[k]} and ${right[k]}, and positions begin at 0`);
    if (i < rows && j < columns) each(i, j, weight(k));
  }
}

/** By compressed rows: pairs are sorted by columns and then by rows, and those of one place come as they came. */
function countedByRows(pairs: Pairs, rows: number, columns: number): SparseMatrix {
  const [own, across] = [new Int32Array(pairs.left.length), new Int32Array(pairs.left.length)];
  const weights = elements(ELEMENT_TYPES[pairs.value], own.length) as Float64Array;
  let count = 0;
  forEachPair(pairs, rows, columns, (i, j, weight) => {
    own[count] = i;
    across[count] = j;
    weights[count++] = weight as number;
  });
  const all = Int32Array.from({ length: count }, (_, k) => k);
  const order = sortedBy(own, rows, sortedBy(across, columns, all));
  const [indptr, indices] = [new Int32Array(rows + 1), new Int32Array(count)];
  const values = elements(ELEMENT_TYPES[pairs.value], count) as Float64Array;
  let last = -1;
  let row = -1;
  for (const k of order) {
    if (last < 0 || own[k] !== row || across[k] !== indices[last]) {
      last++;
      row = own[k]!;
      indices[last] = across[k]!;
      indptr[row + 1]!++;
    }
    (values[last] as number) += weights[k] as number;
  }
  for (let i = 0; i < rows; i++) indptr[i + 1]! += indptr[i]!;
  const parts = { values: values.slice(0, last + 1), indices: indices.slice(0, last + 1), indptr };
  return made(pairs.value, csr({ ...parts, shape: [rows, columns] } as Parameters<typeof csr>[0]));
}

/** A list of numbers of pairs, sorted by a place of each. */
function sortedBy(places: Int32Array, length: number, list: Int32Array): Int32Array {
  const next = new Int32Array(length + 1);
  for (const k of list) next[places[k]! + 1]!++;
  for (let i = 0; i < length; i++) next[i + 1]! += next[i]!;
  const sorted = new Int32Array(list.length);
  for (const k of list) sorted[next[places[k]!]!++] = k;
  return sorted;
}

/** The same elements at other places. */

import { type Arr, concat, flip, lexsort, reshape, take, transpose } from '../../arrays/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type FrameType, frame, type MatrixType, matrix, mostGeneral, type Type } from '../types.ts';
import type { Frame, Matrix, MaybeLater, Value } from '../values/values.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError, type Site } from './builtin.ts';
import { castMatrix } from './casts.ts';
import { columnOf } from './literals.ts';
import {
  allTexts,
  constantInteger,
  constantLength,
  dataName,
  type FullMatrix,
  integerArgument,
  isFrame,
  type Length,
  lengthArgument,
  matrixArgument,
  matrixOf,
  scalarArgument,
  strings,
} from './operands.ts';
import {
  columnMatrix,
  frameOf,
  labelled,
  listed,
  noLabel,
  placeOf,
  right,
  type Selection,
  selectedFrame,
  selectedMatrix,
} from './selection.ts';
import { chosenStorage, isSparse, sparseTranspose, stored } from './sparse.ts';
import { joinLarge, reshapeLarge, reverseLarge, unequal, withLarge } from './sparse-reorganisation.ts';

const transposed = (name: string): Builtin => ({
  name,
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    const { value, rows, columns, sparsity, symmetric } = matrixArgument(call, name, 0);
    return [chosenStorage(call, matrix(value, columns, rows, { sparsity, symmetric }))];
  },
  takesSparse: true,
  run(runtime, site, [arg]) {
    if (isSparse(arg)) return stored(runtime, site, sparseTranspose(arg));
    const of = matrixOf(arg);
    if (of.kind === 'dense') return runtime.matrix(transpose(of.array), of.value);
    const cells = Array.from({ length: of.columns }, (_, column) =>
      Array.from({ length: of.rows }, (_, row) => of.cells[row * of.columns + column]!),
    );
    return strings(cells.flat(), of.columns, of.rows);
  },
});

const reshaped: Builtin = {
  name: 'reshape',
  parameters: ['arg', 'numRows', 'numCols'],
  least: 3,
  most: 3,
  infer(call) {
    const { value, sparsity } = matrixArgument(call, 'reshape', 0);
    const [r, c] = [constantLength(call, 1), constantLength(call, 2)];
    return [chosenStorage(call, matrix(value, r, c, { sparsity }))];
  },
  run(runtime, site, args) {
    const of = matrixOf(args[0]);
    return all(
      [
        lengthArgument(runtime, site, args, 1, 'the number of rows'),
        lengthArgument(runtime, site, args, 2, 'the number of columns'),
      ],
      ([rows, columns]): MaybeLater<Value> => {
        if (of.rows * of.columns !== rows! * columns!)
          throw new RunError(unequal(of.rows, of.columns, rows!, columns!));
        if (of.kind === 'strings') return strings(of.cells, rows!, columns!);
        const made = runtime.matrix(reshape(of.array, [rows!, columns!]), of.value);
        return then(made, (matrix) => stored(runtime, site, matrix));
      },
    );
  },
};

/** What both have; the compiler may know it of one. */
const unfit = (what: string, a: Length, b: Length): string | undefined =>
  a !== undefined && b !== undefined && a !== b ? `both have one number of ${what}, and not ${a} and ${b}` : undefined;

const plus = (a: Length, b: Length): Length => (a === undefined || b === undefined ? undefined : a + b);

/** Side by side (`cbind`), or one below the other (`rbind`). */
const bound = (name: 'cbind' | 'rbind'): Builtin => ({
  name,
  parameters: ['lhs', 'rhs'],
  least: 2,
  most: 2,
  infer(call) {
    const [a, b] = call.args.map(({ type }) => type) as [Type, Type];
    if (a.data === 'frame' && b.data === 'frame') return [inferFrames(call, name, a, b)];
    const [x, y] = [matrixArgument(call, name, 0), matrixArgument(call, name, 1)];
    const value = x.value === undefined || y.value === undefined ? undefined : mostGeneral(x.value, y.value);
    if (name === 'cbind') {
      refuse(call, unfit('rows', x.rows, y.rows));
      return [matrix(value, x.rows ?? y.rows, plus(x.columns, y.columns))];
    }
    refuse(call, unfit('columns', x.columns, y.columns));
    return [matrix(value, plus(x.rows, y.rows), x.columns ?? y.columns)];
  },
  run(runtime, _, [a, b]): MaybeLater<Value> {
    if (isFrame(a) && isFrame(b)) return name === 'cbind' ? beside(a, b) : below(runtime, a, b);
    const [x, y] = [matrixOf(a), matrixOf(b)];
    const wrong = name === 'cbind' ? unfit('rows', x.rows, y.rows) : unfit('columns', x.columns, y.columns);
    if (wrong !== undefined) throw new RunError(wrong);
    return joined(runtime, x, y, name === 'cbind' ? 1 : 0);
  },
});

function refuse(call: CallToInfer, wrong: string | undefined): void {
  if (wrong !== undefined) call.fail('compiler', wrong);
}

function inferFrames(call: CallToInfer, name: 'cbind' | 'rbind', a: FrameType, b: FrameType): FrameType {
  if (name === 'cbind') {
    refuse(call, unfit('rows', a.rows, b.rows));
    return frame(a.columns && b.columns && [...a.columns, ...b.columns], a.rows ?? b.rows);
  }
  refuse(call, unfit('columns', a.columns?.length, b.columns?.length));
  return frame(a.columns ?? b.columns, plus(a.rows, b.rows));
}

function beside(a: Frame, b: Frame): Frame {
  const wrong = unfit('rows', a.rows, b.rows);
  if (wrong !== undefined) throw new RunError(wrong);
  return frameOf([...a.columns, ...b.columns], a.rows);
}

/** Frames of the same columns, in labels and types. */
function below(runtime: Runtime, a: Frame, b: Frame): MaybeLater<Frame> {
  const wrong = unfit('columns', a.columns.length, b.columns.length);
  if (wrong !== undefined) throw new RunError(wrong);
  for (const [i, { label, value }] of a.columns.entries()) {
    const other = b.columns[i]!;
    if (other.label === label && other.value === value) continue;
    throw new RunError(`both have the same columns, and not ${label}: ${value} and ${other.label}: ${other.value}`);
  }
  const joins = a.columns.map((column, i) =>
    then(
      joined(runtime, columnMatrix(runtime, column, a.rows), columnMatrix(runtime, b.columns[i]!, b.rows), 0),
      (made) => columnOf(runtime, column.label, made as FullMatrix),
    ),
  );
  return all(joins, (columns) => frameOf(columns, a.rows + b.rows));
}

function joined(runtime: Runtime, a: FullMatrix, b: FullMatrix, axis: 0 | 1): MaybeLater<Matrix> {
  const value = mostGeneral(a.value, b.value);
  if (value === 'str') {
    return then(allTexts(runtime, [a, b]), ([x, y]) => {
      if (axis === 0) return strings([...x!, ...y!], a.rows + b.rows, a.columns);
      const rows = Array.from({ length: a.rows }, (_, row) => [
        ...x!.slice(row * a.columns, (row + 1) * a.columns),
        ...y!.slice(row * b.columns, (row + 1) * b.columns),
      ]);
      return strings(rows.flat(), a.rows, a.columns + b.columns);
    });
  }
  return all([castMatrix(runtime, a, value), castMatrix(runtime, b, value)], (both) =>
    runtime.matrix(
      concat(
        both.map((each) => (each as Extract<Matrix, { kind: 'dense' }>).array),
        { axis },
      ),
      value,
    ),
  );
}

const table = (call: CallToInfer, name: string): FrameType | MatrixType => {
  const { type } = call.args[0]!;
  return type.data === 'matrix' || type.data === 'frame'
    ? type
    : call.fail('parser', `${name} takes a matrix or a frame, and this is ${dataName(type)}`, 0);
};

const reverse: Builtin = {
  name: 'reverse',
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    const type = table(call, 'reverse');
    return [type.data === 'frame' ? type : matrix(type.value, type.rows, type.columns)];
  },
  run(runtime, _, [arg]): MaybeLater<Value> {
    if (!isFrame(arg)) {
      const of = matrixOf(arg);
      if (of.kind === 'dense') return runtime.matrix(flip(of.array, { axis: 0 }), of.value);
    }
    const rows = (arg as FullMatrix | Frame).rows;
    const back = listed(
      runtime,
      Int32Array.from({ length: rows }, (_, i) => rows - 1 - i),
    );
    return rowsOf(runtime, arg, back);
  },
};

const rowsOf = (runtime: Runtime, of: RunArgument, rows: Selection): MaybeLater<Value> => {
  if (isFrame(of)) return selectedFrame(of, rows, { kind: 'all', length: of.columns.length });
  const from = matrixOf(of);
  return selectedMatrix(runtime, from, rows, { kind: 'all', length: from.columns });
};

/** How many keys a call of so many arguments has: the object, then columns, then directions, then what is wanted. */
const keysIn = (length: number): number => (length - 2) / 2;

const order: Builtin = {
  name: 'order',
  parameters: ['arg'],
  least: 4,
  most: Number.POSITIVE_INFINITY,
  infer(call) {
    const type = table(call, 'order');
    const keys = keysIn(call.args.length);
    if (!Number.isInteger(keys)) {
      call.fail(
        'parser',
        'order takes a column and a direction for each key, and at the end whether indices are wanted',
      );
    }
    for (let at = 1; at <= keys; at++) inferKey(call, at, type);
    const indices = constantInteger(call, call.args.length - 1);
    if (indices === undefined) {
      return call.fail('parser', 'whether order gives indices is known before the script runs', call.args.length - 1);
    }
    if (indices !== 0) return [matrix('size', type.rows, 1)];
    return [type.data === 'frame' ? type : matrix(type.value, type.rows, type.columns)];
  },
  run(runtime, site, args) {
    const keys = keysIn(args.length);
    const directions = Array.from({ length: keys }, (_, i) =>
      scalarArgument(runtime, site, args, 1 + keys + i, 'bool'),
    );
    return all([...directions, scalarArgument(runtime, site, args, args.length - 1, 'bool')], (found) =>
      all(
        Array.from({ length: keys }, (_, i) => keyColumn(runtime, site, args, 1 + i)),
        (columns) =>
          ordered(
            runtime,
            args[0],
            columns,
            found.slice(0, -1).map((up) => up === false),
            found.at(-1) === true,
          ),
      ),
    );
  },
};

function inferKey(call: CallToInfer, at: number, of: FrameType | MatrixType): void {
  const { type, constant } = call.args[at]!;
  if (type.data === 'scalar' && type.value === 'str') {
    if (of.data !== 'frame') call.fail('parser', 'a matrix has no labels: name the column by its number', at);
    const labels = of.columns?.map((each) => each.label);
    if (labels !== undefined && constant !== undefined && !labels.includes(constant as string)) {
      call.fail('compiler', noLabel(constant as string, labels), at);
    }
  }
}

/** The column that is a key. */
function keyColumn(runtime: Runtime, site: Site, args: readonly RunArgument[], at: number): MaybeLater<FullMatrix> {
  const [of, key] = [args[0], args[at]];
  if (isFrame(of) && typeof key === 'string') {
    const labels = of.columns.map(({ label }) => label);
    const [place] = labelled(labels, key);
    if (place === undefined) throw new RunError(noLabel(key, labels));
    return columnMatrix(runtime, of.columns[place]!, of.rows);
  }
  return then(integerArgument(runtime, site, args, at), (position): MaybeLater<FullMatrix> => {
    if (isFrame(of)) {
      const place = right(placeOf(position, of.columns.length, 'column'));
      return columnMatrix(runtime, of.columns[place]!, of.rows);
    }
    const from = matrixOf(of);
    const place = right(placeOf(position, from.columns, 'column'));
    return selectedMatrix(
      runtime,
      from,
      { kind: 'all', length: from.rows },
      { kind: 'range', from: place, to: place + 1, length: 1 },
    );
  });
}

function ordered(
  runtime: Runtime,
  of: RunArgument,
  keys: readonly FullMatrix[],
  descending: readonly boolean[],
  indices: boolean,
): MaybeLater<Value> {
  const rows = keys[0]!.rows;
  // Equal rows stay in their order; of several keys the first one counts most, which sorts last.
  const arrays = keys.map((key) => sortable(runtime, key)).reverse();
  const array = lexsort(arrays, { descending: [...descending].reverse() });
  if (indices) return runtime.matrix(reshape(array, [rows, 1]).astype('u64'), 'size');
  if (!isFrame(of)) {
    const from = matrixOf(of);
    if (from.kind === 'dense') return runtime.matrix(take(from.array, array, { axis: 0 }), from.value);
  }
  return then(runtime.computed([array]), ([elements]) =>
    rowsOf(runtime, of, {
      kind: 'list',
      positions: Int32Array.from(elements as BigInt64Array, Number),
      array,
      length: rows,
    }),
  );
}

/** A key as an array: of strings, their places among all of them. */
function sortable(runtime: Runtime, key: FullMatrix): Arr {
  if (key.kind === 'dense') {
    const flat = reshape(key.array, [key.rows]);
    return key.value === 'bool' ? flat.astype('u8') : flat;
  }
  const places = new Map([...new Set(key.cells)].sort().map((cell, place) => [cell, place]));
  const ranks = Int32Array.from(key.cells, (cell) => places.get(cell) as number);
  return reshape(runtime.matrixOf(ranks, 'si32', key.rows, 1).array, [key.rows]);
}

export const REORGANISATION: readonly Builtin[] = [
  transposed('transpose'),
  transposed('t'),
  withLarge(reshaped, reshapeLarge),
  withLarge(bound('cbind'), joinLarge(1)),
  withLarge(bound('rbind'), joinLarge(0)),
  withLarge(reverse, reverseLarge),
  order,
];

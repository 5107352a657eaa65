/** `X[rows, columns]`, `X[[rows, columns]]` and `X[rows, columns] = Y`. */

import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type ColumnType, type FrameType, frame, type MatrixType, matrix, type Type } from '../types.ts';
import type { Integer, Matrix, MaybeLater, Value } from '../values/values.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError, type SideForm, type Site } from './builtin.ts';
import {
  constantInteger,
  dataName,
  type FullMatrix,
  integerArgument,
  isFrame,
  isMatrix,
  type Length,
  matrixOf,
} from './operands.ts';
import {
  filteredBy,
  labelled,
  listed,
  listedBy,
  noLabel,
  placeOf,
  range,
  rangeOf,
  right,
  type Selection,
  selectedFrame,
  selectedMatrix,
  startOf,
} from './selection.ts';
import { denseWithin, densified, isSparse, sparsePart, sparseWith, staysSparse } from './sparse.ts';

type Sides = readonly [SideForm, SideForm];

const USES: Readonly<Record<SideForm, number>> = { all: 0, position: 1, from: 1, to: 1, range: 2 };
const sidesOf = (fixed: { readonly sides?: Sides }): Sides => fixed.sides ?? ['all', 'all'];
const NAMES = ['row', 'column'] as const;

/** Columns that a frame has in the end, where that is known. */
interface Known {
  readonly length: Length;
  /** The positions themselves. */
  readonly places?: readonly number[] | undefined;
}

const counting = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** What the compiler knows of one side, whose arguments begin at `at`. */
function inferSide(call: CallToInfer, form: SideForm, at: number, of: FrameType | MatrixType, side: 0 | 1): Known {
  const length = side === 0 ? of.rows : of.data === 'frame' ? of.columns?.length : of.columns;
  const what = NAMES[side];
  if (form === 'all') return { length, places: length === undefined ? undefined : counting(0, length) };
  if (form === 'position') return inferPosition(call, at, of, side, length);
  for (let i = at; i < at + USES[form]; i++) inferNumber(call, i);
  const from = form === 'to' ? undefined : constantInteger(call, at);
  const to = form === 'from' ? undefined : constantInteger(call, form === 'range' ? at + 1 : at);
  const isKnown = (form === 'to' || from !== undefined) && (form === 'from' || to !== undefined);
  if (!isKnown) return { length: undefined };
  if (length === undefined) {
    // Both from the same end: what is between them does not depend on where that is.
    const between = form === 'range' ? lengthBetween(from as Integer, to as Integer) : undefined;
    return { length: between };
  }
  const found = rangeOf(from, to, length, what);
  if ('wrong' in found) return call.fail('compiler', found.wrong, at);
  return { length: found.to - found.from, places: side === 1 ? counting(found.from, found.to) : undefined };
}

const lengthBetween = (from: Integer, to: Integer): Length =>
  (from >= 0 && to >= 0) || (from < 0 && to <= 0) ? Math.max(0, Number(to) - Number(from)) : undefined;

/** A number, or one in a matrix of one cell. */
function inferNumber(call: CallToInfer, at: number): void {
  const { type } = call.args[at]!;
  if ((type.data === 'scalar' && type.value !== 'str') || (type.data === 'matrix' && type.value !== 'str')) return;
  call.fail(
    'parser',
    `the end of a range is a number, and not ${type.data === 'scalar' ? 'a string' : dataName(type)}`,
    at,
  );
}

function inferPosition(call: CallToInfer, at: number, of: FrameType | MatrixType, side: 0 | 1, length: Length): Known {
  const { type, constant } = call.args[at]!;
  const what = NAMES[side];
  if (type.data !== 'scalar' && type.data !== 'matrix') {
    return call.fail('parser', `a position is a number or a matrix of numbers, and not ${dataName(type)}`, at);
  }
  if (type.value === 'str') {
    if (side === 0 || of.data !== 'frame') {
      return call.fail('parser', `labels are for columns of frames, and not for ${what}s of ${dataName(of)}`, at);
    }
    if (type.data === 'matrix') return { length: type.rows };
    return inferLabel(call, at, of, constant as string | undefined);
  }
  if (type.data === 'matrix') {
    return { length: type.rows };
  }
  const position = constantInteger(call, at);
  if (position === undefined || length === undefined) return { length: 1 };
  const place = placeOf(position, length, what);
  if (typeof place === 'object') return call.fail('compiler', place.wrong, at);
  return { length: 1, places: [place] };
}

function inferLabel(call: CallToInfer, at: number, of: FrameType, label: string | undefined): Known {
  if (label === undefined || of.columns === undefined) return { length: label?.endsWith('*') ? undefined : 1 };
  const labels = of.columns.map((each) => each.label);
  const places = labelled(labels, label);
  if (places.length === 0) call.fail('compiler', noLabel(label, labels), at);
  return { length: places.length, places };
}

/** An object of rows and columns. */
function indexed(call: CallToInfer): FrameType | MatrixType {
  const { type } = call.args[0]!;
  return type.data === 'matrix' || type.data === 'frame'
    ? type
    : call.fail('parser', `an index is for matrices and frames, and this is ${dataName(type)}`, 0);
}

function inferSelected(of: FrameType | MatrixType, rows: Known, columns: Known): Type {
  if (of.data === 'matrix') {
    return matrix(of.value, rows.length, columns.length);
  }
  const own = of.columns;
  return frame(own && columns.places?.map((place) => own[place] as ColumnType), rows.length);
}

interface Table {
  readonly rows: number;
  readonly columns: number;
  readonly labels: readonly string[] | undefined;
}

const tableOf = (object: RunArgument): Table => {
  if (isFrame(object)) {
    const labels = object.columns.map(({ label }) => label);
    return { rows: object.rows, columns: labels.length, labels };
  }
  const { rows, columns } = isSparse(object) ? object : matrixOf(object);
  return { rows, columns, labels: undefined };
};

/** What one side selects, whose arguments begin at `at`. */
function select(
  runtime: Runtime,
  site: Site,
  args: readonly RunArgument[],
  form: SideForm,
  at: number,
  of: Table,
  side: 0 | 1,
): MaybeLater<Selection> {
  const length = side === 0 ? of.rows : of.columns;
  const what = NAMES[side];
  if (form === 'all') return { kind: 'all', length };
  if (form === 'position') {
    const position = args[at];
    const labels = side === 1 ? of.labels : undefined;
    if (labels !== undefined && typeof position === 'string') return byLabels(runtime, labels, [position]);
    if (isMatrix(position)) {
      if (labels !== undefined && position.kind === 'strings') return byLabels(runtime, labels, position.cells);
      return listedBy(runtime, position, length, what);
    }
    return then(integerArgument(runtime, site, args, at), (given) => {
      const place = right(placeOf(given, length, what));
      return range(place, place + 1);
    });
  }
  const ends = form === 'range' ? [at, at + 1] : [at];
  return all(
    ends.map((each) => integerArgument(runtime, site, args, each)),
    ([first, second]) => {
      const [from, to] = form === 'to' ? [undefined, first] : [first, second];
      const found = right(rangeOf(from, to, length, what));
      return range(found.from, found.to);
    },
  );
}

function byLabels(runtime: Runtime, labels: readonly string[], wanted: readonly string[]): Selection {
  const places = wanted.flatMap((label) => {
    const found = labelled(labels, label);
    if (found.length === 0) throw new RunError(noLabel(label, labels));
    return found;
  });
  return listed(runtime, places);
}

function selected(runtime: Runtime, object: RunArgument, rows: Selection, columns: Selection): MaybeLater<Value> {
  if (isSparse(object)) return denseWithin(runtime, sparsePart(object, rows, columns));
  return isFrame(object)
    ? selectedFrame(object, rows, columns)
    : selectedMatrix(runtime, matrixOf(object), rows, columns);
}

/** The object as it is, and all behind it dense. */
const withDense = (
  runtime: Runtime,
  [object, ...rest]: readonly RunArgument[],
  next: (args: readonly RunArgument[]) => MaybeLater<Value>,
): MaybeLater<Value> => then(densified(runtime, rest), (full) => next([object, ...full]));

/** Positions: there are some, and none of them is a matrix. */
const areScalars = (args: readonly RunArgument[]): boolean =>
  args.length > 0 && args.every((each) => typeof each === 'number' || typeof each === 'bigint');

const INTERNAL = { parameters: [], least: 1, most: Number.POSITIVE_INFINITY } as const;

const index: Builtin = {
  name: '$index',
  ...INTERNAL,
  infer(call) {
    const of = indexed(call);
    const [first, second] = sidesOf(call.fixed);
    if (first === 'all' && second === 'all') return [of];
    const rows = inferSide(call, first, 1, of, 0);
    return [inferSelected(of, rows, inferSide(call, second, 1 + USES[first], of, 1))];
  },
  takesSparse: true,
  borrows: (args) => areScalars(args.slice(1)),
  run(runtime, site, given) {
    const [first, second] = sidesOf(site.fixed);
    if (first === 'all' && second === 'all') return given[0] as Value;
    return withDense(runtime, given, (args) => {
      const of = tableOf(args[0]);
      return all(
        [select(runtime, site, args, first, 1, of, 0), select(runtime, site, args, second, 1 + USES[first], of, 1)],
        ([rows, columns]): MaybeLater<Value> => selected(runtime, args[0], rows!, columns!),
      );
    });
  },
};

const filter: Builtin = {
  name: '$filter',
  ...INTERNAL,
  infer(call) {
    const of = indexed(call);
    let at = 1;
    const lengths = sidesOf(call.fixed).map((form, side): Known => {
      if (form === 'all') return inferSide(call, 'all', at, of, side as 0 | 1);
      if (side === 1 && of.data === 'frame') call.fail('parser', 'columns of a frame have no filter: name them', at);
      const { type } = call.args[at]!;
      if (type.data !== 'matrix' || type.value === 'str') {
        return call.fail('parser', `a filter is a column of bits, and not ${dataName(type)}`, at);
      }
      at++;
      return { length: undefined };
    });
    return [inferSelected(of, lengths[0]!, lengths[1]!)];
  },
  takesSparse: true,
  run: (runtime, site, given) =>
    withDense(runtime, given, (args) => {
      const of = tableOf(args[0]);
      let at = 1;
      const sides = sidesOf(site.fixed).map((form, side): MaybeLater<Selection> => {
        const length = side === 0 ? of.rows : of.columns;
        if (form === 'all') return { kind: 'all', length };
        return filteredBy(runtime, matrixOf(args[at++]), length, NAMES[side]!);
      });
      return all(sides, ([rows, columns]) => selected(runtime, args[0], rows!, columns!));
    }),
};

const assign: Builtin = {
  name: '$assign',
  ...INTERNAL,
  least: 2,
  infer(call) {
    const [of, by] = [call.args[0]!.type, call.args[1]!.type];
    if (of.data !== 'matrix') return call.fail('parser', `parts of matrices are set, and this is ${dataName(of)}`, 0);
    if (by.data !== 'matrix') {
      return call.fail('parser', `a part of a matrix is set to a matrix, as [5], and this is ${dataName(by)}`, 1);
    }
    const sides = sidesOf(call.fixed);
    if (sides.every((form) => form === 'all')) return [by];
    if (of.value !== undefined && by.value !== undefined && of.value !== by.value) {
      call.fail('parser', `a matrix of ${of.value} has no parts of ${by.value}`, 1);
    }
    let at = 2;
    for (const form of sides) {
      const { type } = call.args[at] ?? {};
      if (form === 'position' && (type?.data !== 'scalar' || type.value === 'str')) {
        call.fail('parser', 'what is set is one position or a range, and no list, label or filter', at);
      }
      for (let i = 0; i < USES[form]; i++) inferNumber(call, at + i);
      at += USES[form];
    }
    return [matrix(of.value ?? by.value, of.rows, of.columns)];
  },
  takesSparse: true,
  borrows: (args) => areScalars(args.slice(2)),
  sets: true,
  run(runtime, site, given) {
    const [first, second] = sidesOf(site.fixed);
    if (first === 'all' && second === 'all') return given[1] as Value;
    const [of, by, ...places] = given;
    return then(densified(runtime, places), (dense) => runAssign(runtime, site, [of, by, ...dense], first, second));
  },
};

function runAssign(
  runtime: Runtime,
  site: Site,
  args: readonly RunArgument[],
  first: SideForm,
  second: SideForm,
): MaybeLater<Value> {
  const [of, by] = [0, 1].map((at) => (isSparse(args[at]) ? args[at] : matrixOf(args[at]))) as [Matrix, Matrix];
  if (of.value !== by.value) throw new RunError(`a matrix of ${of.value} has no parts of ${by.value}`);
  const table = tableOf(of);
  return all(
    [select(runtime, site, args, first, 2, table, 0), select(runtime, site, args, second, 2 + USES[first], table, 1)],
    ([rows, columns]): MaybeLater<Value> => assigned(runtime, of, by, rows!, columns!),
  );
}

const misfit = (part: readonly Length[], by: { readonly rows?: Length; readonly columns?: Length }): string =>
  `the part that is set is ${part.map((each) => each ?? '?').join('x')}, and what it is set to ${by.rows ?? '?'}x${by.columns ?? '?'}`;

function assigned(runtime: Runtime, of: Matrix, by: Matrix, rows: Selection, columns: Selection): MaybeLater<Matrix> {
  if (by.rows !== rows.length || by.columns !== columns.length) {
    throw new RunError(misfit([rows.length, columns.length], by));
  }
  const [top, left] = [startOf(rows), startOf(columns)];
  if (of.kind === 'dense' && by.kind === 'dense') {
    if (by.rows === 0 || by.columns === 0) return runtime.own.share(of);
    return runtime.withPart(of, by, top, left);
  }
  if (of.kind === 'sparse' && by.kind !== 'strings' && staysSparse(of)) {
    return then(sparseWith(runtime, of, by, top, left), (made) => denseWithin(runtime, made));
  }
  if (of.kind === 'sparse' || by.kind === 'sparse') {
    return all(
      [of, by].map((each) => runtime.dense(each)),
      ([a, b]) => assigned(runtime, a!, b!, rows, columns),
    );
  }
  const texts = of as Extract<FullMatrix, { kind: 'strings' }>;
  const cells = runtime.own.take(texts) ?? [...texts.cells];
  const given = (by as Extract<FullMatrix, { kind: 'strings' }>).cells;
  for (const [i, cell] of given.entries()) {
    cells[(top + Math.floor(i / by.columns)) * of.columns + left + (i % by.columns)] = cell;
  }
  const made = { ...texts, cells };
  runtime.own.keep(made, cells);
  return made;
}

export const INDEXING: readonly Builtin[] = [index, filter, assign];

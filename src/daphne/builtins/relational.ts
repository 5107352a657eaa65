import type { Runtime } from '../runtime/runtime.ts';
import { query } from '../sql/index.ts';
import { allPairs, equalPairs, type Pairs, rowsWithPartner } from '../sql/joins.ts';
import { groupsOf, ranksOf } from '../sql/keys.ts';
import { aggregated } from '../sql/sums.ts';
import { type ColumnType, type FrameType, frame, matrix, type Type } from '../types.ts';
import { columnOf, frameOf, frameRows, gather, roomFor, withCells } from '../values/frames.ts';
import { wideCells } from '../values/integers.ts';
import { stringsOf } from '../values/texts.ts';
import type { Column, DenseMatrix, Frame } from '../values/values.ts';
import { frameArgument, integerArgument, stringArgument } from './arguments.ts';
import { type Builtin, type CallToInfer, RunError } from './builtin.ts';
import { below, frameAt } from './frames.ts';
import { emplacedOrder } from './hash-order.ts';

/** The column that a label names, as far as the compiler knows it; a label that a known frame has not is an error. */
function columnArgument(call: CallToInfer, of: FrameType, index: number): ColumnType | undefined {
  const label = stringArgument(call, index);
  if (label === undefined || of.columns === undefined) return undefined;
  const column = of.columns.find((each) => each.label === label);
  if (column !== undefined) return column;
  const labels = of.columns.map((each) => JSON.stringify(each.label)).join(', ');
  return call.fail('compiler', `there is no column ${JSON.stringify(label)}: the frame has ${labels}`, index);
}

/** Keys are compared as they are: numbers with numbers, strings with strings. */
function keyArguments(call: CallToInfer): [ColumnType | undefined, ColumnType | undefined] {
  const on = [
    columnArgument(call, frameArgument(call, 0), 2),
    columnArgument(call, frameArgument(call, 1), 3),
  ] as const;
  const [a, b] = on.map((each) => each?.value);
  if (a !== undefined && b !== undefined && (a === 'str') !== (b === 'str'))
    call.fail('compiler', `keys of a join are of one kind, and these are ${a} and ${b}`);
  return [...on];
}

const keyColumns = (args: readonly unknown[]): [Column, Column] => {
  const on: [Column, Column] = [
    columnOf(args[0] as Frame, args[2] as string),
    columnOf(args[1] as Frame, args[3] as string),
  ];
  if ((on[0].value === 'str') !== (on[1].value === 'str'))
    throw new RunError(`keys of a join are of one kind, and these are ${on[0].value} and ${on[1].value}`);
  return on;
};

const sideBySide = (a: FrameType, b: FrameType): readonly ColumnType[] | undefined =>
  a.columns === undefined || b.columns === undefined ? undefined : [...a.columns, ...b.columns];

/** Positions where -1 stands for a row that is not there, which is all zeros, not-a-numbers and empty strings. */
function gatherOrNothing(column: Column, positions: Int32Array): Column {
  if (!positions.includes(-1)) return withCells(column, gather<Column['cells']>(column.cells, positions));
  if (column.value === 'str') {
    const cells = stringsOf(column.cells);
    return { ...column, cells: Array.from(positions, (at) => (at < 0 ? '' : cells[at]!)) };
  }
  const cells = roomFor(column.value, positions.length) as Float64Array;
  const from = column.cells as Float64Array;
  const isFloat = column.value === 'f64' || column.value === 'f32';
  for (let i = 0; i < cells.length; i++) {
    const at = positions[i]!;
    if (at >= 0) cells[i] = from[at]!;
    else if (isFloat) cells[i] = Number.NaN;
  }
  return withCells(column, cells);
}

const paired = (a: Frame, b: Frame, { left, right }: Pairs): Frame =>
  frameOf(left.length, [
    ...a.columns.map((column) => gatherOrNothing(column, left)),
    ...b.columns.map((column) => gatherOrNothing(column, right)),
  ]);

function tids(runtime: Runtime, positions: Int32Array): DenseMatrix {
  return runtime.matrixOf(wideCells(positions, new BigUint64Array(positions.length)), 'size', positions.length, 1);
}

const ON = ['lhs', 'rhs', 'lhsOn', 'rhsOn'];

/** A join that gives all columns of both. */
const join = (name: string, pairs: (a: Frame, b: Frame, on: [Column, Column]) => Pairs, most = 4): Builtin => ({
  name,
  parameters: most > 4 ? [...ON, 'numRowRes'] : ON,
  least: 4,
  most,
  infer(call) {
    keyArguments(call);
    if (call.args.length > 4) integerArgument(call, 4);
    return [frame(sideBySide(frameArgument(call, 0), frameArgument(call, 1)))];
  },
  run(_runtime, _site, args) {
    const [a, b] = [frameAt(args, 0), frameAt(args, 1)];
    return paired(a, b, pairs(a, b, keyColumns(args)));
  },
});

const innerJoin = join('innerJoin', (_a, _b, [l, r]) => equalPairs(l.cells, r.cells), 5);
const leftOuterJoin = join('leftOuterJoin', (_a, _b, [l, r]) => equalPairs(l.cells, r.cells, true));
/** Rows of the right side that have no partner come last. */
const fullOuterJoin = join('fullOuterJoin', (_a, _b, [l, r]) => {
  const { left, right } = equalPairs(l.cells, r.cells, true);
  const alone = rowsWithPartner(r.cells, l.cells, false);
  return {
    left: Int32Array.from([...left, ...new Int32Array(alone.length).fill(-1)]),
    right: Int32Array.from([...right, ...alone]),
  };
});

const cartesian: Builtin = {
  name: 'cartesian',
  parameters: ['lhs', 'rhs'],
  least: 2,
  most: 2,
  infer(call) {
    const [a, b] = [frameArgument(call, 0), frameArgument(call, 1)];
    const rows = a.rows === undefined || b.rows === undefined ? undefined : a.rows * b.rows;
    return [frame(sideBySide(a, b), rows)];
  },
  run(_runtime, _site, args) {
    const [a, b] = [frameAt(args, 0), frameAt(args, 1)];
    return paired(a, b, allPairs(a.rows, b.rows));
  },
};

/** Keys of the left side that have a partner, or have none, and where they are. */
const halfJoin = (name: string, wanted: boolean): Builtin => ({
  name,
  parameters: [...ON, 'numRowRes'],
  least: 4,
  most: 5,
  infer(call) {
    const [on] = keyArguments(call);
    if (call.args.length > 4) integerArgument(call, 4);
    return [frame(on === undefined ? undefined : [on]), matrix('size', undefined, 1)];
  },
  run(runtime, _site, args) {
    const [l, r] = keyColumns(args);
    const rows = rowsWithPartner(l.cells, r.cells, wanted);
    return [frameOf(rows.length, [gatherOrNothing(l, rows)]), tids(runtime, rows)];
  },
});

const sumLabel = (label: string): string => `SUM(${label})`;

const groupJoin: Builtin = {
  name: 'groupJoin',
  parameters: [...ON, 'rhsAgg'],
  least: 5,
  most: 5,
  infer(call) {
    const [on] = keyArguments(call);
    const sum = columnArgument(call, frameArgument(call, 1), 4);
    if (sum?.value === 'str') call.fail('compiler', 'sums are of numbers, and these are strings', 4);
    const columns =
      on === undefined || sum === undefined ? undefined : [on, { label: sumLabel(sum.label), value: sum.value }];
    return [frame(columns), matrix('size', undefined, 1)];
  },
  run(runtime, _site, args) {
    const [l, r] = keyColumns(args);
    const sum = columnOf(frameAt(args, 1), args[4] as string);
    // One row for each key on the left: its first one. Those without a partner are left out.
    const { first, order } = emplacedOrder(l);
    const partners = equalPairs(gatherOrNothing(l, first).cells, r.cells);
    const ids = Int32Array.from(partners.left);
    const sums = aggregated('sum', withCells(sum, gather<Column['cells']>(sum.cells, partners.right)), {
      ids,
      count: first.length,
      first,
    });
    const has = new Uint8Array(first.length);
    for (const id of ids) has[id] = 1;
    const kept = order.filter((id) => has[id] === 1);
    const rows = Int32Array.from(kept, (id) => first[id]!);
    const summed = { ...sum, label: sumLabel(sum.label), cells: gather<Column['cells']>(sums, kept) } as Column;
    return [frameOf(rows.length, [gatherOrNothing(l, rows), summed]), tids(runtime, rows)];
  },
};

const groupSum: Builtin = {
  name: 'groupSum',
  parameters: ['arg'],
  least: 3,
  most: Number.POSITIVE_INFINITY,
  infer(call) {
    const of = frameArgument(call, 0);
    const columns = call.args.slice(1).map((_, i) => columnArgument(call, of, i + 1));
    const sum = columns.at(-1);
    if (sum?.value === 'str') call.fail('compiler', 'sums are of numbers, and these are strings', call.args.length - 1);
    if (columns.some((column) => column === undefined)) return [frame(undefined)];
    const keys = columns.slice(0, -1) as ColumnType[];
    return [frame([...keys, { label: sumLabel(sum!.label), value: sum!.value }])];
  },
  run(_runtime, _site, args) {
    const of = frameAt(args, 0);
    const columns = args.slice(1).map((label) => columnOf(of, label as string));
    const [keys, sum] = [columns.slice(0, -1), columns.at(-1)!];
    const groups = groupsOf(
      keys.map(({ cells }) => ranksOf(cells)),
      of.rows,
    );
    return frameOf(groups.count, [
      ...keys.map((column) => gatherOrNothing(column, groups.first)),
      { ...sum, label: sumLabel(sum.label), cells: aggregated('sum', sum, groups) } as Column,
    ]);
  },
};

/** Two frames whose columns have the same types; the result has the labels of the first one. */
function alike(call: CallToInfer): Type {
  const [a, b] = [frameArgument(call, 0), frameArgument(call, 1)];
  if (a.columns === undefined || b.columns === undefined) return frame(a.columns);
  const fits = a.columns.length === b.columns.length;
  if (!fits)
    call.fail(
      'compiler',
      `both frames have as many columns, and these have ${a.columns.length} and ${b.columns.length}`,
    );
  a.columns.forEach(({ value }, i) => {
    const other = b.columns![i]!.value;
    if (value !== undefined && other !== undefined && value !== other)
      call.fail('compiler', `columns of both frames have the same types: ${other} does not go with ${value}`, 1);
  });
  return frame(a.columns);
}

/** All rows of both frames, with equal ones in one group. */
function together(a: Frame, b: Frame) {
  if (a.columns.length !== b.columns.length || a.columns.some(({ value }, i) => b.columns[i]!.value !== value))
    throw new RunError('both frames have as many columns, of the same types');
  const columns = a.columns.map((column, i) => below(column, b.columns[i]!));
  const rows = a.rows + b.rows;
  const groups = groupsOf(
    columns.map(({ cells }) => ranksOf(cells)),
    rows,
  );
  const inB = new Uint8Array(groups.count);
  for (let i = a.rows; i < rows; i++) inB[groups.ids[i]!] = 1;
  return { frame: { kind: 'frame', rows, columns } satisfies Frame, ...groups, inB };
}

/** Operations on frames as sets of rows: no row comes twice, and they come in the order in which they are first met. */
const ofSets = (name: string, keeps: (row: number, of: { rows: number; isInB: boolean }) => boolean): Builtin => ({
  name,
  parameters: ['lhs', 'rhs'],
  least: 2,
  most: 2,
  infer: (call) => [alike(call)],
  run(_runtime, _site, args) {
    const [a, b] = [frameAt(args, 0), frameAt(args, 1)];
    const { frame: all, first, inB, ids } = together(a, b);
    const rows = first.filter((row) => keeps(row, { rows: a.rows, isInB: inB[ids[row]!] === 1 })).sort();
    return frameRows(all, rows);
  },
});

const intersect = ofSets('intersect', (row, { rows, isInB }) => row < rows && isInB);
const except = ofSets('except', (row, { rows, isInB }) => row < rows && !isInB);
const merge = ofSets('merge', () => true);

const registerView: Builtin = {
  name: 'registerView',
  parameters: ['name', 'view'],
  least: 2,
  most: 2,
  effects: true,
  infer(call) {
    const name = stringArgument(call, 0);
    if (name === undefined) call.fail('parser', 'the name of a view is constant', 0);
    call.views.set(name!, frameArgument(call, 1));
    return [];
  },
  run(runtime, _site, [name, view]) {
    runtime.views.set(name as string, view as Frame);
    return undefined;
  },
};

const sql: Builtin = {
  name: 'sql',
  parameters: ['query'],
  least: 1,
  most: 1,
  infer(call) {
    const text = stringArgument(call, 0);
    if (text === undefined) call.fail('parser', 'a query is constant', 0);
    return [query(text!).typeFor(call.views, (message) => call.fail('compiler', message, 0))];
  },
  run: (runtime, _site, [text]) => query(text as string).run(runtime.views),
};

export const RELATIONAL: readonly Builtin[] = [
  innerJoin,
  leftOuterJoin,
  fullOuterJoin,
  halfJoin('semiJoin', true),
  halfJoin('antiJoin', false),
  cartesian,
  groupJoin,
  groupSum,
  intersect,
  merge,
  except,
  registerView,
  sql,
];

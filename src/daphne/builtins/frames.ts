import type { Elements } from '../../nd/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type ColumnType, type FrameType, frame, mostGeneral, type Type, type ValueType } from '../types.ts';
import { frameOf, prefixed, roomFor, withCells } from '../values/frames.ts';
import { alike, stringsOf, type TextCells, Texts } from '../values/texts.ts';
import type { Column, Frame, Matrix, MaybeLater } from '../values/values.ts';
import { frameArgument, matrixArgument, stringArgument } from './arguments.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError } from './builtin.ts';

/** A matrix of one column as a column of a frame, which has its cells for itself only where it may have to. */
export function columnOfMatrix(runtime: Runtime, label: string, matrix: Matrix): MaybeLater<Column> {
  if (matrix.columns !== 1)
    throw new RunError(
      `a column of a frame is a matrix with one column, and this one is ${matrix.rows}x${matrix.columns}`,
    );
  return then(runtime.dense(matrix), (dense): MaybeLater<Column> => {
    if (dense.kind === 'strings') return { label, value: 'str', cells: dense.cells };
    return then(runtime.elements(dense), (cells): Column => ({ label, value: dense.value, cells }));
  });
}

/** Columns side by side, all of which are as long. */
export function frameOfMatrices(
  runtime: Runtime,
  labels: readonly string[],
  matrices: readonly Matrix[],
): MaybeLater<Frame> {
  const rows = matrices[0]?.rows ?? 0;
  for (const matrix of matrices)
    if (matrix.rows !== rows)
      throw new RunError(`columns of a frame are equally long, and these have ${rows} and ${matrix.rows} rows`);
  return all(
    matrices.map((matrix, i) => columnOfMatrix(runtime, labels[i]!, matrix)),
    (columns) => frameOf(rows, columns),
  );
}

/** The type of a frame with these columns, which have to have one column each, and as many rows. */
export function typeOfColumns(
  call: CallToInfer,
  labels: readonly (string | undefined)[],
  positions: readonly number[],
): FrameType {
  let rows: number | undefined;
  const columns: ColumnType[] = [];
  for (const [i, position] of positions.entries()) {
    const type = matrixArgument(call, position);
    if (type.columns !== undefined && type.columns !== 1)
      call.fail(
        'compiler',
        `a column of a frame is a matrix with one column, and this one has ${type.columns}`,
        position,
      );
    if (rows !== undefined && type.rows !== undefined && type.rows !== rows)
      call.fail('compiler', `columns of a frame are equally long: ${type.rows} rows do not go with ${rows}`, position);
    rows ??= type.rows;
    columns.push({ label: labels[i] ?? '', value: type.value });
  }
  return frame(labels.some((label) => label === undefined) ? undefined : columns, rows);
}

const createFrame: Builtin = {
  name: 'createFrame',
  parameters: [],
  least: 1,
  most: Number.POSITIVE_INFINITY,
  infer(call) {
    const count = call.args.findIndex(({ type }) => type.data === 'scalar');
    const width = count < 0 ? call.args.length : count;
    const positions = Array.from({ length: width }, (_, i) => i);
    const given = call.args.length - width;
    if (width === 0) call.fail('parser', 'a frame has at least one column, and matrices come before labels', 0);
    if (given !== 0 && given !== width)
      call.fail('parser', `a frame of ${width} columns has as many labels, and ${given} are given`);
    const labels = positions.map((i) => (given === 0 ? `col_${i}` : stringArgument(call, width + i)));
    return [typeOfColumns(call, labels, positions)];
  },
  run(runtime, site, args) {
    const width = site.args.filter(({ data }) => data === 'matrix').length;
    const matrices = args.slice(0, width) as Matrix[];
    const labels = matrices.map((_, i) => (args.length > width ? (args[width + i] as string) : `col_${i}`));
    return frameOfMatrices(runtime, labels, matrices);
  },
};

const setColLabels: Builtin = {
  name: 'setColLabels',
  parameters: ['arg'],
  least: 2,
  most: Number.POSITIVE_INFINITY,
  infer(call) {
    const { columns, rows } = frameArgument(call, 0);
    const labels = call.args.slice(1).map((_, i) => stringArgument(call, i + 1));
    if (columns === undefined) return [frame(undefined, rows)];
    if (columns.length !== labels.length)
      call.fail('compiler', `the frame has ${columns.length} columns, and ${labels.length} labels are given`);
    if (labels.some((label) => label === undefined)) return [frame(undefined, rows)];
    return [
      frame(
        columns.map(({ value }, i) => ({ label: labels[i]!, value })),
        rows,
      ),
    ];
  },
  run(_runtime, _site, [given, ...labels]) {
    const { rows, columns } = given as Frame;
    if (columns.length !== labels.length)
      throw new RunError(`the frame has ${columns.length} columns, and ${labels.length} labels are given`);
    return frameOf(
      rows,
      columns.map((column, i): Column => ({ ...column, label: labels[i] as string })),
    );
  },
};

const setColLabelsPrefix: Builtin = {
  name: 'setColLabelsPrefix',
  parameters: ['arg', 'prefix'],
  least: 2,
  most: 2,
  infer(call) {
    const { columns, rows } = frameArgument(call, 0);
    const prefix = stringArgument(call, 1);
    if (columns === undefined || prefix === undefined) return [frame(undefined, rows)];
    return [
      frame(
        columns.map(({ label, value }) => ({ label: prefixed(prefix, label), value })),
        rows,
      ),
    ];
  },
  run(_runtime, _site, [given, prefix]) {
    const { rows, columns } = given as Frame;
    return frameOf(
      rows,
      columns.map((column): Column => ({ ...column, label: prefixed(prefix as string, column.label) })),
    );
  },
};

const bothFrames = (call: CallToInfer): [FrameType, FrameType] => [frameArgument(call, 0), frameArgument(call, 1)];

/** `cbind` of two frames, for the compiler. */
export function inferFrameCbind(call: CallToInfer): readonly Type[] {
  const [a, b] = bothFrames(call);
  if (a.rows !== undefined && b.rows !== undefined && a.rows !== b.rows)
    call.fail('compiler', `frames side by side have as many rows, and these have ${a.rows} and ${b.rows}`);
  const columns = a.columns === undefined || b.columns === undefined ? undefined : [...a.columns, ...b.columns];
  return [frame(columns, a.rows ?? b.rows)];
}

/** Two frames side by side. */
export function frameCbind(a: Frame, b: Frame): Frame {
  if (a.rows !== b.rows)
    throw new RunError(`frames side by side have as many rows, and these have ${a.rows} and ${b.rows}`);
  return frameOf(a.rows, [...a.columns, ...b.columns]);
}

/** `rbind` of two frames, for the compiler. */
export function inferFrameRbind(call: CallToInfer): readonly Type[] {
  const [a, b] = bothFrames(call);
  const rows = a.rows === undefined || b.rows === undefined ? undefined : a.rows + b.rows;
  if (a.columns === undefined || b.columns === undefined) return [frame(undefined, rows)];
  if (a.columns.length !== b.columns.length)
    call.fail(
      'compiler',
      `frames below each other have as many columns, and these have ${a.columns.length} and ${b.columns.length}`,
    );
  const columns = a.columns.map(({ label, value }, i): ColumnType => {
    const other = b.columns![i]!;
    if (other.label !== label)
      call.fail(
        'compiler',
        `frames below each other have the same labels: ${JSON.stringify(other.label)} is not ${JSON.stringify(label)}`,
        1,
      );
    if (value !== undefined && other.value !== undefined && value !== other.value)
      call.fail(
        'compiler',
        `columns below each other have one type: in ${JSON.stringify(label)}, ${other.value} does not go with ${value}`,
        1,
      );
    return { label, value: value ?? other.value };
  });
  return [frame(columns, rows)];
}

/** The rows of one frame, and below them those of another one. */
export function frameRbind(a: Frame, b: Frame): Frame {
  const [m, n] = [a.columns.length, b.columns.length];
  if (m !== n) throw new RunError(`frames below each other have as many columns, and these have ${m} and ${n}`);
  const columns = a.columns.map((column, i): Column => {
    const other = b.columns[i]!;
    if (column.label !== other.label)
      throw new RunError(
        `frames below each other have the same labels: ${JSON.stringify(other.label)} is not ${JSON.stringify(column.label)}`,
      );
    if (column.value !== other.value)
      throw new RunError(
        `columns below each other have one type: in ${JSON.stringify(column.label)}, ${other.value} does not go with ${column.value}`,
      );
    return below(column, other);
  });
  return frameOf(a.rows + b.rows, columns);
}

/** Cells of two columns of one type. */
export function below(column: Column, other: Column): Column {
  if (column.value === 'str') return { ...column, cells: textsBelow(column.cells, other.cells as TextCells) };
  const cells = roomFor(column.value, column.cells.length + other.cells.length);
  (cells as Float64Array).set(column.cells as Float64Array);
  (cells as Float64Array).set(other.cells as Float64Array, column.cells.length);
  return withCells(column, cells as Elements);
}

function textsBelow(upper: TextCells, lower: TextCells): TextCells {
  if (!(upper instanceof Texts) || !(lower instanceof Texts)) return [...stringsOf(upper), ...stringsOf(lower)];
  const [a, b] = alike(upper, lower);
  const codes = new Int32Array(a.length + b.length);
  codes.set(a.codes);
  codes.set(b.codes, a.length);
  return new Texts(codes, a.words);
}

/** The type that two columns have below each other, as operations bring values to one. */
export const typeBelow = (a: ValueType | undefined, b: ValueType | undefined): ValueType | undefined =>
  a === undefined || b === undefined ? undefined : mostGeneral(a, b);

export const frameAt = (args: readonly RunArgument[], index: number): Frame => args[index] as Frame;

export const FRAMES: readonly Builtin[] = [createFrame, setColLabels, setColLabelsPrefix];

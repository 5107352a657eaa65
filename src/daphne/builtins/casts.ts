/** `as.T<vt>(x)`: another data type, another value type, or both. */

import { concat } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  type ColumnType,
  type FrameType,
  frame,
  matrix,
  mostGeneral,
  scalar,
  type Type,
  type ValueType,
} from '../types.ts';
import type { Column, DenseMatrix, Frame, Matrix, MaybeLater, Scalar, Value } from '../values/values.ts';
import { converted } from './arrays.ts';
import { type Builtin, type CallToInfer, type Fixed, type RunArgument, RunError, type Site } from './builtin.ts';
import { columnOf, elementsOf } from './literals.ts';
import {
  allTexts,
  dataName,
  type FullMatrix,
  isFrame,
  isMatrix,
  type NumericType,
  soleCell,
  strings,
  textsOf,
  valueTypeOf,
} from './operands.ts';
import { columnMatrix, frameOf } from './selection.ts';
import { cellsOf, densified, isSparse, staysSparse, withCells } from './sparse.ts';

type To = NonNullable<Fixed['to']>;

const defaultLabel = (i: number): string => `col_${i}`;

/** The value type that a frame's columns become together; undefined: it shows later. */
const commonValue = (columns: readonly (ValueType | undefined)[]): ValueType | undefined =>
  columns.length === 0 || columns.includes(undefined) ? undefined : (columns as ValueType[]).reduce(mostGeneral);

function infer(call: CallToInfer): Type {
  const { type } = call.args[0]!;
  const { data = type.data, value } = (call.fixed.to ?? {}) as To;
  if (type.data === 'list') return call.fail('parser', 'lists have no cast', 0);
  if (data === 'frame' && value !== undefined) {
    return call.fail('parser', 'a frame has a value type for each column: cast its columns');
  }
  switch (data) {
    case 'scalar': {
      const own = value ?? (type.data === 'frame' ? type.columns?.[0]?.value : type.value);
      const what = 'the value type of this is not known before the script runs: name it, as.scalar<f64>(x)';
      return scalar(own ?? call.fail('parser', what, 0));
    }
    case 'matrix':
      return inferMatrix(type, value);
    case 'frame':
      return inferFrame(type);
  }
  return call.fail('parser', `${dataName(type)} is cast to no ${data}`, 0);
}

function inferMatrix(type: Exclude<Type, { data: 'list' }>, value: ValueType | undefined): Type {
  if (type.data === 'scalar') return matrix(value ?? type.value, 1, 1);
  if (type.data === 'matrix') {
    if (value === undefined || value === type.value) return type;
    return matrix(value, type.rows, type.columns, { symmetric: type.symmetric });
  }
  const common = type.columns && commonValue(type.columns.map((each) => each.value));
  return matrix(value ?? common, type.rows, type.columns?.length);
}

function inferFrame(type: Exclude<Type, { data: 'list' }>): FrameType {
  if (type.data === 'frame') return type;
  if (type.data === 'scalar') return frame([{ label: defaultLabel(0), value: type.value }], 1);
  const { columns, value } = type;
  if (columns === undefined) return frame(undefined, type.rows);
  const own = Array.from({ length: columns }, (_, i): ColumnType => ({ label: defaultLabel(i), value }));
  return frame(own, type.rows);
}

/** A matrix in another value type. */
export function castMatrix(runtime: Runtime, from: FullMatrix, to: ValueType): MaybeLater<Matrix> {
  if (from.value === to) return from;
  const { rows, columns } = from;
  if (to === 'str') return then(textsOf(runtime, from), (cells) => strings(cells, rows, columns));
  if (from.kind === 'dense') return runtime.matrix(converted(from.array, from.value, to), to);
  const types = from.cells.map((): ValueType => 'str');
  return runtime.matrixOf(elementsOf(to, from.cells, types), to, rows, columns);
}

/** A frame's columns side by side, all of one type. */
function matrixOfFrame(runtime: Runtime, from: Frame, value: ValueType | undefined): MaybeLater<Matrix> {
  const to = value ?? commonValue(from.columns.map((each) => each.value)) ?? 'f64';
  const columns = from.columns.map((each) => columnMatrix(runtime, each, from.rows));
  if (to === 'str') {
    return then(allTexts(runtime, columns), (texts) => {
      const cells = Array.from({ length: from.rows }, (_, row) => texts.map((column) => column[row]!));
      return strings(cells.flat(), from.rows, columns.length);
    });
  }
  return all(
    columns.map((each) => castMatrix(runtime, each, to)),
    (made) => {
      const arrays = made.map((each) => (each as Extract<Matrix, { kind: 'dense' }>).array);
      return runtime.matrix(concat(arrays, { axis: 1 }), to);
    },
  );
}

/** Columns of a matrix as those of a frame. */
function frameOfMatrix(runtime: Runtime, from: FullMatrix): MaybeLater<Frame> {
  const { rows, columns } = from;
  if (columns === 1) return then(columnOf(runtime, defaultLabel(0), from), (column) => frameOf([column], rows));
  const labels = Array.from({ length: columns }, (_, i) => defaultLabel(i));
  if (from.kind === 'strings') {
    return frameOf(
      labels.map(
        (label, i): Column => ({ label, value: 'str', cells: from.cells.filter((_, at) => at % columns === i) }),
      ),
      rows,
    );
  }
  const arrays = labels.map((_, i) => from.array.at(':', i));
  return then(runtime.computed(arrays), (found) =>
    frameOf(
      labels.map((label, i): Column => ({ label, value: from.value, cells: found[i] as Elements })),
      rows,
    ),
  );
}

const cast: Builtin = {
  name: '$cast',
  parameters: [],
  least: 1,
  most: 1,
  infer: (call) => [infer(call)],
  takesSparse: true,
  run(runtime, site, [given]): MaybeLater<Value> {
    const { data = site.args[0]?.data, value } = site.fixed.to ?? { data: undefined, value: undefined };
    if (isSparse(given) && data === 'matrix' && (value ?? given.value) === given.value) return given;
    if (isSparse(given) && data === 'matrix' && value !== undefined && value !== 'str' && staysSparse(given)) {
      return then(castMatrix(runtime, cellsOf(given), value), (cells) => withCells(given, cells as DenseMatrix));
    }
    return then(densified(runtime, [given]), ([arg]) => runCast(runtime, site, arg, data, value));
  },
};

function runCast(
  runtime: Runtime,
  site: Site,
  arg: RunArgument,
  data: Type['data'] | undefined,
  value: ValueType | undefined,
): MaybeLater<Value> {
  if (!isMatrix(arg) && !isFrame(arg)) {
    const from = valueTypeOf(arg, site.args[0]);
    const to = value ?? from;
    const made = scalarCast(from, to)(arg as Scalar);
    if (data === 'scalar') return made;
    const one: FullMatrix =
      to === 'str'
        ? strings([made as string], 1, 1)
        : runtime.matrixOf(elementsOf(to as NumericType, [made], [to]), to as NumericType, 1, 1);
    return data === 'frame' ? frameOfMatrix(runtime, one) : one;
  }
  if (data === 'scalar') return soleCell(runtime, arg, value);
  if (data === 'matrix') {
    return isFrame(arg) ? matrixOfFrame(runtime, arg, value) : castMatrix(runtime, arg, value ?? arg.value);
  }
  if (data === 'frame') return isFrame(arg) ? arg : frameOfMatrix(runtime, arg);
  throw new RunError('there is no such cast');
}

export const CASTS: readonly Builtin[] = [cast];

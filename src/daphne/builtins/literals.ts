/** Data objects that are written down, and `c ? a : b` by a matrix. */

import { full } from '../../arrays/index.ts';
import { DTYPES, type Elements } from '../../nd/index.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type ColumnType, ELEMENT_TYPES, frame, matrix, mostGeneral, type ValueType } from '../types.ts';
import type { Column, Matrix, MaybeLater, Scalar } from '../values/values.ts';
import { choose, converted, type Operand } from './arrays.ts';
import { type Builtin, type CallToInfer, type Fixed, type RunArgument, RunError } from './builtin.ts';
import {
  constantLength,
  dataName,
  type FullMatrix,
  isMatrix,
  type Length,
  lengthArgument,
  matrixArgument,
  matrixOf,
  type NumericType,
  strings,
  textsOf,
  valueTypeOf,
} from './operands.ts';
import { frameOf } from './selection.ts';

const ANY = { parameters: [], most: Number.POSITIVE_INFINITY } as const;

/** Scalars in a row, in the storage of one type. */
export function elementsOf(value: NumericType, cells: readonly Scalar[], from: readonly ValueType[]): Elements {
  const type = ELEMENT_TYPES[value];
  const elements = new DTYPES[type].Elements(new ArrayBuffer(cells.length * DTYPES[type].bytes));
  const isBig = type === 'i64' || type === 'u64';
  for (const [i, cell] of cells.entries()) {
    const cast = scalarCast(from[i]!, value)(cell);
    elements[i] = isBig ? BigInt(cast) : Number(cast);
  }
  return elements;
}

/** The type of a scalar among elements. */
function scalarValue(call: CallToInfer, at: number, where: string): ValueType {
  const { type } = call.args[at]!;
  return type.data === 'scalar'
    ? type.value
    : call.fail('parser', `${where} has scalars, and this is ${dataName(type)}`, at);
}

/** How many of the arguments are elements, and where rows and columns are among those behind them. */
function partsOf(fixed: Fixed, length: number) {
  const { rows = false, columns = false } = fixed.shape ?? {};
  const count = length - Number(rows) - Number(columns);
  return { count, rowsAt: rows ? count : undefined, columnsAt: columns ? length - 1 : undefined };
}

/** What is not given follows from how many there are; neither: a column. */
function shapeOf(count: number, rows: Length, columns: Length): { rows: number; columns: number } | string {
  if (rows === undefined && columns === undefined) return { rows: count, columns: 1 };
  const [r, c] = [rows ?? count / (columns as number), columns ?? count / (rows as number)];
  return r * c === count && Number.isInteger(r) && Number.isInteger(c)
    ? { rows: r, columns: c }
    : `${count} elements do not make a matrix of ${rows ?? '?'}x${columns ?? '?'}`;
}

const matrixLiteral: Builtin = {
  name: '$matrix',
  ...ANY,
  least: 1,
  infer(call) {
    const { count, rowsAt, columnsAt } = partsOf(call.fixed, call.args.length);
    if (count < 1) call.fail('parser', 'a matrix that is written down has one element at least');
    const values = Array.from({ length: count }, (_, i) => scalarValue(call, i, 'a matrix'));
    const value = values.reduce(mostGeneral);
    const rows = rowsAt === undefined ? undefined : constantLength(call, rowsAt);
    const columns = columnsAt === undefined ? undefined : constantLength(call, columnsAt);
    const waits = (at: number | undefined, found: Length): boolean => at !== undefined && found === undefined;
    if (waits(rowsAt, rows) || waits(columnsAt, columns)) return [matrix(value, rows, columns)];
    const shape = shapeOf(count, rows, columns);
    return [typeof shape === 'string' ? matrix(value) : matrix(value, shape.rows, shape.columns)];
  },
  run(runtime, site, args) {
    const { count, rowsAt, columnsAt } = partsOf(site.fixed, args.length);
    const length = (at: number | undefined, what: string): MaybeLater<Length> =>
      at === undefined ? undefined : lengthArgument(runtime, site, args, at, what);
    return all(
      [length(rowsAt, 'the number of rows'), length(columnsAt, 'the number of columns')],
      ([rows, columns]) => {
        const shape = shapeOf(count, rows, columns);
        if (typeof shape === 'string') throw new RunError(shape);
        const types = site.args.slice(0, count).map((type) => valueTypeOf(undefined, type));
        return ofScalars(runtime, args.slice(0, count) as Scalar[], types, shape);
      },
    );
  },
};

function ofScalars(
  runtime: Runtime,
  cells: readonly Scalar[],
  types: readonly ValueType[],
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Matrix {
  const value = types.reduce(mostGeneral);
  if (value !== 'str') return runtime.matrixOf(elementsOf(value, cells, types), value, rows, columns);
  return strings(
    cells.map((cell, i) => scalarCast(types[i]!, 'str')(cell) as string),
    rows,
    columns,
  );
}

function labelOf(call: CallToInfer, at: number): string | undefined {
  const { type, constant } = call.args[at]!;
  if (type.data !== 'scalar' || type.value !== 'str') call.fail('parser', 'a label is a string', at);
  return constant as string | undefined;
}

/** Columns if all labels are known. */
const typed = (
  labels: readonly (string | undefined)[],
  values: readonly (ValueType | undefined)[],
): readonly ColumnType[] | undefined =>
  labels.includes(undefined) ? undefined : labels.map((label, i) => ({ label: label as string, value: values[i] }));

const columnsLiteral: Builtin = {
  name: '$columns',
  ...ANY,
  least: 2,
  infer(call) {
    const labels: (string | undefined)[] = [];
    const values: (ValueType | undefined)[] = [];
    let rows: Length;
    for (let at = 0; at < call.args.length; at += 2) {
      labels.push(labelOf(call, at));
      const type = matrixArgument(call, 'a frame', at + 1);
      if (type.columns !== undefined && type.columns !== 1)
        call.fail('compiler', `a column of a frame is a matrix of one column, and not of ${type.columns}`, at + 1);
      if (rows !== undefined && type.rows !== undefined && type.rows !== rows) {
        call.fail('compiler', `columns of a frame have one length, and not ${rows} and ${type.rows}`, at + 1);
      }
      rows ??= type.rows;
      values.push(type.value);
    }
    return [frame(typed(labels, values), rows)];
  },
  run(runtime, _, args) {
    const matrices = args.filter((_, i) => i % 2 === 1).map(matrixOf);
    const rows = matrices[0]!.rows;
    for (const each of matrices) {
      if (each.columns !== 1 || each.rows !== rows) {
        throw new RunError(
          `columns of a frame are one column of one length, and not ${rows}x1 and ${each.rows}x${each.columns}`,
        );
      }
    }
    const columns = matrices.map((each, i) => columnOf(runtime, args[2 * i] as string, each));
    return all(columns, (made) => frameOf(made, rows));
  },
};

/** A matrix of one column as one of a frame. */
export const columnOf = (runtime: Runtime, label: string, of: FullMatrix): MaybeLater<Column> =>
  of.kind === 'strings'
    ? { label, value: 'str', cells: of.cells }
    : then(runtime.elements(of), (cells): Column => ({ label, value: of.value, cells }));

const rowsLiteral: Builtin = {
  name: '$rows',
  ...ANY,
  least: 1,
  infer(call) {
    const width = call.fixed.width ?? 0;
    const labels = Array.from({ length: width }, (_, i) => labelOf(call, i));
    const cells = call.args.length - width;
    if (cells % width !== 0) call.fail('parser', `each row has ${width} cells, as many as there are labels`);
    const values = labels.map((_, column) => {
      const types: ValueType[] = [];
      for (let at = width + column; at < call.args.length; at += width) {
        const value = scalarValue(call, at, 'a row of a frame');
        if (value === 'str')
          call.fail('parser', 'a frame with strings is written by its columns: {"label": [...]}', at);
        types.push(value);
      }
      // Of no rows there is nothing to tell by.
      return types.length === 0 ? 'f64' : types.reduce(mostGeneral);
    });
    return [frame(typed(labels, values), cells / width)];
  },
  run(_, site, args) {
    const width = site.fixed.width ?? 0;
    const rows = (args.length - width) / width;
    const columns = Array.from({ length: width }, (_, column): Column => {
      const places = Array.from({ length: rows }, (_, row) => width + row * width + column);
      const types = places.map((at) => valueTypeOf(undefined, site.args[at]));
      const value = (types.length === 0 ? 'f64' : types.reduce(mostGeneral)) as NumericType;
      const cells = elementsOf(
        value,
        places.map((at) => args[at] as Scalar),
        types,
      );
      return { label: args[column] as string, value, cells };
    });
    return frameOf(columns, rows);
  },
};

const conditional: Builtin = {
  name: '$conditional',
  parameters: [],
  least: 3,
  most: 3,
  infer(call) {
    const condition = matrixArgument(call, 'a condition', 0);
    if (condition.value === 'str') call.fail('parser', 'a condition is a number, and these are strings', 0);
    const branches = [1, 2].map((at) => {
      const { type } = call.args[at]!;
      if (type.data === 'matrix' || type.data === 'scalar') return type;
      return call.fail(
        'parser',
        `by a matrix, elements are chosen of scalars and matrices, and this is ${dataName(type)}`,
        at,
      );
    });
    const [yes, no] = branches.map(({ value }) => value);
    if (yes !== undefined && no !== undefined && yes !== no) {
      call.fail('parser', `both sides have one value type, and not ${yes} and ${no}`, 2);
    }
    return [matrix(yes ?? no, condition.rows, condition.columns)];
  },
  run(runtime, site, args) {
    const condition = matrixOf(args[0]);
    if (condition.kind === 'strings') throw new RunError('a condition is a number, and these are strings');
    const { rows, columns } = condition;
    const [yes, no] = [1, 2].map((at) => valueTypeOf(args[at], site.args[at])) as [ValueType, ValueType];
    if (yes !== no) throw new RunError(`both sides have one value type, and not ${yes} and ${no}`);
    for (const each of [args[1], args[2]]) {
      if (isMatrix(each) && (each.rows !== rows || each.columns !== columns))
        throw new RunError(unequal(condition, each));
    }
    const bits = converted(condition.array, condition.value, 'bool');
    if (yes === 'str') return chosenTexts(runtime, { ...condition, value: 'bool', array: bits }, args);
    const side = (arg: RunArgument): Operand => (isMatrix(arg) && arg.kind === 'dense' ? arg.array : (arg as number));
    const [a, b] = [side(args[1]), side(args[2])];
    const first = typeof a === 'object' || typeof b === 'object' ? a : full([1, 1], a, { dtype: ELEMENT_TYPES[yes] });
    return runtime.matrix(choose(bits, first, b), yes);
  },
};

type Shaped = { readonly rows?: Length; readonly columns?: Length };
const unequal = (a: Shaped, b: Shaped): string =>
  `elements are chosen of matrices of the condition's shape, ${a.rows ?? '?'}x${a.columns ?? '?'}, and not ${b.rows ?? '?'}x${b.columns ?? '?'}`;

function chosenTexts(
  runtime: Runtime,
  bits: Extract<FullMatrix, { kind: 'dense' }>,
  args: readonly RunArgument[],
): MaybeLater<Matrix> {
  const cellsOf = (arg: RunArgument): MaybeLater<readonly string[] | undefined> =>
    isMatrix(arg) ? textsOf(runtime, arg) : undefined;
  return all(
    [runtime.elements(bits), cellsOf(args[1]), cellsOf(args[2])] as readonly MaybeLater<unknown>[],
    (found) => {
      const [set, yes, no] = found as [Elements, readonly string[] | undefined, readonly string[] | undefined];
      const cells = Array.from(
        set as Uint8Array,
        (bit, i) => (bit !== 0 ? (yes?.[i] ?? args[1]) : (no?.[i] ?? args[2])) as string,
      );
      return strings(cells, bits.rows, bits.columns);
    },
  );
}

export const LITERALS: readonly Builtin[] = [matrixLiteral, columnsLiteral, rowsLiteral, conditional];

/** What is computed element by element. Where all operands are scalars, the compiler's own code does it. */

import { elements } from '../../nd/index.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { scalarFunction } from '../program/scalar-functions.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, type MatrixType, matrix, scalar, type Type, type ValueType } from '../types.ts';
import type { DenseMatrix, Matrix, MaybeLater, Scalar, SparseMatrix, Value } from '../values/values.ts';
import { binaryOf, converted, type Operand, unaryOf } from './arrays.ts';
import { broadcast, inferBroadcast } from './broadcast.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError, type Site } from './builtin.ts';
import {
  allTexts,
  checkedMatrix,
  dataName,
  type FullMatrix,
  isMatrix,
  matrixArgument,
  matrixOf,
  type NumericType,
  strings,
  valueTypeOf,
} from './operands.ts';
import { givenValue, resultValue, wrongValue } from './rules.ts';
import {
  cellsOf,
  chosenStorage,
  densified,
  isSparse,
  sparseExtreme,
  sparseProduct,
  sparseSum,
  staysSparse,
  stored,
  withCells,
} from './sparse.ts';

/** The type of the result, as far as it is known; what the operation has not is refused. */
function inferValue(
  call: CallToInfer,
  operation: ScalarOperation,
  values: readonly (ValueType | undefined)[],
): ValueType | undefined {
  for (const [i, value] of values.entries()) {
    const wrong = value === undefined || operation === 'concat' ? undefined : wrongValue(operation, value);
    if (wrong !== undefined) call.fail('parser', wrong, i);
  }
  if (operation === 'concat') return 'str';
  if (values.includes(undefined)) return undefined;
  return givenValue(operation, resultValue(operation, values as ValueType[]));
}

const ofElements = (call: CallToInfer, name: string, at: number): Exclude<Type, { data: 'frame' | 'list' }> => {
  const { type } = call.args[at]!;
  return type.data === 'frame' || type.data === 'list'
    ? call.fail('parser', `${name} takes scalars and matrices, and this is ${dataName(type)}`, at)
    : type;
};

function unary(operation: ScalarOperation): Builtin {
  return {
    name: operation,
    parameters: ['arg'],
    least: 1,
    most: 1,
    scalar: operation,
    infer(call) {
      const type = ofElements(call, operation, 0);
      const value = inferValue(call, operation, [type.value]);
      if (type.data === 'scalar') return [scalar(value as ValueType)];
      const { rows, columns, symmetric } = type;
      return [matrix(value, rows, columns, { symmetric })];
    },
    takesSparse: true,
    run: (runtime, site, [arg]) =>
      onCells(runtime, [arg], (cells) => runUnary(runtime, site, operation, cells[0])) ??
      then(densified(runtime, [arg]), ([full]) => runUnary(runtime, site, operation, full)),
  };
}

/**
 * An operation on a large sparse matrix, and scalars beside it, that makes 0 of 0: of the elements that are there. Undefined: it is none.
 */
function onCells(
  runtime: Runtime,
  args: readonly RunArgument[],
  run: (args: readonly RunArgument[]) => MaybeLater<Value>,
): MaybeLater<Value> | undefined {
  const sparse = args.find(isSparse);
  const others = args.filter((arg) => typeof arg === 'number' || typeof arg === 'bigint' || typeof arg === 'boolean');
  if (sparse === undefined || others.length !== args.length - 1 || !staysSparse(sparse)) return undefined;
  const zero = runtime.matrixOf(elements(ELEMENT_TYPES[sparse.value], 1), sparse.value, 1, 1);
  const beside = (own: Matrix): readonly RunArgument[] => args.map((arg) => (isSparse(arg) ? own : arg));
  return then(run(beside(zero)), (made) =>
    then(runtime.elements(made as DenseMatrix), ([of]) => {
      const isKept = Number(of) === 0;
      const given = isKept ? cellsOf(sparse) : runtime.dense(sparse);
      return then(given, (own) =>
        then(run(beside(own)), (found) => (isKept ? withCells(sparse, found as DenseMatrix) : found)),
      );
    }),
  );
}

function runUnary(runtime: Runtime, site: Site, operation: ScalarOperation, arg: RunArgument): MaybeLater<Value> {
  const from = valueTypeOf(arg, site.args[0]);
  refuse(operation, from);
  const value = resultValue(operation, [from]);
  if (!isMatrix(arg)) return scalarFunction(operation, value)(scalarCast(from, value)(arg as Scalar));
  if (arg.kind === 'strings') {
    const of = scalarFunction(operation, 'str');
    return strings(
      arg.cells.map((cell) => of(cell) as string),
      arg.rows,
      arg.columns,
    );
  }
  const { array, bad, message } = unaryOf(
    operation,
    converted(arg.array, arg.value, value as NumericType),
    value as NumericType,
  );
  return checkedMatrix(runtime, array, value as NumericType, bad, message ?? '');
}

/** The compiler refuses what it knows; matrices may turn out to be of strings. */
function refuse(operation: ScalarOperation, operand: ValueType): void {
  const wrong = operation === 'concat' ? undefined : wrongValue(operation, operand);
  if (wrong !== undefined) throw new RunError(wrong);
}

/** Estimates, as if elements that are not 0 were anywhere; those of DAPHNE, since what it takes for sparse is printed as sparse. */
function sparsityOf(operation: ScalarOperation, a: Type, b: Type): number | undefined {
  const [x, y] = [a, b].map((type) => (type.data === 'matrix' ? type.sparsity : undefined));
  const isKnown = x !== undefined && y !== undefined;
  if (operation === 'mul') return isKnown ? x * y : (x ?? y);
  return (operation === 'add' || operation === 'sub') && isKnown ? x + y - x * y : undefined;
}

/** A matrix is as symmetric as its operands are, of which a vector is none. */
const isSymmetric = (rows: number | undefined, types: readonly Type[]): boolean | undefined =>
  types.every((type) => type.data === 'scalar' || (type.data === 'matrix' && type.symmetric && type.rows === rows))
    ? true
    : undefined;

function binary(name: string, operation: ScalarOperation): Builtin {
  return {
    name,
    parameters: ['lhs', 'rhs'],
    least: 2,
    most: 2,
    scalar: operation,
    infer(call) {
      const [a, b] = [ofElements(call, shown(name, operation), 0), ofElements(call, shown(name, operation), 1)];
      const value = inferValue(call, operation, [a.value, b.value]);
      if (a.data === 'scalar' && b.data === 'scalar') return [scalar(value as ValueType)];
      const { rows, columns } =
        a.data === 'matrix' && b.data === 'matrix'
          ? inferBroadcast(a, b)
          : ((a.data === 'matrix' ? a : b) as MatrixType);
      const symmetric = isSymmetric(rows, [a, b]);
      const result = matrix(value, rows, columns, { symmetric, sparsity: sparsityOf(operation, a, b) });
      return [chosenStorage(call, result)];
    },
    takesSparse: true,
    run(runtime, site, [a, b]) {
      const sparse = runSparse(site, operation, a, b);
      if (sparse !== undefined) return stored(runtime, site, sparse);
      const run = ([x, y]: readonly RunArgument[]) =>
        runBinary(runtime, site, shown(name, operation), operation, x, y, broadcast);
      const result = onCells(runtime, [a, b], run) ?? then(densified(runtime, [a, b]), run);
      return then(result, (found) => stored(runtime, site, found));
    },
  };
}

/** A product or sum that stays sparse; undefined: it does not. */
function runSparse(site: Site, operation: ScalarOperation, a: RunArgument, b: RunArgument): Matrix | undefined {
  if (!isSparse(a) && !isSparse(b)) return undefined;
  const typeOf = (x: RunArgument, at: number): ValueType => (isSparse(x) ? x.value : valueTypeOf(x, site.args[at]));
  const [left, right] = [typeOf(a, 0), typeOf(b, 1)];
  const value = resultValue(operation, [left, right]);
  if (value === 'str') return undefined;
  if (operation === 'add' || operation === 'sub') {
    return isSparse(a) && isSparse(b) ? sparseSum(operation, a, b, value) : undefined;
  }
  if (operation === 'max' || operation === 'min') {
    return isSparse(a) && isSparse(b) && staysSparse(a) ? sparseExtreme(operation, a, b, value) : undefined;
  }
  if (operation !== 'mul') return undefined;
  const [sparse, other, type] = isSparse(a) ? [a, b, right] : [b as SparseMatrix, a, left];
  if (isSparse(other) || (isMatrix(other) && other.kind === 'dense')) return sparseProduct(sparse, other, value);
  const factor = scalarCast(type, value)(other as Scalar);
  return typeof factor === 'number' || typeof factor === 'bigint' ? sparseProduct(sparse, factor, value) : undefined;
}

const shown = (name: string, operation: string): string =>
  name.startsWith('$') ? `'${SIGNS[operation] ?? operation}'` : name;
const SIGNS: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  eq: '==',
  neq: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  and: '&&',
  or: '||',
};

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

function runBinary(
  runtime: Runtime,
  site: Site,
  name: string,
  operation: ScalarOperation,
  a: RunArgument,
  b: RunArgument,
  shapeOf: (name: string, a: Shape, b: Shape) => Shape,
): MaybeLater<Value> {
  const types = [valueTypeOf(a, site.args[0]), valueTypeOf(b, site.args[1])];
  const value = resultValue(operation, types);
  refuse(operation, value);
  const cast = (x: RunArgument, from: ValueType): Scalar => scalarCast(from, value)(x as Scalar);
  if (!isMatrix(a) && !isMatrix(b)) return scalarFunction(operation, value)(cast(a, types[0]!), cast(b, types[1]!));
  const shape = isMatrix(a) && isMatrix(b) ? shapeOf(name, a, b) : matrixOf(isMatrix(a) ? a : b);
  if (value === 'str') return ofStrings(runtime, operation, asTexts(a, types[0]!), asTexts(b, types[1]!), shape);
  const operand = (x: RunArgument, from: ValueType): Operand =>
    isMatrix(x) && x.kind === 'dense' ? converted(x.array, x.value, value) : (cast(x, from) as number);
  const { array, bad, message } = binaryOf(operation, operand(a, types[0]!), operand(b, types[1]!), value);
  return checkedMatrix(runtime, array, value, bad, message ?? '');
}

const asTexts = (x: RunArgument, from: ValueType): FullMatrix =>
  isMatrix(x) ? x : strings([scalarCast(from, 'str')(x as Scalar) as string], 1, 1);

/** Strings are in no array: cell by cell. */
function ofStrings(
  runtime: Runtime,
  operation: ScalarOperation,
  a: FullMatrix,
  b: FullMatrix,
  { rows, columns }: Shape,
): MaybeLater<Matrix> {
  return then(allTexts(runtime, [a, b]), ([left, right]) => {
    const of = scalarFunction(operation, 'str');
    const at = (matrix: FullMatrix, row: number, column: number): number =>
      (matrix.rows === 1 ? 0 : row) * matrix.columns + (matrix.columns === 1 ? 0 : column);
    const cells: Scalar[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        cells.push(of(left![at(a, row, column)]!, right![at(b, row, column)]!));
      }
    }
    if (operation === 'concat') return strings(cells as string[], rows, columns);
    return runtime.matrixOf(BigInt64Array.from(cells as number[], BigInt), 'si64', rows, columns);
  });
}

/** Every element of a column with every one of a row. */
function outer(name: string, operation: ScalarOperation): Builtin {
  const check = (column: { columns?: number | undefined }, row: { rows?: number | undefined }): string | undefined =>
    (column.columns ?? 1) !== 1 || (row.rows ?? 1) !== 1
      ? `${name} takes a column and a row, and not ${column.columns ?? '?'} columns and ${row.rows ?? '?'} rows`
      : undefined;
  return {
    name,
    parameters: ['lhs', 'rhs'],
    least: 2,
    most: 2,
    infer(call) {
      const [a, b] = [matrixArgument(call, name, 0), matrixArgument(call, name, 1)];
      const value = inferValue(call, operation, [a.value, b.value]);
      return [matrix(value, a.rows, b.columns)];
    },
    run: (runtime, site, [a, b]) =>
      runBinary(runtime, site, name, operation, a, b, (_, column, row) => {
        const wrong = check(column, row);
        if (wrong !== undefined) throw new RunError(wrong);
        return { rows: column.rows, columns: row.columns };
      }),
  };
}

const UNARY: readonly ScalarOperation[] = [
  'minus',
  'abs',
  'sign',
  'exp',
  'ln',
  'sqrt',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'round',
  'floor',
  'ceil',
  'isNan',
  'lower',
  'upper',
];

const NAMED: readonly ScalarOperation[] = ['pow', 'mod', 'log', 'min', 'max', 'concat'];

const OUTER: readonly ScalarOperation[] = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'log',
  'mod',
  'min',
  'max',
  'and',
  'or',
  'eq',
  'neq',
  'lt',
  'le',
  'gt',
  'ge',
  'concat',
];

export const ELEMENTWISE: readonly Builtin[] = [
  ...UNARY.map(unary),
  ...NAMED.map((operation) => binary(operation, operation)),
  ...(Object.keys(SIGNS) as ScalarOperation[]).map((operation) => binary(`$${operation}`, operation)),
  ...OUTER.map((operation) => outer(`outer${operation[0]!.toUpperCase()}${operation.slice(1)}`, operation)),
];

/** Many elements become one: of a whole matrix, of each row or column, of each group of rows; and what runs down the columns. */

import {
  type Arr,
  all as allOf,
  any,
  argmax,
  argmin,
  astype,
  cumulativeMax,
  cumulativeMin,
  cumulativeProd,
  cumulativeSum,
  full,
  max,
  mean,
  min,
  reshape,
  segmentCount,
  segmentMax,
  segmentMean,
  segmentMin,
  segmentSum,
  sqrt,
  std,
  subtract,
  sum,
  take,
  var as varianceOf,
} from '../../arrays/index.ts';
import { DTYPES } from '../../nd/index.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, isFloat, matrix, type ScalarType, scalar, type ValueType } from '../types.ts';
import type { DenseMatrix, MaybeLater, SparseMatrix, Value } from '../values/values.ts';
import { choose, converted, either, isLess, isNan, loose } from './arrays.ts';
import { type Builtin, type CallToInfer, type RunArgument, RunError, type Site } from './builtin.ts';
import {
  checkedMatrix,
  constantInteger,
  constantLength,
  integerArgument,
  lengthArgument,
  matrixArgument,
  matrixOf,
  type NumericType,
  scalarOfElement,
  soleElement,
} from './operands.ts';
import { densified, isSparse, staysSparse } from './sparse.ts';
import { type SparseName, sparseAggregate } from './sparse-aggregation.ts';

type Axis = 0 | 1;
type Name = 'sum' | 'aggMin' | 'aggMax' | 'mean' | 'var' | 'stddev' | 'idxMin' | 'idxMax' | 'count';

/** The type of the result for elements of a type; what it is computed in, too, but for places. */
function resultOf(name: Name, value: NumericType): NumericType {
  if (name === 'idxMin' || name === 'idxMax') return 'size';
  if (name === 'count') return 'size';
  if (name === 'mean' || name === 'var' || name === 'stddev') return isFloat(value) ? value : 'f64';
  return value;
}

/** Matrices of numbers; of strings only what is known at run time gets further. */
function numbersArgument(call: CallToInfer, name: string, at: number) {
  const type = matrixArgument(call, name, at);
  if (type.value === 'str') call.fail('parser', `${name} takes numbers, and these are strings`, at);
  return type as typeof type & { value: NumericType | undefined };
}

function numbersOf(name: string, value: RunArgument): DenseMatrix {
  const found = matrixOf(value);
  if (found.kind === 'dense') return found;
  throw new RunError(`${name} takes numbers, and these are strings`);
}

/** The greatest, or the least value of the type: what a minimum, or a maximum of nothing is. */
function neutral(name: 'aggMin' | 'aggMax', value: NumericType): number | bigint | boolean {
  if (value === 'bool') return name === 'aggMin';
  if (isFloat(value)) return name === 'aggMin' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const { min: least, max: most } = DTYPES[ELEMENT_TYPES[value]];
  return name === 'aggMin' ? most : least;
}

/** NaN, which every comparison with is false, is passed over. */
const withoutNan = (name: 'aggMin' | 'aggMax', x: Arr, value: NumericType): Arr =>
  isFloat(value) ? choose(loose(isNan)(x), neutral(name, value), x) : x;

type Axes = { readonly axis?: number; readonly keepdims?: boolean };

function extreme(name: 'aggMin' | 'aggMax', x: Arr, value: NumericType, axes: Axes): Arr {
  if (value === 'bool') return (name === 'aggMin' ? allOf : any)(x, axes);
  const [rows, columns] = x.shape as [number, number];
  const { axis } = axes;
  const of = name === 'aggMin' ? min : max;
  if (axis === undefined) {
    return x.size === 0 ? full([], neutral(name, value), { dtype: x.dtype }) : of(withoutNan(name, x, value), axes);
  }
  if (x.shape[axis] === 0) {
    return full(axis === 1 ? [rows, 1] : [1, columns], neutral(name, value), { dtype: x.dtype });
  }
  const found = of(withoutNan(name, x, value), axes);
  if (!isFloat(value)) return found;
  // A row or column begins with its first element, which as NaN stays.
  const first = axis === 1 ? x.at(':', '0:1') : x.at('0:1', ':');
  return choose(loose(isNan)(first), first, found);
}

function place(name: 'idxMin' | 'idxMax', x: Arr, value: NumericType, axis: number): Arr {
  if (x.shape[axis] === 0) throw new RunError(`${name} looks for a place, and there is none in what is empty`);
  const numbers = value === 'bool' ? astype(x, 'u8') : withoutNan(name === 'idxMin' ? 'aggMin' : 'aggMax', x, value);
  return astype((name === 'idxMin' ? argmin : argmax)(numbers, { axis, keepdims: true }), 'u64');
}

/** Combined along an axis, which stays; or all of it. */
function combine(name: Exclude<Name, 'count'>, x: Arr, value: NumericType, axes: Axes): Arr {
  switch (name) {
    case 'sum':
      return value === 'bool' ? any(x, axes) : sum(x, { ...axes, dtype: x.dtype });
    case 'aggMin':
    case 'aggMax':
      return extreme(name, x, value, axes);
    case 'idxMin':
    case 'idxMax':
      return place(name, x, value, axes.axis as number);
    default: {
      const floats = converted(x, value, resultOf(name, value)) as Arr<'f64'>;
      return (name === 'mean' ? mean : name === 'var' ? varianceOf : std)(floats, axes);
    }
  }
}

/** 0: one for each row; 1: one for each column. */
function constantAxis(call: CallToInfer, name: string): Axis {
  const axis = constantInteger(call, 1);
  if (axis === 0 || axis === 1) return axis;
  const is = axis === undefined ? 'it is not known before the script runs' : `${axis} is neither`;
  return call.fail('parser', `the axis of ${name} is 0 (rows) or 1 (columns): ${is}`, 1);
}

function aggregate(name: Exclude<Name, 'count'>): Builtin {
  const places = name === 'idxMin' || name === 'idxMax';
  return {
    name,
    parameters: ['arg', 'axis'],
    ...(places ? {} : { otherParameters: ['arg', 'groupIds', 'numGroups'] }),
    least: places ? 2 : 1,
    most: places ? 2 : 3,
    infer(call) {
      const type = numbersArgument(call, name, 0);
      const value = type.value && resultOf(name, type.value);
      if (call.args.length === 3) return inferGroups(call, name, value);
      // A scalar has a type that is known; a matrix of a frame that only the run knows may have none.
      if (call.args.length === 1) return [scalar(value ?? 'f64')];
      return [constantAxis(call, name) === 0 ? matrix(value, type.rows, 1) : matrix(value, 1, type.columns)];
    },
    takesSparse: true,
    run(runtime, site, given) {
      if (name === 'sum' && isSparse(given[0]) && given[0].value !== 'bool' && given[2] === undefined) {
        return sparseTotal(runtime, site, given[0], given);
      }
      if (name !== 'sum' && isSparse(given[0]) && given[2] === undefined && isFor(name, given[0])) {
        return runOnSparse(runtime, site, name, given[0], given);
      }
      return then(densified(runtime, given), (args) => run(runtime, site, args));
    },
  };

  function run(runtime: Runtime, site: Site, args: readonly RunArgument[]): MaybeLater<Value> {
    const from = numbersOf(name, args[0]);
    const value = resultOf(name, from.value);
    if (args[2] !== undefined) return grouped(runtime, site, name as Grouped, args);
    if (args[1] === undefined) {
      const total = soleElement(runtime, combine(name, from.array, from.value, {}), value);
      return then(total, (found) => scalarCast(value, (site.results[0] as ScalarType).value)(found));
    }
    return then(integerArgument(runtime, site, args, 1), (axis) =>
      runtime.matrix(combine(name, from.array, from.value, { axis: axis === 0 ? 1 : 0, keepdims: true }), value),
    );
  }
}

/** What is added up stays as it is added up in dense matrices, where those are not too large. */
const isFor = (name: SparseName, of: SparseMatrix): boolean =>
  staysSparse(of) || (name !== 'mean' && name !== 'var' && name !== 'stddev');

function runOnSparse(
  runtime: Runtime,
  site: Site,
  name: SparseName,
  of: SparseMatrix,
  args: readonly RunArgument[],
): MaybeLater<Value> {
  const value = resultOf(name, of.value);
  const nothing = neutral(name === 'aggMin' || name === 'idxMin' ? 'aggMin' : 'aggMax', of.value);
  const compute = (axis?: 0 | 1) =>
    sparseAggregate(runtime, name, of, axis, value, typeof nothing === 'boolean' ? Number(nothing) : nothing);
  if (args[1] === undefined) {
    const cast = scalarCast(value, (site.results[0] as ScalarType).value);
    return then(compute(), (found) => cast(scalarOfElement(found[0]!, value)));
  }
  return then(integerArgument(runtime, site, args, 1), (axis) => {
    const [rows, columns] = axis === 0 ? [of.rows, 1] : [1, of.columns];
    return then(compute(axis === 0 ? 1 : 0), (found) => runtime.matrixOf(found, value, rows, columns));
  });
}

/** Of what is there alone. */
function sparseTotal(
  runtime: Runtime,
  site: Site,
  { value, csr }: SparseMatrix,
  args: readonly RunArgument[],
): MaybeLater<Value> {
  const typed = (array: Arr): Arr => astype(array, ELEMENT_TYPES[value]);
  if (args[1] === undefined) return soleElement(runtime, typed(csr.sum()), value);
  return then(integerArgument(runtime, site, args, 1), (axis) =>
    runtime.matrix(typed(csr.sum({ axis: axis === 0 ? 1 : 0, keepdims: true })), value),
  );
}

type Grouped = Exclude<Name, 'idxMin' | 'idxMax'>;

function inferGroups(call: CallToInfer, name: Name, value: ValueType | undefined) {
  const [type, groups] = [matrixArgument(call, name, 0), numbersArgument(call, name, 1)];
  const count = constantLength(call, 2);
  if ((groups.columns ?? 1) !== 1) call.fail('compiler', `groups are one column, and not ${groups.columns}`, 1);
  if (groups.rows !== undefined && type.rows !== undefined && groups.rows !== type.rows) {
    call.fail('compiler', `there are ${type.rows} rows, and groups of ${groups.rows}`, 1);
  }
  return [matrix(value, count, type.columns)];
}

function grouped(runtime: Runtime, site: Site, name: Grouped, args: readonly RunArgument[]): MaybeLater<Value> {
  const [from, ids] = [numbersOf(name, args[0]), numbersOf(name, args[1])];
  if (ids.columns !== 1 || ids.rows !== from.rows) {
    throw new RunError(`groups are one column of ${from.rows} rows, and not ${ids.rows}x${ids.columns}`);
  }
  return then(lengthArgument(runtime, site, args, 2, 'the number of groups'), (count) => {
    const groups = reshape(converted(ids.array, ids.value, 'si64'), [ids.rows]) as Arr<'i64'>;
    const value = resultOf(name, from.value);
    const outside = either(isLess(groups, 0n), loose(groups.greaterEqual.bind(groups))(BigInt(count)));
    const array = segments(name, from, groups, count, value);
    return checkedMatrix(
      runtime,
      array,
      value,
      outside,
      `groups are numbers from 0 to ${count - 1}, and others are there`,
    );
  });
}

function segments(name: Grouped, from: DenseMatrix, groups: Arr, count: number, value: NumericType): Arr {
  const x = from.value === 'bool' ? astype(from.array, 'u8') : from.array;
  const typed = (array: Arr): Arr => astype(array, ELEMENT_TYPES[value]);
  switch (name) {
    case 'sum':
      return typed(from.value === 'bool' ? segmentMax(x, groups, count) : segmentSum(x, groups, count));
    case 'aggMin':
      return typed(segmentMin(withoutNan(name, x, value), groups, count));
    case 'aggMax':
      return typed(segmentMax(withoutNan(name, x, value), groups, count));
    case 'count': {
      const counts = reshape(segmentCount(groups, count), [count, 1]);
      return typed(counts.broadcastTo([count, from.columns]));
    }
    default: {
      const floats = converted(from.array, from.value, value) as Arr<'f64'>;
      const means = segmentMean(floats, groups, count);
      if (name === 'mean') return means;
      const apart = subtract(floats, take(means, groups, { axis: 0 }));
      const variances = segmentMean(apart.square(), groups, count);
      return name === 'var' ? variances : sqrt(variances);
    }
  }
}

const count: Builtin = {
  name: 'count',
  parameters: ['arg', 'groupIds', 'numGroups'],
  least: 3,
  most: 3,
  infer: (call) => inferGroups(call, 'count', 'size'),
  run: (runtime, site, args) => grouped(runtime, site, 'count', args),
};

type Running = 'cumSum' | 'cumProd' | 'cumMin' | 'cumMax';

/** Down each column. */
function running(name: Running, x: Arr, value: NumericType): Arr {
  if (value === 'bool') {
    // Of bools a sum is whether there was any, and a product whether there were only those.
    const of = name === 'cumSum' || name === 'cumMax' ? cumulativeMax : cumulativeMin;
    return astype(of(astype(x, 'u8'), { axis: 0 }), 'bool');
  }
  if (name === 'cumSum') return cumulativeSum(x, { axis: 0, dtype: x.dtype });
  if (name === 'cumProd') return cumulativeProd(x, { axis: 0, dtype: x.dtype });
  const [by, of] = name === 'cumMin' ? (['aggMin', cumulativeMin] as const) : (['aggMax', cumulativeMax] as const);
  const found = of(withoutNan(by, x, value), { axis: 0 });
  if (!isFloat(value) || x.size === 0) return found;
  const first = x.at('0:1', ':');
  return choose(loose(isNan)(first), first, found);
}

const cumulative = (name: Running): Builtin => ({
  name,
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    const { value, rows, columns } = numbersArgument(call, name, 0);
    return [matrix(value, rows, columns)];
  },
  run(runtime, _, [arg]) {
    const from = numbersOf(name, arg);
    return runtime.matrix(running(name, from.array, from.value), from.value);
  },
});

export const AGGREGATION: readonly Builtin[] = [
  ...(['sum', 'aggMin', 'aggMax', 'mean', 'var', 'stddev', 'idxMin', 'idxMax'] as const).map(aggregate),
  count,
  ...(['cumSum', 'cumProd', 'cumMin', 'cumMax'] as const).map(cumulative),
];

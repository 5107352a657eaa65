import { shown, UsageError } from '../base/index.ts';
import { axisOf, shapeText } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkInteger, checkNumber, checkOptions } from './checks.ts';
import { linspace, positions } from './creation.ts';
import { isArr, nodeOf, wrap } from './lazy.ts';
import type { OneAxisOptions } from './manipulation-types.ts';
import { apply, cast, checkKind, constantOf } from './operations.ts';
import { matmul } from './products.ts';
import { reduced } from './reductions.ts';
import { call } from './routines.ts';
import { sought } from './search.ts';
import type {
  CovarianceOptions,
  DigitizeOptions,
  Histogram,
  HistogramOptions,
  QuantileOptions,
} from './statistics-types.ts';
import type { D, Float } from './types.ts';
import { broadcast, expanded, flat, joined, matrixTransposed, placeOf, reshaped, soleAxis } from './views.ts';

function extremeAlong<T extends D>(operation: string, x: Arr<T>, o: OneAxisOptions = {}): Arr<T> {
  checkOptions(operation, o, ['axis']);
  const node = nodeOf(operation, x);
  checkKind(operation, node.dtype, ['int', 'uint', 'float']);
  const axis = soleAxis(operation, o.axis, node.shape);
  return wrap(call(operation, [node], { axis }, [{ shape: node.shape, dtype: node.dtype }])[0] as Node);
}

/** The least element up to each, along an axis; NaN wins. */
export function cumulativeMin<T extends D>(x: Arr<T>, o?: OneAxisOptions): Arr<T> {
  return extremeAlong('cumulativeMin', x, o);
}

/** The greatest element up to each, along an axis; NaN wins. */
export function cumulativeMax<T extends D>(x: Arr<T>, o?: OneAxisOptions): Arr<T> {
  return extremeAlong('cumulativeMax', x, o);
}

/** Between which of some ascending edges each element lies: 0 below the first one, and their number above the last one, and of NaN, as NumPy has it. */
export function digitize(x: Arr, edges: Arr, o: DigitizeOptions = {}): Arr<'i64'> {
  checkOptions('digitize', o, ['right']);
  return sought('digitize', edges, x, { side: o.right ? 'left' : 'right' });
}

function quantiles(operation: string, x: Arr, q: number | readonly number[], o: QuantileOptions): Arr {
  checkOptions(operation, o, ['axis', 'keepdims']);
  const whole = nodeOf(operation, x);
  checkKind(operation, whole.dtype, ['float']);
  const node = o.axis === undefined ? flat(whole) : whole;
  const axis = o.axis === undefined ? 0 : axisOf(operation, o.axis, node.shape);
  const length = node.shape[axis] as number;
  if (length === 0) {
    const where = o.axis === undefined ? '' : `axis ${axis} of `;
    throw badShapes(operation, `${where}the shape ${shapeText(whole.shape)} is empty, and has none`, whole.shape);
  }
  const shares = (Array.isArray(q) ? q : [q]) as readonly unknown[];
  if (shares.length === 0) {
    throw new UsageError(`${operation}: q is an empty list; give a number, or a list of some`, {
      details: { operation },
    });
  }
  const ats = shares.map((share) => {
    const own = checkNumber(operation, 'q', share);
    if (own >= 0 && own <= 1) return own * (length - 1);
    throw new UsageError(`${operation}: q is ${shown(share)}; give a share from 0 to 1`, { details: { operation } });
  });
  const places = [...new Set(ats.flatMap((at) => [Math.floor(at), Math.ceil(at)]))].sort((a, b) => a - b);
  const shape = node.shape.map((own, i) => (i === axis ? places.length : own));
  const [chosen] = call('orderStatistics', [node], { axis, places }, [{ shape, dtype: node.dtype }]) as [Node];
  const placeAt = (at: number): Node => placeOf(chosen, axis, places.indexOf(at));
  const one = (at: number): Node => {
    const [low, high] = [placeAt(Math.floor(at)), placeAt(Math.ceil(at))];
    const factor = (value: number): Node => constantOf(value, [], node.dtype);
    const rest = at - Math.floor(at);
    const between = apply('add', [apply('multiply', [low, factor(1 - rest)]), apply('multiply', [high, factor(rest)])]);
    // What lies between two that are equal is exactly that, an infinity too.
    const found = apply('where', [apply('equal', [low, high]), low, between]);
    if (!o.keepdims) return found;
    return reshaped(
      found,
      whole.shape.map((each, i) => (o.axis === undefined || i === axis ? 1 : each)),
    );
  };
  if (typeof q === 'number') return wrap(one(ats[0] as number));
  return wrap(
    joined(
      ats.map((at) => expanded(one(at), 0)),
      0,
    ),
  );
}

/**
 * What such a share of the elements is below: 0 is the least, 0.5 the median, 1 the greatest. Between two elements it goes in a straight line. Takes
 * floats; with a NaN it is NaN. Several shares make a first axis.
 */
export function quantile<T extends Float>(x: Arr<T>, q: number | readonly number[], o: QuantileOptions = {}): Arr<T> {
  return quantiles('quantile', x, q, o) as Arr<T>;
}

/** The element in the middle, or the mean of both that are. Takes floats; with a NaN it is NaN. */
export function median<T extends Float>(x: Arr<T>, o: QuantileOptions = {}): Arr<T> {
  return quantiles('median', x, 0.5, o) as Arr<T>;
}

/**
 * How many elements lie between each edge and the next one, the last edge included. What lies outside, and NaN, counts nowhere; without a `range` there
 * must be no NaN, since the least and the greatest element are NaN then.
 */
export function histogram(x: Arr, o: HistogramOptions = {}): Histogram {
  checkOptions('histogram', o, ['bins', 'range']);
  const node = nodeOf('histogram', x);
  checkKind('histogram', node.dtype, ['int', 'uint', 'float']);
  const list = cast(flat(node), 'f64');
  const edges = isArr(o.bins) ? edgesOf(o.bins, o.range) : spacedEdges(list, o.bins ?? 10, o.range);
  const shape = [(edges.shape[0] as number) - 1];
  const [counts] = call('histogram', [list, edges], { uniform: !isArr(o.bins) }, [{ shape, dtype: 'i64' }]);
  return { counts: wrap(counts as Node), edges: wrap(edges) };
}

function edgesOf(bins: Arr, range: unknown): Node {
  const edges = nodeOf('histogram', bins);
  checkKind('histogram', edges.dtype, ['float']);
  if (range !== undefined) {
    throw new UsageError('histogram: the edges say where it begins and ends; leave range out', {
      details: { operation: 'histogram' },
    });
  }
  if (edges.shape.length === 1 && (edges.shape[0] as number) > 1) return cast(edges, 'f64');
  throw badShapes(
    'histogram',
    `edges are an array of one axis with two or more, and not ${shapeText(edges.shape)}`,
    edges.shape,
  );
}

function spacedEdges(list: Node, bins: number, range: HistogramOptions['range']): Node {
  if (Array.isArray(bins)) {
    throw new UsageError(
      'histogram: bins are a list; give a number, or an array of edges, such as asarray([0, 1, 2])',
      {
        details: { operation: 'histogram' },
      },
    );
  }
  const count = checkInteger('histogram', 'bins', bins, 1);
  if (range !== undefined) {
    const ends: readonly unknown[] = Array.isArray(range) ? range : [];
    const [low, high] = [0, 1].map((i) => (typeof ends[i] === 'number' ? ends[i] : Number.NaN)) as [number, number];
    if (!(low < high && Number.isFinite(high - low))) {
      throw new UsageError(
        `histogram: range is ${Array.isArray(range) ? `[${ends.map(shown).join(', ')}]` : shown(range)}; give two numbers, the less first`,
        {
          details: { operation: 'histogram' },
        },
      );
    }
    return nodeOf('histogram', linspace(low, high, count + 1));
  }
  if (list.shape[0] === 0) return nodeOf('histogram', linspace(0, 1, count + 1));
  const number = (value: number): Node => constantOf(value, [], 'f64');
  const [low, high] = [reduced(list, 'min', [0]), reduced(list, 'max', [0])];
  // Of equal elements it would have no width.
  const none = cast(apply('equal', [low, high]), 'f64');
  const half = apply('multiply', [none, number(0.5)]);
  const [first, last] = [apply('subtract', [low, half]), apply('add', [high, half])];
  const step = apply('divide', [apply('subtract', [last, first]), number(count)]);
  const places = positions(count + 1);
  const inner = apply('add', [first, apply('multiply', [cast(places, 'f64'), step])]);
  const isLast = apply('equal', [places, constantOf(BigInt(count), [], 'i64')]);
  return apply('where', [isLast, broadcast('histogram', last, [count + 1]), inner]);
}

function covariances(operation: string, x: Arr, correction: number): Node {
  const node = nodeOf(operation, x);
  checkKind(operation, node.dtype, ['float']);
  if (node.shape.length !== 2) {
    throw badShapes(
      operation,
      `it takes a matrix, a row for each variable and a column for each observation, and not the shape ${shapeText(node.shape)}`,
      node.shape,
    );
  }
  const count = node.shape[1] as number;
  const number = (value: number): Node => constantOf(value, [], node.dtype);
  const means = apply('divide', [reduced(node, 'sum', [1], true), number(count)]);
  const apart = apply('subtract', [node, means]);
  const products = nodeOf(operation, matmul(wrap(apart), wrap(matrixTransposed(operation, apart))));
  return apply('divide', [products, number(Math.max(0, count - correction))]);
}

/** The covariances of the rows of a matrix: a row is a variable, a column an observation. Takes floats. */
export function cov<T extends Float>(x: Arr<T>, o: CovarianceOptions = {}): Arr<T> {
  checkOptions('cov', o, ['correction']);
  return wrap(covariances('cov', x, checkNumber('cov', 'correction', o.correction ?? 1)));
}

/** The coefficients of correlation of the rows of a matrix, as those of `cov` divided by both standard deviations; 1 with itself. */
export function corrcoef<T extends Float>(x: Arr<T>): Arr<T> {
  const products = covariances('corrcoef', x, 0);
  const n = products.shape[0] as number;
  const own = apply('equal', [reshaped(positions(n), [n, 1]), reshaped(positions(n), [1, n])]);
  const zero = constantOf(0, [], products.dtype);
  const spread = apply('sqrt', [reduced(apply('where', [own, products, zero]), 'sum', [1])]);
  const one = apply('divide', [products, reshaped(spread, [n, 1])]);
  return wrap(apply('divide', [one, reshaped(spread, [1, n])]));
}

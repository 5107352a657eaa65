import type { Arr, ExplainOptions, Ix } from './arr.ts';
import * as creation from './creation.ts';
import * as cumulative from './cumulative.ts';
import { astype } from './dtypes.ts';
import * as elementwise from './elementwise.ts';
import { explain } from './explain.ts';
import * as groups from './groups.ts';
import * as images from './images.ts';
import { at } from './indexing.ts';
import * as linear from './linear.ts';
import * as manipulation from './manipulation.ts';
import * as network from './network.ts';
import { topK } from './ordering.ts';
import { descriptionOf } from './partitioned.ts';
import * as products from './products.ts';
import * as reductions from './reductions.ts';
import * as search from './search.ts';
import { show } from './show.ts';
import { toSparse } from './sparse/make.ts';
import * as statistics from './statistics.ts';
import * as values from './values.ts';
import { set } from './writing.ts';

type AnyFunction = (...args: never[]) => unknown;

/** Functions whose first argument is an array: they are methods as well. */
function functions(): Record<string, AnyFunction> {
  const { broadcastTo, expandDims, flip, moveaxis, permuteDims, repeat, reshape, roll, squeeze } = manipulation;
  const { tile, transpose, matrixTranspose, unstack } = manipulation;
  const { all, any, argmax, argmin, countNonzero, max, mean, min, prod, std, sum } = reductions;
  const { cross, diagonal, matmul, outer, tensordot, trace, vecdot } = products;
  const { argsort, clip, nonzero, searchsorted, sort, take, takeAlongAxis, where } = search;
  const { uniqueAll, uniqueCounts, uniqueInverse, uniqueValues } = search;
  const { avgPool2d, avgPool2dBackward, conv2d, conv2dBackwardData, conv2dBackwardFilter, maxPool2d } = images;
  return {
    ...(elementwise as unknown as Record<string, AnyFunction>),
    ...{ cross, diagonal, matmul, outer, tensordot, trace, vecdot },
    ...{ all, any, argmax, argmin, countNonzero, max, mean, min, prod, std, sum, var: reductions.var },
    ...{ broadcastTo, expandDims, flip, moveaxis, permuteDims, repeat, reshape, roll, squeeze, tile, transpose },
    ...{ matrixTranspose, unstack, argsort, clip, nonzero, searchsorted, sort, take, takeAlongAxis, where },
    ...{ uniqueAll, uniqueCounts, uniqueInverse, uniqueValues, astype, diff: cumulative.diff },
    cumulativeProd: cumulative.cumulativeProd,
    cumulativeSum: cumulative.cumulativeSum,
    toSparse,
    diag: creation.diag,
    tril: creation.tril,
    triu: creation.triu,
    ...(groups as unknown as Record<string, AnyFunction>),
    ...(statistics as unknown as Record<string, AnyFunction>),
    topK,
    ...(linear as unknown as Record<string, AnyFunction>),
    ...(network as unknown as Record<string, AnyFunction>),
    ...{ avgPool2d, avgPool2dBackward, conv2d, conv2dBackwardData, conv2dBackwardFilter, maxPool2d },
    maxPool2dBackward: images.maxPool2dBackward,
  };
}

/** Puts all methods on the prototype of arrays. */
export function addMethods(prototype: object): void {
  const method = (name: string, value: unknown): void => {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  };
  for (const [name, fn] of Object.entries(functions())) {
    const own = fn as (...args: unknown[]) => unknown;
    // None takes more; spreading arguments would cost each node.
    method(name, function (this: unknown, a: unknown, b: unknown, c: unknown) {
      return own(this, a, b, c);
    });
  }
  const { data, item, persist, release, toNested } = values;
  for (const [name, fn] of Object.entries({ data, item, persist, release, show, toNested })) {
    method(name, function (this: Arr) {
      return fn(this);
    });
  }
  method('at', function (this: Arr, ...ix: Ix[]) {
    return at(this, ix);
  });
  method('set', function (this: Arr, ix: readonly Ix[], v: unknown) {
    return set(this, ix, v);
  });
  method('explain', function (this: Arr, o?: ExplainOptions) {
    return explain(this, o);
  });
  const getter = (name: string, get: (x: Arr) => unknown): void => {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: Arr) {
        return get(this);
      },
    });
  };
  getter('__partitioned__', descriptionOf);
  getter('T', manipulation.turned);
  getter('mT', manipulation.matrixTranspose);
}

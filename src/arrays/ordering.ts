import { UsageError } from '../base/index.ts';
import { axisOf, shapeText } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkInteger, checkOptions } from './checks.ts';
import { nodeOf, wrap } from './lazy.ts';
import { call } from './routines.ts';
import { argsort, take } from './search.ts';
import type { LexsortOptions, TopK, TopKOptions } from './statistics-types.ts';
import type { D } from './types.ts';

/** The greatest elements along an axis, or the least, in order; fewer where there are not so many. Of equal ones the first is first; NaN comes last. */
export function topK<T extends D>(x: Arr<T>, k: number, o: TopKOptions = {}): TopK<T> {
  checkOptions('topK', o, ['axis', 'largest']);
  const node = nodeOf('topK', x);
  const axis = axisOf('topK', o.axis ?? -1, node.shape);
  const most = checkInteger('topK', 'k', k, 0);
  const shape = node.shape.map((length, i) => (i === axis ? Math.min(length, most) : length));
  const [values, indices] = call('topK', [node], { axis, k: most, descending: o.largest ?? true }, [
    { shape, dtype: node.dtype },
    { shape, dtype: 'i64' },
  ]) as [Node, Node];
  return { values: wrap(values), indices: wrap(indices) };
}

/** The indices that sort by several arrays of one axis: by the last one, where it is equal by the one before, and so on, as NumPy has it. */
export function lexsort(keys: readonly Arr[], o: LexsortOptions = {}): Arr<'i64'> {
  checkOptions('lexsort', o, ['descending'], ['descending']);
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new UsageError('lexsort takes a list of arrays, with one at least', { details: { operation: 'lexsort' } });
  }
  const shapes = keys.map((key) => nodeOf('lexsort', key).shape);
  if (shapes.some((shape) => shape.length !== 1 || shape[0] !== shapes[0]?.[0])) {
    throw badShapes(
      'lexsort',
      `keys have one axis and one length, and not ${shapes.map(shapeText).join(' and ')}`,
      ...shapes,
    );
  }
  const { descending = false } = o;
  if (Array.isArray(descending) && descending.length !== keys.length) {
    throw new UsageError(`lexsort: descending is a list of ${descending.length}, and there are ${keys.length} keys`, {
      details: { operation: 'lexsort' },
    });
  }
  const isDown = (i: number): boolean => (Array.isArray(descending) ? (descending[i] as boolean) : descending === true);
  // Each sort leaves what is equal in the order of those before it.
  let order: Arr<'i64'> | undefined;
  for (const [i, key] of (keys as readonly Arr[]).entries()) {
    const o = { descending: isDown(i) };
    order = order === undefined ? argsort(key, o) : take(order, argsort(take(key, order), o));
  }
  return order as Arr<'i64'>;
}

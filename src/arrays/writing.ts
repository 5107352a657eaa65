import { kindOf, UsageError } from '../base/index.ts';
import { commonType, type DType, scalarAs, shapeText, sizeOf } from '../nd/index.ts';
import { type AxisMap, Node } from '../pipelines/index.ts';
import type { Arr, Ix } from './arr.ts';
import { positions } from './creation.ts';
import { checkMasks, isMask, selected } from './indexing.ts';
import { indicesOf } from './indices.ts';
import { isArr, nodeOf, wrap } from './lazy.ts';
import { apply, cast, constantOf } from './operations.ts';
import { call } from './routines.ts';
import type { D } from './types.ts';
import { broadcast, flat, reshaped, whole } from './views.ts';

/** `set`: an array in which a part is another one. */
export function set<T extends D>(x: Arr<T>, ix: readonly Ix[], v: unknown): Arr<T> {
  const node = nodeOf('set', x);
  if (!Array.isArray(ix)) {
    throw new UsageError(`set takes a list of indices such as [0, ':'], and not ${kindOf(ix)}`, {
      code: 'ERR_SHEAF_INDEX',
      details: { operation: 'set' },
    });
  }
  const value = valueAs(v, node.dtype);
  if (ix.some(isMask)) return wrap(masked(node, ix, value));
  const indices = indicesOf('set', ix, node.shape);
  if (indices.chosen.length > 0) return wrap(scattered(node, ix, value));
  const maps: AxisMap[] = indices.maps.map(({ start, step, axis }) => ({ start, step, axis }));
  const part = broadcast('set', value, indices.shape);
  if (sizeOf(part.shape) === 0) return x;
  // Axes that `new` has made have one place, and none in the array.
  return wrap(
    new Node({ kind: 'assemble', at: [node.shape.map((_, axis) => whole(axis)), maps] }, node.shape, node.dtype, [
      node,
      part,
    ]),
  );
}

function valueAs(v: unknown, dtype: DType): Node {
  if (!isArr(v)) return constantOf(scalarAs('set', v, dtype), [], dtype);
  const node = nodeOf('set', v);
  if (commonType(node.dtype, dtype) === dtype) return cast(node, dtype);
  throw new UsageError(
    `set: elements of ${node.dtype} do not all fit into an array of ${dtype}; convert them with astype('${dtype}'), or the array`,
    { code: 'ERR_SHEAF_DTYPE', details: { operation: 'set', dtypes: [dtype, node.dtype] } },
  );
}

/** Where a mask says so, the value; it is the same for each place that the mask selects. */
function masked(node: Node, ix: readonly Ix[], value: Node): Node {
  const [mask] = ix;
  if (ix.length > 1 || !isMask(mask)) {
    throw new UsageError('set: a mask stands alone; combine masks with logicalAnd, or reshape one for where()', {
      code: 'ERR_SHEAF_INDEX',
      details: { operation: 'set' },
    });
  }
  checkMasks('set', ix, node.shape);
  const condition = nodeOf('set', mask);
  const rest = node.shape.slice(condition.shape.length);
  if (value.shape.length > rest.length) {
    throw new UsageError(
      `set: with a mask, one value for all places is set, of the shape ${shapeText(rest)} here, and not of ${shapeText(value.shape)}; ` +
        'where(mask, y, x) takes a value for each place',
      { code: 'ERR_SHEAF_SHAPE', details: { operation: 'set', shapes: [rest, [...value.shape]] } },
    );
  }
  const wide = reshaped(condition, [...condition.shape, ...rest.map(() => 1)]);
  return broadcast('set', apply('where', [wide, value, node], 'set'), node.shape);
}

/** Each value at the places that the indices have, one after the other. */
function scattered(node: Node, ix: readonly Ix[], value: Node): Node {
  const size = sizeOf(node.shape);
  const places = selected('set', reshaped(positions(size), node.shape), ix);
  const values = flat(broadcast('set', value, places.shape));
  const [result] = call('scatter', [flat(node), flat(places), values], {}, [{ shape: [size], dtype: node.dtype }]);
  return reshaped(result as Node, node.shape);
}

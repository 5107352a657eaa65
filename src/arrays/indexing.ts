import { UsageError } from '../base/index.ts';
import { type Shape, shapeText, sizeOf } from '../nd/index.ts';
import type { GivenIndices, Node } from '../pipelines/index.ts';
import type { Arr, Ix } from './arr.ts';
import { combined, type Indices, indicesOf } from './indices.ts';
import { isArr, nodeOf, wrap, wrapLater } from './lazy.ts';
import { nonzeroNodes } from './search.ts';
import type { D } from './types.ts';
import { expanded, flat, permuted, reshaped, takenAlong, viewOf } from './views.ts';

/** `at`: a part of an array. */
export function at<T extends D>(x: Arr<T>, ix: readonly Ix[]): Arr<T> {
  const node = nodeOf('at', x);
  if (!ix.some(isMask)) return wrap(selected('at', node, ix));
  if (ix.length === 1 && nodeOf('at', ix[0]).shape.length === 0) return ofTruth(node, nodeOf('at', ix[0]));
  checkMasks('at', ix, node.shape);
  return wrapLater({
    dtype: node.dtype,
    because: 'a mask in `at`',
    ...(ix.length === 1 ? { chosen: { from: node, mask: nodeOf('at', ix[0]) } } : {}),
    resolve: async () => selected('at', node, await withoutMasks('at', ix)),
  });
}

/** A mask without axes makes one in front of all others, with one place or none. */
const ofTruth = <T extends D>(node: Node, mask: Node): Arr<T> =>
  at(wrap(expanded(node, 0)), [wrap<'bool'>(reshaped(mask, [1]))]);

export const isMask = (ix: unknown): ix is Arr<'bool'> => isArr(ix) && ix.dtype === 'bool';

/** A mask has the lengths of the axes that it stands for. */
export function checkMasks(operation: string, ix: readonly Ix[], shape: Shape): void {
  const axesOf = (item: Ix): number => (item === 'new' ? 0 : isMask(item) ? nodeOf(operation, item).shape.length : 1);
  const named = ix.reduce((sum: number, item) => sum + (item === '...' ? 0 : axesOf(item)), 0);
  let axis = 0;
  for (const item of ix) {
    if (isMask(item)) {
      const mask = nodeOf(operation, item).shape;
      const own = shape.slice(axis, axis + mask.length);
      if (
        (mask.length === 0 && ix.length > 1) ||
        own.length !== mask.length ||
        own.some((length, i) => length !== mask[i])
      ) {
        throw new UsageError(
          `${operation}: a mask of the shape ${shapeText(mask)} does not fit the axes of the shape ${shapeText(shape)} from axis ${axis} on`,
          { code: 'ERR_SHEAF_SHAPE', details: { operation, shapes: [[...mask], [...shape]] } },
        );
      }
    }
    axis += item === '...' ? Math.max(0, shape.length - named) : axesOf(item);
  }
}

/** Masks as arrays of indices, one for each of their axes. */
async function withoutMasks(operation: string, ix: readonly Ix[]): Promise<Ix[]> {
  const parts = await Promise.all(
    ix.map(async (item) => (isMask(item) ? await nonzeroNodes(operation, nodeOf(operation, item)) : item)),
  );
  return parts.flatMap((part) => (Array.isArray(part) ? part.map((node) => wrap<'i64'>(node)) : [part as Ix]));
}

/** A part by numbers, slices and arrays of indices. */
export function selected(operation: string, node: Node, ix: readonly Ix[]): Node {
  const indices = indicesOf(operation, ix, node.shape);
  const basic = viewOf(node, indices.maps, indices.shape);
  return indices.chosen.length === 0 ? basic : chosenOf(operation, basic, indices, node.shape);
}

/** The axes of the arrays of indices side by side, in front of the others; all axes in the order that this takes. */
export function gathered(node: Node, { chosen, place }: Indices): { readonly node: Node; readonly place: number } {
  const axes = chosen.map(({ at }) => at);
  const rest = node.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  // Of the axes before the place none is one of an array of indices.
  return { node: permuted(node, [...rest.slice(0, place), ...axes, ...rest.slice(place)]), place };
}

function chosenOf(operation: string, basic: Node, indices: Indices, shape: Shape): Node {
  const { chosen } = indices;
  const { node, place } = gathered(basic, indices);
  const before = node.shape.slice(0, place);
  const own = node.shape.slice(place, place + chosen.length);
  const after = node.shape.slice(place + chosen.length);
  const together = combined(
    operation,
    chosen.map((each) => each.indices),
    own,
  );
  const lines = reshaped(node, [...before, sizeOf(own), ...after]);
  const axes = chosen.map(({ axis }) => axis);
  const of: GivenIndices = { operation, shape, axes, ...(axes.length > 1 ? { coded: true } : {}) };
  return reshaped(takenAlong(lines, flat(together), place, of), [...before, ...together.shape, ...after]);
}

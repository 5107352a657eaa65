import { axisOf, shapeText } from '../nd/index.ts';
import type { Node } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { badShapes, checkDType, checkInteger, checkOptions } from './checks.ts';
import { nodeOf, wrap } from './lazy.ts';
import { apply, cast, checkKind, together } from './operations.ts';
import type { Cumulative, CumulativeOptions, DiffOptions } from './reduction-types.ts';
import { summedType } from './reductions.ts';
import { call } from './routines.ts';
import type { D } from './types.ts';
import { joined, part, soleAxis } from './views.ts';

function along(operation: 'cumulativeSum' | 'cumulativeProd', routine: string): Cumulative {
  return ((x: Arr, o: CumulativeOptions = {}) => {
    checkOptions(operation, o, ['axis', 'dtype', 'includeInitial']);
    const given = nodeOf(operation, x);
    const dtype = o.dtype === undefined ? summedType(given.dtype) : checkDType(operation, o.dtype);
    checkKind(operation, dtype, ['int', 'uint', 'float']);
    const axis = soleAxis(operation, o.axis, given.shape);
    const includeInitial = o.includeInitial ?? false;
    const shape = given.shape.map((length, i) => (i === axis && includeInitial ? length + 1 : length));
    return wrap(call(routine, [cast(given, dtype)], { axis, includeInitial }, [{ shape, dtype }])[0] as Node);
  }) as Cumulative;
}

/** The sums of all elements up to each, along an axis. */
export const cumulativeSum: Cumulative = along('cumulativeSum', 'cumulativeSum');
/** The products of all elements up to each, along an axis. */
export const cumulativeProd: Cumulative = along('cumulativeProd', 'cumulativeProduct');

/** The differences of neighbours along an axis. */
export function diff<T extends D>(x: Arr<T>, o: DiffOptions<T> = {}): Arr<T> {
  checkOptions('diff', o, ['axis', 'n', 'prepend', 'append']);
  const given = [o.prepend, x, o.append].filter((each) => each !== undefined);
  const nodes = together('diff', given);
  const first = nodes[0] as Node;
  const axis = axisOf('diff', o.axis ?? -1, nodeOf('diff', x).shape);
  const fits = nodes.every(
    ({ shape }) =>
      shape.length === first.shape.length && shape.every((length, i) => i === axis || length === first.shape[i]),
  );
  if (!fits) {
    const shapes = nodes.map(({ shape }) => shape);
    throw badShapes(
      'diff',
      `the shapes ${shapes.map(shapeText).join(' and ')} differ elsewhere than in axis ${axis}`,
      ...shapes,
    );
  }
  const times = checkInteger('diff', 'n', o.n ?? 1, 0);
  // Of no difference nothing is in front or behind, as NumPy has it.
  if (times === 0) return wrap(cast(nodeOf('diff', x), first.dtype));
  let node = joined(nodes, axis);
  // Where nothing is left, nothing changes any more.
  for (let left = times; left > 0 && node.shape[axis] !== 0; left--) {
    const length = Math.max(0, (node.shape[axis] as number) - 1);
    const [next, own] = [part(node, axis, length === 0 ? 0 : 1, length), part(node, axis, 0, length)];
    node = apply('subtract', [next, own], 'diff');
  }
  return wrap(node);
}

import { reducer } from '../../kernels/index.ts';
import { axesOf, shapeText } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import { badShapes, checkOptions } from '../checks.ts';
import { apply, checkKind, constantOf } from '../operations.ts';
import { reduced, summedType } from '../reductions.ts';
import { call } from '../routines.ts';
import { reshaped } from '../views.ts';
import { toDense } from './convert.ts';
import { arraysOf, type Parts, shapeOf, typed, unmade } from './parts.ts';
import type { SparseAxisOptions } from './types.ts';

type Reduced = 'sum' | 'min' | 'max';

/** The sum, the least or the greatest element: of all, of rows, or of columns. */
export function combined(name: Reduced, given: Parts, o: SparseAxisOptions = {}, operation: string = name): Node {
  checkOptions(operation, o, ['axis', 'keepdims']);
  checkKind(operation, given.dtype, reducer(name).takes);
  const s = name === 'sum' ? typed(given, summedType(given.dtype)) : given;
  const shape = shapeOf(s);
  const axes = axesOf(operation, o.axis, shape);
  const none = name === 'sum' ? undefined : axes.find((axis) => shape[axis] === 0);
  if (none !== undefined) {
    throw badShapes(
      operation,
      `axis ${none} of the shape ${shapeText(shape)} is empty, so nothing in it is the ${name}`,
      shape,
    );
  }
  if (axes.length === 0) return toDense(s);
  const line = along(name, s, axes.length === 2 ? 1 : (axes[0] as 0 | 1));
  const result = axes.length === 2 ? reduced(line, name, [0]) : line;
  if (!o.keepdims) return result;
  return reshaped(
    result,
    shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
  );
}

function along(name: Reduced, s: Parts, axis: 0 | 1): Node {
  const of = unmade(s);
  if (of !== undefined) return along(name, of, axis === 0 ? 1 : 0);
  const output = { shape: [axis === 0 ? s.columns : s.rows], dtype: s.dtype };
  return call('csrReduce', arraysOf(s), { reducer: name, axis, columns: s.columns }, [output])[0] as Node;
}

export function mean(s: Parts, o: SparseAxisOptions = {}): Node {
  checkKind('mean', s.dtype, ['float']);
  const sum = combined('sum', s, o, 'mean');
  const shape = shapeOf(s);
  const count = axesOf('mean', o.axis, shape).reduce((product, axis) => product * (shape[axis] as number), 1);
  return apply('divide', [sum, constantOf(count, [], s.dtype)], 'mean');
}

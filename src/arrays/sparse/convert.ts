import type { Node } from '../../pipelines/index.ts';
import { call } from '../routines.ts';
import { part, permuted } from '../views.ts';
import { arraysOf, counted, type Parts, shapeOf, unmade } from './parts.ts';

export function toDense(s: Parts): Node {
  const of = unmade(s);
  if (of !== undefined) return permuted(toDense(of), [1, 0]);
  const output = { shape: shapeOf(s), dtype: s.dtype };
  return call('csrToDense', arraysOf(s), { columns: s.columns }, [output])[0] as Node;
}

/** As many as there are of a list that may have room for more. */
export function exact(operation: string, s: Parts, list: Node): Node {
  const count = counted(operation, s);
  return list.shape[0] === count ? list : part(list, 0, 0, count);
}

/** The row of each element. */
export function rowsOf(operation: string, s: Parts): Node {
  counted(operation, s);
  const output = { shape: s.indices.shape, dtype: s.indices.dtype };
  return exact(operation, s, call('csrRows', arraysOf(s), { columns: s.columns }, [output])[0] as Node);
}

import { shown, UsageError } from '../../base/index.ts';
import { kindOf, shapeText, sizeOf } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import type { Arr } from '../arr.ts';
import { badShapes, checkShape } from '../checks.ts';
import { asarray, type ElementTypeOf, fromNested, type TypedArray } from '../from.ts';
import { nodeOf } from '../lazy.ts';
import { cast } from '../operations.ts';
import type { D } from '../types.ts';
import { made } from './parts.ts';
import { wrapSparse } from './sparse.ts';
import type { CsrParts, Sparse, SparsePart } from './types.ts';

/** Indices are i32. */
const LONGEST = 2 ** 31 - 1;

/** The element type of what a sparse matrix is made of. */
type TypeOf<P> =
  P extends Arr<infer T> ? T : P extends TypedArray ? ElementTypeOf<P> : P extends readonly bigint[] ? 'i64' : 'f64';

function matrixShape(operation: string, shape: unknown): [number, number] {
  const own = checkShape(operation, shape);
  if (own.length !== 2)
    throw badShapes(operation, `a sparse matrix has two axes, and the shape ${shapeText(own)} has ${own.length}`, own);
  if (own.some((length) => length > LONGEST))
    throw badShapes(operation, `an axis of the shape ${shapeText(own)} is longer than ${LONGEST}`, own);
  return own as [number, number];
}

/** A list of numbers. */
function listOf(operation: string, what: string, x: SparsePart): Node {
  const node = nodeOf(operation, asarray(x as Arr));
  if (node.shape.length === 1) return node;
  throw badShapes(operation, `the ${what} have the shape ${shapeText(node.shape)}, and not one axis`, node.shape);
}

/** Indices as i32 or i64, so that none wraps before it is looked at. */
function indicesOf(operation: string, what: string, x: SparsePart): Node {
  const node = listOf(operation, what, Array.isArray(x) ? fromNested(x as number[], { dtype: 'i64' }) : x);
  const kind = kindOf(node.dtype);
  if (kind !== 'int' && kind !== 'uint') {
    throw new UsageError(
      `${operation}: the ${what} are ${node.dtype}, and indices are integers; convert them with astype('i64')`,
      {
        code: 'ERR_SHEAF_DTYPE',
        details: { operation, dtype: node.dtype },
      },
    );
  }
  return node.dtype === 'i32' ? node : cast(node, 'i64');
}

/** Both in one type. */
function alike(x: Node, y: Node): [Node, Node] {
  return x.dtype === y.dtype ? [x, y] : [cast(x, 'i64'), cast(y, 'i64')];
}

/**
 * A sparse matrix by compressed rows. That it is one is checked when it is computed: rows one after the other, columns ascending within each of
 * them. What is in any order, or twice, is for `fromCoo`.
 *
 * @throws UsageError (ERR_SHEAF_SHAPE) where the lengths of the lists do not fit; when it is computed (ERR_SHEAF_SPARSE) for what is no such matrix.
 */
export function csr<const P extends CsrParts>(parts: P): Sparse<TypeOf<P['values']> & D> {
  const operation = 'csr';
  if (typeof parts !== 'object' || parts === null) {
    throw new UsageError(`csr takes { values, indices, indptr, shape }, and not ${shown(parts)}`, {
      details: { operation },
    });
  }
  const [rows, columns] = matrixShape(operation, parts.shape);
  const values = listOf(operation, 'values', parts.values);
  const [indptr, indices] = alike(
    indicesOf(operation, 'row pointers', parts.indptr),
    indicesOf(operation, 'columns', parts.indices),
  );
  if (indptr.shape[0] !== rows + 1) {
    throw badShapes(
      operation,
      `${rows} rows have ${rows + 1} row pointers, and there are ${indptr.shape[0]}`,
      [rows, columns],
      indptr.shape,
    );
  }
  const count = sizeOf(values.shape);
  if (indices.shape[0] !== count) {
    throw badShapes(
      operation,
      `there are ${indices.shape[0]} columns for ${count} values`,
      indices.shape,
      values.shape,
    );
  }
  const type = { dtype: values.dtype, room: count, count, counts: false };
  return wrapSparse(made('csrChecked', [indptr, indices, values], { columns, operation }, [rows, columns], type));
}

/**
 * A sparse matrix by its entries, in any order. Those at the same place are added up; of booleans there is one if any is true. An entry that is 0
 * is there.
 *
 * @throws UsageError (ERR_SHEAF_SHAPE) where the lists are not equally long; when it is computed (ERR_SHEAF_SPARSE) for an index that there is
 * no row or column for.
 */
export function fromCoo<const V extends SparsePart>(
  rows: SparsePart,
  columns: SparsePart,
  values: V,
  shape: readonly number[],
): Sparse<TypeOf<V> & D> {
  const operation = 'fromCoo';
  const own = matrixShape(operation, shape);
  const elements = listOf(operation, 'values', values);
  const [i, j] = alike(indicesOf(operation, 'rows', rows), indicesOf(operation, 'columns', columns));
  const count = sizeOf(elements.shape);
  if (i.shape[0] !== count || j.shape[0] !== count) {
    throw badShapes(
      operation,
      `there are ${i.shape[0]} rows and ${j.shape[0]} columns for ${count} values`,
      i.shape,
      j.shape,
      elements.shape,
    );
  }
  const params = { rows: own[0], columns: own[1], index: 'i32' };
  const type = { dtype: elements.dtype, room: count, count: undefined, counts: true };
  return wrapSparse(made('csrFromCoo', [i, j, elements], params, own, type));
}

/** A matrix as a sparse one: its elements that are not 0. */
export function toSparse<T extends D>(x: Arr<T>): Sparse<T> {
  const node = nodeOf('toSparse', x);
  const shape = matrixShape('toSparse', node.shape);
  const type = { dtype: node.dtype, room: sizeOf(shape), count: undefined, counts: true };
  return wrapSparse(made('csrFromDense', [node], { index: 'i32' }, shape, type));
}

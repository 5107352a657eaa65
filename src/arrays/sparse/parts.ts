import { UsageError } from '../../base/index.ts';
import { type DType, type Shape, shapeText } from '../../nd/index.ts';
import type { ArrayType, Node, Params } from '../../pipelines/index.ts';
import { badShapes } from '../checks.ts';
import { cast } from '../operations.ts';
import { call } from '../routines.ts';

/** Who has computed arrays of indices: they are let go of with the last of these, if the one that made them is let go of, too. */
export interface Pattern {
  users: number;
  isAbandoned: boolean;
}

/**
 * A sparse matrix by its three arrays. Indices are i32. How many elements there are may depend on values: then `indices` and `values` have
 * room for as many as there can be, `indptr` says how many there are, and nothing of meaning is behind those.
 */
export interface Parts {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: DType;
  readonly indptr: Node;
  readonly indices: Node;
  readonly values: Node;
  /** How many elements there are, where it is known. */
  readonly count: number | undefined;
  readonly pattern: Pattern;
  /** Whether it is the one that the pattern was made for. */
  readonly isMaker: boolean;
  /** What it is the transpose of. Much can be done with that, so that nobody has to make the transpose. */
  readonly of: Parts | undefined;
}

export const shapeOf = ({ rows, columns }: Parts): [number, number] => [rows, columns];

/** How many elements there is room for. */
export const roomOf = ({ values }: Parts): number => values.shape[0] as number;

/** The three arrays, as routines take them. */
export const arraysOf = ({ indptr, indices, values }: Parts): Node[] => [indptr, indices, values];

/** A matrix that a routine makes; the number of its elements comes last, if only the routine can tell it. */
export function made(
  routine: string,
  args: readonly Node[],
  params: Params,
  [rows, columns]: readonly [number, number],
  type: { readonly dtype: DType; readonly room: number; readonly count: number | undefined; readonly counts: boolean },
): Parts {
  const { dtype, room, count, counts } = type;
  const outputs: ArrayType[] = [
    { shape: [rows + 1], dtype: 'i32' },
    { shape: [room], dtype: 'i32' },
    { shape: [room], dtype },
  ];
  if (counts) outputs.push({ shape: [], dtype: 'i64' });
  const [indptr, indices, values] = call(routine, args, params, outputs) as [Node, Node, Node];
  const pattern = { users: 0, isAbandoned: false };
  return { rows, columns, dtype, indptr, indices, values, count, pattern, isMaker: true, of: undefined };
}

/** The same places with other elements. */
export const withValues = (parts: Parts, values: Node): Parts => ({
  ...parts,
  values,
  dtype: values.dtype,
  isMaker: false,
  of: undefined,
});

export function typed(parts: Parts, dtype: DType): Parts {
  if (parts.dtype === dtype) return parts;
  const of = parts.of === undefined ? undefined : typed(parts.of, dtype);
  return { ...withValues(parts, cast(parts.values, dtype)), of };
}

export function transposed(parts: Parts): Parts {
  if (parts.of !== undefined) return parts.of;
  const { rows, columns, dtype, count } = parts;
  const type = { dtype, room: roomOf(parts), count, counts: false };
  return { ...made('csrTranspose', arraysOf(parts), { columns }, [columns, rows], type), of: parts };
}

/** What it is the transpose of, unless it was made itself. */
export const unmade = ({ of, values }: Parts): Parts | undefined => (values.op.kind === 'source' ? undefined : of);

/** That the number of elements is known. */
export function counted(operation: string, { count }: Parts): number {
  if (count !== undefined) return count;
  throw new UsageError(
    `${operation}: how many elements this sparse matrix has depends on values; go on with \`await s.persist()\`, which knows`,
    { code: 'ERR_SHEAF_UNKNOWN_SHAPE', details: { operation } },
  );
}

export const misfit = (operation: string, why: string, a: Shape, b: Shape): UsageError =>
  badShapes(operation, `the shapes ${shapeText(a)} and ${shapeText(b)} don't fit together: ${why}`, a, b);

/** An operation that would leave nothing of the matrix 0. */
export const fillsUp = (operation: string, why: string): UsageError =>
  new UsageError(`${operation}: ${why}, so that all elements would be there; make it dense first, with toDense()`, {
    code: 'ERR_SHEAF_SPARSE',
    details: { operation, why },
  });

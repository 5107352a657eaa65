import { UsageError } from '../../base/index.ts';
import { type Elements, shapeText } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import { badShapes } from '../checks.ts';
import { positions } from '../creation.ts';
import { fromFront } from '../indices.ts';
import { isArr, nodeOf } from '../lazy.ts';
import { apply, cast, checkKind, constantOf } from '../operations.ts';
import { placeIn, rangeOf } from '../slices.ts';
import { reshaped } from '../views.ts';
import { toDense } from './convert.ts';
import { arraysOf, made, type Parts, roomOf, shapeOf, transposed } from './parts.ts';
import { elementsOf, roomFor } from './room.ts';

const OPERATION = 'at';
const integer = (value: number): Node => constantOf(BigInt(value), [], 'i64');

/** Which rows are wanted. */
interface Listed {
  readonly list: Node;
  /** The array that they were given as, which may name some of them several times. */
  readonly given: Node | undefined;
}

/** A number for each row that is wanted; undefined, if it is all of them. */
function listOf(ix: unknown, axis: 0 | 1, shape: readonly [number, number]): Listed | undefined {
  const length = shape[axis];
  if (ix === undefined || ix === ':') return undefined;
  if (typeof ix === 'number')
    return { list: constantOf(BigInt(placeIn(OPERATION, ix, axis, shape)), [1], 'i64'), given: undefined };
  if (typeof ix === 'string') {
    const { start, step, length: count } = rangeOf(OPERATION, ix, length);
    const ahead = apply('multiply', [positions(count), integer(step)]);
    return { list: apply('add', [ahead, integer(start)]), given: undefined };
  }
  if (isArr(ix)) {
    const given = nodeOf(OPERATION, ix);
    checkKind(OPERATION, given.dtype, ['int', 'uint']);
    if (given.shape.length === 1) return { list: fromFront(cast(given, 'i64'), length), given };
    throw badShapes(
      OPERATION,
      `the indices have the shape ${shapeText(given.shape)}; of a sparse matrix they have one axis`,
      given.shape,
    );
  }
  throw new UsageError(
    `${OPERATION}: a sparse matrix takes numbers, slices such as '1:-1', and arrays of indices; make it dense for others, with toDense()`,
    { code: 'ERR_SHEAF_INDEX', details: { operation: OPERATION } },
  );
}

/** How many elements the rows have that are named, if it is known by now. */
function countOf(indptr: Elements | undefined, list: Elements | undefined): number | undefined {
  if (indptr === undefined || list === undefined) return undefined;
  const rows = indptr.length - 1;
  let sum = 0;
  for (const each of list as Iterable<number | bigint>) {
    const row = Number(each) < 0 ? Number(each) + rows : Number(each);
    // That there is no such row is said when it is computed.
    if (row >= 0 && row < rows) sum += (indptr[row + 1] as number) - (indptr[row] as number);
  }
  return sum;
}

function rowsAt(s: Parts, { list, given }: Listed): Parts {
  const length = list.shape[0] as number;
  const { columns } = s;
  const most = Math.min(length * columns, given === undefined ? roomOf(s) : length * roomOf(s));
  const exact = given === undefined ? undefined : countOf(elementsOf(s.indptr), elementsOf(given));
  const room = roomFor(OPERATION, most, exact);
  const type = { dtype: s.dtype, room, count: undefined, counts: true };
  return made('csrTake', [...arraysOf(s), list], { columns, room }, [length, columns], type);
}

/** Some rows, and some columns of those. */
export function partOf(s: Parts, ix: readonly unknown[]): Parts | Node {
  if (ix.length > 2) {
    throw new UsageError(`${OPERATION}: ${ix.length} indices are too many for the shape ${shapeText(shapeOf(s))}`, {
      code: 'ERR_SHEAF_INDEX',
      details: { operation: OPERATION, shape: shapeOf(s) },
    });
  }
  const [ofRows, ofColumns] = [0, 1].map((axis) => listOf(ix[axis], axis as 0 | 1, shapeOf(s)));
  let part = ofRows === undefined ? s : rowsAt(s, ofRows);
  if (ofColumns !== undefined) part = transposed(rowsAt(transposed(part), ofColumns));
  if (typeof ix[0] === 'number' && typeof ix[1] === 'number') return reshaped(toDense(part), []);
  return part;
}

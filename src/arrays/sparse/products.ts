import { type DType, promoted, type Shape, shapeText } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import { badShapes } from '../checks.ts';
import { cast, checkKind } from '../operations.ts';
import { call } from '../routines.ts';
import { permuted, reshaped } from '../views.ts';
import { arraysOf, made, misfit, type Parts, roomOf, shapeOf, typed, unmade } from './parts.ts';
import { elementsOf, roomFor } from './room.ts';

const OPERATION = 'matmul';

const one = (routine: string, args: readonly Node[], params: Record<string, number | boolean>, shape: Shape): Node =>
  call(routine, args, params, [{ shape, dtype: (args.at(-1) as Node).dtype }])[0] as Node;

const turned = (node: Node): Node => permuted(node, [1, 0]);

function together(s: Parts, x: Node, shapes: readonly [Shape, Shape]): { s: Parts; x: Node } {
  if (x.shape.length < 1 || x.shape.length > 2) {
    throw badShapes(
      OPERATION,
      `the shapes ${shapes.map(shapeText).join(' and ')} have no product: beside a sparse matrix there has to be a vector or a matrix`,
      ...shapes,
    );
  }
  const dtype: DType = promoted(OPERATION, [s.dtype, x.dtype]);
  checkKind(OPERATION, dtype, ['int', 'uint', 'float']);
  return { s: typed(s, dtype), x: cast(x, dtype) };
}

/** The sparse matrix times a vector, or a dense matrix. */
export function timesDense(sparse: Parts, dense: Node): Node {
  const { s, x } = together(sparse, dense, [shapeOf(sparse), dense.shape]);
  const { rows, columns } = s;
  if (x.shape[0] !== columns) {
    throw misfit(
      OPERATION,
      `a row of the first has ${columns} elements, and a column of the second ${x.shape[0]}`,
      shapeOf(s),
      x.shape,
    );
  }
  const of = unmade(s);
  const isVector = x.shape.length === 1;
  const width = isVector ? 1 : (x.shape[1] as number);
  if (of !== undefined) {
    const matrix = reshaped(x, [columns, width]);
    const product = one('denseCsr', [...arraysOf(of), matrix], { columns: rows, transposed: true }, [rows, width]);
    return isVector ? reshaped(product, [rows]) : product;
  }
  // What is a column is a vector: for those there is a quicker way.
  if (width === 1) {
    const product = one('spmv', [...arraysOf(s), reshaped(x, [columns])], {}, [rows]);
    return isVector ? product : reshaped(product, [rows, 1]);
  }
  return one('spmm', [...arraysOf(s), x], {}, [rows, width]);
}

/** A vector, or a dense matrix, times the sparse one. */
export function denseTimes(dense: Node, sparse: Parts): Node {
  const { s, x } = together(sparse, dense, [dense.shape, shapeOf(sparse)]);
  const { rows, columns } = s;
  const length = x.shape.at(-1) as number;
  if (length !== rows) {
    throw misfit(
      OPERATION,
      `a row of the first has ${length} elements, and a column of the second ${rows}`,
      x.shape,
      shapeOf(s),
    );
  }
  const of = unmade(s);
  if (x.shape.length === 1) {
    if (of !== undefined) return timesDense(of, x);
    const product = one('denseCsr', [...arraysOf(s), reshaped(x, [1, rows])], { columns }, [1, columns]);
    return reshaped(product, [columns]);
  }
  if (of !== undefined) return turned(timesDense(of, turned(x)));
  return one('denseCsr', [...arraysOf(s), x], { columns }, [x.shape[0] as number, columns]);
}

/** How many products of two elements there are, if it is known by now: as many elements the result can have. */
function productsOf({ indices, indptr }: Parts, b: Parts): number | undefined {
  const [rows, places, starts] = [elementsOf(indptr), elementsOf(indices), elementsOf(b.indptr)] as (
    | Int32Array
    | undefined
  )[];
  if (rows === undefined || places === undefined || starts === undefined) return undefined;
  let sum = 0;
  for (let at = 0, end = rows.at(-1) as number; at < end; at++) {
    const row = places[at] as number;
    sum += (starts[row + 1] as number) - (starts[row] as number);
  }
  return sum;
}

/** The product of two sparse matrices. */
export function timesSparse(x: Parts, y: Parts): Parts {
  const dtype = promoted(OPERATION, [x.dtype, y.dtype]);
  checkKind(OPERATION, dtype, ['int', 'uint', 'float']);
  const [a, b] = [typed(x, dtype), typed(y, dtype)];
  if (a.columns !== b.rows) {
    throw misfit(
      OPERATION,
      `a row of the first has ${a.columns} elements, and a column of the second ${b.rows}`,
      shapeOf(a),
      shapeOf(b),
    );
  }
  const byRoom = Math.min(roomOf(a) * Math.min(b.columns, roomOf(b)), a.rows * b.columns);
  const room = roomFor(OPERATION, byRoom, productsOf(a, b));
  const type = { dtype, room, count: undefined, counts: true };
  const columns = [a.columns, b.columns];
  return made('csrProduct', [...arraysOf(a), ...arraysOf(b)], { columns, room }, [a.rows, b.columns], type);
}

import { UsageError } from '../../base/index.ts';
import { type DType, isBig, kindOf, shapeText } from '../../nd/index.ts';
import { type ElementOpName, elementOp } from '../elementwise.ts';
import { applied } from '../reference.ts';
import { type Csr, countOf, type Indices, indicesLike, putIndex, sparseError, valuesOf, wordsOf } from './format.ts';

type Value = number | bigint;

/** Those worth code of their own. Floats are rounded, and integers wrap, when they are stored. */
function fastFor(name: ElementOpName, dtype: DType): ((x: never, y: never) => Value) | undefined {
  switch (name) {
    case 'add':
      return (x: number, y: number) => x + y;
    case 'subtract':
      return (x: number, y: number) => x - y;
    case 'multiply':
      // Of 32 bits a product is more than a double can hold.
      return kindOf(dtype) === 'float' || isBig(dtype) ? (x: number, y: number) => x * y : Math.imul;
    default:
      return undefined;
  }
}

/**
 * Element by element, two matrices of the same shape and type. Where one of them has no element it is 0, so the operator has to make
 * 0 of two zeros; what becomes 0 is left out. NaNs and infinities do what they do in dense matrices: 0 times infinity is a NaN, and is there.
 */
export function combine(name: ElementOpName, a: Csr, b: Csr): Csr {
  const { rows, columns, dtype } = a;
  const operation = `${name} of sparse matrices`;
  if (rows !== b.rows || columns !== b.columns) {
    const shapes = [a, b].map((each) => [each.rows, each.columns]);
    throw new UsageError(`${operation}: the shapes ${shapes.map(shapeText).join(' and ')} have to be equal`, {
      code: 'ERR_SHEAF_SHAPE',
      details: { operation, shapes },
    });
  }
  if (dtype !== b.dtype) {
    throw new UsageError(`${operation} wants one element type, and has ${dtype} and ${b.dtype}; convert one of them`, {
      code: 'ERR_SHEAF_DTYPE',
      details: { operation, dtypes: [dtype, b.dtype] },
    });
  }
  const op = elementOp(name);
  const zero: Value = isBig(dtype) ? 0n : 0;
  const general = (x: Value, y: Value): Value => applied(op, dtype, [x, y]);
  if (op.gives !== 'same' || op.arity !== 2 || general(zero, zero) !== zero)
    throw sparseError(
      operation,
      'two zeros do not make 0, so that all elements would be there',
      'make them dense first',
    );
  const both = (fastFor(name, dtype) as typeof general | undefined) ?? general;

  const most = countOf(a) + countOf(b);
  const indptr = indicesLike(a.indptr, rows + 1);
  const indices = indicesLike(a.indices, most);
  const values = valuesOf(dtype, most);
  const [pointers, to] = [wordsOf(indptr), wordsOf(indices)];
  const [aStarts, aPlaces, bStarts, bPlaces] = [a.indptr, a.indices, b.indptr, b.indices].map(wordsOf) as [
    ...[ReturnType<typeof wordsOf>, ReturnType<typeof wordsOf>],
    ...[ReturnType<typeof wordsOf>, ReturnType<typeof wordsOf>],
  ];
  let kept = 0;
  for (let row = 0; row < rows; row++) {
    let at = aStarts.words[row * aStarts.step] as number;
    let other = bStarts.words[row * bStarts.step] as number;
    const end = aStarts.words[(row + 1) * aStarts.step] as number;
    const otherEnd = bStarts.words[(row + 1) * bStarts.step] as number;
    while (at < end || other < otherEnd) {
      const column = at < end ? (aPlaces.words[at * aPlaces.step] as number) : columns;
      const otherColumn = other < otherEnd ? (bPlaces.words[other * bPlaces.step] as number) : columns;
      const x = column <= otherColumn ? (a.values[at++] as Value) : zero;
      const y = otherColumn <= column ? (b.values[other++] as Value) : zero;
      values[kept] = both(x, y) as never;
      if (values[kept] === zero) continue;
      putIndex(to, kept++, Math.min(column, otherColumn));
    }
    putIndex(pointers, row + 1, kept);
  }
  return {
    rows,
    columns,
    dtype,
    indptr,
    indices: indices.subarray(0, kept) as Indices,
    values: values.subarray(0, kept),
  };
}

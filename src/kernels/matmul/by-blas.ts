import type { Blas, Floats, GemmArray } from '../../native/index.ts';
import type { Strided } from '../reference.ts';
import { mirrored } from './symmetric.ts';

/** The product by OpenBLAS. What does not lie as it wants is copied first. None of m, n, k is 0. */
export function multiplyByBlas(
  blas: Blas,
  a: Strided,
  b: Strided,
  into: Strided,
  m: number,
  k: number,
  n: number,
  accumulate: boolean,
): void {
  const to = asGemm(into, m, n);
  if (to === undefined) {
    const own = contiguous(accumulate ? into : undefined, m, n, into.elements as Floats);
    blas.gemm(m, n, k, given(a, m, k), given(b, k, n), own, accumulate);
    put(own.elements, into, m, n);
  } else if (to.transposed) {
    // The same elements, as the product of the transposes: n x k times k x m.
    blas.gemm(n, m, k, given(turned(b), n, k), given(turned(a), k, m), to, accumulate);
  } else blas.gemm(m, n, k, given(a, m, k), given(b, k, n), to, accumulate);
}

/**
 * The product of a matrix (n x k) with its transpose: half of it is computed, and the other half copied. False where the result does not lie as
 * OpenBLAS wants it.
 */
export function squareByBlas(blas: Blas, a: Strided, into: Strided, n: number, k: number): boolean {
  const to = asGemm(into, n, n);
  if (to === undefined) return false;
  blas.syrk(n, k, given(a, n, k), to);
  // Symmetric, it is the same by rows as by columns.
  mirrored(to.elements, 0, [to.lead, 1], n);
  return true;
}

const turned = ({ elements, offset, strides: [row, column] }: Strided): Strided => ({
  elements,
  offset,
  strides: [column as number, row as number],
});

const given = (x: Strided, rows: number, columns: number): GemmArray =>
  asGemm(x, rows, columns) ?? contiguous(x, rows, columns, x.elements as Floats);

function asGemm({ elements, offset, strides }: Strided, rows: number, columns: number): GemmArray | undefined {
  const [row, column] = strides as [number, number];
  const from = (): Floats => (elements as Floats).subarray(offset);
  // Of a single row or column it does not matter how far it would be to the next.
  const leadOfRows = rows === 1 ? columns : row;
  if ((column === 1 || columns === 1) && leadOfRows >= columns)
    return { elements: from(), transposed: false, lead: leadOfRows };
  const leadOfColumns = columns === 1 ? rows : column;
  if ((row === 1 || rows === 1) && leadOfColumns >= rows)
    return { elements: from(), transposed: true, lead: leadOfColumns };
  return undefined;
}

/** A copy, row by row; without a source, room for one. */
function contiguous(source: Strided | undefined, rows: number, columns: number, like: Floats): GemmArray {
  const elements = like instanceof Float64Array ? new Float64Array(rows * columns) : new Float32Array(rows * columns);
  if (source !== undefined) {
    const [row, column] = source.strides as [number, number];
    for (let i = 0, to = 0; i < rows; i++) {
      let from = source.offset + i * row;
      for (let j = 0; j < columns; j++, from += column) elements[to++] = source.elements[from] as number;
    }
  }
  return { elements, transposed: false, lead: columns };
}

function put(from: Floats, { elements, offset, strides }: Strided, rows: number, columns: number): void {
  const [row, column] = strides as [number, number];
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) elements[offset + i * row + j * column] = from[at++] as never;
  }
}

import type { Matmul } from '../matmul/index.ts';
import type { Strided } from '../reference.ts';

/** Of matrices smaller than this, halves are not worth a product. */
export const BASE = 32;

/** A part of a matrix that lies in rows. */
export interface Part {
  readonly elements: Float64Array;
  readonly offset: number;
  /** Elements from one row to the next. */
  readonly lead: number;
}

export const part = ({ elements, offset, lead }: Part, row: number, column: number): Part => ({
  elements,
  offset: offset + row * lead + column,
  lead,
});

export const rowsOf = ({ elements, offset, lead }: Part): Strided => ({ elements, offset, strides: [lead, 1] });

export const columnsOf = ({ elements, offset, lead }: Part): Strided => ({ elements, offset, strides: [1, lead] });

/** `into` -= `a` `b`, or `a` and the transpose of `b`. */
export function subtractProduct(
  matmul: Matmul,
  into: Part,
  a: Part,
  b: Strided,
  m: number,
  k: number,
  n: number,
): void {
  const negative = new Float64Array(m * k);
  for (let i = 0, to = 0; i < m; i++) {
    for (let j = 0, from = a.offset + i * a.lead; j < k; j++) negative[to++] = -(a.elements[from++] as number);
  }
  matmul.run({ elements: negative, offset: 0, strides: [k, 1] }, b, rowsOf(into), m, k, n, { accumulate: true });
}

/** `b` (n x columns) becomes x, with l x = b; of `l` the lower triangle is looked at, with ones on its diagonal. */
export function solveUnitLower(matmul: Matmul, l: Part, b: Part, n: number, columns: number): void {
  if (n > BASE) {
    const half = n >> 1;
    solveUnitLower(matmul, l, b, half, columns);
    subtractProduct(matmul, part(b, half, 0), part(l, half, 0), rowsOf(b), n - half, half, columns);
    solveUnitLower(matmul, part(l, half, half), part(b, half, 0), n - half, columns);
    return;
  }
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) subtractRow(b, i, j, l.elements[l.offset + i * l.lead + j] as number, columns);
  }
}

/** The same with the upper triangle and its diagonal. */
export function solveUpper(matmul: Matmul, u: Part, b: Part, n: number, columns: number): void {
  if (n > BASE) {
    const half = n >> 1;
    solveUpper(matmul, part(u, half, half), part(b, half, 0), n - half, columns);
    subtractProduct(matmul, b, part(u, 0, half), rowsOf(part(b, half, 0)), half, n - half, columns);
    solveUpper(matmul, u, b, half, columns);
    return;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = u.offset + i * u.lead;
    for (let j = i + 1; j < n; j++) subtractRow(b, i, j, u.elements[row + j] as number, columns);
    const own = u.elements[row + i] as number;
    for (let at = b.offset + i * b.lead, end = at + columns; at < end; at++) b.elements[at]! /= own;
  }
}

/** `b` (rows x n) becomes x, with x times the transpose of l = b. */
export function solveTransposedLower(matmul: Matmul, l: Part, b: Part, n: number, rows: number): void {
  if (n > BASE) {
    const half = n >> 1;
    solveTransposedLower(matmul, l, b, half, rows);
    subtractProduct(matmul, part(b, 0, half), b, columnsOf(part(l, half, 0)), rows, half, n - half);
    solveTransposedLower(matmul, part(l, half, half), part(b, 0, half), n - half, rows);
    return;
  }
  const { elements: x } = b;
  for (let row = 0; row < rows; row++) {
    const first = b.offset + row * b.lead;
    for (let i = 0; i < n; i++) {
      const line = l.offset + i * l.lead;
      let own = x[first + i] as number;
      for (let j = 0; j < i; j++) own -= (x[first + j] as number) * (l.elements[line + j] as number);
      x[first + i] = own / (l.elements[line + i] as number);
    }
  }
}

function subtractRow({ elements, offset, lead }: Part, i: number, j: number, factor: number, columns: number): void {
  let from = offset + j * lead;
  for (let at = offset + i * lead, end = at + columns; at < end; at++) {
    elements[at]! -= factor * (elements[from++] as number);
  }
}

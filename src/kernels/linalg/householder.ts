import type { Matmul } from '../matmul/index.ts';
import { type Part, part, rowsOf, subtractProduct } from './triangular.ts';

/** So many reflections are applied to the rest of the matrix at once, as two products. */
const BLOCK = 32;
const SMALLEST = 2 ** -1022;
/** What is smaller has fewer digits than others, or what is computed of it has. */
const FEW_DIGITS = SMALLEST * 2 ** 53;

/**
 * A reflection I - tau v v' that takes the vector at `offset` (its elements `step` apart) to a multiple of the first unit vector. Leaves that
 * multiple in the first place and v, whose first element is 1 and not stored, in the others; gives tau (LAPACK's dlarfg).
 */
export function reflector(x: Float64Array, offset: number, length: number, step: number): number {
  let scale = 0;
  for (let i = 1, at = offset + step; i < length; i++, at += step) {
    const size = Math.abs(x[at] as number);
    // A NaN goes through to the result.
    if (!(size <= scale)) scale = size;
  }
  if (scale === 0) return 0;
  // Quotients of numbers that have few digits left would be no reflection.
  const lift = Math.max(scale, Math.abs(x[offset] as number)) < FEW_DIGITS ? 1 / SMALLEST : 1;
  scale *= lift;
  let sum = 0;
  for (let i = 1, at = offset + step; i < length; i++, at += step) {
    const own = ((x[at] as number) * lift) / scale;
    sum += own * own;
  }
  const alpha = (x[offset] as number) * lift;
  const norm = Math.hypot(alpha, scale * Math.sqrt(sum));
  const beta = alpha >= 0 ? -norm : norm;
  const divisor = alpha - beta;
  for (let i = 1, at = offset + step; i < length; i++, at += step) x[at] = ((x[at] as number) * lift) / divisor;
  x[offset] = beta / lift;
  return (beta - alpha) / beta;
}

/** QR in place: R in the upper triangle, the vectors of the reflections below it. Gives their factors. */
export function factorize(matmul: Matmul, a: Float64Array, m: number, n: number): Float64Array {
  const count = Math.min(m, n);
  const taus = new Float64Array(count);
  const sums = new Float64Array(BLOCK);
  const whole: Part = { elements: a, offset: 0, lead: n };
  for (let first = 0; first < count; first += BLOCK) {
    const end = Math.min(count, first + BLOCK);
    for (let j = first; j < end; j++) {
      const tau = reflector(a, j * n + j, m - j, n);
      taus[j] = tau;
      if (tau !== 0) reflectRows(a, j, m, n, j + 1, end, tau, sums);
    }
    if (end < n) {
      const block = blockOf(matmul, a, taus, m, n, first, end);
      applyBlock(matmul, block, part(whole, first, end), n - end, true);
    }
  }
  return taus;
}

/** The reflection of column j, whose vector begins in row j, applied to some columns. */
function reflectRows(
  a: Float64Array,
  j: number,
  m: number,
  n: number,
  from: number,
  to: number,
  tau: number,
  sums: Float64Array,
): void {
  if (from >= to) return;
  const count = to - from;
  for (let k = 0; k < count; k++) sums[k] = a[j * n + from + k] as number;
  for (let i = j + 1; i < m; i++) {
    const v = a[i * n + j] as number;
    for (let k = 0, at = i * n + from; k < count; k++) sums[k]! += v * (a[at++] as number);
  }
  for (let k = 0; k < count; k++) a[j * n + from + k]! -= tau * (sums[k] as number);
  for (let i = j + 1; i < m; i++) {
    const v = tau * (a[i * n + j] as number);
    for (let k = 0, at = i * n + from; k < count; k++) a[at++]! -= v * (sums[k] as number);
  }
}

/** Several reflections as I - V T V' (R. Schreiber and C. Van Loan, "A storage-efficient WY representation", 1989). */
interface Block {
  readonly v: Float64Array;
  readonly t: Float64Array;
  readonly rows: number;
  readonly size: number;
}

function blockOf(
  matmul: Matmul,
  a: Float64Array,
  taus: Float64Array,
  m: number,
  n: number,
  first: number,
  end: number,
): Block {
  const [rows, size] = [m - first, end - first];
  const v = new Float64Array(rows * size);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < Math.min(i, size); j++) v[i * size + j] = a[(first + i) * n + first + j] as number;
    if (i < size) v[i * size + i] = 1;
  }
  const products = new Float64Array(size * size);
  const across = { elements: v, offset: 0, strides: [1, size] };
  const along = { elements: v, offset: 0, strides: [size, 1] };
  matmul.run(across, along, { elements: products, offset: 0, strides: [size, 1] }, size, rows, size);
  const t = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const tau = taus[first + j] as number;
    t[j * size + j] = tau;
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum += (t[i * size + k] as number) * (products[k * size + j] as number);
      t[i * size + j] = -tau * sum;
    }
  }
  return { v, t, rows, size };
}

/** `into` (its first rows) becomes the product of the reflections, or of them in the other order, and itself. */
function applyBlock(matmul: Matmul, { v, t, rows, size }: Block, into: Part, columns: number, inverse: boolean): void {
  const inner = new Float64Array(size * columns);
  const outer = new Float64Array(size * columns);
  const plain = (elements: Float64Array) => ({ elements, offset: 0, strides: [columns, 1] });
  matmul.run({ elements: v, offset: 0, strides: [1, size] }, rowsOf(into), plain(inner), size, rows, columns);
  const factor = { elements: t, offset: 0, strides: inverse ? [1, size] : [size, 1] };
  matmul.run(factor, plain(inner), plain(outer), size, size, columns);
  subtractProduct(matmul, into, { elements: v, offset: 0, lead: size }, plain(outer), rows, size, columns);
}

/** The first columns of the orthogonal matrix of the reflections that `factorize` has left. */
export function orthogonal(
  matmul: Matmul,
  a: Float64Array,
  taus: Float64Array,
  m: number,
  n: number,
  columns: number,
): Float64Array {
  const q = new Float64Array(m * columns);
  for (let i = 0; i < columns; i++) q[i * columns + i] = 1;
  const whole: Part = { elements: q, offset: 0, lead: columns };
  const last = Math.floor((taus.length - 1) / BLOCK) * BLOCK;
  for (let first = last; first >= 0; first -= BLOCK) {
    const end = Math.min(taus.length, first + BLOCK);
    const block = blockOf(matmul, a, taus, m, n, first, end);
    // Columns before it are still those of the unit matrix, which have nothing in these rows.
    applyBlock(matmul, block, part(whole, first, first), columns - first, false);
  }
  return q;
}

import type { Matmul } from '../matmul/index.ts';
import { type Svd, type SvdWant, scaleOf, transposed } from './algebra.ts';
import { rotate } from './eigen.ts';
import { factorize, orthogonal } from './householder.ts';

const EPSILON = 2 ** -52;
const MOST_SWEEPS = 60;
/** Rows shorter than this, in a matrix of elements about 1, are 0 for all purposes: squares of theirs are out of range. */
const NOTHING = 2 ** -480;

/**
 * Singular values by one-sided Jacobi rotations of the rows of R, where A = QR (Z. Drmač and K. Veselić, "New fast and accurate Jacobi SVD
 * algorithm", 2008, without their pivoting; the order of the pairs by de Rijk, 1989). Small values come out as exactly as large ones.
 */
export function jacobiSvd(matmul: Matmul, a: Float64Array, m: number, n: number, want: SvdWant): Svd | undefined {
  if (m < n) {
    const turned = jacobiSvd(matmul, transposed(a, m, n), n, m, want);
    if (turned === undefined || want === 'values') return turned;
    const columns = want === 'all' ? n : m;
    return { s: turned.s, u: transposed(turned.vh, m, m), vh: transposed(turned.u, n, columns) };
  }
  const scale = scaleOf(a);
  for (let i = 0; i < a.length; i++) a[i]! *= scale;
  const taus = factorize(matmul, a, m, n);
  const r = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) r[i * n + j] = a[i * n + j] as number;
  const turns = want === 'values' ? undefined : unit(n);
  const lengths = orthogonalize(r, turns, n);
  if (lengths === undefined) return undefined;
  const order = [...lengths.keys()].sort((i, j) => (lengths[j] as number) - (lengths[i] as number));
  const s = Float64Array.from(order, (from) => (lengths[from] as number) / scale);
  if (turns === undefined) return { s, u: new Float64Array(0), vh: new Float64Array(0) };
  const vh = rightVectors(matmul, r, lengths, order, n);
  const columns = want === 'all' ? m : n;
  const q = orthogonal(matmul, a, taus, m, n, columns);
  const inOrder = new Float64Array(n * n);
  for (const [to, from] of order.entries()) inOrder.set(turns.subarray(from * n, (from + 1) * n), to * n);
  const u = q.slice();
  const left = { elements: q, offset: 0, strides: [columns, 1] };
  // The columns beyond the first n are not turned.
  matmul.run(
    left,
    { elements: inOrder, offset: 0, strides: [1, n] },
    { elements: u, offset: 0, strides: [columns, 1] },
    m,
    n,
    n,
  );
  return { s, u, vh };
}

function unit(n: number): Float64Array {
  const x = new Float64Array(n * n);
  for (let i = 0; i < n; i++) x[i * n + i] = 1;
  return x;
}

/** Rotates pairs of rows until all are at right angles, and those of `turns` with them; gives their lengths. */
function orthogonalize(g: Float64Array, turns: Float64Array | undefined, n: number): Float64Array | undefined {
  const tolerance = EPSILON * Math.max(4, Math.sqrt(n));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    // Squares of lengths are kept up to date, and computed afresh in each sweep.
    const squares = Float64Array.from({ length: n }, (_, i) => dot(g, i * n, i * n, n));
    let turned = false;
    for (let i = 0; i < n - 1; i++) {
      longestFirst(g, turns, squares, n, i);
      for (let j = i + 1; j < n; j++) {
        const [x, y] = [squares[i] as number, squares[j] as number];
        const between = dot(g, i * n, j * n, n);
        if (y < NOTHING * NOTHING || Math.abs(between) <= tolerance * Math.sqrt(x) * Math.sqrt(y)) continue;
        turned = true;
        const zeta = (y - x) / (2 * between);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.sqrt(1 + tangent * tangent);
        rotate(g, i * n, j * n, n, c, c * tangent);
        if (turns !== undefined) rotate(turns, i * n, j * n, n, c, c * tangent);
        squares[i] = x - tangent * between;
        squares[j] = Math.max(0, y + tangent * between);
      }
    }
    if (!turned) return Float64Array.from({ length: n }, (_, i) => Math.sqrt(dot(g, i * n, i * n, n)));
  }
  return undefined;
}

function dot(x: Float64Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (x[a + i] as number) * (x[b + i] as number);
  return sum;
}

function longestFirst(
  g: Float64Array,
  turns: Float64Array | undefined,
  squares: Float64Array,
  n: number,
  i: number,
): void {
  let longest = i;
  for (let j = i + 1; j < n; j++) if ((squares[j] as number) > (squares[longest] as number)) longest = j;
  if (longest === i) return;
  for (const x of turns === undefined ? [g] : [g, turns]) {
    const own = x.slice(i * n, (i + 1) * n);
    x.copyWithin(i * n, longest * n, (longest + 1) * n);
    x.set(own, longest * n);
  }
  [squares[i], squares[longest]] = [squares[longest] as number, squares[i] as number];
}

/** The rows, at right angles, brought to length 1. In place of those that are 0: whatever makes the matrix orthogonal. */
function rightVectors(
  matmul: Matmul,
  g: Float64Array,
  lengths: Float64Array,
  order: readonly number[],
  n: number,
): Float64Array {
  const vh = new Float64Array(n * n);
  let rank = 0;
  for (const from of order) {
    const length = lengths[from] as number;
    if (length <= NOTHING) break;
    for (let i = 0; i < n; i++) vh[rank * n + i] = (g[from * n + i] as number) / length;
    rank++;
  }
  if (rank === n) return vh;
  const known = transposed(vh.subarray(0, rank * n), rank, n);
  const taus = factorize(matmul, known, n, rank);
  const all = rank === 0 ? unit(n) : orthogonal(matmul, known, taus, n, rank, n);
  for (let row = rank; row < n; row++) for (let i = 0; i < n; i++) vh[row * n + i] = all[i * n + row] as number;
  return vh;
}

import type { Matmul } from '../matmul/index.ts';
import { type Svd, type SvdWant, scaleOf, transposed } from './algebra.ts';
import { factorize, orthogonal } from './householder.ts';
import { Rows } from './rows.ts';

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
  // Beside each row of R what becomes of that of the unit matrix, so that both are turned at once.
  const withTurns = want !== 'values';
  const rows = new Rows(n, withTurns ? 2 * n : n);
  for (let i = 0; i < n; i++) {
    rows.elements.set(a.subarray(i * n + i, (i + 1) * n), i * rows.lead + i);
    if (withTurns) rows.elements[i * rows.lead + n + i] = 1;
  }
  const lengths = orthogonalize(rows, n);
  if (lengths === undefined) return undefined;
  const order = [...lengths.keys()].sort((i, j) => (lengths[j] as number) - (lengths[i] as number));
  const s = Float64Array.from(order, (from) => (lengths[from] as number) / scale);
  if (!withTurns) return { s, u: new Float64Array(0), vh: new Float64Array(0) };
  const inOrder = new Float64Array(n * n);
  for (const [to, from] of order.entries()) inOrder.set(rows.row(from, 2 * n).subarray(n), to * n);
  const vh = rightVectors(matmul, rows, lengths, order, n);
  const columns = want === 'all' ? m : n;
  const q = orthogonal(matmul, a, taus, m, n, columns);
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

/** Rotates pairs of rows until their first n elements are at right angles; gives the lengths of these. */
function orthogonalize(rows: Rows, n: number): Float64Array | undefined {
  const tolerance = EPSILON * Math.max(4, Math.sqrt(n));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    // Squares of lengths are kept up to date, and computed afresh in each sweep.
    const squares = Float64Array.from({ length: n }, (_, i) => rows.dot(i, i, n));
    let turned = false;
    for (let i = 0; i < n - 1; i++) {
      longestFirst(rows, squares, i);
      for (let j = i + 1; j < n; j++) {
        const [x, y] = [squares[i] as number, squares[j] as number];
        const between = rows.dot(i, j, n);
        if (y < NOTHING * NOTHING || Math.abs(between) <= tolerance * Math.sqrt(x) * Math.sqrt(y)) continue;
        turned = true;
        const zeta = (y - x) / (2 * between);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.sqrt(1 + tangent * tangent);
        rows.rotate(i, j, c, c * tangent);
        squares[i] = x - tangent * between;
        squares[j] = Math.max(0, y + tangent * between);
      }
    }
    if (!turned) return Float64Array.from({ length: n }, (_, i) => Math.sqrt(rows.dot(i, i, n)));
  }
  return undefined;
}

function longestFirst(rows: Rows, squares: Float64Array, i: number): void {
  let longest = i;
  for (let j = i + 1; j < squares.length; j++) if ((squares[j] as number) > (squares[longest] as number)) longest = j;
  if (longest === i) return;
  rows.exchange(i, longest);
  [squares[i], squares[longest]] = [squares[longest] as number, squares[i] as number];
}

/** The rows, at right angles, brought to length 1. In place of those that are 0: whatever makes the matrix orthogonal. */
function rightVectors(
  matmul: Matmul,
  rows: Rows,
  lengths: Float64Array,
  order: readonly number[],
  n: number,
): Float64Array {
  const vh = new Float64Array(n * n);
  let rank = 0;
  for (const from of order) {
    const length = lengths[from] as number;
    if (length <= NOTHING) break;
    for (const [i, x] of rows.row(from, n).entries()) vh[rank * n + i] = x / length;
    rank++;
  }
  if (rank === n) return vh;
  const known = transposed(vh.subarray(0, rank * n), rank, n);
  const taus = factorize(matmul, known, n, rank);
  const all = rank === 0 ? unit(n) : orthogonal(matmul, known, taus, n, rank, n);
  for (let row = rank; row < n; row++) for (let i = 0; i < n; i++) vh[row * n + i] = all[i * n + row] as number;
  return vh;
}

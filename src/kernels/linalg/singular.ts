import type { Matmul } from '../matmul/index.ts';
import { type Svd, type SvdWant, scaleOf, transposed } from './algebra.ts';
import { bidiagonalize } from './bidiagonal.ts';
import { diagonalize } from './bidiagonal-qr.ts';
import { factorize, orthogonal } from './householder.ts';
import { Sweeps, sweepRoom } from './sweeps.ts';
import { Workspace } from './workspace.ts';

/**
 * Singular values and vectors: the reduction to two diagonals, and QR steps of these. A matrix with more rows than columns is brought to a
 * triangle first (T. Chan, "An improved algorithm for computing the singular value decomposition", 1982), one with more columns transposed.
 * `a` is written over. Undefined if it does not converge.
 */
export function singular(matmul: Matmul, a: Float64Array, m: number, n: number, want: SvdWant): Svd | undefined {
  if (m < n) {
    const turned = singular(matmul, transposed(a, m, n), n, m, want);
    if (turned === undefined || want === 'values') return turned;
    const columns = want === 'all' ? n : m;
    return { s: turned.s, u: transposed(turned.vh, m, m), vh: transposed(turned.u, n, columns) };
  }
  const scale = scaleOf(a);
  for (let i = 0; i < a.length; i++) a[i]! *= scale;
  if (m === n) return square(matmul, a, n, scale, want !== 'values');
  const taus = factorize(matmul, a, m, n);
  const triangle = new Float64Array(n * n);
  for (let i = 0; i < n; i++) triangle.set(a.subarray(i * n + i, (i + 1) * n), i * n + i);
  const inner = square(matmul, triangle, n, scale, want !== 'values');
  if (inner === undefined || want === 'values') return inner;
  const columns = want === 'all' ? m : n;
  const q = orthogonal(matmul, a, taus, m, n, columns);
  // The columns beyond the first n are not turned.
  const u = q.slice();
  const plain = (elements: Float64Array, lead: number) => ({ elements, offset: 0, strides: [lead, 1] });
  matmul.run(plain(q, columns), plain(inner.u, n), plain(u, columns), m, n, n);
  return { ...inner, u };
}

function square(matmul: Matmul, a: Float64Array, n: number, scale: number, vectors: boolean): Svd | undefined {
  const { diagonal, above, left, right } = bidiagonalize(matmul, a, n);
  let [ofU, ofV]: [Sweeps | undefined, Sweeps | undefined] = [undefined, undefined];
  if (vectors) {
    const [q, p] = [left(), right()];
    const room = sweepRoom(n, n);
    const workspace = new Workspace(room, room);
    // A row for each vector.
    ofU = new Sweeps(workspace, n, n, (row, column) => q[column * n + row] as number);
    ofV = new Sweeps(workspace, n, n, (row, column) => p[column * n + row] as number);
  }
  if (!diagonalize(diagonal, above, n, ofU, ofV)) return undefined;
  const order = [...diagonal.keys()].sort((i, j) => Math.abs(diagonal[j] as number) - Math.abs(diagonal[i] as number));
  const s = Float64Array.from(order, (from) => Math.abs(diagonal[from] as number) / scale);
  const size = vectors ? n * n : 0;
  const [u, vh] = [new Float64Array(size), new Float64Array(size)];
  for (const [to, from] of order.entries()) {
    const sign = (diagonal[from] as number) < 0 ? -1 : 1;
    ofU?.row(from, (i, x) => {
      u[i * n + to] = x;
    });
    ofV?.row(from, (j, x) => {
      vh[to * n + j] = sign * x;
    });
  }
  return { s, u, vh };
}

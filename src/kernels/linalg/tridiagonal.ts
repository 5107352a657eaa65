import type { Matmul } from '../matmul/index.ts';
import { orthogonal, reflector } from './householder.ts';
import { COLUMN_STEP } from './kernels.ts';
import { leadOf, vectorRoom, Workspace } from './workspace.ts';

/** A symmetric matrix Q T Q', where T has these three diagonals, the outer ones alike. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Beside the diagonal; the last element is 0. */
  readonly beside: Float64Array;
  /** Q, if it is asked for. */
  vectors(): Float64Array;
}

/**
 * Householder's reduction of a symmetric matrix, of which the lower triangle is looked at. What a reflection changes is subtracted in the same
 * pass over the matrix in which the next one is multiplied with it (as in J. Dongarra, D. Sorensen and S. Hammarling, "Block reduction of
 * matrices to condensed forms for eigenvalue computations", 1989, but one at a time): a pass reads and writes the matrix once. `a` is written
 * over; `scale`: what its elements are multiplied with.
 */
export function tridiagonalize(matmul: Matmul, a: Float64Array, n: number, scale: number): Tridiagonal {
  const lead = leadOf(n);
  const [matrixRoom, room] = [(n + 2) * lead, vectorRoom(n)];
  const workspace = new Workspace(matrixRoom, room, room, room, room);
  const { elements: x, kernels } = workspace;
  const matrix = workspace.take(matrixRoom);
  let [v, w, z, p] = [room, room, room, room].map((each) => workspace.take(each)) as [number, number, number, number];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const own = (a[i * n + j] as number) * scale;
      x[matrix + i * lead + j] = own;
      x[matrix + j * lead + i] = own;
    }
  }
  const [diagonal, beside, taus] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    const row = matrix + k * lead;
    const [vk, wk] = [x[v + k] as number, x[w + k] as number];
    for (let j = k; j < n; j++) x[row + j]! -= vk * (x[w + j] as number) + wk * (x[v + j] as number);
    diagonal[k] = x[row + k] as number;
    const first = k + 1;
    if (first === n) break;
    const tau = reflector(x, row + first, n - first, 1);
    taus[k] = tau;
    beside[k] = x[row + first] as number;
    // From here on there are only the columns behind k.
    x[v + k] = 0;
    x[w + k] = 0;
    x.fill(0, z, z + first);
    x[z + first] = 1;
    for (let j = first + 1; j < n; j++) x[z + j] = x[row + j] as number;
    const from = first - (first % COLUMN_STEP);
    kernels.update2(
      8 * (row + lead + from),
      8 * lead,
      8 * (v + first),
      8 * (w + first),
      8 * (v + from),
      8 * (w + from),
      8 * (z + from),
      8 * (p + first),
      Math.ceil((n - first) / 2),
      8 * (lead - from),
    );
    let along = 0;
    for (let i = first; i < n; i++) along += (x[p + i] as number) * (x[z + i] as number);
    const half = (tau * tau * along) / 2;
    for (let i = first; i < n; i++) x[p + i] = tau * (x[p + i] as number) - half * (x[z + i] as number);
    // What is subtracted in the next pass. The products of that one have the room of this one's.
    [v, z, w, p] = [z, v, p, w];
  }
  for (let i = 0; i < n; i++) a.set(x.subarray(matrix + i * lead, matrix + i * lead + n), i * n);
  return { diagonal, beside, vectors: () => rowReflections(matmul, a, taus, n, n) };
}

/**
 * The product of reflections whose vectors lie in the rows of a matrix (`lead` from one to the next), that of row k from the column k + 1 on;
 * the first element of each, which is not stored, is 1.
 */
export function rowReflections(
  matmul: Matmul,
  a: Float64Array,
  taus: Float64Array,
  n: number,
  lead: number,
): Float64Array {
  const q = new Float64Array(n * n);
  q[0] = 1;
  const less = n - 1;
  if (less === 0) return q;
  const columns = new Float64Array(less * less);
  for (let k = 0; k < less; k++)
    for (let i = k + 1; i < less; i++) columns[i * less + k] = a[k * lead + 1 + i] as number;
  const inner = orthogonal(matmul, columns, taus.subarray(0, less), less, less, less);
  for (let i = 0; i < less; i++) q.set(inner.subarray(i * less, (i + 1) * less), (i + 1) * n + 1);
  return q;
}

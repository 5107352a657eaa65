import type { Matmul } from '../matmul/index.ts';
import { orthogonal, reflector } from './householder.ts';
import { COLUMN_STEP } from './kernels.ts';
import { rowReflections } from './tridiagonal.ts';
import { leadOf, vectorRoom, Workspace } from './workspace.ts';

/** A square matrix Q B P', where B has these two diagonals. */
export interface Bidiagonal {
  readonly diagonal: Float64Array;
  /** Above the diagonal; the last element is 0. */
  readonly above: Float64Array;
  left(): Float64Array;
  right(): Float64Array;
}

/**
 * Reduction by reflections from both sides in turn (G. Golub and W. Kahan, "Calculating the singular values and pseudo-inverse of a matrix", 1965).
 * What both of them change is subtracted in the pass in which the next one from the left gets its products; another pass, which only reads,
 * has those from the right (as in G. Howell et al., "Cache efficient bidiagonalization using BLAS 2.5 operators", 2008). `a` is written over.
 */
export function bidiagonalize(matmul: Matmul, a: Float64Array, n: number): Bidiagonal {
  const lead = leadOf(n);
  const [matrixRoom, room] = [(n + 4) * lead, vectorRoom(n)];
  const workspace = new Workspace(matrixRoom, room, room, room, room, room, room, room);
  const { elements: x, kernels } = workspace;
  const matrix = workspace.take(matrixRoom);
  // The matrix still loses u y' + xs v'. The others are the next ones of u, v and y.
  let [u, y, xs, v, nextU, nextV, sums] = Array.from({ length: 7 }, () => workspace.take(room)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < n; i++) x.set(a.subarray(i * n, (i + 1) * n), matrix + i * lead);
  const [diagonal, above] = [new Float64Array(n), new Float64Array(n)];
  const [leftTaus, rightTaus] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    const row = matrix + k * lead;
    const [yk, vk] = [x[y + k] as number, x[v + k] as number];
    for (let i = k, at = row + k; i < n; i++, at += lead)
      x[at]! -= (x[u + i] as number) * yk + (x[xs + i] as number) * vk;
    const tau = reflector(x, row + k, n - k, lead);
    leftTaus[k] = tau;
    diagonal[k] = x[row + k] as number;
    const first = k + 1;
    if (first === n) break;
    // From here on there are only the columns behind k.
    x[y + k] = 0;
    x[v + k] = 0;
    x.fill(0, nextU, nextU + k);
    x[nextU + k] = 1;
    for (let i = first, at = row + lead + k; i < n; i++, at += lead) x[nextU + i] = x[at] as number;
    const from = first - (first % COLUMN_STEP);
    x.fill(0, sums, sums + room);
    kernels.updateSums(
      8 * (row + from),
      8 * lead,
      8 * (u + k),
      8 * (xs + k),
      8 * (nextU + k),
      8 * (y + from),
      8 * (v + from),
      8 * (sums + from),
      Math.ceil((n - k) / 2),
      8 * (lead - from),
    );
    x.fill(0, sums, sums + first);
    for (let j = first; j < n; j++) {
      const own = tau * (x[sums + j] as number);
      x[sums + j] = own;
      x[row + j]! -= own;
    }
    const rightTau = reflector(x, row + first, n - first, 1);
    rightTaus[k] = rightTau;
    above[k] = x[row + first] as number;
    x.fill(0, nextV, nextV + first);
    x[nextV + first] = 1;
    for (let j = first + 1; j < n; j++) x[nextV + j] = x[row + j] as number;
    kernels.products(
      8 * (row + lead + from),
      8 * lead,
      8 * (nextV + from),
      8 * (xs + first),
      Math.ceil((n - first) / 4),
      8 * (lead - from),
    );
    let along = 0;
    for (let j = first; j < n; j++) along += (x[sums + j] as number) * (x[nextV + j] as number);
    for (let i = first; i < n; i++) x[xs + i] = rightTau * ((x[xs + i] as number) - (x[nextU + i] as number) * along);
    [u, y, v, nextU, nextV, sums] = [nextU, sums, nextV, u, v, y];
  }
  for (let i = 0; i < n; i++) a.set(x.subarray(matrix + i * lead, matrix + i * lead + n), i * n);
  return {
    diagonal,
    above,
    left: () => orthogonal(matmul, a, leftTaus, n, n, n),
    right: () => rowReflections(matmul, a, rightTaus, n, n),
  };
}

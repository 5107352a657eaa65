import type { Matmul } from '../matmul/index.ts';
import { scaleOf } from './algebra.ts';
import { Sweeps, sweepRoom } from './sweeps.ts';
import { tridiagonalize } from './tridiagonal.ts';
import { Workspace } from './workspace.ts';

/** Of one eigenvalue. Two or three are usual. */
const MOST_ITERATIONS = 60;
/** Squares of smaller numbers than this lose digits. */
const SMALL = 2 ** -500;

/**
 * Eigenvalues, ascending, and eigenvectors of a symmetric matrix: Householder's reduction to a tridiagonal one, then implicit QL steps
 * (R. Martin, C. Reinsch, J. Wilkinson, "Householder's tridiagonalization of a symmetric matrix", 1968; A. Dubrulle, R. Martin,
 * J. Wilkinson, "The implicit QL algorithm", 1968: EISPACK's imtql2). Of `a` the lower triangle is looked at; with `vectors` their
 * columns replace it. Undefined if it does not converge.
 */
export function symmetricEigen(matmul: Matmul, a: Float64Array, n: number, vectors: boolean): Float64Array | undefined {
  const scale = scaleOf(a);
  const { diagonal, beside, vectors: reflections } = tridiagonalize(matmul, a, n, scale);
  let sweeps: Sweeps | undefined;
  if (vectors) {
    const q = reflections();
    // A row for each eigenvector.
    sweeps = new Sweeps(new Workspace(sweepRoom(n, n)), n, n, (row, column) => q[column * n + row] as number);
  }
  if (!iterate(diagonal, beside, sweeps, n)) return undefined;
  const order = [...diagonal.keys()].sort((i, j) => (diagonal[i] as number) - (diagonal[j] as number));
  for (const [to, from] of order.entries()) {
    sweeps?.row(from, (i, x) => {
      a[i * n + to] = x;
    });
  }
  return Float64Array.from(order, (from) => (diagonal[from] as number) / scale);
}

function length2(f: number, g: number): number {
  const sum = f * f + g * g;
  return sum > SMALL ? Math.sqrt(sum) : Math.hypot(f, g);
}

function iterate(d: Float64Array, e: Float64Array, sweeps: Sweeps | undefined, n: number): boolean {
  // What is nothing beside the largest elements so far does not change the eigenvalues by more than rounding them does (as in
  // EISPACK's tql2). Beside its own neighbours alone, where all of them are roundings, it might never become small.
  let large = 0;
  for (let l = 0; l < n; l++) {
    large = Math.max(large, Math.abs(d[l] as number) + Math.abs(e[l] as number));
    for (let iterations = 0; ; iterations++) {
      let m = l;
      while (m < n - 1 && large + Math.abs(e[m] as number) !== large) m++;
      if (m === l) break;
      if (iterations === MOST_ITERATIONS) return false;
      step(d, e, sweeps, l, m);
    }
  }
  return true;
}

/** One QL step of the rows l to m, with the shift that Wilkinson proposed. */
function step(d: Float64Array, e: Float64Array, sweeps: Sweeps | undefined, l: number, m: number): void {
  const own = d[l] as number;
  let g = ((d[l + 1] as number) - own) / (2 * (e[l] as number));
  const root = Math.hypot(g, 1);
  g = (d[m] as number) - own + (e[l] as number) / (g + (g < 0 ? -root : root));
  let [sine, cosine, shift] = [1, 1, 0];
  sweeps?.begin(m, -1, m - l);
  for (let i = m - 1; i >= l; i--) {
    const f = sine * (e[i] as number);
    const b = cosine * (e[i] as number);
    const r = length2(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // What was left of it is gone: the matrix has fallen apart here.
      d[i + 1]! -= shift;
      e[m] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const next = (d[i + 1] as number) - shift;
    const t = ((d[i] as number) - next) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = next + shift;
    g = cosine * t - b;
    sweeps?.turn(cosine, sine);
  }
  d[l]! -= shift;
  e[l] = g;
  e[m] = 0;
}

import { scaleOf } from './algebra.ts';
import { reflector } from './householder.ts';
import { Rows } from './rows.ts';

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
export function symmetricEigen(a: Float64Array, n: number, vectors: boolean): Float64Array | undefined {
  const scale = scaleOf(a);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const own = (a[i * n + j] as number) * scale;
      a[i * n + j] = own;
      a[j * n + i] = own;
    }
  }
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const taus = tridiagonalize(a, n, diagonal, beside);
  // A row for each eigenvector, so that rotations of two of them run along memory.
  const rows = vectors ? reflections(a, taus, n) : undefined;
  if (!iterate(diagonal, beside, rows, n)) return undefined;
  const order = [...diagonal.keys()].sort((i, j) => (diagonal[i] as number) - (diagonal[j] as number));
  if (rows !== undefined) {
    for (const [to, from] of order.entries()) {
      for (const [i, x] of rows.row(from, n).entries()) a[i * n + to] = x;
    }
  }
  return Float64Array.from(order, (from) => (diagonal[from] as number) / scale);
}

/** Leaves the vector of the reflection k in row k, from the column k + 2 on; gives the factors. */
function tridiagonalize(a: Float64Array, n: number, diagonal: Float64Array, beside: Float64Array): Float64Array {
  const taus = new Float64Array(n);
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k] as number;
    const length = n - k - 1;
    if (length === 0) break;
    const first = k * n + k + 1;
    const tau = reflector(a, first, length, 1);
    taus[k] = tau;
    beside[k] = a[first] as number;
    if (tau === 0) continue;
    v[0] = 1;
    for (let i = 1; i < length; i++) v[i] = a[first + i] as number;
    let along = 0;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let j = 0, at = (k + 1 + i) * n + k + 1; j < length; j++) sum += (a[at++] as number) * (v[j] as number);
      w[i] = tau * sum;
      along += (w[i] as number) * (v[i] as number);
    }
    const half = (tau * along) / 2;
    for (let i = 0; i < length; i++) w[i]! -= half * (v[i] as number);
    for (let i = 0; i < length; i++) {
      const [x, y] = [v[i] as number, w[i] as number];
      for (let j = 0, at = (k + 1 + i) * n + k + 1; j < length; j++)
        a[at++]! -= x * (w[j] as number) + y * (v[j] as number);
    }
  }
  return taus;
}

/** The transpose of the product of all reflections. */
function reflections(a: Float64Array, taus: Float64Array, n: number): Rows {
  const rows = new Rows(n, n);
  const { elements: q, lead } = rows;
  for (let i = 0; i < n; i++) q[i * lead + i] = 1;
  const v = new Float64Array(n);
  // From the right, the last one first: each row of the transpose is reflected.
  for (let k = n - 2; k >= 0; k--) {
    const tau = taus[k] as number;
    if (tau === 0) continue;
    const length = n - k - 1;
    v[0] = 1;
    for (let i = 1; i < length; i++) v[i] = a[k * n + k + 1 + i] as number;
    for (let row = k + 1; row < n; row++) {
      const first = row * lead + k + 1;
      let sum = 0;
      for (let i = 0; i < length; i++) sum += (q[first + i] as number) * (v[i] as number);
      sum *= tau;
      for (let i = 0; i < length; i++) q[first + i]! -= sum * (v[i] as number);
    }
  }
  return rows;
}

function length2(f: number, g: number): number {
  const sum = f * f + g * g;
  return sum > SMALL ? Math.sqrt(sum) : Math.hypot(f, g);
}

function iterate(d: Float64Array, e: Float64Array, rows: Rows | undefined, n: number): boolean {
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
      step(d, e, rows, l, m);
    }
  }
  return true;
}

/** One QL step of the rows l to m, with the shift that Wilkinson proposed. */
function step(d: Float64Array, e: Float64Array, rows: Rows | undefined, l: number, m: number): void {
  const own = d[l] as number;
  let g = ((d[l + 1] as number) - own) / (2 * (e[l] as number));
  const root = Math.hypot(g, 1);
  g = (d[m] as number) - own + (e[l] as number) / (g + (g < 0 ? -root : root));
  let [sine, cosine, shift] = [1, 1, 0];
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
    rows?.rotate(i, i + 1, cosine, sine);
  }
  d[l]! -= shift;
  e[l] = g;
  e[m] = 0;
}

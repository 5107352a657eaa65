/**
 * Eigenvalues and eigenvectors in the order in which Eigen's `EigenSolver`, and so DAPHNE, gives them: that in which a QR iteration with
 * Francis's double shifts finds them from the last row on (G. Golub and C. Van Loan, "Matrix Computations", 7.5). The matrix is symmetric, so
 * that all of them are real; what `eigh` gives in ascending order is the same but for order and signs.
 */

const EPSILON = 2 ** -52;
/** Iterations for each row, at most. */
const MOST_TURNS = 40;
const LEAST = 2.2250738585072014e-308;

/** Column by column, which is how reflections go through U; T is symmetric up to rounding, or goes both ways. */
type Square = Float64Array;

export interface Eigen {
  readonly values: Float64Array;
  /** Row by row; columns are vectors of length 1. */
  readonly vectors: Float64Array;
}

/** Undefined: it does not converge. */
export function eigenOf(matrix: Float64Array, n: number): Eigen | undefined {
  let scale = 0;
  for (const each of matrix) scale = Math.max(scale, Math.abs(each));
  const t = new Float64Array(n * n);
  const u = new Float64Array(n * n);
  for (let i = 0; i < n; i++) u[i * n + i] = 1;
  if (scale >= LEAST) {
    // Symmetric: by columns it is the same.
    for (let i = 0; i < t.length; i++) t[i] = matrix[i]! / scale;
    hessenberg(t, u, n);
    if (!schur(t, u, n)) return undefined;
    for (let i = 0; i < t.length; i++) t[i]! *= scale;
  }
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = t[i * n + i]!;
  return { values, vectors: vectorsOf(t, u, n, values) };
}

/** A reflection that turns a vector into a multiple of the first axis: v = (1, tail), H = 1 - tau v v'. */
interface Reflection {
  readonly tail: readonly number[];
  readonly tau: number;
  readonly beta: number;
}

function reflection(vector: ArrayLike<number>): Reflection {
  const first = vector[0]!;
  let rest = 0;
  for (let i = 1; i < vector.length; i++) rest += vector[i]! * vector[i]!;
  if (rest <= LEAST) return { tail: new Array<number>(vector.length - 1).fill(0), tau: 0, beta: first };
  const length = Math.sqrt(first * first + rest);
  const beta = first >= 0 ? -length : length;
  const tail: number[] = [];
  for (let i = 1; i < vector.length; i++) tail.push(vector[i]! / (first - beta));
  return { tail, tau: (beta - first) / beta, beta };
}

/** To rows `row`, ... of the columns from `from` up to `to`. */
function applyLeft(a: Square, n: number, { tail, tau }: Reflection, row: number, from: number, to: number): void {
  if (tau === 0) return;
  const length = tail.length;
  for (let column = from; column < to; column++) {
    const at = column * n + row;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += tail[i]! * a[at + 1 + i]!;
    sum += a[at]!;
    a[at]! -= tau * sum;
    for (let i = 0; i < length; i++) a[at + 1 + i]! -= tau * tail[i]! * sum;
  }
}

/** To columns `column`, ... of the rows up to `to`. */
function applyRight(a: Square, n: number, { tail, tau }: Reflection, column: number, to: number): void {
  if (tau === 0) return;
  const length = tail.length;
  const sums = new Float64Array(to);
  for (let i = 0; i < length; i++) {
    const at = (column + 1 + i) * n;
    for (let row = 0; row < to; row++) sums[row]! += tail[i]! * a[at + row]!;
  }
  const first = column * n;
  for (let row = 0; row < to; row++) {
    sums[row]! += a[first + row]!;
    a[first + row]! -= tau * sums[row]!;
  }
  for (let i = 0; i < length; i++) {
    const at = (column + 1 + i) * n;
    for (let row = 0; row < to; row++) a[at + row]! -= tau * tail[i]! * sums[row]!;
  }
}

/** Three columns at once, of many rows: what most of the time goes into. */
function applyRightThree(a: Square, n: number, { tail, tau }: Reflection, column: number, to: number): void {
  if (tau === 0) return;
  const [p, q] = tail as [number, number];
  const [tp, tq] = [tau * p, tau * q];
  for (let i = column * n, end = i + to; i < end; i++) {
    const sum = a[i]! + p * a[i + n]! + q * a[i + 2 * n]!;
    a[i]! -= tau * sum;
    a[i + n]! -= tp * sum;
    a[i + 2 * n]! -= tq * sum;
  }
}

function hessenberg(a: Square, u: Square, n: number): void {
  const made: Reflection[] = [];
  for (let i = 0; i < n - 1; i++) {
    const own = reflection(a.subarray(i * n + i + 1, (i + 1) * n));
    made.push(own);
    a[i * n + i + 1] = own.beta;
    a.fill(0, i * n + i + 2, (i + 1) * n);
    applyLeft(a, n, own, i + 1, i + 1, n);
    applyRight(a, n, own, i + 1, n);
  }
  // H0 H1 ...: from the last one on, of which only the lower right corner is not that of 1.
  for (let i = n - 2; i >= 0; i--) applyLeft(u, n, made[i]!, i + 1, i + 1, n);
}

function schur(t: Square, u: Square, n: number): boolean {
  const at = (row: number, column: number): number => column * n + row;
  let norm = 0;
  for (let j = 0; j < n; j++) for (let i = 0; i < Math.min(n, j + 2); i++) norm += Math.abs(t[at(i, j)]!);
  const nothing = Math.max(norm * EPSILON * EPSILON, LEAST);
  if (norm === 0) return true;
  let [last, turns, all, shifted] = [n - 1, 0, 0, 0];
  while (last >= 0) {
    let first = last;
    for (; first > 0; first--) {
      const beside = Math.abs(t[at(first - 1, first - 1)]!) + Math.abs(t[at(first, first)]!);
      if (Math.abs(t[at(first, first - 1)]!) <= Math.max(beside * EPSILON, nothing)) break;
    }
    if (first === last) {
      t[at(last, last)]! += shifted;
      if (last > 0) t[at(last, last - 1)] = 0;
      last--;
      turns = 0;
    } else if (first === last - 1) {
      splitTwo(t, u, n, last, shifted);
      last -= 2;
      turns = 0;
    } else {
      const [shift, more] = shiftOf(t, n, last, turns);
      shifted += more;
      turns++;
      if (++all > MOST_TURNS * n) return false;
      francis(t, u, n, first, last, shift);
    }
  }
  return true;
}

type Three = [number, number, number];

/** The shift from the last two rows; now and then another one, where they alone lead nowhere. Second: what was taken off the diagonal. */
function shiftOf(t: Square, n: number, last: number, turns: number): [Three, number] {
  const at = (row: number, column: number): number => column * n + row;
  const shift: Three = [
    t[at(last, last)]!,
    t[at(last - 1, last - 1)]!,
    t[at(last, last - 1)]! * t[at(last - 1, last)]!,
  ];
  if (turns === 10) {
    const off = shift[0];
    for (let i = 0; i <= last; i++) t[at(i, i)]! -= off;
    const size = Math.abs(t[at(last, last - 1)]!) + Math.abs(t[at(last - 1, last - 2)]!);
    return [[0.75 * size, 0.75 * size, -0.4375 * size * size], off];
  }
  if (turns === 30) {
    const half = (shift[1] - shift[0]) / 2;
    const square = half * half + shift[2];
    if (square > 0) {
      const root = (shift[1] < shift[0] ? -Math.sqrt(square) : Math.sqrt(square)) + half;
      const off = shift[0] - shift[2] / root;
      for (let i = 0; i <= last; i++) t[at(i, i)]! -= off;
      return [[0.964, 0.964, 0.964], off];
    }
  }
  return [shift, 0];
}

/** Two rows that belong together: by a rotation they become two values. */
function splitTwo(t: Square, u: Square, n: number, last: number, shifted: number): void {
  const at = (row: number, column: number): number => column * n + row;
  const [i, j] = [last - 1, last];
  const p = 0.5 * (t[at(i, i)]! - t[at(j, j)]!);
  const q = p * p + t[at(j, i)]! * t[at(i, j)]!;
  t[at(j, j)]! += shifted;
  t[at(i, i)]! += shifted;
  if (q >= 0) {
    const z = Math.sqrt(Math.abs(q));
    const [c, s] = rotation(p >= 0 ? p + z : p - z, t[at(j, i)]!);
    for (let column = i; column < n; column++) {
      const [x, y] = [t[at(i, column)]!, t[at(j, column)]!];
      t[at(i, column)] = c * x - s * y;
      t[at(j, column)] = s * x + c * y;
    }
    rotateColumns(t, n, i, last + 1, c, s);
    t[at(j, i)] = 0;
    rotateColumns(u, n, i, n, c, s);
  }
  if (i > 0) t[at(i, i - 1)] = 0;
}

function rotateColumns(a: Square, n: number, column: number, rows: number, c: number, s: number): void {
  for (let k = column * n, end = k + rows; k < end; k++) {
    const [x, y] = [a[k]!, a[k + n]!];
    a[k] = c * x - s * y;
    a[k + n] = s * x + c * y;
  }
}

/** Cosine and sine of Givens's rotation that turns (p, q) into (r, 0). */
function rotation(p: number, q: number): [number, number] {
  if (q === 0) return [p < 0 ? -1 : 1, 0];
  if (p === 0) return [0, q < 0 ? 1 : -1];
  if (Math.abs(p) > Math.abs(q)) {
    const t = q / p;
    const u = p < 0 ? -Math.sqrt(1 + t * t) : Math.sqrt(1 + t * t);
    return [1 / u, -t / u];
  }
  const t = p / q;
  const u = q < 0 ? -Math.sqrt(1 + t * t) : Math.sqrt(1 + t * t);
  return [t / u, -1 / u];
}

/** A step of the iteration between two rows. */
function francis(t: Square, u: Square, n: number, first: number, last: number, shift: Three): void {
  const at = (row: number, column: number): number => column * n + row;
  let start = last - 2;
  let vector: Three = [0, 0, 0];
  for (; start >= first; start--) {
    const own = t[at(start, start)]!;
    const [r, s] = [shift[0] - own, shift[1] - own];
    vector = [
      (r * s - shift[2]) / t[at(start + 1, start)]! + t[at(start, start + 1)]!,
      t[at(start + 1, start + 1)]! - own - r - s,
      t[at(start + 2, start + 1)]!,
    ];
    if (start === first) break;
    const left = t[at(start, start - 1)]! * (Math.abs(vector[1]) + Math.abs(vector[2]));
    const around = Math.abs(t[at(start - 1, start - 1)]!) + Math.abs(own) + Math.abs(t[at(start + 1, start + 1)]!);
    if (Math.abs(left) < EPSILON * vector[0] * around) break;
  }
  for (let k = start; k <= last - 2; k++) {
    const isFirst = k === start;
    const own = reflection(isFirst ? vector : t.subarray(at(k, k - 1), at(k, k - 1) + 3));
    if (own.beta === 0) continue;
    if (isFirst && k > first) t[at(k, k - 1)] = -t[at(k, k - 1)]!;
    else if (!isFirst) t[at(k, k - 1)] = own.beta;
    applyLeft(t, n, own, k, k, n);
    applyRightThree(t, n, own, k, Math.min(last, k + 3) + 1);
    applyRightThree(u, n, own, k, n);
  }
  const from = at(last - 1, last - 2);
  const own = reflection(t.subarray(from, from + 2));
  if (own.beta !== 0) {
    t[from] = own.beta;
    applyLeft(t, n, own, last - 1, last - 1, n);
    applyRight(t, n, own, last - 1, last + 1);
    applyRight(u, n, own, last - 1, n);
  }
  for (let i = start + 2; i <= last; i++) {
    t[at(i, i - 2)] = 0;
    if (i > start + 2) t[at(i, i - 3)] = 0;
  }
}

/** Of the triangle by substitution, then turned back. */
function vectorsOf(t: Square, u: Square, n: number, values: Float64Array): Float64Array {
  let norm = 0;
  for (let j = 0; j < n; j++) for (let i = 0; i < Math.min(n, j + 2); i++) norm += Math.abs(t[j * n + i]!);
  const vectors = new Float64Array(n * n);
  const column = new Float64Array(n);
  const turned = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    column.fill(0);
    column[k] = 1;
    for (let i = k - 1; i >= 0; i--) {
      let sum = 0;
      for (let j = i + 1; j <= k; j++) sum += t[j * n + i]! * column[j]!;
      const apart = t[i * n + i]! - values[k]!;
      column[i] = apart !== 0 ? -sum / apart : -sum / (EPSILON * norm);
      const size = Math.abs(column[i]!);
      if (EPSILON * size * size > 1) for (let j = i; j <= k; j++) column[j]! /= size;
    }
    turned.fill(0);
    for (let j = 0; j <= k; j++) {
      const by = column[j]!;
      if (by !== 0) for (let i = 0, from = j * n; i < n; i++) turned[i]! += by * u[from + i]!;
    }
    let square = 0;
    for (const each of turned) square += each * each;
    const length = Math.sqrt(square);
    for (let i = 0; i < n; i++) vectors[i * n + k] = length > 0 ? turned[i]! / length : turned[i]!;
  }
  return vectors;
}

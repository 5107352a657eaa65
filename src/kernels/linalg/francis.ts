/**
 * Eigenvalues and eigenvectors of a symmetric matrix by the way that is for matrices of any kind: a Hessenberg matrix, then implicit double
 * shifts (J. Francis, "The QR transformation", 1961; G. Golub, C. Van Loan, "Matrix Computations", 7.5), then back substitution (EISPACK's
 * hqr2). It is slower than what knows that the matrix is symmetric, and gives them in the order in which they split off. That order, and the signs of
 * vectors, are those of the C++ library Eigen, `EigenSolver`, whose choices (of signs, shifts and thresholds) are made here. Operations come in its order as well: how
 * many steps it takes until an element counts as 0 may hang on the last bit, and with that the sign of a vector.
 */

const EPSILON = 2 ** -52;
const SMALLEST = 2 ** -1022;
/** For each row. */
const MOST_STEPS = 40;

interface Reflection {
  /** Behind a leading 1. */
  readonly tail: readonly number[];
  readonly factor: number;
  readonly head: number;
}

/** I - factor (1, tail)(1, tail)', which takes a vector to `head` times the first unit vector. */
function reflectionOf(vector: readonly number[]): Reflection {
  const [first = 0, ...rest] = vector;
  const squares = rest.reduce((sum, x) => sum + x * x, 0);
  if (squares <= SMALLEST) return { tail: rest.map(() => 0), factor: 0, head: first };
  const norm = Math.sqrt(first * first + squares);
  const head = first >= 0 ? -norm : norm;
  return { tail: rest.map((x) => x / (first - head)), factor: (head - first) / head, head };
}

/** A square matrix that is worked on in place, row by row. */
class Square {
  readonly #all: Float64Array;
  readonly #n: number;

  constructor(all: Float64Array, n: number) {
    this.#all = all;
    this.#n = n;
  }

  at(i: number, j: number): number {
    return this.#all[i * this.#n + j] as number;
  }

  put(i: number, j: number, x: number): void {
    this.#all[i * this.#n + j] = x;
  }

  add(i: number, j: number, x: number): void {
    this.#all[i * this.#n + j]! += x;
  }

  /** From the left: the rows from `row` on, of the columns from `column` on. */
  reflectRows({ tail, factor }: Reflection, row: number, column: number): void {
    if (factor === 0) return;
    for (let j = column; j < this.#n; j++) {
      let sum = 0;
      for (let k = 0; k < tail.length; k++) sum += (tail[k] as number) * this.at(row + 1 + k, j);
      sum += this.at(row, j);
      this.add(row, j, -(factor * sum));
      for (let k = 0; k < tail.length; k++) this.add(row + 1 + k, j, -(factor * (tail[k] as number) * sum));
    }
  }

  /** From the right: the columns from `column` on, of so many rows. */
  reflectColumns({ tail, factor }: Reflection, rows: number, column: number): void {
    if (factor === 0) return;
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let k = 0; k < tail.length; k++) sum += this.at(i, column + 1 + k) * (tail[k] as number);
      sum += this.at(i, column);
      sum *= factor;
      this.add(i, column, -sum);
      for (let k = 0; k < tail.length; k++) this.add(i, column + 1 + k, -(sum * (tail[k] as number)));
    }
  }

  /** Row `row` and the next one, or columns, turned. */
  turnRows(c: number, s: number, row: number, column: number): void {
    for (let j = column; j < this.#n; j++) {
      const [x, y] = [this.at(row, j), this.at(row + 1, j)];
      this.put(row, j, c * x - s * y);
      this.put(row + 1, j, s * x + c * y);
    }
  }

  turnColumns(c: number, s: number, rows: number, column: number): void {
    for (let i = 0; i < rows; i++) {
      const [x, y] = [this.at(i, column), this.at(i, column + 1)];
      this.put(i, column, c * x - s * y);
      this.put(i, column + 1, s * x + c * y);
    }
  }
}

/** The eigenvalues; of `a`, all of which is looked at, the columns become the eigenvectors, of length 1. Undefined if it does not converge. */
export function eigenByAllElements(a: Float64Array, n: number): Float64Array | undefined {
  const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  if (scale < SMALLEST) {
    a.set(vectors);
    return new Float64Array(n);
  }
  for (let i = 0; i < a.length; i++) a[i]! /= scale;
  const [t, u] = [new Square(a, n), new Square(vectors, n)];
  toHessenberg(t, u, n);
  if (!toTriangle(t, u, n)) return undefined;
  for (let i = 0; i < a.length; i++) a[i]! *= scale;
  const values = Float64Array.from({ length: n }, (_, i) => t.at(i, i));
  substitute(t, values, n);
  for (let j = n - 1; j >= 0; j--) {
    const column = Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (let k = 0; k <= j; k++) sum += u.at(i, k) * t.at(k, j);
      return sum;
    });
    const norm = Math.sqrt(column.reduce((sum, x) => sum + x * x, 0));
    for (const [i, x] of column.entries()) u.put(i, j, x / norm);
  }
  a.set(vectors);
  return values;
}

function toHessenberg(t: Square, u: Square, n: number): void {
  const reflections: Reflection[] = [];
  for (let i = 0; i + 1 < n; i++) {
    const own = reflectionOf(Array.from({ length: n - i - 1 }, (_, k) => t.at(i + 1 + k, i)));
    reflections.push(own);
    t.put(i + 1, i, own.head);
    for (let k = i + 2; k < n; k++) t.put(k, i, 0);
    t.reflectRows(own, i + 1, i + 1);
    t.reflectColumns(own, n, i + 1);
  }
  for (let i = reflections.length - 1; i >= 0; i--) u.reflectRows(reflections[i] as Reflection, i + 1, i + 1);
}

/** The sum of the magnitudes of what is not 0 in a Hessenberg matrix. */
function normOf(t: Square, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = Math.max(0, i - 1); j < n; j++) sum += Math.abs(t.at(i, j));
  return sum;
}

/** What shifts are taken of: two diagonal elements, and the product of those beside them. */
type Shift = [number, number, number];

function toTriangle(t: Square, u: Square, n: number): boolean {
  const none = Math.max(normOf(t, n) * EPSILON * EPSILON, SMALLEST);
  let [last, steps, all, shifted] = [n - 1, 0, 0, 0];
  while (last >= 0) {
    const first = splitAt(t, last, none);
    if (first === last) {
      t.add(last, last, shifted);
      if (last > 0) t.put(last, last - 1, 0);
      last--;
      steps = 0;
    } else if (first === last - 1) {
      splitPair(t, u, n, last, shifted);
      last -= 2;
      steps = 0;
    } else {
      const shift: Shift = [t.at(last, last), t.at(last - 1, last - 1), t.at(last, last - 1) * t.at(last - 1, last)];
      shifted += unusual(t, last, steps++, shift);
      if (++all > MOST_STEPS * n) return false;
      step(t, u, n, first, last, shift);
    }
  }
  return true;
}

/** Where the block that ends at a row begins: above it the element below the diagonal is as good as 0. */
function splitAt(t: Square, last: number, none: number): number {
  let row = last;
  for (; row > 0; row--) {
    const size = Math.abs(t.at(row - 1, row - 1)) + Math.abs(t.at(row, row));
    if (Math.abs(t.at(row, row - 1)) <= Math.max(size * EPSILON, none)) break;
  }
  return row;
}

/** A block of two rows becomes a triangle. */
function splitPair(t: Square, u: Square, n: number, last: number, shifted: number): void {
  const p = 0.5 * (t.at(last - 1, last - 1) - t.at(last, last));
  const below = t.at(last, last - 1);
  // Of a symmetric matrix it is not negative but by rounding.
  const q = Math.max(0, p * p + below * t.at(last - 1, last));
  t.add(last, last, shifted);
  t.add(last - 1, last - 1, shifted);
  const z = Math.sqrt(q);
  const [c, s] = rotation(p >= 0 ? p + z : p - z, below);
  t.turnRows(c, s, last - 1, last - 1);
  t.turnColumns(c, s, last + 1, last - 1);
  t.put(last, last - 1, 0);
  u.turnColumns(c, s, n, last - 1);
  if (last > 1) t.put(last - 1, last - 2, 0);
}

/** Cosine and sine of what turns the second of two numbers to 0. */
function rotation(p: number, q: number): readonly [number, number] {
  if (q === 0) return [p < 0 ? -1 : 1, 0];
  if (p === 0) return [0, q < 0 ? 1 : -1];
  const isSteep = Math.abs(p) > Math.abs(q);
  const t = isSteep ? q / p : p / q;
  const length = Math.sqrt(1 + t * t) * ((isSteep ? p : q) < 0 ? -1 : 1);
  const own = 1 / length;
  return isSteep ? [own, -t * own] : [t * own, -own];
}

/** Shifts that are not usual, where those did not help for long. Gives by how much the diagonal was moved. */
function unusual(t: Square, last: number, steps: number, shift: Shift): number {
  let by = 0;
  if (steps === 10) {
    by = shift[0];
    const size = Math.abs(t.at(last, last - 1)) + Math.abs(t.at(last - 1, last - 2));
    shift.splice(0, 3, 0.75 * size, 0.75 * size, -0.4375 * size * size);
  } else if (steps === 30) {
    const half = (shift[1] - shift[0]) / 2;
    const square = half * half + shift[2];
    if (square <= 0) return 0;
    const root = Math.sqrt(square) * (shift[1] < shift[0] ? -1 : 1) + half;
    by = shift[0] - shift[2] / root;
    shift.fill(0.964);
  }
  if (by !== 0) for (let i = 0; i <= last; i++) t.add(i, i, -by);
  return by;
}

/** A step of Francis on the rows from the first to the last, or from a later one on where that is as good. */
function step(t: Square, u: Square, n: number, first: number, last: number, shift: Shift): void {
  let from = last - 2;
  let vector: [number, number, number];
  for (; ; from--) {
    const own = t.at(from, from);
    const [r, s] = [shift[0] - own, shift[1] - own];
    vector = [
      (r * s - shift[2]) / t.at(from + 1, from) + t.at(from, from + 1),
      t.at(from + 1, from + 1) - own - r - s,
      t.at(from + 2, from + 1),
    ];
    if (from === first) break;
    const left = t.at(from, from - 1) * (Math.abs(vector[1]) + Math.abs(vector[2]));
    const around = Math.abs(t.at(from - 1, from - 1)) + Math.abs(own) + Math.abs(t.at(from + 1, from + 1));
    if (Math.abs(left) < EPSILON * (vector[0] * around)) break;
  }
  for (let k = from; k <= last - 2; k++) {
    const isFirst = k === from;
    const own = reflectionOf(isFirst ? vector : [t.at(k, k - 1), t.at(k + 1, k - 1), t.at(k + 2, k - 1)]);
    if (own.head === 0) continue;
    if (!isFirst) t.put(k, k - 1, own.head);
    else if (k > first) t.put(k, k - 1, -t.at(k, k - 1));
    t.reflectRows(own, k, k);
    t.reflectColumns(own, Math.min(last, k + 3) + 1, k);
    u.reflectColumns(own, n, k);
  }
  const own = reflectionOf([t.at(last - 1, last - 2), t.at(last, last - 2)]);
  if (own.head !== 0) {
    t.put(last - 1, last - 2, own.head);
    t.reflectRows(own, last - 1, last - 1);
    t.reflectColumns(own, last + 1, last - 1);
    u.reflectColumns(own, n, last - 1);
  }
  for (let i = from + 2; i <= last; i++) {
    t.put(i, i - 2, 0);
    if (i > from + 2) t.put(i, i - 3, 0);
  }
}

/** The eigenvectors of the triangle, into its columns. */
function substitute(t: Square, values: Float64Array, n: number): void {
  const norm = normOf(t, n);
  for (let j = n - 1; j >= 0; j--) {
    const value = values[j] as number;
    t.put(j, j, 1);
    for (let i = j - 1; i >= 0; i--) {
      let sum = 0;
      for (let k = i + 1; k <= j; k++) sum += t.at(i, k) * t.at(k, j);
      const apart = t.at(i, i) - value;
      const x = -sum / (apart === 0 ? EPSILON * norm : apart);
      t.put(i, j, x);
      const size = Math.abs(x);
      // So that squares stay in range.
      if (EPSILON * size * size > 1) for (let k = i; k < n; k++) t.put(k, j, t.at(k, j) / size);
    }
  }
}

import type { Matmul } from '../matmul/index.ts';
import { Sweeps, sweepRoom } from './sweeps.ts';
import { tridiagonalize } from './tridiagonal.ts';
import { Workspace } from './workspace.ts';

const EPSILON = 2 ** -52;
const SMALLEST = 2 ** -1022;
/** For each row. */
const MOST_STEPS = 40;

/**
 * The eigenvalues of a symmetric matrix in the order in which Francis' double steps split them off, as `eigenByAllElements` has them; of `a` the lower
 * triangle is looked at, and the columns become the eigenvectors, of length 1. Steps, shifts, thresholds and signs are those of that function, but
 * here it is known that the matrix is symmetric: it stays three diagonals but for a bulge of three elements, and the reflections wait until
 * they are applied to all vectors at once. So roundings differ, and with them the order and the signs may do so, as they do between
 * builds of Eigen for other processors. Undefined if it does not converge.
 */
export function eigenByDoubleSteps(matmul: Matmul, a: Float64Array, n: number): Float64Array | undefined {
  const scale = greatestOf(a);
  if (scale === 0) {
    for (let i = 0; i < n; i++) a[i * n + i] = 1;
    return new Float64Array(n);
  }
  for (let i = 0; i < a.length; i++) a[i]! /= scale;
  const { diagonal, beside, vectors } = tridiagonalize(matmul, a, n, 1);
  const q = vectors();
  // A row for each eigenvector, and one that reflections of two rows take as their third.
  const room = new Workspace(sweepRoom(n + 1, n));
  const sweeps = new Sweeps(room, n + 1, n, (row, column) => (row < n ? (q[column * n + row] as number) : 0));
  if (!new DoubleSteps(diagonal, beside, sweeps).run()) return undefined;
  for (let j = 0; j < n; j++) {
    let squares = 0;
    sweeps.row(j, (_, x) => {
      squares += x * x;
    });
    const norm = Math.sqrt(squares);
    sweeps.row(j, (i, x) => {
      a[i * n + j] = x / norm;
    });
  }
  return diagonal.map((x) => x * scale);
}

function greatestOf(a: Float64Array): number {
  let greatest = 0;
  for (let i = 0; i < a.length; i++) greatest = Math.max(greatest, Math.abs(a[i]!));
  return greatest;
}

/** The tridiagonal matrix, which steps make a diagonal one. */
class DoubleSteps {
  readonly #d: Float64Array;
  /** Below the diagonal: element i is that of the rows i and i + 1. */
  readonly #e: Float64Array;
  readonly #sweeps: Sweeps;
  /** What was subtracted from the diagonal down to the last row that is not done. */
  #shifted = 0;
  /** What reflections are made of. */
  readonly #vector = new Float64Array(3);
  /** A reflection I - factor (1, second, third)(1, second, third)', which takes the vector to `head` times the first unit vector. */
  #second = 0;
  #third = 0;
  #factor = 0;
  #head = 0;

  constructor(d: Float64Array, e: Float64Array, sweeps: Sweeps) {
    this.#d = d;
    this.#e = e;
    this.#sweeps = sweeps;
  }

  /** False if it does not converge. */
  run(): boolean {
    const [d, e] = [this.#d, this.#e];
    const n = d.length;
    let norm = 0;
    for (let i = 0; i < n; i++) norm += Math.abs(d[i]!) + 2 * Math.abs(e[i]!);
    const none = Math.max(norm * EPSILON * EPSILON, SMALLEST);
    let [last, steps, all] = [n - 1, 0, 0];
    while (last >= 0) {
      const first = this.#splitAt(last, none);
      if (first >= last - 1) {
        if (first === last) d[last]! += this.#shifted;
        else this.#splitPair(last);
        last = first - 1;
        if (last >= 0) e[last] = 0;
        steps = 0;
      } else {
        const shift: Shift = [d[last]!, d[last - 1]!, e[last - 1]! * e[last - 1]!];
        this.#unusual(last, steps++, shift);
        if (++all > MOST_STEPS * n) return false;
        this.#step(first, last, shift);
      }
    }
    return true;
  }

  /** Where the block that ends at a row begins: above it the element below the diagonal is as good as 0. */
  #splitAt(last: number, none: number): number {
    let row = last;
    for (; row > 0; row--) {
      const size = Math.abs(this.#d[row - 1]!) + Math.abs(this.#d[row]!);
      if (Math.abs(this.#e[row - 1]!) <= Math.max(size * EPSILON, none)) break;
    }
    return row;
  }

  /** A block of two rows becomes diagonal. */
  #splitPair(last: number): void {
    const [d, e] = [this.#d, this.#e];
    const p = 0.5 * (d[last - 1]! - d[last]!);
    const below = e[last - 1]!;
    const [upper, lower] = [d[last - 1]! + this.#shifted, d[last]! + this.#shifted];
    const z = Math.sqrt(p * p + below * below);
    const long = p >= 0 ? p + z : p - z;
    const length = Math.hypot(long, below);
    const [c, s] = [long / length, -below / length];
    d[last - 1] = c * (c * upper - s * below) - s * (c * below - s * lower);
    d[last] = s * (s * upper + c * below) + c * (s * below + c * lower);
    e[last - 1] = 0;
    this.#sweeps.begin(last - 1, 1, 1);
    this.#sweeps.turn(c, -s);
  }

  /** Shifts that are not usual, where those did not help for long. */
  #unusual(last: number, steps: number, shift: Shift): void {
    let by = 0;
    if (steps === 10) {
      by = shift[0];
      const size = Math.abs(this.#e[last - 1]!) + Math.abs(this.#e[last - 2]!);
      shift.splice(0, 3, 0.75 * size, 0.75 * size, -0.4375 * size * size);
    } else if (steps === 30) {
      const half = (shift[1] - shift[0]) / 2;
      const square = half * half + shift[2];
      if (square <= 0) return;
      by = shift[0] - shift[2] / (Math.sqrt(square) * (shift[1] < shift[0] ? -1 : 1) + half);
      shift.fill(0.964);
    }
    if (by === 0) return;
    for (let i = 0; i <= last; i++) this.#d[i]! -= by;
    this.#shifted += by;
  }

  /** A step of Francis on the rows from the first to the last, or from a later one on where that is as good. */
  #step(first: number, last: number, shift: Shift): void {
    const [d, e, vector] = [this.#d, this.#e, this.#vector];
    const from = this.#begin(first, last, shift);
    this.#sweeps.begin(from, 1, last - from, 'reflections');
    // Elements outside the three diagonals: below that of the column before row k, one and two rows down, and of the column k.
    let [near, far, inner] = [0, 0, 0];
    for (let k = from; k < last; k++) {
      if (k > from) {
        vector[0] = e[k - 1]!;
        vector[1] = near;
        vector[2] = far;
      }
      this.#reflectionOf(vector);
      const [y, z, factor] = [this.#second, this.#third, this.#factor];
      this.#sweeps.reflect(y, z, factor);
      if (k > from) e[k - 1] = this.#head;
      else if (k > first && this.#head !== 0) e[k - 1] = -e[k - 1]!;
      // The block of three rows, of two at the end, becomes (I - factor v v') block (I - factor v v').
      const [b00, b10, b11, b20, b21] = [d[k]!, e[k]!, d[k + 1]!, inner, e[k + 1]!];
      const b22 = k + 2 <= last ? d[k + 2]! : 0;
      let p0 = factor * (b00 + y * b10 + z * b20);
      let p1 = factor * (b10 + y * b11 + z * b21);
      let p2 = factor * (b20 + y * b21 + z * b22);
      const half = (factor * (p0 + y * p1 + z * p2)) / 2;
      p0 -= half;
      p1 -= half * y;
      p2 -= half * z;
      d[k] = b00 - 2 * p0;
      e[k] = b10 - (p1 + y * p0);
      d[k + 1] = b11 - 2 * y * p1;
      near = b20 - (p2 + z * p0);
      if (k + 2 > last) break;
      e[k + 1] = b21 - (y * p2 + z * p1);
      d[k + 2] = b22 - 2 * z * p2;
      // Of the row behind the block the last element alone is not 0.
      const beside = k + 3 <= last ? e[k + 2]! : 0;
      const along = factor * z * beside;
      far = -along;
      inner = -along * y;
      if (k + 3 <= last) e[k + 2] = beside - along * z;
    }
  }

  /** Where the step begins, of whose first column `#vector` is made. */
  #begin(first: number, last: number, shift: Shift): number {
    const [d, e, vector] = [this.#d, this.#e, this.#vector];
    for (let from = last - 2; ; from--) {
      const own = d[from]!;
      const [r, s] = [shift[0] - own, shift[1] - own];
      vector[0] = (r * s - shift[2]) / e[from]! + e[from]!;
      vector[1] = d[from + 1]! - own - r - s;
      vector[2] = e[from + 1]!;
      if (from === first) return from;
      const left = e[from - 1]! * (Math.abs(vector[1]) + Math.abs(vector[2]));
      const around = Math.abs(d[from - 1]!) + Math.abs(own) + Math.abs(d[from + 1]!);
      if (Math.abs(left) < EPSILON * (vector[0] * around)) return from;
    }
  }

  #reflectionOf(vector: Float64Array): void {
    const [x, y, z] = vector as unknown as [number, number, number];
    const squares = y * y + z * z;
    const isNone = squares <= SMALLEST;
    const norm = Math.sqrt(x * x + squares);
    this.#head = isNone ? x : x >= 0 ? -norm : norm;
    this.#second = isNone ? 0 : y / (x - this.#head);
    this.#third = isNone ? 0 : z / (x - this.#head);
    this.#factor = isNone ? 0 : (this.#head - x) / this.#head;
  }
}

type Shift = [number, number, number];

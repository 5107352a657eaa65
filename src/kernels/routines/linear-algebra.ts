import { broadcastShapes, sizeOf } from '../../nd/index.ts';
import { DONE, eigenAsTheyCome, type LinearAlgebra, linearAlgebra, type SvdWant } from '../linalg/index.ts';
import { Matmul } from '../matmul/index.ts';
import {
  epsilonOf,
  finite,
  matrixAt,
  matrixError,
  pairs,
  putMatrix,
  type Stack,
  squareStack,
  stackOf,
} from './matrices.ts';
import { type ArrayType, type Dense, type Params, type Routine, sameType, shapeError } from './routine.ts';

/**
 * Linear algebra on the last two axes, as the Python array API standard has it. Floats of 32 bits are computed in doubles, and rounded
 * at the end. A matrix that does not allow what is asked is a UsageError (ERR_SHEAF_MATRIX).
 */

const least = ({ m, n }: Stack): number => Math.min(m, n);
const like = ({ dtype }: ArrayType, { batch }: Stack, ...shape: number[]): ArrayType => ({
  shape: [...batch, ...shape],
  dtype,
});

/** Calls `work` for each matrix of the stack. */
function each(x: Dense, { m, n, batch }: Stack, work: (a: Float64Array, at: number) => void): void {
  for (let at = 0, count = sizeOf(batch); at < count; at++) work(matrixAt(x, m * n, at), at);
}

/** The lower factor, or with `upper` its transpose, the upper one. */
const cholesky = (algebra: () => LinearAlgebra): Routine => ({
  outputs: ([x]) => [like(x!, squareStack('cholesky', x!), x!.shape.at(-1)!, x!.shape.at(-1)!)],
  run([x], { upper = false }, [into]) {
    const stack = squareStack('cholesky', x!);
    const { n } = stack;
    each(x!, stack, (a, at) => {
      const stopped = algebra().cholesky(a, n);
      if (stopped !== DONE) {
        const why = `is not positive definite, as row ${stopped} shows`;
        throw matrixError('cholesky', why, 'use eigh or solve, which take any', stack, at);
      }
      if (upper === true) {
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < i; j++) {
            a[j * n + i] = a[i * n + j] as number;
            a[i * n + j] = 0;
          }
        }
      }
      putMatrix(into!, n * n, at, a);
    });
  },
});

/** Q and R. `mode`: `reduced`, or `complete` for all columns of Q. */
const qr = (algebra: () => LinearAlgebra): Routine => {
  const columnsOf = (stack: Stack, { mode }: Params): number => (mode === 'complete' ? stack.m : least(stack));
  return {
    outputs([x], params) {
      const stack = stackOf('qr', x!);
      const columns = columnsOf(stack, params);
      return [like(x!, stack, stack.m, columns), like(x!, stack, columns, stack.n)];
    },
    run([x], params, [qOut, rOut]) {
      const stack = stackOf('qr', x!);
      const columns = columnsOf(stack, params);
      each(x!, stack, (a, at) => {
        const { q, r } = emptyQr(stack, columns) ?? algebra().qr(a, stack.m, stack.n, columns);
        putMatrix(qOut!, stack.m * columns, at, q);
        putMatrix(rOut!, columns * stack.n, at, r);
      });
    },
  };
};

function emptyQr({ m, n }: Stack, columns: number): { q: Float64Array; r: Float64Array } | undefined {
  return least({ m, n, batch: [] }) === 0 ? { q: unit(m, columns), r: new Float64Array(columns * n) } : undefined;
}

function unit(rows: number, columns: number): Float64Array {
  const x = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) x[i * columns + i] = 1;
  return x;
}

function svdOf(algebra: LinearAlgebra, operation: string, a: Float64Array, stack: Stack, at: number, want: SvdWant) {
  finite(operation, a, stack, at);
  const { m, n } = stack;
  const k = least(stack);
  if (k === 0) {
    const all = want === 'all';
    return { s: new Float64Array(0), u: unit(m, all ? m : 0), vh: unit(all ? n : 0, n) };
  }
  const svd = algebra.svd(a, m, n, want);
  if (svd !== undefined) return svd;
  throw matrixError(operation, 'has singular values that were not found', 'please report it', stack, at);
}

/** U, S and the transpose of V. `fullMatrices` (true): U and V are square. */
const svd = (algebra: () => LinearAlgebra): Routine => {
  const isFull = ({ fullMatrices = true }: Params): boolean => fullMatrices === true;
  return {
    outputs([x], params) {
      const stack = stackOf('svd', x!);
      const [rows, columns] = isFull(params) ? [stack.m, stack.n] : [least(stack), least(stack)];
      return [like(x!, stack, stack.m, rows), like(x!, stack, least(stack)), like(x!, stack, columns, stack.n)];
    },
    run([x], params, [uOut, sOut, vhOut]) {
      const stack = stackOf('svd', x!);
      each(x!, stack, (a, at) => {
        const { u, s, vh } = svdOf(algebra(), 'svd', a, stack, at, isFull(params) ? 'all' : 'some');
        putMatrix(uOut!, u.length, at, u);
        putMatrix(sOut!, s.length, at, s);
        putMatrix(vhOut!, vh.length, at, vh);
      });
    },
  };
};

/** The singular values, descending. */
const svdvals = (algebra: () => LinearAlgebra): Routine => ({
  outputs([x]) {
    const stack = stackOf('svdvals', x!);
    return [like(x!, stack, least(stack))];
  },
  run([x], _, [into]) {
    const stack = stackOf('svdvals', x!);
    each(x!, stack, (a, at) =>
      putMatrix(into!, least(stack), at, svdOf(algebra(), 'svdvals', a, stack, at, 'values').s),
    );
  },
});

function eigenOf(
  algebra: Pick<LinearAlgebra, 'eigh'>,
  operation: string,
  a: Float64Array,
  stack: Stack,
  at: number,
  vectors: boolean,
) {
  finite(operation, a, stack, at);
  const values = stack.n === 0 ? new Float64Array(0) : algebra.eigh(a, stack.n, vectors);
  if (values !== undefined) return values;
  throw matrixError(operation, 'has eigenvalues that were not found', 'please report it', stack, at);
}

/** All of a symmetric matrix, by its lower triangle. */
function mirrored(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j] as number;
  return a;
}

/** Of symmetric matrices: eigenvalues, ascending unless `sorted` is false, and the matrix whose columns are the eigenvectors. */
const eigh = (algebra: () => LinearAlgebra): Routine => ({
  outputs([x]) {
    const stack = squareStack('eigh', x!);
    return [like(x!, stack, stack.n), like(x!, stack, stack.n, stack.n)];
  },
  run([x], { sorted = true }, [valuesOut, vectorsOut]) {
    const stack = squareStack('eigh', x!);
    const asTheyCome = { eigh: (a: Float64Array, n: number) => eigenAsTheyCome(ownMatmul(), mirrored(a, n), n) };
    each(x!, stack, (a, at) => {
      const by = sorted === false ? asTheyCome : algebra();
      putMatrix(valuesOut!, stack.n, at, eigenOf(by, 'eigh', a, stack, at, true));
      putMatrix(vectorsOut!, stack.n * stack.n, at, a);
    });
  },
});

const eigvalsh = (algebra: () => LinearAlgebra): Routine => ({
  outputs([x]) {
    const stack = squareStack('eigvalsh', x!);
    return [like(x!, stack, stack.n)];
  },
  run([x], _, [into]) {
    const stack = squareStack('eigvalsh', x!);
    each(x!, stack, (a, at) => putMatrix(into!, stack.n, at, eigenOf(algebra(), 'eigvalsh', a, stack, at, false)));
  },
});

function solveInto(
  algebra: LinearAlgebra,
  operation: string,
  a: Float64Array,
  b: Float64Array,
  stack: Stack,
  at: number,
): void {
  const { n } = stack;
  if (n === 0 || b.length === 0) return;
  const stopped = algebra.solve(a, n, b, b.length / n);
  if (stopped === DONE) return;
  const why = `is singular: column ${stopped} is made of the columns before it`;
  throw matrixError(operation, why, 'use pinv, which takes any', stack, at);
}

/** x with a x = b; `b` is a vector if it has one axis, and a stack of matrices otherwise. */
const solve = (algebra: () => LinearAlgebra): Routine => {
  const columnsOf = (a: ArrayType, b: ArrayType, { n }: Stack): number => {
    const isVector = b.shape.length === 1;
    if (b.shape.at(isVector ? -1 : -2) !== n)
      throw shapeError('solve', `the second array has to have ${n} rows`, a.shape, b.shape);
    return isVector ? 1 : (b.shape.at(-1) as number);
  };
  return {
    outputs([a, b]) {
      sameType('solve', a!, b!);
      const stack = squareStack('solve', a!);
      if (b!.shape.length === 1) {
        columnsOf(a!, b!, stack);
        return [like(a!, stack, stack.n)];
      }
      const { batch } = stackOf('solve', b!);
      const columns = columnsOf(a!, b!, stack);
      return [{ shape: [...broadcastShapes('solve', [stack.batch, batch]), stack.n, columns], dtype: a!.dtype }];
    },
    run([a, b], _, [into]) {
      const stack = squareStack('solve', a!);
      const size = stack.n * columnsOf(a!, b!, stack);
      const batch = b!.shape.length === 1 ? [] : b!.shape.slice(0, -2);
      for (const [i, j, to] of pairs('solve', stack.batch, batch)) {
        const x = matrixAt(b!, size, j);
        solveInto(algebra(), 'solve', matrixAt(a!, stack.n * stack.n, i), x, stack, i);
        putMatrix(into!, size, to, x);
      }
    },
  };
};

const inv = (algebra: () => LinearAlgebra): Routine => ({
  outputs: ([x]) => [like(x!, squareStack('inv', x!), x!.shape.at(-1)!, x!.shape.at(-1)!)],
  run([x], _, [into]) {
    const stack = squareStack('inv', x!);
    each(x!, stack, (a, at) => {
      const inverse = unit(stack.n, stack.n);
      solveInto(algebra(), 'inv', a, inverse, stack, at);
      putMatrix(into!, stack.n * stack.n, at, inverse);
    });
  },
});

/** The determinant. */
const det = (algebra: () => LinearAlgebra): Routine => ({
  outputs: ([x]) => [like(x!, squareStack('det', x!))],
  run([x], _, [into]) {
    const stack = squareStack('det', x!);
    each(x!, stack, (a, at) => {
      const { diagonal, exchanges } = algebra().diagonal(a, stack.n);
      into!.elements[at] = diagonal.reduce((product, own) => product * own, exchanges % 2 === 0 ? 1 : -1);
    });
  },
});

/** The sign of the determinant, and the logarithm of its magnitude. */
const slogdet = (algebra: () => LinearAlgebra): Routine => ({
  outputs([x]) {
    const own = like(x!, squareStack('slogdet', x!));
    return [own, own];
  },
  run([x], _, [signs, logarithms]) {
    const stack = squareStack('slogdet', x!);
    each(x!, stack, (a, at) => {
      const { diagonal, exchanges } = algebra().diagonal(a, stack.n);
      let [sign, logarithm] = [exchanges % 2 === 0 ? 1 : -1, 0];
      for (const own of diagonal) {
        sign *= Math.sign(own);
        logarithm += Math.log(Math.abs(own));
      }
      signs!.elements[at] = sign;
      logarithms!.elements[at] = logarithm;
    });
  },
});

/** Singular values up to this share of the greatest one count as 0. */
function cutoff({ rtol }: Params, { dtype }: ArrayType, { m, n }: Stack): number {
  return typeof rtol === 'number' ? rtol : Math.max(m, n) * epsilonOf(dtype);
}

/** How many singular values are not 0. `rtol`: the share of the greatest up to which they are. */
const matrixRank = (algebra: () => LinearAlgebra): Routine => ({
  outputs: ([x]) => [{ shape: stackOf('matrixRank', x!).batch, dtype: 'i64' }],
  run([x], params, [into]) {
    const stack = stackOf('matrixRank', x!);
    each(x!, stack, (a, at) => {
      const { s } = svdOf(algebra(), 'matrixRank', a, stack, at, 'values');
      const least = cutoff(params, x!, stack) * (s[0] ?? 0);
      into!.elements[at] = BigInt(s.filter((value) => value > least).length) as never;
    });
  },
});

/** The pseudo-inverse of Moore and Penrose. `rtol` as that of `matrixRank`. */
const pinv = (algebra: () => LinearAlgebra): Routine => ({
  outputs([x]) {
    const stack = stackOf('pinv', x!);
    return [like(x!, stack, stack.n, stack.m)];
  },
  run([x], params, [into]) {
    const stack = stackOf('pinv', x!);
    const { m, n } = stack;
    const k = least(stack);
    each(x!, stack, (a, at) => {
      const { u, s, vh } = svdOf(algebra(), 'pinv', a, stack, at, 'some');
      const smallest = cutoff(params, x!, stack) * (s[0] ?? 0);
      for (let i = 0; i < k; i++) {
        const own = s[i] as number;
        const factor = own > smallest ? 1 / own : 0;
        for (let j = i * n; j < (i + 1) * n; j++) vh[j]! *= factor;
      }
      const product = new Float64Array(n * m);
      multiply(vh, [1, n], u, [1, k], product, n, k, m);
      putMatrix(into!, n * m, at, product);
    });
  },
});

let matmul: Matmul | undefined;
const ownMatmul = (): Matmul => (matmul ??= new Matmul());

function multiply(
  a: Float64Array,
  aStrides: readonly number[],
  b: Float64Array,
  bStrides: readonly number[],
  into: Float64Array,
  m: number,
  k: number,
  n: number,
): void {
  const to = { elements: into, offset: 0, strides: [n, 1] };
  const left = { elements: a, offset: 0, strides: aStrides };
  ownMatmul().run(left, { elements: b, offset: 0, strides: bStrides }, to, m, k, n);
}

/** The routines, by a way to factorize. */
export const linearAlgebraBy = (algebra: () => LinearAlgebra) => ({
  cholesky: cholesky(algebra),
  qr: qr(algebra),
  svd: svd(algebra),
  svdvals: svdvals(algebra),
  eigh: eigh(algebra),
  eigvalsh: eigvalsh(algebra),
  solve: solve(algebra),
  inv: inv(algebra),
  det: det(algebra),
  slogdet: slogdet(algebra),
  matrixRank: matrixRank(algebra),
  pinv: pinv(algebra),
});

export const LINEAR_ALGEBRA = linearAlgebraBy(linearAlgebra);

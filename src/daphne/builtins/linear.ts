import { type Arr, eigh, solve, where } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isFloat, matrix, mostGeneral, type ValueType } from '../types.ts';
import type { DenseMatrix, Matrix, MaybeLater } from '../values/values.ts';
import { type Builtin, RunError } from './builtin.ts';
import { asType, common, denseOf, PRODUCTS } from './products.ts';
import { diagonalOfLarge, onCellsOf, triangleOfLarge, withLarge } from './sparse-reorganisation.ts';
import { CTABLE } from './tables.ts';
import {
  checkSame,
  elementOf,
  flagOf,
  matrixOf,
  scalarOf,
  wantFlag,
  wantMatrix,
  wantNumbers,
  wantScalar,
} from './wanted.ts';

type NumberType = Exclude<ValueType, 'str'>;

/** Floats stay; others are computed as f64. */
export const floating = (value: NumberType): 'f32' | 'f64' => (isFloat(value) ? value : 'f64');

const notSquare = (what: string) => (rows: number, columns: number) =>
  `${what} takes a square matrix, and this one has ${rows} rows and ${columns} columns`;
const sides = (equations: number, own: number): string =>
  `solve: there are ${equations} equations, and ${own} rows on the right side; they have to be as many`;

const SOLVE: Builtin = {
  name: 'solve',
  parameters: ['lhs', 'rhs'],
  least: 2,
  most: 2,
  infer(call) {
    const [left, right] = [wantNumbers(call, 0), wantNumbers(call, 1)];
    const value = common(left.value, right.value);
    return [matrix(value && floating(value as NumberType), left.rows ?? right.rows, right.columns)];
  },
  run(runtime, _, [lhs, rhs]) {
    const [left, right] = [matrixOf(lhs), matrixOf(rhs)];
    checkSame(left.rows, left.columns, notSquare('solve'));
    checkSame(left.rows, right.rows, sides);
    return all([denseOf(runtime, left, 'solve'), denseOf(runtime, right, 'solve')], ([a, b]) => {
      const value = floating(mostGeneral(a!.value, b!.value) as NumberType);
      const array = solve(asType(a!.array, value) as Arr<'f64'>, asType(b!.array, value) as Arr<'f64'>);
      return reworded(
        () => runtime.computed([array]),
        'solve',
        ([own]) => runtime.matrixOf(own as Elements, value, right.rows, right.columns),
      );
    });
  },
};

/** What to do about a singular matrix, in the words of the language: what arrays have for it (`pinv`), scripts have not. */
const ADVICE = 'leave that column out, or add a little to the diagonal, as in A + diagMatrix(fill(1e-9, nrow(A), 1))';

/** What the arrays say of values that they can't compute with is an error of the script. */
function reworded<T, R>(compute: () => MaybeLater<T>, what: string, next: (value: T) => R): MaybeLater<R> {
  const fail = (error: unknown): never => {
    const { message, details } = error as Error & { readonly details?: { readonly why?: string } };
    const own = what === 'solve' && details?.why !== undefined ? `the matrix ${details.why}; ${ADVICE}` : undefined;
    throw new RunError(`${what}: ${own ?? message.replace(/^\w+: /, '')}`);
  };
  let made: MaybeLater<T>;
  try {
    made = compute();
  } catch (error) {
    return fail(error);
  }
  return made instanceof Promise ? made.then(next, fail) : next(made);
}

const EIGEN: Builtin = {
  name: 'eigen',
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    const { value, rows, columns } = wantNumbers(call, 0);
    const own = value && floating(value as NumberType);
    const length = rows ?? columns;
    return [matrix(own, length, 1), matrix(own, length, length)];
  },
  run(runtime, _, [arg]) {
    const own = matrixOf(arg);
    checkSame(own.rows, own.columns, notSquare('eigen'));
    return then(denseOf(runtime, own, 'eigen'), (dense) =>
      then(runtime.elements(dense), (given) => {
        checkSymmetric(given, own.rows);
        return decomposed(runtime, dense);
      }),
    );
  },
};

/** In the order of Eigen's `EigenSolver`, which is none that values tell. */
function decomposed(runtime: Runtime, own: DenseMatrix): MaybeLater<readonly Matrix[]> {
  const n = own.rows;
  const value = floating(own.value);
  const { eigenvalues, eigenvectors } = eigh(asType(own.array, value) as Arr<'f64'>, { sorted: false });
  return reworded(
    () => runtime.computed([eigenvalues, eigenvectors]),
    'eigen',
    ([values, vectors]) => {
      const turned = value === 'f32' ? turnedUp(vectors as Float32Array, n) : (vectors as Elements);
      return [runtime.matrixOf(values as Elements, value, n, 1), runtime.matrixOf(turned, value, n, n)];
    },
  );
}

function checkSymmetric(square: Elements, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++)
      if (square[i * n + j] !== square[j * n + i])
        throw new RunError(
          `eigen takes a symmetric matrix, and this one has ${square[i * n + j]} at [${i}, ${j}] and ${square[j * n + i]} at [${j}, ${i}]`,
        );
}

/** As DAPHNE has vectors of f32: the element of the greatest size is positive. */
function turnedUp(vectors: Float32Array, n: number): Float32Array {
  const turned = vectors.slice();
  for (let k = 0; k < n; k++) {
    let greatest = 0;
    for (let i = 0; i < n; i++) {
      const own = vectors[i * n + k]!;
      if (Math.abs(own) > Math.abs(greatest)) greatest = own;
    }
    if (greatest < 0) for (let i = 0; i < n; i++) turned[i * n + k]! *= -1;
  }
  return turned;
}

const DIAG_VECTOR: Builtin = {
  name: 'diagVector',
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    const { value, rows, columns } = wantNumbers(call, 0);
    return [matrix(value, rows ?? columns, 1)];
  },
  run(runtime, _, [arg]) {
    const own = matrixOf(arg);
    checkSame(own.rows, own.columns, notSquare('diagVector'));
    return then(denseOf(runtime, own, 'diagVector'), ({ array, value, rows }) =>
      runtime.matrix(array.diagonal().reshape([rows, 1]), value),
    );
  },
};

function triangle(name: string, upper: boolean): Builtin {
  return {
    name,
    parameters: ['arg', 'diag', 'values'],
    least: 3,
    most: 3,
    infer(call) {
      const { value, rows, columns, sparsity } = wantNumbers(call, 0);
      wantFlag(call, 1);
      wantFlag(call, 2);
      const length = rows ?? columns;
      return [matrix(value, length, length, { sparsity: (sparsity ?? 1) / 2 })];
    },
    run(runtime, _, [arg, diag, values]) {
      const own = matrixOf(arg);
      checkSame(own.rows, own.columns, notSquare(name));
      return all<unknown, Matrix>(
        [denseOf(runtime, own, name), flagOf(runtime, diag), flagOf(runtime, values)],
        ([dense, withDiagonal, keeps]) => {
          const { array, value } = dense as DenseMatrix;
          const offset = withDiagonal ? 0 : upper ? 1 : -1;
          const part = upper ? array.triu({ k: offset }) : array.tril({ k: offset });
          return runtime.matrix(keeps ? part : part.astype('bool').astype(part.dtype), value);
        },
      );
    },
  };
}

const REPLACE: Builtin = {
  name: 'replace',
  parameters: ['arg', 'pattern', 'replacement'],
  least: 3,
  most: 3,
  infer(call) {
    const own = wantMatrix(call, 0);
    const [pattern, replacement] = [wantScalar(call, 1), wantScalar(call, 2)];
    const others = mostGeneral(pattern, replacement);
    const texts = [own.value, pattern, replacement].filter((value) => value === 'str').length;
    if (own.value !== undefined && texts !== 0 && texts !== 3)
      call.fail(
        'parser',
        `replace: the matrix is ${own.value}, the pattern ${pattern}, and the replacement ${replacement}`,
      );
    return [matrix(common(own.value, others), own.rows, own.columns)];
  },
  run(runtime, site, [arg, pattern, replacement]) {
    const own = matrixOf(arg);
    const types = site.args.slice(1).map((type) => (type as { value: ValueType }).value);
    const value = types.reduce(mostGeneral, own.value);
    const [from, to] = [scalarOf(pattern), scalarOf(replacement)];
    if (own.kind === 'strings') return { ...own, cells: own.cells.map((each) => (each === from ? String(to) : each)) };
    if (value === 'str') throw new RunError('replace: the matrix has numbers, and no strings');
    return then(denseOf(runtime, own, 'replace'), (dense) => {
      const array = asType(dense.array, value);
      const element = elementOf(value, to);
      const by = value === 'bool' ? element === 1 : element;
      if (typeof from === 'number' && Number.isNaN(from)) {
        if (!isFloat(value)) return runtime.matrix(array, value);
        return runtime.matrix(where((array as Arr<'f64'>).isNaN(), by, array), value);
      }
      const wanted = elementOf(value, from);
      return runtime.matrix(where(array.equal(value === 'bool' ? wanted === 1 : wanted), by, array), value);
    });
  },
};

export const LINEAR: readonly Builtin[] = [
  ...PRODUCTS,
  SOLVE,
  EIGEN,
  withLarge(DIAG_VECTOR, diagonalOfLarge),
  withLarge(triangle('lowerTri', false), triangleOfLarge(false)),
  withLarge(triangle('upperTri', true), triangleOfLarge(true)),
  withLarge(REPLACE, onCellsOf(REPLACE)),
  CTABLE,
];

import type { Matmul } from '../matmul/index.ts';
import { eigenByDoubleSteps } from './double-steps.ts';
import { eigenByAllElements } from './francis.ts';

/** For larger ones the way that takes all elements needs a tenth of a second and more. */
const SMALL = 200;

/**
 * The eigenvalues of a symmetric matrix, in the order and with the signs of vectors that the `EigenSolver` of the C++ library Eigen has. All of `a`
 * is looked at, and its columns become the eigenvectors, of length 1. Undefined if it does not converge.
 *
 * Of small matrices every operation comes as it does there; of larger ones roundings decide, there as well, in what order values come.
 */
export const eigenAsTheyCome = (matmul: Matmul, a: Float64Array, n: number): Float64Array | undefined =>
  n <= SMALL ? eigenByAllElements(a, n) : eigenByDoubleSteps(matmul, a, n);

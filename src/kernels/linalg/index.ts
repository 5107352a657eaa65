import { blas } from '../../native/index.ts';
import type { LinearAlgebra } from './algebra.ts';
import { LapackAlgebra } from './by-lapack.ts';
import { OwnAlgebra } from './own.ts';

export { DONE, type LinearAlgebra, type Svd, type SvdWant } from './algebra.ts';
export { eigenAsTheyCome } from './as-they-come.ts';
export { LapackAlgebra } from './by-lapack.ts';
export { OwnAlgebra } from './own.ts';

let known: LinearAlgebra | undefined;

/** LAPACK where the machine has it, our own code otherwise. */
export function linearAlgebra(): LinearAlgebra {
  if (known === undefined) {
    const lapack = blas()?.lapack;
    known = lapack === undefined ? new OwnAlgebra() : new LapackAlgebra(lapack);
  }
  return known;
}

import { type Blas, blas as findBlas } from '../../native/index.ts';
import type { Elements } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';
import { BlockedKernels } from './blocked.ts';
import { multiplyByBlas, squareByBlas } from './by-blas.ts';
import { multiplySimply } from './simply.ts';
import { isTransposed } from './symmetric.ts';

export interface MatmulOptions {
  /** The product is added to what is there. */
  readonly accumulate?: boolean;
}

/** Up to so many multiplications a plain loop is as fast as what prepares the faster ones. */
const FEW = 512;

/**
 * Products of matrices, by OpenBLAS, by blocked WebAssembly, or in a plain loop, whichever is fastest for what is asked. All of them
 * give what `sum` of a multiplication gives in the reference interpreter: integers exactly, and wrapping; floats up to rounding. Of the
 * product of a matrix with its own transpose OpenBLAS computes one half.
 */
export class Matmul {
  readonly #blas: Blas | undefined;
  /** Made when it is first needed, which where there is OpenBLAS it is for integers alone. */
  #blocked: BlockedKernels | undefined;

  /**
   * `blocked`: kernels in the memory where most of the operands lie; without, what is multiplied by WebAssembly is copied into a memory of
   * their own. `blas`: null for none.
   */
  constructor({ blocked, blas = findBlas() ?? null }: { blocked?: BlockedKernels; blas?: Blas | null } = {}) {
    this.#blas = blas ?? undefined;
    this.#blocked = blocked;
  }

  /**
   * `into` (m x n) becomes `a` (m x k) times `b` (k x n). All of one element type, with two strides each, of any size and sign; `into`
   * must not overlap the others. Rows can be computed apart from each other: with operands that begin at a later row, and a smaller m. Each
   * call looks at all of `b`, so give it a hundred rows or more where there are so many.
   */
  run(a: Strided, b: Strided, into: Strided, m: number, k: number, n: number, options: MatmulOptions = {}): void {
    const { accumulate = false } = options;
    if (m === 0 || n === 0) return;
    if (k === 0 || m * n * k <= FEW) multiplySimply(a, b, into, m, k, n, accumulate);
    else if (this.#blas !== undefined && isFloats(into.elements)) {
      const isSquare = m === n && !accumulate && isTransposed(a, b);
      if (isSquare && squareByBlas(this.#blas, a, into, n, k)) return;
      multiplyByBlas(this.#blas, a, b, into, m, k, n, accumulate);
    } else {
      this.#blocked ??= new BlockedKernels();
      this.#blocked.run(a, b, into, m, k, n, accumulate);
    }
  }
}

const isFloats = (elements: Elements): boolean => elements instanceof Float64Array || elements instanceof Float32Array;

/**
 * Matrices that one variable alone has, so that parts of them are set in their place: a loop that sets one element in each turn would copy the whole
 * matrix each time otherwise. Values are never changed as far as anybody can see: such a matrix was made by setting a part of another one, nobody
 * else has got hold of it since, and its variable gives it up by being set.
 */

import type { Elements } from '../../nd/index.ts';
import type { DenseMatrix, Matrix, StringMatrix } from '../values/values.ts';

export class Own {
  readonly #cells = new WeakMap<object, Elements | string[]>();
  #any = false;
  /** The matrix that the assignment which runs gives up. */
  givenUp: unknown;

  /** Whether the matrix is one variable's alone. */
  has(matrix: Matrix): boolean {
    return this.#cells.has(matrix);
  }

  /** Of a matrix that was just made. */
  keep(matrix: DenseMatrix, cells: Elements): void;
  keep(matrix: StringMatrix, cells: string[]): void;
  keep(matrix: Matrix, cells: Elements | string[]): void {
    this.#any = true;
    this.#cells.set(matrix, cells);
  }

  /**
   * Its elements, which may be changed: nobody will see the matrix again. Undefined: somebody else may. They are another object, since what is known
   * of elements, such as whether they are exact as numbers, is known by the object.
   */
  take(matrix: DenseMatrix): Elements | undefined;
  take(matrix: StringMatrix): string[] | undefined;
  take(matrix: Matrix): Elements | string[] | undefined {
    const cells = matrix === this.givenUp ? this.#cells.get(matrix) : undefined;
    return cells === undefined || Array.isArray(cells) ? cells : (cells.subarray(0) as Elements);
  }

  /** Somebody else has it as well. */
  share<T>(value: T): T {
    if (this.#any && typeof value === 'object') this.#cells.delete(value as object);
    return value;
  }

  /** Somebody else may have all of them. */
  shareAll(values: readonly unknown[]): void {
    if (this.#any) for (const value of values) this.share(value);
  }
}

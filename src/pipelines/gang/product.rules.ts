import type { DType } from '../../nd/index.ts';

/** A product of an m x k and a k x n matrix, and how many may take part. */
export interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly dtype: DType;
  readonly workers: number;
}

/** How a product is divided. */
export interface ProductCut {
  /** Columns of the result, and not rows, are computed apart from each other. */
  readonly byColumns: boolean;
  /** Where parts begin, and the end of the last one. They are equal, whatever the scheme of the session: a row costs what any other does. */
  readonly bounds: readonly number[];
  /** Milliseconds for one thread, about. */
  readonly expected: number;
}

/** Products of fewer multiplications are done before anybody else would have begun. */
const FEW_MULTIPLICATIONS = 1e7;
/**
 * Each part looks at all of the other matrix, to which it is brought into the order in which it is used: for 250 rows that is nothing, for 128 a
 * tenth. So many parts for each participant, so that those who are slower do fewer, and so many rows in each, about.
 */
const PARTS = 4;
const LEAST_ROWS = 192;
/**
 * What kernels compute side by side, on every processor that we know of. Where parts begin at multiples of it, the rows at the end of all are the only
 * ones that are left over, as they are in a single call, so that they are computed, and rounded, as there.
 */
const SIDE_BY_SIDE = 24;
/** The least of them, for parts that would become too uneven. */
const LEAST_SIDE_BY_SIDE = 8;

/** Multiplications and additions in a millisecond: of OpenBLAS on one core of a machine of today, or of WebAssembly. */
const PER_MS: Readonly<Partial<Record<DType, number>>> = { f64: 5e7, f32: 1e8 };
const PER_MS_OF_OTHERS = 5e6;

/** Undefined for what is not worth it, or is too thin. */
export function cutOfProduct({ m, k, n, dtype, workers }: Product): ProductCut | undefined {
  const multiplications = m * k * n;
  if (multiplications < FEW_MULTIPLICATIONS || workers < 2) return undefined;
  // Rows lie one after the other in the result, so they are preferred where there are enough.
  const byColumns = n > m && m < LEAST_ROWS * workers;
  const all = byColumns ? n : m;
  const expected = (2 * multiplications) / (PER_MS[dtype] ?? PER_MS_OF_OTHERS);
  const rounds = Math.max(1, Math.round(Math.min(all / LEAST_ROWS / workers, PARTS)));
  const count = rounds * workers;
  const together = all / count < (3 / 4) * LEAST_ROWS ? LEAST_SIDE_BY_SIDE : SIDE_BY_SIDE;
  const bounds = [0];
  for (let part = 1; part <= count; part++) {
    const bound = part === count ? all : Math.round((all * part) / count / together) * together;
    if (bound > (bounds.at(-1) as number) && bound <= all) bounds.push(bound);
  }
  return bounds.length < 3 ? undefined : { byColumns, bounds, expected };
}

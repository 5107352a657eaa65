import type { DType } from '../../nd/index.ts';

/** A product of an m x k and a k x n matrix, and how many may take part. */
export interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly dtype: DType;
  /** The right matrix is the left one, turned. */
  readonly symmetric?: boolean;
  readonly workers: number;
}

/** How a product is divided. */
export interface ProductCut {
  /** What is computed apart: rows of the result, columns of it, or sums along the inner side, which are added in the end. */
  readonly along: 'rows' | 'columns' | 'inner';
  /**
   * Where parts begin, and the end of the last one. They take equally long, whatever the scheme of the session: a row costs what any other does, and
   * in a symmetric result, of which one half is copied, what is left of it from the diagonal on.
   */
  readonly bounds: readonly number[];
  /** Milliseconds for one thread, about. */
  readonly expected: number;
}

/** Products of fewer multiplications are done before anybody else would have begun. */
const FEW_MULTIPLICATIONS = 1e7;
/**
 * Each part brings all of the other matrix into the order in which it is used: of 500 rows that takes one fortieth of the time, of 250 a twentieth, of
 * 128 a tenth. So many parts for each participant, and rows in each, about: two, so that whoever comes late finds something to do, and more of them,
 * so that those who are slower do fewer, where they are large enough.
 */
const FEW_PARTS = 2;
const LEAST_ROWS = 192;
const MANY_PARTS = 4;
const MANY_ROWS = 500;
/** The less there is of the other matrix, the smaller parts may be: with so many rows for each of its columns it is a hundredth of the work. */
const MOST_PARTS_OF_TALL = 16;
const ROWS_PER_COLUMN = 100;
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

/**
 * Results of no more elements than this, each of them the sum of many products, are cut along the inner side. As many parts as that gives with so many
 * multiplications in each, and this many at most; sums of all parts are there at the same time, which are no more elements than this.
 */
const SMALL_RESULT = 512 * 512;
const LONG = 8;
const LEAST_OF_PART = 1e6;
const MOST_PARTS = 64;
const MOST_SUMS = 1 << 20;

/**
 * Where the inner side of a product is cut, if it is. The sums of the parts are added in their order. It does not depend on who takes part, and so neither
 * does the result.
 */
export function cutInside({ m, k, n, dtype }: Pick<Product, 'm' | 'k' | 'n' | 'dtype'>): readonly number[] | undefined {
  const longest = Math.max(m, n);
  if ((dtype !== 'f64' && dtype !== 'f32') || m * n > SMALL_RESULT || k < LONG * longest) return undefined;
  const count = Math.floor(Math.min(MOST_PARTS, (m * k * n) / LEAST_OF_PART, MOST_SUMS / (m * n)));
  return count < 2 ? undefined : Array.from({ length: count + 1 }, (_, part) => Math.round((k * part) / count));
}

/** Undefined for what is not worth it, or is too thin. */
export function cutOfProduct(product: Product): ProductCut | undefined {
  const { m, k, n, dtype, symmetric = false, workers } = product;
  const multiplications = m * k * n;
  if (multiplications < FEW_MULTIPLICATIONS || workers < 2) return undefined;
  const expected = (2 * multiplications) / (PER_MS[dtype] ?? PER_MS_OF_OTHERS) / (symmetric ? 2 : 1);
  const inside = cutInside(product);
  if (inside !== undefined) return { along: 'inner', bounds: inside, expected };
  // Rows lie one after the other in the result, so they are preferred where there are enough.
  const byColumns = n > m && m < LEAST_ROWS * workers;
  const [all, across] = byColumns ? [n, m] : [m, n];
  const each = all / workers;
  const rounds = Math.round(
    Math.max(
      1,
      Math.min(each / LEAST_ROWS, FEW_PARTS),
      Math.min(each / MANY_ROWS, MANY_PARTS),
      Math.min(each / (ROWS_PER_COLUMN * across), each / LEAST_ROWS, MOST_PARTS_OF_TALL),
    ),
  );
  const count = rounds * workers;
  const together = all / count < (3 / 4) * LEAST_ROWS ? LEAST_SIDE_BY_SIDE : SIDE_BY_SIDE;
  const bounds = [0];
  for (let part = 1; part <= count; part++) {
    const place = symmetric ? 1 - Math.sqrt(1 - part / count) : part / count;
    const bound = part === count ? all : Math.round((all * place) / together) * together;
    if (bound > (bounds.at(-1) as number) && bound <= all) bounds.push(bound);
  }
  return bounds.length < 3 ? undefined : { along: byColumns ? 'columns' : 'rows', bounds, expected };
}

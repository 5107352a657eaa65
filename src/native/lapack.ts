import { undisturbed } from './libc.ts';

/**
 * The routines of LAPACK (Anderson et al., "LAPACK Users' Guide", 3rd edition) that we use. Matrices lie column by column, without
 * gaps, in arrays that the routines write over. Each gives `info`: 0 when all went well; a positive number says where it did not.
 */
export interface Lapack {
  /** Cholesky, into the lower triangle. What is above stays. */
  potrf(n: number, a: Float64Array): number;
  /** LU with partial pivoting; `pivots` counts from 1. */
  getrf(n: number, a: Float64Array, pivots: Int32Array | BigInt64Array): number;
  /** Solves a x = b for all columns of `b`, into them. */
  gesv(n: number, columns: number, a: Float64Array, b: Float64Array): number;
  /** QR: R in the upper triangle, the reflectors below, their factors in `tau`. */
  geqrf(m: number, n: number, a: Float64Array, tau: Float64Array): number;
  /** The first n columns of the orthogonal matrix that k reflectors make. */
  orgqr(m: number, n: number, k: number, a: Float64Array, tau: Float64Array): number;
  /** Eigenvalues, ascending, of the symmetric matrix whose lower triangle is given; with `vectors` these replace it, column by column. */
  syevd(vectors: boolean, n: number, a: Float64Array, values: Float64Array): number;
  /** Singular values; with `u` and `vt` the first columns and rows, or `all` of them. */
  gesdd(
    job: 'values' | 'some' | 'all',
    m: number,
    n: number,
    a: Float64Array,
    s: Float64Array,
    u: Float64Array,
    vt: Float64Array,
  ): number;
  /** An array for pivots, of integers as wide as the library has them. */
  integers(length: number): Int32Array | BigInt64Array;
}

type Foreign = (...args: unknown[]) => unknown;
type Find = (name: string, params: string) => Foreign;

/**
 * c: a character; i: an integer, by reference as Fortran has them; p: an array. After these come `info`, and
 * the lengths of characters (gfortran's way). */
const SIGNATURES = {
  dpotrf: 'cipi',
  dgetrf: 'iipip',
  dgesv: 'iipippi',
  dgeqrf: 'iipippi',
  dorgqr: 'iiipippi',
  dsyevd: 'ccipippipi',
  dgesdd: 'ciipippipipip',
} as const;

/** Undefined when one of them is missing. */
export function bindLapack(find: Find, wide: boolean): Lapack | undefined {
  const integers = (length: number): Int32Array | BigInt64Array =>
    wide ? new BigInt64Array(length) : new Int32Array(length);
  const boxed = (n: number): Int32Array | BigInt64Array => {
    const box = integers(1);
    box[0] = (wide ? BigInt(n) : n) as never;
    return box;
  };
  const bound = (name: keyof typeof SIGNATURES): ((...args: (string | number | ArrayBufferView)[]) => number) => {
    const signature: string = SIGNATURES[name];
    const letters = [...signature];
    const characters = letters.filter((each) => each === 'c');
    const params = letters.map((each, i) => (each === 'c' ? `const char *p${i}` : `void *p${i}`));
    const info = integers(1);
    const call = find(name, [...params, 'void *info', ...characters.map((_, i) => `size_t l${i}`)].join());
    return (...args) => {
      const given = args.map((arg, i) => (letters[i] === 'i' ? boxed(arg as number) : arg));
      undisturbed(() => call(...given, info, ...characters.map(() => 1)));
      return Number(info[0]);
    };
  };
  try {
    const potrf = bound('dpotrf');
    const getrf = bound('dgetrf');
    const gesv = bound('dgesv');
    const geqrf = bound('dgeqrf');
    const orgqr = bound('dorgqr');
    const syevd = bound('dsyevd');
    const gesdd = bound('dgesdd');
    /** Asks how much room a routine wants before it is run. */
    const roomy = (run: (work: Float64Array, length: number) => number): number => {
      const answer = new Float64Array(1);
      const info = run(answer, -1);
      if (info !== 0) return info;
      const length = Math.max(1, Math.ceil(answer[0] as number));
      return run(new Float64Array(length), length);
    };
    return {
      integers,
      potrf: (n, a) => potrf('L', n, a, lead(n)),
      getrf: (n, a, pivots) => getrf(n, n, a, lead(n), pivots),
      gesv: (n, columns, a, b) => gesv(n, columns, a, lead(n), integers(n), b, lead(n)),
      geqrf: (m, n, a, tau) => roomy((work, length) => geqrf(m, n, a, lead(m), tau, work, length)),
      orgqr: (m, n, k, a, tau) => roomy((work, length) => orgqr(m, n, k, a, lead(m), tau, work, length)),
      syevd(vectors, n, a, values) {
        const job = vectors ? 'V' : 'N';
        const wants = new Float64Array(1);
        const wantsIntegers = integers(1);
        const asked = syevd(job, 'L', n, a, lead(n), values, wants, -1, wantsIntegers, -1);
        if (asked !== 0) return asked;
        const length = Math.max(1, Math.ceil(wants[0] as number));
        const integerLength = Math.max(1, Number(wantsIntegers[0]));
        const work = new Float64Array(length);
        return syevd(job, 'L', n, a, lead(n), values, work, length, integers(integerLength), integerLength);
      },
      gesdd(job, m, n, a, s, u, vt) {
        const least = Math.min(m, n);
        const letter = { values: 'N', some: 'S', all: 'A' }[job];
        const ldvt = job === 'all' ? n : least;
        const iwork = integers(8 * least);
        return roomy((work, length) =>
          gesdd(letter, m, n, a, lead(m), s, u, lead(m), vt, lead(ldvt), work, length, iwork),
        );
      },
    };
  } catch {
    return undefined;
  }
}

const lead = (n: number): number => Math.max(1, n);

import { bindLapack, type Lapack } from './lapack.ts';
import { koffi, undisturbed } from './libc.ts';

export type Floats = Float64Array | Float32Array;

/** A matrix whose elements lie one after the other along its rows, or, `transposed`, along its columns. */
export interface GemmArray {
  /** From the first element on. */
  readonly elements: Floats;
  readonly transposed: boolean;
  /** Elements from one row to the next; from one column to the next when it is transposed. At least the length of one. */
  readonly lead: number;
}

/** OpenBLAS, as far as we use it. Its calls run in the thread that makes them, and in as many others as `setThreads` says. */
export interface Blas {
  /** The file or the name that it was found by. */
  readonly path: string;
  /** What it says of itself, such as `OpenBLAS 0.3.21`. */
  readonly version: string;
  /** The kind of processor whose kernels it has chosen. */
  readonly core: string;
  /** Of the whole process. 1 after loading: there is a worker for each core already. */
  setThreads(count: number): void;
  /** `into` (m x n, rows) becomes `a` (m x k) times `b` (k x n), plus what it was if `accumulate`. None of m, n, k is 0. */
  gemm(
    m: number,
    n: number,
    k: number,
    a: GemmArray,
    b: GemmArray,
    into: Omit<GemmArray, 'transposed'>,
    accumulate: boolean,
  ): void;
  /** The upper triangle of `into` (n x n, rows) becomes that of `a` (n x k) times its transpose. Neither n nor k is 0. */
  syrk(n: number, k: number, a: GemmArray, into: Omit<GemmArray, 'transposed'>): void;
  /** Undefined where the library was built without it. */
  readonly lapack: Lapack | undefined;
}

/** What looking for it came to. */
export interface BlasSearch {
  readonly blas: Blas | undefined;
  /** Why there is none. */
  readonly problem: string | undefined;
}

/** How distributions name it; the last ones are what development packages and package managers of other systems add. */
const NAMES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: [
    'libopenblas.so.0',
    'libopenblas64_.so.0',
    'libopenblas64.so.0',
    'libopenblas.so.3',
    'libopenblas.so',
    'libopenblas64_.so',
  ],
  darwin: ['libopenblas.dylib', '/opt/homebrew/opt/openblas/lib/libopenblas.dylib'],
  win32: ['libopenblas.dll'],
};

/**
 * Builds differ in the names of their functions: one with integers of 64 bits may have a suffix, and the one that comes with NumPy's
 * and SciPy's wheels has a prefix besides, so that several can be loaded at once.
 */
const DECORATIONS = [
  { prefix: '', suffix: '' },
  { prefix: '', suffix: '64_' },
  { prefix: 'scipy_', suffix: '64_' },
  { prefix: 'scipy_', suffix: '' },
] as const;

const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;
const UPPER = 121;

type Library = ReturnType<NonNullable<typeof koffi>['load']>;

let found: BlasSearch | undefined;

/** OpenBLAS, or undefined where there is none, or `SHEAF_BLAS` is `off`. Looked for once per thread, when it is first asked for. */
export const blas = (): Blas | undefined => searchBlas().blas;

/** The same, with the reason where there is none. `SHEAF_BLAS` is the path or the name of one, or `off`. */
export function searchBlas(): BlasSearch {
  found ??= undisturbed(() => lookFor(process.env.SHEAF_BLAS));
  return found;
}

/** `chosen`: what `SHEAF_BLAS` says. */
export function lookFor(chosen: string | undefined): BlasSearch {
  if (chosen === 'off') return { blas: undefined, problem: 'SHEAF_BLAS is off' };
  if (koffi === undefined) return { blas: undefined, problem: 'koffi does not load' };
  const names = chosen ? [chosen] : (NAMES[process.platform] ?? []);
  let problem = 'no library of that name is installed';
  for (const name of names) {
    const library = withOneThread(() => opened(name));
    if (library instanceof Error) {
      if (chosen) problem = `SHEAF_BLAS is ${chosen}: ${library.message}`;
      continue;
    }
    const bound = bind(name, library);
    if (bound !== undefined) return { blas: bound, problem: undefined };
    problem = `${name} is not OpenBLAS: it has no cblas_dgemm and openblas_set_num_threads`;
  }
  return { blas: undefined, problem };
}

function opened(name: string): Library | Error {
  try {
    return (koffi as NonNullable<typeof koffi>).load(name);
  } catch (error) {
    return error as Error;
  }
}

/** It starts its threads when it is loaded, unless the environment says that it is to have none. */
function withOneThread<T>(work: () => T): T {
  const name = 'OPENBLAS_NUM_THREADS';
  const before = process.env[name];
  process.env[name] = '1';
  try {
    return work();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

function bind(path: string, library: Library): Blas | undefined {
  for (const { prefix, suffix } of DECORATIONS) {
    try {
      const own = (name: string): string => `${prefix}openblas_${name}${suffix}`;
      const config = library.func(`const char *${own('get_config')}()`)() as string;
      const core = library.func(`const char *${own('get_corename')}()`)() as string;
      const setThreads = library.func(`void ${own('set_num_threads')}(int count)`);
      // The width of integers is a matter of how it was built, which names may or may not show.
      const int = config.includes('USE64BITINT') ? 'int64_t' : 'int';
      const gemm = (letter: 'd' | 's', real: 'double' | 'float') =>
        library.func(
          `void ${prefix}cblas_${letter}gemm${suffix}(int order, int ta, int tb, ${int} m, ${int} n, ${int} k, ${real} alpha, ` +
            `const void *a, ${int} lda, const void *b, ${int} ldb, ${real} beta, void *c, ${int} ldc)`,
        );
      const dgemm = gemm('d', 'double');
      const sgemm = gemm('s', 'float');
      const syrk = (letter: 'd' | 's', real: 'double' | 'float') =>
        library.func(
          `void ${prefix}cblas_${letter}syrk${suffix}(int order, int triangle, int ta, ${int} n, ${int} k, ${real} alpha, ` +
            `const void *a, ${int} lda, ${real} beta, void *c, ${int} ldc)`,
        );
      const dsyrk = syrk('d', 'double');
      const ssyrk = syrk('s', 'float');
      setThreads(1);
      return {
        path,
        version: config.split(' ', 2).join(' '),
        core,
        setThreads: (count) => void setThreads(count),
        gemm(m, n, k, a, b, into, accumulate) {
          const call = into.elements instanceof Float64Array ? dgemm : sgemm;
          const ways = [a, b].map(({ transposed }) => (transposed ? TRANSPOSE : NO_TRANSPOSE));
          const beta = accumulate ? 1 : 0;
          undisturbed(() =>
            call(
              ...[ROW_MAJOR, ...ways, m, n, k],
              ...[1, a.elements, a.lead, b.elements, b.lead],
              ...[beta, into.elements, into.lead],
            ),
          );
        },
        syrk(n, k, a, into) {
          const call = into.elements instanceof Float64Array ? dsyrk : ssyrk;
          const way = a.transposed ? TRANSPOSE : NO_TRANSPOSE;
          undisturbed(() => call(ROW_MAJOR, UPPER, way, n, k, 1, a.elements, a.lead, 0, into.elements, into.lead));
        },
        lapack: bindLapack((name, params) => {
          const symbol = `${prefix}${name}_${suffix}`;
          return library.func(`void ${symbol}(${params})`);
        }, int === 'int64_t'),
      };
    } catch {
      // The next way to name them.
    }
  }
  return undefined;
}

/** NumPy, SciPy, pandas and dask.array in a process of their own, which evaluates expressions when it is asked. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = process.env.SHEAF_ROOT ?? process.cwd();

export const HOW_TO_GET_PEERS = 'see "Arrays" in docs/benchmarks.md';

/** What an expression has come to: of long ones, elements at equal distances. */
export interface Sampled {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface Python {
  /** Of the packages that are there. */
  readonly versions: Readonly<Record<string, string>>;
  /**
   * Evaluations per second of an expression, over at least `ms` milliseconds. `setup` defines its names, once. With a pause in milliseconds before each
   * evaluation: as many as there would be if all took as long as the one in the middle.
   */
  rate(setup: string, expression: string, ms: number, pause?: number): Promise<number>;
  /** What it comes to, `most` elements at most. */
  value(setup: string, expression: string, most: number): Promise<Sampled>;
  close(): Promise<void>;
}

/** Undefined where there is no Python that has NumPy. `SHEAF_NUMPY_PYTHON` names one. `cores`: threads of BLAS and of dask. */
export async function openPython(cores: number): Promise<Python | undefined> {
  const python = process.env.SHEAF_NUMPY_PYTHON ?? join(root, '.venv/bin/python');
  if (spawnSync(python, ['-c', 'import numpy']).status !== 0) return undefined;
  const child = spawn(python, [join(root, 'bench/peers/python_rows.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SHEAF_BENCH_CORES: String(cores), OPENBLAS_NUM_THREADS: String(cores) },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('Python has ended; its messages are above');
    return JSON.parse(value) as Record<string, unknown>;
  };
  const ask = async (wish: { readonly setup: string; readonly expression: string } & Record<string, unknown>) => {
    child.stdin.write(`${JSON.stringify(wish)}\n`);
    const { error, ...result } = await answer();
    if (error !== undefined) throw new Error(`Python, ${wish.expression}: ${error as string}`);
    return result;
  };
  const versions = (await answer()) as Record<string, string>;
  return {
    versions,
    async rate(setup, expression, ms, pause) {
      const pauses = pause === undefined ? {} : { pause: pause / 1000 };
      return (await ask({ setup, expression, seconds: ms / 1000, ...pauses })).rate as number;
    },
    value: async (setup, expression, most) => (await ask({ setup, expression, most })) as unknown as Sampled,
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

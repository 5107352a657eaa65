/** Scripts that are run by the command, and Python programs that do the same. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = process.env.SHEAF_ROOT ?? process.cwd();
const cli = join(root, 'dist/cli.js');

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end of the process. */
  readonly wall: number;
}

function finished(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      cwd: root,
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => err.push(data));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const wall = performance.now() - start;
      const [stdout, stderr] = [Buffer.concat(out).toString(), Buffer.concat(err).toString()];
      if (code === 0) resolve({ stdout, stderr, wall });
      else
        reject(
          new Error(`${command} ${args.join(' ')}: ${code ?? signal}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`),
        );
    });
  });
}

/** `sheaf daphne`, on the Node that is measured. */
export const sheaf = (...args: readonly string[]): Promise<Finished> =>
  finished(process.execPath, [cli, 'daphne', ...args]);

export const python = (cpus: number, ...args: readonly string[]): Promise<Finished> =>
  finished(process.env.SHEAF_NUMPY_PYTHON ?? join(root, '.venv/bin/python'), args, {
    OPENBLAS_NUM_THREADS: String(cpus),
    OMP_NUM_THREADS: String(cpus),
  });

/** What a program says at its end: how many seconds its work took, without making its data. Numbers before that are its results. */
export function said({ stdout }: Finished): { readonly seconds: number; readonly results: readonly number[] } {
  const match = /^seconds ([\d.]+)$/m.exec(stdout);
  if (match === null) throw new Error(`the program has not said how long it took:\n${stdout.slice(0, 2000)}`);
  const results = stdout
    .slice(0, match.index)
    .split(/\s+/)
    .filter((word) => /^[-+.\de]+$/.test(word))
    .map(Number);
  return { seconds: Number(match[1]), results };
}

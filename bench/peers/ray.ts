/** Ray's rates of the rows of the same name, when there is a Python that has it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = process.env.SHEAF_ROOT ?? process.cwd();

export const HOW_TO_GET_RAY = 'python3 -m venv .venv && .venv/bin/pip install ray numpy';

/** Name of row to rate, or undefined where Ray is not there. */
export function rayRates(cpus: number, only: string, quick: boolean): Record<string, number> | undefined {
  const python = process.env.SHEAF_RAY_PYTHON ?? join(root, '.venv/bin/python');
  if (spawnSync(python, ['-c', 'import ray, numpy']).status !== 0) return undefined;
  const trials = quick ? ['--trials', '1', '--seconds', '0.5'] : ['--trials', '3', '--seconds', '1'];
  const script = join(root, 'bench/peers/ray_rows.py');
  const run = spawnSync(python, [script, '--cpus', String(cpus), '--only', only, ...trials], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 10 * 60_000,
  });
  if (run.status !== 0) throw new Error(`${script} ended with ${run.status ?? run.signal}; its messages are above`);
  const rates: Record<string, number> = {};
  for (const line of run.stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { name, rate } = JSON.parse(line) as { name: string; rate: number };
    rates[name] = rate;
  }
  return rates;
}

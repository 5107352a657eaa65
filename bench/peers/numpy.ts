/** NumPy in a process of its own, which evaluates expressions when it is asked. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Sampler } from '../harness.ts';

const root = process.env.SHEAF_ROOT ?? process.cwd();

export const HOW_TO_GET_NUMPY = 'python3 -m venv .venv && .venv/bin/pip install numpy';

export interface NumPy {
  readonly version: string;
  /** Evaluations per second of an expression, times `multiplier`, over at least `ms` milliseconds. `setup` defines its names, once. */
  rate(setup: string, expression: string, ms: number, multiplier: number): Sampler;
  close(): Promise<void>;
}

/** Undefined where there is no Python that has it. `SHEAF_NUMPY_PYTHON` names one. */
export async function openNumPy(): Promise<NumPy | undefined> {
  const python = process.env.SHEAF_NUMPY_PYTHON ?? join(root, '.venv/bin/python');
  if (spawnSync(python, ['-c', 'import numpy']).status !== 0) return undefined;
  const child = spawn(python, [join(root, 'bench/peers/numpy_rows.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('NumPy has ended; its messages are above');
    return JSON.parse(value) as Record<string, unknown>;
  };
  const { numpy } = await answer();
  return {
    version: numpy as string,
    rate: (setup, expression, ms, multiplier) => async () => {
      child.stdin.write(`${JSON.stringify({ setup, expression, seconds: ms / 1000 })}\n`);
      const { rate, error } = await answer();
      if (error !== undefined) throw new Error(`NumPy, ${expression}: ${error as string}`);
      return (rate as number) * multiplier;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { ObjectLostError } from 'sheaf';
import { readPartitioned, registerResolver } from 'sheaf/partitioned';

const root = process.env.SHEAF_ROOT ?? process.cwd();
const fixture = (name: string): string => join(root, 'test/fixtures/partitioned', name);

describe('a description of another process', () => {
  let producer: ChildProcess | undefined;
  after(() => producer?.kill('SIGKILL'));

  test('is read from its JSON, its data are got, and when the process is gone that is an error', async () => {
    registerResolver('http', (endpoint) => async (handles) => {
      const answer = await fetch(`${String(endpoint)}/get`, { method: 'POST', body: JSON.stringify(handles) });
      return ((await answer.json()) as number[][]).map((each) => Float64Array.from(each));
    });
    producer = spawn(process.execPath, [fixture('producer.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [endpoint] = (await once(createInterface({ input: producer.stdout! }), 'line')) as [string];
    const description = readPartitioned(await (await fetch(`${endpoint}/describe`)).json());
    assert.deepEqual(description.partition_tiling, [3, 3]);
    assert.deepEqual(description.partitions.at([2, 2]).location, [['127.0.0.1', producer.pid!]]);
    const { elements } = await description.slice({ start: [1, 3], shape: [4, 6] });
    const expected = [1, 2, 3, 4].flatMap((row) => [3, 4, 5, 6, 7, 8].map((column) => row * 10 + column));
    assert.deepEqual([...elements], expected);

    const gone = once(producer, 'exit');
    producer.kill('SIGKILL');
    await gone;
    await assert.rejects(description.get('part 0-0'), (error: unknown) => {
      assert.ok(error instanceof ObjectLostError);
      assert.equal(error.code, 'ERR_SHEAF_UNRESOLVED');
      assert.match(error.message, /the resolver 'http' could not fetch 1 partitions: .*their producer may be gone/);
      return true;
    });
  });
});

const python = [process.env.SHEAF_NUMPY_PYTHON ?? '', join(root, '.venv/bin/python'), 'python3'].find(
  (each) =>
    each !== '' && (each === 'python3' || existsSync(each)) && spawnSync(each, ['-c', 'import numpy']).status === 0,
);

test('NumPy reads our JSON, and we read what it writes', {
  skip: python === undefined && 'no Python with NumPy: python3 -m venv .venv && .venv/bin/pip install numpy',
}, async () => {
  interface Vector {
    readonly name: string;
    readonly description: { readonly shape: number[] };
    readonly elements?: readonly number[];
    readonly ranks?: unknown;
  }
  const { good } = JSON.parse(readFileSync(join(root, 'docs/partitioned-vectors.json'), 'utf8')) as { good: Vector[] };
  registerResolver('vectors', (endpoint) => (handles) => {
    const store = endpoint as Readonly<Record<string, readonly number[]>>;
    return handles.map((handle) => Float64Array.from(store[handle as string]!));
  });
  // What names no machine can't be written in the form of 2022, and SPMD descriptions have no data of others.
  const vectors = good.filter(({ elements, ranks }) => elements !== undefined && ranks === undefined);
  const lines = vectors.map(({ description }) => JSON.stringify(readPartitioned(description)));
  const { stdout, stderr, status } = spawnSync(python!, [fixture('exchange.py')], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const answers = stdout.trim().split('\n');
  assert.equal(answers.length, vectors.length);
  for (const [i, { name, elements, description }] of vectors.entries()) {
    const answer = JSON.parse(answers[i]!) as { elements: number[]; description?: unknown };
    assert.deepEqual(answer.elements, elements, name);
    if (answer.description === undefined) continue;
    const back = readPartitioned(answer.description);
    const whole = await back.slice({ start: description.shape.map(() => 0), shape: description.shape });
    assert.deepEqual([...whole.elements], elements, name);
  }
});

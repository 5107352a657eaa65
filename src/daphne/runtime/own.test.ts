import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { inThread } from '../../pipelines/index.ts';
import { analyse } from '../analysis/index.ts';
import { runSource } from '../driver/execute.ts';
import { Source } from '../source.ts';
import { EagerRuntime } from './eager.ts';
import type { Runtime } from './runtime.ts';
import { VectorRuntime } from './vector.ts';

async function printedBy(script: string, make: (write: (text: string) => void) => Runtime): Promise<string> {
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const runtime = make(write);
  try {
    await runSource(new Source('main.daphne', script), { analyse, runtime, stdout: write, stderr: write });
  } finally {
    await (runtime as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.();
  }
  return printed;
}

/** In how many places `cells` elements of a script's matrices lay, and what it printed. */
async function placesOf(cells: number, script: string): Promise<{ places: number; printed: string }> {
  const seen = new Set<ArrayBufferLike>();
  class Watched extends EagerRuntime {
    override matrixOf(...args: Parameters<EagerRuntime['matrixOf']>): ReturnType<EagerRuntime['matrixOf']> {
      if (args[0].length === cells) seen.add(args[0].buffer);
      return super.matrixOf(...args);
    }
  }
  const printed = await printedBy(script, (write) => new Watched(write, write));
  return { places: seen.size, printed };
}

suite('parts of matrices that one variable alone has', () => {
  const LOOP = 'for (i in 0:99) { X[i, 0] = [i]; if (i > 0) { X[i, 1] = X[i - 1, 0]; } } ';

  test('are set in their place', async () => {
    const made = await placesOf(200, `X = fill(0, 100, 2); ${LOOP}print(sum(X));`);
    assert.deepEqual(made, { places: 1, printed: '9801\n' });
  });

  test('are not, where another variable, a list or a function has the matrix', async () => {
    const made = await placesOf(
      4,
      `def f(x) { x[0, 0] = [9]; return x; }
       X = [1, 2, 3, 4]; X[1, 0] = [5]; Y = X; X[1, 0] = [6]; L = createList(X); X[1, 0] = [7]; Z = f(X); X[1, 0] = [8];
       print(t(X)); print(t(Y)); print(L); print(t(Z));`,
    );
    const row = (cells: string) => `DenseMatrix(1x4, int64_t)\n${cells}\n`;
    const list = 'List(1, DenseMatrix, int64_t)\nDenseMatrix(4x1, int64_t)\n1\n6\n3\n4\n';
    assert.equal(made.printed, `${row('1 8 3 4')}${row('1 5 3 4')}${list}${row('9 7 3 4')}`);
  });

  test('nor where a large part of it is looked at', async () => {
    const { printed } = await placesOf(
      10_000,
      'X = fill(1, 100, 100); X[0, 0] = [2]; Y = X[0:60, ]; X[0, 0] = [50]; print(sum(Y)); print(sum(X));',
    );
    assert.equal(printed, '6001\n10049\n');
  });

  test('are read without a copy of the rest', async () => {
    let read = 0;
    const whole = inThread().buffers.lend;
    inThread().buffers.lend = (buffer) => {
      read = Math.max(read, buffer.length);
      return whole.call(inThread().buffers, buffer);
    };
    try {
      const { printed } = await placesOf(
        0,
        'X = fill(2, 100, 100) * 3; print(as.scalar(X[99, 98]) + as.scalar(X[-1, 0]));',
      );
      assert.equal(printed, '12\n');
    } finally {
      inThread().buffers.lend = whole;
    }
    assert.ok(read <= 1, `${read} elements were read at once`);
  });

  test('are as they were set where workers have copies of them', async () => {
    const script = `X = rand(200, 200, 1, 3, 1.0, 1); Y = X;
      for (i in 0:5) { X[i, ] = X[i + 1, ] * 2; X[i, i] = [i]; if (i % 2 == 0) { Z = X @ X; print(sum(Z * X)); Y = X; } }
      print(sum(X)); print(sum(Y));`;
    const early = { threads: 2, worthStarting: 1, worthSharing: 1 };
    const [one, two] = await Promise.all([
      printedBy(script, (write) => new EagerRuntime(write, write)),
      printedBy(script, (write) => new VectorRuntime(write, write, early)),
    ]);
    assert.equal(two, one);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Arr, asarray, csr, nodeOf, ones, type Sparse } from '../../arrays/index.ts';
import { type Buffer, buffersOf, inThread, type LocalBuffers } from '../../pipelines/index.ts';
import { analyse } from '../analysis/index.ts';
import { execute } from '../driver/execute.ts';
import { Source } from '../source.ts';
import type { Value } from '../values/values.ts';
import { EagerRuntime } from './eager.ts';
import { Holdings } from './holdings.ts';
import type { Runtime } from './runtime.ts';
import { VectorRuntime } from './vector.ts';

const dense = (array: Arr): Value => ({ kind: 'dense', value: 'f64', rows: 4, columns: 4, array });
const sparse = (csr: Sparse): Value => ({ kind: 'sparse', value: 'f64', rows: 3, columns: 2, csr });
const compute = (...arrays: Arr[]): readonly Buffer[] =>
  inThread().computeNow(arrays.map((array) => nodeOf('test', array)));
let factor = 2;
/** Equal ones would be one. */
const matrix = (): Arr => ones([4, 4]).mul(factor++);

suite('arrays that a run has made', () => {
  test('those that values lead to are kept, the others are let go of', () => {
    const holdings = new Holdings({ least: 0 });
    const [a, b, c] = [matrix(), matrix(), matrix()];
    const made = compute(a, b, c);
    assert.equal(made.length, 3);
    holdings.add(made);
    // One as it is; one behind what is not computed yet; and one that nobody has.
    const later = b.at('1:3').add(1);
    holdings.release([
      dense(a),
      7,
      'text',
      undefined,
      { kind: 'list', value: 'f64', elements: [dense(later) as never] },
    ]);
    assert.deepEqual(
      [a, b, c].map((array) => buffersOf(nodeOf('test', array)).map(({ released }) => released)),
      [[false], [false], [true]],
    );
    compute(later);
    holdings.release([]);
    assert.ok(made.every(({ released }) => released));
  });

  test('a part of what was there before is not one that was made', () => {
    const x = asarray(new Float64Array(16)).reshape([4, 4]);
    const made = matrix();
    compute(made);
    assert.deepEqual(compute(x.at('1:3'), made.T), []);
  });

  test('sparse matrices lead to their transposes, and to what they are the transpose of', () => {
    const s = (csr({ values: [1, 2], indices: [1, 0], indptr: [0, 1, 1, 2], shape: [3, 2] }) as Sparse).mul(
      factor,
    ) as Sparse;
    const turned = s.T;
    for (const value of [sparse(s), sparse(turned)]) {
      const holdings = new Holdings({ least: 0 });
      const arrays = [s, turned].flatMap(({ indptr, indices, values }) => [indptr, indices, values] as Arr[]);
      const made = compute(...arrays);
      holdings.add(made);
      holdings.release([value]);
      assert.ok(made.every(({ released }) => !released));
    }
  });

  test('those of an earlier run, small ones, and few of them are none of its business', () => {
    const holdings = new Holdings({ least: 128, between: 300 });
    const [before, small, after] = [matrix(), ones([4]).mul(3), matrix()];
    const [first] = compute(before) as [Buffer];
    holdings.add([first]);
    holdings.begin();
    const [little] = compute(small) as [Buffer];
    const [last] = compute(after) as [Buffer];
    holdings.add([little, last]);
    assert.equal(holdings.isDue, false);
    holdings.add(compute(matrix(), matrix()));
    assert.equal(holdings.isDue, true);
    holdings.release([]);
    assert.deepEqual([first.released, little.released, last.released], [false, false, true]);
  });

  test('a script that makes one matrix after the other takes the room of a few', async () => {
    const script =
      'X = fill(1.0, 500, 500); def f(A) { B = A + 1.0; return B * 0.5; } for (i in 1:100) { X = f(X) + 1.0; print(sum(X)); }';
    const buffers = inThread().buffers as LocalBuffers;
    const runtimes: ((write: (text: string) => void) => Runtime)[] = [
      (write) => new EagerRuntime(write, write),
      (write) => new VectorRuntime(write, write, { threads: 1 }),
    ];
    for (const runtimeOf of runtimes) {
      const before = buffers.used;
      let most = 0;
      const write = (): void => {
        most = Math.max(most, buffers.used - before);
      };
      const code = await execute(new Source('main.daphne', script), {
        ...{ analyse, runtime: runtimeOf(write), stdout: write, stderr: write },
      });
      assert.equal(code, 0);
      assert.ok(most > 0 && most < 10 * 500 * 500 * 8, `${most}`);
    }
  });
});

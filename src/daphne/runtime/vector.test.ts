import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { asarray, computedHere, nodeOf } from '../../arrays/index.ts';
import { isComputed } from '../../pipelines/index.ts';
import { connect } from '../../tasks/index.ts';
import type { Builtin } from '../builtins/builtin.ts';
import { Builder } from '../codegen/programs.fixture.ts';
import type { Program, Variable } from '../program/program.ts';
import { matrix } from '../types.ts';
import type { DenseMatrix, Value } from '../values/values.ts';
import { EagerRuntime } from './eager.ts';
import { then } from './later.ts';
import { link } from './support.ts';
import { VectorRuntime } from './vector.ts';
import { pendingOf, workOf } from './work.ts';

const MATRIX = matrix('f64', 2, 2);
const builtin = (name: string, run: Builtin['run'], effects = false): Builtin => ({
  name,
  parameters: ['x'],
  least: 1,
  most: 3,
  effects,
  infer: () => [MATRIX],
  run,
});
const of = (arg: unknown) => (arg as DenseMatrix).array;
const ones = builtin('ones', (runtime, _site, [size]) =>
  runtime.matrix(asarray(new Float64Array(Number(size) ** 2).fill(1)).reshape([Number(size), Number(size)]), 'f64'),
);
const add = builtin('add', (runtime, _site, [a, b]) => runtime.matrix(of(a).add(of(b)), 'f64'));
const matMul = builtin('matMul', (runtime, _site, [a, b]) => runtime.matrix(of(a).matmul(of(b)), 'f64'));

/** What the script's variables were at each look: whether they were computed. */
const looks: { sum: number; computed: boolean[] }[] = [];
let watched: Value[] = [];
const watch = builtin(
  'watch',
  (_runtime, _site, args) => {
    watched = args as Value[];
    return undefined;
  },
  true,
);
const look = builtin(
  'look',
  (runtime, _site, [x]) =>
    then(runtime.elements(x as DenseMatrix), (elements) => {
      const sum = (elements as Float64Array).reduce((total, each) => total + each, 0);
      looks.push({ sum, computed: watched.map((value) => isComputed(nodeOf('test', of(value)))) });
      return undefined;
    }),
  true,
);

async function run(program: Program, threads?: number): Promise<typeof looks> {
  looks.length = 0;
  watched = [];
  if (threads === undefined) {
    const eager = new EagerRuntime(
      () => {},
      () => {},
    );
    await link(program, eager, { givesOutputs: false })();
  } else {
    await using lazy = new VectorRuntime(
      () => {},
      () => {},
      { threads, worthStarting: 1e6, small: 0 },
    );
    await link(program, lazy, { givesOutputs: false })();
  }
  return [...looks];
}

const made = (b: Builder, f: Builtin, ...args: Variable[]): Variable => b.builtin(f, args, [MATRIX])[0] as Variable;

suite('lazy matrices', () => {
  test('what is wanted later is computed along with what it shares work with, and nothing else is', async () => {
    const b = new Builder();
    const x = made(b, ones, b.constant(2, 'si64'));
    const shared = made(b, add, x, x);
    const wanted = made(b, add, shared, x);
    const related = made(b, matMul, shared, x);
    const alone = made(b, add, made(b, ones, b.constant(2, 'si64')), x);
    const dead = made(b, matMul, shared, shared);
    b.builtin(watch, [shared, wanted, related, alone, dead]);
    b.builtin(look, [wanted]);
    for (const each of [related, alone, shared]) b.builtin(look, [each]);
    const [first, ...others] = await run(b.program(), 1);
    assert.deepEqual(first, { sum: 12, computed: [true, true, true, false, false] });
    assert.deepEqual(
      others.map(({ sum }) => sum),
      [16, 8, 8],
    );
    const eager = await run(b.program());
    assert.deepEqual(
      eager.map(({ sum }) => sum),
      [12, 16, 8, 8],
    );
    assert.ok(eager.every(({ computed }) => computed.every(Boolean)));
  });

  test('what a turn of a loop makes for the next one is computed at its end', async () => {
    const b = new Builder();
    const x = made(b, ones, b.constant(2, 'si64'));
    const sum = b.variable(MATRIX);
    b.copy(x, sum);
    const last = b.variable(MATRIX);
    b.copy(x, last);
    b.for(b.constant(1, 'si64'), b.constant(500, 'si64'), undefined, () => {
      b.copy(sum, last);
      b.copy(made(b, add, sum, x), sum);
    });
    b.builtin(watch, [sum, last]);
    b.builtin(look, [x]);
    b.builtin(look, [sum]);
    assert.deepEqual(await run(b.program(), 1), [
      { sum: 4, computed: [true, true] },
      { sum: 2004, computed: [true, true] },
    ]);
  });

  test('workers compute what is large, with the same results', async () => {
    const b = new Builder();
    const x = made(b, ones, b.constant(500, 'si64'));
    const product = made(b, matMul, x, x);
    b.builtin(look, [product]);
    b.builtin(look, [made(b, add, product, x)]);
    assert.deepEqual(await run(b.program(), 2), [
      { sum: 500 ** 3, computed: [] },
      { sum: 500 ** 3 + 500 ** 2, computed: [] },
    ]);
  });

  test('a session that is open is taken, and left open', async () => {
    await using session = await connect({ cpus: 1 });
    const b = new Builder();
    const x = made(b, ones, b.constant(500, 'si64'));
    const product = made(b, matMul, x, x);
    b.builtin(watch, [product]);
    b.builtin(look, [product]);
    const before = session.stats().memory.used as number;
    assert.deepEqual(await run(b.program(), 2), [{ sum: 500 ** 3, computed: [true] }]);
    assert.ok((session.stats().memory.used as number) > before);
  });

  test('workers start for what is large, too, and have it before they need it', async () => {
    await using session = await connect({ cpus: 1 });
    const used = () => session.stats().memory.used as number;
    const before = used();
    const bytes = 8 * 500 ** 2;
    for (const isMade of [true, false]) {
      const b = new Builder();
      const x = made(b, ones, b.constant(500, 'si64'));
      const y = made(b, add, x, x);
      const z = isMade ? made(b, add, made(b, add, y, x), made(b, add, x, y)) : made(b, matMul, y, y);
      b.builtin(look, [z]);
      b.builtin(look, [x]);
      const options = { threads: 2, worthSharing: bytes };
      const write = (): void => {};
      await using lazy = new VectorRuntime(write, write, options);
      looks.length = 0;
      await link(b.program(), lazy, { givesOutputs: false })();
      assert.deepEqual(
        looks.map(({ sum }) => sum),
        [isMade ? 6 * 500 ** 2 : 4 * 500 ** 3, 500 ** 2],
      );
      assert.ok(used() >= before + 2 * bytes);
    }
  });

  test('the transpose of a sparse matrix is not made because a turn has ended', async () => {
    const write = (): void => {};
    await using lazy = new VectorRuntime(write, write, { threads: 2 });
    const csr = computedHere(
      asarray([[0, 2, 0]])
        .astype('f64')
        .toSparse(),
    ).T;
    const x = lazy.matrix(asarray(new Float64Array(4)).reshape([2, 2]).add(1), 'f64');
    await lazy.turn([{ kind: 'sparse', value: 'f64', rows: 3, columns: 1, csr }, x]);
    assert.equal(isComputed(nodeOf('test', x.array)), true);
    assert.equal(isComputed(nodeOf('test', csr.values)), false);
  });

  test('how much there is to compute: products by their terms, what is there not at all', () => {
    const x = asarray(new Float64Array(20)).reshape([4, 5]);
    const node = nodeOf('test', x.matmul(x.T).add(1));
    assert.equal(workOf([...pendingOf([node])].filter(({ op }) => op.kind === 'matmul')), (4 * 4 * 5) / 8);
    assert.equal(pendingOf([nodeOf('test', x)]).size <= 1, true);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { ARRAY_QUEUES, ARRAY_SCHEMES, ARRAY_VICTIMS } from '../base/index.ts';
import { arraysOf, type Engine, hostOf } from '../runtime/index.ts';
import { connect, type Session } from '../tasks/index.ts';
import { leaks } from '../testing/leaks.ts';
import type { CallRule } from './gang/calling.rules.ts';
import { Gang } from './gang/gang.ts';
import { assertMeans, graphs } from './graphs.fixture.ts';
import { inSession, LocalBuffers, Node, Pipelines, pipelinesOf } from './index.ts';
import { evaluate } from './reference.ts';

const RUNS = Number(process.env.SHEAF_GRAPH_RUNS ?? 150);
/** The same ones each time; others by command. */
const SEED = Number(process.env.SHEAF_GRAPH_SEED ?? 1);
const LIMIT = { timeout: 240_000 };
const CPUS = 3;
/** Others are called at once, whatever there is to do. */
const ALWAYS: CallRule = ({ most }) => most;

const engineOf = (session: Session): Engine => (hostOf(session.url) as { engine: Engine }).engine;

/** A node of elements that are there. */
function source(pipelines: Pipelines, elements: Float64Array): Node {
  const buffer = pipelines.buffers.adopt('f64', elements);
  return new Node({ kind: 'source', buffer, offset: 0, strides: [1] }, [elements.length], 'f64');
}

const element = (op: 'multiply' | 'add', x: Node, y: Node): Node =>
  new Node({ kind: 'element', op }, x.shape, 'f64', [x, y]);

const sum = (x: Node): Node => new Node({ kind: 'reduce', reducer: 'sum', axes: [0] }, [], 'f64', [x]);

for (const isolation of ['process', 'thread'] as const) {
  describe(`arrays in a session (${isolation})`, () => {
    let session: Session;
    before(async () => {
      session = await connect({ cpus: CPUS, isolation, memory: '128MiB', spill: 'off' });
    });
    after(async () => session[Symbol.asyncDispose]());

    test(
      'rows of a product, columns of a wide one, and sums of a thin one are computed by several workers',
      LIMIT,
      async () => {
        const engine = engineOf(session);
        const settings = arraysOf(engine);
        assert.ok(settings !== undefined);
        const pipelines = inSession(engine, new Gang(engine, settings, ALWAYS), {});
        // Whole numbers, so that sums are exact in whatever order they are made.
        const numbers = (length: number, step: number): Float64Array =>
          Float64Array.from({ length }, (_, i) => ((i * step) % 31) - 15);
        const matrix = (elements: Float64Array, shape: number[], strides: number[]): Node => {
          const buffer = pipelines.buffers.adopt('f64', elements);
          return new Node({ kind: 'source', buffer, offset: 0, strides }, shape, 'f64');
        };
        const submitted = (): number => hostOf(session.url)?.counters.submitted ?? 0;
        for (const { m, k, n, transposed, symmetric = false } of [
          { m: 400, k: 170, n: 190, transposed: false },
          { m: 400, k: 170, n: 190, transposed: true },
          { m: 130, k: 170, n: 500, transposed: true },
          { m: 20, k: 30_000, n: 30, transposed: true },
          { m: 400, k: 170, n: 400, transposed: true, symmetric: true },
          { m: 40, k: 10_000, n: 40, transposed: true, symmetric: true },
          // The right matrix is the first rows of the left one, turned.
          { m: 5000, k: 100, n: 30, transposed: false, symmetric: true },
        ]) {
          const left = numbers(m * k, 7);
          const right = symmetric ? left : numbers(k * n, 11);
          const leftStrides = transposed ? ([1, m] as const) : ([k, 1] as const);
          const before = submitted();
          const a = matrix(left, [m, k], [...leftStrides]);
          const turning = [1, 0].map((axis) => ({ start: 0, step: 1, axis }));
          const b = symmetric
            ? new Node({ kind: 'view', maps: turning }, [k, n], 'f64', [a])
            : matrix(right, [k, n], [n, 1]);
          const product = new Node({ kind: 'matmul' }, [m, n], 'f64', [a, b]);
          await pipelines.compute([product]);
          const have = pipelines.read(product) as Float64Array;
          const want = new Float64Array(m * n);
          const [down, across] = symmetric ? [leftStrides[1], leftStrides[0]] : [n, 1];
          for (let i = 0; i < m; i++) {
            for (let at = 0; at < k; at++) {
              const x = left[i * leftStrides[0] + at * leftStrides[1]] as number;
              for (let j = 0; j < n; j++)
                want[i * n + j] = (want[i * n + j] as number) + x * (right[at * down + j * across] as number);
            }
          }
          assert.deepEqual(have, want);
          assert.ok(submitted() > before, 'others were called');
        }
      },
    );

    test(
      'rows of a sparse product are computed by several workers, and are what they are in one thread',
      LIMIT,
      async () => {
        const engine = engineOf(session);
        const settings = arraysOf(engine);
        assert.ok(settings !== undefined);
        const submitted = (): number => hostOf(session.url)?.counters.submitted ?? 0;
        const [rows, columns, width] = [5000, 700, 3];
        // From no element in a row to 99, so that equally many rows are not equally much work.
        const indptr = new Int32Array(rows + 1);
        for (let i = 0; i < rows; i++) indptr[i + 1] = (indptr[i] as number) + ((i * 7919) % 100);
        const count = indptr[rows] as number;
        const indices = new Int32Array(count);
        for (let i = 0; i < rows; i++) {
          const first = indptr[i] as number;
          for (let at = first; at < (indptr[i + 1] as number); at++) indices[at] = 7 * (at - first) + (i % 7);
        }
        const numbers = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => Math.sin(i));
        const productOf = async (pipelines: Pipelines, routine: 'spmv' | 'spmm'): Promise<Float64Array> => {
          const given = (elements: Float64Array | Int32Array, shape: number[]): Node => {
            const dtype = elements instanceof Int32Array ? 'i32' : 'f64';
            const buffer = pipelines.buffers.adopt(dtype, elements);
            return new Node(
              { kind: 'source', buffer, offset: 0, strides: [shape[1] ?? 1, 1].slice(-shape.length) },
              shape,
              dtype,
            );
          };
          const right = routine === 'spmv' ? [columns] : [columns, width];
          const outputs = [{ shape: routine === 'spmv' ? [rows] : [rows, width], dtype: 'f64' as const }];
          const call = new Node({ kind: 'call', routine, params: {}, outputs }, outputs[0]!.shape, 'f64', [
            given(indptr, [rows + 1]),
            given(indices, [count]),
            given(numbers(count), [count]),
            given(numbers(columns * (right[1] ?? 1)), right),
          ]);
          await pipelines.compute([call]);
          return pipelines.read(call) as Float64Array;
        };
        for (const routine of ['spmv', 'spmm'] as const) {
          const before = submitted();
          const have = await productOf(inSession(engine, new Gang(engine, settings, ALWAYS), {}), routine);
          assert.ok(submitted() > before, 'others were called');
          assert.deepEqual(
            have,
            await productOf(inSession(engine, new Gang(engine, { ...settings, cpus: 1 }), {}), routine),
          );
        }
      },
    );

    test('many doubles are sorted to the same bits, however many take part', LIMIT, async () => {
      const engine = engineOf(session);
      const settings = arraysOf(engine);
      assert.ok(settings !== undefined);
      const numbers = Float64Array.from({ length: 210_000 }, (_, i) =>
        i % 1000 === 3 ? Number.NaN : i % 7 === 0 ? -0 : i % 11 === 0 ? 0 : Math.sin(i) * 2 ** (i % 40),
      );
      const sorted = async (pipelines: Pipelines, descending: boolean): Promise<BigInt64Array> => {
        const buffer = pipelines.buffers.adopt('f64', numbers);
        // Not from its first element on.
        const shape = [numbers.length - 1];
        const source = new Node({ kind: 'source', buffer, offset: 1, strides: [1] }, shape, 'f64');
        const outputs = [{ shape, dtype: 'f64' as const }];
        const params = { axis: 0, descending };
        const call = new Node({ kind: 'call', routine: 'sort', params, outputs }, shape, 'f64', [source]);
        await pipelines.compute([call]);
        const have = (pipelines.read(call) as Float64Array).slice();
        return new BigInt64Array(have.buffer);
      };
      const elsewhere = new Pipelines(new LocalBuffers(256));
      for (const descending of [false, true]) {
        const before = hostOf(session.url)?.counters.submitted ?? 0;
        const have = await sorted(inSession(engine, new Gang(engine, settings, ALWAYS), {}), descending);
        assert.ok((hostOf(session.url)?.counters.submitted ?? 0) > before, 'others were called');
        const alone = await sorted(inSession(engine, new Gang(engine, { ...settings, cpus: 1 }), {}), descending);
        const want = await sorted(elsewhere, descending);
        // To compare two hundred thousand bigints one by one would take longer than all the rest.
        for (const each of [have, alone])
          assert.equal(Buffer.compare(Buffer.from(each.buffer), Buffer.from(want.buffer)), 0);
        const values = new Float64Array(want.buffer);
        const wrong = values.findIndex((x, i) => i > 0 && (descending ? x > values[i - 1]! : x < values[i - 1]!));
        assert.equal(wrong, -1);
        assert.ok(Number.isNaN(values.at(-1)));
      }
    });

    test('random graphs, by several workers in tiny tiles, give what nodes mean, for every scheme', LIMIT, async () => {
      const engine = engineOf(session);
      const settings = arraysOf(engine);
      assert.ok(settings !== undefined);
      const all = ARRAY_SCHEMES.map((scheme, i) => {
        const layout = ARRAY_QUEUES[i % ARRAY_QUEUES.length] as (typeof ARRAY_QUEUES)[number];
        const victims = ARRAY_VICTIMS[i % ARRAY_VICTIMS.length] as (typeof ARRAY_VICTIMS)[number];
        const gang = new Gang(engine, { ...settings, scheme, layout, victims }, ALWAYS);
        return inSession(engine, gang, { cache: 256, block: 256 });
      });
      const host = hostOf(session.url);
      const before = host?.counters.submitted ?? 0;
      // Made elsewhere, as arrays are before there is a session.
      const made = new LocalBuffers(512);
      await fc.assert(
        fc.asyncProperty(graphs(made), fc.constantFrom(...all), async (roots, pipelines) => {
          const expected = evaluate(roots, (buffer) => buffer.home.lend(buffer));
          await pipelines.compute(roots);
          assertMeans(roots, expected, pipelines);
        }),
        { numRuns: RUNS, seed: SEED },
      );
      assert.ok((host?.counters.submitted ?? 0) > before, 'others were called');
    });

    test('sums are the same to the last bit, however many take part', LIMIT, async () => {
      const engine = engineOf(session);
      const settings = arraysOf(engine);
      assert.ok(settings !== undefined);
      const elements = Float64Array.from({ length: 500_000 }, (_, i) => Math.sin(i) * 10 ** (i % 17));
      const results = new Set<number>();
      for (const gang of [
        new Gang(engine, { ...settings, cpus: 1 }),
        new Gang(engine, settings, ALWAYS),
        new Gang(engine, { ...settings, scheme: 'SS' }, ALWAYS),
      ]) {
        const pipelines = inSession(engine, gang, {});
        const x = source(pipelines, elements);
        const root = sum(element('multiply', x, x));
        await pipelines.compute([root]);
        results.add(pipelines.read(root)[0] as number);
      }
      assert.equal(results.size, 1);
    });

    test('several computations at once do not get in the way of each other', LIMIT, async () => {
      const engine = engineOf(session);
      const settings = arraysOf(engine);
      assert.ok(settings !== undefined);
      const pipelines = inSession(engine, new Gang(engine, settings, ALWAYS), {});
      const roots = Array.from({ length: 6 }, (_, i) => {
        const x = source(pipelines, new Float64Array(300_000).fill(i));
        return sum(element('add', element('multiply', x, x), x));
      });
      await Promise.all(roots.map((root) => pipelines.compute([root])));
      assert.deepEqual(
        roots.map((root) => pipelines.read(root)[0]),
        [0, 1, 2, 3, 4, 5].map((i) => 300_000 * (i * i + i)),
      );
    });
  });
}

test('nothing is left of arrays that nobody has any more', LIMIT, async () => {
  await using session = await connect({ cpus: 2, memory: '128MiB', spill: 'off' });
  const pipelines = pipelinesOf(engineOf(session));
  const compute = async (): Promise<void> => {
    const x = source(pipelines, new Float64Array(200_000).fill(2));
    const y = element('multiply', x, x);
    await pipelines.compute([y]);
    assert.equal(pipelines.read(y)[7], 4);
  };
  for (let i = 0; i < 5; i++) await compute();
  assert.deepEqual(await leaks(session), []);
});

test('more than there is memory is refused, and the session goes on', LIMIT, async () => {
  await using session = await connect({ cpus: 2, memory: '8MiB', spill: 'off' });
  const pipelines = pipelinesOf(engineOf(session));
  const x = source(pipelines, new Float64Array(600_000).fill(1));
  await assert.rejects(pipelines.compute([element('add', x, x)]), { name: 'OutOfMemoryError' });
  const small = source(pipelines, new Float64Array(1000).fill(1));
  const total = sum(small);
  await pipelines.compute([total]);
  assert.equal(pipelines.read(total)[0], 1000);
});

test('inline mode computes in this thread', LIMIT, async () => {
  await using session = await connect({ mode: 'inline' });
  const pipelines = pipelinesOf(engineOf(session));
  assert.ok(pipelines.buffers instanceof LocalBuffers);
  assert.ok(pipelines instanceof Pipelines);
});

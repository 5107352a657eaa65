import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyOf } from '../kernels/index.ts';
import { sizeOf } from '../nd/index.ts';
import { graphs } from './graphs.fixture.ts';
import { LocalBuffers, Node, type Pipeline, Pipelines, type Plan } from './index.ts';
import { planOf } from './planning.rules.ts';
import { Programs } from './programs.fixture.ts';
import { hashOf, isSame, Survey } from './survey.rules.ts';
import { valuesOf } from './values.rules.ts';
import { planFaults } from './verify-plan.rules.ts';

const buffers = new LocalBuffers(1024);
const p = new Programs(buffers);
const CACHE = 64 << 10;

function planned(...roots: Node[]): Plan {
  const survey = new Survey(roots);
  const { values, roots: ids } = valuesOf(survey, roots);
  return planOf(values, ids, { cache: CACHE, block: CACHE, lowersProducts: () => true });
}

const pipelinesOf = (plan: Plan): Pipeline[] =>
  plan.steps.flatMap((step) => (step.kind === 'pipeline' ? [step.pipeline] : []));
const kernelsOf = (plan: Plan) => pipelinesOf(plan).flatMap(({ calls }) => calls.map(({ kernel }) => kernel));
const lengths = (plan: Plan): number[] => plan.arrays.map(({ length }) => length);

test('elementwise operations are one kernel, along one axis where all lie in one line', () => {
  const [x, y] = [p.array([40, 30]), p.array([40, 30])];
  const plan = planned(p.element('add', p.element('multiply', x, y), p.element('abs', p.element('subtract', x, 1))));
  const [pipeline] = pipelinesOf(plan) as [Pipeline];
  assert.equal(plan.steps.length, 1);
  assert.deepEqual([pipeline.rows, pipeline.calls.length, pipeline.scratch], [1200, 1, 0]);
  assert.equal(pipeline.calls[0]?.kernel.rank, 1);
  assert.deepEqual(lengths(plan), [1200]);
});

test('the same is computed once, whatever the order of operands', () => {
  const [x, y] = [p.array([10]), p.array([10])];
  const plan = planned(p.element('multiply', p.element('add', x, y), p.element('add', y, x)));
  assert.deepEqual(
    kernelsOf(plan)[0]?.steps.map(({ op }) => op),
    ['load', 'load', 'add', 'multiply'],
  );
});

test('what follows from constants alone is no step, and is as good for other constants', () => {
  const x = p.array([10]);
  const of = (value: number): Node => p.element('add', x, p.element('sqrt', p.element('multiply', value, 2)));
  const plan = planned(of(8));
  assert.deepEqual(
    kernelsOf(plan)[0]?.steps.map(({ op }) => op),
    ['load', 'scalar', 'add'],
  );
  assert.deepEqual(planned(of(3)), plan);
});

test('graphs that differ in sources and constants alone are the same to the planner', () => {
  const graph = (at: number, value: number): Node =>
    p.element(
      'add',
      p.rows(p.array([10, 3]), 0, 5),
      p.element(
        'multiply',
        p.array([5, 3], () => at),
        value,
      ),
    );
  const [a, b] = [new Survey([graph(0, 1)]), new Survey([graph(5, 2)])];
  assert.ok(isSame(a, b));
  assert.equal(hashOf(a), hashOf(b));
  const x = p.array([5, 3]);
  // The same array twice, or the same constant twice, is something else.
  for (const other of [p.element('add', x, p.element('multiply', x, 2)), p.element('add', x, x)])
    assert.ok(!isSame(a, new Survey([other])));
});

test('softmax of rows is one pipeline whose parts stay in the cache', () => {
  const x = p.array([500, 40]);
  const plan = planned(p.softmax(x));
  const [pipeline] = pipelinesOf(plan) as [Pipeline];
  assert.equal(plan.steps.length, 1);
  assert.equal(pipeline.calls.length, 3);
  assert.deepEqual(lengths(plan), [20_000], 'no array but the result');
  assert.ok(pipeline.tile < pipeline.rows);
  assert.ok(pipeline.scratch <= CACHE);
  // exp is computed once, by the kernel that sums it.
  const withExp = kernelsOf(plan).filter(({ steps }) => steps.some(({ op }) => op === 'exp'));
  assert.deepEqual(
    withExp.map(({ results }) => results.map(({ reduce }) => reduce)),
    [[null, 'sum']],
  );
});

test('columns are normalized without an array for what lies between', () => {
  const plan = planned(p.normalized(p.array([500, 40])));
  assert.deepEqual(
    lengths(plan).filter((length) => length > 40),
    [20_000],
  );
  // The square root is taken of columns, not of elements.
  for (const { calls } of pipelinesOf(plan)) {
    for (const { kernel, inner } of calls)
      if (kernel.steps.some(({ op }) => op === 'sqrt')) assert.deepEqual(inner, []);
  }
});

test('the nearest of some points is found in one pipeline, without an array of distances', () => {
  const distances = p.distances(p.array([300, 4]), p.array([8, 4]));
  const nearest = new Node({ kind: 'place', of: 'min', axis: 1 }, [300], 'i64', [distances]);
  const plan = planned(nearest);
  assert.equal(plan.steps.length, 1);
  assert.deepEqual(lengths(plan), [300]);
});

test('rows that are gathered are read tile by tile, with what says which, and what is made of them', () => {
  const x = p.array([1000, 10]);
  const numbers = p.array([5000], (at) => BigInt(-at % 1000) as never, 'i64');
  const indices = new Node({ kind: 'element', op: 'abs' }, [5000], 'i64', [numbers]);
  const taken = new Node({ kind: 'take', axis: 0 }, [5000, 10], 'f64', [x, indices]);
  const plan = planned(p.reduce('sum', [0, 1], p.element('multiply', taken, 2)));
  assert.deepEqual(lengths(plan), [1]);
  const gather = pipelinesOf(plan)[0]?.calls[1];
  assert.deepEqual([plan.steps.length, gather?.gather], [1, { length: 1000 }]);
  // Of what is computed any row may be asked for, so it is there before.
  const ofComputed = new Node({ kind: 'take', axis: 0 }, [5000, 10], 'f64', [p.element('sqrt', x), indices]);
  assert.deepEqual(lengths(planned(p.reduce('sum', [0, 1], ofComputed))), [10_000, 5000, 1]);
  // A plan that gathers from what the pipeline still computes is no good.
  const operands = [gather?.operands[0], gather?.operands[0]];
  const bad = {
    ...plan,
    steps: [{ ...plan.steps[0], pipeline: { ...pipelinesOf(plan)[0], calls: [{ ...gather, operands }] } }],
  };
  assert.ok(planFaults(bad as never, 3).some((fault) => /not all there/.test(fault)));
});

test('several results of the same rows come from one pass over them', () => {
  const x = p.array([1000, 10]);
  const plan = planned(p.reduce('sum', [0], x), p.reduce('max', [0], x), p.element('sqrt', x));
  assert.equal(plan.steps.length, 1);
  assert.equal(pipelinesOf(plan)[0]?.calls.length, 1);
});

test('of something large only the part is computed that is asked for', () => {
  const x = p.array([1000, 10]);
  const plan = planned(p.rows(p.element('exp', x), 10, 3));
  assert.deepEqual(lengths(plan), [30]);
  assert.equal(pipelinesOf(plan)[0]?.rows, 30);
});

test('views of what is there are no work at all; reshapes move to where they are none', () => {
  const x = p.array([12, 10]);
  assert.deepEqual(planned(p.rows(x, 2, 3)).steps, []);
  assert.deepEqual(planned(p.reshape([120], x)).steps, []);
  const plan = planned(p.element('add', p.reshape([120], p.element('square', x)), p.array([120])));
  assert.deepEqual(lengths(plan), [120]);
  assert.equal(kernelsOf(plan).length, 1);
});

test('where a part is replaced, what was there is not written first', () => {
  const x = p.array([50, 40]);
  const inner = { start: 1, step: 1 } as const;
  const view = (maps: [number, number]): Node =>
    new Node({ kind: 'view', maps: maps.map((start, axis) => ({ start, step: 1, axis })) }, [48, 38], 'f64', [x]);
  const mean = p.element('multiply', p.element('add', view([0, 1]), view([2, 1])), 0.5);
  const at = [
    [
      { start: 0, step: 1, axis: 0 },
      { start: 0, step: 1, axis: 1 },
    ],
    [
      { ...inner, axis: 0 },
      { ...inner, axis: 1 },
    ],
  ];
  const plan = planned(new Node({ kind: 'assemble', at }, [50, 40], 'f64', [x, mean]));
  const points = pipelinesOf(plan).reduce((sum, { rows, calls }) => {
    for (const { inner: own, results } of calls) sum += rows * sizeOf(own) * results.length;
    return sum;
  }, 0);
  assert.equal(points, 50 * 40);
  assert.deepEqual(lengths(plan), [2000]);
});

test('a long chain is some short kernels that are the same', () => {
  let x = p.array([10]);
  for (let i = 0; i < 5000; i++) x = p.element(i % 2 === 0 ? 'add' : 'multiply', x, i);
  const plan = planned(x);
  const kernels = kernelsOf(plan);
  assert.equal(plan.steps.length, 1);
  assert.ok(kernels.length > 50);
  assert.ok(kernels.every(({ steps }) => steps.length <= 128));
  assert.ok(new Set(kernels.map(keyOf)).size <= 4, 'all but the ends are the same');
  assert.deepEqual(lengths(plan), [10]);
  assert.ok((pipelinesOf(plan)[0] as Pipeline).scratch < 1000, 'what is between is used again');
});

test('which rows are summed together depends on the pipeline alone', () => {
  const plan = planned(p.reduce('sum', [0], p.array([100_000])));
  const [{ rows, tile, unit, accumulators }] = pipelinesOf(plan) as [Pipeline];
  assert.equal(accumulators.length, 1);
  assert.equal(unit % tile, 0);
  assert.ok(unit < rows);
});

test('plans of any graph are valid, and say so as plain data', () => {
  fc.assert(
    fc.property(graphs(buffers), (roots) => {
      const plan = planned(...roots);
      assert.deepEqual(planFaults(plan, new Survey(roots).scalars.length), []);
      assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
      const asked = plan.roots.map(({ shape }) => sizeOf(shape));
      assert.deepEqual(
        asked,
        roots.map(({ shape }) => sizeOf(shape)),
      );
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('what is wrong with a plan is found', () => {
  const plan = planned(
    p.softmax(p.array([500, 40])),
    p.reduce(
      'sum',
      [0],
      p.array([500, 40], (at) => at),
    ),
  );
  interface Loose {
    steps: { pipeline: { unit: number; scratch: number; calls: unknown[] } }[];
    arrays: object[];
  }
  const changed = (change: (plan: Loose) => void): string[] => {
    const copy = JSON.parse(JSON.stringify(plan));
    change(copy);
    return planFaults(copy, 0);
  };
  const first = (copy: Loose) => copy.steps[0]!.pipeline;
  const cases: [RegExp, (plan: Loose) => void][] = [
    [/is not there/, (copy) => Object.assign(copy.steps[0]!, { makes: [] })],
    [/units \(\d+\) are no tiles/, (copy) => Object.assign(first(copy), { unit: 3 })],
    [/outside of the scratch/, (copy) => Object.assign(first(copy), { scratch: 8 })],
    [/is left/, (copy) => Object.assign(copy.arrays[0]!, { length: 100 })],
    [/is no f64/, (copy) => Object.assign(copy.arrays[0]!, { dtype: 'i32' })],
    [/read before it is written/, (copy) => first(copy).calls.reverse()],
    [/never let go of/, (copy) => Object.assign(copy, { roots: [] })],
  ];
  assert.deepEqual(
    changed(() => {}),
    [],
  );
  for (const [fault, change] of cases) assert.match(changed(change).join('; '), fault);
});

test('a copy in another order of axes is read as a list by the kernel that makes it', () => {
  const buffer = buffers.adopt(
    'f64',
    Float64Array.from({ length: 8 }, (_, i) => -i),
  );
  const source = new Node({ kind: 'source', buffer, offset: 6, strides: [-2, -2, -4] }, [1, 2, 2], 'f64');
  const list = new Node({ kind: 'reshape' }, [4], 'f64', [source]);
  const matrix = new Node({ kind: 'reshape' }, [2, 2], 'f64', [p.element('abs', p.element('abs', list))]);
  const root = p.element('abs', matrix);
  const pipelines = new Pipelines(buffers, { cache: 256, block: 256 });
  pipelines.computeNow([root]);
  assert.deepEqual([...pipelines.read(root)], [6, 2, 4, 0]);
});

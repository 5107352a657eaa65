import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notBuilt, Place } from './support.ts';

const options = { skip: notBuilt, timeout: 100_000 };

const MODULE = `import * as sf from 'sheaf/array';
export const total = sf.arange(1000).sin().sum();
export const softmax = (x: sf.Arr): sf.Arr => {
  const e = x.sub(x.max({ axis: 1, keepdims: true })).exp();
  return e.div(e.sum({ axis: 1, keepdims: true }));
};
export const limit = 3;
`;

test(
  'an array of a module, and what a function gives for arrays of some shape, are explained and drawn',
  options,
  () => {
    using place = new Place();
    place.file('module.ts', MODULE);
    const total = place.sheaf(['explain', 'module.ts']);
    assert.match(
      total.out,
      /^total {2}Arr\(f64, a scalar\)\n\ngraph: \d+ nodes\n[\s\S]*\nplan: 1 step, 0 sources/,
      total.err,
    );
    const args = ['explain', 'module.ts', '--export', 'softmax', 'f32:300x40', '--json', '--svg', 'softmax.svg'];
    const softmax = place.sheaf(args);
    assert.equal(softmax.code, 0, softmax.err);
    const { graph, askedFor, plan } = JSON.parse(softmax.out);
    assert.deepEqual(graph[0], {
      op: { kind: 'source', offset: 0, strides: [40, 1] },
      args: [],
      dtype: 'f32',
      shape: [300, 40],
    });
    assert.deepEqual(graph[askedFor[0]].op, { kind: 'element', op: 'divide' });
    assert.equal(plan.steps[0].pipeline.calls.length, 3);
    assert.match(readFileSync(join(place.folder, 'softmax.svg'), 'utf8'), /^<svg [\s\S]*pipeline of 3 kernels/);
  },
);

test('what can’t be explained is said, with what to do', options, () => {
  using place = new Place();
  place.file('module.ts', MODULE);
  place.file(
    'program.ts',
    `import { connect } from 'sheaf';\nawait using session = await connect({ mode: 'inline' });\n`,
  );
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['modul.ts'], /modul\.ts does not exist; did you mean module\.ts\?/],
    [['program.ts'], /exports no array: write `export default x`.*sheaf explain --run program\.ts/],
    [['module.ts', '--export', 'sofmax'], /exports no sofmax; did you mean softmax\?/],
    [['module.ts', '--export', 'limit'], /limit of module\.ts is number, and neither an array nor a function/],
    [['module.ts', '--export', 'softmax'], /takes 1 arguments, and got 0; .*--export softmax f64:1000x1000/],
    [['module.ts', '--export', 'softmax', 'f16:3x3'], /there is no element type f16; there are bool, /],
    [['module.ts', '7'], /total of module\.ts is no function, so there is nothing to pass 7 to/],
    [['--run', '--svg', 'module.ts', 'program.ts'], /module\.ts can't be a folder for drawings: EEXIST/],
    [['--run', '--json', 'program.ts'], /--json and --run exclude each other: --svg FOLDER/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = place.sheaf(['explain', ...args]);
    assert.match(err, message);
    assert.deepEqual([code, out], [2, ''], err);
  }
});

test('with --run, each plan is explained once at its line, and at the end how often it was run', options, () => {
  using place = new Place();
  place.file(
    'program.ts',
    `import { connect } from 'sheaf';
import { arange } from 'sheaf/array';
await using session = await connect({ mode: 'inline' });
for (let i = 0; i < 3; i++) console.log(await arange(10).add(2).sum().item(), process.argv[2]);
await arange(5).persist();
`,
  );
  const { code, out, err } = place.sheaf(['explain', '--run', 'program.ts', '--svg', 'drawn', '--', '--own']);
  assert.equal(code, 0, err);
  assert.equal(out, '65 --own\n65 --own\n65 --own\n');
  assert.deepEqual(
    [...err.matchAll(/^computation (\d+): (\w+) at (\S+?),/gm)].map(([, number, operation, at]) => [
      number,
      operation,
      at,
    ]),
    [
      ['1', 'item', 'program.ts:4:71'],
      ['2', 'persist', 'program.ts:5:17'],
    ],
  );
  assert.match(err, /\n +1 +3 +\S+ \S+ {2}item at program\.ts:4:71\n/);
  const files = readdirSync(join(place.folder, 'drawn'));
  assert.deepEqual(files, ['001-program.ts-4-71-item.svg', '002-program.ts-5-17-persist.svg', 'computations.json']);
  const report = JSON.parse(readFileSync(join(place.folder, 'drawn/computations.json'), 'utf8'));
  assert.deepEqual(
    report.map((each: { times: number }) => each.times),
    [3, 1],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csr } from '../../arrays/index.ts';
import { runText } from '../scripts.fixture.ts';
import { AGGREGATION } from './aggregation.ts';
import { casesOf, m, s } from './builtins.fixture.ts';
import { CASTS } from './casts.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { INDEXING } from './indexing.ts';
import { REORGANISATION } from './reorganisation.ts';

const cases = casesOf([...ELEMENTWISE, ...AGGREGATION, ...REORGANISATION, ...INDEXING, ...CASTS]);
/** 0 2 0 | -3 0 4 */
const x = {
  kind: 'sparse',
  value: 'f64',
  rows: 2,
  columns: 3,
  csr: csr({ values: Float64Array.of(2, -3, 4), indices: [1, 0, 2], indptr: [0, 1, 3], shape: [2, 3] }),
} as const;
const i = (n: number) => s('si64', n);

cases('products, sums of two, transposes and other shapes stay sparse, as they are estimated to be', [
  ['$mul', [x, i(2)], 'sparse f64 2x3 [0 4 0 | -6 0 8]'],
  ['$mul', [i(2), x], 'sparse f64 2x3 [0 4 0 | -6 0 8]'],
  ['$mul', [x, x], 'sparse f64 2x3 [0 4 0 | 9 0 16]'],
  ['$mul', [x, m('si64', [[1, 2, 3]])], 'sparse f64 2x3 [0 4 0 | -3 0 12]'],
  ['$mul', [m('si64', [[1], [2]]), x], 'sparse f64 2x3 [0 2 0 | -6 0 8]'],
  ['$add', [x, x], 'sparse f64 2x3 [0 4 0 | -6 0 8]'],
  ['t', [x], 'sparse f64 3x2 [0 -3 | 2 0 | 0 4]'],
  ['$index', [x], 'sparse f64 2x3 [0 2 0 | -3 0 4]', { sides: ['all', 'all'] }],
  ['$assign', [m('f64', [[1]]), x], 'sparse f64 2x3 [0 2 0 | -3 0 4]', { sides: ['all', 'all'] }],
  ['$cast', [x], 'sparse f64 2x3 [0 2 0 | -3 0 4]', { to: { data: 'matrix', value: 'f64' } }],
  ['reshape', [x, i(1), i(6)], 'sparse f64 1x6 [0 2 0 -3 0 4]'],
]);

cases('sums are of what is there', [
  ['sum', [x], '3'],
  ['sum', [x, i(0)], 'f64 2x1 [2 | 1]'],
  ['sum', [x, i(1)], 'f64 1x3 [-3 2 4]'],
  ['aggMin', [x], '-3'],
  ['mean', [x], '0.5'],
]);

cases('everything else takes it as a dense one', [
  ['minus', [x], 'f64 2x3 [-0 -2 -0 | 3 -0 -4]'],
  ['$index', [x, i(-1)], 'f64 1x3 [-3 0 4]', { sides: ['position', 'all'] }],
  ['$cast', [x], 'si64 2x3 [0 2 0 | -3 0 4]', { to: { data: undefined, value: 'si64' } }],
  ['$assign', [x, m('f64', [[9]]), i(0), i(0)], 'f64 2x3 [9 2 0 | -3 0 4]', { sides: ['position', 'position'] }],
  ['reverse', [x], 'f64 2x3 [-3 0 4 | 0 2 0]'],
  ['cbind', [x, x], 'f64 2x6 [0 2 0 0 2 0 | -3 0 4 -3 0 4]'],
  ['cos', [x], `f64 2x3 [1 ${Math.cos(2)} 1 | ${Math.cos(3)} 1 ${Math.cos(4)}]`],
  ['$add', [x, i(1)], 'f64 2x3 [1 3 1 | -2 1 5]'],
  ['$add', [x, m('f64', [[1], [2], [3]])], 3],
  ['sqrt', [x], 3],
  ['outerMul', [m('f64', [[1], [2]]), m('f64', [[1, 2]])], 'f64 2x2 [1 2 | 2 4]'],
]);

test('products and parts of sparse matrices are those of dense ones', async () => {
  const script = `K = rand(60, 60, 1.0, 2.0, 0.06, 1); D = K + fill(0.0, 60, 60); i = seq(0, 59, 3); f = D[, 1] > 0.0;
    print(sum(abs(K @ K - D @ D))); print(sum(abs(t(K) @ K - t(D) @ D))); print(sum(abs(K @ t(K) - D @ t(D))));
    print(sum(abs(K[i, ] - D[i, ]))); print(sum(abs(K[, i] - D[, i]))); print(sum(abs(K[3:9, 4:50] - D[3:9, 4:50])));
    print(sum(abs(K[[f, ]] - D[[f, ]]))); print(sum(K) > 0.0); print(K[0:0, ]); print((K @ K)[0:1, 0:1]);`;
  for (const flags of [[], ['--vec']]) {
    const { stdout, stderr } = await runText(script, { flags: ['--select-matrix-repr', ...flags] });
    assert.equal(stderr, '');
    const [rest, ...others] = stdout.split('DenseMatrix');
    assert.match(rest!, /^(\S+\n){7}1\n$/);
    for (const apart of rest!.split('\n').slice(0, 7)) assert.ok(Number(apart) < 1e-9, stdout);
    assert.equal(others.length, 2);
  }
  const rare = await runText('K = rand(9, 9, 1.0, 1.0, 0.1, 1); print(K @ K);', { flags: ['--select-matrix-repr'] });
  assert.match(rare.stdout, /^CSRMatrix\(9x9, double\)/);
});

test('what is combined of sparse matrices is what dense ones give', async () => {
  const calls = ['aggMin', 'aggMax', 'mean', 'var', 'stddev'].flatMap((name) => [
    (x: string) => `${name}(${x})`,
    (x: string) => `${name}(${x}, 0)`,
    (x: string) => `${name}(${x}, 1)`,
  ]);
  for (const name of ['idxMin', 'idxMax']) for (const axis of [0, 1]) calls.push((x) => `${name}(${x}, ${axis})`);
  const prints = ['K', 'E', 'I'].flatMap((x) =>
    calls.map((call) => `print("--"); print(${call(x)}); print("--"); print(${call(`(${x} + Z)`)});`),
  );
  const script = `K = rand(7, 5, -2.0, 2.0, 0.2, 2); Z = fill(0.0, 7, 5); E = K * [nan, 1.0, nan, 2.0, -1.0](1, 5);
    I = rand(7, 5, -9, 9, 0.2, 3); ${prints.join('\n').replaceAll('(I + Z)', '(I + as.si64(Z))')}`;
  const { stdout, stderr } = await runText(script, { flags: ['--select-matrix-repr'] });
  assert.equal(stderr, '');
  const [, ...found] = stdout.split('--\n');
  assert.equal(found.length, 2 * prints.length);
  for (let i = 0; i < found.length; i += 2) assert.equal(found[i], found[i + 1], prints[i / 2]);
});

test('large matrices stay sparse where dense ones would take much memory', async () => {
  const script = `G = rand(50000, 50000, 1.0, 2.0, 0.00001, 1); s = sum(G);
    H = G @ G; print(nrow(H)); print(sum(abs(G[7, ] @ G - H[7, ]))); print(nrow(G[10:49000, ]));
    part = sum(G[3:5, 10:20]);
    G[3:5, 10:20] = fill(1.5, 2, 10); print(abs(sum(G) - s + part - 30.0) < 1.0e-6); print(sum(G[3:5, 10:20]));
    G[, 9] = fill(0.0, 50000, 1); print(sum(G[, 9])); print(aggMax(G) > 1.9); print(sum(aggMin(G, 0)));
    print(abs(mean(G) * 2.5e9 - sum(G)) < 1.0e-3); print(abs(stddev(-G) - stddev(G)) < 1.0e-9); print(sum(G > 2.5));
    print(sum(as.matrix<si64>(abs(-G) / 4.0))); print(sum(idxMax(fill(1.0, 1, 50000) @ G, 0)) > 0);`;
  for (const flags of [[], ['--vec']]) {
    const { stdout, stderr } = await runText(script, { flags: ['--select-matrix-repr', ...flags] });
    assert.deepEqual([stdout, stderr], ['50000\n0\n48990\n1\n30\n0\n1\n0\n1\n1\n0\n0\n1\n', '']);
  }
});

test('large sparse matrices are put together, taken apart and turned', async () => {
  const script = `n = 20000; G = rand(n, n, 1.0, 2.0, 0.00005, 1); s = sum(G); v = rand(n, 1, 1.0, 2.0, 0.5, 2);
    print(isSymmetric(G)); print(isSymmetric(max(G, t(G)))); print(sum(abs(reverse(reverse(G)) - G)));
    print(abs(sum(cbind(G, G)) - 2.0 * s) < 1.0e-6); print(abs(sum(rbind(G, G)[n:, ]) - s) < 1.0e-6);
    print(abs(sum(lowerTri(G, true, true)) + sum(upperTri(G, false, true)) - s) < 1.0e-6);
    R = reshape(G, 10000, 40000); print(sum(abs(R[3, 20000:] - G[7, ]))); print(sum(upperTri(G, true, false) > 1.0));
    D = diagMatrix(v); print(sum(abs(diagVector(D) - v))); print(sum(abs(sum(D @ G, 0) - v * sum(G, 0))) < 1.0e-6);
    print(isSymmetric(D + G)); print(isSymmetric(G + t(G))); D[0, 0] = [7.0]; print(sum(replace(D, 7.0, 9.0) - D));
    D[1, 1] = [nan]; print(sum(max(G, D)) > s); print(sum(max(D, G)) > s);`;
  for (const flags of [[], ['--vec']]) {
    const { stdout, stderr } = await runText(script, { flags: ['--select-matrix-repr', ...flags] });
    assert.deepEqual([stdout, stderr], ['0\n1\n0\n1\n1\n1\n0\n0\n0\n1\n0\n1\n2\n1\n0\n', '']);
  }
  const { stdout } = await runText('print(reshape(rand(5000, 5000, 1.0, 1.0, 0.001, 1), 3, 4));', {
    flags: ['--select-matrix-repr'],
  });
  assert.match(stdout, /the 25000000 elements of 5000x5000 do not make 3x4/);
});

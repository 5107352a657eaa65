import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sf from './index.ts';
import { type Arr, eye, ones, zeros } from './index.ts';

const x = ones([3, 3]);
const images = ones([1, 1, 1, 1]);

/** Every function that takes options, with all else that it needs. */
const CALLS: Readonly<Record<string, (o: never) => unknown>> = {
  ...Object.fromEntries(
    ['sum', 'prod', 'min', 'max', 'all', 'any', 'countNonzero', 'argmin', 'argmax', 'mean', 'var', 'std', 'diff'].map(
      (name) => [name, method(name)],
    ),
  ),
  ...Object.fromEntries(
    [
      'cumulativeSum',
      'cumulativeProd',
      'expandDims',
      'flip',
      'unstack',
      'sort',
      'argsort',
      'cholesky',
      'qr',
      'svd',
    ].map((name) => [name, method(name)]),
  ),
  ...Object.fromEntries(
    [
      'pinv',
      'matrixRank',
      'vectorNorm',
      'matrixNorm',
      'diagonal',
      'trace',
      'tril',
      'triu',
      'zerosLike',
      'onesLike',
      'emptyLike',
    ].map((name) => [name, method(name)]),
  ),
  ...Object.fromEntries(
    ['cumulativeMin', 'cumulativeMax', 'median', 'histogram', 'cov'].map((name) => [name, method(name)]),
  ),
  quantile: (o) => x.quantile(0.5, o),
  topK: (o) => x.topK(1, o),
  lexsort: (o) => sf.lexsort([zeros([1])], o),
  eigh: (o) => x.eigh(o),
  softmax: (o) => x.softmax(o),
  softmaxBackward: (o) => x.softmaxBackward(x, o),
  diag: (o) => x.at(0).diag(o),
  digitize: (o) => x.digitize(x.at(0), o),
  crosstab: (o) => zeros([1], { dtype: 'i64' }).crosstab(zeros([1], { dtype: 'i64' }), [1, 1], o),
  conv2d: (o) => images.conv2d(images, o),
  conv2dBackwardData: (o) => images.conv2dBackwardData(images, 1, o),
  conv2dBackwardFilter: (o) => images.conv2dBackwardFilter(images, 1, o),
  maxPool2d: (o) => images.maxPool2d(1, o),
  maxPool2dBackward: (o) => images.maxPool2dBackward(images, 1, o),
  avgPool2d: (o) => images.avgPool2d(1, o),
  avgPool2dBackward: (o) => images.avgPool2dBackward(images, 1, o),
  batchNorm2d: (o) => images.batchNorm2d(ones([1]), ones([1]), o),
  batchNorm2dBackward: (o) => images.batchNorm2dBackward(images, ones([1]), o),
  lstsq: (o) => x.lstsq(x, o),
  oneHot: (o) => zeros([1], { dtype: 'i64' }).oneHot(1, o),
  zeros: (o) => sf.zeros([1], o),
  ones: (o) => sf.ones([1], o),
  empty: (o) => sf.empty([1], o),
  full: (o) => sf.full([1], 1, o),
  fullLike: (o) => sf.fullLike(x, 1, o),
  arange: (o) => (sf.arange as (...args: unknown[]) => unknown)(0, 1, 1, o),
  linspace: (o) => sf.linspace(0, 1, 2, o),
  eye: (o) => sf.eye(1, 1, o),
  meshgrid: (o) => sf.meshgrid([], o),
  asarray: (o) => sf.asarray([1], o),
  fromNested: (o) => sf.fromNested([1], o),
  concat: (o) => sf.concat([x], o),
  stack: (o) => sf.stack([x], o),
  roll: (o) => x.roll(1, o),
  repeat: (o) => x.repeat(2, o),
  take: (o) => x.take(zeros([1], { dtype: 'i64' }), o),
  takeAlongAxis: (o) => x.takeAlongAxis(zeros([3, 3], { dtype: 'i64' }), o),
  searchsorted: (o) => x.at(0).searchsorted(1, o),
  tensordot: (o) => x.tensordot(x, o),
  vecdot: (o) => x.vecdot(x, o),
  cross: (o) => x.cross(x, o),
  random: (o) => sf.random([1], o),
  randomNormal: (o) => sf.randomNormal([1], o),
  randomIntegers: (o) => sf.randomIntegers(0, 1, [1], o),
  map: (o) => sf.map((a: number) => a, o),
  stencil: (o) => sf.stencil((u) => u.near(0), o),
};

function method(name: string): (o: never) => unknown {
  const fn = (sf as unknown as Readonly<Record<string, (x: Arr, o: unknown) => unknown>>)[name]!;
  return (o) => fn(x, o);
}

test('an option that there is not is refused by name, since nothing in the result would show it', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    assert.throws(
      () => call({ axs: 0 } as never),
      { code: 'ERR_SHEAF_USAGE', message: new RegExp(`^${name} has no option "axs"; there (is|are) `) },
      name,
    );
    assert.throws(
      () => call([0] as never),
      { code: 'ERR_SHEAF_USAGE', message: new RegExp(`^${name}: options are an object such as`) },
      name,
    );
    assert.throws(
      () => call(x as never),
      { code: 'ERR_SHEAF_USAGE', message: new RegExp(`^${name}: options are an object such as`) },
      `an array in the place of the options of ${name}`,
    );
  }
  assert.ok(Object.keys(CALLS).length > 55);
});

test('an axis by itself is no object of options', () => {
  assert.throws(() => x.sum(0 as never), {
    code: 'ERR_SHEAF_USAGE',
    message: /^sum: options are an object such as { axis: \.\.\. }, and not number$/,
  });
});

test('iterate, whose steps are computed, refuses options as well', async () => {
  await assert.rejects(
    sf.iterate(eye(2), (u) => u, { max: 1, tolerance: 1e-6 } as never),
    {
      code: 'ERR_SHEAF_USAGE',
      message: /no option "tolerance"/,
    },
  );
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { asArr, at, build, type Plain, plainOf, same, withSession } from './arrays.fixture.ts';
import { type Arr, arange, asarray, iterate, map, type Neighbourhood, ones, readNpy, stencil, zeros } from './index.ts';

withSession();

const mod = (a: number, n: number): number => ((a % n) + n) % n;

type Edge = 'keep' | 'wrap' | 'nearest' | 'reflect' | number;

/** Where what is at a place beyond the ends comes from: steps to it are taken one by one, and turn or stay at an end. */
function walked(to: number, length: number, edge: Edge): number {
  if (edge === 'wrap') return mod(to, length);
  let place = Math.max(0, Math.min(length - 1, to));
  if (edge === 'nearest') return place;
  let way = to < 0 ? 1 : -1;
  // The first step beyond an end sees the end again.
  for (let left = Math.abs(to - place) - 1; left > 0; left--) {
    if (place + way < 0 || place + way >= length) way = -way;
    else place += way;
  }
  return place;
}

/** A stencil by its meaning: one place after the other. */
function slowly(
  x: Plain,
  fn: (u: Neighbourhood) => number,
  reach: readonly (readonly [number, number])[],
  edge: Edge,
): Plain {
  return build(x.shape, 'f64', (p) => {
    const isInner = p.every((i, axis) => i - reach[axis]![0] >= 0 && i + reach[axis]![1] < x.shape[axis]!);
    if (edge === 'keep' && !isInner) return at(x, p);
    return fn({
      near: (...offset) => {
        const there = p.map((i, axis) => i + offset[axis]!);
        if (typeof edge === 'string')
          return Number(
            at(
              x,
              there.map((i, axis) => walked(i, x.shape[axis]!, edge)),
            ),
          );
        const inside = there.every((i, axis) => i >= 0 && i < x.shape[axis]!);
        return inside ? Number(at(x, there)) : (edge as number);
      },
    });
  });
}

const kernel = [
  [1, 2],
  [3, 4],
  [5, 6],
];
function weighted(u: Neighbourhood): number {
  let sum = 0;
  for (let row = -1; row <= 1; row++)
    for (let column = 0; column <= 1; column++) sum += kernel[row + 1]![column]! * u.near(row, column);
  return sum;
}

const edges = fc.constantFrom<Edge>('keep', 'wrap', 'nearest', 'reflect', 0, -3);

test('a stencil gives for each place what its function gives', () =>
  fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.nat(5), fc.nat(5)).chain((shape) => plainOf(shape)),
      edges,
      async (x, edge) => {
        await same(
          stencil(weighted, { edge })(asArr(x)),
          slowly(
            x,
            weighted,
            [
              [1, 1],
              [0, 1],
            ],
            edge,
          ),
        );
        const far = (u: Neighbourhood): number => u.near(-3, 0) - u.near(0, 2);
        await same(
          stencil((u: Neighbourhood) => u.near(-3, 0) - u.near(0, 2), { edge })(asArr(x)),
          slowly(
            x,
            far,
            [
              [3, 0],
              [0, 2],
            ],
            edge,
          ),
        );
      },
    ),
  ));

test('what is beyond the ends', async () => {
  const ends = async (edge: Edge): Promise<unknown> => {
    const far = stencil((u: Neighbourhood) => u.near(-2) * 100 + u.near(0) * 10 + u.near(2), { edge });
    return far(asarray([1, 2, 3])).toNested();
  };
  assert.deepEqual(await ends('nearest'), [113, 123, 133]);
  assert.deepEqual(await ends('reflect'), [213, 123, 132]);
  assert.deepEqual(await ends('wrap'), [213, 321, 132]);
});

test('stencils of one axis, of three, and of several arrays', async () => {
  const x = arange(6).square();
  assert.deepEqual(
    await stencil((u: Neighbourhood) => u.near(-1) + u.near(1) - 2 * u.near(0))(x).toNested(),
    [0, 2, 2, 2, 2, 25],
  );
  assert.equal(
    await stencil((u: Neighbourhood) => u.near(0, 0, 1), { edge: 9 })(zeros([2, 2, 2]))
      .sum()
      .item(),
    36,
  );
  const flow = stencil((u: Neighbourhood, v: Neighbourhood) => u.near(1) * v.near(0), { edge: 'wrap' });
  assert.deepEqual(await flow(arange(3), asarray([10, 20, 30])).toNested(), [10, 40, 0]);
  assert.throws(() => flow(arange(3), arange(4)), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^stencil: the shapes 3 and 4 differ/,
  });
  assert.throws(() => stencil((u: Neighbourhood) => u.near(0))(zeros([2, 2])), {
    code: 'ERR_SHEAF_SHAPE',
    message: /1 distances.*has 2 axes/,
  });
  assert.deepEqual(await stencil((u: Neighbourhood) => u.near(0) * 2)(x).toNested(), [0, 2, 8, 18, 32, 50]);
  assert.equal(stencil((u: Neighbourhood) => u.near(1))(zeros([4], { dtype: 'u8' })).dtype, 'f64');
});

test('distances are known before, one for each axis', () => {
  assert.throws(() => stencil((u: Neighbourhood) => u.near(u.near(0))), {
    code: 'ERR_SHEAF_KERNEL',
    message: /u\.near\(0\).*a distance that is no integer known before/,
  });
  assert.throws(() => stencil((u: Neighbourhood) => u.near(0.5)), { code: 'ERR_SHEAF_KERNEL' });
  assert.throws(() => stencil((u: Neighbourhood) => u.near(0) + u.near(0, 1)), {
    code: 'ERR_SHEAF_KERNEL',
    message: /1 and 2 distances/,
  });
  assert.throws(() => stencil(((u: Neighbourhood) => u) as never), {
    code: 'ERR_SHEAF_KERNEL',
    message: /a whole array where a number/,
  });
  assert.throws(() => stencil((u: Neighbourhood) => u.near(0), { edge: 'mirror' as never }), {
    code: 'ERR_SHEAF_USAGE',
    message: /edge is "mirror"/,
  });
});

test('iterate computes every few steps, and ends when it is told to', async () => {
  const checks: number[] = [];
  const double = (u: Arr<'f64'>) => u.mul(2);
  const found = await iterate(ones([3]), double, {
    max: 10,
    every: 3,
    until: (next) => next.max().greater(40),
    onCheck: async ({ step, value }) => {
      checks.push(step, (await value.at(0).item()) as number);
    },
  });
  assert.deepEqual({ steps: found.steps, converged: found.converged }, { steps: 6, converged: true });
  assert.deepEqual(await found.value.toNested(), [64, 64, 64]);
  assert.deepEqual(checks, [3, 8, 6, 64]);
  const all = await iterate(ones([1]), double, { max: 7, every: 3 });
  assert.deepEqual([all.steps, all.converged, await all.value.item()], [7, false, 128]);
  assert.deepEqual((await iterate(ones([1]), double, { max: 0 })).steps, 0);
  // The one before is that of the last step, and not of the last check.
  const apart: number[] = [];
  await iterate(ones([1]), double, {
    max: 4,
    every: 2,
    until: (next, prev) => {
      void next
        .sub(prev)
        .item()
        .then((value) => apart.push(value));
      return next.less(0).any();
    },
  });
  assert.deepEqual(apart, [2, 8]);
});

test('iterate goes on from a checkpoint', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sheaf-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const checkpoint = join(folder, 'kept', 'here');
  const double = (u: Arr<'f64'>) => u.mul(2);
  const broken = iterate(ones([3]), double, {
    max: 20,
    every: 3,
    checkpoint,
    onCheck({ step }) {
      if (step === 6) throw new Error('no more power');
    },
  });
  await assert.rejects(broken, /no more power/);
  assert.deepEqual(readdirSync(checkpoint), ['step-6.npy']);
  assert.deepEqual(await (await readNpy(join(checkpoint, 'step-6.npy'))).toNested(), [64, 64, 64]);
  await assert.rejects(iterate(ones([2]), double, { max: 20, checkpoint }), {
    code: 'ERR_SHEAF_SHAPE',
    message: /step-6\.npy has a f64 of the shape \[3\], and what begins is a f64 of the shape \[2\]/,
  });
  const checks: number[] = [];
  // Another interval: checks are at its multiples, whatever the one before was.
  const { value, steps } = await iterate(zeros([3]), double, {
    max: 10,
    every: 4,
    checkpoint,
    onCheck: ({ step }) => void checks.push(step),
  });
  assert.deepEqual([await value.toNested(), steps, checks], [[1024, 1024, 1024], 10, [8, 10]]);
  assert.equal(existsSync(checkpoint), false);
  await assert.rejects(iterate(ones([2]), double, { max: 1, checkpoint: '' }), { code: 'ERR_SHEAF_USAGE' });
});

test('iterate refuses steps that give something else', async () => {
  await assert.rejects(
    iterate(ones([3]), () => ones([2]), { max: 1 }),
    { code: 'ERR_SHEAF_SHAPE', message: /makes a f64 of the shape \[2\] out of a f64 of the shape \[3\]/ },
  );
  await assert.rejects(
    iterate(ones([3]), (u) => u.astype('f32') as never, { max: 1 }),
    { code: 'ERR_SHEAF_SHAPE' },
  );
  await assert.rejects(
    iterate(ones([3]), (u) => u, { max: -1 }),
    { code: 'ERR_SHEAF_USAGE' },
  );
  await assert.rejects(
    iterate(ones([3]), (u) => u, { max: 1, until: (next) => next.greater(0) }),
    { code: 'ERR_SHEAF_USAGE', message: /one boolean/ },
  );
});

test('a heat equation ends where it has to', async () => {
  const step = stencil((u: Neighbourhood) => 0.5 * (u.near(-1) + u.near(1)));
  const u = zeros([9]).set([-1], 8);
  const { value, converged } = await iterate(u, step, {
    max: 2000,
    every: 50,
    until: (next, prev) => next.sub(prev).abs().max().less(1e-9),
  });
  assert.ok(converged);
  for (const [i, each] of ((await value.toNested()) as number[]).entries()) assert.ok(Math.abs(each - i) < 1e-6);
  assert.equal(
    await map((x: number) => x + 1)(value)
      .at(-1)
      .item(),
    9,
  );
});

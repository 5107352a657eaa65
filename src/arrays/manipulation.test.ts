import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyPlain, anyShape, asArr, at, build, type Point, plainOf, same, withSession } from './arrays.fixture.ts';
import {
  arange,
  asarray,
  broadcastArrays,
  broadcastTo,
  concat,
  expandDims,
  flip,
  matrixTranspose,
  meshgrid,
  moveaxis,
  permuteDims,
  repeat,
  reshape,
  roll,
  squeeze,
  stack,
  tile,
  transpose,
  tril,
  triu,
  unstack,
  zeros,
} from './index.ts';

withSession();

const mod = (a: number, n: number): number => ((a % n) + n) % n;

test('flip turns axes round', () =>
  fc.assert(
    fc.asyncProperty(anyPlain, fc.nat(), async (x, chosen) => {
      const axes = x.shape.map((_, axis) => axis).filter((axis) => (chosen >> axis) & 1);
      const turned = (p: Point): number[] =>
        p.map((i, axis) => (axes.includes(axis) ? (x.shape[axis] as number) - 1 - i : i));
      await same(
        flip(asArr(x), { axis: axes }),
        build(x.shape, 'f64', (p) => at(x, turned(p))),
      );
    }),
  ));

test('permuteDims, transpose and moveaxis put axes in another order', () =>
  fc.assert(
    fc.asyncProperty(
      anyPlain.chain((x) =>
        fc.record({
          x: fc.constant(x),
          order: fc.shuffledSubarray(
            x.shape.map((_, i) => i),
            { minLength: x.shape.length },
          ),
        }),
      ),
      async ({ x, order }) => {
        const expected = build(
          order.map((axis) => x.shape[axis] as number),
          'f64',
          (p) =>
            at(
              x,
              order.map((_, axis) => p[order.indexOf(axis)] as number),
            ),
        );
        await same(permuteDims(asArr(x), order), expected);
        await same(transpose(asArr(x), order), expected);
        await same(
          moveaxis(
            asArr(x),
            order,
            order.map((_, i) => i),
          ),
          expected,
        );
        await same(transpose(asArr(x)), await plain(permuteDims(asArr(x), [...order.keys()].reverse())));
      },
    ),
  ));

/** An array as plain values, where one function is compared with another. */
async function plain(x: ReturnType<typeof asArr>) {
  return { shape: x.shape, dtype: x.dtype, values: [...(await x.data())] };
}

test('moveaxis moves one axis, as NumPy does', async () => {
  const x = zeros([2, 3, 4, 5]);
  assert.deepEqual(moveaxis(x, 0, -1).shape, [3, 4, 5, 2]);
  assert.deepEqual(moveaxis(x, -1, 0).shape, [5, 2, 3, 4]);
  assert.deepEqual(moveaxis(x, [0, 1], [-1, -2]).shape, [4, 5, 3, 2]);
  assert.throws(() => moveaxis(x, [0, 1], [0]), { code: 'ERR_SHEAF_AXIS' });
  assert.throws(() => moveaxis(x, [0, 0], [0, 1]), { code: 'ERR_SHEAF_AXIS', message: /named twice/ });
});

test('roll moves elements, and brings them back at the other end', () =>
  fc.assert(
    fc.asyncProperty(
      anyPlain,
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 }),
      async (x, shifts) => {
        const axes = x.shape.map((_, axis) => axis);
        const from = (p: Point): number[] =>
          p.map((i, axis) => mod(i - (shifts[axis] as number), x.shape[axis] as number));
        await same(
          roll(asArr(x), shifts.slice(0, axes.length), { axis: axes }),
          build(x.shape, 'f64', (p) => at(x, from(p))),
        );
        const n = x.values.length;
        const moved = x.values.map((_, i) => x.values[mod(i - (shifts[0] as number), n)] as number);
        await same(roll(asArr(x), shifts[0] as number), { ...x, values: moved });
      },
    ),
  ));

test('reshape keeps the order of rows', async () => {
  const x = arange(12);
  assert.deepEqual(reshape(x, [3, -1]).shape, [3, 4]);
  assert.deepEqual(await reshape(x, [2, 3, 2]).at(1, 2, 0).item(), 10);
  assert.deepEqual(reshape(zeros([0, 3]), [3, 0]).shape, [3, 0]);
  assert.deepEqual(reshape(zeros([]), [1, 1]).shape, [1, 1]);
  const refused = { code: 'ERR_SHEAF_SHAPE', message: /^reshape: .*12 elements of the shape 12 .*fill the shape/ };
  assert.throws(() => reshape(x, [5, 2]), refused);
  assert.throws(() => reshape(x, [5, -1]), refused);
  assert.throws(() => reshape(x, [-1, -1]), { code: 'ERR_SHEAF_SHAPE' });
});

test('concat and stack put arrays beside each other', () =>
  fc.assert(
    fc.asyncProperty(
      anyShape
        .filter((shape) => shape.length > 0)
        .chain((shape) =>
          fc.nat(shape.length - 1).chain((axis) =>
            fc.record({
              axis: fc.constant(axis),
              xs: fc.array(
                fc.nat(3).chain((own) => plainOf(shape.map((length, i) => (i === axis ? own : length)))),
                { minLength: 1, maxLength: 3 },
              ),
            }),
          ),
        ),
      async ({ axis, xs }) => {
        const first = xs[0]!;
        const total = xs.reduce((sum, each) => sum + (each.shape[axis] as number), 0);
        await same(
          concat(xs.map(asArr), { axis }),
          build(
            first.shape.map((length, i) => (i === axis ? total : length)),
            'f64',
            (p) => {
              let own = p[axis] as number;
              const which = xs.find(({ shape }) => {
                if (own < (shape[axis] as number)) return true;
                own -= shape[axis] as number;
                return false;
              });
              return at(
                which!,
                p.map((i, each) => (each === axis ? own : i)),
              );
            },
          ),
        );
        const twice = [first, { ...first, values: first.values.map((value) => Number(value) + 20) }];
        for (const place of [axis, -1]) {
          const to = place < 0 ? first.shape.length : place;
          const shape = [...first.shape];
          shape.splice(to, 0, 2);
          await same(
            stack(twice.map(asArr), { axis: place }),
            build(shape, 'f64', (p) =>
              at(
                twice[p[to] as number]!,
                p.filter((_, i) => i !== to),
              ),
            ),
          );
        }
      },
    ),
  ));

test('concat and stack refuse shapes and types that do not go together', () => {
  const [x, y] = [zeros([2, 3]), zeros([2, 4])];
  assert.throws(() => concat([x, y]), {
    code: 'ERR_SHEAF_SHAPE',
    message: /^concat: the shapes 2 x 3 and 2 x 4 .* axis 0/,
  });
  assert.deepEqual(concat([x, y], { axis: 1 }).shape, [2, 7]);
  assert.deepEqual(concat([x, y], { axis: null }).shape, [14]);
  assert.throws(() => stack([x, y]), { code: 'ERR_SHEAF_SHAPE' });
  assert.throws(() => concat([x, y.astype('i8') as never]), { code: 'ERR_SHEAF_DTYPE' });
  assert.equal(concat([x.astype('i8'), x.astype('u8')]).dtype, 'i16');
  assert.throws(() => concat([]), { code: 'ERR_SHEAF_USAGE' });
});

test('expandDims, squeeze, broadcastTo, unstack', async () => {
  const x = arange(3);
  assert.deepEqual(expandDims(x).shape, [1, 3]);
  assert.deepEqual(expandDims(x, { axis: -1 }).shape, [3, 1]);
  assert.throws(() => expandDims(x, { axis: 2 }), { code: 'ERR_SHEAF_AXIS' });
  assert.deepEqual(squeeze(zeros([1, 2, 1]), [0, -1]).shape, [2]);
  assert.throws(() => squeeze(zeros([1, 2]), 1), {
    code: 'ERR_SHEAF_SHAPE',
    message: /axis 1 of the shape 1 x 2 has 2/,
  });
  assert.deepEqual(await broadcastTo(x, [2, 3]).toNested(), [
    [0, 1, 2],
    [0, 1, 2],
  ]);
  assert.throws(() => broadcastTo(x, [2, 4]), { code: 'ERR_SHEAF_SHAPE', message: /3 can't be stretched to 2 x 4/ });
  assert.throws(() => broadcastTo(zeros([2, 3]), [3]), { code: 'ERR_SHEAF_SHAPE' });
  const parts = unstack(arange(6).reshape([2, 3]), { axis: 1 });
  assert.deepEqual(await Promise.all(parts.map((part) => part.toNested())), [
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  const [a, b] = broadcastArrays(zeros([3, 1]), zeros([4]));
  assert.deepEqual(
    [a.shape, b.shape],
    [
      [3, 4],
      [3, 4],
    ],
  );
});

test('tile and repeat, as NumPy does them', async () => {
  const x = arange(4).reshape([2, 2]);
  assert.deepEqual(await tile(x, [2]).toNested(), [
    [0, 1, 0, 1],
    [2, 3, 2, 3],
  ]);
  assert.deepEqual(await tile(arange(2), [2, 1]).toNested(), [
    [0, 1],
    [0, 1],
  ]);
  assert.deepEqual(tile(x, [2, 0, 3]).shape, [2, 0, 6]);
  assert.deepEqual(await repeat(x, 2).toNested(), [0, 0, 1, 1, 2, 2, 3, 3]);
  assert.deepEqual(await repeat(x, [1, 2], { axis: 1 }).toNested(), [
    [0, 1, 1],
    [2, 3, 3],
  ]);
  assert.deepEqual(await (await repeat(x, asarray([2, 0], { dtype: 'i32' }), { axis: 0 })).toNested(), [
    [0, 1],
    [0, 1],
  ]);
  assert.throws(() => repeat(x, [1, 2, 3], { axis: 0 }), { code: 'ERR_SHEAF_SHAPE', message: /3 numbers .* 2 places/ });
  assert.throws(() => repeat(x, -1), { code: 'ERR_SHEAF_USAGE' });
});

test('triangles keep one side of a diagonal', () =>
  fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.nat(2), fc.nat(4), fc.nat(4)).chain((shape) => plainOf(shape)),
      fc.integer({ min: -5, max: 5 }),
      async (x, k) => {
        const side = (keep: (column: number, row: number) => boolean) =>
          build(x.shape, 'f64', (p) => (keep(p[2] as number, p[1] as number) ? at(x, p) : 0));
        await same(
          tril(asArr(x), { k }),
          side((column, row) => column <= row + k),
        );
        await same(
          triu(asArr(x), { k }),
          side((column, row) => column >= row + k),
        );
      },
    ),
  ));

test('matrices are transposed, each of many', async () => {
  const x = arange(12).reshape([2, 2, 3]);
  assert.deepEqual(matrixTranspose(x).shape, [2, 3, 2]);
  assert.equal(await x.mT.at(1, 2, 0).item(), 8);
  assert.deepEqual(arange(6).reshape([2, 3]).T.shape, [3, 2]);
  assert.throws(() => x.T, { code: 'ERR_SHEAF_SHAPE', message: /mT turns the last two/ });
  assert.throws(() => arange(3).mT, { code: 'ERR_SHEAF_SHAPE', message: /takes matrices/ });
});

test('meshgrid, by points and by matrix indices', async () => {
  const [x, y] = meshgrid([arange(2), arange(3)]);
  assert.deepEqual(await x!.toNested(), [
    [0, 1],
    [0, 1],
    [0, 1],
  ]);
  assert.deepEqual(await y!.toNested(), [
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  assert.deepEqual(meshgrid([arange(2), arange(3), arange(4)], { indexing: 'ij' })[2].shape, [2, 3, 4]);
  assert.deepEqual(meshgrid([arange(2), arange(3), arange(4)])[2].shape, [3, 2, 4]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DType } from '../nd/index.ts';
import { anyShape, asArr, at, build, type Plain, plainOf, points, same, withSession } from './arrays.fixture.ts';
import { type Arr, arange, asarray, fromNested, type Ix, zeros } from './index.ts';

withSession();

/** What a slice of Python selects, one place after the other. */
function placesOf(text: string, length: number): number[] {
  const [start, stop, step = 1] = text.split(':').map((part) => (part === '' ? undefined : Number(part)));
  const clamp = (x: number, least: number, most: number): number =>
    Math.min(Math.max(x < 0 ? x + length : x, least), most);
  const places: number[] = [];
  if (step > 0) {
    const end = stop === undefined ? length : clamp(stop, 0, length);
    for (let i = start === undefined ? 0 : clamp(start, 0, length); i < end; i += step) places.push(i);
  } else {
    const end = stop === undefined ? -1 : clamp(stop, -1, length - 1);
    for (let i = start === undefined ? length - 1 : clamp(start, -1, length - 1); i > end; i += step) places.push(i);
  }
  return places;
}

/** Basic indices one by one: for each axis of the result, the places of the array's axis that it goes over; undefined for a new one. */
function selected(x: Plain, ix: readonly Ix[]): { shape: number[]; point(result: readonly number[]): number[] } {
  const named = ix.filter((each) => each !== 'new' && each !== '...').length;
  const dots = ix.flatMap((each) => (each === '...' ? Array<Ix>(x.shape.length - named).fill(':') : [each]));
  const full = [...dots, ...Array<Ix>(x.shape.length - dots.filter((each) => each !== 'new').length).fill(':')];
  const shape: number[] = [];
  const parts: ((result: readonly number[]) => number)[] = [];
  for (const each of full) {
    const length = x.shape[parts.length] as number;
    if (each === 'new') shape.push(1);
    else if (typeof each === 'number') parts.push(() => (each < 0 ? each + length : each));
    else {
      const places = placesOf(each as string, length);
      const axis = shape.push(places.length) - 1;
      parts.push((result) => places[result[axis] as number] as number);
    }
  }
  return { shape, point: (result) => parts.map((part) => part(result)) };
}

const end = fc.oneof(fc.constant(''), fc.integer({ min: -6, max: 6 }).map(String));
const slice = fc
  .tuple(end, end, fc.oneof(fc.constant(''), fc.constantFrom('1', '2', '3', '-1', '-2')))
  .map(([start, stop, step]) => `${start}:${stop}${step === '' ? '' : `:${step}`}` as Ix);

/** An array and basic indices that fit it. */
const indexed = anyShape.chain((shape) =>
  fc.record({
    x: plainOf(shape),
    ix: fc
      .tuple(
        ...shape.map((length) =>
          length === 0 ? slice : fc.oneof(slice, fc.integer({ min: -length, max: length - 1 }) as fc.Arbitrary<Ix>),
        ),
      )
      .chain((all) =>
        fc
          .record({ keep: fc.nat(all.length), extra: fc.constantFrom('none', 'new', '...'), place: fc.nat(all.length) })
          .map(({ keep, extra, place }) => {
            const kept = all.slice(0, keep);
            if (extra !== 'none') kept.splice(Math.min(place, keep), 0, extra as Ix);
            // Behind the dots indices belong to the last axes, for which they were not made.
            const dots = kept.indexOf('...');
            return dots < 0 ? kept : kept.slice(0, dots + 1);
          }),
      ),
  }),
);

test('numbers, slices, dots and new axes select what they do in NumPy', () =>
  fc.assert(
    fc.asyncProperty(indexed, async ({ x, ix }) => {
      const { shape, point } = selected(x, ix);
      await same(
        asArr(x).at(...ix),
        build(shape, x.dtype, (p) => at(x, point(p))),
      );
    }),
    { numRuns: 300 },
  ));

test('set replaces what at selects, and leaves the array as it was', () =>
  fc.assert(
    fc.asyncProperty(indexed, fc.boolean(), async ({ x, ix }, scalar) => {
      const { shape, point } = selected(x, ix);
      const values = build(shape, x.dtype, (p) => 100 + p.reduce((sum, i) => sum * 7 + i, 0));
      const expected = new Map(
        [...points(shape)].map((p) => [point(p).join(), scalar ? 5 : (at(values, p) as number)]),
      );
      const arr = asArr(x);
      await same(
        arr.set(ix, scalar ? 5 : asArr(values)),
        build(x.shape, x.dtype, (p) => expected.get(p.join()) ?? at(x, p)),
      );
      await same(arr, x);
    }),
    { numRuns: 300 },
  ));

test('negative indices at the end of an axis, behind dots', async () => {
  const x = arange(24).reshape([2, 3, 4]);
  assert.equal(await x.at(-1, -1, -1).item(), 23);
  assert.deepEqual(await x.at('...', -2).toNested(), [
    [2, 6, 10],
    [14, 18, 22],
  ]);
  assert.deepEqual(x.at('new', '...', 'new', 0).shape, [1, 2, 3, 1]);
});

test('arrays of indices select along their axes, broadcast together', async () => {
  const x = arange(24).reshape([2, 3, 4]);
  const i = (...list: number[]) => asarray(list, { dtype: 'i64' });
  assert.deepEqual(await x.at(':', i(2, -3), 0).toNested(), [
    [8, 0],
    [20, 12],
  ]);
  assert.deepEqual(await x.at(i(0, 1), i(2, 0), i(-1, 1)).toNested(), [11, 13]);
  // Where they stand side by side, their axes take that place; otherwise the front.
  assert.deepEqual(x.at(':', i(0, 1, 2).reshape([3, 1]), i(0, 1)).shape, [2, 3, 2]);
  assert.deepEqual(x.at(i(0, 1), ':', i(0, 1)).shape, [2, 3]);
  assert.deepEqual(x.at(0, ':', i(0, 1)).shape, [2, 3]);
  assert.deepEqual(await x.at(0, ':', i(0, 3)).toNested(), [
    [0, 4, 8],
    [3, 7, 11],
  ]);
  assert.deepEqual(await x.at(i(1), '...', '::-2').toNested(), [
    [
      [15, 13],
      [19, 17],
      [23, 21],
    ],
  ]);
  const list = asarray([1, 0], { dtype: 'i32' });
  assert.deepEqual(await x.at(list, 0, 0).toNested(), [12, 0]);
});

test('an index outside of its axis is refused, whatever it comes with', async () => {
  const x = arange(6).reshape([2, 3]);
  const refused = { name: 'UsageError', code: 'ERR_SHEAF_INDEX' };
  assert.throws(() => x.at(2), {
    ...refused,
    message: /^at: there is no index 2 along axis 0 .* 2 x 3.*give -2 to 1$/,
  });
  assert.throws(() => x.at(0, 0, 0), { ...refused, message: /3 indices are too many for the shape 2 x 3/ });
  assert.throws(() => x.at('...', '...'), refused);
  assert.throws(() => x.at('1:2:0'), { ...refused, message: /does not move/ });
  assert.throws(() => x.at('one' as Ix), refused);
  assert.throws(() => x.at(0.5), refused);
  assert.throws(() => x.at(null as never), refused);
  assert.throws(() => zeros([0]).at(0), { ...refused, message: /it is empty/ });
  const i = (...list: number[]) => asarray(list, { dtype: 'i64' });
  await assert.rejects(x.at(i(0, 2)).data(), refused);
  await assert.rejects(x.at(i(-3)).data(), refused);
  // 0 * 3 + 3 would be an element of the other row.
  await assert.rejects(x.at(i(0), i(3)).data(), refused);
  assert.throws(() => x.at(asarray([0.5]) as never), { code: 'ERR_SHEAF_DTYPE', message: /f64 has no indices/ });
});

test('an index that an array of indices has is named as it was given, with its axis', async () => {
  const x = arange(12).reshape([3, 4]);
  const i = (...list: number[]) => asarray(list, { dtype: 'i64' });
  const says = async (made: Arr, operation: string, index: number, axis: number): Promise<void> => {
    const [length, known] = axis === 0 ? [3, '-3 to 2'] : [4, '-4 to 3'];
    await assert.rejects(made.data(), {
      code: 'ERR_SHEAF_INDEX',
      message: `${operation}: there is no index ${index} along axis ${axis} of the shape 3 x 4, which has the length ${length}; give ${known}`,
      details: { operation, index: String(index), length, axis, shape: [3, 4] },
    });
  };
  await says(x.at(i(0, -7)), 'at', -7, 0);
  await says(x.at(':', i(0, 4)), 'at', 4, 1);
  await says(x.at(i(0, 5), i(0, 1)), 'at', 5, 0);
  await says(x.at(i(0, 1), i(0, -5)), 'at', -5, 1);
  await says(x.set([i(0, 1), i(9, 0)], 1), 'set', 9, 1);
  await says(x.take(i(-5), { axis: 1 }), 'take', -5, 1);
  await says(x.takeAlongAxis(i(0, 7).reshape([1, 2])), 'takeAlongAxis', 7, 1);
  await says(x.takeAlongAxis(i(0, -4).reshape([2, 1]), { axis: 0 }), 'takeAlongAxis', -4, 0);
});

test('a mask without axes selects all of an array, or nothing', async () => {
  const x = arange(6).reshape([2, 3]);
  const [yes, no] = [asarray(true), asarray(false)];
  assert.deepEqual(await x.at(yes).toNested(), [await x.toNested()]);
  assert.deepEqual((await x.at(no).persist()).shape, [0, 2, 3]);
  assert.deepEqual(await arange(6).at(3).at(yes).toNested(), [3]);
  assert.equal(await x.at(no).sum().item(), 0);
  assert.deepEqual(await x.set([yes], 1).sum().item(), 6);
  assert.deepEqual(await x.set([no], 1).toNested(), await x.toNested());
  assert.throws(() => x.at(yes, 0), { code: 'ERR_SHEAF_SHAPE', message: /a scalar/ });
});

test('set refuses what its array can not hold', () => {
  const x = zeros([2, 3], { dtype: 'i32' });
  assert.throws(() => x.set([0], asarray([0.5])), { code: 'ERR_SHEAF_DTYPE', message: /^set: .*astype\('i32'\)/ });
  assert.throws(() => x.set([0], 0.5), { code: 'ERR_SHEAF_DTYPE' });
  assert.throws(() => x.set([0], asarray([1, 2], { dtype: 'i32' })), {
    code: 'ERR_SHEAF_SHAPE',
    message: /2 can't be stretched to 3/,
  });
});

test('a mask sets the same value everywhere it holds', async () => {
  const x = arange(6).reshape([2, 3]);
  assert.deepEqual(await x.set([x.greater(3)], -1).toNested(), [
    [0, 1, 2],
    [3, -1, -1],
  ]);
  assert.deepEqual(await x.set([asarray([true, false])], asarray([7, 8, 9])).toNested(), [
    [7, 8, 9],
    [3, 4, 5],
  ]);
  assert.throws(() => x.set([x.greater(3)], asarray([1, 2, 3])), {
    code: 'ERR_SHEAF_SHAPE',
    message: /where\(mask, y, x\)/,
  });
  assert.throws(() => x.set([asarray([true])], 1), { code: 'ERR_SHEAF_SHAPE', message: /a mask of the shape 1/ });
});

test('what a mask selects has no shape before it is computed', () => {
  const x = arange(6);
  const part = x.at(x.greater(2));
  assert.equal(part.dtype, 'f64');
  const refused = { code: 'ERR_SHEAF_UNKNOWN_SHAPE', message: /await x\.persist\(\)/ };
  assert.throws(() => part.shape, refused);
  assert.throws(() => part.add(1), { ...refused, message: /^add: / });
  assert.throws(() => x.at(asarray([true, false])), { code: 'ERR_SHEAF_SHAPE', message: /mask of the shape 2 .* 6/ });
});

test('what a mask selects is combined without knowing how much it is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<DType>('f64', 'i8', 'u64'),
      fc.array(fc.boolean(), { maxLength: 5 }),
      fc.nat(3),
      async (dtype, mask, width) => {
        const plain = build([mask.length, width], dtype, ([i = 0, j = 0]) => {
          const value = (i * 7 + j * 3) % 5;
          return dtype === 'u64' ? BigInt(value) : value;
        });
        const x = asArr(plain);
        const rows = x.at(fromNested(mask, { dtype: 'bool' }));
        const kept = await rows.persist();
        for (const o of [{}, { axis: 0 }, { axis: [0, 1], keepdims: true }, { axis: -2, keepdims: true }]) {
          for (const name of ['sum', 'prod', 'countNonzero', 'all', 'any'] as const) {
            const [got, want] = [rows[name](o), kept[name](o)];
            assert.deepEqual([got.shape, got.dtype], [want.shape, want.dtype], name);
            assert.deepEqual(await got.data(), await want.data(), name);
          }
          if (dtype !== 'f64') continue;
          const [got, want] = [rows, kept].map((each) => (each as Arr<'f64'>).mean(o)) as [Arr, Arr];
          assert.deepEqual([got.shape, await got.data()], [want.shape, await want.data()], 'mean');
        }
        assert.throws(() => rows.sum({ axis: 1 }), { code: 'ERR_SHEAF_UNKNOWN_SHAPE' });
        assert.throws(() => rows.max(), { code: 'ERR_SHEAF_UNKNOWN_SHAPE' });
        const each = x.at(x.greater(dtype === 'u64' ? 1n : 1));
        assert.deepEqual(await each.sum().item(), await (await each.persist()).sum().item());
      },
    ),
    { numRuns: 40, seed: 1 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sizeOf } from '../nd/index.ts';
import {
  type Cut,
  type Dense,
  elementsMoved,
  gridOf,
  keyOf,
  Partitioned,
  type Position,
  repartition,
  repartitionPlan,
} from './index.ts';

const cutOf = (length: number): fc.Arbitrary<Cut> =>
  fc.oneof(
    fc.integer({ min: 1, max: 4 }).map((parts) => ({ parts })),
    fc.array(fc.nat(length), { maxLength: 3 }).map((starts) => ({ starts: [0, ...starts.sort((a, b) => a - b)] })),
  );
const two = fc.array(fc.nat(6), { maxLength: 3 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    before: fc.tuple(...shape.map(cutOf)),
    after: fc.tuple(...shape.map(cutOf)),
  }),
);

/** A container of 0, 1, 2, ... whose handles are its partitions. */
function counting(shape: readonly number[], cuts: readonly Cut[]) {
  const all = { shape, dtype: 'f64' as const, elements: Float64Array.from({ length: sizeOf(shape) }, (_, i) => i) };
  const whole = new Partitioned<string, Dense>({
    shape,
    cuts: shape.map(() => ({ parts: 1 })),
    partition: () => ({ data: 'all', location: [['127.0.0.1', 1]] }),
    get: () => [all],
  });
  let fetched = 0;
  const description = new Partitioned<Position, Float64Array>({
    shape,
    cuts,
    partition: (position) => ({ data: position.join('-') as unknown as Position, location: [['127.0.0.1', 1]] }),
    async get(handles) {
      fetched += handles.length;
      return Promise.all(
        handles.map(async (handle) => {
          const position = String(handle).split('-').filter(Boolean).map(Number);
          const { elements, shape: own } = await whole.slice(description.grid.box(position));
          // A slice that is the whole container is the container itself.
          return (elements as Float64Array).slice(0, sizeOf(own));
        }),
      );
    },
  });
  return { all, description, fetches: () => fetched };
}

test('any grid becomes any other, element by element, and every partition is fetched once', async () => {
  await fc.assert(
    fc.asyncProperty(two, fc.boolean(), async ({ shape, before, after }, byParts) => {
      const { all, description, fetches } = counting(shape, before);
      const store = new Map<string, Dense>();
      const result = await repartition<string, Dense>(description, {
        cuts: after,
        put(position, array) {
          store.set(`new ${keyOf(position)}`, array);
          return { data: `new ${keyOf(position)}`, location: [['127.0.0.1', 2]] };
        },
        get: (handles) => handles.map((handle) => store.get(handle)!),
        ...(byParts
          ? {
              read: async ({ from, source }) => {
                const { start } = description.partitions.at(from);
                const part = await description.slice({
                  start: start.map((s, i) => s + source.start[i]!),
                  shape: source.shape,
                });
                return { shape: part.shape, dtype: part.dtype, elements: part.elements };
              },
            }
          : {}),
      });
      assert.deepEqual(result.partition_tiling, gridOf(shape, after).tiling);
      const { elements } = await result.slice({ start: shape.map(() => 0), shape });
      assert.deepEqual([...elements], [...all.elements]);
      if (!byParts) assert.ok(fetches() <= description.partitions.size);
    }),
  );
});

test('the moves of a plan cover each target once, and no element of a source twice', () => {
  fc.assert(
    fc.property(two, ({ shape, before, after }) => {
      const [source, target] = [gridOf(shape, before), gridOf(shape, after)];
      const given = new Map<string, number>();
      const got = new Map<string, number>();
      for (const { from, to, source: part, target: place } of repartitionPlan(source, target)) {
        assert.deepEqual(part.shape, place.shape);
        given.set(keyOf(from), (given.get(keyOf(from)) ?? 0) + sizeOf(part.shape));
        got.set(keyOf(to), (got.get(keyOf(to)) ?? 0) + sizeOf(part.shape));
      }
      for (const [grid, sums] of [
        [source, given],
        [target, got],
      ] as const) {
        for (const position of grid.positions()) {
          assert.equal(sums.get(keyOf(position)) ?? 0, sizeOf(grid.box(position).shape));
        }
      }
    }),
  );
});

test('what travels is what a place wants and does not have, and no more', () => {
  const by = (axis: number) => (position: Position) => [`p${position[axis]}`];
  const rows = gridOf([12, 8], [{ parts: 4 }, { parts: 1 }]);
  const columns = gridOf([12, 8], [{ parts: 1 }, { parts: 4 }]);
  // A transposition of ownership: of its 24 elements each process keeps a quarter.
  assert.equal(elementsMoved(rows, columns, by(0), by(1)), 12 * 8 * (3 / 4));
  assert.equal(elementsMoved(rows, rows, by(0), by(0)), 0);
  // Tiles of 4 processes become a copy with each: everybody gets what the other three have.
  const tiles = gridOf([12, 8], [{ parts: 2 }, { parts: 2 }]);
  const whole = gridOf([12, 8], [{ parts: 1 }, { parts: 1 }]);
  const owner = ([i, j]: Position) => [`p${i! * 2 + j!}`];
  assert.equal(
    elementsMoved(tiles, whole, owner, () => ['p0', 'p1', 'p2', 'p3']),
    3 * 12 * 8,
  );
  // From replicated nothing has to travel.
  assert.equal(
    elementsMoved(whole, tiles, () => ['p0', 'p1', 'p2', 'p3'], owner),
    0,
  );
});

test('the least that has to travel is found element by element as well', () => {
  const places = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(two, fc.infiniteStream(places), ({ shape, before, after }, chance) => {
      const [source, target] = [gridOf(shape, before), gridOf(shape, after)];
      const where = new Map<string, string[]>();
      const at = (name: string) => (position: Position) => {
        const key = `${name} ${keyOf(position)}`;
        if (!where.has(key)) where.set(key, chance.next().value as string[]);
        return where.get(key)!;
      };
      const [have, want] = [at('have'), at('want')];
      let least = 0;
      const elements = gridOf(
        shape,
        shape.map(() => ({ tile: 1 })),
      );
      if (sizeOf(shape) > 0) {
        for (const index of elements.positions()) {
          const there = have(index.map((n, axis) => source.axes[axis]!.find(n)));
          const wanted = new Set(want(index.map((n, axis) => target.axes[axis]!.find(n))));
          least += [...wanted].filter((place) => !there.includes(place)).length;
        }
      }
      assert.equal(elementsMoved(source, target, have, want), least);
    }),
  );
});

test('another shape is refused', () => {
  assert.throws(() => [...repartitionPlan(gridOf([2], [{ parts: 1 }]), gridOf([3], [{ parts: 1 }]))], {
    code: 'ERR_SHEAF_SHAPE',
    message: /the shapes \(2\) and \(3\) differ/,
  });
});

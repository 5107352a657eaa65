import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutInside, cutOfProduct, type Product } from './product.rules.ts';

const product = fc.record<Product>({
  m: fc.integer({ min: 1, max: 1e5 }),
  k: fc.integer({ min: 1, max: 1e4 }),
  n: fc.integer({ min: 1, max: 1e5 }),
  dtype: fc.constantFrom('f64', 'f32', 'i32'),
  symmetric: fc.boolean(),
  workers: fc.integer({ min: 1, max: 64 }),
});

test('a product that is divided has parts for all, and rows enough in each part where there are so many', () => {
  let divided = 0;
  fc.assert(
    fc.property(product, (given) => {
      const cut = cutOfProduct(given);
      if (cut === undefined) return;
      divided++;
      const { m, k, n, workers } = given;
      const all = { rows: m, columns: n, inner: k }[cut.along];
      assert.ok(workers > 1 && m * k * n >= 1e7 && cut.expected > 0);
      const { bounds } = cut;
      const parts = bounds.slice(1).map((end, i) => end - (bounds[i] as number));
      assert.ok(bounds[0] === 0 && bounds.at(-1) === all && parts.length > 1, 'all of it, in more than one part');
      assert.ok(parts.every((rows) => rows > 0));
      if (cut.along === 'inner') {
        assert.deepEqual(bounds, cutInside(given), 'the same parts, whoever takes part');
        return;
      }
      const across = cut.along === 'rows' ? n : m;
      assert.ok(
        parts.length <= (all >= 400 * across * workers ? 16 : 4) * workers,
        'few, unless it is far longer than wide',
      );
      if (given.symmetric) return;
      const [least, most] = [Math.min(...parts), Math.max(...parts)];
      assert.ok(most - least <= 48, `${least} to ${most} rows`);
      if (all >= 192 * workers) assert.ok(least >= 120, `parts of ${least} rows`);
    }),
    { numRuns: 2000 },
  );
  assert.ok(divided > 1000, `${divided} were divided`);
});

test('what is wide is divided by columns, what is small or thin is not divided', () => {
  const cut = (m: number, k: number, n: number, workers = 2) => cutOfProduct({ m, k, n, dtype: 'f64', workers });
  assert.deepEqual(cut(2000, 2000, 2000), {
    along: 'rows',
    bounds: [0, 504, 1008, 1512, 2000],
    expected: 320,
  });
  assert.equal(cut(1000, 1000, 1000)?.bounds.length, 5);
  assert.equal(cut(5000, 1000, 5000)?.bounds.length, 9);
  assert.equal(cut(100, 1000, 100_000)?.along, 'columns');
  assert.equal(cut(100_000, 1000, 100)?.along, 'rows');
  assert.equal(cut(2000, 1000, 100)?.bounds.length, 5);
  // What there is of the other matrix is nothing beside any part.
  assert.equal(cut(60_000, 784, 10)?.bounds.length, 33);
  assert.equal(cut(200, 200, 200), undefined);
  assert.equal(cut(2000, 2000, 2000, 1), undefined);
});

test('a thin product with a long inner side is cut along it, into sums that are few and worth the adding', () => {
  assert.equal(cutOfProduct({ m: 100, k: 1e6, n: 100, dtype: 'f64', workers: 2 })?.along, 'inner');
  assert.equal(cutOfProduct({ m: 784, k: 60_000, n: 10, dtype: 'f64', workers: 2 })?.along, 'inner');
  fc.assert(
    fc.property(product, (given) => {
      const bounds = cutInside(given);
      if (bounds === undefined) return;
      const { m, k, n } = given;
      assert.ok(m * n <= 512 * 512);
      assert.ok(bounds[0] === 0 && bounds.at(-1) === k && bounds.length > 2 && bounds.length <= 65);
      const lengths = bounds.slice(1).map((end, i) => end - (bounds[i] as number));
      assert.ok(Math.min(...lengths) * m * n >= 9e5 && lengths.length * m * n <= 1 << 20);
    }),
    { numRuns: 2000 },
  );
});

test('parts of a symmetric product are triangles and trapezoids of about the same size', () => {
  const bounds = cutOfProduct({ m: 2000, k: 2000, n: 2000, dtype: 'f64', symmetric: true, workers: 2 })
    ?.bounds as number[];
  const sizes = bounds
    .slice(1)
    .map((end, i) => (end - (bounds[i] as number)) * (2000 - (end + (bounds[i] as number)) / 2));
  assert.ok(Math.max(...sizes) < 1.2 * Math.min(...sizes), `${sizes}`);
});

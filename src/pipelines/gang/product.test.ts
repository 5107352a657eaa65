import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutOfProduct, type Product } from './product.rules.ts';

const product = fc.record<Product>({
  m: fc.integer({ min: 1, max: 1e5 }),
  k: fc.integer({ min: 1, max: 1e4 }),
  n: fc.integer({ min: 1, max: 1e5 }),
  dtype: fc.constantFrom('f64', 'f32', 'i32'),
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
      const all = cut.byColumns ? n : m;
      assert.ok(workers > 1 && m * k * n >= 1e7 && cut.expected > 0);
      const { bounds } = cut;
      const parts = bounds.slice(1).map((end, i) => end - (bounds[i] as number));
      assert.ok(bounds[0] === 0 && bounds.at(-1) === all && parts.length > 1, 'all of it, in more than one part');
      assert.ok(parts.every((rows) => rows > 0) && parts.length <= 4 * workers);
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
    byColumns: false,
    bounds: [0, 240, 504, 744, 1008, 1248, 1512, 1752, 2000],
    expected: 320,
  });
  assert.equal(cut(100, 1000, 100_000)?.byColumns, true);
  assert.equal(cut(100_000, 1000, 100)?.byColumns, false);
  assert.equal(cut(200, 200, 200), undefined);
  assert.equal(cut(8, 1e6, 8), undefined);
  assert.equal(cut(2000, 2000, 2000, 1), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asArr, withSession } from './arrays.fixture.ts';
import { zeros } from './index.ts';
import { TEXTS } from './numpy-texts.fixture.ts';

withSession();

test('texts are those of NumPy', async () => {
  for (const [dtype, shape, values, text] of TEXTS) {
    assert.equal(await asArr({ dtype, shape, values }).show(), text, `${dtype} ${shape} ${values.slice(0, 5)}`);
  }
  assert.ok(TEXTS.length > 40);
});

test('before it is computed, an array shows its type and shape', async () => {
  const x = zeros([2, 3]);
  assert.equal(`${x}`, 'Arr(f64, 2 x 3)');
  assert.equal(String(zeros([])), 'Arr(f64, a scalar)');
  const { inspect } = await import('node:util');
  assert.equal(inspect({ x }), '{ x: Arr(f64, 2 x 3) }');
});

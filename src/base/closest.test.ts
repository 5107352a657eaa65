import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from './closest.ts';

test('the name that a mistyped word means is the closest one, if there is one', () => {
  const names = ['print', 'nrow', 'ncol', 'transpose'];
  assert.equal(closest('prin', names), 'print');
  assert.equal(closest('Transpoes', names), 'transpose');
  assert.equal(closest('nro', names), 'nrow');
  assert.equal(closest('sum', names), undefined);
  assert.equal(closest('', names), undefined);
  assert.equal(closest('print', []), undefined);
});

import { describe, it, test } from 'node:test';
import assert from 'node:assert/strict';
test('ok', () => {});
test('bad', () => { assert.equal(1, 2); });
test('sk', { skip: true }, () => {});
test('td', { todo: true }, () => { throw new Error('x'); });
describe('suite', () => { it('in', () => {}); it('inbad', () => { throw new Error('z'); }); });
test('parent', async (t) => { await t.test('child', () => {}); });

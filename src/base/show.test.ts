import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf, shown } from './show.ts';

test('a value is quoted so that it can be told from others', () => {
  const cases: [unknown, string][] = [
    ['5 s', '"5 s"'],
    ['x'.repeat(200), `"${'x'.repeat(77)}..."`],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [5n, '5n'],
    [Symbol('s'), 'Symbol(s)'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [() => 1, 'a function'],
    [[1], 'an array'],
    [{ a: 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [new Map(), 'a Map'],
    [new AbortController(), 'an AbortController'],
  ];
  for (const [value, text] of cases) assert.equal(shown(value), text);
  assert.equal(kindOf('x'), 'string');
  assert.equal(kindOf(1), 'number');
});

test('nothing that a value does breaks the message', () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  assert.equal(shown(proxy), 'a strange object');
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no');
      },
    },
  );
  assert.equal(shown(hostile), 'a strange object');
  assert.equal(shown(Object.create({ constructor: undefined })), 'a strange object');
});

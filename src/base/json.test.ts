import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SheafError, TaskError } from './errors.ts';

const json = (error: SheafError): { details?: Record<string, unknown>; cause?: Record<string, unknown> } =>
  JSON.parse(JSON.stringify(error));

test('a circle of causes or details is cut where it closes', () => {
  const inner = new Error('inner') as Error & { cause: unknown };
  const outer = new TaskError('outer', { cause: inner });
  inner.cause = outer;
  assert.deepEqual(json(outer).cause, { name: 'Error', message: 'inner', cause: '[circular]' });
  const own = { name: 'x' } as Record<string, unknown>;
  own.self = own;
  assert.deepEqual(json(new SheafError('x', { details: own })).details, { name: 'x', self: '[circular]' });
  // The same thing twice, side by side, is no circle.
  const twice = { a: 1 };
  assert.deepEqual(json(new SheafError('x', { details: { p: twice, q: twice } })).details, { p: twice, q: twice });
});

test('what JSON does not have is text, and what throws when it is read says so', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const details = {
    big: 5n,
    not: Number.NaN,
    sym: Symbol('s'),
    f: function named() {},
    date: new Date(0),
    proxy,
    list: [1n, { throws: undefined }],
  };
  Object.defineProperty(details.list[1], 'throws', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  assert.deepEqual(json(new SheafError('x', { details })).details, {
    big: '5',
    not: 'NaN',
    sym: 'Symbol(s)',
    f: '[function named]',
    date: '1970-01-01T00:00:00.000Z',
    proxy: '[unreadable]',
    list: ['1', '[unreadable]'],
  });
  assert.equal(json(new TaskError('x', { cause: 7n })).cause, '7');
});

test('a chain without end is cut', () => {
  let cause: Error = new Error('first');
  for (let i = 0; i < 10_000; i++) cause = new Error(`${i}`, { cause });
  assert.match(JSON.stringify(new TaskError('last', { cause })), /\[too deep\]/);
});

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mock, test } from 'node:test';
import { onAbort } from './abort.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

test('a signal has one listener for all who wait, and none when nobody does', () => {
  const { signal } = new AbortController();
  const stops = Array.from({ length: 100 }, () => onAbort(signal, () => assert.fail('it did not abort')));
  assert.equal(listeners(signal), 1);
  for (const stop of stops) stop();
  assert.equal(listeners(signal), 0);
  // Stopping twice takes nobody else's place.
  const last = onAbort(signal, () => {});
  stops[0]?.();
  assert.equal(listeners(signal), 1);
  last();
  assert.equal(listeners(signal), 0);
});

test('each is told once, in order, and one that is stopped on the way is not', () => {
  const abort = new AbortController();
  const told: string[] = [];
  const stops: (() => void)[] = [];
  stops.push(
    onAbort(abort.signal, () => {
      told.push('first');
      stops[1]?.();
    }),
  );
  stops.push(onAbort(abort.signal, () => told.push('second')));
  const same = (): void => void told.push('same');
  onAbort(abort.signal, same);
  onAbort(abort.signal, same);
  abort.abort();
  assert.deepEqual(told, ['first', 'same', 'same']);
  assert.equal(listeners(abort.signal), 0);
  for (const stop of stops) stop();
});

test('one that has aborted already tells at once', () => {
  let told = 0;
  const stop = onAbort(AbortSignal.abort(), () => told++);
  assert.equal(told, 1);
  stop();
});

test('the failure of one keeps nothing from the others', () => {
  const abort = new AbortController();
  const later = mock.method(process, 'nextTick', () => {});
  try {
    let told = 0;
    onAbort(abort.signal, () => {
      throw new Error('mine');
    });
    onAbort(abort.signal, () => told++);
    abort.abort();
    assert.equal(told, 1);
    const thrown = later.mock.calls.map((call) => call.arguments[0] as () => void);
    assert.throws(() => {
      for (const each of thrown) each();
    }, /mine/);
  } finally {
    later.mock.restore();
  }
});

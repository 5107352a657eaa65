import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlConfig } from './config.ts';
import { ThreadHost } from './thread-host.ts';

test('a thread is ended after what it is at, and without its help', async () => {
  const shared = new SharedArrayBuffer(8);
  const seen = new Int32Array(shared);
  // What such a thread looks at of it all.
  const config = {
    node: '0',
    workerEntry: resolve('test/fixtures/threads/inside.mjs'),
    env: {},
    store: shared,
  } as unknown as ControlConfig;
  const keepAlive = setInterval(() => {}, 1_000);
  const reason = await new Promise<string>((ended) => {
    const { kill } = new ThreadHost(config).start(2, 1, ended);
    void (async () => {
      while (Atomics.load(seen, 0) !== 1) await sleep(1);
      kill();
      Atomics.store(seen, 1, 1);
    })();
  });
  clearInterval(keepAlive);
  assert.equal(reason, 'it was killed');
  assert.equal(Atomics.load(seen, 0), 2);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { all, cancel, current, put, type Ref, scope, task, wait } from 'sheaf';
import {
  collect,
  drainedOf,
  eventually,
  failure,
  MiB,
  onHosts,
  onHostsAndInline,
  sharedReferences,
  used,
  within,
} from './support.ts';

const busy = task(() => {
  while (!current().cancelled());
});
const dies = task(() => process.exit(1), { retries: 0 });
const length = task(async ([x]: [Ref<Float64Array>]) => (await x.value).length);
const looks = task(async (refs: Ref<unknown>[]) => refs.length);
const slow = task(async () => {
  await sleep(60_000);
});
const router = task(() => slow() as Ref<void>);
const soon = task(async () => {
  await sleep(500);
  return 7;
});
const handsOn = task(() => soon() as Ref<number>);
const nothing = task(() => 0);
const endless = task(function* () {
  for (let i = 0; ; i++) yield i;
});
const large = task(() => new Float64Array(MiB / 8));

onHosts(
  'while one worker computes and others die',
  { cpus: 2, memory: '96MiB', spill: 'off' },
  (session) => {
    test('those who had no dealings with the dead are not waited for', { timeout: 60_000 }, async () => {
      const computing = busy();
      // More than there are numbers for workers.
      for (let i = 0; i < 32; i++) await failure(dies().value);
      cancel(computing);
      computing.ignore();
    });

    test('what is let go is freed', { timeout: 60_000 }, async () => {
      const computing = busy();
      await failure(dies().value);
      for (let i = 0; i < 40; i++) {
        using x = put(new Float64Array(MiB));
        assert.equal(await length([x]).value, MiB);
      }
      assert.ok(used(session()) < 96 * MiB);
      cancel(computing);
      computing.ignore();
      await drainedOf(session());
    });
  },
  ['process'],
);

onHostsAndInline('references that others have come to know', { cpus: 1, memory: '32MiB' }, (session) => {
  test('are let go when their handles are garbage', { timeout: 20_000 }, async () => {
    await nothing().value;
    const before = await sharedReferences(session());
    for (let i = 0; i < 50; i++) {
      await looks([put([put(i)])]).value;
      assert.equal(put(i).id.length, 40);
    }
    await eventually(async () => {
      await collect();
      return (await sharedReferences(session())) <= before;
    }, 'the directory knows none of them');
  });

  test('are let go with the object that keeps them, whose method has called their tasks', {
    timeout: 20_000,
  }, async () => {
    class Keeper {
      readonly refs: Ref<Float64Array>[] = [];

      async fill(): Promise<void> {
        for (let i = 0; i < 4; i++) this.refs.push(large());
        for (const ref of this.refs) await wait([ref]);
      }
    }
    await new Keeper().fill();
    assert.ok(used(session()) >= 4 * MiB);
    await drainedOf(session());
  });

  test('are let go with the object that keeps them, whose method has cancelled something', {
    timeout: 20_000,
  }, async () => {
    class Keeper {
      readonly kept = put(new Float64Array(MiB / 8));

      async leave(): Promise<void> {
        for await (const _ of endless()) break;
      }

      cancel(): void {
        cancel(slow().ignore());
      }

      async gather(): Promise<void> {
        const parts = all([slow(), large()]);
        cancel(parts);
        await failure(parts.value);
      }

      async abort(): Promise<void> {
        const stop = new AbortController();
        const ref = slow.with({ signal: stop.signal })();
        stop.abort();
        await failure(ref.value);
      }

      async scope(): Promise<void> {
        await using s = scope();
        s.start(slow);
      }
    }
    for (const how of ['leave', 'cancel', 'gather', 'abort', 'scope'] as const) {
      await new Keeper()[how]();
      await drainedOf(session());
    }
  });

  // The handle was collected between the reply and the value behind it, and its cell let go: the promise never settled.
  test('are waited for although their handles are garbage', { timeout: 60_000 }, async () => {
    const value = handsOn().value;
    // On the only core it runs after the router, which has returned its reference by then.
    await nothing().value;
    for (let i = 0; i < 5; i++) await collect();
    assert.equal(await within(30_000, value), 7);
  });

  test('are cancelled through the one that stands for them', { timeout: 20_000 }, async () => {
    const routed = router();
    const waiting = failure(routed.value);
    // It has returned the reference by the time that another task runs on the only core.
    await nothing().value;
    cancel(routed);
    assert.equal((await within(10_000, waiting)).name, 'CancelledError');
  });
});

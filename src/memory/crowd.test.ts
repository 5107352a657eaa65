import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { attachSegment, segmentBytes, sharingWorks } from '../native/index.ts';
import { SharedStore, type SlotRef, type StoreHandle, withFds } from './index.ts';
import { H_LOCK, layoutOf } from './layout.ts';

// This file is also the program of the processes and threads that it starts.

const MiB = 1024 * 1024;
const LIMIT = 24 * MiB;
const PARTIES = 40;

/** The words of a store's table, seen from outside of it. */
function tableOf(handle: StoreHandle): Int32Array {
  if (handle.kind === 'memory') return new Int32Array(handle.table.buffer);
  const byteLength = segmentBytes(layoutOf(handle.pages, handle.parties).words * 4);
  return new Int32Array(attachSegment({ kind: 'memfd', fd: handle.fd, byteLength, offset: 0 }).buffer);
}

/** Takes, fills, checks and lets go of objects of many sizes, until `until`. Answers how many it took. */
function hammer(store: SharedStore, until: number, foreign = true): number {
  const mine: { ref: SlotRef; mark: number; words: number }[] = [];
  let x = (store.party + 1) * 7919;
  const random = (n: number) => {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    return (x >>> 8) % n;
  };
  const check = (o: { ref: SlotRef; mark: number; words: number }) => {
    const bytes = store.bytes(o.ref);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, o.words);
    for (const at of [0, o.words >> 1, o.words - 1]) {
      if (words[at] !== o.mark) throw new Error(`party ${store.party} found ${words[at]} for its ${o.mark}`);
    }
  };
  let count = 0;
  for (let round = 0; Date.now() < until; round++) {
    if (mine.length < 6 && random(3) > 0) {
      const words = 1 + random(random(4) === 0 ? 500_000 : 60_000);
      try {
        const ref = store.allocate(words * 4);
        const mark = (store.party << 24) | (count & 0xffffff);
        const bytes = store.bytes(ref);
        new Int32Array(bytes.buffer, bytes.byteOffset, words).fill(mark);
        store.seal(ref);
        mine.push({ ref, mark, words });
        count++;
      } catch (e) {
        if ((e as { code?: string }).code !== 'ERR_SHEAF_OUT_OF_MEMORY') throw e;
      }
    } else if (mine.length > 0) {
      const [o] = mine.splice(random(mine.length), 1);
      store.pin(o!.ref);
      check(o!);
      store.unpin(o!.ref);
      store.unpin(o!.ref);
    }
    if (foreign && round % 97 === 0) store.trim(random(LIMIT));
    for (const o of mine) check(o);
  }
  for (const o of mine) store.unpin(o.ref);
  return count;
}

interface Job {
  readonly handle: StoreHandle;
  readonly party: number;
  readonly ms: number;
  /** End in the middle of the first allocation, holding the lock. */
  readonly die?: boolean;
  /** Without foreign calls: a thread that is terminated within one takes the whole process down (see docs/limits.md). */
  readonly pure?: boolean;
}

function work({ handle, party, ms, die, pure }: Job): number {
  const store = SharedStore.attach(handle, party);
  if (die === true) {
    store.allocate(MiB);
    Atomics.or = () => (isMainThread ? process.kill(process.pid, 'SIGKILL') : process.exit(0)) as never;
    store.allocate(MiB);
    throw new Error('it goes on after its end');
  }
  return hammer(store, Date.now() + ms, pure !== true);
}

const job = process.env.SHEAF_CROWD_JOB;
if (job !== undefined) {
  const { handle, ...rest } = JSON.parse(job) as Job;
  process.stdout.write('started');
  process.stdout.write(`${work({ handle: withFds(handle, [3]), ...rest })}`);
} else if (!isMainThread && workerData?.crowd !== undefined) {
  parentPort!.postMessage('started');
  parentPort!.postMessage(work(workerData.crowd as Job));
} else {
  tests();
}

function startProcess(store: SharedStore, party: number, ms: number, die = false): ChildProcess {
  const { handle } = store;
  assert.equal(handle.kind, 'memfd');
  return spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 'pipe', 'inherit', handle.fd],
    env: { ...process.env, SHEAF_CROWD_JOB: JSON.stringify({ handle, party, ms, die }) },
  });
}

function startThread(store: SharedStore, party: number, ms: number, die = false, pure = false): Worker {
  return new Worker(new URL(import.meta.url), {
    workerData: { crowd: { handle: store.handle, party, ms, die, pure } },
  });
}

function tests(): void {
  const processes = { skip: !sharingWorks() };

  test('processes that take and let go of memory at once never get the same, and leave none', processes, async () => {
    const store = SharedStore.create({ limit: LIMIT, parties: PARTIES, between: 'processes', warm: 6 * MiB });
    const children = [1, 20, 39].map((party) => startProcess(store, party, 700));
    const codes = children.map((c) => once(c, 'exit'));
    await once(children[0]!.stdout!, 'data');
    assert.ok(hammer(store, Date.now() + 400) > 10);
    for (const code of codes) assert.deepEqual(await code, [0, null]);
    assert.equal(store.stats().used, 0);
    store.trim(0);
    // Nothing but the table is left.
    assert.ok(fstatSync((store.handle as { fd: number }).fd).blocks * 512 < MiB);
    store.close();
  });

  test('threads that take and let go of memory at once never get the same, and leave none', async () => {
    const store = SharedStore.create({ limit: LIMIT, parties: PARTIES, between: 'threads', warm: 6 * MiB });
    const threads = [1, 20, 39].map((party) => startThread(store, party, 700));
    const ends = threads.map((t) => once(t, 'exit'));
    await once(threads[0]!, 'message');
    assert.ok(hammer(store, Date.now() + 400) > 10);
    for (const end of ends) assert.deepEqual(await end, [0]);
    assert.equal(store.stats().used, 0);
    store.close();
  });

  test('processes killed at any moment leave nothing once they are reclaimed', processes, async () => {
    const store = SharedStore.create({ limit: LIMIT, parties: PARTIES, between: 'processes', warm: 2 * MiB });
    const kept = store.allocate(MiB);
    store.bytes(kept).fill(42);
    for (let round = 0; round < 10; round++) {
      const children = [1, 33].map((party) => startProcess(store, party, 60_000));
      const ends = children.map((c) => once(c, 'exit'));
      await Promise.all(children.map((c) => once(c.stdout!, 'data')));
      await sleep(Math.random() * 30);
      for (const c of children) c.kill('SIGKILL');
      // Before anybody knows of the death: the lock may be held by the dead.
      hammer(store, Date.now() + 5);
      for (const end of ends) assert.deepEqual(await end, [null, 'SIGKILL']);
      store.reclaimParty(1);
      store.reclaimParty(33);
      const stats = store.stats();
      assert.equal(stats.objects, 1);
      assert.equal(stats.used, MiB);
      assert.equal(stats.free, LIMIT - MiB);
    }
    assert.ok(store.bytes(kept).every((x) => x === 42));
    store.unpin(kept);
    store.trim(0);
    assert.ok(fstatSync((store.handle as { fd: number }).fd).blocks * 512 < MiB);
    assert.equal(store.byteLength(store.allocate(LIMIT)), LIMIT);
    store.close();
  });

  test('a thread terminated at any moment leaves nothing once it is reclaimed', async () => {
    const store = SharedStore.create({ limit: LIMIT, parties: PARTIES, between: 'threads' });
    for (let round = 0; round < 10; round++) {
      const thread = startThread(store, 33, 60_000, false, true);
      await once(thread, 'message');
      await sleep(Math.random() * 20);
      const end = thread.terminate();
      hammer(store, Date.now() + 5);
      await end;
      store.reclaimParty(33);
      assert.equal(store.stats().used, 0);
      assert.equal(store.stats().free, LIMIT);
    }
    store.close();
  });

  for (const between of ['processes', 'threads'] as const) {
    const skip = between === 'processes' ? !sharingWorks() : process.platform !== 'linux';
    test(`${between}: one that ends with the lock in its hands holds nobody up`, { skip }, async () => {
      const store = SharedStore.create({ limit: LIMIT, parties: PARTIES, between });
      const peer = (between === 'processes' ? startProcess : startThread)(store, 1, 0, true);
      const end = once(peer, 'exit');
      await once(peer instanceof Worker ? peer : peer.stdout!, peer instanceof Worker ? 'message' : 'data');
      const words = tableOf(store.handle);
      const nap = new Int32Array(new SharedArrayBuffer(4));
      // The event loop stays blocked, so this thread can't hear of the end.
      for (let i = 0; i < 2000 && Atomics.load(words, H_LOCK) === 0; i++) Atomics.wait(nap, 0, 0, 1);
      assert.equal(Atomics.load(words, H_LOCK) & 0xfff, 2);
      const began = performance.now();
      const mine = store.allocate(MiB);
      assert.ok(performance.now() - began < 5000);
      assert.equal(store.usedBy(1), MiB);
      await end;
      store.reclaimParty(1);
      assert.equal(store.stats().used, MiB);
      assert.equal(store.byteLength(mine), MiB);
      store.close();
    });
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CancelledError,
  cancel,
  connect,
  current,
  get,
  NotAvailableError,
  put,
  type Ref,
  ReleasedError,
  scope,
  TimeoutError,
  task,
  UnschedulableError,
  UsageError,
} from 'sheaf';
import { eventually, failure, LIMIT, lazySession, program, sleep } from './support.ts';

const session = lazySession({ mode: 'inline', cpus: 2, gpus: 1, resources: { license: 1 }, memory: '64MiB' });

const order: string[] = [];
const globalOrder = globalThis as { sheafOrder?: string[] };
globalOrder.sheafOrder = order;
const note = task((what: string) => {
  (globalThis as { sheafOrder?: string[] }).sheafOrder?.push(what);
  return what;
});
const noteLater = task(async (what: string, ms: number) => {
  const log = (globalThis as { sheafOrder?: string[] }).sheafOrder as string[];
  log.push(`${what} begins`);
  await sleep(ms);
  log.push(`${what} ends`);
});
const untilCancelled = task(
  () =>
    new Promise<string>((resolve) => {
      current().signal.addEventListener('abort', () => resolve('heard'));
    }),
);
const spin = task((ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
});
const child = task(async () => {
  (globalThis as { sheafOrder?: string[] }).sheafOrder?.push('child begins');
  await new Promise((resolve) => current().signal.addEventListener('abort', resolve));
  (globalThis as { sheafOrder?: string[] }).sheafOrder?.push('child cancelled');
});
const parent = task(async () => {
  await child().value;
});
const escaping = task(() => {
  (globalThis as { sheafRef?: Ref<number> }).sheafRef = put(1);
  return 0;
});
const twice = task(async () => {
  if (current().attempt === 0) throw new Error('the first time');
  return current().attempt;
});
const connects = task(async () => {
  await connect();
});
const counts = new Map<string, number>();
const counting = task((name: string) => {
  counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts.get(name);
});
function itself(): boolean {
  return (globalThis as { sheafItself?: unknown }).sheafItself === itself;
}

test('tasks start in the order of their calls, and never within one', LIMIT, async () => {
  order.length = 0;
  const refs = [note('a'), note.with({ cpus: 2 })('b'), note.with({ cpus: 0.5 })('c'), note('d')];
  order.push('called');
  await get(refs);
  assert.deepEqual(order, ['called', 'a', 'b', 'c', 'd']);
});

test('what a task asks for is respected, and what nobody has is refused', LIMIT, async () => {
  order.length = 0;
  const alone = noteLater.with({ resources: { license: 1 } });
  await get([alone('x', 5), alone('y', 1)]);
  assert.deepEqual(order, ['x begins', 'x ends', 'y begins', 'y ends']);
  assert.ok((await failure(note.with({ cpus: 3 })('never').value)) instanceof UnschedulableError);
  assert.deepEqual(await task(() => current().gpus).with({ gpus: 1 })().value, [0]);
});

test('cancelling aborts the signal of what runs, and of what it has called', LIMIT, async () => {
  order.length = 0;
  const one = untilCancelled();
  await sleep(5);
  cancel(one);
  assert.ok((await failure(one.value)) instanceof CancelledError);
  const two = parent();
  await eventually(() => order.length === 1, 'the child runs');
  cancel(two, { force: true });
  assert.ok((await failure(two.value)) instanceof CancelledError);
  await session().drained();
  await eventually(() => order.length === 2, 'the child hears of it');
  assert.deepEqual(order, ['child begins', 'child cancelled']);
});

test('a task in a loop that asks whether it is wanted hears of timeouts', LIMIT, async () => {
  const asks = task(() => {
    while (!current().cancelled());
  });
  assert.ok((await failure(asks.with({ timeout: 20 })().value)) instanceof TimeoutError);
  await assert.rejects(
    scope(async () => asks().value, { timeout: 20 }),
    TimeoutError,
  );
  await session().drained();
});

test('a task that takes longer than its timeout fails, one that gives no turn as well', LIMIT, async () => {
  assert.ok((await failure(untilCancelled.with({ timeout: 5 })().value)) instanceof TimeoutError);
  assert.ok((await failure(spin.with({ timeout: 5 })(50).value)) instanceof TimeoutError);
  await session().drained();
});

test('the references of a task end with it; retries, scopes and the limits of calls hold', LIMIT, async () => {
  await escaping().value;
  const { sheafRef } = globalThis as { sheafRef?: Ref<number> };
  assert.throws(() => sheafRef?.value, ReleasedError);
  assert.equal(await twice.with({ retryErrors: true })().value, 1);
  const inside = await scope(async () => note('in a scope'));
  assert.throws(() => inside.value, ReleasedError);
  assert.ok((await failure(connects().value)) instanceof UsageError);
});

test('state that a definition carries is not shared with the program', LIMIT, async () => {
  assert.equal(await counting('k').value, 1);
  assert.equal(await counting('k').value, 2);
  assert.equal(counts.size, 0);
});

test('the function of the program itself runs where nothing could tell it from a loaded one', LIMIT, async () => {
  (globalThis as { sheafItself?: unknown }).sheafItself = itself;
  assert.equal(await task(itself)().value, true);
  const factor = 2;
  const scaled = task((x: number) => x * factor, { captures: { factor } });
  assert.equal(await scaled(3).value, 6);
});

test('a session says what it does', LIMIT, async () => {
  const held = untilCancelled.with({ name: 'held' })();
  await sleep(5);
  assert.equal(session().stats().tasks.pending, 1);
  cancel(held);
  await session().drained();
  assert.equal(session().stats().tasks.pending, 0);
});

test('options that fit no mode are refused as ever', LIMIT, async () => {
  await assert.rejects(connect({ mode: 'outline' as 'inline' }), UsageError);
  await assert.rejects(connect({ mode: 'inline', token: 'x' } as { mode: 'inline' }), NotAvailableError);
});

test(
  'an error that a task leaves to nobody ends that task, and one of the program ends the program',
  LIMIT,
  async () => {
    const { stdout, stderr, code } = await program('inline-stray.mjs');
    assert.deepEqual(stdout.trim().split('\n'), ['RangeError: in a timer', 'TypeError: in a promise', 'still here']);
    assert.equal(code, 1);
    assert.match(stderr, /Error: of the program/);
  },
);

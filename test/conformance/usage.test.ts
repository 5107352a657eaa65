import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  all,
  alloc,
  asCompleted,
  BackPressureError,
  byRef,
  cancel,
  connect,
  current,
  get,
  NotAvailableError,
  put,
  type Ref,
  remote,
  SheafError,
  scope,
  task,
  UsageError,
  wait,
} from 'sheaf';
import { failure, onHosts } from './support.ts';

const add = task((a: number, b: number) => a + b);
const wrong = <T>(value: unknown): T => value as T;

/** Each wrong use is an error of its class, whose message has these words. */
async function teaches(use: () => unknown, type: typeof SheafError, words: RegExp): Promise<void> {
  let error: unknown;
  try {
    await use();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof type, `${String(use)}: ${String(error)}`);
  assert.match(error.message, words, String(use));
  assert.match(error.code, /^ERR_SHEAF_/);
}

onHosts('wrong use', { cpus: 1, memory: '16MiB' }, () => {
  test('values where references belong', { timeout: 10_000 }, async () => {
    const ref = add(1, 2);
    await teaches(() => get(wrong<Ref<number>>(5)), UsageError, /get takes a Ref.*not number/);
    await teaches(() => get(wrong<Ref<number>>(null)), UsageError, /not null/);
    await teaches(() => get(wrong<Ref<number>>(undefined)), UsageError, /undefined/);
    await teaches(() => wait(wrong<Ref<number>[]>([ref, 5])), UsageError, /item 1 is number, not a Ref/);
    await teaches(() => wait(wrong<Ref<number>[]>(ref)), UsageError, /wait takes/);
    await teaches(() => wait([ref, ref]), UsageError, /twice/);
    await teaches(() => wait([ref], { count: 2 }), UsageError, /count is 2 for 1/);
    await teaches(() => wait([ref], { count: 0.5 }), UsageError, /count is 0\.5/);
    await teaches(() => cancel(wrong<Ref<unknown>>('x')), UsageError, /cancel takes a Ref, not string/);
    await teaches(() => byRef(wrong<Ref<unknown>>(5)), UsageError, /byRef takes a Ref/);
    await teaches(() => all(wrong<unknown[]>(5)), UsageError, /all takes/);
    await teaches(() => asCompleted(wrong<Ref<number>[]>([5])), UsageError, /item 0 is number/);
    await teaches(() => asCompleted(wrong<Ref<number>[]>(5)), UsageError, /asCompleted takes/);
    assert.equal(await ref.value, 3);
  });

  test('functions and modules', { timeout: 10_000 }, async () => {
    await teaches(() => task(wrong<() => 1>('x')), UsageError, /task takes a function, not string/);
    await teaches(() => task(wrong<() => 1>(null)), UsageError, /not null/);
    await teaches(
      () =>
        task(function* () {
          yield 1;
        }),
      NotAvailableError,
      /generator/,
    );
    for (const captures of [5, null, [1]]) {
      const options = wrong<{ captures: Record<string, unknown> }>({ captures });
      await teaches(
        () => task(() => 1, options),
        UsageError,
        /`captures` is (?:5|null|an array); give values by the names/,
      );
    }
    await teaches(() => remote(wrong<string>(5)), SheafError, /remote|module/);
    await teaches(() => scope(wrong<() => Promise<void>>(5)), UsageError, /scope takes/);
  });

  test('options of tasks', { timeout: 10_000 }, async () => {
    const bad = (options: unknown) => () => add.with(wrong<{ cpus: 1 }>(options))(1, 2).value;
    await teaches(bad({ cpu: 2 }), UsageError, /no option `cpu`.*cpus/s);
    await teaches(bad({ cpus: -1 }), UsageError, /cpus.*-1.*not negative/);
    await teaches(bad({ cpus: '2' }), UsageError, /cpus/);
    await teaches(bad({ gpus: 1.5 }), UsageError, /whole devices/);
    await teaches(bad({ retries: 1.5 }), UsageError, /retries.*1\.5/);
    await teaches(bad({ timeout: 'soon' }), UsageError, /timeout.*soon.*duration/);
    await teaches(bad({ timeout: -5 }), UsageError, /timeout/);
    await teaches(bad({ memory: '5 bananas' }), UsageError, /memory.*bananas.*size/);
    await teaches(bad({ isolation: 'container' }), UsageError, /isolation.*container/);
    await teaches(bad({ resources: { license: -1 } }), UsageError, /resources\.license/);
    await teaches(bad({ resources: 5 }), UsageError, /resources/);
    await teaches(bad({ returns: -1 }), UsageError, /returns/);
    await teaches(bad({ maxCalls: 'x' }), UsageError, /maxCalls/);
    await teaches(bad({ maxPending: -1 }), UsageError, /maxPending/);
    await teaches(bad({ retryErrors: 'yes' }), UsageError, /retryErrors/);
    await teaches(bad({ name: 5 }), UsageError, /name/);
    await teaches(bad({ signal: 5 }), UsageError, /signal/);
    await teaches(bad({ session: {} }), UsageError, /session/);
    await teaches(bad({ captures: { k: 1 } }), UsageError, /`captures` belongs to the definition/);
    await teaches(bad(5), UsageError, /options/);
    for (const later of ['labels', 'placement', 'replicas', 'pure', 'ranks']) {
      await teaches(bad({ [later]: 1 }), NotAvailableError, new RegExp(`\`${later}\` comes with`));
    }
  });

  test('options of waits, maps and alloc', { timeout: 10_000 }, async () => {
    const ref = add(1, 2);
    await teaches(() => get(ref, { timeout: wrong<number>('later') }), UsageError, /timeout.*later/);
    await teaches(() => wait([ref], { timeout: wrong<number>('x') }), UsageError, /wait: timeout/);
    await teaches(() => get(ref, wrong<object>({ timout: 5 })), UsageError, /timout/);
    await teaches(
      () =>
        add
          .map([1], () => [1, 2] as [number, number], { inFlight: 0 })
          [Symbol.asyncIterator]()
          .next(),
      UsageError,
      /inFlight is 0/,
    );
    await teaches(
      () =>
        add
          .map(wrong<number[]>(5), () => [1, 2] as [number, number])
          [Symbol.asyncIterator]()
          .next(),
      UsageError,
      /takes an iterable/,
    );
    await teaches(() => alloc(Float64Array, -1), UsageError, /length is -1/);
    await teaches(() => alloc(wrong<typeof Float64Array>(Array), 10), UsageError, /typed array/);
    await teaches(() => current(), UsageError, /outside of a task/);
    await teaches(() => scope({ timeout: wrong<number>('x') }), UsageError, /timeout/);
  });

  test('options of sessions', { timeout: 10_000 }, async () => {
    const bad = (options: unknown) => () => connect(wrong<object>(options));
    await teaches(bad({ cpu: 2 }), UsageError, /no option `cpu`/);
    await teaches(bad({ cpus: 0 }), UsageError, /cpus is 0/);
    await teaches(bad({ cpus: 'all' }), UsageError, /cpus is all/);
    await teaches(bad({ memory: 5 }), UsageError, /memory is 5 bytes/);
    await teaches(bad({ memory: 'much' }), UsageError, /memory.*much/);
    await teaches(bad({ isolation: 'vm' }), UsageError, /isolation/);
    await teaches(bad({ gpus: -1 }), UsageError, /gpus/);
    await teaches(bad({ resources: { x: 'y' } }), UsageError, /resources\.x/);
    await teaches(bad({ env: { A: 5 } }), UsageError, /env/);
    await teaches(bad({ signal: 'x' }), UsageError, /signal/);
    await teaches(bad(5), UsageError, /options/);
    await teaches(bad({ mode: 'inline' }), NotAvailableError, /`mode`/);
    await teaches(bad({ spill: '/tmp' }), NotAvailableError, /`spill`/);
    for (const later of ['workers', 'token', 'tls', 'files', 'cache', 'onRankLoss', 'divergence']) {
      await teaches(bad({ [later]: 'x' }), NotAvailableError, new RegExp(`\`${later}\` comes with`));
    }
    await teaches(() => connect('10.0.0.1:5000'), NotAvailableError, /clusters/);
    assert.equal(await add(1, 2).value, 3);
  });

  test('connect inside of a task', { timeout: 10_000 }, async () => {
    const nested = task(async () => {
      await connect();
    });
    const error = await failure(nested().value);
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /inside a task/);
  });

  test('more pending calls than maxPending are refused', { timeout: 10_000 }, async () => {
    const limited = add.with({ maxPending: 3 });
    const refs = [limited(1, 1), limited(1, 1), limited(1, 1)];
    assert.throws(
      () => limited(1, 1),
      (error: Error) => error instanceof BackPressureError && /3 calls pending/.test(error.message),
    );
    await get(refs);
    assert.equal(await limited(2, 2).value, 4);
  });

  test('an error has a code and a JSON form', async () => {
    const error = await failure(connect(wrong<object>({ cpus: 0 })));
    assert.ok(error instanceof SheafError);
    const json = JSON.parse(JSON.stringify(error));
    assert.equal(json.name, 'UsageError');
    assert.equal(json.code, 'ERR_SHEAF_USAGE');
    assert.match(json.message, /cpus/);
    assert.equal(put(1) instanceof SheafError, false);
  });
});

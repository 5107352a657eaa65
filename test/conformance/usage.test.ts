import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  all,
  alloc,
  asCompleted,
  BackPressureError,
  byRef,
  CodecError,
  cancel,
  connect,
  current,
  get,
  NotAvailableError,
  put,
  type Ref,
  registerCodec,
  remote,
  SheafError,
  scope,
  task,
  UsageError,
  wait,
} from 'sheaf';
import { failure, onHosts, scratch } from './support.ts';

const add = task((a: number, b: number) => a + b);
const wrong = <T>(value: unknown): T => value as T;
type ValueCodec = Parameters<typeof registerCodec<object, unknown>>[1];

/** What a descriptor of this process is open on; the empty text for one that has been closed since it was listed. */
function opened(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

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

test('there is no current task without a session, and it is not the session that is missing', () => {
  assert.throws(() => current(), /current\(\) was called outside of a task/);
});

onHosts('wrong use', { cpus: 1, memory: '16MiB' }, (session) => {
  test('values where references belong', { timeout: 120_000 }, async () => {
    const ref = add(1, 2);
    await teaches(() => get(wrong<Ref<number>>(5)), UsageError, /get takes a Ref.*not number/);
    await teaches(() => get(wrong<Ref<number>>(null)), UsageError, /not null/);
    await teaches(() => get(wrong<Ref<number>>(undefined)), UsageError, /undefined/);
    await teaches(() => wait(wrong<Ref<number>[]>([ref, 5])), UsageError, /item 1 is number, not a Ref/);
    await teaches(() => wait(wrong<Ref<number>[]>(ref)), UsageError, /wait takes/);
    await teaches(() => wait([ref, ref]), UsageError, /twice/);
    await teaches(() => wait([ref], { count: 2 }), UsageError, /count is 2 for 1/);
    await teaches(() => wait([ref], { count: 0.5 }), UsageError, /count is 0\.5/);
    await teaches(() => cancel(wrong<Ref<unknown>>('x')), UsageError, /cancel takes a Ref or a Stream, not string/);
    await teaches(() => byRef(wrong<Ref<unknown>>(5)), UsageError, /byRef takes a Ref/);
    await teaches(() => all(wrong<unknown[]>(5)), UsageError, /all takes/);
    await teaches(() => asCompleted(wrong<Ref<number>[]>([5])), UsageError, /item 0 is number/);
    await teaches(() => asCompleted(wrong<Ref<number>[]>(5)), UsageError, /asCompleted takes/);
    assert.equal(await ref.value, 3);
  });

  test('holes in lists of references', { timeout: 120_000 }, async () => {
    const [a, b] = [add(1, 2), add(3, 4)];
    const holed = [a, b] as Ref<number>[];
    delete holed[1];
    holed.push(b);
    await teaches(() => all(holed), UsageError, /^all: item 1 of the array is a hole/);
    await teaches(() => get(holed), UsageError, /^get: item 1 of the array is a hole/);
    await teaches(() => wait(holed), UsageError, /^wait: item 1 of the array is a hole/);
    await teaches(() => asCompleted(holed), UsageError, /^asCompleted: item 1 of the array is a hole/);
    await teaches(() => get(new Array(3)), UsageError, /item 0/);
    // What is there and undefined is a value like any other.
    assert.deepEqual(await all([a, undefined]).value, [3, undefined]);
    assert.deepEqual(await get([a, b]), [3, 7]);
  });

  test('functions and modules', { timeout: 120_000 }, async () => {
    await teaches(() => task(wrong<() => 1>('x')), UsageError, /task takes a function, not string/);
    await teaches(() => task(wrong<() => 1>(null)), UsageError, /not null/);
    class Counter {}
    await teaches(() => task(wrong<() => 1>(Counter)), UsageError, /^task Counter: it is a class.*actor\(Class\)/);
    await teaches(() => remote(wrong<string>(5)), UsageError, /remote\(\) takes the URL of a file, not 5/);
    await teaches(() => scope(wrong<() => Promise<void>>(5)), UsageError, /scope takes/);
  });

  test('modules that are none, and exports that are none', { timeout: 120_000 }, async () => {
    const folder = scratch();
    const at = (name: string, text: string): URL => {
      writeFileSync(join(folder, name), text);
      return pathToFileURL(join(folder, name));
    };
    const words = remote<Record<string, () => void>>(at('words.mjs', 'export const count = (x) => x.length;'));
    for (const name of ['toString', 'constructor', 'valueOf', 'missing']) {
      await teaches(() => words[name], UsageError, new RegExp(`words\\.mjs has no export "${name}"; it has count`));
      assert.equal(name in words, false);
    }
    assert.equal('count' in words, true);
    assert.deepEqual(Object.keys(words), ['count']);
    await teaches(() => remote(at('data.json', '{"a": [1]}')), UsageError, /data\.json can't be read as a module/);
    await teaches(() => remote(at('broken.mjs', 'export const = 1')), UsageError, /broken\.mjs can't be read/);
    await teaches(() => remote(pathToFileURL(folder)), UsageError, /is a folder, and remote\(\) takes a module/);
  });

  test('proxies', { timeout: 120_000 }, async () => {
    const echo = task((x: unknown) => x);
    const revoked = (target: object): object => {
      const { proxy, revoke } = Proxy.revocable(target, {});
      revoke();
      return proxy;
    };
    for (const target of [{}, [], () => {}]) {
      await teaches(() => echo(revoked(target)), CodecError, /^args\[0\]: /);
      await teaches(() => echo({ in: [revoked(target)] }), CodecError, /^args\[0\]\.in\[0\]: /);
      await teaches(() => put(revoked(target)), CodecError, /^value: /);
    }
    assert.deepEqual(await echo(new Proxy({ a: 1 }, {})).value, { a: 1 });
    const { proxy, revoke } = Proxy.revocable({}, {});
    const hostile = new Proxy(proxy, {});
    revoke();
    await teaches(() => add(wrong<number>(hostile), 1), CodecError, /^args\[0\]: /);
  });

  test('options of tasks', { timeout: 120_000 }, async () => {
    // Where the option is given, and not at the first call.
    const bad = (options: unknown) => () => add.with(wrong<{ cpus: 1 }>(options));
    await teaches(bad({ cpu: 2 }), UsageError, /no option `cpu`.*cpus/s);
    await teaches(bad({ cpus: -1 }), UsageError, /cpus.*-1.*not negative/);
    await teaches(bad({ cpus: '2' }), UsageError, /cpus/);
    await teaches(bad({ gpus: 1.5 }), UsageError, /whole devices/);
    await teaches(bad({ retries: 1.5 }), UsageError, /retries.*1\.5/);
    await teaches(bad({ timeout: 'soon' }), UsageError, /timeout is "soon"; give a duration/);
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
    await teaches(bad({ copy: 'yes' }), UsageError, /^task add: copy is "yes"; give true or false/);
    await teaches(bad({ retries: -1 }), UsageError, /retries is -1; give a whole number.*or Infinity/);
    await teaches(bad({ timeout: '5 s' }), UsageError, /^task add: timeout is "5 s"; give a duration.*'1\.5s'/);
    await teaches(bad({ timeout: '1000h' }), UsageError, /timeout is "1000h"; give '596h' at most.*or Infinity/);
    await teaches(bad({ timeout: 5n }), UsageError, /timeout is 5n/);
    await teaches(bad({ memory: Symbol('much') }), UsageError, /memory is Symbol\(much\)/);
    await teaches(bad({ returns: 1.5 }), UsageError, /returns is 1\.5; give a whole number of at least 1/);
    await teaches(bad({ returns: 1e9 }), UsageError, /returns is 1000000000; .*65536 at most/);
    await teaches(bad({ resources: [1] }), UsageError, /resources is an array; give amounts by name/);
    await teaches(bad({ captures: { x: 1 } }), UsageError, /captures.*give it to task\(fn, \{ captures \}\)/);
    await teaches(bad(5), UsageError, /options/);
    await teaches(bad(null), UsageError, /options are null/);
    await teaches(bad([]), UsageError, /options are an array/);
    // An option that is there and undefined is not given.
    assert.equal(await add.with(wrong<object>({ timeout: undefined }))(1, 2).value, 3);
    assert.equal(
      await add.with({ retries: Number.POSITIVE_INFINITY, maxPending: Number.POSITIVE_INFINITY })(1, 2).value,
      3,
    );
    const define = (options: unknown) => () => task((x: number) => x, wrong<object>(options));
    await teaches(define({ timeout: '5 s' }), UsageError, /^task: timeout is "5 s"/);
    await teaches(define({ cpus: '2' }), UsageError, /cpus is "2"; give a number/);
    await teaches(define({ isolation: 'x' }), UsageError, /isolation is "x"; give 'process' or 'thread'/);
    await teaches(define({ maxCalls: -1 }), UsageError, /maxCalls is -1/);
    await teaches(define({ captures: 5 }), UsageError, /captures is 5; give an object/);
    await teaches(define({ capture: {} }), UsageError, /no option `capture`; the options are .*captures/);
    await teaches(define(5), UsageError, /the options are number; give an object/);
    await teaches(define(null), UsageError, /the options are null/);
    for (const later of ['labels', 'placement', 'replicas', 'pure', 'ranks']) {
      await teaches(bad({ [later]: 1 }), NotAvailableError, new RegExp(`\`${later}\` comes with`));
    }
  });

  test('options of waits, maps and alloc', { timeout: 120_000 }, async () => {
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
    const square = task((x: number) => x * x);
    const map = (options: unknown) => () => square.map([1], wrong<object>(options));
    await teaches(map({ inflight: 1 }), UsageError, /square\.map: there is no option `inflight`; .*inFlight/);
    await teaches(map({ signal: 5 }), UsageError, /square\.map: signal is 5; give an AbortSignal/);
    await teaches(map({ inFlight: 1.5 }), UsageError, /inFlight is 1\.5/);
    await teaches(map({ ordered: 1 }), UsageError, /ordered is 1; give true or false/);
    await teaches(map({ progress: 1 }), UsageError, /progress is 1/);
    await teaches(map(null), UsageError, /square\.map: the options are null/);
    await teaches(map(5), UsageError, /square\.map: the options are number/);
    await teaches(() => square.map([1], wrong(undefined), wrong<object>({ x: 1 })), UsageError, /no option `x`/);
    await teaches(() => square.map(wrong<number[]>(null)), UsageError, /square\.map takes an iterable.*not null/);
    const body = async (): Promise<number> => 1;
    await teaches(() => scope(body, wrong<object>({ timout: 5 })), UsageError, /^scope: there is no option `timout`/);
    await teaches(() => scope(body, wrong<object>({ signal: 5 })), UsageError, /^scope: signal is 5/);
    await teaches(() => scope(body, wrong<object>(null)), UsageError, /^scope: the options are null/);
    await teaches(() => scope(wrong<object>({ signal: {} })), UsageError, /^scope: signal is an object/);
    await teaches(() => scope().start(wrong<typeof square>(5), 1), UsageError, /scope\.start takes a task.*not number/);
    await teaches(() => scope().keep(wrong<Ref<number>>(5)), UsageError, /scope\.keep takes a Ref, not number/);
    await teaches(() => cancel(ref, wrong<object>({ forced: true })), UsageError, /cancel: .*`forced`.*force/);
    await teaches(() => cancel(ref, wrong<object>({ force: 1 })), UsageError, /cancel: force is 1/);
    await teaches(() => cancel(ref, wrong<object>(null)), UsageError, /cancel: the options are null/);
    await teaches(() => wait([ref], wrong<object>({ count: '1' })), UsageError, /wait: count is "1"/);
    await teaches(() => get([ref], wrong<object>({ count: 1 })), UsageError, /get: there is no option `count`/);
    await teaches(() => asCompleted([ref], wrong<object>({ signal: 1 })), UsageError, /asCompleted: signal is 1/);
    assert.equal(await ref.value, 3);
  });

  test('codecs', { timeout: 120_000 }, async () => {
    class P {
      x = 1;
    }
    const bad = (codec: unknown) => () => registerCodec(P, wrong<ValueCodec>(codec));
    await teaches(bad({ id: 'a' }), UsageError, /registerCodec\(P\): `encode` is undefined; give a function/);
    await teaches(bad({ id: 'a', encode: () => 1 }), UsageError, /`decode` is undefined/);
    await teaches(bad({ id: 'a', encode: () => 1, decode: 'x' }), UsageError, /`decode` is string/);
    await teaches(bad({ encode: () => 1, decode: () => 1 }), UsageError, /needs an id/);
    await teaches(bad(undefined), UsageError, /needs an id/);
    await teaches(
      () => registerCodec(wrong(5), wrong<ValueCodec>({ id: 'a' })),
      UsageError,
      /first argument is number/,
    );
  });

  test('options of sessions', { timeout: 120_000 }, async () => {
    const bad = (options: unknown) => () => connect(wrong<object>(options));
    await teaches(bad({ cpu: 2 }), UsageError, /no option `cpu`/);
    await teaches(bad({ cpus: 0 }), UsageError, /cpus is 0/);
    await teaches(bad({ cpus: 257 }), UsageError, /cpus is 257; .*256 at most/);
    await teaches(bad({ cpus: 'all' }), UsageError, /cpus is "all"/);
    await teaches(bad({ memory: 5 }), UsageError, /memory is 5; give bytes, at least '1MiB'/);
    await teaches(bad({ memory: 'much' }), UsageError, /memory.*much/);
    await teaches(bad({ isolation: 'vm' }), UsageError, /isolation/);
    await teaches(bad({ gpus: -1 }), UsageError, /gpus/);
    await teaches(bad({ resources: { x: 'y' } }), UsageError, /resources\.x/);
    await teaches(bad({ env: { A: 5 } }), UsageError, /env/);
    await teaches(bad({ signal: 'x' }), UsageError, /signal/);
    await teaches(bad({ env: 'x' }), UsageError, /^connect: env is "x"; give texts by name/);
    await teaches(bad({ env: { A: 'b\0c' } }), UsageError, /env\.A/);
    await teaches(bad({ name: 5 }), UsageError, /^connect: name is 5; give a text/);
    await teaches(bad({ checkWrites: 'no' }), UsageError, /^connect: checkWrites is "no"; give true or false/);
    await teaches(bad({ mode: 'threads' }), UsageError, /^connect: mode is "threads"; give 'workers'/);
    await teaches(bad({ gpus: 1e9 }), UsageError, /^connect: gpus is 1000000000; .*1024 at most/);
    await teaches(bad({ cpus: 1e9 }), UsageError, /^connect: cpus is 1000000000; .*256 at most/);
    await teaches(bad(5), UsageError, /options/);
    await teaches(bad(null), UsageError, /options/);
    await teaches(() => session().run(wrong<() => void>(5)), UsageError, /session\.run takes a function, not number/);
    await teaches(bad({ mode: 'outline' }), UsageError, /^connect: mode is "outline"; give 'workers' or 'inline'/);
    await teaches(bad({ spill: 5 }), UsageError, /^connect: spill is 5; give a folder, or 'off'/);
    await teaches(bad({ spill: process.execPath }), UsageError, /^connect: spill is .*, which is not a folder/);
    for (const later of ['workers', 'token', 'tls', 'files', 'cache', 'onRankLoss', 'divergence']) {
      await teaches(bad({ [later]: 'x' }), NotAvailableError, new RegExp(`\`${later}\` comes with`));
    }
    await teaches(() => connect('10.0.0.1:5000'), NotAvailableError, /clusters/);
    assert.equal(await add(1, 2).value, 3);
  });

  test('more memory than a session can have, and nothing is left of the attempt', { timeout: 20_000 }, async () => {
    // Sockets aside: the session next door may be starting a worker of its own, and each process has one.
    const descriptors = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => !opened(fd).startsWith('socket:')).length;
    const before = descriptors();
    for (const memory of ['100000GiB', 2 ** 60, Number.MAX_SAFE_INTEGER] as const) {
      for (const isolation of ['process', 'thread'] as const) {
        await teaches(
          () => connect({ memory, isolation }),
          UsageError,
          /^connect: .* of memory are more than a session can have; give .* TiB at most: the table of all its pages/,
        );
      }
    }
    assert.equal(descriptors(), before);
    // What is allowed can be had: memory that nobody touches costs nothing.
    await using vast = await connect({ cpus: 1, memory: '1000GiB', isolation: 'process' });
    assert.equal(await vast.run(() => add(1, 2)).value, 3);
  });

  test('connect inside of a task', { timeout: 120_000 }, async () => {
    const nested = task(async () => {
      await connect();
    });
    const error = await failure(nested().value);
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /inside a task/);
  });

  test('more pending calls than maxPending are refused', { timeout: 120_000 }, async () => {
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byRef, CodecError, current, get, put, type Ref, remote, type Task, task, UsageError } from 'sheaf';
import { failure, onHostsAndInline, scratch } from './support.ts';

type Unary = Task<[x: number], number>;

const square = task((x: number) => x * x);
const twice = task((f: Unary, x: number): Ref<number> => f(f(x)));
const pick = task((all: { readonly fs: readonly Unary[] }, i: number) => all.fs[i] as Unary);
const sumOf = task(async (f: Unary, n: number) => {
  let sum = 0;
  for await (const outcome of f.map(Array.from({ length: n }, (_, i) => i))) if (outcome.ok) sum += outcome.value;
  return sum;
});
const named = task((f: Task<[], string>) => f());
const myName = task(() => current().name);
const both = task(([a, b]: [Unary, Unary]) => a === b);
const scaled = (k: number): Unary => task((x: number) => x * k, { captures: { k } });
const large = (data: Float64Array): Task<[], number> => task(() => data.length, { captures: { data } });
const length = task((f: Task<[], number>) => f());
const kinds = task((a: unknown, b: unknown) => {
  const kind = (x: unknown): string => (typeof x === 'object' && x !== null && 'ignore' in x ? 'ref' : typeof x);
  return `${kind(a)} ${kind(b)}`;
});

onHostsAndInline('tasks as values', { cpus: 2, memory: '64MiB' }, () => {
  test('one is called where it arrives: as an argument, in data, as a result', { timeout: 20_000 }, async () => {
    assert.equal(await twice(square, 3).value, 81);
    const third = (await pick({ fs: [square, scaled(10), scaled(100)] }, 2).value) as Unary;
    assert.equal(await third(7).value, 700);
    assert.equal(await twice(third, 1).value, 10_000);
    assert.equal(await twice(put(square) as never, 2).value, 16);
    assert.equal(await sumOf(square, 10).value, 285);
    assert.equal(await both([square, square]).value, true, 'the same task twice is one');
  });

  test('its options go along', { timeout: 20_000 }, async () => {
    assert.equal(await named(myName.with({ name: 'renamed', retries: 1, timeout: '1m', cpus: 0.5 })).value, 'renamed');
  });

  test('captured values go along, tasks and large ones too', { timeout: 20_000 }, async () => {
    assert.equal(await twice(scaled(3), 2).value, 18);
    const f = scaled(5);
    const viaCapture = task((x: number) => f(x), { captures: { f } });
    assert.equal(await viaCapture(4).value, 20);
    assert.equal(await length(large(new Float64Array(20_000))).value, 20_000);
    const fs = { list: [square] };
    const nested = task((x: number) => fs.list[0]?.(x), { captures: { fs } });
    assert.equal(await nested(6).value, 36);
  });

  test('one of a module goes as it is, and is run there', { timeout: 20_000 }, async () => {
    const { writeFileSync } = await import('node:fs');
    const file = `${scratch()}/numbers.mjs`;
    writeFileSync(file, 'export const negate = (x) => -x;\n');
    const numbers = remote<{ negate(x: number): number }>(new URL(`file://${file}`));
    assert.equal(await twice(numbers.negate, 5).value, 5);
    assert.equal(await pick({ fs: [numbers.negate] }, 0).value.then(async (f) => (f as Unary)(2).value), -2);
  });

  test('what binds one to this process is named, with the way out', { timeout: 10_000 }, async () => {
    const { signal } = new AbortController();
    const refused = async (f: Unary, words: RegExp): Promise<void> => {
      const error = await failure(Promise.resolve().then(() => twice(f, 1).value));
      assert.ok(error instanceof CodecError, String(error));
      assert.match(error.message, words);
    };
    await refused(
      square.with({ signal }),
      /^args\[0\]: the task square has the option `signal`.*send square\.with\(\{ signal: undefined \}\)/,
    );
    await refused(square.with({ retryErrors: () => true }), /^args\[0\]: .*`retryErrors`/);
    assert.equal(await twice(square.with({ signal }).with({ signal: undefined as never }), 2).value, 16);
    const error = await failure(Promise.resolve().then(() => twice(((x: number) => x) as never, 1).value));
    assert.match(error.message, /^args\[0\]: function .*can't be sent as a value; make it a task/);
  });

  test('a task made of a task is that task', { timeout: 10_000 }, async () => {
    const again = task(square) as unknown as Unary;
    assert.equal(again, square);
    const renamed = task(myName, { name: 'other' }) as unknown as Task<[], string>;
    assert.equal(await renamed().value, 'other');
    assert.throws(
      () => task(square, { captures: { x: 1 } }),
      (error) => error instanceof UsageError && /task square: it is a task already/.test(error.message),
    );
  });

  test('of one reference given twice, each place gets what it asks for', { timeout: 10_000 }, async () => {
    const ref = square(3) as Ref<unknown>;
    const by = byRef(ref) as never;
    assert.equal(await kinds(ref, by).value, 'number ref');
    assert.equal(await kinds(by, ref).value, 'ref number');
    assert.equal(await kinds(ref, ref).value, 'number number');
    assert.equal(await kinds(by, by).value, 'ref ref');
    assert.deepEqual(await get([kinds(ref, [ref]), kinds([ref], by)]), ['number object', 'object ref']);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { file } from './fixture.ts';
import { lowerUsing } from './using.ts';

/** Evaluates `async (log, r, ra) => body` after lowering; r(name) is a resource that logs its end. */
async function log(body: string): Promise<string[]> {
  const entries: string[] = [];
  const r = (name: string, fails = false) => ({
    [Symbol.dispose]() {
      entries.push(name);
      if (fails) throw new Error(`end of ${name}`);
    },
  });
  const ra = (name: string) => ({
    async [Symbol.asyncDispose]() {
      await null;
      entries.push(name);
    },
  });
  const source = `(async (log, r, ra) => {\n${body}\n})`;
  const lowered = lowerUsing(source);
  assert.equal(lowered.split('\n').length, source.split('\n').length, 'lines stay lines');
  // The helper stands before the expression: a script's value is its last statement.
  const fn = new Script(lowered).runInThisContext() as (...a: unknown[]) => Promise<unknown>;
  try {
    const value = await fn((x: unknown) => entries.push(String(x)), r, ra);
    if (value !== undefined) entries.push(`=> ${String(value)}`);
  } catch (error) {
    const e = error as Error & { error?: Error; suppressed?: Error };
    entries.push(`! ${e.name} ${e.error?.message ?? e.message} ${e.suppressed?.message ?? ''}`.trim());
  }
  return entries;
}

test('resources end in reverse order, when the block does', async () => {
  assert.deepEqual(await log('{ using a = r("a"), b = r("b"); using c = null; log("in"); } log("out"); return 5;'), [
    'in',
    'b',
    'a',
    'out',
    '=> 5',
  ]);
});

test('resources end on return, throw, break and continue', async () => {
  assert.deepEqual(await log('using a = r("a"); return "v";'), ['a', '=> v']);
  assert.deepEqual(await log('using a = r("a"); throw new Error("x");'), ['a', '! Error x']);
  assert.deepEqual(
    await log('for (const i of [1, 2, 3]) { using a = r(String(i)); if (i === 1) continue; if (i === 2) break; }'),
    ['1', '2'],
  );
});

test('asynchronous resources are awaited', async () => {
  assert.deepEqual(await log('{ await using a = ra("a"); using b = r("b"); await using c = r("c"); } log("out");'), [
    'c',
    'b',
    'a',
    'out',
  ]);
});

test('heads of loops hold resources too', async () => {
  assert.deepEqual(
    await log('for (using x of [r("a"), r("b")]) log("in"); for (using y = r("c"), n = null; ; ) break;'),
    ['in', 'a', 'in', 'b', 'c'],
  );
  assert.deepEqual(await log('for (await using x of [ra("a")]) for (using y of [r("b")]) log("in");'), [
    'in',
    'b',
    'a',
  ]);
  assert.deepEqual(await log('for await (using x of [r("a")]) { using z = r("z"); }'), ['z', 'a']);
});

test('an error at the end suppresses the one before it', async () => {
  assert.deepEqual(await log('using a = r("a", true); using b = r("b", true); throw new Error("x");'), [
    'b',
    'a',
    '! SuppressedError end of a An error was suppressed during disposal.',
  ]);
  assert.deepEqual(await log('using a = r("a", true); log("in");'), ['in', 'a', '! Error end of a']);
});

test('what has no dispose method is refused', async () => {
  assert.deepEqual(await log('using a = r("a"); using b = {};'), [
    'a',
    '! TypeError the resource has no [Symbol.dispose]() method',
  ]);
});

test('functions of a block stay visible from its first statement; generators keep their yields', async () => {
  assert.deepEqual(
    await log(
      'log(late()); using a = r("a"); function late() { return "late"; } const g = (function* () { using b = r("b"); yield 1; yield 2; })(); log([...g].join());',
    ),
    ['late', 'b', '1,2', 'a'],
  );
});

test('a module with resources at its top level keeps its imports, exports and lines', async () => {
  const text = lowerUsing(`#!/usr/bin/env node
import { basename } from 'node:path';
export function early() { return late + 1; }
export const log = [];
using a = { [Symbol.dispose]: () => log.push('a') };
await using b = { [Symbol.asyncDispose]: async () => log.push('b') };
export * from 'node:querystring';
export class K { where() { return new Error('x').stack; } }
const late = basename('/x/1').length;
export { late as other, K as "odd" };
export default async () => late;
log.push('main');
`);
  const m = (await import(file(text).url)) as Record<string, never>;
  assert.deepEqual(m.log, ['main', 'b', 'a']);
  assert.equal((m.early as unknown as () => number)(), 2);
  assert.equal(m.other, 1);
  assert.equal(m.odd, m.K);
  assert.equal(typeof m.parse, 'function');
  assert.equal(await (m.default as unknown as () => Promise<number>)(), 1);
  assert.match(new (m.K as unknown as new () => { where(): string })().where(), /:8:\d+\)/);
});

test('text without resources is left alone', () => {
  const text = 'const using = 1; export { using };';
  assert.equal(lowerUsing(text), text);
  assert.ok(pathToFileURL('/x'));
});

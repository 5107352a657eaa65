import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureError, CodecError } from '../base/index.ts';
import { describeFunction } from './describe.ts';
import { call, define, file } from './fixture.ts';
import { loadFunction } from './load.ts';

/** The error of a file that defines a task, and where in the file (from 1) it says that is. */
async function refused(text: string): Promise<CaptureError> {
  let refusal: unknown;
  await assert.rejects(define(text), (error) => {
    refusal = error;
    return true;
  });
  assert.ok(refusal instanceof CaptureError, String(refusal));
  return refusal;
}

describe('a captured value', () => {
  test('is that of the moment of the definition', async () => {
    const m = await define(`
      const config = { k: 2, list: [1] };
      export const t = ((c) => task((x) => x * c.k + c.list.length, { captures: { c } }))(config);
      config.k = 100;
      config.list.push(2);`);
    assert.equal(await call(m.t, 10), 21);
  });

  test('keeps what it shares with another one, and cycles', async () => {
    const m = await define(`
      const make = (shared) => {
        const a = { shared };
        const b = { shared, a, map: new Map([[1, a]]), at: new Date(5), data: Float64Array.of(1, 2) };
        a.b = b;
        return task(() => [a.shared === b.shared, a.b === b, b.map.get(1) === a, b.at.getTime(), b.data[1]],
          { captures: { a, b } });
      };
      export const t = make({});`);
    assert.deepEqual(await call(m.t), [true, true, true, 5, 2]);
  });

  test('is made by what the function imports, which registers its class', async () => {
    const registry = Symbol.for('sheaf.codecs');
    // As a worker that has not loaded the module yet.
    const money = file(`
      export class Money { constructor(cents) { this.cents = cents; } }
      const { byPrototype, byId } = globalThis[Symbol.for('sheaf.codecs')];
      const codec = { id: 'captures.Money', encode: (m) => m.cents, decode: (c) => new Money(c) };
      byPrototype.set(Money.prototype, codec);
      byId.set(codec.id, { codec, prototype: Money.prototype });`);
    const m = await define(`
      import { Money } from '${money.url}';
      export const t = ((price) => task((x) => [price instanceof Money, price.cents + new Money(x).cents],
        { captures: { price } }))(new Money(5));`);
    const { byId } = (globalThis as unknown as Record<symbol, { byId: Map<string, unknown> }>)[registry] as {
      byId: Map<string, unknown>;
    };
    const known = byId.get('captures.Money');
    byId.delete('captures.Money');
    await assert.rejects(call(m.t, 3), (error) => error instanceof CodecError && /captures\.Money/.test(error.message));
    byId.set('captures.Money', known);
    assert.deepEqual(await call(m.t, 3), [true, 8]);
  });

  test('that cannot travel is named with its path, where the function uses it', async () => {
    const error = await refused(`
      const make = (log, config) => {
        return task((x) => x > 0 ? config.level : 0, { captures: { log, config } });
      };
      make(1, { level: 1, hooks: [{ done() {} }] });`);
    assert.match(
      error.message,
      /^The task "anonymous" uses "config" at \S+\.mjs:3:36, a captured value that can't travel \(config\.hooks\[0\]\.done: function done can't be sent as a value; make it a task, or pass plain data\)\. Capture data, and make the rest inside of the function or in a module that it imports\.$/,
    );
    const { file: where, ...details } = error.details as Record<string, unknown>;
    assert.match(String(where), /\.mjs$/);
    assert.deepEqual(details, {
      name: 'config',
      reason: 'value',
      line: 3,
      column: 36,
      path: 'config.hooks[0].done',
    });
    assert.ok(error.cause instanceof CodecError);
  });

  test('that is a function belongs to the top level', async () => {
    const error = await refused('((f) => task((x) => f(x), { captures: { f } }))((x) => x + 1);');
    assert.match(
      error.message,
      /uses "f" at \S+, a captured value that can't travel \(f: function can't be sent.*\)\. Move it to the top level of the file/,
    );
    const cls = await refused('((C) => task(() => new C(), { captures: { C } }))(class Local {});');
    assert.match(cls.message, /\(C: class Local can't be sent.*\)\. Move it to the top level/);
  });

  test('that is a reference, or has one in it, is to be an argument', async () => {
    const direct = await refused(
      '((r) => task(() => r, { captures: { r } }))({ isTestReference: true, cannot: () => 1, __proto__: class {}.prototype });',
    );
    assert.match(
      direct.message,
      /^The task "anonymous" uses "r" at \S+\.mjs:1:\d+, a captured Ref: a Ref belongs to a session and to those who hold it, .*\. Pass it as an argument, which moves no data\.$/,
    );
    const nested = await refused(
      '((c) => task(() => c.model, { captures: { c } }))({ model: [{ isTestReference: true, __proto__: class {}.prototype }] });',
    );
    assert.match(nested.message, /uses "c" at \S+, a captured value with a Ref in it \(c\.model\[0\]\): a Ref belongs/);
    assert.deepEqual([nested.details?.reason, nested.details?.path], ['value', 'c.model[0]']);
  });

  test('is checked although the function does not use it, and for classes', async () => {
    const unused = await refused('const f = () => 1; f.x = 1; ((g) => task(() => 1, { captures: { g } }))(f);');
    assert.match(unused.message, /uses "g" at \S+\.mjs:1:/);
    const cls = await refused('((g) => actor(class C { run() { return g; } }, { captures: { g } }))(Symbol("s"));');
    assert.match(cls.message, /^The class "C" uses "g" at \S+, a captured value that can't travel \(g: Symbol\(s\)/);
  });

  test('without a source file is placed at the definition', () => {
    const fn = new Function('k', 'return (x) => x + k;')(1) as (x: number) => number;
    const site = { url: 'file:///nowhere/gone.mjs', line: 7, column: 3, callers: [], mapped: () => undefined };
    assert.throws(
      () => describeFunction(fn, { captures: { k: () => 1 }, callSite: site, what: 'task' }),
      (error) =>
        error instanceof CaptureError && /uses "k" at \/nowhere\/gone\.mjs:7:3, a captured value/.test(error.message),
    );
    assert.throws(
      () => describeFunction(fn, { captures: { k: () => 1 }, what: 'task' }),
      (error) => error instanceof CaptureError && /uses "k", a captured value/.test(error.message),
    );
  });

  test('makes its definition one of its own, though it is as another one’s', async () => {
    const m = await define(
      'const make = (k) => task(() => k.n++, { captures: { k } }); export const a = make({ n: 1 }), b = make({ n: 1 });',
    );
    assert.notEqual(m.a?.spec.digest, m.b?.spec.digest);
    const [a, b] = [await loadFunction(m.a!.spec), await loadFunction(m.b!.spec)];
    assert.deepEqual([a(), a(), b()], [1, 2, 1], 'values of one load are the same for all of its calls');
  });
});

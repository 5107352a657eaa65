import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureError } from '../base/index.ts';
import { call, define, file } from './fixture.ts';
import { loadFunction } from './load.ts';

async function refused(text: string, message: RegExp, name?: string): Promise<void> {
  await assert.rejects(define(text, name), (error) => {
    assert.ok(error instanceof CaptureError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

describe('what a function takes along', () => {
  test('the functions and classes of its file that it reaches', async () => {
    const m = await define(`
      class Base { get one() { return 1; } }
      class Sum extends Base { #n = 0; add(k) { this.#n += k; return this.#n + this.one; } }
      const half = (x) => x / 2;
      function deep(x) { return x > 100 ? x : deep(half(x) + 200); }
      export const t = task((x) => new Sum().add(deep(x)));`);
    assert.equal(await call(m.t, 10), 206);
  });

  test('constants whose initialisers only compute', async () => {
    const m = await define(`
      const a = 1, b = [a, { c: a + 1 }], e = /x/g, f = new Map([[a, 'm']]), g = new Set('aab'), h = new Float64Array([1, 2]);
      const i = Math.max(a, 5), j = Symbol.for('j'), k = Object.freeze({ a }), l = \`t\${a}\`, [m, { c }] = b, n = -(a ** 2) || 3;
      const o = Array.from({ length: 3 }, (_, i) => i * 2), p = 'a,b'.split(',').map((x) => x + x), q = JSON.parse('[1]');
      const r = typeof a === 'number' ? 1n : null, s = Object.fromEntries([['z', 1]]), u = Number.MAX_SAFE_INTEGER;
      const fill = (n) => { const out = []; for (let i = 0; i < n; i++) out.push(i); return out; };
      const v = fill(3), w = new (class { x = 1 })().x;
      export const t = task(() => [a, b[1].c, e.source, f.get(1), g.size, h[1], i, j === Symbol.for('j'), k.a, l, m, c, n,
        o, p, q, r, s.z, u > 1, v]);`);
    assert.deepEqual(await call(m.t), [
      1,
      2,
      'x',
      'm',
      2,
      2,
      5,
      true,
      1,
      't1',
      1,
      2,
      -1,
      [0, 2, 4],
      ['aa', 'bb'],
      [1],
      1n,
      1,
      true,
      [0, 1, 2],
    ]);
  });

  test('variables that are never assigned again', async () => {
    const m = await define('let a = 1; var b = 2; let c; c = 3; export const t = task(() => a + b + c);');
    assert.equal(await call(m.t), 6);
  });

  test('its imports, and only those that it uses', async () => {
    const helper = file(
      'globalThis.helperLoads = (globalThis.helperLoads ?? 0) + 1; export const f = (x) => x + 1; export default 5; export { f as "odd name" };',
    );
    const m = await define(
      `
      import five, { f as plus, "odd name" as odd } from '${helper.url}';
      import * as path from 'node:path';
      import 'node:fs';
      import { nothing } from './not-there-in-the-worker.mjs';
      import data from './data.json' with { type: 'json' };
      export const t = task((p) => [path.basename(p), plus(five), odd(1), data.k]);
      export const u = task(() => 1);
      void nothing;`
        .replace('./not-there-in-the-worker.mjs', file('export const nothing = 1').url)
        .replace('./data.json', file('{"k":7}', 'data.json').url),
    );
    assert.deepEqual(await call(m.t, '/a/b'), ['b', 6, 2, 7]);
    assert.ok(m.t!.spec.source.kind === 'slice' && !m.t!.spec.source.text.includes('nothing'));
    assert.ok(m.u!.spec.source.kind === 'slice' && !m.u!.spec.source.text.includes('import('));
  });

  test('the definitions of other tasks', async () => {
    const m = await define(`
      const square = task((x) => x * x);
      const fact = task((n) => (n <= 1 ? 1 : n * fact(n - 1)));
      const later = square.with({ name: 'later' });
      export const t = task((x) => square(x) + fact(3) + later(1));
      export const f = fact;`);
    assert.equal(await call(m.t, 2), 11);
    assert.equal(await call(m.f, 4), 24);
  });

  test('import.meta of its own file', async () => {
    const m = await define(
      `export const t = task(() => [import.meta.url, import.meta.filename, import.meta.resolve('./x.js')]);`,
    );
    const url = String(new URL(`file://${m.path}`));
    assert.deepEqual(await call(m.t), [url, m.path, new URL('./x.js', url).href]);
  });

  test('nothing of the main part, which never runs again', async () => {
    const m = await define(`
      globalThis.mainRuns = (globalThis.mainRuns ?? 0) + 1;
      export const t = task(() => 1); setTimeout(() => {}, 0);`);
    await call(m.t);
    assert.equal((globalThis as { mainRuns?: number }).mainRuns, 1);
  });

  test('static fields and namespaces that are filled by plain statements', async () => {
    const m = await define(`
      const list = [1]; list.push(2); list[3] = 4;
      class A { static n = 1; } A.k = 2; A.prototype.p = 3;
      function f() { return f.extra; } f.extra = 4;
      var Colour; (function (Colour) { Colour[(Colour['Red'] = 0)] = 'Red'; })(Colour || (Colour = {}));
      var Size = ((Size2) => { Size2['S'] = 's'; return Size2; })(Size || {});
      export const t = task(() => [A.n, A.k, new A().p, f(), Colour.Red, Size.S, list.length]);`);
    assert.deepEqual(await call(m.t), [1, 2, 3, 4, 0, 's', 4]);
  });

  test('captured values, under the name that it uses', async () => {
    const m = await define(`
      function make(k) { return task((x) => x * k, { captures: { k } }); }
      const now = Date.now() * 0 + 5;
      const helper = () => now;
      export const t = make(3); export const u = make(4);
      export const v = task(() => now + helper(), { captures: { now } });
      export const w = ((r) => task((x) => x + r, { captures: { k: r } }))(9);`);
    assert.equal(await call(m.t, 2), 6);
    assert.equal(await call(m.u, 2), 8);
    assert.equal(await call(m.v), 10);
    assert.equal(await call(m.w, 1), 10);
    assert.notEqual(m.t!.spec.digest, m.u!.spec.digest);
  });

  test('a memo of its own, fresh in each process', async () => {
    const m = await define(
      'const memo = new Map(); export const t = task((x) => { memo.set(x, 1); return memo.size; });',
    );
    await call(m.t, 1);
    assert.equal(await call(m.t, 2), 1);
  });

  test('methods, classes, default exports and builtins', async () => {
    const m = await define(`
      const k = 2;
      const o = { m(x) { return x * k; }, async a() { return k; }, ['c' + k]: (x) => x };
      class C { static s(x) { return x + k; } }
      export const t = task(o.m), a = task(o.a), s = task(C.s), c = task(o.c2), b = task(Math.hypot), p = task(parseInt);
      export default task(function () { return k; });
      export const cls = actor(class Counter { n = k; up() { return ++this.n; } });`);
    assert.equal(await call(m.t, 3), 6);
    assert.equal(await call(m.a), 2);
    assert.equal(await call(m.s, 1), 3);
    assert.equal(await call(m.c, 1), 1);
    assert.equal(await call(m.b, 3, 4), 5);
    assert.equal(await call(m.p, '12px'), 12);
    assert.equal(await call(m.default), 2);
    const Counter = (await loadFunction(m.cls!.spec)) as unknown as new () => { up(): number };
    assert.equal(new Counter().up(), 3);
    assert.equal(Counter.name, 'Counter');
  });

  test('imported functions, by importing them', async () => {
    const helper = file('const k = 3; export const f = (x) => x * k; export default class D { go() { return k; } }');
    const m = await define(`import D, { f } from '${helper.url}'; import * as all from '${helper.url}';
      export const t = task(f), n = task(all.f), d = actor(D);`);
    assert.equal(await call(m.t, 2), 6);
    assert.equal(await call(m.n, 2), 6);
    const D = (await loadFunction(m.d!.spec)) as unknown as new () => { go(): number };
    assert.equal(new D().go(), 3);
  });

  test('functions defined through a helper of another file, found by the frames above', async () => {
    const helper = file(`import { task } from 'sheaf'; export const wrap = (fn) => task(fn);`);
    const m = await define(`import { wrap } from '${helper.url}'; const k = 4; export const t = wrap((x) => x + k);`);
    assert.equal(await call(m.t, 1), 5);
  });

  test('text that is nowhere in a file, when it needs nothing', async () => {
    const m = await define('export const t = task(new Function("x", "return Math.abs(x)"));');
    assert.equal(await call(m.t, -3), 3);
  });

  test('what CommonJS requires', async () => {
    const { path } = file(
      `const { task } = require('sheaf'); const path = require('node:path'); const { basename } = require('node:path');
       exports.k = 5; exports.t = task((p) => [path.extname(p), basename(p), exports.k, basename(__filename), typeof require]);`,
      'common.cjs',
    );
    const { createRequire } = await import('node:module');
    const m = createRequire(import.meta.url)(path) as Record<string, never>;
    assert.deepEqual(await call(m.t, 'x.y'), ['.y', 'x.y', 5, 'common.cjs', 'function']);
  });
});

describe('what a spec says', () => {
  test('the kind of function', async () => {
    const m = await define(`
      export const f = task(() => 1), a = task(async () => 1), g = task(function* () {}), ag = task(async function* () {});`);
    assert.deepEqual(
      [m.f, m.a, m.g, m.ag].map((t) => t!.spec.kind),
      ['function', 'async', 'generator', 'asyncGenerator'],
    );
  });

  test('the name, from the function or from what it is assigned to', async () => {
    const m = await define(
      'export const square = task((x) => x * x), named = task(function fact() {}); export const o = { inner: task(() => 1) };',
    );
    assert.equal(m.square!.spec.name, 'square');
    assert.equal(m.named!.spec.name, 'fact');
    assert.equal((m.o as unknown as { inner: { spec: { name: string } } }).inner.spec.name, 'inner');
  });

  test('a digest that is the same for the same function, and another for another', async () => {
    const m = await define(
      'const f = (x) => x; const g = (x) => x + 1; export const a = task(f), b = task(f), c = task(g);',
    );
    assert.match(m.a!.spec.digest, /^[0-9a-f]{64}$/);
    assert.equal(m.a!.spec.digest, m.b!.spec.digest);
    assert.notEqual(m.a!.spec.digest, m.c!.spec.digest);
  });

  test('whether it can go on after it has returned', async () => {
    const m = await define(`
      import { basename } from 'node:path'; import { readFileSync, readFile } from 'node:fs';
      const wait = () => new Promise(() => {}); const sq = task((x) => x);
      export const a = task((x) => basename(x) + readFileSync.name + sq(1) + current());
      export const b = task((f) => readFile(f, () => {})), c = task(() => wait()), d = task((p) => p.then(() => 1));
      export const e = task(async () => 1), f = task(() => setTimeout(() => {}, 1)), g = task(() => import('node:fs'));`);
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((n) => m[n]!.spec.synchronous),
      [true, false, false, false, false, false, false],
    );
  });

  test('positions: an error names the line and column of the file', async () => {
    const m = await define(`
      // a line
      const fail = (x) => { throw new Error(x); };
      /* and
         more */ export const boom = task(function (x) {
        return fail(x); });`);
    const error = (await call(m.boom, 'e').catch((e: unknown) => e)) as Error;
    const frames = error
      .stack!.split('\n')
      .slice(1, 3)
      .map((l) => l.trim());
    assert.match(frames[0]!, /^at fail \(file:.*:3:35\)$/);
    assert.match(frames[1]!, /^at boom \(file:.*:6:16\)$/);
  });
});

describe('what is refused, by name, place and remedy', () => {
  test('a variable of the function around it', async () => {
    await refused(
      'function make(k) {\n  return task((x) => x * k);\n}\nmake(2);',
      /The task "anonymous" uses "k" at \S+\.mjs:2:26, a parameter of the function around it, which is not there when it runs in a worker\. Pass it as an argument, or list it in \{ captures: \{ k \} \}/,
    );
    await refused(
      '{ const k = 1; const f = task(function f() { return k; }); }',
      /"k" at .*a variable of the function around it/,
    );
    await refused(
      '(() => { function g() {} task(() => g()); })();',
      /"g".*a function of the function around it.*Move it to the top level/,
    );
  });

  test('a constant with an impure initialiser, also through a function', async () => {
    await refused(
      'const t0 = Date.now(); const f = task(() => t0);',
      /The task "f" uses "t0".*initialiser calls `Date\.now` \(line 1\)/,
    );
    await refused(
      'const db = new Promise(() => {}); const h = () => db; const f = task(() => h());',
      /"db" through "h" at .*makes a new `Promise`/,
    );
    await refused('const p = process.env.HOME; const f = task(() => p);', /reads `process\.env`/);
    await refused('const p = await Promise.resolve(1); const f = task(() => p);', /awaits something/);
    await refused('const p = Math.random(); const f = task(() => p);', /Math\.random/);
    await refused('const s = new SharedArrayBuffer(8); const f = task(() => s);', /SharedArrayBuffer/);
    await refused(
      'let n = 0; const next = () => ++n; const id = next(); const f = task(() => id);',
      /"id".*calls `next`/,
    );
    await refused(
      'class A { static id = Date.now(); } const f = task(() => A.id);',
      /"A".*a class that calls `Date\.now` when it is defined/,
    );
  });

  test('a variable that is assigned again', async () => {
    await refused(
      'let n = 0; n = 1; n = 2; const f = task(() => n);',
      /"n".*a variable that the program assigns again in line 1/,
    );
    await refused('let n = 0; const f = task(() => { n++; });', /"n".*assigns to it.*keep the state in an actor/);
    await refused(
      'export let n = 0; const f = task((k) => { n += k; }, { captures: { n } });',
      /"n".*a captured value, and assigns to it/,
    );
  });

  test('a constant that other code changes', async () => {
    await refused(
      'const list = []; list.push(Date.now()); const f = task(() => list);',
      /"list" at .*the program changes it there/,
    );
    await refused('const o = {}; for (const k of "ab") o[k] = 1; const f = task(() => o);', /"o".*changes it there/);
    await refused(
      'const o = new Map(); function reg(k) { o.set(k, 1); } reg(1); const f = task(() => o);',
      /"o".*changes it there/,
    );
  });

  test('this, super and arguments of a surrounding function', async () => {
    await refused('const f = task(() => this);', /uses "this" at .*there is none/);
    await refused('const f = task(function () { return this.x; });', /uses "this" at .*called without one/);
    await refused(
      'class A { m() { return 1; } } class B extends A { m() { return super.m(); } } task(new B().m);',
      /uses "super"/,
    );
    await refused(
      'const o = { m() { return o.k; }, k: 1 }; task(o.m);',
      /uses "its own object" at .*Give a function that calls the method/,
    );
    await refused('(function () { task(() => arguments[0]); })(1);', /uses "arguments".*rest parameter/);
  });

  test('globals of the program and names that are nowhere', async () => {
    (globalThis as { mine?: number }).mine = 1;
    await refused('const f = task(() => mine);', /uses "mine".*a global that the program has made/);
    await refused('const f = task(() => nowhere);', /uses "nowhere".*declared nowhere/);
  });

  test('resources that are open', async () => {
    await refused('const f = () => { const g = task(() => x); const x = f; }; f();', /"x"/);
  });

  test('functions without source', async () => {
    await refused(
      'const f = task(((x) => x).bind(null, 1));',
      /"bound " has no source text|"bound" has no source text|no source text/,
    );
  });

  test('a name that is captured and also means something else', async () => {
    await refused(
      'const k = 1; const h = () => k; (() => { const k = 2; task(() => k + h(), { captures: { k } }); })();',
      /"k".*captured, and is also a name at the top level/,
    );
  });
});

describe('what is allowed although it looks free', () => {
  test('globals, typeof of anything, labels, property names, own parameters', async () => {
    const m = await define(
      `
      export const t = task(({ a: { b = 2 } = {}, ...rest }, ...more) => {
        outer: for (const x of [1]) { for (;;) continue outer; }
        const o = { window: 1, b, method() { return this.window; } };
        class L { static #p = 1; static q = L.#p; x = this; }
        try { throw 1; } catch ({ message = 'm' }) { o.m = message; }
        const arrow = function () { return arguments.length; };
        return [typeof window, typeof window === 'undefined' ? 0 : window.x, o.method(), b, more.length, L.q, o.m, arrow(1, 2), new.target === undefined || 1].length + Object.keys(rest).length;
      });`.replace(', new.target === undefined || 1', ''),
    );
    assert.equal(await call(m.t, { c: 1 }), 9);
  });

  test('this in functions that have one of their own', async () => {
    const m = await define('function P(x) { this.x = x; } export const t = task((x) => new P(x).x);');
    assert.equal(await call(m.t, 3), 3);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureError } from '../base/index.ts';
import type { CallSite } from './callsite.ts';
import { describeFunction } from './describe.ts';
import { file } from './fixture.ts';
import { loadFunction } from './load.ts';

type Fn = (...args: unknown[]) => unknown;

/** A function as a tool leaves it: its text, with `names` in scope. */
function transformed(text: string, names: Record<string, unknown> = {}): Fn {
  return new Function(...Object.keys(names), `return (${text});`)(...Object.values(names)) as Fn;
}

function site(url: string, mapped?: { line: number; column: number }): CallSite {
  return {
    url,
    line: 1,
    column: 1,
    callers: [],
    mapped: () => (mapped === undefined ? undefined : { url, ...mapped }),
  };
}

async function run(fn: Fn, at: CallSite, args: unknown[], captures?: Record<string, unknown>): Promise<unknown> {
  const spec = describeFunction(fn, { callSite: at, captures });
  return (await loadFunction(spec))(...args);
}

describe('a function that a tool has rewritten is found in its file', () => {
  const original = file(`
import { basename, dirname } from 'node:path';
import * as url from 'node:url';
import os from 'node:os';
const k = 2, x_1 = 10, y_1 = 20;
export const a = [(p) => basename(p) + k, (p) => dirname(p) + k, (p) => url.pathToFileURL(p).href, () => typeof os.EOL,
  (x) => { const k = 5; if (x) return k; else return 'no' + \`\${x}\`; }, (x) => x + x_1, (x) => x + y_1];
`).url;
  const cases: readonly [name: string, text: string, args: unknown[], expected: unknown][] = [
    [
      'esbuild',
      '__name((p)=>(0,import_node_path.basename)(p)+k,"a")'.replace(/^__name\(|,"a"\)$/g, ''),
      ['/x/y'],
      'y2',
    ],
    ['another import of the same module', 'p=>import_node_path.dirname(p)+k', ['/x/y'], '/x2'],
    ['vite', '(p) => __vite_ssr_import_0__.basename(p) + k', ['/x/y'], 'y2'],
    ['a namespace under vite', '(p) => __vite_ssr_import_1__.pathToFileURL(p).href', ['/x'], 'file:///x'],
    ['a default import under vite', '() => typeof __vite_ssr_import_2__.default.EOL', [], 'string'],
    ['istanbul', '(p) => { cov_1a().f[0]++; cov_1a().s[3]++; return basename(p) + k; }', ['/x/y'], 'y2'],
    [
      'istanbul in branches',
      '(x) => { cov_1a().f[1]++; const k2 = (cov_1a().s[0]++, 5); cov_1a().s[1]++; if (x) { cov_1a().b[0][0]++; cov_1a().s[2]++; return k2; } else { cov_1a().b[0][1]++; cov_1a().s[4]++; return "no" + `' +
        '$' +
        '{x}`; } }',
      [1],
      5,
    ],
    ["names that look like a tool's", '(x) => (x) + x_1', [1], 11],
  ];
  for (const [name, text, args, expected] of cases) {
    test(name, async () => {
      assert.equal(await run(transformed(text), site(original), args), expected);
    });
  }

  test('of two that read the same, the one at the mapped place, or neither', async () => {
    const twins = file(
      `const a = () => { const k = 1; return task((x) => x + k, { captures: { k } }); };\nconst k = 7;\nconst b = task((x) => x + k);\n`,
    ).url;
    const fn = transformed('(x)=>x+k');
    assert.equal(await run(fn, site(twins, { line: 3, column: 11 }), [1]), 8);
    assert.equal(await run(fn, site(twins, { line: 1, column: 42 }), [1], { k: 5 }), 6);
    assert.throws(() => describeFunction(fn, { callSite: site(twins) }), CaptureError);
  });
});

describe('a function whose text is in no file', () => {
  const other = file(
    "import { basename } from 'node:path'; import * as all from './x/some-helper.mjs'; export const q = 1;",
  ).url;

  test('what tools put there is recognised', async () => {
    const text =
      '(p) => { cov_9z().f[0]++; const f = __name((q) => (cov_9z().s[1]++, import_node_path.basename(q)), "f"); return f(p) + typeof __vite_ssr_import_meta__.url; }';
    assert.equal(await run(transformed(text), site(other), ['/a/b']), 'bstring');
    assert.equal(
      await run(transformed('async (p) => (await __vite_ssr_dynamic_import__("node:path")).basename(p)'), site(other), [
        '/a/c',
      ]),
      'c',
    );
    assert.equal(await run(transformed('(p) => __vite_ssr_import_0__.basename(p)'), site(other), ['/a/d']), 'd');
  });

  test('captured values and globals are there, other names are refused', async () => {
    assert.equal(await run(transformed('(x) => Math.abs(x) + k', { k: 1 }), site(other), [-2], { k: 3 }), 5);
    assert.throws(
      () => describeFunction(transformed('(x) => x + nope', { nope: 1 }), { callSite: site(other) }),
      (e) => e instanceof CaptureError && /uses "nope"/.test(e.message),
    );
    assert.equal(await run(transformed('(x) => x + 1'), site('[eval]'), [1]), 2);
    assert.equal(await run(transformed('(x) => x + 1'), { ...site('x'), url: '' }, [1]), 2);
  });

  test('a value that is no function is refused', () => {
    assert.throws(() => describeFunction(5), /Only a function can run elsewhere; this is a value of type number/);
  });
});

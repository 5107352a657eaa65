import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { join, node, run, workspace } from './support.ts';

function execute(name: string, files: Record<string, string>, main: string): string {
  const directory = workspace(name);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  writeFileSync(
    join(directory, 'start.mjs'),
    `import { installTypeScript } from 'sheaf-probe'; installTypeScript(); installTypeScript();
     try { await import(${JSON.stringify(main)}); } catch (e) { console.log(e.name + ': ' + e.message); }`,
  );
  return run(node, ['start.mjs'], directory);
}

test('TypeScript modules load, with using at their top level and right line numbers', () => {
  const out = execute(
    'typescript',
    {
      'main.ts': `import type { Shape } from './shape.ts';
import { area } from './shape.ts';
import { old } from './compiled.ts';
import { fresh } from './source.js';

interface Log { readonly lines: string[] }
const log: Log = { lines: [] };
await using resource = { async [Symbol.asyncDispose](): Promise<void> { console.log('disposed'); } };
{
  using inner = { [Symbol.dispose]: () => void log.lines.push('inner') };
}
const shape: Shape = { width: 2, height: 3 };
console.log(area(shape), old, fresh, log.lines.join(), typeof resource);
console.log(new Error('here').stack!.split('\\n')[1]!.replace(/.*[/]/, ''));
`,
      'shape.ts':
        'export interface Shape { width: number; height: number }\nexport const area = (s: Shape): number => s.width * s.height;\n',
      'compiled.js': "export const old = 'js';",
      'source.ts': "export const fresh: string = 'ts';",
    },
    './main.ts',
  );
  assert.equal(out, '6 js ts inner object\nmain.ts:14:13\ndisposed\n');
});

test('TypeScript of a CommonJS package loads, whichever way it is written', () => {
  const out = execute(
    'typescript-cjs',
    {
      'main.cts':
        "const path: typeof import('node:path') = require('node:path');\nconsole.log(path.basename('/a/b'));\n",
    },
    './main.cts',
  );
  assert.equal(out, 'b\n');
});

test('what more than types would explain is refused with its place', () => {
  const out = execute(
    'typescript-enum',
    { 'main.ts': 'const a: number = 1;\nenum Colour { red }\nconsole.log(a, Colour.red);\n' },
    './main.ts',
  );
  assert.match(out, /UsageError: .*main\.ts:2:1 has an enum, which is more than a type/);
});

test('a missing module stays the error that names it', () => {
  const out = execute('typescript-missing', { 'main.ts': "import './nowhere.ts';" }, './main.ts');
  assert.match(out, /Cannot find module .*nowhere\.ts/);
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { violations } from './imports.mjs';

const table = {
  base: [],
  nd: [],
  codec: ['nd'],
  memory: [],
  protocol: ['nd'],
  runtime: ['codec', 'memory'],
  cli: ['*'],
};

describe('the import table', () => {
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'imports-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The violations among these files, given as path to text. */
  function check(files) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return violations(folder, table);
  }
  const door = { 'base/index.ts': 'export const b = 1;', 'nd/index.ts': 'export type D = 1; export const d = 1;' };

  it('accepts a room that imports its row, what its row imports, and base', () => {
    const found = check({
      ...door,
      'codec/index.ts': `import { d } from '../nd/index.ts'; export const c = d;`,
      'runtime/a.ts': `import '../codec/index.ts'; import type { D } from '../nd/index.ts'; import '../base/index.ts'; import 'node:fs';`,
      'index.ts': `export * from './runtime/a.ts';`,
    });
    assert.deepEqual(found, []);
  });

  const refused = {
    'a room outside of the table': [
      { 'codec/a.ts': `import { m } from '../memory/index.ts';`, 'memory/index.ts': '' },
      /codec may not import memory/,
    ],
    'a type outside of the table': [
      { 'codec/a.ts': `import type { M } from '../memory/index.ts';`, 'memory/index.ts': '' },
      /codec may not import memory/,
    ],
    'a type named in place': [
      { 'codec/a.ts': `export type M = import('../memory/index.ts').M;`, 'memory/index.ts': '' },
      /codec may not import memory/,
    ],
    'a re-export outside of the table': [
      { 'base/index.ts': `export * from '../nd/index.ts';`, 'nd/index.ts': '' },
      /base may not import nd/,
    ],
    'a way in that is not the door': [
      { 'codec/a.ts': `import '../nd/shapes.ts';`, 'nd/shapes.ts': '' },
      /nd\/index\.ts/,
    ],
    'an entry point': [{ 'codec/a.ts': `import '../worker.ts';`, 'worker.ts': '' }, /entry point worker\.ts/],
    'a file that does not exist': [{ 'codec/a.ts': `import './b.ts';` }, /does not exist/],
    'a room that nobody declared': [{ 'attic/a.ts': '' }, /attic is not in/],
    'rooms that import each other': [
      { 'codec/index.ts': `import '../cli/index.ts';`, 'cli/index.ts': `import '../codec/index.ts';` },
      /import each other/,
    ],
    'a module of Node in the protocol': [
      { 'protocol/a.ts': `import { x } from 'node:fs';` },
      /pure and imports node:fs/,
    ],
    'the clock in the protocol': [{ 'protocol/a.ts': 'export const now = () => Date.now();' }, /pure and uses Date/],
    'chance in rules': [{ 'memory/evict.rules.ts': 'export const r = () => Math.random();' }, /uses Math\.random/],
    'a timer in rules': [{ 'memory/evict.rules.ts': 'setTimeout(() => {}, 1);' }, /uses setTimeout/],
    'rules that reach what is not pure by way of others': [
      { 'memory/a.rules.ts': `import './b.rules.ts';`, 'memory/b.rules.ts': `import './c.ts';`, 'memory/c.ts': '' },
      /memory\/a\.rules\.ts -> memory\/b\.rules\.ts -> memory\/c\.ts/,
    ],
  };
  for (const [what, [files, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      const found = check({ ...door, ...files });
      assert.ok(
        found.some((text) => message.test(text)),
        `expected ${message}, found ${JSON.stringify(found)}`,
      );
    });
  }

  it('does not take a property or a word in a comment for the global of that name', () => {
    const found = check({
      'protocol/a.ts': '// Date.now()\nexport const f = (e: { Date: number }) => ({ Date: e.Date });',
    });
    assert.deepEqual(found, []);
  });
});

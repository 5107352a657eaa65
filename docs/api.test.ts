import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

const root = process.env.SHEAF_ROOT ?? resolve('.');

interface Member {
  readonly name: string;
  readonly doc: string;
}

interface Entry extends Member {
  readonly kind: string;
  /** Undefined for what is named, and can't be imported. */
  readonly from: string | undefined;
  readonly members: readonly Member[];
}

interface ApiReference {
  readonly PAGES: readonly string[];
  publicEntries(page: string): Entry[];
  apiReference(page: string, entries: readonly Entry[]): string;
}

// The script asks the compiler, which is installed here and not part of what tests are bundled into.
const path = pathToFileURL(join(root, 'scripts/api-reference.mjs')).href;
const { PAGES, apiReference, publicEntries } = (await import(path)) as ApiReference;
const listed = PAGES.map((page) => [page, publicEntries(page)] as const);
const entries = listed.flatMap(([, each]) => each);

describe('the API reference', () => {
  it('is what the declarations of the package say', () => {
    for (const [page, each] of listed) {
      const text = readFileSync(join(root, page), 'utf8');
      assert.equal(text, apiReference(page, each), `${page} is not current: npm run docs writes it`);
    }
  });

  it('has every name that can be imported at run time', async () => {
    const { name: itself, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      name: string;
      exports: Record<string, { types?: string; default?: string }>;
    };
    const missing: string[] = [];
    for (const [path, { types, default: file }] of Object.entries(exports)) {
      if (types === undefined || file === undefined) continue;
      const door = path.replace('.', itself);
      const shown = new Set(entries.filter(({ from }) => from === door).map(({ name }) => name));
      const names = Object.keys((await import(pathToFileURL(join(root, file)).href)) as object);
      assert.ok(names.length > 0);
      for (const name of names) if (!shown.has(name)) missing.push(`${door}: ${name}`);
    }
    assert.deepEqual(missing, []);
  });

  it('says something about each public name and each of its members', () => {
    const bare = entries.flatMap(({ name, doc, members }) => [
      ...(doc === '' ? [name] : []),
      // Of several signatures of a member the first has the comment.
      ...[...new Set(members.map((each) => each.name))]
        .filter((member) => members.every((each) => each.name !== member || each.doc === ''))
        .map((member) => `${name}.${member}`),
    ]);
    assert.deepEqual(bare, []);
  });
});

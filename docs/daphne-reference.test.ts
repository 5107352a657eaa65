import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { CASES } from '../src/daphne/cases/index.ts';
import { NAMED, page, reference } from './daphne-reference.ts';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const { statements, expressions, builtins } = await reference();
const rows = [...builtins.values()].flat();

/** They end every script, or are there to be refused. */
const NEVER_RIGHT = ['stop', 'openDevice', 'openFileOnTarget', 'receiveFromNumpy', 'saveDaphneLibResult'];

describe('the reference of DaphneDSL', () => {
  it('is what built-ins and cases say', async () => {
    const text = readFileSync(join(root, 'docs/daphne-reference.md'), 'utf8');
    assert.equal(text, await page(), 'docs/daphne-reference.md is not current: npm run docs writes it');
  });

  it('has a row for each built-in, and for nothing else', () => {
    assert.deepEqual(rows.map(({ name }) => name).sort(), NAMED.map(({ name }) => name).sort());
  });

  it('shows a right and a wrong use of each built-in', () => {
    const rightly = rows.filter(({ right }) => right === 0).map(({ name }) => name);
    assert.deepEqual(rightly.sort(), [...NEVER_RIGHT].sort(), 'without a case that prints something');
    const wrongly = rows.filter(({ wrong }) => wrong === 0).map(({ name }) => name);
    assert.deepEqual(wrongly, [], 'without a case that fails there');
  });

  it('shows each statement and each expression', () => {
    const unseen = [...statements, ...expressions].filter(({ right }) => right === 0);
    assert.deepEqual(
      unseen.map(({ name }) => name),
      [],
    );
  });

  it('names cases that are run', () => {
    const files = readdirSync(join(root, 'src/daphne/cases'))
      .filter((name) => /: Cases = \{/.test(readFileSync(join(root, 'src/daphne/cases', name), 'utf8')))
      .map((name) => name.replace(/\.ts$/, ''));
    assert.deepEqual(Object.keys(CASES).sort(), files.sort());
  });
});

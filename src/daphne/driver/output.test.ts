import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { descriptor, Output } from './output.ts';

suite('output', () => {
  test('passes on large pieces, and the rest at the end, in order', () => {
    const pieces: string[] = [];
    const output = new Output((text) => pieces.push(text));
    let expected = '';
    for (let i = 0; i < 50_000; i++) {
      output.write(`${i}\n`);
      expected += `${i}\n`;
    }
    output.flush();
    output.flush();
    assert.equal(pieces.join(''), expected);
    assert.ok(pieces.length < 10, `${pieces.length} pieces`);
  });

  test('descriptors get all of a text, and an error that is none of a reader', () => {
    const folder = mkdtempSync(join(tmpdir(), 'daphne-'));
    const path = join(folder, 'out');
    const fd = openSync(path, 'w');
    const text = 'é'.repeat(100_000);
    descriptor(fd)(text);
    closeSync(fd);
    assert.equal(readFileSync(path, 'utf8'), text);
    const readable = openSync(path, 'r');
    assert.throws(() => descriptor(readable)('x'), /EBADF/);
    closeSync(readable);
    rmSync(folder, { recursive: true });
  });
});

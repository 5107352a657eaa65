import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from './folders.ts';

test('folders are made with those above them, and found if they are there', () => {
  const root = mkdtempSync(join(tmpdir(), 'sheaf-folders-'));
  try {
    const path = join(root, 'a/b/c');
    makeFolders(path, 0o700);
    makeFolders(path, 0o700);
    assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => makeFolders(join(root, 'file/x'), 0o700), { code: 'ENOTDIR' });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('where nothing can be made it fails, and does not try for ever', { skip: !existsSync('/proc/self') }, () => {
  assert.throws(() => makeFolders('/proc/sheaf/below', 0o700), { syscall: 'mkdir' });
});

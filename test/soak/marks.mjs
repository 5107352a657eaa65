// Marks that last when those who made them are gone: empty files.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const marksFolder = () => mkdtempSync(join(tmpdir(), 'sheaf-soak-'));
export const mark = (path) => writeFileSync(path, '');
export const marked = (path) => existsSync(path);
export const removeMarks = (folder) => rmSync(folder, { recursive: true, force: true });

// Proves the import table of scripts/import-table.mjs. Usage: node scripts/check-imports.mjs [folder, src by default]
import { join, resolve } from 'node:path';
import { root } from './bundling.mjs';
import { violations } from './imports.mjs';

const found = violations(resolve(process.argv[2] ?? join(root, 'src')));
for (const text of found) console.error(text);
if (found.length > 0) process.exitCode = 1;

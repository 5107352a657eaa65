#!/usr/bin/env node
// `daphne`, for those who have scripts that call it.
import module from 'node:module';

(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
const { daphne } = await import('./daphne.ts');
await daphne(process.argv.slice(2), 'daphne');

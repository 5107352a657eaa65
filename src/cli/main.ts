#!/usr/bin/env node
import module from 'node:module';

if (process.argv[2] === 'daphne') {
  // Scripts are to start at once: what they need is loaded alone, and compiled once for all runs where Node can keep that.
  (module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
  const { daphne } = await import('./daphne.ts');
  await daphne(process.argv.slice(3), 'sheaf daphne');
} else await import('./commands.ts');

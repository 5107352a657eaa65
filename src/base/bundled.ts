import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UsageError } from './errors.ts';

/**
 * The error for a package whose files do not lie beside the running code: a bundler has put that code into the program.
 * `url`: where the running code is; undefined in a bundle in CommonJS, which does not know.
 */
export function bundledError(url: string | undefined): UsageError {
  return new UsageError(
    `sheaf was bundled into ${url ?? 'the program'}, but its workers need it as a package: leave it out of the bundle, and ` +
      'install it where the bundle runs. esbuild: --external:sheaf; rollup: external: ["sheaf"]; ' +
      'webpack: externals: { sheaf: "commonjs sheaf" }',
    { code: 'ERR_SHEAF_BUNDLED' },
  );
}

/** Whether the file at `path` is one of this package as it was installed, and not a bundle that has swallowed it. */
export function isInstalled(path: string): boolean {
  try {
    return JSON.parse(readFileSync(join(dirname(path), '../package.json'), 'utf8')).name === 'sheaf';
  } catch {
    return false;
  }
}

/** `require` for what this package depends on; `url` is the `import.meta.url` of the caller, which not every bundle has. */
export function packageRequire(url: string | undefined): NodeJS.Require {
  if (url === undefined) throw bundledError(url);
  return createRequire(url);
}

import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileOf, isTypeScript } from './strip.ts';
import { alternatives, sourceForEngine } from './typescript-source.ts';

interface Resolved {
  url: string;
  format?: string | null | undefined;
  shortCircuit?: boolean;
}
interface ResolveContext {
  parentURL?: string | undefined;
}
interface Loaded {
  format: string;
  source?: string;
  shortCircuit?: boolean;
}
type RegisterHooks = (hooks: {
  resolve(specifier: string, context: ResolveContext, next: (s: string, c?: ResolveContext) => Resolved): Resolved;
  load(url: string, context: object, next: (u: string, c?: object) => Loaded): Loaded;
}) => unknown;

let installed = false;

/**
 * Makes `import()` read TypeScript files, here and in what they import: types are stripped in place, so that positions
 * stay; `using` is lowered where the engine lacks it; `./x.js` finds `x.ts` where only that exists, and the other way
 * round. Does nothing the second time. Under a tool that reads TypeScript already (tsx, vitest) files are its own.
 */
export function installTypeScript(): void {
  if (installed) return;
  installed = true;
  const { registerHooks } = nodeModule as { registerHooks?: RegisterHooks };
  if (registerHooks !== undefined) {
    registerHooks({
      resolve(specifier, context, next) {
        try {
          return next(specifier, context);
        } catch (error) {
          for (const other of alternatives(specifier, context.parentURL, existsSync)) {
            try {
              return next(other, context);
            } catch {
              // The first error is the one about what the program wrote.
            }
          }
          throw error;
        }
      },
      load(url, context, next) {
        if (!url.startsWith('file:') || !isTypeScript(url.replace(/[?#].*$/, ''))) return next(url, context);
        return {
          ...sourceForEngine(url, readFileSync(fileOf(url.replace(/[?#].*$/, '')), 'utf8')),
          shortCircuit: true,
        };
      },
    });
    return;
  }
  nodeModule.register(hooksUrl());
}

/** The hooks run in a thread of their own on engines without synchronous ones: they are a file beside this one. */
function hooksUrl(): string {
  for (const name of ['./typescript-hooks.js', '../typescript-hooks.js', './typescript-hooks.mjs']) {
    const url = new URL(name, import.meta.url);
    if (existsSync(url)) return url.href;
  }
  return new URL('./typescript-hooks.js', import.meta.url).href;
}

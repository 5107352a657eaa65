import { existsSync, readFileSync } from 'node:fs';
import { fileOf, isTypeScript } from './strip.ts';
import { alternatives, sourceForEngine } from './typescript-source.ts';

/** The entry of the hooks thread: see `installTypeScript`. */

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

export async function resolve(
  specifier: string,
  context: ResolveContext,
  next: (s: string, c?: ResolveContext) => Promise<Resolved>,
): Promise<Resolved> {
  try {
    return await next(specifier, context);
  } catch (error) {
    for (const other of alternatives(specifier, context.parentURL, existsSync)) {
      try {
        return await next(other, context);
      } catch {
        // The first error is the one about what the program wrote.
      }
    }
    throw error;
  }
}

export async function load(
  url: string,
  context: object,
  next: (u: string, c?: object) => Promise<Loaded>,
): Promise<Loaded> {
  const plain = url.replace(/[?#].*$/, '');
  if (!url.startsWith('file:') || !isTypeScript(plain)) return next(url, context);
  return { ...sourceForEngine(url, readFileSync(fileOf(plain), 'utf8')), shortCircuit: true };
}

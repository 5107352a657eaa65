import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, Script, type ScriptOptions } from 'node:vm';
import { InternalError, UsageError } from '../base/index.ts';
import { undisturbed } from '../native/index.ts';
import { type Captures, decodeCaptures } from './captures.ts';
import { widened } from './slice-text.ts';
import { mapStacks } from './source-maps.ts';
import type { FunctionSpec, SliceSource } from './spec.ts';
import { fileOf, isTypeScript } from './strip.ts';
import { installTypeScript } from './typescript.ts';
import { engineHasUsing, lowerUsing } from './using.ts';

type AnyFunction = (...args: unknown[]) => unknown;
/** What a slice is given besides what it imports, and takes after it has imported that. */
interface Surroundings {
  readonly captures: Captures;
  readonly meta: unknown;
  readonly require: unknown;
  readonly __filename: string;
  readonly __dirname: string;
}

/** Makes the function that a spec describes, in this process. Not cached: the caller keys by `spec.digest`. */
export async function loadFunction(spec: FunctionSpec): Promise<AnyFunction> {
  if (spec.source.kind === 'module') {
    const value = await loadModuleExport(spec.source.url, spec.source.exportName);
    if (typeof value !== 'function') {
      throw new UsageError(`"${spec.source.exportName}" of ${fileOf(spec.source.url)} is not a function`);
    }
    return value as AnyFunction;
  }
  const fn = await runSlice(spec.source, spec.captures);
  if (typeof fn !== 'function')
    throw new InternalError(`the slice of "${spec.name}" is not a function but ${typeof fn}`);
  // Stacks print the name; a slice assigns its function to a variable of another one.
  if (fn.name !== spec.name && Object.getOwnPropertyDescriptor(fn, 'name')?.configurable) {
    Object.defineProperty(fn, 'name', { value: spec.name, configurable: true });
  }
  return fn as AnyFunction;
}

async function runSlice(source: SliceSource, captures: Uint8Array | undefined): Promise<unknown> {
  if (isTypeScript(source.url)) installTypeScript();
  if (source.mapped) mapStacks(source.url);
  const whole = source.gaps === undefined ? source.text : widened(source.text, source.gaps);
  const text = source.using && !engineHasUsing ? lowerUsing(whole) : whole;
  await importsAllowed();
  const factory = scriptOf(text, {
    filename: source.url,
    lineOffset: source.lineOffset,
  }).runInThisContext() as (around: Surroundings) => Promise<unknown>;
  return await factory(surroundings(source.url, captures));
}

/** A thread that is ended while Node 20 compiles a script takes the process down. */
const scriptOf = (text: string, options: ScriptOptions = {}): Script =>
  undisturbed(
    () => new Script(text, { ...options, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }),
  );

let warned: Promise<unknown> | undefined;

/**
 * Node warns once, at the first import out of a script, that this is experimental. That was our choice and not the
 * program's, so the first import is one of our own, and the warning is dropped.
 */
function importsAllowed(): Promise<unknown> {
  warned ??= (async () => {
    const { emitWarning } = process;
    const filtered = (...args: unknown[]): void => {
      if (!String(args[0]).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) Reflect.apply(emitWarning, process, args);
    };
    process.emitWarning = filtered as typeof emitWarning;
    try {
      await scriptOf('import("node:module")').runInThisContext();
    } finally {
      if (process.emitWarning === filtered) process.emitWarning = emitWarning;
    }
  })();
  return warned;
}

function surroundings(url: string, encoded: Uint8Array | undefined): Surroundings {
  const file = fileOf(url);
  let require: unknown;
  let values: Captures | undefined;
  const captures = (): Captures => {
    values ??= encoded === undefined ? {} : decodeCaptures(encoded);
    return values;
  };
  if (!url.startsWith('file:')) {
    return {
      get captures() {
        return captures();
      },
      meta: { url },
      require,
      __filename: url,
      __dirname: '.',
    };
  }
  return {
    get captures() {
      return captures();
    },
    get meta() {
      return {
        url,
        filename: file,
        dirname: dirname(file),
        resolve: (specifier: string) => resolveFrom(url, specifier),
      };
    },
    get require() {
      require ??= createRequire(url);
      return require;
    },
    __filename: file,
    __dirname: dirname(file),
  };
}

/** `import.meta.resolve` of a file that was not imported here. */
function resolveFrom(url: string, specifier: string): string {
  if (/^(?:\.{1,2}\/|\/)/.test(specifier)) return new URL(specifier, url).href;
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) return specifier;
  const path = createRequire(url).resolve(specifier);
  return path.startsWith('/') || /^[A-Za-z]:/.test(path) ? pathToFileURL(path).href : `node:${path}`;
}

/** The value that a module exports under a name; the module is imported as usual, once per process. */
async function loadModuleExport(url: string, name: string): Promise<unknown> {
  if (isTypeScript(url)) installTypeScript();
  const module = (await import(url)) as Record<string, unknown>;
  if (name in module) return module[name];
  throw new UsageError(
    `${fileOf(url)} has no export "${name}"; it has ${Object.keys(module).sort().join(', ') || 'none'}`,
  );
}

import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { packageRequire, UsageError } from '../base/index.ts';

interface Stripper {
  transformSync(source: string, options: Record<string, unknown>): { code: string };
}
interface StripFailure {
  readonly code: string;
  readonly message: string;
  readonly startLine?: number;
  readonly startColumn?: number;
}

const require = packageRequire(import.meta.url);
let swc: Stripper | undefined;

function stripper(): Stripper {
  swc ??= require('@swc/wasm-typescript') as Stripper;
  return swc;
}

const native = (nodeModule as { stripTypeScriptTypes?: (source: string) => string }).stripTypeScriptTypes;

/** Node's own stripper says at its first use that it is experimental; the program did not ask for it, we did. */
function quietly<T>(run: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return run();
  } finally {
    process.emitWarning = emitWarning;
  }
}

const constructs: readonly [RegExp, string, string][] = [
  [/parameter property/, 'a parameter property', 'Declare the field and assign it in the constructor'],
  [/enum/, 'an enum', 'Use a constant object: `const Colour = { red: 0, blue: 1 } as const`'],
  [/namespace|module.* keyword/, 'a namespace with values', 'Use a module of its own, or a constant object'],
  [/import equals/, '`import x = require(...)`', "Write `import x from '...'`"],
  [/export assignment|export =/, '`export = ...`', 'Write `export default ...`'],
  [/angle-bracket/, 'a type assertion in angle brackets', 'Write `value as Type`'],
];

export function fileOf(url: string): string {
  if (!url.startsWith('file:')) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/**
 * Takes the types out of TypeScript by overwriting them with spaces: every token keeps its line and column.
 * Throws a UsageError that names the construct and its place where types alone do not explain the syntax.
 */
export function stripTypes(source: string, url: string): string {
  if (native !== undefined) {
    try {
      return quietly(() => native(source));
    } catch {
      // Its errors have no positions: let the other one explain.
    }
  }
  try {
    return stripper().transformSync(source, {
      mode: 'strip-only',
      module: true,
      filename: fileOf(url),
      deprecatedTsModuleAsError: true,
    }).code;
  } catch (error) {
    throw explain(error, url);
  }
}

/**
 * The JavaScript of a file that only a compiler can run (enums and the like), for reading what it declares. Positions are
 * not kept.
 */
export function compileTypes(source: string, url: string): string {
  return stripper().transformSync(source, {
    mode: 'transform',
    module: true,
    filename: fileOf(url),
    sourceMap: false,
    transform: { verbatimModuleSyntax: false, nativeClassProperties: true },
  }).code;
}

function explain(error: unknown, url: string): UsageError {
  const failure = error as StripFailure;
  const where = `${fileOf(url)}:${failure.startLine ?? 1}:${(failure.startColumn ?? 0) + 1}`;
  const known = constructs.find(([pattern]) => pattern.test(failure.message));
  if (failure.code === 'UnsupportedSyntax') {
    return new UsageError(
      known === undefined
        ? `${where} can't be run by taking its types out: ${failure.message}`
        : `${where} has ${known[1]}, which is more than a type: code is generated for it, and taking the types out is not enough. ` +
            `${known[2]}, or compile the file first (tsc, esbuild) and run the output. ` +
            'TypeScript finds all such places with the option `erasableSyntaxOnly`.',
      { cause: error },
    );
  }
  return new UsageError(`${where} can't be read as TypeScript: ${failure.message}`, { cause: error });
}

export function isTypeScript(url: string): boolean {
  return /\.[mc]?ts$/.test(url);
}

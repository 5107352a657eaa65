import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseProgram } from './parse.ts';
import { hasModuleSyntax, refuseBeyondEngine, SourceModule } from './source.ts';
import { fileOf, stripTypes } from './strip.ts';
import { engineHasUsing, lowerUsing } from './using.ts';

/** A TypeScript file as this engine can run it. Throws a UsageError where taking the types out is not enough. */
export function sourceForEngine(url: string, text: string): { format: 'module' | 'commonjs'; source: string } {
  const plain = url.replace(/[?#].*$/, '');
  const stripped = stripTypes(text, plain);
  // Node would say no more than that it met an invalid token.
  const module = maybeCompiled.test(stripped) ? readable(plain, stripped) : undefined;
  if (module !== undefined) refuseBeyondEngine(module);
  const format = formatOf(plain);
  return {
    format: format === 'commonjs' && isWrittenAsModule(stripped) ? 'module' : format,
    source: engineHasUsing ? stripped : lowerUsing(stripped),
  };
}

/** A decorator at the beginning of a line, or an `accessor` field: most files have neither, and need not be parsed. */
const maybeCompiled = /^[ \t]*@[\w$(]|\baccessor[ \t]+[\w#$['"]/m;

function readable(url: string, text: string): SourceModule | undefined {
  try {
    return new SourceModule(url, text);
  } catch {
    // What is wrong with it the engine says best.
    return undefined;
  }
}

/** Under a package of CommonJS, TypeScript is still mostly written with import and export. */
function isWrittenAsModule(source: string): boolean {
  if (!/^\s*(?:import|export)\b/m.test(source)) return false;
  try {
    return hasModuleSyntax(parseProgram(source).program);
  } catch {
    return false;
  }
}

function formatOf(url: string): 'module' | 'commonjs' {
  if (url.endsWith('.mts')) return 'module';
  if (url.endsWith('.cts')) return 'commonjs';
  return packageType(dirname(fileOf(url)));
}

const types = new Map<string, 'module' | 'commonjs'>();

/** The nearest package.json decides; without one, or without a type, a .ts file counts as a module. */
function packageType(directory: string): 'module' | 'commonjs' {
  const known = types.get(directory);
  if (known !== undefined) return known;
  let type: 'module' | 'commonjs';
  try {
    const text = readFileSync(join(directory, 'package.json'), 'utf8');
    type = (JSON.parse(text) as { type?: unknown }).type === 'commonjs' ? 'commonjs' : 'module';
  } catch {
    const parent = dirname(directory);
    type = parent === directory ? 'module' : packageType(parent);
  }
  types.set(directory, type);
  return type;
}

/** What else a relative specifier that is not there may mean: the source of compiled output, or the reverse. */
export function alternatives(specifier: string, parent: string | undefined, exists: (url: URL) => boolean): string[] {
  if (!/^(?:\.{1,2}\/|\/|file:)/.test(specifier)) return [];
  const match = /^(.*?)(\.([mc]?)(js|ts))?$/.exec(specifier)!;
  const [, stem, extension, flavour, language] = match;
  const found =
    extension === undefined
      ? [`${stem}.ts`, `${stem}.js`, `${stem}/index.ts`, `${stem}/index.js`]
      : [`${stem}.${flavour}${language === 'js' ? 'ts' : 'js'}`];
  return found.filter((s) => {
    try {
      return exists(new URL(s, parent));
    } catch {
      return false;
    }
  });
}

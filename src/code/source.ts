import { readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Program } from 'acorn';
import { UsageError } from '../base/index.ts';
import { beyondEngine } from './decorators.ts';
import { type AnyNode, isClassNode, isFunctionNode, Lines, parseProgram, walk } from './parse.ts';
import { type Analysis, analyse } from './scope.ts';
import { namesMap } from './source-maps.ts';
import { compileTypes, fileOf, isTypeScript, stripTypes } from './strip.ts';

/** One file as text, tree and names; the latter two are made when first asked for. */
export class SourceModule {
  /** File URL. */
  readonly url: string;
  /** JavaScript: the types are spaces. */
  readonly text: string;
  readonly isModule: boolean;
  readonly program: Program;
  readonly lines: Lines;
  #analysis: Analysis | undefined;
  #definitions: AnyNode[] | undefined;
  #parents: Map<AnyNode, AnyNode> | undefined;
  #mapped: boolean | undefined;

  /** It has something that no engine understands, and that a tool has to compile. */
  readonly compiled: boolean;
  /** Tokens stand where the file on disk has them. */
  readonly keepsPositions: boolean;

  /** `firstLine` is where the text begins in the file, for a piece of one. */
  constructor(url: string, text: string, keepsPositions = true, firstLine = 1) {
    this.url = url;
    this.keepsPositions = keepsPositions;
    this.text = text;
    const { program, module, compiled } = parseProgram(text);
    this.program = program;
    this.compiled = compiled;
    this.isModule = module && (hasModuleSyntax(program) || !/\b(?:exports|require)\b/.test(text));
    this.lines = new Lines(text, firstLine);
  }

  get analysis(): Analysis {
    this.#analysis ??= analyse(this.program);
    return this.#analysis;
  }

  /** A tool has written it, and a source map of it. */
  get mapped(): boolean {
    this.#mapped ??= namesMap(this.text);
    return this.#mapped;
  }

  /** Every function, method and class of the file, outermost first. */
  get definitions(): readonly AnyNode[] {
    if (this.#definitions === undefined) {
      const found: AnyNode[] = [];
      walk(this.program, (node) => {
        if (isFunctionNode(node) || isClassNode(node)) found.push(node);
        return undefined;
      });
      this.#definitions = found;
    }
    return this.#definitions;
  }

  parent(node: AnyNode): AnyNode | undefined {
    if (this.#parents === undefined) {
      const parents = new Map<AnyNode, AnyNode>();
      walk(this.program, (n, parent) => {
        if (parent !== undefined) parents.set(n, parent);
        return undefined;
      });
      this.#parents = parents;
    }
    return this.#parents.get(node);
  }

  /** `path:line:column` of an offset. */
  where(offset: number): string {
    const { line, column } = this.lines.at(offset);
    return `${fileOf(this.url)}:${line}:${column}`;
  }
}

export function hasModuleSyntax(program: Program): boolean {
  return program.body.some((s) => /^(?:Import|Export)\w*Declaration$/.test(s.type));
}

/** Refuses a file that a worker, which takes the types out and no more, could not load. */
export function refuseBeyondEngine(module: SourceModule): void {
  if (!module.compiled) return;
  walk(module.program, (node) => {
    const beyond = beyondEngine(node);
    if (beyond === undefined) return undefined;
    throw new UsageError(
      `${module.where(beyond.start)} has ${beyond.name}, which Node does not know, and taking the types out is not enough. ` +
        beyond.advice,
    );
  });
}

interface Cached {
  readonly mtimeMs: number;
  readonly size: number;
  readonly module: SourceModule | undefined;
  /** Why there is no module. */
  readonly problem: string | undefined;
  /** Read with its positions kept. */
  readonly strict: boolean;
}

const cache = new Map<string, Cached>();
const limit = 256;

/** A file URL for what a stack frame names: a URL, a path, with or without a query. */
export function toFileUrl(name: string): string | undefined {
  const plain = name.replace(/[?#].*$/, '');
  if (plain.startsWith('file:')) return plain;
  if (plain.startsWith('/') || /^[A-Za-z]:[\\/]/.test(plain)) return pathToFileURL(plain).href;
  return undefined;
}

/** Without `strict`, what a tool compiled for this process is compiled here too: then the program runs under such a tool. */
function fromTypeScript(text: string, url: string, strict: boolean): SourceModule {
  let stripped: string;
  try {
    stripped = stripTypes(text, url);
  } catch (error) {
    if (strict) throw error;
    return new SourceModule(url, compileTypes(text, url), false);
  }
  return new SourceModule(url, stripped);
}

/**
 * The file as it is on disk now, or undefined when it is not there or is not JavaScript or TypeScript that we can read.
 * `strict`: throws what is wrong with it instead.
 */
export function sourceModule(url: string, strict = false): SourceModule | undefined {
  const path = fileOf(url);
  let stat: { mtimeMs: number; size: number };
  try {
    stat = statSync(path);
  } catch {
    return undefined;
  }
  const known = cache.get(url);
  if (known !== undefined && known.mtimeMs === stat.mtimeMs && known.size === stat.size) {
    if (!strict || (known.module !== undefined && known.strict)) return known.module;
  }
  let module: SourceModule | undefined;
  let problem: string | undefined;
  try {
    const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    module = isTypeScript(path) ? fromTypeScript(text, url, strict) : new SourceModule(url, text);
  } catch (error) {
    if (strict) throw error;
    problem = /\.[jt]sx$/.test(path)
      ? 'JSX has to be compiled'
      : error instanceof Error
        ? error.message
        : String(error);
  }
  if (cache.size >= limit) cache.delete(cache.keys().next().value as string);
  cache.set(url, { mtimeMs: stat.mtimeMs, size: stat.size, module, problem, strict });
  return module;
}

/** Why a file that is there can't be read, if so. */
export function sourceProblem(url: string): string | undefined {
  return sourceModule(url) === undefined ? cache.get(url)?.problem : undefined;
}

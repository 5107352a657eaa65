import type { AnyNode, Options, Program } from 'acorn';
import { packageRequire } from '../base/index.ts';
import { decoratorParser } from './decorators.ts';

export type { AnyNode } from 'acorn';

type FunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;
export type ClassNode = Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>;

type Acorn = typeof import('acorn');

const require = packageRequire(import.meta.url);
let acorn: Acorn | undefined;

/** The parser is loaded with the first definition and not before: a worker that only runs slices never needs it. */
function parser(): Acorn {
  acorn ??= require('acorn') as Acorn;
  return acorn;
}

const base: Options = { ecmaVersion: 'latest', allowHashBang: true };

const asModule: Options = { ...base, sourceType: 'module' };
const asScript: Options = {
  ...base,
  sourceType: 'script',
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: false,
};

/**
 * Parses a file as a module and, where that fails, as a CommonJS script. `compiled`: it has what only compilers understand
 * (see `decorators.ts`).
 */
export function parseProgram(source: string): { program: Program; module: boolean; compiled: boolean } {
  const { parse } = parser();
  try {
    return { program: parse(source, asModule), module: true, compiled: false };
  } catch (error) {
    try {
      return { program: parse(source, asScript), module: false, compiled: false };
    } catch {
      if (!/@|\baccessor\b/.test(source)) throw error;
    }
    extended ??= decoratorParser(parser());
    try {
      return { program: extended.parse(source, asModule), module: true, compiled: true };
    } catch {
      throw error;
    }
  }
}

let extended: Acorn['Parser'] | undefined;

export function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** The direct children in source order (acorn lays out most nodes so; the exceptions do not matter to callers). */
export function children(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) found.push(item);
    } else if (isNode(value)) found.push(value);
  }
  return found;
}

/** Visits a tree in preorder; a visitor that returns false keeps the walk out of that node. */
export function walk(node: AnyNode, visit: (node: AnyNode, parent: AnyNode | undefined) => boolean | undefined): void {
  const step = (n: AnyNode, parent: AnyNode | undefined): void => {
    if (visit(n, parent) === false) return;
    for (const child of children(n)) step(child, n);
  };
  step(node, undefined);
}

export function isFunctionNode(node: AnyNode): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  );
}

export function isClassNode(node: AnyNode): node is ClassNode {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}

/** Line (from 1) and column (from 1) of an offset. */
export class Lines {
  readonly #starts: number[] = [0];
  readonly #first: number;

  /** `first` is the number of the first line. */
  constructor(source: string, first = 1) {
    this.#first = first;
    for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) this.#starts.push(i + 1);
  }

  at(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (this.#starts[mid]! <= offset) low = mid;
      else high = mid - 1;
    }
    return { line: low + this.#first, column: offset - this.#starts[low]! + 1 };
  }

  /** The offset of a position, or undefined when there is no such line. */
  offset(line: number, column: number): number | undefined {
    const start = this.#starts[line - this.#first];
    return start === undefined ? undefined : start + column - 1;
  }
}

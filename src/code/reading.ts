import { CaptureError } from '../base/index.ts';
import type { CallSite } from './callsite.ts';
import { findTarget, parseText } from './find.ts';
import { isCounter, strip } from './fingerprint.ts';
import { type AnyNode, isFunctionNode } from './parse.ts';
import type { Identifier } from './scope.ts';
import type { SourceModule } from './source.ts';
import { fileOf } from './strip.ts';
import { importOf } from './top-level.ts';

export type { AnyNode } from './parse.ts';
export type FunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;

/** Where something stands, lines and columns from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a name stands for that a function takes from outside. */
export type Meaning =
  /** What initialises a constant, or a function. */
  | { readonly kind: 'value'; readonly node: AnyNode }
  /** A name that the program is given from outside. */
  | { readonly kind: 'global' }
  /** A value that was given along, by its name there. */
  | { readonly kind: 'captured'; readonly name: string }
  /** It can't be known; completes the sentence "... uses x, ". */
  | { readonly kind: 'unknown'; readonly because: string };

/** A function as the tree of its source, for those who make something else of it. */
export interface FunctionTree {
  readonly node: FunctionNode;
  readonly name: string;
  place(node: AnyNode): SourcePlace;
  text(node: AnyNode): string;
  meaning(name: Identifier): Meaning;
}

type AnyFunction = (...args: never[]) => unknown;

/** Reads a function: in the file that has it, or its own text. Throws a CaptureError where there is none. */
export function readFunction(
  fn: AnyFunction,
  subject: string,
  site: CallSite | undefined,
  captures: Readonly<Record<string, unknown>>,
): FunctionTree {
  const text = Function.prototype.toString.call(fn);
  const found = findTarget(fn, text, site, captures);
  const own = found === undefined ? undefined : (declared(found.module, found.target) ?? found.target);
  if (found !== undefined && own !== undefined && isFunctionNode(own)) {
    return treeOf(found.module, own, fn.name || found.name || 'anonymous', found.captures);
  }
  const parsed = parseText(text, site?.url, site?.line);
  if (parsed === undefined || !isFunctionNode(parsed.node)) {
    throw new CaptureError(`${subject} has no source text that can be read; give an arrow function`, {
      details: { name: fn.name || 'anonymous', reason: 'native' },
    });
  }
  const keys = new Map(Object.keys(captures).map((key) => [key, key]));
  return treeOf(parsed.module, parsed.node, fn.name || 'anonymous', keys);
}

/** The function that a name in a file stands for. */
function declared(module: SourceModule, target: AnyNode): AnyNode | undefined {
  if (target.type !== 'Identifier') return undefined;
  const declaration = module.analysis.byNode.get(target)?.binding?.declaration;
  if (declaration?.type === 'VariableDeclarator' && declaration.init) return strip(declaration.init);
  return declaration;
}

function treeOf(
  module: SourceModule,
  node: FunctionNode,
  name: string,
  captures: ReadonlyMap<string, string>,
): FunctionTree {
  return {
    node,
    name,
    place: (at) => ({ file: fileOf(module.url), ...module.lines.at(at.start) }),
    text: (at) => module.text.slice(at.start, at.end),
    meaning: (identifier) => meaningOf(module, identifier, captures),
  };
}

function meaningOf(module: SourceModule, identifier: Identifier, captures: ReadonlyMap<string, string>): Meaning {
  const captured = captures.get(identifier.name);
  if (captured !== undefined) return { kind: 'captured', name: captured };
  const binding = module.analysis.byNode.get(identifier)?.binding;
  if (binding === undefined) return { kind: 'global' };
  if (importOf(binding) !== undefined) return { kind: 'unknown', because: 'an import' };
  if (binding.scope !== module.analysis.root) {
    return { kind: 'unknown', because: 'a variable of the function around it' };
  }
  const { declaration } = binding;
  if (isFunctionNode(declaration)) return { kind: 'value', node: declaration };
  if (binding.writes.length > 0 || binding.declarations > 1) {
    return { kind: 'unknown', because: 'a variable that is assigned to' };
  }
  if (declaration.type === 'VariableDeclarator' && declaration.id.type === 'Identifier' && declaration.init) {
    return { kind: 'value', node: declaration.init };
  }
  return { kind: 'unknown', because: 'which is no constant of its file' };
}

/** An expression without what tools put around it. */
export const withoutTools = strip;

/** A statement that a tool has put there, and that does nothing for the function. */
export const isToolStatement = (node: AnyNode): boolean =>
  node.type === 'EmptyStatement' || (node.type === 'ExpressionStatement' && isToolExpression(node.expression));

const isToolExpression = (node: AnyNode): boolean =>
  isCounter(node) ||
  (node.type === 'CallExpression' && node.callee.type === 'Identifier' && /^__name\d*$/.test(node.callee.name));

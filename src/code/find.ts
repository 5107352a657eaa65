import type { CallSite } from './callsite.ts';
import { type FingerprintOptions, fingerprint, strip } from './fingerprint.ts';
import { type AnyNode, isClassNode, isFunctionNode } from './parse.ts';
import { freeReferences } from './scope.ts';
import { isMethod, methodStart } from './slice-text.ts';
import { SourceModule, sourceModule, toFileUrl } from './source.ts';
import type { FunctionKind } from './spec.ts';
import { importOf } from './top-level.ts';

export interface Found {
  readonly module: SourceModule;
  /** A function or class node, or an expression that stands for it. */
  readonly target: AnyNode;
  /** By the variable it is assigned to, for functions without a name of their own. */
  readonly name: string | undefined;
  readonly kind: FunctionKind | undefined;
  /** Name in the file -> key in the captures. */
  readonly captures: ReadonlyMap<string, string>;
}

type Call = Extract<AnyNode, { type: 'CallExpression' | 'NewExpression' }>;
type AnyFunction = (...args: never[]) => unknown;

/** Finds in the files of its call site the function that `fn` is. Undefined when no file has it for certain. */
export function findTarget(
  fn: AnyFunction,
  text: string,
  site: CallSite | undefined,
  captures: Readonly<Record<string, unknown>> | undefined,
): Found | undefined {
  if (site === undefined) return undefined;
  const seen = new Set<string>();
  for (const place of [site, ...site.callers]) {
    const url = toFileUrl(place.url);
    const module = url === undefined || seen.has(url) ? undefined : sourceModule(url);
    if (module === undefined) continue;
    seen.add(module.url);
    const { call, moved } = place === site ? callOf(module, site) : { call: undefined, moved: false };
    const found =
      byCall(module, call, text) ?? byText(module, call, text) ?? (moved ? byPlace(module, call, fn) : undefined);
    if (found !== undefined) return describe(module, found, call, captures);
  }
  return undefined;
}

/**
 * The call in the file as it is on disk. Where a tool loaded something else under the file's name, the tool's source map
 * leads back to it; otherwise what was loaded is what is there.
 */
function callOf(module: SourceModule, site: CallSite): { call: Call | undefined; moved: boolean } {
  if (!module.keepsPositions) return { call: undefined, moved: false };
  const mapped = site.mapped();
  const place = mapped !== undefined && toFileUrl(mapped.url) === module.url ? mapped : site;
  const moved = place.line !== site.line || place.column !== site.column;
  return { call: callAt(module, place.line, place.column), moved };
}

function describe(
  module: SourceModule,
  target: AnyNode,
  call: Call | undefined,
  captures: Readonly<Record<string, unknown>> | undefined,
): Found {
  return {
    module,
    target,
    name: assignedName(module, target) ?? (call === undefined ? undefined : assignedName(module, call)),
    kind: loweredKind(module, target),
    captures: captureNames(call, captures),
  };
}

/** The call whose callee is at a position of the loaded text. */
function callAt(module: SourceModule, line: number, column: number): Call | undefined {
  const offset = module.lines.offset(line, column);
  if (offset === undefined) return undefined;
  let found: Call | undefined;
  const step = (node: AnyNode): void => {
    if (offset < node.start || offset >= node.end) return;
    if ((node.type === 'CallExpression' || node.type === 'NewExpression') && offset <= node.callee.end) found = node;
    for (const value of Object.values(node) as unknown[]) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (typeof child === 'object' && child !== null && typeof (child as AnyNode).type === 'string')
          step(child as AnyNode);
      }
    }
  };
  step(module.program);
  return found;
}

type Match = AnyNode | undefined;

/** The first argument of the call, when it is `fn` beyond doubt. */
function byCall(module: SourceModule, call: Call | undefined, text: string): Match {
  const first = call?.arguments[0];
  if (first === undefined) return undefined;
  const target = strip(first);
  if (isFunctionNode(target) || isClassNode(target)) return isSame(module, target, text) ? target : undefined;
  const named = definitionOf(module, target);
  if (named === 'import') return target;
  if (named !== undefined) return isSame(module, named.node, text) ? (named.topLevel ? target : named.node) : undefined;
  return undefined;
}

/** What a name given to `task` stands for: an import, or a function declared in this file. */
function definitionOf(
  module: SourceModule,
  node: AnyNode,
): 'import' | { node: AnyNode; topLevel: boolean } | undefined {
  if (node.type === 'MemberExpression' && node.object.type === 'Identifier' && !node.computed) {
    const binding = module.analysis.byNode.get(node.object)?.binding;
    return binding !== undefined && importOf(binding) !== undefined && binding.scope === module.analysis.root
      ? 'import'
      : undefined;
  }
  if (node.type !== 'Identifier') return undefined;
  const binding = module.analysis.byNode.get(node)?.binding;
  if (binding === undefined) return undefined;
  const topLevel = binding.scope === module.analysis.root;
  const { declaration } = binding;
  if (topLevel && importOf(binding) !== undefined) return 'import';
  if (isFunctionNode(declaration) || isClassNode(declaration)) return { node: declaration, topLevel };
  if (declaration.type !== 'VariableDeclarator' || !declaration.init) return undefined;
  const init = strip(declaration.init);
  return isFunctionNode(init) || isClassNode(init) ? { node: init, topLevel } : undefined;
}

/** Any function of the file with that text; of several, the one at the call, or any when all mean the same. */
function byText(module: SourceModule, call: Call | undefined, text: string): Match {
  let matches = module.definitions.filter((d) => textOf(module, d) === text);
  if (matches.length === 0) {
    const print = printOf(module, text);
    if (print === undefined) return undefined;
    matches = module.definitions.filter((d) => similar(d, print.node) && fingerprintOf(module, d) === print.text);
  }
  if (matches.length < 2) return matches[0];
  const near = call === undefined ? [] : matches.filter((m) => m.start >= call.start && m.end <= call.end);
  if (near.length === 1) return near[0];
  const [first, ...others] = matches.map((m) => meaning(module, m));
  return others.every((m) => sameMembers(m, first!)) ? matches[0] : undefined;
}

/** What the names mean that a function takes from outside: by that, equal texts are equal functions. */
function meaning(module: SourceModule, node: AnyNode): Set<unknown> {
  return new Set(freeReferences(module.analysis, node).map((r) => r.binding ?? r.node.name));
}

function sameMembers(a: Set<unknown>, b: Set<unknown>): boolean {
  return a.size === b.size && [...a].every((x) => b.has(x));
}

/**
 * The first argument of the call, when a tool has rewritten the function beyond comparison (`using` lowered for an older
 * engine): the place in the original file is then all there is to go by.
 */
function byPlace(module: SourceModule, call: Call | undefined, fn: AnyFunction): Match {
  const first = call?.arguments[0];
  if (first === undefined) return undefined;
  const target = strip(first);
  const literal = isFunctionNode(target) || isClassNode(target);
  const named = literal ? { node: target, topLevel: false } : definitionOf(module, target);
  if (named === undefined || named === 'import') return undefined;
  if (isFunctionNode(named.node) && named.node.params.length < fn.length) return undefined;
  if (isClassNode(named.node) !== /^class\b/.test(Function.prototype.toString.call(fn))) return undefined;
  return named.topLevel ? target : named.node;
}

function textOf(module: SourceModule, node: AnyNode): string {
  const start = isMethod(module, node) ? methodStart(module, module.parent(node)!) : node.start;
  return module.text.slice(start, node.end);
}

function isSame(module: SourceModule, node: AnyNode, text: string): boolean {
  if (textOf(module, node) === text) return true;
  const print = printOf(module, text);
  return print !== undefined && similar(node, print.node) && fingerprintOf(module, node) === print.text;
}

function similar(a: AnyNode, b: AnyNode): boolean {
  if (isClassNode(a)) return isClassNode(b) && a.body.body.length === b.body.body.length;
  return (
    isFunctionNode(a) &&
    isFunctionNode(b) &&
    a.params.length === b.params.length &&
    a.async === b.async &&
    (a.generator ?? false) === (b.generator ?? false)
  );
}

function namesOf(module: SourceModule): FingerprintOptions {
  const imports = new Map<string, string>();
  const declared = new Set<string>();
  for (const binding of module.analysis.root.bindings.values()) {
    const from = importOf(binding);
    if (from === undefined) declared.add(binding.name);
    else imports.set(binding.name, from.name);
  }
  return { imports, declared };
}

const prints = new WeakMap<AnyNode, string>();

function fingerprintOf(module: SourceModule, node: AnyNode): string {
  let known = prints.get(node);
  if (known === undefined) {
    known = fingerprint(node, module.analysis, namesOf(module));
    prints.set(node, known);
  }
  return known;
}

/** The fingerprint of a loaded function's text, seen as part of a file. */
function printOf(module: SourceModule, text: string): { node: AnyNode; text: string } | undefined {
  const parsed = parseText(text);
  if (parsed === undefined) return undefined;
  const { analysis } = parsed.module;
  return { node: parsed.node, text: fingerprint(parsed.node, analysis, namesOf(module)) };
}

/** A function's or method's text as a file of its own. */
export function parseText(
  text: string,
  url = 'text:',
  firstLine = 1,
): { module: SourceModule; node: AnyNode } | undefined {
  for (const [before, after] of [
    ['(', ')'],
    ['({', '})'],
  ] as const) {
    try {
      const module = new SourceModule(url, `${before}${text}${after}`, true, firstLine);
      const node = module.definitions[0];
      if (node !== undefined) return { module, node };
    } catch {
      // A method is not an expression by itself.
    }
  }
  return undefined;
}

/** The variable, property or export that a definition is assigned to. */
function assignedName(module: SourceModule, node: AnyNode): string | undefined {
  if (node.type === 'Identifier') return node.name;
  let at: AnyNode | undefined = module.parent(node);
  for (let i = 0; at !== undefined && i < 4; i++) {
    if (at.type === 'VariableDeclarator') return at.id.type === 'Identifier' ? at.id.name : undefined;
    if (at.type === 'AssignmentExpression') {
      if (at.left.type === 'Identifier') return at.left.name;
      return at.left.type === 'MemberExpression' && at.left.property.type === 'Identifier'
        ? at.left.property.name
        : undefined;
    }
    if (at.type === 'Property') return at.key.type === 'Identifier' ? at.key.name : undefined;
    if (at.type === 'ExportDefaultDeclaration') return 'default';
    if (at.type !== 'CallExpression' && at.type !== 'MemberExpression') return undefined;
    at = module.parent(at);
  }
  return undefined;
}

/** What older targets turn async functions and generators into. */
function loweredKind(module: SourceModule, target: AnyNode): FunctionKind | undefined {
  const definition = target.type === 'Identifier' ? definitionOf(module, target) : { node: target };
  if (definition === undefined || definition === 'import') return undefined;
  return loweredKindOf(definition.node);
}

export function loweredKindOf(node: AnyNode): FunctionKind | undefined {
  if (!isFunctionNode(node)) return undefined;
  const last = node.body.type === 'BlockStatement' ? node.body.body.at(-1) : node.body;
  const value = last?.type === 'ReturnStatement' ? last.argument : last;
  if (value?.type !== 'CallExpression') return undefined;
  const callee = value.callee.type === 'MemberExpression' ? value.callee.property : value.callee;
  if (callee.type !== 'Identifier') return undefined;
  if (/^__asyncGenerator\d*$/.test(callee.name)) return 'asyncGenerator';
  return /^__(?:awaiter|async)\d*$/.test(callee.name) ? 'async' : undefined;
}

/**
 * Under which names of the file the captured values are used. A minifier renames the variable and leaves the key:
 * `{ captures: { k: r } }`.
 */
function captureNames(
  call: Call | undefined,
  captures: Readonly<Record<string, unknown>> | undefined,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  if (captures === undefined) return names;
  for (const key of Object.keys(captures)) names.set(key, key);
  for (const argument of call?.arguments.slice(1) ?? []) {
    if (argument.type !== 'ObjectExpression') continue;
    for (const p of argument.properties) {
      if (p.type !== 'Property' || p.key.type !== 'Identifier' || p.key.name !== 'captures') continue;
      if (p.value.type !== 'ObjectExpression') continue;
      for (const c of p.value.properties) {
        if (c.type !== 'Property' || c.key.type !== 'Identifier' || c.value.type !== 'Identifier') continue;
        const key = c.key.name;
        if (Object.hasOwn(captures, key) && !Object.hasOwn(captures, c.value.name)) names.set(c.value.name, key);
      }
    }
  }
  return names;
}

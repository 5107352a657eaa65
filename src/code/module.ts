import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { shown, UsageError } from '../base/index.ts';
import { loweredKindOf } from './find.ts';
import { strip } from './fingerprint.ts';
import { type AnyNode, isClassNode, isFunctionNode } from './parse.ts';
import { refuseBeyondEngine, type SourceModule, sourceModule, toFileUrl } from './source.ts';
import type { FunctionKind, FunctionSpec } from './spec.ts';
import { fileOf } from './strip.ts';
import { importOf } from './top-level.ts';
import { alternatives } from './typescript-source.ts';

type ExportKind = FunctionKind | 'class' | 'other';

type Exports = Record<string, ExportKind>;

interface ModuleSpec {
  /** File URL of what is there. */
  readonly url: string;
  /**
   * Read from the source, without running it; 'other' is a value whose nature the source does not show. It has no
   * prototype: what is in it is an export.
   */
  readonly exports: Readonly<Record<string, ExportKind>>;
}

/**
 * What a module exports, read from its source. A missing `.ts` is looked for as `.js` (compiled output) and the other
 * way round. Throws a UsageError with code ERR_SHEAF_MODULE_NOT_FOUND when neither exists, and a UsageError with the
 * place when it can't be read.
 */
export function describeModule(url: string | URL): ModuleSpec {
  const given = typeof url === 'string' || url instanceof URL ? String(url) : undefined;
  const wanted = given === undefined ? undefined : toFileUrl(given);
  if (wanted === undefined) {
    throw new UsageError(
      `remote() takes the URL of a file, not ${given === undefined ? shown(url) : `"${given}"`}. Write remote(import.meta.resolve('./module.ts')) or new URL('./module.ts', import.meta.url).`,
    );
  }
  const found = existsSync(new URL(wanted)) ? wanted : alternatives(wanted, undefined, existsSync)[0];
  if (found === undefined) {
    throw new UsageError(
      `There is no module ${fileOf(wanted)}, and no compiled or uncompiled form of it beside it. Relative paths start at the file that calls: remote(import.meta.resolve('./module.ts')).`,
      { code: 'ERR_SHEAF_MODULE_NOT_FOUND', details: { url: wanted } },
    );
  }
  const exports: Exports = Object.create(null);
  collect(found, exports, new Set());
  return { url: found, exports };
}

/** A spec for one exported function of a module: the worker imports the module. */
export function describeExport(module: ModuleSpec, name: string): FunctionSpec {
  const kind = module.exports[name];
  if (kind === undefined) {
    throw new UsageError(
      `${fileOf(module.url)} has no export "${name}"; it has ${Object.keys(module.exports).sort().join(', ') || 'none'}`,
    );
  }
  return {
    digest: createHash('sha256').update(`module\n${module.url}\n${name}`).digest('hex'),
    name,
    kind: kind === 'class' || kind === 'other' ? 'function' : kind,
    synchronous: false,
    source: { kind: 'module', url: module.url, exportName: name },
  };
}

function read(url: string): SourceModule {
  const file = fileOf(url);
  let module: SourceModule | undefined;
  try {
    if (statSync(new URL(url)).isDirectory()) {
      throw new UsageError(`${file} is a folder, and remote() takes a module; give a file of it, such as its index.ts`);
    }
    module = sourceModule(url, true);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const { message } = cause as Error;
    throw new UsageError(
      `${file} can't be read as a module of JavaScript or TypeScript, which is what remote() takes: ${message}`,
      { cause },
    );
  }
  if (module === undefined) throw new UsageError(`${file} can't be read`);
  refuseBeyondEngine(module);
  return module;
}

function collect(url: string, exports: Exports, seen: Set<string>): void {
  if (seen.has(url)) return;
  seen.add(url);
  const module = read(url);
  const add = (name: string, kind: ExportKind) => {
    if (!(name in exports)) exports[name] = kind;
  };
  for (const statement of module.program.body) {
    switch (statement.type) {
      case 'ExportNamedDeclaration':
        if (statement.declaration) {
          for (const [name, kind] of declared(module, statement.declaration)) add(name, kind);
        } else {
          for (const s of statement.specifiers) {
            const local = nameText(s.local);
            add(
              nameText(s.exported),
              statement.source
                ? elsewhere(url, String(statement.source.value), local, seen)
                : kindOfName(module, local, seen),
            );
          }
        }
        break;
      case 'ExportDefaultDeclaration':
        add('default', kindOfNode(module, statement.declaration, seen));
        break;
      case 'ExportAllDeclaration': {
        if (statement.exported) add(nameText(statement.exported), 'other');
        else {
          const target = resolveRelative(url, String(statement.source.value));
          if (target !== undefined) {
            const inner: Exports = Object.create(null);
            collect(target, inner, seen);
            for (const [name, kind] of Object.entries(inner)) if (name !== 'default') add(name, kind);
          }
        }
        break;
      }
      case 'ExpressionStatement':
        if (!module.isModule) commonJs(module, statement, add, seen);
        break;
      default:
    }
  }
}

/** `exports.f = ...`, `module.exports = { f, g }`, `module.exports.f = ...`. */
function commonJs(
  module: SourceModule,
  statement: AnyNode,
  add: (name: string, kind: ExportKind) => void,
  seen: Set<string>,
): void {
  if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') return;
  const { left, right } = statement.expression;
  if (left.type !== 'MemberExpression' || left.property.type !== 'Identifier') return;
  if (right.type === 'UnaryExpression' || right.type === 'AssignmentExpression') return;
  const isModuleExports = (n: AnyNode) =>
    n.type === 'MemberExpression' &&
    n.object.type === 'Identifier' &&
    n.object.name === 'module' &&
    n.property.type === 'Identifier' &&
    n.property.name === 'exports';
  if (isModuleExports(left) && right.type === 'ObjectExpression') {
    for (const p of right.properties) {
      if (p.type === 'Property' && p.key.type === 'Identifier') add(p.key.name, kindOfNode(module, p.value, seen));
    }
  } else if ((left.object.type === 'Identifier' && left.object.name === 'exports') || isModuleExports(left.object)) {
    if (left.property.name !== '__esModule') add(left.property.name, kindOfNode(module, right, seen));
  }
}

function declared(module: SourceModule, declaration: AnyNode): [string, ExportKind][] {
  if (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') {
    return [[declaration.id!.name, kindOfNode(module, declaration, new Set())]];
  }
  if (declaration.type !== 'VariableDeclaration') return [];
  return declaration.declarations.flatMap((d): [string, ExportKind][] => {
    if (d.id.type === 'Identifier') return [[d.id.name, d.init ? kindOfNode(module, d.init, new Set()) : 'other']];
    const names: [string, ExportKind][] = [];
    for (const binding of module.analysis.root.bindings.values()) {
      if (binding.declaration === d) names.push([binding.name, 'other']);
    }
    return names;
  });
}

function kindOfNode(module: SourceModule, given: AnyNode, seen: Set<string>): ExportKind {
  const node = strip(given);
  if (isClassNode(node)) return 'class';
  if (isFunctionNode(node)) {
    if (node.async && node.generator) return 'asyncGenerator';
    if (node.generator) return 'generator';
    return node.async ? 'async' : (loweredKindOf(node) ?? 'function');
  }
  return node.type === 'Identifier' ? kindOfName(module, node.name, seen) : 'other';
}

function kindOfName(module: SourceModule, name: string, seen: Set<string>): ExportKind {
  const binding = module.analysis.root.bindings.get(name);
  if (binding === undefined) return 'other';
  const from = binding.kind === 'import' ? importOf(binding) : undefined;
  if (from !== undefined) return from.name === '*' ? 'other' : elsewhere(module.url, from.source, from.name, seen);
  const { declaration } = binding;
  if (declaration.type === 'VariableDeclarator') {
    const init = declaration.init ? strip(declaration.init) : undefined;
    return init === undefined || (init.type === 'Identifier' && init.name === name)
      ? 'other'
      : kindOfNode(module, init, seen);
  }
  return kindOfNode(module, declaration, seen);
}

/** The kind of a name that another file exports; what is not a file beside this one stays unknown. */
function elsewhere(from: string, specifier: string, name: string, seen: Set<string>): ExportKind {
  const target = resolveRelative(from, specifier);
  if (target === undefined || seen.has(target)) return 'other';
  const inner: Exports = Object.create(null);
  collect(target, inner, new Set(seen));
  return inner[name] ?? 'other';
}

function resolveRelative(from: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  const url = new URL(specifier, from);
  if (existsSync(url)) return url.href;
  const other = alternatives(specifier, from, existsSync)[0];
  return other === undefined ? undefined : new URL(other, from).href;
}

function nameText(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'Literal' ? String(node.value) : '';
}

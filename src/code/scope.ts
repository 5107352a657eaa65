import type { Program } from 'acorn';
import { type AnyNode, children, isFunctionNode } from './parse.ts';

type BindingKind = 'import' | 'var' | 'let' | 'const' | 'using' | 'function' | 'class' | 'param' | 'catch';
export type Identifier = Extract<AnyNode, { type: 'Identifier' }>;

export interface Binding {
  readonly name: string;
  kind: BindingKind;
  readonly scope: Scope;
  /** The statement, declarator, specifier, function or class that declares it; the last one, if there are several. */
  declaration: AnyNode;
  /** For a variable: the whole declaration statement. */
  statement: AnyNode | undefined;
  /** Writes other than the initialiser. */
  readonly writes: Reference[];
  readonly references: Reference[];
  declarations: number;
}

export interface Reference {
  readonly node: Identifier;
  readonly scope: Scope;
  binding: Binding | undefined;
  readonly write: boolean;
  /** Only asks `typeof name`, which is allowed of a name that does not exist. */
  readonly typeofOnly: boolean;
}

export class Scope {
  readonly bindings = new Map<string, Binding>();
  readonly node: AnyNode;
  readonly parent: Scope | undefined;
  /** Whether `var` declarations stop here. */
  readonly isFunction: boolean;

  constructor(node: AnyNode, parent: Scope | undefined, isFunction: boolean) {
    this.node = node;
    this.parent = parent;
    this.isFunction = isFunction;
  }

  find(name: string): Binding | undefined {
    for (let s: Scope | undefined = this; s !== undefined; s = s.parent) {
      const found = s.bindings.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

export interface Analysis {
  readonly root: Scope;
  /** Every use of a name, ordered by position. */
  readonly references: readonly Reference[];
  /** By the Identifier node of the use. */
  readonly byNode: ReadonlyMap<AnyNode, Reference>;
  readonly bindings: readonly Binding[];
  /** Every identifier of the file, bound or not. */
  readonly names: ReadonlySet<string>;
}

/** Resolves every name of a program to what declares it. */
export function analyse(program: Program): Analysis {
  const root = new Scope(program, undefined, true);
  const references: Reference[] = [];
  const names = new Set<string>();
  const bindings: Binding[] = [];

  const declare = (
    scope: Scope,
    name: string,
    kind: BindingKind,
    declaration: AnyNode,
    statement?: AnyNode,
  ): Binding => {
    names.add(name);
    const old = scope.bindings.get(name);
    if (old !== undefined) {
      old.declarations++;
      // `var f` beside `function f` or a parameter changes nothing by itself.
      if (kind !== 'var' || old.kind === 'var') {
        old.kind = kind;
        old.declaration = declaration;
        old.statement = statement;
      }
      return old;
    }
    const binding: Binding = {
      name,
      kind,
      scope,
      declaration,
      statement,
      writes: [],
      references: [],
      declarations: 1,
    };
    scope.bindings.set(name, binding);
    bindings.push(binding);
    return binding;
  };

  const declarePattern = (
    pattern: AnyNode | null | undefined,
    scope: Scope,
    kind: BindingKind,
    declaration: AnyNode,
    statement?: AnyNode,
  ): void => {
    if (pattern === null || pattern === undefined) return;
    switch (pattern.type) {
      case 'Identifier':
        declare(scope, pattern.name, kind, declaration, statement);
        break;
      case 'ObjectPattern':
        for (const p of pattern.properties) {
          declarePattern(p.type === 'RestElement' ? p.argument : p.value, scope, kind, declaration, statement);
        }
        break;
      case 'ArrayPattern':
        for (const p of pattern.elements) declarePattern(p, scope, kind, declaration, statement);
        break;
      case 'RestElement':
        declarePattern(pattern.argument, scope, kind, declaration, statement);
        break;
      case 'AssignmentPattern':
        declarePattern(pattern.left, scope, kind, declaration, statement);
        break;
      default:
        break;
    }
  };

  /** Declares what a statement list declares directly, before any of it is visited. */
  const hoist = (body: readonly AnyNode[], scope: Scope): void => {
    for (let statement of body) {
      if (statement.type === 'ExportNamedDeclaration' && statement.declaration) statement = statement.declaration;
      else if (statement.type === 'ExportDefaultDeclaration') statement = statement.declaration;
      if (statement.type === 'FunctionDeclaration') {
        if (statement.id) declare(scope, statement.id.name, 'function', statement, statement);
      } else if (statement.type === 'ClassDeclaration') {
        if (statement.id) declare(scope, statement.id.name, 'class', statement, statement);
      } else if (statement.type === 'VariableDeclaration' && statement.kind !== 'var') {
        const kind = statement.kind === 'await using' ? 'using' : statement.kind;
        for (const d of statement.declarations) declarePattern(d.id, scope, kind, d, statement);
      } else if (statement.type === 'ImportDeclaration') {
        for (const s of statement.specifiers) declare(scope, s.local.name, 'import', s, statement);
      }
    }
  };

  /** Finds `var` declarations in nested statements, but not in nested functions. */
  const hoistVars = (node: AnyNode, scope: Scope): void => {
    if (isFunctionNode(node) || node.type === 'ClassDeclaration' || node.type === 'ClassExpression') return;
    if (node.type === 'VariableDeclaration' && node.kind === 'var') {
      for (const d of node.declarations) declarePattern(d.id, scope, 'var', d, node);
    }
    for (const child of children(node)) hoistVars(child, scope);
  };

  const use = (node: Identifier, scope: Scope, write: boolean, typeofOnly = false): void => {
    names.add(node.name);
    references.push({ node, scope, binding: undefined, write, typeofOnly });
  };

  /** An assignment target or a declared pattern: targets are writes, defaults and keys are reads. */
  const visitPattern = (pattern: AnyNode | null | undefined, scope: Scope, declared: boolean): void => {
    if (pattern === null || pattern === undefined) return;
    switch (pattern.type) {
      case 'Identifier':
        if (!declared) use(pattern, scope, true);
        break;
      case 'ObjectPattern':
        for (const p of pattern.properties) {
          if (p.type === 'RestElement') visitPattern(p.argument, scope, declared);
          else {
            if (p.computed) visit(p.key, scope);
            visitPattern(p.value, scope, declared);
          }
        }
        break;
      case 'ArrayPattern':
        for (const p of pattern.elements) visitPattern(p, scope, declared);
        break;
      case 'RestElement':
        visitPattern(pattern.argument, scope, declared);
        break;
      case 'AssignmentPattern':
        visitPattern(pattern.left, scope, declared);
        visit(pattern.right, scope);
        break;
      default:
        visit(pattern, scope);
    }
  };

  const visitAll = (nodes: readonly (AnyNode | null)[], scope: Scope): void => {
    for (const node of nodes) if (node !== null) visit(node, scope);
  };

  const visitBlock = (body: readonly AnyNode[], node: AnyNode, scope: Scope): void => {
    const inner = new Scope(node, scope, false);
    hoist(body, inner);
    visitAll(body, inner);
  };

  const visit = (node: AnyNode | null | undefined, scope: Scope): void => {
    if (node === null || node === undefined) return;
    switch (node.type) {
      case 'Identifier':
        use(node, scope, false);
        return;
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') use(node.argument, scope, false, true);
        else visit(node.argument, scope);
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression': {
        let outer = scope;
        if (node.type === 'FunctionExpression' && node.id) {
          outer = new Scope(node, scope, false);
          declare(outer, node.id.name, 'function', node);
        }
        const inner = new Scope(node, outer, true);
        for (const p of node.params) declarePattern(p, inner, 'param', p);
        if (node.body.type === 'BlockStatement') {
          for (const s of node.body.body) hoistVars(s, inner);
          hoist(node.body.body, inner);
        }
        for (const p of node.params) visitPattern(p, inner, true);
        if (node.body.type === 'BlockStatement') visitAll(node.body.body, inner);
        else visit(node.body, inner);
        return;
      }
      case 'ClassDeclaration':
      case 'ClassExpression': {
        const inner = new Scope(node, scope, false);
        if (node.id && node.type === 'ClassExpression') declare(inner, node.id.name, 'class', node);
        visit(node.superClass, inner);
        for (const member of node.body.body) {
          if (member.type === 'StaticBlock') {
            const block = new Scope(member, inner, true);
            for (const s of member.body) hoistVars(s, block);
            hoist(member.body, block);
            visitAll(member.body, block);
          } else {
            if (member.computed) visit(member.key, inner);
            visit(member.value, inner);
          }
        }
        return;
      }
      case 'BlockStatement':
        visitBlock(node.body, node, scope);
        return;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        const inner = new Scope(node, scope, false);
        const head = node.type === 'ForStatement' ? node.init : node.left;
        if (head?.type === 'VariableDeclaration') hoist([head], inner);
        if (node.type === 'ForStatement') {
          visit(node.init, inner);
          visit(node.test, inner);
          visit(node.update, inner);
        } else {
          if (node.left.type === 'VariableDeclaration') visit(node.left, inner);
          else visitPattern(node.left, inner, false);
          visit(node.right, inner);
        }
        visit(node.body, inner);
        return;
      }
      case 'SwitchStatement': {
        visit(node.discriminant, scope);
        const inner = new Scope(node, scope, false);
        hoist(
          node.cases.flatMap((c) => c.consequent),
          inner,
        );
        for (const c of node.cases) {
          visit(c.test, inner);
          visitAll(c.consequent, inner);
        }
        return;
      }
      case 'CatchClause': {
        const inner = new Scope(node, scope, false);
        declarePattern(node.param, inner, 'catch', node);
        visitPattern(node.param, inner, true);
        hoist(node.body.body, inner);
        visitAll(node.body.body, inner);
        return;
      }
      case 'VariableDeclarator':
        visitPattern(node.id, scope, true);
        visit(node.init, scope);
        return;
      case 'AssignmentExpression':
        visitPattern(node.left, scope, false);
        visit(node.right, scope);
        return;
      case 'UpdateExpression':
        visitPattern(node.argument, scope, false);
        return;
      case 'MemberExpression':
        visit(node.object, scope);
        if (node.computed) visit(node.property, scope);
        return;
      case 'Property':
        if (node.computed) visit(node.key, scope);
        visit(node.value, scope);
        return;
      case 'LabeledStatement':
        visit(node.body, scope);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'MetaProperty':
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration) visit(node.declaration, scope);
        else if (!node.source)
          for (const s of node.specifiers) if (s.local.type === 'Identifier') use(s.local, scope, false);
        return;
      default:
        for (const child of children(node)) visit(child, scope);
    }
  };

  for (const statement of program.body) hoistVars(statement, root);
  hoist(program.body, root);
  visitAll(program.body, root);

  references.sort((a, b) => a.node.start - b.node.start);
  const byNode = new Map<AnyNode, Reference>();
  for (const reference of references) {
    reference.binding = reference.scope.find(reference.node.name);
    reference.binding?.references.push(reference);
    if (reference.write) reference.binding?.writes.push(reference);
    byNode.set(reference.node, reference);
  }
  return { root, references, byNode, bindings, names };
}

function lowerBound(references: readonly Reference[], start: number): number {
  let low = 0;
  let high = references.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (references[mid]!.node.start < start) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The uses inside a node of names that are declared outside it, or nowhere. */
export function freeReferences(analysis: Analysis, node: { start: number; end: number }): Reference[] {
  const { references } = analysis;
  const found: Reference[] = [];
  for (let i = lowerBound(references, node.start); i < references.length; i++) {
    const reference = references[i]!;
    if (reference.node.start >= node.end) break;
    const home = reference.binding?.scope.node;
    if (home === undefined || !(home.start >= node.start && home.end <= node.end)) found.push(reference);
  }
  return found;
}

import { unwrapIndirect } from './known.ts';
import { type AnyNode, isFunctionNode, isNode } from './parse.ts';
import type { Analysis, Binding } from './scope.ts';

/** Variables that tools put in place of imports. */
export const toolImport = /^(?:import_\w+|__vite_ssr_import_\d+__|__vi_import_\d+__|\w+_\d+)$/;
const toolMeta = /^(?:import_meta\d*|__vite_ssr_import_meta__)$/;
const counter = /^cov_\w+$/;

/** A counter of a coverage tool: `cov_abc().f[2]++`, `cov_abc().b[0][1]++`. */
export function isCounter(node: AnyNode | null | undefined): boolean {
  if (node?.type !== 'UpdateExpression') return false;
  let object: AnyNode = node.argument;
  while (object.type === 'MemberExpression') object = object.object;
  return object.type === 'CallExpression' && object.callee.type === 'Identifier' && counter.test(object.callee.name);
}

export interface FingerprintOptions {
  /** Names by which the original file imports, and what: a name, 'default', or '*' for a namespace. */
  readonly imports: ReadonlyMap<string, string>;
  /** Other names of the original file's top level: they are themselves, even if they look like a tool's. */
  readonly declared: ReadonlySet<string>;
}

/**
 * A text that two versions of one function share when tools have only reprinted it: layout, quotes, parentheses, names
 * of its own variables, the way imports are reached, `__name` wrappers and coverage counters do not show in it.
 */
export function fingerprint(root: AnyNode, analysis: Analysis, options: FingerprintOptions): string {
  const out: string[] = [];
  const own = new Map<Binding, number>();
  const ownName = 'id' in root && isNode(root.id) && root.id.type === 'Identifier' ? root.id.name : undefined;

  const inside = (binding: Binding) =>
    binding.scope.node.start >= root.start && binding.scope.node.end <= root.end && binding.declaration !== root;

  const identifier = (name: string, binding: Binding | undefined): void => {
    if (binding !== undefined && inside(binding)) {
      let number = own.get(binding);
      if (number === undefined) {
        number = own.size;
        own.set(binding, number);
      }
      out.push(`%${number}`);
    } else if (name === ownName) out.push('%self');
    else if (toolMeta.test(name)) out.push('#meta');
    else if (options.imports.has(name)) out.push(`@${options.imports.get(name)}`);
    else if (isToolImport(name)) out.push('@*');
    else out.push(name);
  };

  const isToolImport = (name: string) => toolImport.test(name) && !toolMeta.test(name) && !options.declared.has(name);

  const declared = (node: AnyNode): Binding | undefined => {
    if (node.type !== 'Identifier') return undefined;
    // A declared name is not a reference: look for the innermost scope of the function that has it.
    return declarations.get(node);
  };

  const declarations = new Map<AnyNode, Binding>();
  const collect = (node: AnyNode, scopeOf: (name: string, at: AnyNode) => Binding | undefined): void => {
    if (node.type === 'Identifier' && analysis.byNode.get(node) === undefined) {
      const binding = scopeOf(node.name, node);
      if (binding !== undefined) declarations.set(node, binding);
    }
    for (const value of Object.values(node) as unknown[]) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
        if (isNode(child)) collect(child, scopeOf);
    }
  };
  const byName = new Map<string, Binding[]>();
  for (const binding of analysis.bindings) {
    if (!inside(binding)) continue;
    const list = byName.get(binding.name);
    if (list === undefined) byName.set(binding.name, [binding]);
    else list.push(binding);
  }
  collect(root, (name, at) => {
    let best: Binding | undefined;
    for (const b of byName.get(name) ?? []) {
      const n = b.scope.node;
      if (n.start <= at.start && n.end >= at.end && (best === undefined || n.start >= best.scope.node.start)) best = b;
    }
    return best;
  });

  const list = (nodes: readonly (AnyNode | null)[]): void => {
    out.push('[');
    for (const n of nodes) {
      if (n === null) out.push('~');
      else node(n);
      out.push(',');
    }
    out.push(']');
  };

  const key = (k: AnyNode, computed: boolean): void => {
    if (!computed && k.type === 'Identifier') out.push(JSON.stringify(k.name));
    else if (k.type === 'Literal' && typeof k.value === 'string') out.push(JSON.stringify(k.value));
    else node(k);
  };

  const statements = (body: readonly AnyNode[]): void => {
    for (const s of body) {
      if (isNoise(s)) continue;
      statement(s);
      out.push(';');
    }
  };

  /** A body of if, for and so on: tools add and remove the braces. */
  const statement = (s: AnyNode): void => {
    if (s.type === 'BlockStatement') {
      const real = s.body.filter((x) => !isNoise(x));
      if (real.length === 1 && real[0]!.type !== 'VariableDeclaration' && !isDeclaration(real[0]!)) {
        statement(real[0]!);
        return;
      }
      out.push('{');
      statements(s.body);
      out.push('}');
      return;
    }
    node(s);
  };

  const node = (given: AnyNode): void => {
    const n = strip(given);
    switch (n.type) {
      case 'Identifier':
        if (n.name === 'undefined') out.push('void0');
        else identifier(n.name, analysis.byNode.get(n)?.binding ?? declared(n));
        return;
      case 'Literal':
        if ('regex' in n && n.regex) out.push(`/${n.regex.pattern}/${n.regex.flags}`);
        else if ('bigint' in n && n.bigint) out.push(`${n.bigint}n`);
        else out.push(typeof n.value === 'string' ? JSON.stringify(n.value) : String(n.value));
        return;
      case 'TemplateLiteral':
        out.push('`');
        n.quasis.forEach((q, i) => {
          out.push(JSON.stringify(q.value.cooked));
          const e = n.expressions[i];
          if (e !== undefined) node(e);
        });
        return;
      case 'UnaryExpression':
        if (n.operator === 'void' && n.argument.type === 'Literal') out.push('void0');
        else if (n.operator === '!' && n.argument.type === 'Literal' && typeof n.argument.value === 'number') {
          out.push(String(!n.argument.value));
        } else {
          out.push(`(${n.operator} `);
          node(n.argument);
          out.push(')');
        }
        return;
      case 'MetaProperty':
        out.push(n.meta.name === 'import' ? '#meta' : 'new.target');
        return;
      case 'MemberExpression': {
        const object = strip(n.object);
        // However a module is reached, `basename`, `path.basename` and `import_path.basename` are the same member of it.
        if (object.type === 'Identifier' && !n.computed && n.property.type === 'Identifier') {
          const binding = analysis.byNode.get(object)?.binding;
          const free = binding === undefined || !inside(binding);
          if (
            free &&
            (options.imports.get(object.name) === '*' || (binding === undefined && isToolImport(object.name)))
          ) {
            out.push(`@${n.property.name}`);
            return;
          }
        }
        node(object);
        out.push(n.optional ? '?.' : '.');
        out.push('<');
        key(n.property, n.computed);
        out.push('>');
        return;
      }
      case 'Property':
      case 'MethodDefinition':
      case 'PropertyDefinition':
        out.push('static' in n && n.static ? 'static ' : '', 'kind' in n ? `${n.kind} ` : '');
        key(n.key, n.computed);
        out.push(':');
        if (n.value) node(n.value);
        return;
      case 'CallExpression': {
        const callee = unwrapIndirect(n.callee);
        if (callee.type === 'Identifier' && callee.name === '__vite_ssr_dynamic_import__') out.push('import');
        else node(callee);
        out.push(n.optional ? '?.' : '');
        list(n.arguments);
        return;
      }
      case 'ImportExpression':
        out.push('import');
        list([n.source]);
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        out.push(
          n.async ? 'async ' : '',
          n.generator ? '*' : '',
          n.type === 'ArrowFunctionExpression' ? '=>' : 'function',
        );
        if (n !== root && 'id' in n && n.id) node(n.id);
        list(n.params);
        if (n.body.type === 'BlockStatement') {
          out.push('{');
          statements(n.body.body);
          out.push('}');
        } else {
          out.push('{return ');
          node(n.body);
          out.push(';}');
        }
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        out.push('class ');
        if (n !== root && n.id) node(n.id);
        if (n.superClass) node(n.superClass);
        list(n.body.body.filter((m) => !(m.type === 'StaticBlock' && m.body.every(isNaming))));
        return;
      case 'VariableDeclaration':
        n.declarations.forEach((d, i) => {
          out.push(i > 0 ? `;${n.kind} ` : `${n.kind} `);
          node(d.id);
          if (d.init) {
            out.push('=');
            node(d.init);
          }
        });
        return;
      case 'IfStatement':
        out.push('if(');
        node(n.test);
        out.push(')');
        statement(n.consequent);
        if (n.alternate && !isNoise(n.alternate)) {
          out.push('else ');
          statement(n.alternate);
        }
        return;
      case 'ReturnStatement':
        out.push('return ');
        if (n.argument) node(n.argument);
        return;
      case 'BlockStatement':
        statement(n);
        return;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'LabeledStatement':
        out.push(`${n.type}(`, 'await' in n && n.await ? 'await ' : '');
        for (const [name, value] of Object.entries(n) as [string, unknown][]) {
          if (name !== 'body' && isNode(value)) {
            out.push(`${name}:`);
            node(value);
          }
        }
        out.push(')');
        statement(n.body);
        return;
      case 'SwitchCase':
        out.push('case ');
        if (n.test) node(n.test);
        out.push(':');
        statements(n.consequent);
        return;
      default: {
        out.push(`${n.type}(`);
        for (const [name, value] of Object.entries(n) as [string, unknown][]) {
          if (name === 'start' || name === 'end' || name === 'type' || name === 'raw') continue;
          if (isNode(value)) node(value);
          else if (Array.isArray(value)) list(value as (AnyNode | null)[]);
          else if (value !== null && value !== undefined) out.push(`${name}=${String(value)} `);
        }
        out.push(')');
      }
    }
  };

  node(root);
  return out.join('');
}

/** Takes off what tools put around an expression. */
export function strip(given: AnyNode): AnyNode {
  let node = given;
  for (;;) {
    if (node.type === 'ParenthesizedExpression') node = node.expression;
    else if (
      node.type === 'CallExpression' &&
      node.callee.type === 'Identifier' &&
      /^__name\d*$/.test(node.callee.name) &&
      node.arguments.length === 2
    ) {
      node = node.arguments[0]!;
    } else if (node.type === 'SequenceExpression' && isCounter(node.expressions[0])) {
      const rest = node.expressions.slice(1);
      if (rest.length !== 1) return { ...node, expressions: rest } as AnyNode;
      node = rest[0]!;
    } else return node;
  }
}

function isNaming(s: AnyNode): boolean {
  return (
    s.type === 'ExpressionStatement' &&
    s.expression.type === 'CallExpression' &&
    s.expression.callee.type === 'Identifier' &&
    /^__name\d*$/.test(s.expression.callee.name)
  );
}

function isNoise(s: AnyNode): boolean {
  if (s.type === 'EmptyStatement') return true;
  if (s.type === 'ExpressionStatement') return isCounter(s.expression) || isNaming(s) || s.directive !== undefined;
  return s.type === 'BlockStatement' && s.body.every(isNoise);
}

function isDeclaration(node: AnyNode): boolean {
  return isFunctionNode(node) || node.type === 'ClassDeclaration';
}

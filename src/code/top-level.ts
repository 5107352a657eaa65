import { passIt } from './capture-error.ts';
import { isNameHelper, toolHelper, unwrapIndirect } from './known.ts';
import type { AnyNode } from './parse.ts';
import { isFunctionNode } from './parse.ts';
import type { Purity } from './purity.ts';
import type { Binding } from './scope.ts';
import type { SourceModule } from './source.ts';

/** Module specifier and imported name ('*' for the namespace) of an imported binding. */
export function importOf(binding: Binding): { source: string; name: string } | undefined {
  const { declaration, statement } = binding;
  if (binding.kind === 'import' && statement?.type === 'ImportDeclaration') {
    const source = String(statement.source.value);
    switch (declaration.type) {
      case 'ImportSpecifier':
        return {
          source,
          name:
            declaration.imported.type === 'Identifier' ? declaration.imported.name : String(declaration.imported.value),
        };
      case 'ImportDefaultSpecifier':
        return { source, name: 'default' };
      default:
        return { source, name: '*' };
    }
  }
  return requireOf(binding);
}

/** `const x = require('m')`, `const { x } = require('m')`, also through a compiler's interop helper. */
function requireOf(binding: Binding): { source: string; name: string } | undefined {
  const { declaration } = binding;
  if (declaration.type !== 'VariableDeclarator' || !declaration.init || binding.writes.length > 0) return undefined;
  let init: AnyNode = unwrapIndirect(declaration.init);
  if (init.type === 'AwaitExpression' && init.argument.type === 'ImportExpression') {
    return init.argument.source.type === 'Literal' ? named(String(init.argument.source.value)) : undefined;
  }
  while (init.type === 'CallExpression' && init.callee.type === 'Identifier' && toolHelper.test(init.callee.name)) {
    const inner = init.arguments[0];
    if (inner === undefined) return undefined;
    init = inner;
  }
  if (init.type !== 'CallExpression' || init.callee.type !== 'Identifier' || init.callee.name !== 'require')
    return undefined;
  const source = init.arguments[0];
  return source?.type === 'Literal' && typeof source.value === 'string' ? named(source.value) : undefined;

  function named(source: string): { source: string; name: string } | undefined {
    if (declaration.type !== 'VariableDeclarator') return undefined;
    if (declaration.id.type === 'Identifier') return { source, name: '*' };
    if (declaration.id.type !== 'ObjectPattern') return undefined;
    for (const p of declaration.id.properties) {
      if (
        p.type === 'Property' &&
        p.key.type === 'Identifier' &&
        p.value.type === 'Identifier' &&
        p.value.name === binding.name
      ) {
        return { source, name: p.key.name };
      }
    }
    return undefined;
  }
}

type Constant =
  | { readonly pieces: readonly AnyNode[] }
  | { readonly problem: 'impure' | 'reassigned'; readonly because: string; readonly advice: string };

/** What of the file makes a top-level name, if it is the same wherever it is evaluated. */
export function constantOf(module: SourceModule, binding: Binding, purity: Purity): Constant {
  const { declaration, name } = binding;
  const companions: AnyNode[] = [];
  for (const write of binding.writes) {
    const statement = topStatement(module, write.node);
    if (statement !== undefined && isInitialAssignment(binding, statement, purity)) companions.push(statement);
    else {
      const { line } = module.lines.at(write.node.start);
      return {
        problem: 'reassigned',
        because: `a variable that the program assigns again in line ${line}`,
        advice: `${passIt(name)} If it never changes, declare it with const.`,
      };
    }
  }
  for (const change of changes(module, binding)) {
    const statement = topStatement(module, change.node);
    if (statement !== undefined && isPureChange(statement, change.node, purity)) companions.push(statement);
  }
  if (isFunctionNode(declaration)) return { pieces: [...new Set([declaration, ...companions])] };
  if (declaration.type === 'ClassDeclaration') {
    const impure = purity.check(declaration);
    if (impure !== undefined) {
      return {
        problem: 'impure',
        because: `a class that ${impure.why} when it is defined (line ${module.lines.at(impure.node.start).line})`,
        advice: 'Move that into a function or the constructor, or the class into a module of its own.',
      };
    }
    return { pieces: [...new Set([declaration, ...companions])] };
  }
  if (declaration.type !== 'VariableDeclarator') return { pieces: companions };
  if (!toolHelper.test(name)) {
    const impure = purity.check(declaration.init) ?? patternImpurity(declaration.id, purity);
    if (impure !== undefined) {
      return {
        problem: 'impure',
        because: `a constant of the file whose initialiser ${impure.why} (line ${module.lines.at(impure.node.start).line}), so it can't be evaluated again in a worker`,
        advice: passIt(name),
      };
    }
  }
  return { pieces: [...new Set([declaration, ...companions])] };
}

function patternImpurity(pattern: AnyNode, purity: Purity): ReturnType<Purity['check']> {
  if (pattern.type === 'Identifier') return undefined;
  if (pattern.type === 'AssignmentPattern') return patternImpurity(pattern.left, purity) ?? purity.check(pattern.right);
  if (pattern.type === 'RestElement') return patternImpurity(pattern.argument, purity);
  if (pattern.type === 'ArrayPattern') {
    for (const p of pattern.elements) {
      const found = p === null ? undefined : patternImpurity(p, purity);
      if (found !== undefined) return found;
    }
  }
  if (pattern.type === 'ObjectPattern') {
    for (const p of pattern.properties) {
      const found =
        p.type === 'RestElement'
          ? patternImpurity(p, purity)
          : ((p.computed ? purity.check(p.key) : undefined) ?? patternImpurity(p.value, purity));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The statement of the file's own body that holds a node, not looking out of functions. */
export function topStatement(module: SourceModule, node: AnyNode): AnyNode | undefined {
  const { body } = module.program;
  let low = 0;
  let high = body.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (body[mid]!.end <= node.start) low = mid + 1;
    else high = mid;
  }
  const statement = body[low];
  return statement !== undefined && statement.start <= node.start && statement.type === 'ExpressionStatement'
    ? statement
    : undefined;
}

/** `let x; x = <pure>`, and the function that fills a TypeScript enum. */
function isInitialAssignment(binding: Binding, statement: AnyNode, purity: Purity): boolean {
  if (statement.type !== 'ExpressionStatement' || binding.writes.length !== 1) return false;
  const { declaration } = binding;
  if (declaration.type !== 'VariableDeclarator' || declaration.init) return false;
  const { expression } = statement;
  if (
    expression.type === 'AssignmentExpression' &&
    expression.operator === '=' &&
    expression.left.type === 'Identifier'
  ) {
    return expression.left.name === binding.name && purity.check(expression.right) === undefined;
  }
  if (expression.type === 'CallExpression' && isFunctionNode(expression.callee) && expression.arguments.length === 1) {
    const [arg] = expression.arguments;
    return (
      arg!.type === 'LogicalExpression' &&
      arg!.left.type === 'Identifier' &&
      arg!.left.name === binding.name &&
      purity.isHarmless(expression.callee)
    );
  }
  return false;
}

const changing = /^(?:push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|set|add|delete|clear|append)$/;
const changingStatics = /^(?:assign|defineProperty|defineProperties|setPrototypeOf)$/;

/** Where code changes the members of what a name holds. A call that is given it is not counted: most only read. */
export function changes(module: SourceModule, binding: Binding): { node: AnyNode }[] {
  const found: { node: AnyNode }[] = [];
  const { declaration } = binding;
  if (declaration.type === 'VariableDeclarator') {
    if (!declaration.init && binding.writes.length === 0) return found;
    if (declaration.init?.type === 'Literal' || declaration.init?.type === 'TemplateLiteral') return found;
  }
  for (const reference of binding.references) {
    let node: AnyNode = reference.node;
    let parent = module.parent(node);
    let last: string | undefined;
    let depth = 0;
    while (parent?.type === 'MemberExpression' && parent.object === node) {
      last = !parent.computed && parent.property.type === 'Identifier' ? parent.property.name : undefined;
      node = parent;
      parent = module.parent(node);
      depth++;
    }
    if (parent === undefined) continue;
    const assigned =
      depth > 0 &&
      ((parent.type === 'AssignmentExpression' && parent.left === node) ||
        parent.type === 'UpdateExpression' ||
        (parent.type === 'UnaryExpression' && parent.operator === 'delete'));
    const called =
      depth > 0 &&
      parent.type === 'CallExpression' &&
      parent.callee === node &&
      last !== undefined &&
      changing.test(last);
    if (assigned || called || isStaticChange(parent, node) || isNaming(module, parent, node))
      found.push({ node: reference.node });
  }
  return found;
}

function isStaticChange(parent: AnyNode, node: AnyNode): boolean {
  return (
    parent.type === 'CallExpression' &&
    parent.arguments[0] === node &&
    parent.callee.type === 'MemberExpression' &&
    parent.callee.object.type === 'Identifier' &&
    (parent.callee.object.name === 'Object' || parent.callee.object.name === 'Reflect') &&
    parent.callee.property.type === 'Identifier' &&
    changingStatics.test(parent.callee.property.name)
  );
}

/** `__name(f, "f")` as a statement: esbuild's way to keep the names of declarations. */
function isNaming(module: SourceModule, parent: AnyNode, node: AnyNode): boolean {
  return (
    parent.type === 'CallExpression' &&
    parent.arguments.length === 2 &&
    parent.arguments[0] === node &&
    parent.arguments[1]!.type === 'Literal' &&
    parent.callee.type === 'Identifier' &&
    isNamer(module, parent.callee) &&
    module.parent(parent)?.type === 'ExpressionStatement'
  );
}

function isNamer(module: SourceModule, callee: Extract<AnyNode, { type: 'Identifier' }>): boolean {
  if (/^__name\d*$/.test(callee.name)) return true;
  const declaration = module.analysis.byNode.get(callee)?.binding?.declaration;
  return declaration?.type === 'VariableDeclarator' && !!declaration.init && isNameHelper(declaration.init);
}

function isPureChange(statement: AnyNode, node: AnyNode, purity: Purity): boolean {
  if (statement.type !== 'ExpressionStatement') return false;
  const { expression } = statement;
  if (expression.type === 'AssignmentExpression') {
    return node.start < expression.left.end && purity.check(expression.right) === undefined;
  }
  if (expression.type === 'CallExpression') {
    if (expression.callee.type === 'MemberExpression' && isStaticChange(expression, expression.arguments[0]!)) {
      return expression.arguments.slice(1).every((a) => purity.check(a) === undefined);
    }
    return purity.check(expression) === undefined;
  }
  return false;
}

/** The statement `exports.k = <pure>` of compiled CommonJS, for a use `exports.k`. */
export function exportsAssignment(
  module: SourceModule,
  member: AnyNode | undefined,
  purity: Purity,
): { statement: AnyNode } | { name: string; why: string } {
  if (member?.type !== 'MemberExpression' || member.computed || member.property.type !== 'Identifier') {
    return { name: 'exports', why: 'as a whole, which a worker does not have' };
  }
  const name = member.property.name;
  const found = module.program.body.filter((statement) => {
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') return false;
    const { left, right } = statement.expression;
    if (right.type === 'AssignmentExpression' || (right.type === 'UnaryExpression' && right.operator === 'void'))
      return false;
    return (
      left.type === 'MemberExpression' &&
      left.object.type === 'Identifier' &&
      left.object.name === 'exports' &&
      left.property.type === 'Identifier' &&
      left.property.name === name
    );
  });
  const [statement] = found;
  if (
    found.length !== 1 ||
    statement?.type !== 'ExpressionStatement' ||
    statement.expression.type !== 'AssignmentExpression'
  ) {
    return { name: `exports.${name}`, why: 'which is not assigned exactly once at the top level of the file' };
  }
  const impure = purity.check(statement.expression.right);
  if (impure !== undefined) {
    return {
      name: `exports.${name}`,
      why: `an export whose initialiser ${impure.why}, so it can't be evaluated again in a worker`,
    };
  }
  return { statement };
}

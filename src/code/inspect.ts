import { beyondEngine } from './decorators.ts';
import { toolHelper } from './known.ts';
import { type AnyNode, children } from './parse.ts';
import type { Analysis } from './scope.ts';

interface InspectVisitor {
  /** Every node of the piece. */
  node(node: AnyNode): void;
  /** A use of `import.meta`. */
  meta(node: AnyNode): void;
  /** A word that means something else, or nothing, in a worker. */
  refuse(node: AnyNode, word: string, because: string, advice: string): never;
}

/**
 * Looks at a piece of a file for what depends on its surroundings: `this`, `super`, `arguments`, `import.meta`.
 * `isTarget`: the piece is the function that a worker will call, without a `this`.
 */
export function inspect(piece: AnyNode, isTarget: boolean, analysis: Analysis, visitor: InspectVisitor): void {
  /** A use of the name, as against a property or a label that is called so. */
  const isFreeArguments = (node: AnyNode): boolean => {
    const reference = analysis.byNode.get(node);
    return reference !== undefined && reference.binding === undefined;
  };
  const step = (node: AnyNode, own: { this: boolean; super: boolean; arguments: boolean }, parent?: AnyNode): void => {
    visitor.node(node);
    const beyond = beyondEngine(node);
    if (beyond !== undefined) {
      const because = `${beyond.name}, which Node does not know: a tool has compiled it for the program, and a worker has none`;
      visitor.refuse({ ...node, start: beyond.start }, beyond.word, because, beyond.advice);
    }
    let inner = own;
    switch (node.type) {
      case 'ThisExpression':
        if (!own.this && !isHelperThis(node, parent)) {
          visitor.refuse(
            node,
            'this',
            isTarget && piece.type !== 'ArrowFunctionExpression'
              ? 'but is called without one in a worker'
              : 'but there is none where it runs',
            'Pass the object as an argument, or make the class an actor.',
          );
        }
        return;
      case 'Super':
        if (!own.super)
          visitor.refuse(
            node,
            'super',
            'but is called without its class in a worker',
            'Make the class an actor, or call a function.',
          );
        return;
      case 'Identifier':
        if (node.name === 'arguments' && !own.arguments && isFreeArguments(node)) {
          visitor.refuse(node, 'arguments', 'those of the function around it', 'Declare a rest parameter: (...args).');
        }
        return;
      case 'MetaProperty':
        if (node.meta.name === 'import') visitor.meta(node);
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression': {
        const root = isTarget && node === piece;
        const method =
          parent !== undefined &&
          ((parent.type === 'Property' && (parent.method || parent.kind !== 'init')) ||
            parent.type === 'MethodDefinition');
        inner = { this: !root, super: method, arguments: true };
        break;
      }
      case 'PropertyDefinition':
        if (node.computed) step(node.key, own, node);
        if (node.value) step(node.value, { this: true, super: true, arguments: false }, node);
        return;
      case 'StaticBlock':
        inner = { this: true, super: true, arguments: false };
        break;
      case 'ClassDeclaration':
      case 'ClassExpression':
        if (node.superClass) step(node.superClass, own, node);
        for (const member of node.body.body) step(member, { ...own, super: true }, node);
        return;
      default:
        break;
    }
    for (const child of children(node)) step(child, inner, node);
  };
  step(piece, { this: false, super: false, arguments: false });
}

/** `__awaiter(this, ...)`, `__asyncGenerator(this, arguments, function* ...)`, `(this && this.__helper)`: passed on, not used. */
function isHelperThis(node: AnyNode, parent: AnyNode | undefined): boolean {
  if (parent === undefined) return false;
  if (parent.type === 'CallExpression' && parent.arguments[0] === node) {
    if (parent.callee.type === 'Identifier' && toolHelper.test(parent.callee.name)) return true;
    const last = parent.arguments.at(-1);
    return parent.arguments.length >= 3 && last?.type === 'FunctionExpression' && last.generator;
  }
  if (parent.type === 'LogicalExpression' && parent.left === node) return true;
  return (
    parent.type === 'MemberExpression' &&
    !parent.computed &&
    parent.property.type === 'Identifier' &&
    toolHelper.test(parent.property.name)
  );
}

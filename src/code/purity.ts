import { isBuiltin } from 'node:module';
import {
  constantOfProcess,
  constructors,
  definitions,
  functions,
  isModuleWrapper,
  isNameCall,
  isNameHelper,
  isPrivateField,
  isPureModule,
  isPureStatic,
  isSheaf,
  methods,
  nameOf,
  typedArrays,
  unwrapIndirect,
  wrappingHelper,
} from './known.ts';
import { type AnyNode, children, isClassNode, isFunctionNode } from './parse.ts';
import type { Analysis, Binding, Identifier } from './scope.ts';

/** What keeps an initialiser from being evaluated again in a worker. */
interface Impurity {
  readonly node: AnyNode;
  /** Completes "its initialiser ...". */
  readonly why: string;
}

interface PurityOptions {
  readonly analysis: Analysis;
  /** Specifier and imported name ('*' for a namespace) of an imported binding. */
  importOf(binding: Binding): { source: string; name: string } | undefined;
  /** Names that the caller gives by value. */
  readonly captured: ReadonlySet<string>;
}

/** Decides, from the text alone, whether an expression has the same value wherever it is evaluated, and no effect. */
export class Purity {
  readonly #o: PurityOptions;
  readonly #harmless = new Map<AnyNode, boolean>();

  constructor(o: PurityOptions) {
    this.#o = o;
  }

  #binding(node: Identifier): Binding | undefined {
    return this.#o.analysis.byNode.get(node)?.binding;
  }

  /** The name, when it is not declared in the file, so that it means the global. */
  #global(node: AnyNode): string | undefined {
    return node.type === 'Identifier' && this.#binding(node) === undefined ? node.name : undefined;
  }

  #import(node: AnyNode): { source: string; name: string } | undefined {
    if (node.type === 'Identifier') {
      const binding = this.#binding(node);
      return binding === undefined ? undefined : this.#o.importOf(binding);
    }
    if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
      const object = this.#import(node.object);
      if (object === undefined) return undefined;
      if (object.name === '*' || object.name === 'default') return { source: object.source, name: node.property.name };
    }
    return undefined;
  }

  /** Whether `node` names one of Sheaf's definitions: `task`, `sheaf.task`, `(0, sheaf_1.task)`. */
  isDefinition(node: AnyNode): boolean {
    const callee = unwrapIndirect(node);
    const from = this.#import(callee);
    return from !== undefined && isSheaf(from.source) && definitions.has(from.name);
  }

  check(node: AnyNode | null | undefined): Impurity | undefined {
    if (node === null || node === undefined) return undefined;
    switch (node.type) {
      case 'Literal':
      case 'Identifier':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'FunctionDeclaration':
      case 'MetaProperty':
      case 'TemplateElement':
        return undefined;
      case 'ClassExpression':
      case 'ClassDeclaration':
        return this.#class(node);
      case 'TemplateLiteral':
        return this.#all(node.expressions);
      case 'ArrayExpression':
        return this.#all(node.elements);
      case 'ObjectExpression':
        return this.#all(node.properties);
      case 'Property':
        return (node.computed ? this.check(node.key) : undefined) ?? this.check(node.value);
      case 'SpreadElement':
        return this.check(node.argument);
      case 'UnaryExpression':
        return node.operator === 'delete' ? { node, why: 'deletes a property' } : this.check(node.argument);
      case 'BinaryExpression':
        return this.check(node.left) ?? this.check(node.right);
      case 'LogicalExpression':
        if (node.left.type === 'ThisExpression') return undefined;
        // `(this && this.__helper) || function ...`, as compilers write it.
        if (node.left.type === 'LogicalExpression' && node.left.left.type === 'ThisExpression')
          return this.check(node.right);
        return this.check(node.left) ?? this.check(node.right);
      case 'ConditionalExpression':
        return this.check(node.test) ?? this.check(node.consequent) ?? this.check(node.alternate);
      case 'SequenceExpression':
        return this.#all(node.expressions);
      case 'ParenthesizedExpression':
        return this.check(node.expression);
      case 'ChainExpression':
        return this.check(node.expression);
      case 'MemberExpression':
        return this.#member(node);
      case 'NewExpression':
        return this.#new(node);
      case 'CallExpression':
        return this.#call(node);
      case 'TaggedTemplateExpression':
        if (node.tag.type === 'MemberExpression' && this.#global(node.tag.object) === 'String')
          return this.check(node.quasi);
        return { node, why: 'calls a template tag' };
      case 'ImportExpression':
        return this.check(node.source);
      case 'AwaitExpression':
        return node.argument.type === 'ImportExpression' && node.argument.source.type === 'Literal'
          ? undefined
          : { node, why: 'awaits something' };
      case 'ThisExpression':
        return { node, why: 'uses `this`' };
      case 'AssignmentExpression':
      case 'UpdateExpression':
        return { node, why: 'assigns to something' };
      default:
        return { node, why: 'is not a plain constant' };
    }
  }

  #all(nodes: readonly (AnyNode | null)[]): Impurity | undefined {
    for (const node of nodes) {
      const found = this.check(node);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #class(node: Extract<AnyNode, { type: 'ClassExpression' | 'ClassDeclaration' }>): Impurity | undefined {
    const base = this.check(node.superClass);
    if (base !== undefined) return base;
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock') {
        for (const statement of member.body) {
          const impure = isNameCall(statement) ? undefined : this.#staticStatement(statement);
          if (impure !== undefined) return impure;
        }
        continue;
      }
      const key = member.computed ? this.check(member.key) : undefined;
      if (key !== undefined) return key;
      if (member.type === 'PropertyDefinition' && member.static) {
        const value = this.check(member.value);
        if (value !== undefined) return value;
      }
    }
    return undefined;
  }

  /** `this.x = <pure>` is how compilers write static fields. */
  #staticStatement(statement: AnyNode): Impurity | undefined {
    if (statement.type === 'ExpressionStatement' && statement.expression.type === 'AssignmentExpression') {
      const { left, right } = statement.expression;
      if (left.type === 'MemberExpression' && left.object.type === 'ThisExpression' && !left.computed)
        return this.check(right);
    }
    return { node: statement, why: 'runs a static block' };
  }

  #member(node: Extract<AnyNode, { type: 'MemberExpression' }>): Impurity | undefined {
    const key = node.computed ? this.check(node.property as AnyNode) : undefined;
    if (key !== undefined) return key;
    const { object } = node;
    if (this.#global(object) === 'process') {
      const name = !node.computed && node.property.type === 'Identifier' ? node.property.name : '';
      return constantOfProcess.has(name)
        ? undefined
        : { node, why: `reads \`process.${name}\`, which belongs to this process` };
    }
    if (object.type === 'Super') return { node, why: 'uses `super`' };
    return this.check(object);
  }

  #new(node: Extract<AnyNode, { type: 'NewExpression' }>): Impurity | undefined {
    const args = this.#all(node.arguments);
    if (args !== undefined) return args;
    const { callee } = node;
    const global = this.#global(callee);
    if (global !== undefined) {
      if (constructors.has(global) || (global === 'Date' && node.arguments.length > 0)) return undefined;
      return { node, why: `makes a new \`${global}\`` };
    }
    const from = this.#import(callee);
    if (from !== undefined && isPureModule(from.source)) return undefined;
    if (callee.type === 'MemberExpression' && this.#global(callee.object) === 'Intl') return undefined;
    const target = this.#localFunction(callee);
    if (target !== undefined && this.#isHarmlessClass(target)) return undefined;
    return { node, why: `makes an object of ${nameOf(callee)}, whose construction may have effects` };
  }

  #call(node: Extract<AnyNode, { type: 'CallExpression' }>): Impurity | undefined {
    const callee = unwrapIndirect(node.callee);
    if (callee.type === 'Super') return { node, why: 'uses `super`' };
    // The definition itself is checked when the name is followed; its function may be anything that travels.
    const args = this.#all(node.arguments);
    if (args !== undefined) return args;
    if (this.isDefinition(callee)) return undefined;
    const global = this.#global(callee);
    if (global !== undefined) {
      if (functions.has(global)) return undefined;
      if (global === 'require' && node.arguments[0]?.type === 'Literal') return undefined;
      return { node, why: `calls \`${global}\`` };
    }
    const from = this.#import(callee);
    if (from !== undefined) {
      if (isPureModule(from.source)) return undefined;
      if (from.name === 'createRequire' && isBuiltin(from.source)) return undefined;
      return { node, why: `calls \`${nameOf(callee)}\` of '${from.source}'` };
    }
    if (callee.type === 'Identifier') {
      if (wrappingHelper.test(callee.name)) return undefined;
      const declared = this.#binding(callee);
      if (callee.name === 'require' || this.#isRequire(declared)) return undefined;
    }
    if (callee.type === 'MemberExpression') return this.#methodCall(node, callee);
    const target = this.#localFunction(callee);
    if (target !== undefined && isFunctionNode(target)) {
      if (isNameHelper(target) || isModuleWrapper(target) || this.isHarmless(target)) return undefined;
    }
    return { node, why: `calls ${nameOf(callee)}` };
  }

  /** `const require = createRequire(import.meta.url)`. */
  #isRequire(binding: Binding | undefined): boolean {
    const declaration = binding?.declaration;
    if (declaration?.type !== 'VariableDeclarator' || declaration.init?.type !== 'CallExpression') return false;
    const from = this.#import(declaration.init.callee);
    return from?.name === 'createRequire' && isBuiltin(from.source);
  }

  #methodCall(
    node: Extract<AnyNode, { type: 'CallExpression' }>,
    callee: Extract<AnyNode, { type: 'MemberExpression' }>,
  ): Impurity | undefined {
    const name = !callee.computed && callee.property.type === 'Identifier' ? callee.property.name : undefined;
    const { object } = callee;
    const impure = { node, why: `calls \`${nameOf(callee)}\`` };
    if (name === undefined) return impure;
    const global = this.#global(object);
    if (global !== undefined) return isPureStatic(global, name) ? this.#callbacks(node.arguments) : impure;
    if (object.type === 'MetaProperty') return name === 'resolve' ? undefined : impure;
    // Only what a definition or a builtin made has methods that we know; an object of the program may do anything.
    if (name === 'with' && this.#isDefined(object)) return undefined;
    if (methods.has(name) && this.#isBuiltinValue(object)) return this.check(object) ?? this.#callbacks(node.arguments);
    return impure;
  }

  /** Functions handed to a builtin are called by it, so they must be harmless. */
  #callbacks(args: readonly AnyNode[]): Impurity | undefined {
    for (const arg of args) {
      const target = isFunctionNode(arg) ? arg : this.#localFunction(arg);
      if (target !== undefined && isFunctionNode(target) && !this.isHarmless(target)) {
        return { node: arg, why: 'calls a function that may have effects' };
      }
    }
    return undefined;
  }

  #isDefined(node: AnyNode): boolean {
    if (node.type === 'Identifier') {
      const declaration = this.#binding(node)?.declaration;
      return declaration?.type === 'VariableDeclarator' && !!declaration.init && this.#isDefined(declaration.init);
    }
    if (node.type !== 'CallExpression') return false;
    if (this.isDefinition(node.callee)) return true;
    return (
      node.callee.type === 'MemberExpression' &&
      node.callee.property.type === 'Identifier' &&
      node.callee.property.name === 'with' &&
      this.#isDefined(node.callee.object)
    );
  }

  #isBuiltinValue(node: AnyNode): boolean {
    switch (node.type) {
      case 'ArrayExpression':
      case 'TemplateLiteral':
      case 'Literal':
        return true;
      case 'NewExpression':
        return constructors.has(this.#global(node.callee) ?? '');
      case 'Identifier': {
        const binding = this.#binding(node);
        const declaration = binding?.declaration;
        return (
          declaration?.type === 'VariableDeclarator' &&
          binding?.writes.length === 0 &&
          declaration.id.type === 'Identifier' &&
          !!declaration.init &&
          this.#isBuiltinValue(declaration.init)
        );
      }
      case 'CallExpression': {
        const callee = node.callee;
        const global = this.#global(callee);
        if (global !== undefined) return functions.has(global);
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false;
        const owner = this.#global(callee.object);
        if (owner !== undefined) {
          if (owner === 'Object') return /^(?:keys|values|entries)$/.test(callee.property.name);
          return owner === 'Array' || owner === 'String' || typedArrays.test(owner);
        }
        return methods.has(callee.property.name) && this.#isBuiltinValue(callee.object);
      }
      default:
        return false;
    }
  }

  /** The function or class of the file that a callee names, when nothing else was ever assigned to the name. */
  #localFunction(callee: AnyNode): AnyNode | undefined {
    if (isFunctionNode(callee)) return callee;
    if (callee.type !== 'Identifier') return undefined;
    const binding = this.#binding(callee);
    if (binding === undefined || binding.writes.length > 0 || this.#o.captured.has(binding.name)) return undefined;
    const { declaration } = binding;
    if (declaration.type === 'VariableDeclarator' && declaration.id.type === 'Identifier')
      return declaration.init ?? undefined;
    return isFunctionNode(declaration) || isClassNode(declaration) ? declaration : undefined;
  }

  #isHarmlessClass(node: AnyNode): boolean {
    if (isFunctionNode(node)) return node.type !== 'ArrowFunctionExpression' && this.isHarmless(node, true);
    if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') return false;
    if (node.superClass) {
      const base = this.#localFunction(node.superClass);
      if (base === undefined ? this.#global(node.superClass) === undefined : !this.#isHarmlessClass(base)) return false;
    }
    return node.body.body.every((member) => {
      if (member.type === 'StaticBlock') return true; // Runs when the class is defined, not when an object is made.
      if (member.type === 'PropertyDefinition') return member.static || this.check(member.value) === undefined;
      return member.kind !== 'constructor' || this.isHarmless(member.value, true);
    });
  }

  /**
   * Whether calling a function can only compute: it assigns to nothing but its own variables and their members, and
   * calls nothing but what is known to be the same. `construct`: `this` is a new object of its own.
   */
  isHarmless(fn: AnyNode, construct = false): boolean {
    const known = this.#harmless.get(fn);
    if (known !== undefined) return known;
    this.#harmless.set(fn, true); // A recursion adds nothing to what the rest of the body says.
    const result =
      isFunctionNode(fn) &&
      !fn.async &&
      !fn.generator &&
      children(fn).every((child) => this.#isHarmlessIn(child, fn, construct));
    this.#harmless.set(fn, result);
    return result;
  }

  #isHarmlessIn(node: AnyNode, fn: AnyNode, construct: boolean): boolean {
    const rest = () => children(node).every((child) => this.#isHarmlessIn(child, fn, construct));
    switch (node.type) {
      case 'AwaitExpression':
      case 'YieldExpression':
      case 'ImportExpression':
        return false;
      case 'ThisExpression':
        return construct;
      case 'Identifier': {
        const binding = this.#binding(node);
        const outer =
          binding !== undefined && !(binding.scope.node.start >= fn.start && binding.scope.node.end <= fn.end);
        return !outer || binding.writes.length === 0;
      }
      case 'AssignmentExpression':
        return this.#isOwn(node.left, fn, construct) && rest();
      case 'UpdateExpression':
        return this.#isOwn(node.argument, fn, construct) && rest();
      case 'UnaryExpression':
        return (node.operator !== 'delete' || this.#isOwn(node.argument, fn, construct)) && rest();
      case 'NewExpression':
        if (this.#global(node.callee) !== undefined) return constructors.has(this.#global(node.callee)!) && rest();
        return this.#isHarmlessClass(this.#localFunction(node.callee) ?? node.callee) && rest();
      case 'CallExpression': {
        const callee = unwrapIndirect(node.callee);
        if (callee.type === 'Super') return construct && rest();
        if (isPrivateField(node)) {
          // The weak map's own variable is assigned after its declaration: harmless to name.
          const rest = node.arguments.slice(1).filter((a) => a.type !== 'Identifier' || !a.name.startsWith('_'));
          return construct && rest.every((a) => this.#isHarmlessIn(a, fn, construct));
        }
        if (this.#global(callee) !== undefined) return functions.has(this.#global(callee)!) && rest();
        if (callee.type === 'MemberExpression') {
          if (callee.computed || callee.property.type !== 'Identifier') return false;
          const name = callee.property.name;
          const global = this.#global(callee.object);
          if (global !== undefined) return isPureStatic(global, name) && rest();
          const from = this.#import(callee);
          if (from !== undefined) return isPureModule(from.source) && rest();
          return methods.has(name) && this.#isOwn(callee.object, fn, construct, true) && rest();
        }
        const from = this.#import(callee);
        if (from !== undefined) return isPureModule(from.source) && rest();
        const target = this.#localFunction(callee);
        if (target === undefined || !isFunctionNode(target)) return false;
        return (
          (isNameHelper(target) || this.isHarmless(target)) &&
          node.arguments.every((a) => this.#isHarmlessIn(a, fn, construct))
        );
      }
      case 'TaggedTemplateExpression':
        return false;
      case 'MemberExpression':
        return (
          this.#isHarmlessIn(node.object, fn, construct) &&
          (!node.computed || this.#isHarmlessIn(node.property, fn, construct))
        );
      case 'Property':
        return (
          (!node.computed || this.#isHarmlessIn(node.key, fn, construct)) &&
          this.#isHarmlessIn(node.value, fn, construct)
        );
      default:
        return rest();
    }
  }

  /** Whether what is changed belongs to the call: a variable of the function, a member of one, or a fresh value. */
  #isOwn(target: AnyNode, fn: AnyNode, construct: boolean, reading = false): boolean {
    let node = target;
    while (node.type === 'MemberExpression') node = node.object;
    if (node.type === 'ThisExpression') return construct;
    if (node.type === 'Identifier') {
      const binding = this.#binding(node);
      if (binding === undefined) return false;
      const own = binding.scope.node.start >= fn.start && binding.scope.node.end <= fn.end;
      return own || (reading && this.#isBuiltinValue(node));
    }
    if (node.type === 'ObjectPattern' || node.type === 'ArrayPattern') {
      return children(node).every((c) => this.#isOwn(c.type === 'Property' ? c.value : c, fn, construct));
    }
    return reading && (node.type === 'CallExpression' || this.#isBuiltinValue(node));
  }
}

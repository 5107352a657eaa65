import type { AnyNode } from '../../code/index.ts';
import { constant, type Expression, element } from './expression.ts';
import type { Interpreter } from './interpreter.ts';
import { mathFunction, mathNames } from './math.ts';
import type { Environment, Val } from './values.ts';

type NodeOf<T extends AnyNode['type']> = Extract<AnyNode, { type: T }>;

/** Questions to numbers, by the name of the function, or of the one of `Number`. */
const QUESTIONS = { isNaN: 'isNaN', isFinite: 'isFinite' } as const;

/** The name of a member, if it is written down: `a.b`. */
const nameOf = (node: NodeOf<'MemberExpression'>): string | undefined =>
  !node.computed && node.property.type === 'Identifier' ? node.property.name : undefined;

/** Whether a name means the global one. */
function isGlobal({ tree }: Interpreter, node: AnyNode, name: string, environment: Environment): boolean {
  if (node.type !== 'Identifier' || node.name !== name || environment.find(name) !== undefined) return false;
  return tree.meaning(node).kind === 'global';
}

/** A call: of a function of `Math`, of `near`, or of a function that the source has. */
export function called(interpreter: Interpreter, node: NodeOf<'CallExpression'>, environment: Environment): Val {
  const { refuse } = interpreter;
  const args = (): Val[] =>
    node.arguments.map((each) => {
      if (each.type === 'SpreadElement') throw refuse.construct(each, 'which spreads a list', 'Write its items out.');
      return interpreter.value(each, environment);
    });
  const callee = node.callee as AnyNode;
  if (callee.type === 'MemberExpression') {
    const object = callee.object as AnyNode;
    const name = nameOf(callee);
    if (isGlobal(interpreter, object, 'Math', environment)) return math(interpreter, node, name ?? '', args());
    if (isGlobal(interpreter, object, 'Number', environment)) return question(interpreter, node, name ?? '', args());
    const value = interpreter.value(object, environment);
    if (value.kind === 'field' && name === 'near') return near(interpreter, node, value.index, args());
    throw refuse.construct(
      node,
      'a method that has no form for arrays',
      'There are the functions of Math, and near() in stencils.',
    );
  }
  if (callee.type === 'Identifier' && isGlobal(interpreter, callee, callee.name, environment)) {
    if (callee.name in QUESTIONS) return question(interpreter, node, callee.name, args());
    if (callee.name === 'Number') return asNumber(interpreter, node, args());
    if (callee.name in globalThis) {
      throw refuse.construct(
        node,
        'which has no form for arrays',
        'There are Math, Number, isNaN, isFinite, and functions of its file.',
      );
    }
    throw refuse.name(callee, callee.name, 'which is no function of its file');
  }
  const fn = interpreter.value(callee, environment);
  if (fn.kind !== 'function')
    throw refuse.construct(callee, 'which is no function', 'Call functions of its file, or of Math.');
  return interpreter.call(fn.node, fn.environment, args(), node);
}

const of = (expression: Expression): Val => ({ kind: 'expression', expression });

function numbers({ refuse }: Interpreter, node: NodeOf<'CallExpression'>, args: readonly Val[]): Expression[] {
  return args.map((arg, i) => {
    if (arg.kind === 'expression' && arg.expression.of === 'number') return arg.expression;
    throw refuse.construct(node.arguments[i] as AnyNode, 'which is no number', 'Give a number.');
  });
}

function math(interpreter: Interpreter, node: NodeOf<'CallExpression'>, name: string, args: readonly Val[]): Val {
  const fn = mathFunction(name);
  if (fn === undefined) {
    throw interpreter.refuse.construct(
      node,
      'which arrays do not have',
      `Of Math there are ${mathNames().join(', ')}.`,
    );
  }
  if (fn.arity !== undefined && fn.arity !== args.length) {
    throw interpreter.refuse.construct(node, `which has ${args.length} arguments`, `Give Math.${name} ${fn.arity}.`);
  }
  return of(fn.make(numbers(interpreter, node, args)));
}

function question(interpreter: Interpreter, node: NodeOf<'CallExpression'>, name: string, args: readonly Val[]): Val {
  if (!(name in QUESTIONS) || args.length !== 1) {
    throw interpreter.refuse.construct(
      node,
      'which arrays do not have',
      'Of Number there are isNaN and isFinite, of one number.',
    );
  }
  return of(element(name as keyof typeof QUESTIONS, numbers(interpreter, node, args)[0] as Expression));
}

/** `Number(x)`, which is how a boolean becomes 0 or 1. */
function asNumber({ refuse }: Interpreter, node: NodeOf<'CallExpression'>, [value]: readonly Val[]): Val {
  if (value?.kind !== 'expression') {
    throw refuse.construct(node, 'which is made of no number and no boolean', 'Give it one of them.');
  }
  const { expression } = value;
  return of(expression.of === 'number' ? expression : element('where', expression, constant(1), constant(0)));
}

/** An element of another place; which one is known before any element is. */
function near(interpreter: Interpreter, node: NodeOf<'CallExpression'>, index: number, args: readonly Val[]): Val {
  const offset = numbers(interpreter, node, args).map((arg, i) => {
    if (arg.kind === 'constant' && Number.isInteger(arg.value)) return (arg.value as number) + 0;
    throw interpreter.refuse.construct(
      node.arguments[i] as AnyNode,
      'a distance that is no integer known before',
      'Give an integer for each axis.',
    );
  });
  return of({ kind: 'near', index, offset, of: 'number' });
}

/** A member: a constant of `Math` or `Number`, or an item of a list. */
export function memberOf(interpreter: Interpreter, node: NodeOf<'MemberExpression'>, environment: Environment): Val {
  const { refuse } = interpreter;
  const object = node.object as AnyNode;
  const name = nameOf(node);
  for (const [holder, values] of [
    ['Math', Math],
    ['Number', Number],
  ] as const) {
    if (!isGlobal(interpreter, object, holder, environment)) continue;
    const value = Object.getOwnPropertyDescriptor(values, name ?? '')?.value as unknown;
    if (typeof value === 'number') return of(constant(value));
    throw refuse.construct(node, 'which is no number', `Constants of ${holder}, such as Math.PI, can be used.`);
  }
  const list = interpreter.value(object, environment);
  if (list.kind === 'list') {
    if (name === 'length') return of(constant(list.items.length));
    const at = node.computed ? interpreter.value(node.property as AnyNode, environment) : undefined;
    const index = at?.kind === 'expression' && at.expression.kind === 'constant' ? at.expression.value : undefined;
    const item = typeof index === 'number' ? list.items[index] : undefined;
    if (item !== undefined) return item;
    throw refuse.construct(
      node,
      'which is no item that is known before',
      'Give an index that the list has, and that no element decides.',
    );
  }
  throw refuse.construct(
    node,
    'a member that has no form for arrays',
    'There are near() in stencils, Math, and lists.',
  );
}

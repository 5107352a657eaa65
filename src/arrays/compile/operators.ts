import type { AnyNode } from '../../code/index.ts';
import type { ElementOpName } from '../../kernels/index.ts';
import { constant, type Expression, element } from './expression.ts';
import type { Interpreter } from './interpreter.ts';
import { cutRemainder } from './math.ts';
import type { Val } from './values.ts';

/** The operators of JavaScript, on numbers and booleans. */
const NUMBERS: Readonly<Record<string, ElementOpName>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '**': 'pow',
  '<': 'less',
  '<=': 'lessEqual',
  '>': 'greater',
  '>=': 'greaterEqual',
};

const EQUALITIES: Readonly<Record<string, ElementOpName>> = {
  '==': 'equal',
  '===': 'equal',
  '!=': 'notEqual',
  '!==': 'notEqual',
};

export function binary(
  { refuse }: Interpreter,
  node: AnyNode,
  operator: string,
  left: Expression,
  right: Expression,
): Expression {
  const equality = EQUALITIES[operator];
  if (equality !== undefined) {
    if (left.of === right.of) return element(equality, left, right);
    throw refuse.construct(node, 'which compares a number with a boolean', 'Compare values of one kind.');
  }
  const op = NUMBERS[operator];
  if (op === undefined && operator !== '%') {
    throw refuse.construct(
      node,
      `whose operator ${operator} has no form for arrays of floats`,
      'There are + - * / % ** and comparisons.',
    );
  }
  if (left.of !== 'number' || right.of !== 'number') {
    throw refuse.construct(node, 'which computes with a boolean', 'Write c ? 1 : 0 for a number.');
  }
  return op === undefined ? cutRemainder(left, right) : element(op, left, right);
}

export function unary(
  { refuse }: Interpreter,
  node: Extract<AnyNode, { type: 'UnaryExpression' }>,
  inner: (node: AnyNode) => Expression,
): Expression {
  const { operator, argument } = node;
  if (operator !== '-' && operator !== '+' && operator !== '!') {
    throw refuse.construct(node, `whose operator ${operator} has no form for arrays of floats`, 'There are - and !.');
  }
  const value = inner(argument);
  if (operator === '!') return element('logicalNot', truth(value));
  if (value.of !== 'number')
    throw refuse.construct(node, 'which computes with a boolean', 'Write c ? 1 : 0 for a number.');
  return operator === '+' ? value : element('negative', value);
}

/** Whether a value counts as true: a number does unless it is 0 or NaN. */
function truth(value: Expression): Expression {
  if (value.of === 'boolean') return value;
  return element('logicalAnd', element('notEqual', value, constant(0)), element('equal', value, value));
}

/** A condition. Other things than numbers and booleans are always true, which nobody means. */
export const truthOf = (interpreter: Interpreter, value: Val, node: AnyNode): Expression =>
  truth(interpreter.expression(value, node));

import type { Expression, Side, Statement } from './ast.ts';

/** The expressions that an expression is directly made of, in the order in which they are written. */
export function parts(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'argument':
    case 'name':
      return [];
    case 'call':
      return expression.arguments.map(({ value }) => value);
    case 'cast':
    case 'unary':
      return [expression.operand];
    case 'filter':
      return present([expression.object, expression.rows, expression.columns]);
    case 'index':
      return [expression.object, ...sideParts(expression.rows), ...sideParts(expression.columns)];
    case 'binary':
      return [expression.left, expression.right];
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    case 'matrix':
      return [...expression.elements, ...present([expression.shape?.rows, expression.shape?.columns])];
    case 'columns':
      return expression.columns.flatMap(({ label, values }) => [label, values]);
    case 'rows':
      return [...expression.labels, ...expression.rows.flat()];
  }
}

/** The expressions of one side of an index. */
export function sideParts(side: Side | undefined): readonly Expression[] {
  if (side === undefined) return [];
  return side.kind === 'position' ? [side.position] : present([side.from, side.to]);
}

const present = (all: readonly (Expression | undefined)[]): Expression[] => all.filter((each) => each !== undefined);

/** All expressions within one, and itself: parts before what they are parts of, in the order in which they are written. */
export function postOrder(root: Expression): Expression[] {
  // The order of a visit from the right that takes each before its parts, turned round.
  const order: Expression[] = [];
  const open = [root];
  for (let expression = open.pop(); expression !== undefined; expression = open.pop()) {
    order.push(expression);
    for (const part of parts(expression)) open.push(part);
  }
  return order.reverse();
}

/** The statements that a statement is directly made of, in the order in which they are written. */
export function bodies(statement: Statement): readonly Statement[] {
  switch (statement.kind) {
    case 'block':
      return statement.statements;
    case 'if': {
      const { branches, otherwise } = statement;
      return [...branches.map(({ body }) => body), ...(otherwise === undefined ? [] : [otherwise])];
    }
    case 'while':
    case 'do':
    case 'for':
    case 'function':
      return [statement.body];
    default:
      return [];
  }
}

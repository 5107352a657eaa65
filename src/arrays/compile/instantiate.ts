import { UsageError } from '../../base/index.ts';
import { type DType, isBig } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import { nodeOf } from '../lazy.ts';
import { apply, cast, constantOf } from '../operations.ts';
import type { Expression } from './expression.ts';

/** Arrays that a compiled function is applied to, in the type of floats that it computes in: that of 32 bits, if all are of it. */
export function floatsOf(operation: string, arrays: readonly unknown[]): { nodes: Node[]; dtype: 'f32' | 'f64' } {
  const given = arrays.map((each) => nodeOf(operation, each));
  const unfit = given.find(({ dtype }) => dtype === 'bool' || isBig(dtype));
  if (unfit !== undefined) {
    const why = unfit.dtype === 'bool' ? 'a boolean is no number' : 'a bigint is no number';
    throw new UsageError(
      `${operation}: compiled functions compute with numbers, and ${why}; convert the ${unfit.dtype} with astype('f64')`,
      {
        code: 'ERR_SHEAF_DTYPE',
        details: { operation, dtype: unfit.dtype },
      },
    );
  }
  const dtype = given.every((node) => node.dtype === 'f32') ? 'f32' : 'f64';
  return { nodes: given.map((node) => cast(node, dtype)), dtype };
}

/** An expression as a node. `leaf` gives elements of the arguments. */
export function instantiate(
  root: Expression,
  dtype: 'f32' | 'f64',
  leaf: (expression: Extract<Expression, { kind: 'input' | 'near' }>) => Node,
): Node {
  const made = new Map<Expression, Node>();
  const typeOf = (expression: Expression): DType => (expression.of === 'boolean' ? 'bool' : dtype);
  const of = (expression: Expression): Node => made.get(expression) as Node;
  const make = (expression: Expression): Node => {
    switch (expression.kind) {
      case 'constant':
        return constantOf(Number(expression.value), [], typeOf(expression));
      case 'fround':
        return cast(cast(of(expression.arg), 'f32'), dtype);
      case 'element':
        return apply(expression.op, expression.args.map(of));
      default:
        return leaf(expression);
    }
  };
  // A loop in the function may have made it deeper than the stack of calls.
  const open = [root];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const missing = argsOf(top).filter((arg) => !made.has(arg));
    if (missing.length > 0) {
      open.push(...missing);
      continue;
    }
    open.pop();
    if (!made.has(top)) made.set(top, make(top));
  }
  return of(root);
}

const argsOf = (expression: Expression): readonly Expression[] =>
  expression.kind === 'element' ? expression.args : expression.kind === 'fround' ? [expression.arg] : [];

import { shown, UsageError } from '../base/index.ts';
import { type ElementOpName, elementOp } from '../kernels/index.ts';
import { broadcastShapes, type DType, type Kind, kindOf, promoted, type Shape, scalarAs } from '../nd/index.ts';
import { Node, type Op } from '../pipelines/index.ts';
import type { Arr } from './arr.ts';
import { nodeOf, wrap } from './lazy.ts';
import type { Value } from './types.ts';

/** A value that is the same everywhere in an array. */
export const constantOf = (value: number | bigint, shape: Shape, dtype: DType): Node =>
  new Node({ kind: 'constant', value: dtype === 'f32' ? Math.fround(value as number) : value }, shape, dtype);

/** The same elements in another type. */
export const cast = (node: Node, dtype: DType): Node =>
  node.dtype === dtype ? node : new Node(CAST, node.shape, dtype, [node]);
const CAST: Op = { kind: 'cast' };

const isValue = (x: unknown): x is Value => typeof x === 'number' || typeof x === 'bigint' || typeof x === 'boolean';

/** Arguments of one operation as nodes of the type that they have in common. Values take the type of the arrays beside them. */
export function together(operation: string, args: readonly unknown[]): Node[] {
  const nodes = args.map((arg) => (isValue(arg) ? undefined : nodeOf(operation, arg)));
  const arrays = nodes.filter((node) => node !== undefined);
  if (arrays.length === 0) {
    throw new UsageError(
      `${operation} takes at least one array, and got values only; asarray(${shown(args[0])}) is one`,
      {
        details: { operation },
      },
    );
  }
  const dtype = promoted(
    operation,
    arrays.map((node) => node.dtype),
  );
  return nodes.map((node, i) =>
    node === undefined ? constantOf(scalarAs(operation, args[i], dtype), [], dtype) : cast(node, dtype),
  );
}

/** The same for two, of which there are most: without lists. */
function pairOf(operation: string, x: unknown, y: unknown): readonly [Node, Node] {
  if (isValue(y) && !isValue(x)) {
    const node = nodeOf(operation, x);
    return [node, constantOf(scalarAs(operation, y, node.dtype), [], node.dtype)];
  }
  if (isValue(x) || isValue(y)) return together(operation, [x, y]) as [Node, Node];
  const [a, b] = [nodeOf(operation, x), nodeOf(operation, y)];
  if (a.dtype === b.dtype) return [a, b];
  const dtype = promoted(operation, [a.dtype, b.dtype]);
  return [cast(a, dtype), cast(b, dtype)];
}

/** Names and operands of kinds, for messages. */
const KINDS: Readonly<Record<Kind, string>> = {
  bool: 'booleans',
  int: 'integers',
  uint: 'integers',
  float: 'floats',
};

/** Throws a UsageError (ERR_SHEAF_DTYPE) when an operation does not take a type. */
export function checkKind(operation: string, dtype: DType, takes: readonly Kind[]): void {
  if (takes.includes(kindOf(dtype))) return;
  const kinds = [...new Set(takes.map((kind) => KINDS[kind]))].join(' and ');
  throw new UsageError(`${operation} takes ${kinds}, and not ${dtype}; ${adviceFor(dtype, takes)}`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation, dtype },
  });
}

function adviceFor(dtype: DType, takes: readonly Kind[]): string {
  if (takes.includes('int')) return dtype === 'bool' ? "convert it with astype('i64')" : 'convert it with astype';
  if (takes.includes('float')) return "convert it with astype('f64')";
  return 'make it booleans with notEqual(0)';
}

const ops = new Map<ElementOpName, Op>();
/** One object for each operator: nodes are many. */
function opOf(name: ElementOpName): Op {
  let op = ops.get(name);
  if (op === undefined) {
    op = { kind: 'element', op: name };
    ops.set(name, op);
  }
  return op;
}

const sameShape = (a: Shape, b: Shape): boolean =>
  a === b || (a.length === b.length && a.every((length, axis) => length === b[axis]));

/** An operator on nodes that have the types it takes. */
export function apply(name: ElementOpName, args: readonly Node[], operation: string = name): Node {
  const first = args[0] as Node;
  const typed = args.at(-1) as Node;
  const op = elementOp(name);
  checkKind(operation, typed.dtype, op.takes);
  let { shape } = first;
  for (const arg of args) {
    if (sameShape(shape, arg.shape)) continue;
    shape = broadcastShapes(
      operation,
      args.map((each) => each.shape),
    );
    break;
  }
  return new Node(opOf(name), shape, op.gives === 'bool' ? 'bool' : typed.dtype, args);
}

/** The function of arrays that an operator is. `operation`: the name in messages. */
export function elementOf(name: ElementOpName, operation: string = name): (...args: unknown[]) => Arr<never> {
  if (elementOp(name).arity === 1) return (x: unknown) => wrap(apply(name, [nodeOf(operation, x)], operation));
  return (x: unknown, y: unknown) => wrap(apply(name, pairOf(operation, x, y), operation));
}

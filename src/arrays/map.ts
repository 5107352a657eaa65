import { kindOf, UsageError } from '../base/index.ts';
import { callSite, readFunction } from '../code/index.ts';
import { broadcastShapes } from '../nd/index.ts';
import type { Arr } from './arr.ts';
import { checkOptions } from './checks.ts';
import type { Expression } from './compile/expression.ts';
import { floatsOf, instantiate } from './compile/instantiate.ts';
import { Interpreter } from './compile/interpreter.ts';
import type { Val } from './compile/values.ts';
import { wrap } from './lazy.ts';
import type { D, Float } from './types.ts';
import { broadcast } from './views.ts';

/** What `map` and `stencil` take. */
export interface CompileOptions {
  /** Values that the function uses and that are no constants of its file, by name: numbers, booleans, and lists of them. */
  captures?: Readonly<Record<string, unknown>>;
}

/** The type of what a compiled function gives: floats of 32 bits where all of its arrays have them, otherwise floats of 64 bits. */
export type ComputedIn<T extends D> = [T] extends ['f32'] ? 'f32' : 'f32' extends T ? Float : 'f64';

/** A function of numbers as one of arrays, which broadcast to each other. */
export type Mapped<P extends readonly number[], R> = <T extends D>(
  ...arrays: { [K in keyof P]: Arr<T> }
) => Arr<R extends boolean ? 'bool' : ComputedIn<T>>;

/** @internal Reads a function and runs it on what stands for its arguments. */
export function compiled(
  operation: string,
  fn: unknown,
  site: ReturnType<typeof callSite>,
  captures: unknown,
  argument: (index: number) => Val,
): { readonly expression: Expression; readonly count: number } {
  if (typeof fn !== 'function') {
    throw new UsageError(`${operation} takes a function, and not ${kindOf(fn)}`, { details: { operation } });
  }
  const given = (captures ?? {}) as Readonly<Record<string, unknown>>;
  const tree = readFunction(fn as (...args: never[]) => unknown, `${operation}: the function`, site, given);
  const count = tree.node.params.length;
  const args = Array.from({ length: count }, (_, index) => argument(index));
  return { expression: new Interpreter(operation, tree, given).run(args), count };
}

/** @internal Throws where there are more arrays than the function has parameters, or fewer. */
export function checkCount(operation: string, arrays: readonly unknown[], count: number): void {
  if (arrays.length === count) return;
  throw new UsageError(`${operation}: the function has ${count} parameters, and was given ${arrays.length} arrays`, {
    details: { operation },
  });
}

/**
 * Makes a function of numbers one of arrays, element by element. It is read, and not called: what it computes becomes part of the graph, and is
 * compiled with what is around it.
 *
 * @param fn an arrow function, or another one, of `const`, `let`, `if`, `for`, `return`, operators, `Math` and functions of its file that are
 *   made of the same.
 * @throws UsageError (ERR_SHEAF_KERNEL) with the line and column of what has no form for arrays; CaptureError for a name that is not known.
 */
export function map<P extends number[], R extends number | boolean>(
  fn: (...x: P) => R,
  o: CompileOptions = {},
): Mapped<P, R> {
  checkOptions('map', o, ['captures']);
  const input = (index: number): Val => ({ kind: 'expression', expression: { kind: 'input', index, of: 'number' } });
  const { expression, count } = compiled('map', fn, callSite(map), o.captures, input);
  return ((...arrays: readonly Arr[]) => {
    checkCount('map', arrays, count);
    const { nodes, dtype } = floatsOf('map', arrays);
    const shape = broadcastShapes(
      'map',
      nodes.map((node) => node.shape),
    );
    const result = instantiate(expression, dtype, (leaf) => nodes[leaf.index] as (typeof nodes)[number]);
    return wrap(broadcast('map', result, shape));
  }) as Mapped<P, R>;
}

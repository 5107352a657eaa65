import { type ElementOpName, elementOp } from '../../kernels/index.ts';

/** What a number or a boolean of a compiled function is made of. */
export type Expression =
  /** An element of an argument. */
  | { readonly kind: 'input'; readonly index: number; readonly of: 'number' }
  /** An element of an argument that is so far away along each axis. */
  | { readonly kind: 'near'; readonly index: number; readonly offset: readonly number[]; readonly of: 'number' }
  | { readonly kind: 'constant'; readonly value: number | boolean; readonly of: 'number' | 'boolean' }
  /** Rounded to a float of 32 bits. */
  | { readonly kind: 'fround'; readonly arg: Expression; readonly of: 'number' }
  | {
      readonly kind: 'element';
      readonly op: ElementOpName;
      readonly args: readonly Expression[];
      readonly of: 'number' | 'boolean';
    };

export const constant = (value: number | boolean): Expression => ({
  kind: 'constant',
  value,
  of: typeof value === 'number' ? 'number' : 'boolean',
});

/** An operator, and what it gives; of constants, their value. */
export function element(op: ElementOpName, ...args: Expression[]): Expression {
  const { gives, float, exact, chooses } = elementOp(op);
  const of = gives === 'bool' ? 'boolean' : (args.at(-1) as Expression).of;
  const [first, second, third] = args;
  if (chooses && first?.kind === 'constant') return (first.value ? second : third) as Expression;
  if (!args.every((arg) => arg.kind === 'constant')) return { kind: 'element', op, args, of };
  const values = args.map((arg) => Number((arg as { value: number | boolean }).value));
  const result =
    args.every((arg) => arg.of === 'boolean') && exact !== undefined
      ? Number(exact(BigInt(values[0] ?? 0), BigInt(values[1] ?? 0), 1n))
      : (float as (x: number, y: number, z: number) => number)(values[0] ?? 0, values[1] ?? 0, values[2] ?? 0);
  return constant(of === 'boolean' ? result !== 0 : result);
}

export function fround(arg: Expression): Expression {
  return arg.kind === 'constant' ? constant(Math.fround(Number(arg.value))) : { kind: 'fround', arg, of: 'number' };
}

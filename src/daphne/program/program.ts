/**
 * A program: what the compiler makes of a script, and JavaScript is made of. Types are settled, names are resolved, and expressions are taken apart into
 * instructions whose operands are variables, so that nothing in it is as deep as the script's expressions.
 */

import type { Site } from '../builtins/builtin.ts';
import type { Source, Span } from '../source.ts';
import type { Type, ValueType } from '../types.ts';
import type { Scalar } from '../values/values.ts';
import type { ScalarOperation } from './scalars.ts';

/** A variable of a function, by its number. Every one has one type for all of its life, and may be assigned more than once. */
export type Variable = number;

export interface Program {
  readonly source: Source;
  /**
   * The script itself. Its parameters are the variables that were there before it, in the order in which the compiler was told of them (`inputs` of
   * its options: names and types); of most scripts, none.
   */
  readonly main: ProgramFunction;
  /** The script's own variables that are there at its end, by their names: for `runScript`, and for the next line of a REPL. */
  readonly outputs: readonly { readonly name: string; readonly variable: Variable }[];
  /** What it calls, directly and indirectly: each function once for each combination of types that it is called with. */
  readonly functions: readonly ProgramFunction[];
}

export interface ProgramFunction {
  /** For people. */
  readonly name: string;
  readonly parameters: readonly Variable[];
  readonly results: readonly Type[];
  /** By their numbers. `name`: as the script has it; undefined of intermediate results. */
  readonly variables: readonly { readonly type: Type; readonly name: string | undefined }[];
  readonly body: Block;
  /** Whether it calls itself, directly or by way of others. */
  readonly recursive: boolean;
}

export type Block = readonly Instruction[];

export type Instruction =
  | { readonly kind: 'constant'; readonly to: Variable; readonly value: Scalar }
  | { readonly kind: 'copy'; readonly to: Variable; readonly from: Variable }
  /** On scalars. Operands are of the type `value`; comparisons give that type, too (1 or 0), of strings si64. */
  | {
      readonly kind: 'scalar';
      readonly operation: ScalarOperation;
      readonly value: ValueType;
      readonly to: Variable;
      readonly args: readonly Variable[];
      readonly source: Source;
      readonly span: Span;
    }
  /** A scalar in another value type. */
  | { readonly kind: 'cast'; readonly to: Variable; readonly from: Variable }
  /** `functions`: of the program, for those arguments that are functions. */
  | {
      readonly kind: 'builtin';
      readonly site: Site;
      readonly to: readonly Variable[];
      readonly args: readonly (Variable | { readonly function: number } | undefined)[];
    }
  | {
      readonly kind: 'call';
      readonly function: number;
      readonly to: readonly Variable[];
      readonly args: readonly Variable[];
      readonly source: Source;
      readonly span: Span;
    }
  /** The condition is a scalar of the type bool. */
  | { readonly kind: 'if'; readonly condition: Variable; readonly whenTrue: Block; readonly whenFalse: Block }
  /** `head` is run before each turn and makes the condition (bool); with `first` (`do ... while`) it is not asked before the first one. */
  | {
      readonly kind: 'while';
      readonly head: Block;
      readonly condition: Variable;
      readonly body: Block;
      readonly first: boolean;
    }
  /** `variable` from `from` to `to` (included) by `step`, all si64; the step is not there where it is 1 or -1, towards `to`. */
  | {
      readonly kind: 'for';
      readonly variable: Variable;
      readonly from: Variable;
      readonly to: Variable;
      readonly step: Variable | undefined;
      readonly body: Block;
      readonly source: Source;
      readonly span: Span;
    }
  | { readonly kind: 'return'; readonly values: readonly Variable[] };

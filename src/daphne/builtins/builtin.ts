/**
 * What a built-in function is: its parameters, what its results are for the compiler, and what it does. Operators, indices, casts and literals of data
 * objects are built-ins, too, whose names (`$index`) no script can write.
 */

import type { Phase } from '../errors.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Source, Span } from '../source.ts';
import type { FrameType, Type } from '../types.ts';
import type { MaybeLater, Scalar, Value } from '../values/values.ts';

/** An argument as the compiler knows it. */
export interface Argument {
  readonly type: Type;
  /** Its value where the compiler knows it: of literals, script arguments, and what is computed of these. Integers as `Integer` has them. */
  readonly constant: Scalar | undefined;
  /** The name of a function, where the parameter takes one (`map`). */
  readonly function?: FunctionArgument;
}

/** A function of the script that is given to a built-in. */
export interface FunctionArgument {
  readonly name: string;
  /** Its result for arguments of these types; what is wrong with that is an error of the script. */
  resultOf(types: readonly Type[]): Type;
}

/** What an index has on one side: nothing, a position (a number, a matrix of positions or a label), or a range with these ends. */
export type SideForm = 'all' | 'position' | 'range' | 'from' | 'to';

/** What is fixed where a built-in is called, and no value. Which of these a built-in has, its definition says. */
export interface Fixed {
  /** Of `$index`, `$filter`, `$assign`: rows and columns. Arguments for them follow the object (and the new value) in this order. */
  readonly sides?: readonly [SideForm, SideForm];
  /** Of `$matrix`: whether rows and columns are given, as the last arguments. Undefined: neither, which makes a column. */
  readonly shape?: { readonly rows: boolean; readonly columns: boolean };
  /** Of `$cast`. */
  readonly to?: {
    readonly data: 'matrix' | 'scalar' | 'frame' | undefined;
    readonly value: import('../types.ts').ValueType | undefined;
  };
  /** Of `$rows`: how many columns; labels are the first arguments, then row by row. Of `$columns`: label, column, label, column, ... */
  readonly width?: number;
  /** The wanted implementation, `f::name(x)`. */
  readonly kernel?: string;
}

/** A call that the compiler looks at. */
export interface CallToInfer {
  readonly args: readonly Argument[];
  readonly fixed: Fixed;
  /** Views that `registerView` has made known so far. */
  readonly views: Map<string, FrameType>;
  /** Matrices with a smaller part of elements that are not 0 are stored by compressed rows; 0: none are, as without `--select-matrix-repr`. */
  readonly sparseBelow: number;
  /** Ends the compilation: with exit code 1 (`parser`: number and types of arguments) or 2 (`compiler`: shapes, labels, SQL). Points at the argument, or the call. */
  fail(phase: Exclude<Phase, 'execution'>, message: string, argument?: number): never;
  /** Reads a small file that describes another one (`.meta`), as it is at compile time. Undefined: there is none. */
  describe(path: string): string | undefined;
}

/** A call in a program, made once for all of its runs. */
export interface Site {
  readonly builtin: Builtin;
  readonly source: Source;
  readonly span: Span;
  readonly args: readonly Type[];
  readonly results: readonly Type[];
  readonly fixed: Fixed;
}

/** A function of the script at run time. */
export type ScriptFunction = (...args: Value[]) => MaybeLater<readonly Value[]>;

/** What a built-in is given: values, undefined for optional arguments that are left out at the end, a function where the parameter takes one. */
export type RunArgument = Value | ScriptFunction | undefined;

export interface Builtin {
  readonly name: string;
  /** Names of parameters, by which they may be given; `''` cannot be given by name. Of built-ins that take any number: those at the front. */
  readonly parameters: readonly string[];
  /** The same of its other form, which names tell from the first one. */
  readonly otherParameters?: readonly string[];
  /** So many arguments at least, and at most (Infinity: any number). */
  readonly least: number;
  readonly most: number;
  /** Parameters that take the name of a function of the script. */
  readonly functions?: readonly number[];
  /** Where all arguments are scalars, it is this operation on scalars, which is compiled. `infer` and `run` are not asked then. */
  readonly scalar?: ScalarOperation;
  /** The types of its results; [] of one that gives nothing. Throws by `call.fail`. */
  infer(call: CallToInfer): readonly Type[];
  /** A value that the compiler knows already, if all that it depends on is known (`nrow` of a known shape). */
  fold?(call: CallToInfer): Scalar | undefined;
  /** It takes sparse matrices as they are; others are given dense ones. */
  readonly takesSparse?: boolean;
  /**
   * Its results have nothing of these arguments, which it only looks at, so that somebody may change them later. Default: if all its results are
   * scalars. What depends on more, `own` of the runtime is told.
   */
  borrows?(args: readonly RunArgument[]): boolean;
  /** It sets a part of its first argument: in its place where nobody else has it. */
  readonly sets?: boolean;
  /** It has effects (prints, writes, stops), so that it is run even if nobody wants its result, and in its place. */
  readonly effects?: boolean;
  /**
   * Computes the results, as many as `infer` gives types. What is wrong is a `RunError` (exit code 3), to which the place is added.
   * One result may be given by itself.
   */
  run(runtime: Runtime, site: Site, args: readonly RunArgument[]): MaybeLater<Value | readonly Value[] | undefined>;
}

/** What goes wrong while a built-in runs; who called it adds the place. */
export class RunError extends Error {}

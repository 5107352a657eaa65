/** What all parts of an analysis share. */

import type { ScriptError } from '../../base/index.ts';
import type { Builtin } from '../builtins/builtin.ts';
import { type Phase, scriptError } from '../errors.ts';
import type { ProgramFunction } from '../program/program.ts';
import type { Source, Span } from '../source.ts';
import type { FunctionDefinition, ScriptArguments } from '../syntax/index.ts';
import type { FrameType, Type } from '../types.ts';

/** Files as the compiler sees them: those of imports, and what describes data. Undefined: there is none. */
export interface AnalysisFiles {
  read(path: string): string | undefined;
  list(directory: string): readonly string[] | undefined;
  /** One name for each file. */
  realPath(path: string): string | undefined;
}

export interface AnalysisOptions {
  readonly arguments: ScriptArguments;
  readonly files: AnalysisFiles;
  readonly builtins: ReadonlyMap<string, Builtin>;
  /** Folders of what is imported, by names; those of `default_dirs` are looked through for every import. */
  readonly libraries: ReadonlyMap<string, readonly string[]>;
  /** Matrices with a smaller part of elements that are not 0 are stored by compressed rows; 0: none are, as without `--select-matrix-repr`. */
  readonly sparseBelow: number;
  /** Variables that are there before the script, by name. */
  readonly inputs?: ReadonlyMap<string, Type>;
  /** Views of frames that are there before it, by name. */
  readonly views?: ReadonlyMap<string, FrameType>;
  /** What an editor shows: told of every expression's type and of every use of a name, for functions once for each combination of types. */
  readonly record?: AnalysisRecord;
}

export interface AnalysisRecord {
  type(source: Source, span: Span, type: Type): void;
  /** The definition may be in another file. */
  use(source: Source, span: Span, definition: { readonly source: Source; readonly span: Span }): void;
}

/** A file with what it defines. */
export interface Module {
  readonly source: Source;
  /** By the names that it has for them, with prefixes for imported ones. */
  readonly functions: Map<string, Definition[]>;
}

export interface Definition {
  readonly node: FunctionDefinition;
  readonly module: Module;
  /** By types and constants of arguments. */
  readonly instances: Map<string, Instance>;
}

/** The index of a function that nobody calls, which is looked at all the same. */
export const UNCALLED = -1;

/** A function for one combination of arguments. */
export interface Instance {
  readonly definition: Definition;
  readonly index: number;
  /** Undefined while it is being analysed. */
  results: readonly Type[] | undefined;
  failure: ScriptError | undefined;
  isRecursive: boolean;
}

export class Compilation {
  readonly options: AnalysisOptions;
  readonly functions: (ProgramFunction | undefined)[] = [];
  readonly views: Map<string, FrameType>;
  /** Those that are being analysed, from the outermost one. */
  readonly active: Instance[] = [];
  /** Functions that are analysed when all others are, since too many were active: what they give is declared. */
  readonly pending: (() => void)[] = [];
  /** Files that are being imported, the script itself first. */
  readonly importing: string[] = [];
  /** All functions, in the order of their definitions. */
  readonly definitions: Definition[] = [];
  /** The first error of the phase `compiler`: an error of the parser anywhere is told in its place. */
  failure: ScriptError | undefined;

  constructor(options: AnalysisOptions) {
    this.options = options;
    this.views = new Map(options.views);
  }

  wrong(source: Source, span: Span, message: string): never {
    throw scriptError('parser', source, span, message);
  }

  note(source: Source, span: Span, message: string): void {
    this.failure ??= scriptError('compiler', source, span, message);
  }
}

/** Ends what a built-in infers: the error has been noted. */
export class Noted extends Error {
  readonly phase: Phase = 'compiler';
}

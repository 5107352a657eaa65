import type { Builtin } from '../builtins/builtin.ts';
import type { Program } from '../program/program.ts';
import type { Script, ScriptArguments } from '../syntax/index.ts';
import type { Type } from '../types.ts';
import type { Files } from './files.ts';

/** What the compiler takes besides a script. */
export interface AnalysisOptions {
  readonly arguments: ScriptArguments;
  readonly files: Files;
  readonly builtins: ReadonlyMap<string, Builtin>;
  readonly libraries: ReadonlyMap<string, readonly string[]>;
  /** Matrices with a smaller part of elements that are not 0 are stored by compressed rows; 0: none are. */
  readonly sparseBelow: number;
  /** Variables that are there before the script, by name. */
  readonly inputs: ReadonlyMap<string, Type>;
}

/** Makes a program of a script. @throws ScriptError (phase `parser` or `compiler`). */
export type Analyse = (script: Script, options: AnalysisOptions) => Program;

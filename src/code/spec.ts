import type { Gap } from './slice-text.ts';

/** What calling a function gives: a value, a promise, or items one by one. */
export type FunctionKind = 'function' | 'async' | 'generator' | 'asyncGenerator';

export interface SliceSource {
  readonly kind: 'slice';
  /** An expression: an async function that gives the function. */
  readonly text: string;
  /** Of the original file: relative imports start there, and stacks name it. */
  readonly url: string;
  /** Line of the original file = line of the text (from 1) + this. */
  readonly lineOffset: number;
  /** The text has `using` declarations, which an engine without them needs lowered. */
  readonly using?: true;
  /** A tool has written the file and a source map of it; then also what the lines of the text lack of the blank space in the file. */
  readonly mapped?: true;
  readonly gaps?: readonly Gap[];
}

interface ModuleSource {
  readonly kind: 'module';
  readonly url: string;
  readonly exportName: string;
}

/** A function as plain data: sent once to each worker, loaded there by `loadFunction`. */
export interface FunctionSpec {
  /** SHA-256 (hex) of the canonical text; definitions with captured values each have their own. */
  readonly digest: string;
  readonly name: string;
  readonly kind: FunctionKind;
  /** Neither it nor what it reaches goes on after it has returned. */
  readonly synchronous: boolean;
  readonly source: SliceSource | ModuleSource;
  /**
   * It has more than code and immutable values: captured ones, or objects that are made anew wherever it is loaded. Whoever
   * runs the program's own function in its place would share them with the program.
   */
  readonly ownState?: true;
  /** Captured values by name, encoded: see `captures.ts`. */
  readonly captures?: Uint8Array;
}

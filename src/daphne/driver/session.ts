/** A script that is written while it runs, entry by entry: what a REPL is made of. */

import { ScriptError } from '../../base/index.ts';
import { analyse } from '../analysis/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Source } from '../source.ts';
import { parse, type Statement } from '../syntax/index.ts';
import { type FrameType, frame, type Type } from '../types.ts';
import type { Value } from '../values/values.ts';
import { messageOf, runSource, runtimeFor, type Settings } from './execute.ts';

/** What became of an entry. `more`: it is not whole yet, and the next lines belong to it. */
export type Entered = 'done' | 'failed' | 'more';

export interface SessionOptions extends Settings {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

export class ScriptSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  #runtime: Promise<Runtime> | undefined;
  #variables = new Map<string, { readonly type: Type; readonly value: Value }>();
  /** The texts of functions and imports, which every later entry sees. */
  readonly #definitions: string[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The names of its variables. */
  get names(): string[] {
    return [...this.#variables.keys()];
  }

  /**
   * Runs statements, or prints an expression. Nothing of an entry that fails stays but what it has printed, and views.
   *
   * @param isWhole whether lines that come could not belong to it: then what is not whole is an error.
   */
  async enter(text: string, isWhole = false): Promise<Entered> {
    if (text.trim() === '') return 'done';
    const read = readEntry(text);
    if (read === 'more' && !isWhole) return 'more';
    const { entry, statements } = read === 'more' ? { entry: text, statements: [] } : read;
    const { stdout, stderr } = this.#options;
    this.#runtime ??= runtimeFor(this.#options, stdout, stderr);
    const runtime = await this.#runtime;
    const before = this.#definitions.join('\n');
    try {
      const { program, values } = await runSource(
        new Source('<input>', before === '' ? entry : `${before}\n${entry}`),
        {
          ...this.#options,
          analyse: (script, options) => analyse(script, { ...options, views: viewsOf(runtime) }),
          inputs: this.#variables,
          runtime,
          givesOutputs: true,
        },
      );
      this.#variables = new Map(
        program.outputs.map(({ name, variable }, i) => {
          const { type } = program.main.variables[variable] as { type: Type };
          return [name, { type, value: values[i] as Value }];
        }),
      );
      for (const { kind, start, end } of statements)
        if (kind === 'function' || kind === 'import') this.#definitions.push(entry.slice(start, end));
      return 'done';
    } catch (error) {
      stdout(`[error]: ${messageOf(error)}\n`);
      return 'failed';
    }
  }

  /** Ends its workers, if it has any. */
  async [Symbol.asyncDispose](): Promise<void> {
    const runtime = await this.#runtime;
    this.#runtime = undefined;
    await (runtime as Partial<AsyncDisposable> | undefined)?.[Symbol.asyncDispose]?.();
  }
}

const viewsOf = ({ views }: Runtime): Map<string, FrameType> =>
  new Map(
    [...views].map(([name, { rows, columns }]) => [
      name,
      frame(
        columns.map(({ label, value }) => ({ label, value })),
        rows,
      ),
    ]),
  );

/** An entry as statements: as it is, or as an expression that is printed. */
function readEntry(text: string): { entry: string; statements: readonly Statement[] } | 'more' {
  const entries = [text, `print(${text.trim().replace(/;$/, '')});`];
  let first: ScriptError | undefined;
  for (const entry of entries) {
    try {
      const { statements } = parse(new Source('<input>', entry));
      // An expression by itself would be computed, and nobody would see it.
      const only = statements.length === 1 ? statements[0] : undefined;
      if (entry === text && only?.kind === 'expression' && only.expression.kind !== 'call') continue;
      return { entry, statements };
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      first ??= error;
    }
  }
  const at = first?.details?.start as number | undefined;
  if (at !== undefined && at >= text.trimEnd().length) return 'more';
  // The run says what is wrong with it.
  return { entry: text, statements: [] };
}

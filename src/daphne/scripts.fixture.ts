/** Runs scripts in this process, hundreds a second, as the command does. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { analyse } from './analysis/index.ts';
import { commandLine, runOptions } from './command/options.ts';
import { execute, exitCodeOf, messageOf } from './driver/execute.ts';
import { Source } from './source.ts';
import { scriptArguments } from './syntax/index.ts';

export interface TextOptions {
  /** `name=value`, as behind the script. */
  readonly args?: readonly string[];
  /** By their names: they lie in a folder of their own, whose path stands in the script for `$DIR`. The script is `main.daphne` there. */
  readonly files?: Readonly<Record<string, string>>;
  /** Such as `--vec`. */
  readonly flags?: readonly string[];
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runText(script: string, { args = [], files, flags = [] }: TextOptions = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const folder = files === undefined ? undefined : mkdtempSync(join(tmpdir(), 'daphne-'));
  let text = script;
  try {
    if (folder !== undefined) {
      for (const [name, content] of Object.entries(files ?? {})) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
      text = script.replaceAll('$DIR', folder);
    }
    const { given } = commandLine(flags);
    const lists = (given.get('args') as readonly string[] | undefined) ?? [];
    const code = await execute(new Source(folder === undefined ? 'main.daphne' : join(folder, 'main.daphne'), text), {
      ...runOptions(given),
      analyse,
      arguments: scriptArguments(lists, args),
      stdout: (piece) => {
        written.stdout += piece;
      },
      stderr: (piece) => {
        written.stderr += piece;
      },
    });
    return { code, ...written };
  } catch (error) {
    // Arguments and flags, which the command tells standard output of as well.
    return { code: exitCodeOf(error), stdout: `[error]: ${messageOf(error)}\n`, stderr: written.stderr };
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

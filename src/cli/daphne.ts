/** `sheaf daphne`: what DAPHNE's command does, with its options. */

import { readFileSync } from 'node:fs';
import { ScriptError } from '../base/index.ts';
import {
  analyse,
  commandLine,
  configuration,
  descriptor,
  execute,
  exitCodeOf,
  explaining,
  helpText,
  messageOf,
  runOptions,
  scriptArguments,
  sourceAt,
  type Timing,
} from '../daphne/index.ts';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

// A script whose reader has what it wanted (`| head`) is over, as other programs are.
const stdout = descriptor(1, () => process.exit());
const stderr = descriptor(2);

/** Sets the exit code of the process. @param command what it is called by, for its help. */
export async function daphne(args: readonly string[], command: string): Promise<void> {
  try {
    process.exitCode = await run(args, command);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    const text = `[error]: ${messageOf(error)}\n`;
    try {
      stdout(text);
    } catch {
      // It can't be written, perhaps for the same reason: a disk that is full.
      stderr(text);
    }
  }
}

async function run(args: readonly string[], command: string): Promise<number> {
  const startup = performance.now() / 1000;
  const { given, script, rest } = commandLine(args);
  if (given.get('help') === true) {
    stdout(helpText(command));
    return 0;
  }
  if (given.get('version') === true) {
    stdout(`${version()}\n`);
    return 0;
  }
  if (given.get('language-server') === true) {
    const { languageServer } = await import('./language-server.ts');
    try {
      await languageServer();
      return 0;
    } catch (error) {
      // Standard output is the editor's.
      stderr(`[error]: ${messageOf(error)}\n`);
      return 1;
    }
  }
  if (script === undefined && process.stdin.isTTY) {
    const { repl } = await import('./daphne-repl.ts');
    return repl(runOptions(given, configurationAt(given.get('config') as string | undefined)));
  }
  if (script === undefined) {
    throw new ScriptError(
      `no script is given: \`${command} script.daphne\` runs one, and \`${command} --help\` says more`,
      {
        details: { phase: 'parser' },
      },
    );
  }
  const options = runOptions(given, configurationAt(given.get('config') as string | undefined));
  const lists = (given.get('args') as readonly string[] | undefined) ?? [];
  const timing: Timing = { parsing: 0, compilation: 0, execution: 0 };
  const code = await execute(
    sourceAt(script),
    {
      ...options,
      analyse,
      arguments: scriptArguments(lists, rest),
      stdout,
      stderr,
      observer: explaining(options.explain, stderr),
    },
    timing,
  );
  if (options.timing) stderr(`${timingText(startup, timing)}\n`);
  return code;
}

/** A configuration that is not there is only warned of. */
function configurationAt(path: string | undefined): ReturnType<typeof configuration> | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    stdout(`[warn]: the configuration ${path} is not there, or can't be read; the defaults are taken\n`);
    return undefined;
  }
  return configuration(path, text);
}

function timingText(startup: number, { parsing, compilation, execution }: Timing): string {
  const total = startup + parsing + compilation + execution;
  const seconds = { startup, parsing, compilation, execution, total };
  const fields = Object.entries(seconds).map(([name, value]) => `"${name}_seconds": ${value.toFixed(6)}`);
  return `{${fields.join(', ')}}`;
}

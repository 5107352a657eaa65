/** `sheaf daphne` without a script, in a terminal. */

import { createInterface } from 'node:readline/promises';
import { descriptor, type runOptions, ScriptSession } from '../daphne/index.ts';

const PROMPT = 'daphne> ';
const MORE = '   ...> ';

/** Reads entries until the end of the input (Ctrl-D). Ctrl-C drops the entry that has begun. */
export async function repl(options: ReturnType<typeof runOptions>): Promise<number> {
  await using session = new ScriptSession({ ...options, stdout: descriptor(1), stderr: descriptor(2) });
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: PROMPT });
  let entry = '';
  const ask = (prompt: string): void => {
    lines.setPrompt(prompt);
    lines.prompt();
  };
  lines.on('SIGINT', () => {
    process.stdout.write(entry === '' ? '\n(Ctrl-D ends it)\n' : '\n');
    entry = '';
    ask(PROMPT);
  });
  process.stdout.write('DaphneDSL. An expression is printed; Ctrl-D ends it.\n');
  ask(PROMPT);
  for await (const line of lines) {
    entry += entry === '' ? line : `\n${line}`;
    // An empty line ends what can't be whole.
    const entered = await session.enter(entry, line.trim() === '');
    if (entered !== 'more') entry = '';
    ask(entered === 'more' ? MORE : PROMPT);
  }
  process.stdout.write('\n');
  return 0;
}

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { formatDuration } from '../base/index.ts';
import type { NodeRecording } from '../runtime/index.ts';
import { bold, CommandError, dim, say, sayJson, yellow } from './output.ts';
import { askSessions } from './sessions.ts';
import { saySilent } from './tasks.ts';
import { traceOf } from './trace.ts';

interface TimelineOptions {
  readonly seconds?: string;
  readonly json?: boolean;
}

const LONGEST_SECONDS = 3600;
/** What the sessions may take to gather what they have recorded. */
const PATIENCE_MS = 20_000;

export async function timeline(file: string, { seconds = '5', json = false }: TimelineOptions): Promise<void> {
  const length = Number(seconds);
  if (!(length > 0 && length <= LONGEST_SECONDS)) {
    throw new CommandError(`--seconds is ${seconds}; give a number above 0, and ${LONGEST_SECONDS} at most`, 2);
  }
  // Before anybody waits for a recording that could not be kept.
  const out = open(file);
  try {
    if (process.stderr.isTTY) process.stderr.write(dim(`recording for ${formatDuration(length * 1000)} ...\n`));
    const question = { ask: 'record', seconds: length };
    const { running, silent } = await askSessions<NodeRecording>(question, length * 1000 + PATIENCE_MS);
    for (const path of silent)
      say(yellow(`${path}: nothing was recorded there: it is recorded already, or did not answer`));
    if (running.length === 0) throw new CommandError('no session of yours is running: nothing was recorded');
    const trace = traceOf(running);
    writeFileSync(out, JSON.stringify(trace));
    const tasks = trace.traceEvents.filter(({ cat }) => cat === 'task').length;
    const sessions = running.map(({ name, pid, node, silent, leftOut }) => ({ name, pid, node, silent, leftOut }));
    if (json) sayJson({ file, tasks, sessions });
    else {
      say(`${bold(file)}: ${tasks} runs of tasks; open it at https://ui.perfetto.dev`);
      for (const { silent, leftOut } of sessions) {
        if (leftOut > 0) say(yellow(`  ${leftOut} more events had no room: record for less time`));
        saySilent(silent);
      }
    }
  } finally {
    closeSync(out);
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new CommandError(`${file} can't be written: ${(error as Error).message}`);
  }
}

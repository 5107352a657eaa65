import { formatDuration } from '../base/index.ts';
import { type NodeTasks, partyName, type TaskRow } from '../runtime/index.ts';
import { bold, count, dim, say, table, yellow } from './output.ts';
import { askSessions, saySessions } from './sessions.ts';

interface TasksOptions {
  readonly json?: boolean;
  readonly limit?: string;
}

const PATIENCE_MS = 5000;

export async function tasks({ json = false, limit }: TasksOptions): Promise<void> {
  const rows = count(limit, '--limit', 100);
  const sessions = await askSessions<NodeTasks>({ ask: 'tasks', limit: rows }, PATIENCE_MS);
  saySessions(sessions, json, show);
}

function show(node: NodeTasks): void {
  say(`${bold(node.name)}  ${dim(`pid ${node.pid}, node ${node.node}`)}`);
  say();
  if (node.tasks.length === 0) say('  no task is pending');
  else {
    const head = ['task', 'state', 'attempt', 'worker', 'called', 'runs', 'by', 'waits for'];
    for (const line of table([head, ...node.tasks.map(cells)], [2, 3, 4, 5])) say(`  ${line}`);
  }
  const more = node.pending - node.tasks.length;
  if (more > 0) say(dim(`  and ${more} more: --limit shows them`));
  saySilent(node.silent);
}

/** Who was asked and did not answer. */
export function saySilent(silent: readonly number[]): void {
  if (silent.length === 0) return;
  say(yellow(`  ${silent.map(partyName).join(', ')} did not answer: what only they know is left out, they are busy`));
}

function cells(row: TaskRow): string[] {
  const time = (ms: number | null): string => (ms === null ? '-' : formatDuration(Math.round(ms)));
  const site = row.site === null ? '' : dim(` at ${row.site}`);
  return [
    row.name ?? 'not known',
    row.state,
    String(row.attempt + 1),
    row.worker === null ? '-' : String(row.worker),
    time(row.ageMs),
    time(row.runsMs),
    partyName(row.caller),
    `${row.waitsFor}${site}`.trim(),
  ];
}

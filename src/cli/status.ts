import { formatBytes, formatDuration } from '../base/index.ts';
import { explainWaits, type NodeReport, type PartyReport, partyName, shapeName } from '../runtime/index.ts';
import { bold, dim, say, sayJson, table } from './output.ts';
import { askSessions, sayOthers } from './sessions.ts';

const DRIVER = 1;

export async function status({ json = false }: { readonly json?: boolean }): Promise<void> {
  const sessions = await askSessions<NodeReport>({ ask: 'status' });
  const { running, silent, removed } = sessions;
  if (json) {
    sayJson({ sessions: running.map((node) => ({ ...node, waits: explainWaits(node) })), silent, removed });
    return;
  }
  for (const [i, node] of running.entries()) {
    if (i > 0) say();
    show(node);
  }
  sayOthers(sessions);
}

function show(node: NodeReport): void {
  const { capacity, free, memory } = node;
  say(`${bold(node.name)}  ${dim(`pid ${node.pid}, up ${formatDuration(Math.round(node.upMs))}, node ${node.node}`)}`);
  say();
  const lines: [string, string][] = [
    ['cpus', `${round(capacity.cpus - free.cpus)} of ${capacity.cpus} in use`],
    [
      'memory',
      `${formatBytes(memory.used ?? 0)} of ${formatBytes(capacity.memory)} in ${memory.objects ?? 0} objects${memory.spilled ? `, ${formatBytes(memory.spilled)} of them on disk` : ''}`,
    ],
    ['tasks', tasksOf(node)],
    ['references', `${node.references} shared between processes`],
  ];
  if (capacity.gpus > 0) lines.splice(1, 0, ['gpus', `${round(capacity.gpus - free.gpus)} of ${capacity.gpus} in use`]);
  for (const line of table(lines)) say(`  ${line}`);
  say();
  for (const line of table(workersOf(node), [0, 2, 3])) say(`  ${line}`);

  const queued = queuedOf(node);
  if (queued.length > 0) section('queued', queued);
  const waits = explainWaits(node);
  if (waits.length > 0) section('waiting', waits);
  if (node.deaths.length > 0) {
    section(
      'ended workers',
      node.deaths.map(
        ({ worker, reason, at }) => `worker ${worker}, ${formatDuration(Date.now() - at)} ago: ${reason}`,
      ),
    );
  }
}

function section(title: string, lines: readonly string[]): void {
  say();
  say(`  ${bold(title)}`);
  for (const line of lines) say(`    ${line}`);
}

const round = (n: number): number => Math.round(n * 100) / 100;

function reports(node: NodeReport): { party: number; report: PartyReport }[] {
  return node.parties.flatMap(({ party, report }) => (report === null ? [] : [{ party, report }]));
}

function tasksOf(node: NodeReport): string {
  if (node.parties.some(({ party, report }) => party === DRIVER && report === null)) {
    return 'not known: the program is busy with code of its own and does not answer';
  }
  const sum: Record<string, number> = {};
  for (const { report } of reports(node)) {
    for (const [name, n] of Object.entries(report.tasks)) sum[name] = (sum[name] ?? 0) + n;
  }
  const parts = [`${sum.finished ?? 0} done`, `${sum.pending ?? 0} pending`, `${sum.failed ?? 0} failed`];
  const again = (sum.retried ?? 0) + (sum.resubmitted ?? 0);
  if (again > 0) parts.push(`${again} run again`);
  const busy = node.parties.filter(({ report }) => report === null).map(({ party }) => partyName(party));
  return parts.join(', ') + (busy.length === 0 ? '' : dim(` (without those of ${busy.join(', ')}, busy now)`));
}

function workersOf(node: NodeReport): string[][] {
  const rows = [['worker', 'state', 'pid', 'memory', 'task']];
  for (const row of node.workers) {
    const resident = row.resident === null ? '-' : formatBytes(row.resident);
    rows.push([String(row.worker), row.state, String(row.pid ?? '-'), resident, taskOf(node, row.worker, row.caller)]);
  }
  return rows;
}

/** What runs on a worker, by name if the one who called it had time to say. */
function taskOf(node: NodeReport, worker: number, caller: number | null): string {
  const here = reports(node).flatMap(({ report }) => report.sent.filter((each) => each.worker === worker));
  const running = here.find((each) => each.state === 'running');
  const started = here.filter((each) => each.state === 'started');
  const behind = here.filter((each) => each.state === 'sent').reduce((n, each) => n + each.count, 0);
  const parts: string[] = [];
  if (running !== undefined) {
    const attempt = running.attempt === 0 ? '' : `, attempt ${running.attempt + 1}`;
    parts.push(`${running.name} for ${formatDuration(Math.round(running.forMs))}${attempt}`);
  } else if (caller !== null) parts.push(`a task of ${partyName(caller)}`);
  for (const { name, count } of started) parts.push(`${count > 1 ? `${count} × ` : ''}${name} (waits)`);
  if (behind > 0) parts.push(`${behind} more sent`);
  return parts.join(', ');
}

function queuedOf(node: NodeReport): string[] {
  const lines: string[] = [];
  for (const { party, report } of reports(node)) {
    for (const { name, count, key } of report.queued) {
      const row = node.waiting.find((each) => each.key === key && each.owner.split('.')[1] === String(party));
      const why = row === undefined ? '' : ` (each ${shapeName(row.shape)}): ${row.why}`;
      lines.push(`${count.toLocaleString('en-US')} × ${name} of ${partyName(party)}${why}`);
    }
  }
  return lines;
}

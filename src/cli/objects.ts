import { formatBytes, formatDuration } from '../base/index.ts';
import { type CallSite, type NodeObject, type NodeObjects, type Origin, partyName } from '../runtime/index.ts';
import { bold, CommandError, count, dim, say, table } from './output.ts';
import { askSessions, saySessions } from './sessions.ts';
import { saySilent } from './tasks.ts';

interface ObjectsOptions {
  readonly json?: boolean;
  readonly limit?: string;
  readonly by?: string;
}

const PATIENCE_MS = 5000;
const CONTROL = 0;

export async function objects({ json = false, limit, by }: ObjectsOptions): Promise<void> {
  if (by !== undefined && by !== 'callsite') throw new CommandError(`--by is ${by}; it can be callsite`, 2);
  const rows = count(limit, '--limit', 100);
  const sessions = await askSessions<NodeObjects>({ ask: 'objects', limit: rows }, PATIENCE_MS);
  saySessions(sessions, json, (node) => show(node, by === 'callsite', rows));
}

function show(node: NodeObjects, bySite: boolean, limit: number): void {
  const { count, bytes, onDisk } = node;
  const disk = onDisk === 0 ? '' : `, ${formatBytes(onDisk)} of them on disk`;
  const total = `${formatBytes(bytes)} in ${count} ${count === 1 ? 'object' : 'objects'}${disk}`;
  say(`${bold(node.name)}  ${dim(`pid ${node.pid}, node ${node.node}`)}  ${total}`);
  const rows = bySite
    ? [['size', 'objects', 'on disk', 'oldest', 'made by'], ...node.callSites.slice(0, limit).map(siteCells)]
    : [['object', 'size', 'where', 'age', 'held by', 'made by'], ...node.objects.map(objectCells)];
  if (rows.length > 1) {
    say();
    for (const line of table(rows, bySite ? [0, 1, 2, 3] : [1, 3])) say(`  ${line}`);
  }
  const more = (bySite ? node.callSites.length : count) - (rows.length - 1);
  if (more > 0) say(dim(`  and ${more} more: --limit shows them`));
  saySilent(node.silent);
}

function objectCells(row: NodeObject): string[] {
  const where = row.copied ? 'memory, disk' : row.where;
  return [row.id, formatBytes(row.bytes), where, formatDuration(row.ageMs), heldBy(row), madeBy(row.origin)];
}

/** Whoever looks at the bytes is marked; for the control thread, those stand who hold the references that it answers for. */
function heldBy({ holders, users, references }: NodeObject): string {
  const shared = references.flatMap((reference) => reference.holders);
  const parties = [...new Set([...holders, ...users, ...shared])].sort((a, b) => a - b);
  const others = parties.filter((party) => party !== CONTROL);
  if (others.length === 0)
    return parties.length === 0 ? 'nobody' : references.length > 0 ? 'another object' : 'its sender';
  return others.map((party) => (users.includes(party) ? `${partyName(party)} (in use)` : partyName(party))).join(', ');
}

function siteCells({ origin, objects, bytes, onDisk, oldestMs }: CallSite): string[] {
  return [formatBytes(bytes), String(objects), formatBytes(onDisk), formatDuration(oldestMs), madeBy(origin)];
}

function madeBy(origin: Origin | null): string {
  if (origin === null) return 'not known: its maker is gone, or busy';
  const { as, task, site, near } = origin;
  const what =
    as === 'argument' || as === 'result' || as === 'item'
      ? `${as} of ${task}`
      : `${as === 'other' ? 'made' : as}${task === null ? '' : ` in the task ${task}`}`;
  if (site === null) return what;
  return `${what} at ${near ? 'about ' : ''}${site}`;
}

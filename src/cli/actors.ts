import { formatDuration } from '../base/index.ts';
import { type ActorRow, type NodeActors, partyName } from '../runtime/index.ts';
import { bold, count, dim, say, table } from './output.ts';
import { askSessions, saySessions } from './sessions.ts';
import { saySilent } from './tasks.ts';

interface ActorsOptions {
  readonly json?: boolean;
  readonly limit?: string;
}

const PATIENCE_MS = 5000;

export async function actors({ json = false, limit }: ActorsOptions): Promise<void> {
  const question = { ask: 'actors', limit: count(limit, '--limit', 100) };
  const sessions = await askSessions<NodeActors>(question, PATIENCE_MS);
  saySessions(sessions, json, show);
}

function show(node: NodeActors): void {
  say(`${bold(node.name)}  ${dim(`pid ${node.pid}, node ${node.node}`)}`);
  say();
  if (node.actors.length === 0) say('  there are no actors');
  else {
    const head = ['actor', 'name', 'state', 'worker', 'lives', 'pending calls', 'of'];
    for (const line of table([head, ...node.actors.map(cells)], [3, 4, 5])) say(`  ${line}`);
  }
  const more = node.count - node.actors.length;
  if (more > 0) say(dim(`  and ${more} more: --limit shows them`));
  saySilent(node.silent);
}

function cells({ type, name, state, worker, livesMs, pending, owner }: ActorRow): string[] {
  return [
    type ?? 'not known',
    name ?? '-',
    state,
    worker === null ? '-' : String(worker),
    livesMs === null ? '-' : formatDuration(Math.round(livesMs)),
    String(pending),
    partyName(owner),
  ];
}

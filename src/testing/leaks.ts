import { existsSync, readdirSync } from 'node:fs';
import { formatBytes, milliseconds } from '../base/index.ts';
import { type NodeReport, sweepHandles } from '../runtime/index.ts';
import type { Duration, Session } from '../tasks/index.ts';
import { hostBehind, until } from './local.ts';

/** What takes its time, and is no leak: garbage of workers, leases that lie idle, files that are being deleted. */
const PATIENCE_MS = 10_000;

/** Something that a session keeps although nothing goes on in it. */
export interface Leak {
  /** What sort of thing it is. */
  readonly kind: 'task' | 'reference' | 'lease' | 'memory' | 'file';
  /** How many: of memory, how many values. */
  readonly count: number;
  /** The same for people: what it is, and how much. */
  readonly what: string;
}

/**
 * What a session keeps although the program holds nothing of it any more: pending tasks, references that others have come to know,
 * leases of workers, shared memory, files of spilled values. Collects garbage, and gives what is on its way back the time for that
 * (`within`, default 10 s). To be called when all references are released or out of reach:
 * `assert.deepEqual(await leaks(session), [])`.
 */
export async function leaks(session: Session, o: { within?: Duration } = {}): Promise<Leak[]> {
  const host = hostBehind(session, 'leaks');
  const ms = o.within === undefined ? PATIENCE_MS : milliseconds(o.within, 'leaks: within');
  let found: Leak[] = [];
  await until(ms, async () => {
    const { store } = host.values;
    store.collect();
    sweepHandles();
    found = leaksOf((await host.ask('report')) as NodeReport, host.party.owner.pending, filesOf(store));
    return found.length === 0 ? true : undefined;
  });
  return found;
}

function filesOf(store: { readonly room: { readonly spills: boolean; readonly folder: string } }): number {
  if (!store.room.spills || !existsSync(store.room.folder)) return 0;
  return readdirSync(store.room.folder).filter((name) => name.endsWith('.spill')).length;
}

function leaksOf({ references, workers, memory }: NodeReport, pending: number, files: number): Leak[] {
  const leases = workers.reduce((sum, { leases: own }) => sum + own, 0);
  const { objects = 0, used = 0, spilled = 0 } = memory;
  const rows: Leak[] = [
    { kind: 'task', count: pending, what: `${pending} task(s) that are pending` },
    { kind: 'reference', count: references, what: `${references} reference(s) known outside of their owners` },
    { kind: 'lease', count: leases, what: `${leases} lease(s) of workers` },
    {
      kind: 'memory',
      count: objects,
      what: `${objects} value(s) in shared memory, ${formatBytes(used)}${spilled > 0 ? ` and ${formatBytes(spilled)} on disk` : ''}`,
    },
    { kind: 'file', count: files, what: `${files} file(s) of spilled values` },
  ];
  return rows.filter(({ count }) => count > 0);
}

import { type Cell, PUSHED, QUEUED } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { sinceTicks } from '../clock.ts';
import { partyName, shapeName } from '../explain.ts';
import type { PartyHost } from '../party-host.ts';
import { shownSite } from '../sites.ts';

/**
 * Where a task is: it waits for arguments, or for a worker; it was sent to one and stands behind others there; it runs; or it
 * has begun and waits for others itself.
 */
export type TaskState = 'waiting' | 'queued' | 'sent' | 'running' | 'suspended';

/** A task as its caller knows it. */
export interface CallRow {
  readonly sequence: number;
  readonly name: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly worker: number | null;
  /** Milliseconds since it was called. */
  readonly ageMs: number;
  /** Milliseconds since it began, if its caller can tell; null: it has not begun, or only its worker knows. */
  readonly runsMs: number | null;
  readonly waitsFor: string;
  /** The queue that it stands in, for the scheduler's reason; -1: none. */
  readonly key: number;
  /** `file:line:column` of the call, where that was recorded. */
  readonly site: string | null;
}

/** A task as its worker knows it. */
export interface RunRow {
  readonly caller: number;
  readonly sequence: number;
  readonly name: string;
  readonly attempt: number;
  readonly suspended: boolean;
  readonly runsMs: number;
  readonly waitsFor: string;
}

/** What one party knows of tasks: those that it has called, at most so many, and those that run there. */
export interface PartyTasks {
  readonly pending: number;
  readonly calls: readonly CallRow[];
  readonly runs: readonly RunRow[];
}

export function tasksOf(host: PartyHost, limit: number): PartyTasks {
  const calls: CallRow[] = [];
  for (const call of host.pendingCalls()) {
    if (calls.length === limit) break;
    calls.push(callRow(host, call));
  }
  return { pending: host.party.owner.pending, calls, runs: runsOf(host) };
}

function callRow(host: PartyHost, call: Call): CallRow {
  const now = performance.now();
  const row = {
    sequence: call.runName.sequence,
    name: call.name,
    attempt: call.attempt,
    worker: null,
    ageMs: now - call.submittedAt,
    runsMs: null,
    waitsFor: '',
    key: -1,
    site: shownSite(call.site) ?? null,
  };
  switch (call.state) {
    case PUSHED: {
      const { worker } = call.lease!;
      const state = host.stateOf(call);
      if (state === 'sent') return { ...row, state, worker, waitsFor: `what runs on worker ${worker}` };
      if (state === 'started') return { ...row, state: 'suspended', worker };
      return { ...row, state, worker, runsMs: sinceTicks(host.block.currentBegan(worker)) };
    }
    case QUEUED:
      return { ...row, state: 'queued', waitsFor: `a worker with ${shapeName(call.key.shape)}`, key: call.key.id };
    default:
      return { ...row, state: 'waiting', waitsFor: namesOf(call.dependencies.filter((cell) => !cell.settled)) };
  }
}

function runsOf(host: PartyHost): RunRow[] {
  const { executions } = host;
  if (executions === null) return [];
  const waits = host.waits.byRun();
  const now = performance.now();
  return [...executions.runs].map((run) => ({
    caller: run.caller,
    sequence: run.sequence,
    name: run.name,
    attempt: run.attempt,
    suspended: run.suspended > 0,
    runsMs: now - run.begun,
    waitsFor: namesOf(waits.get(run) ?? []),
  }));
}

/** What the makers of these cells are called; those of the same name together. */
function namesOf(cells: readonly Cell[]): string {
  const counts = new Map<string, number>();
  for (const cell of cells) {
    const name = nameOf(cell);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
}

function nameOf(cell: Cell): string {
  let at = cell;
  while (at.alias !== null && !at.alias.settled) at = at.alias;
  if (at.task !== null) return (at.task as Call).name;
  return at.owner === null ? 'a group of references' : `an object of ${partyName(at.owner.party)}`;
}

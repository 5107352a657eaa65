import { formatBytes, formatDuration } from '../base/index.ts';
import { type Cell, PUSHED, QUEUED, type Shape, WAITING } from '../protocol/index.ts';
import { type Call, callOf } from './call.ts';
import { Silence } from './silence.rules.ts';
import { shownSite } from './sites.ts';
import type { TaskHost } from './task-host.ts';

/** Something that is waited for, as a tree of lines: what it waits for itself stands below it, one level deeper. */
interface WaitLine {
  readonly indent: number;
  readonly text: string;
  /** How many waits are like this one. */
  readonly count: number;
  /** The queue whose demand the scheduler can explain; -1: none. */
  readonly key: number;
}

/** Calls that a party has sent to a worker. `started`: begun, and waiting for something; `sent`: behind others there. */
interface SentCalls {
  readonly name: string;
  readonly worker: number;
  readonly state: 'running' | 'started' | 'sent';
  readonly attempt: number;
  readonly count: number;
  /** Milliseconds since its worker was last given something or last answered; for a running call, how long it runs. */
  readonly forMs: number;
}

interface QueuedCalls {
  readonly name: string;
  readonly count: number;
  readonly key: number;
}

/** What one party knows of its own calls and waits. */
export interface PartyReport {
  readonly tasks: Readonly<Record<string, number>>;
  readonly waits: readonly WaitLine[];
  readonly sent: readonly SentCalls[];
  readonly queued: readonly QueuedCalls[];
}

export interface WorkerRow {
  readonly worker: number;
  readonly incarnation: number;
  readonly state: string;
  readonly leases: number;
  readonly pid: number | null;
  /** Bytes; null where it is a thread or can't be told. */
  readonly resident: number | null;
  /** The party whose task is on its stack; null: none. */
  readonly caller: number | null;
  readonly slot: number | null;
}

/** What the control thread knows of its node, with the reports of those parties that answered in time. */
export interface NodeReport {
  readonly node: string;
  readonly name: string;
  readonly pid: number;
  readonly upMs: number;
  readonly isolation: 'process' | 'thread' | 'inline';
  readonly capacity: { readonly cpus: number; readonly gpus: number; readonly memory: number };
  readonly free: { readonly cpus: number; readonly gpus: number; readonly memory: number };
  readonly workers: readonly WorkerRow[];
  readonly waiting: readonly {
    readonly owner: string;
    readonly key: number;
    readonly shape: Shape;
    readonly missing: number;
    readonly waitedMs: number;
    readonly why: string;
  }[];
  readonly references: number;
  readonly memory: Readonly<Record<string, number>>;
  readonly deaths: readonly { readonly worker: number; readonly reason: string; readonly at: number }[];
  /** Null: it has not given its event loop a turn in time. */
  readonly parties: readonly { readonly party: number; readonly report: PartyReport | null }[];
}

const DRIVER = 1;
const MOST_LINES = 12;
const MOST_BELOW = 3;
const DEEPEST = 5;
/** Of a long queue, so many calls are looked at for their names. */
const SAMPLE = 1000;

// ---- one party

/** Looks at a party from inside: bounded work, whatever it has queued. */
export function reportParty(host: TaskHost): PartyReport {
  const { counters, party } = host;
  const { submitted, finished, failed, retried, resubmitted } = counters;
  return {
    tasks: { submitted, pending: party.owner.pending, finished, failed, retried, resubmitted },
    waits: waitLines(host),
    sent: sentCalls(host),
    queued: queuedCalls(host),
  };
}

function sentCalls(host: TaskHost): SentCalls[] {
  const rows = new Map<string, { -readonly [K in keyof SentCalls]: SentCalls[K] }>();
  const now = performance.now();
  for (const task of host.party.owner.inFlight) {
    if (task === null || task.lease === null) continue;
    const call = task as Call;
    const state = host.stateOf(call);
    const { worker, lastUsed } = task.lease;
    const key = `${worker} ${state} ${call.name}`;
    const row = rows.get(key);
    if (row !== undefined) row.count++;
    else {
      const forMs = state === 'running' ? host.runningFor(call) : now - lastUsed;
      rows.set(key, { name: call.name, worker, state, attempt: call.attempt, count: 1, forMs });
    }
  }
  return [...rows.values()].sort((a, b) => a.worker - b.worker).slice(0, 256);
}

function queuedCalls(host: TaskHost): QueuedCalls[] {
  const rows: QueuedCalls[] = [];
  for (const queue of host.party.owner.queues) {
    const { size } = queue.waiting;
    if (size === 0) continue;
    const names = new Map<string, number>();
    let seen = 0;
    queue.waiting.forEach((task) => {
      if (seen === SAMPLE || task.state !== QUEUED) return;
      seen++;
      names.set((task as Call).name, (names.get((task as Call).name) ?? 0) + 1);
    });
    const scale = size / Math.max(1, seen);
    for (const [name, count] of names) rows.push({ name, count: Math.round(count * scale), key: queue.id });
  }
  return rows;
}

// ---- waits

/** What one cell waits for. Cells of which `name` and `what` are the same are one line. */
interface Described {
  readonly name: string;
  /** Where it was called, if that was recorded: only a few calls of a burst have it. */
  readonly site: string | undefined;
  readonly what: string;
  readonly key: number;
  readonly below: readonly Cell[];
}

interface Group {
  readonly first: Described;
  readonly cell: Cell;
  site: string | undefined;
  count: number;
}

function waitLines(host: TaskHost): WaitLine[] {
  const cells: Cell[] = [];
  for (const cell of host.waits.pending()) {
    if (cells.push(cell) === 10 * SAMPLE) break;
  }
  const lines: WaitLine[] = [];
  addLines(host, cells, 0, lines, new Set());
  for (const link of host.actors.awaited) {
    if (lines.length >= MOST_LINES) break;
    lines.push({ indent: 0, text: link.waitsFor, count: 1, key: -1 });
  }
  return lines;
}

function grouped(host: TaskHost, cells: readonly Cell[]): Group[] {
  const groups = new Map<string, Group>();
  for (const cell of cells) {
    const described = describeCell(host, cell);
    const text = `${described.name} ${described.what}`;
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { first: described, cell, site: described.site, count: 1 });
    else {
      group.count++;
      group.site ??= described.site;
    }
  }
  return [...groups.values()];
}

function addLines(host: TaskHost, cells: readonly Cell[], indent: number, to: WaitLine[], seen: Set<Cell>): void {
  const groups = grouped(host, cells);
  const most = indent === 0 ? MOST_LINES : MOST_BELOW;
  for (const { first, cell, site, count } of groups.slice(0, most)) {
    if (to.length >= MOST_LINES) return;
    const at = site === undefined ? '' : ` (called at ${site})`;
    to.push({ indent, text: `${first.name}${at} ${first.what}`, count, key: first.key });
    if (indent < DEEPEST && !seen.has(cell)) {
      seen.add(cell);
      addLines(host, first.below, indent + 1, to, seen);
    }
  }
  const more = groups.slice(most).reduce((n, { count }) => n + count, 0);
  if (more > 0) to.push({ indent, text: `and ${more} more`, count: 1, key: -1 });
}

const NOTHING_BELOW: readonly Cell[] = [];

function describeCell(host: TaskHost, cell: Cell): Described {
  const plain = { site: undefined, key: -1, below: NOTHING_BELOW };
  if (cell.alias !== null && !cell.alias.settled) {
    return { ...plain, name: 'a task', what: 'returned a reference, which is pending', below: [cell.alias] };
  }
  const call = callOf(cell);
  if (call === null) {
    if (cell.owner === null) {
      return { ...plain, name: 'a group of references (`all`)', what: 'has some that are pending' };
    }
    return {
      ...plain,
      name: `the object ${cell.id}`,
      what: `has not come from its owner, ${partyName(cell.owner.party)}`,
    };
  }
  const described = { ...plain, name: call.name, site: shownSite(call.site) };
  switch (call.state) {
    case WAITING: {
      const below = call.dependencies.filter((each) => !each.settled);
      return { ...described, what: `waits for ${below.length} of its arguments`, below };
    }
    case QUEUED: {
      const { leases, waiting, id, shape } = call.key;
      const queue = `${waiting.size} ${waiting.size === 1 ? 'call is' : 'calls are'} queued for ${shapeName(shape)}`;
      const by = leases.length === 0 ? '' : `, served by ${leases.map(({ worker }) => `worker ${worker}`).join(', ')}`;
      return { ...described, what: `is queued: ${queue}${by}`, key: id };
    }
    case PUSHED:
      return { ...described, what: onWorker(host, call) };
    default:
      return { ...described, what: 'is done, and its result is being taken in' };
  }
}

function onWorker(host: TaskHost, call: Call): string {
  const { worker } = call.lease!;
  const attempt = call.attempt === 0 ? '' : `, attempt ${call.attempt + 1}`;
  switch (host.stateOf(call)) {
    case 'running':
      return `runs on worker ${worker} for ${formatDuration(Math.round(host.runningFor(call)))}${attempt}`;
    case 'started':
      return `was started on worker ${worker} and waits there for something itself${attempt}`;
    default:
      if (call.plan.actor?.making)
        return `was sent to worker ${worker}, where its actor is being made: its constructor or \`[init]\` is not over${attempt}`;
      return `was sent to worker ${worker} and stands behind what runs there${attempt}`;
  }
}

// ---- text

export function partyName(party: number): string {
  if (party === 0) return 'the control thread';
  return party === DRIVER ? 'the program' : `worker ${party}`;
}

export function shapeName(shape: Shape): string {
  const parts = [`${shape.cpus} ${shape.cpus === 1 ? 'cpu' : 'cpus'}`];
  if (shape.gpus > 0) parts.push(`${shape.gpus} ${shape.gpus === 1 ? 'gpu' : 'gpus'}`);
  if (shape.memory > 0) parts.push(formatBytes(shape.memory));
  for (const [name, amount] of Object.entries(shape.custom)) parts.push(`${amount} ${name}`);
  return parts.join(', ');
}

/** What everybody waits for and why, one line each; empty when nobody waits. */
export function explainWaits(node: NodeReport): string[] {
  const lines: string[] = [];
  for (const { party, report } of node.parties) {
    if (report === null) {
      // A worker in the middle of a synchronous task is only working.
      if (party === DRIVER) lines.push('the program gives its event loop no turn: it is busy with code of its own');
      continue;
    }
    if (report.waits.length === 0) continue;
    const base = party === DRIVER ? 0 : 1;
    if (base === 1) lines.push(`a task on ${partyName(party)} waits for:`);
    for (const { indent, text, count, key } of report.waits) {
      const why = key < 0 ? undefined : reasonOf(node, party, key);
      const times = count > 1 ? `${count} × ` : '';
      lines.push(`${'  '.repeat(base + indent)}${times}${text}${why === undefined ? '' : ` (${why})`}`);
    }
  }
  return lines;
}

/** Why the scheduler has not lent a worker for a queue, if it is short of one. */
function reasonOf(node: NodeReport, party: number, key: number): string | undefined {
  const row = node.waiting.find((each) => each.key === key && each.owner.split('.')[1] === String(party));
  return row?.why;
}

// ---- the one who looks

/** After so long without any progress a wait is explained; milliseconds, 0 for never. */
function explainAfter(): number {
  const text = process.env.SHEAF_EXPLAIN_AFTER_MS;
  const ms = text === undefined || text === '' ? 10_000 : Number(text);
  return ms >= 0 ? ms : 10_000;
}

/**
 * Says once what a driver waits for when nothing has come in for long (see `Silence`). It looks only while somebody waits: the
 * host calls `parked` before it sleeps, which costs a comparison.
 */
export class Explainer {
  readonly #host: TaskHost;
  readonly #silence: Silence;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: TaskHost, after = explainAfter()) {
    this.#host = host;
    this.#silence = new Silence(after);
  }

  parked(): void {
    if (this.#timer !== undefined || this.#silence.pause === undefined || this.#host.waits.waiting === 0) return;
    this.#silence.begin(performance.now(), this.#progress);
    this.#lookLater();
  }

  /** A count of what has come in. */
  get #progress(): number {
    return this.#host.counters.finished + this.#host.reactor.deliveries;
  }

  #lookLater(): void {
    this.#timer = setTimeout(this.#look, this.#silence.pause);
    this.#timer.unref();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const host = this.#host;
    if (host.closed || host.waits.waiting === 0) return;
    const silent = this.#silence.look(performance.now(), this.#progress);
    if (silent !== undefined) void this.explain(`nothing has come in for ${formatDuration(Math.round(silent))}`);
    this.#lookLater();
  };

  /** Logs what is waited for, now. */
  async explain(occasion: string): Promise<void> {
    const host = this.#host;
    if (host.closed) return;
    const node = (await host.ask('status')) as NodeReport;
    const lines = explainWaits(node);
    if (lines.length === 0) lines.push(...nothingAwaited(node));
    host.log([`sheaf: ${occasion}. Waiting for:`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

function nothingAwaited(node: NodeReport): string[] {
  const driver = node.parties.find(({ party }) => party === DRIVER)?.report;
  const pending = driver?.tasks.pending ?? 0;
  return [pending === 0 ? 'nothing: no task is pending' : `nothing, though ${pending} tasks are pending`];
}

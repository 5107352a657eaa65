import { formatBytes, formatDuration } from '../base/index.ts';
import { type Cell, PUSHED, QUEUED, type Shape, WAITING } from '../protocol/index.ts';
import type { Call } from './call.ts';
import type { HostMessage, PartyHost } from './party-host.ts';

/** Something that is waited for, as a tree of lines: what it waits for itself stands below it, one level deeper. */
export interface WaitLine {
  readonly indent: number;
  readonly text: string;
  /** How many waits are like this one. */
  readonly count: number;
  /** The queue whose demand the scheduler can explain; -1: none. */
  readonly key: number;
}

/** Calls that a party has sent to a worker. `started`: begun, and waiting for something; `sent`: behind others there. */
export interface SentCalls {
  readonly name: string;
  readonly worker: number;
  readonly state: 'running' | 'started' | 'sent';
  readonly attempt: number;
  readonly count: number;
  /** Milliseconds since its worker was last given something or last answered; for a running call, how long it runs. */
  readonly forMs: number;
}

export interface QueuedCalls {
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
  readonly isolation: 'process' | 'thread';
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
export function reportParty(host: PartyHost): PartyReport {
  const { counters, party } = host;
  const { submitted, finished, failed, retried, resubmitted } = counters;
  return {
    tasks: { submitted, pending: party.owner.pending, finished, failed, retried, resubmitted },
    waits: waitLines(host),
    sent: sentCalls(host),
    queued: queuedCalls(host),
  };
}

/** Answers the control thread's question with this party's report. */
export function answerWithReport(host: PartyHost): (message: HostMessage) => void {
  return (message) => {
    if (message.type !== 'ask') return;
    host.mailer.post(0, { type: 'answer', question: message.question, answer: reportParty(host) });
  };
}

function stateOnWorker(host: PartyHost, call: Call): SentCalls['state'] {
  const { worker } = call.lease!;
  if (host.block.currentSlot(worker, host.self.party) === call.slot) return 'running';
  return host.reactor.taskWriter(worker).claimed(call.ticket) ? 'started' : 'sent';
}

function sentCalls(host: PartyHost): SentCalls[] {
  const rows = new Map<string, { -readonly [K in keyof SentCalls]: SentCalls[K] }>();
  const now = performance.now();
  for (const task of host.party.owner.inFlight) {
    if (task === null || task.lease === null) continue;
    const call = task as Call;
    const state = stateOnWorker(host, call);
    const { worker, lastUsed } = task.lease;
    const key = `${worker} ${state} ${call.name}`;
    const row = rows.get(key);
    if (row !== undefined) row.count++;
    else {
      rows.set(key, { name: call.name, worker, state, attempt: call.attempt, count: 1, forMs: now - lastUsed });
    }
  }
  return [...rows.values()].sort((a, b) => a.worker - b.worker).slice(0, 256);
}

function queuedCalls(host: PartyHost): QueuedCalls[] {
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

function waitLines(host: PartyHost): WaitLine[] {
  const groups = new Map<string, { cell: Cell; count: number }>();
  let looked = 0;
  for (const cell of host.waits.pending()) {
    if (++looked > 10 * SAMPLE) break;
    const { text } = describeCell(host, cell);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { cell, count: 1 });
    else group.count++;
  }
  const lines: WaitLine[] = [];
  const seen = new Set<Cell>();
  for (const { cell, count } of groups.values()) {
    if (lines.length >= MOST_LINES) break;
    addLines(host, cell, count, 0, lines, seen);
  }
  return lines;
}

function addLines(host: PartyHost, cell: Cell, count: number, indent: number, to: WaitLine[], seen: Set<Cell>): void {
  if (seen.has(cell) || to.length >= MOST_LINES) return;
  seen.add(cell);
  const { text, key, below } = describeCell(host, cell);
  to.push({ indent, text, count, key });
  if (indent === DEEPEST) return;
  for (const next of below.slice(0, MOST_BELOW)) addLines(host, next, 1, indent + 1, to, seen);
  const more = below.length - MOST_BELOW;
  if (more > 0) to.push({ indent: indent + 1, text: `and ${more} more`, count: 1, key: -1 });
}

function describeCell(host: PartyHost, cell: Cell): { text: string; key: number; below: readonly Cell[] } {
  const none: readonly Cell[] = [];
  if (cell.alias !== null && !cell.alias.settled) {
    return { text: 'a task gave its place to another reference, which is pending', key: -1, below: [cell.alias] };
  }
  const call = cell.task as Call | null;
  if (call === null) {
    if (cell.owner === null) return { text: 'a group of references (`all`) of which some are pending', key: -1, below: none };
    return {
      text: `the object ${cell.id}, which is to be fetched from its owner, ${partyName(cell.owner.party)}`,
      key: -1,
      below: none,
    };
  }
  const name = nameOf(call);
  switch (call.state) {
    case WAITING: {
      const below = call.dependencies.filter((each) => !each.settled);
      return { text: `${name} waits for ${below.length} of its arguments`, key: -1, below };
    }
    case QUEUED: {
      const { leases, waiting, id } = call.key;
      const ahead = `${waiting.size} ${waiting.size === 1 ? 'call is' : 'calls are'} queued for ${shapeName(call.key.shape)}`;
      const workers = leases.length === 0 ? '' : `, and ${leases.length} ${leases.length === 1 ? 'worker has' : 'workers have'} them`;
      return { text: `${name} is queued: ${ahead}${workers}`, key: id, below: none };
    }
    case PUSHED:
      return { text: `${name} ${onWorker(host, call)}`, key: -1, below: none };
    default:
      return { text: `${name} is done, and its result is being taken in`, key: -1, below: none };
  }
}

function onWorker(host: PartyHost, call: Call): string {
  const { worker, lastUsed } = call.lease!;
  const attempt = call.attempt === 0 ? '' : `, attempt ${call.attempt + 1}`;
  const since = formatDuration(Math.round(performance.now() - lastUsed));
  switch (stateOnWorker(host, call)) {
    case 'running':
      return `runs on worker ${worker} since ${since}${attempt}`;
    case 'started':
      return `was started on worker ${worker} and waits there for something itself${attempt}`;
    default:
      return `was sent to worker ${worker} and stands behind what runs there${attempt}`;
  }
}

function nameOf(call: Call): string {
  const at = call.site === null ? undefined : userFrame(call.site.stack ?? '');
  return at === undefined ? call.name : `${call.name} (called at ${at})`;
}

const ownFolder = import.meta.url.slice(0, import.meta.url.lastIndexOf('/') + 1);
const ownPath = ownFolder.replace(/^file:\/\//, '');

/** The first line of a stack that is not the package's own. */
function userFrame(stack: string): string | undefined {
  for (const line of stack.split('\n').slice(1)) {
    if (line.includes(ownFolder) || line.includes(ownPath) || line.includes('node:')) continue;
    const match = /\(?([^\s(]+:\d+:\d+)\)?$/.exec(line);
    if (match !== null) return match[1]!.replace(/^file:\/\//, '');
  }
  return undefined;
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
export function explainAfter(): number {
  const text = process.env.SHEAF_EXPLAIN_AFTER_MS;
  const ms = text === undefined || text === '' ? 10_000 : Number(text);
  return ms >= 0 ? ms : 10_000;
}

/**
 * Says once what a driver waits for when nothing has come in for long. It looks a few times in that span, and only while
 * somebody waits: the host calls `parked` before it sleeps, which costs a comparison.
 */
export class Explainer {
  readonly #host: PartyHost;
  readonly #after: number;
  #timer: NodeJS.Timeout | undefined;
  #progress = -1;
  #since = 0;
  #told = false;

  constructor(host: PartyHost, after = explainAfter()) {
    this.#host = host;
    this.#after = after;
  }

  parked(): void {
    if (this.#timer !== undefined || this.#after === 0 || this.#host.waits.waiting === 0) return;
    this.#timer = setTimeout(this.#look, this.#after / 4);
    this.#timer.unref();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const host = this.#host;
    if (host.closed || host.waits.waiting === 0) return;
    const progress = host.counters.finished + host.reactor.deliveries;
    const now = performance.now();
    if (progress !== this.#progress) {
      this.#progress = progress;
      this.#since = now - this.#after / 4;
      this.#told = false;
    } else if (!this.#told && now - this.#since >= this.#after) {
      this.#told = true;
      void this.explain(`nothing has come in for ${formatDuration(Math.round(now - this.#since))}`);
    }
    this.parked();
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

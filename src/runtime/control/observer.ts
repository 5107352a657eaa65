import type { ObjectRow } from '../../memory/index.ts';
import { type ActorTable, type Directory, ownerOf, type Scheduler } from '../../protocol/index.ts';
import type { ControlBlock } from '../../transport/index.ts';
import type { ControlConfig } from '../config.ts';
import type { Origin, OriginsReport } from '../origins.ts';
import type { PartyActors } from '../reports/party-actors.ts';
import type { CallRow, PartyTasks, RunRow } from '../reports/party-tasks.ts';
import { Gathered, Stored, type Wire } from '../values.ts';
import type { Members } from './members.ts';
import type { MemoryKeeper } from './memory-keeper.ts';
import type { Gathered as Answers, Reporter } from './reporter.ts';

/** Which session an answer is about, and who is missing in it. */
export interface NodeName {
  readonly node: string;
  readonly name: string;
  readonly pid: number;
  /** Parties that were asked and were busy: what only they know is left out. */
  readonly silent: readonly number[];
}

export interface TaskRow extends Omit<CallRow, 'sequence' | 'key' | 'name' | 'ageMs'> {
  /** As `current().id` has it. */
  readonly id: string;
  /** Null: whoever knows is busy. */
  readonly name: string | null;
  /** The party that has called it. */
  readonly caller: number;
  readonly ageMs: number | null;
}

export interface NodeTasks extends NodeName {
  /** Tasks that are not over, of all parties that have answered. */
  readonly pending: number;
  /** Those that are furthest, at most as many as were asked for. */
  readonly tasks: readonly TaskRow[];
}

/** A reference to an object that several parties know, and who holds it. */
export interface SharedReference {
  readonly id: string;
  readonly holders: readonly number[];
}

export interface NodeObject extends Omit<ObjectRow, 'index' | 'generation'> {
  readonly id: string;
  readonly references: readonly SharedReference[];
  /** Null: whoever knows is busy, or gone. */
  readonly origin: Origin | null;
}

/** The objects that one line of user code has made. */
export interface CallSite {
  readonly origin: Origin | null;
  readonly objects: number;
  readonly bytes: number;
  readonly onDisk: number;
  readonly oldestMs: number;
}

export interface NodeObjects extends NodeName {
  readonly count: number;
  readonly bytes: number;
  readonly onDisk: number;
  /** The largest, at most as many as were asked for. */
  readonly objects: readonly NodeObject[];
  /** All of them, by the line that has made them, the most bytes first. */
  readonly callSites: readonly CallSite[];
}

export interface ActorRow {
  readonly id: string;
  /** Its class; null: it has no worker, or that is busy. */
  readonly type: string | null;
  readonly name: string | null;
  readonly state: string;
  readonly worker: number | null;
  readonly livesMs: number | null;
  /** Calls that are not over, of all parties that have answered. */
  readonly pending: number;
  /** The party that has created it. */
  readonly owner: number;
}

export interface NodeActors extends NodeName {
  readonly count: number;
  readonly actors: readonly ActorRow[];
}

interface Sources {
  readonly actors: ActorTable<Wire>;
  readonly config: ControlConfig;
  readonly members: Members;
  readonly block: ControlBlock;
  readonly reporter: Reporter;
  readonly directory: Directory<Wire>;
  readonly scheduler: Scheduler;
  readonly memory: MemoryKeeper;
}

const ORDER = ['running', 'suspended', 'sent', 'queued', 'waiting'];

/** Answers what people want to know of tasks and objects: from shared memory, its own tables, and the parties that have time. */
export class Observer {
  readonly #from: Sources;

  constructor(from: Sources) {
    this.#from = from;
  }

  #name(answers: Answers<unknown>): NodeName {
    const { node, name } = this.#from.config;
    const silent = answers.filter(({ report }) => report === null).map(({ party }) => party);
    return { node, name, pid: process.pid, silent };
  }

  #ready(): number[] {
    return [...this.#from.members].filter((member) => member.ready).map((member) => member.party);
  }

  // ---- tasks

  async tasks(limit: number): Promise<NodeTasks> {
    const answers = await this.#from.reporter.gather<PartyTasks>(this.#ready(), 'tasks', limit);
    const runs = new Map<string, RunRow & { worker: number }>();
    for (const { party: worker, report } of answers) {
      for (const run of report?.runs ?? []) runs.set(`${worker} ${run.caller} ${run.sequence}`, { ...run, worker });
    }
    const tasks: TaskRow[] = [];
    for (const { party, report } of answers) {
      for (const call of report?.calls ?? []) {
        const key = `${call.worker} ${party} ${call.sequence}`;
        tasks.push(this.#taskRow(party, call, runs.get(key)));
        runs.delete(key);
      }
    }
    const silent = new Set(answers.filter(({ report }) => report === null).map(({ party }) => party));
    // Their callers could not say that they have called them.
    for (const run of runs.values()) if (silent.has(run.caller)) tasks.push(this.#runRow(run));
    for (const worker of silent) {
      for (const caller of silent) {
        if (this.#from.block.currentSlot(worker, caller) >= 0) tasks.push(unknownRow(worker, caller));
      }
    }
    tasks.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (b.ageMs ?? 0) - (a.ageMs ?? 0));
    const pending = answers.reduce((n, { report }) => n + (report?.pending ?? 0), 0);
    return { ...this.#name(answers), pending, tasks: tasks.slice(0, limit) };
  }

  #id(caller: number, sequence: number): string {
    return `${this.#from.config.node}-${caller}-${sequence}`;
  }

  #taskRow(caller: number, { sequence, key, ...call }: CallRow, run: RunRow | undefined): TaskRow {
    const row = { ...call, id: this.#id(caller, sequence), caller };
    if (run !== undefined) {
      const state = run.suspended ? 'suspended' : 'running';
      return { ...row, state, runsMs: run.runsMs, waitsFor: run.waitsFor };
    }
    if (key < 0) return row;
    const owner = this.#from.members.get(caller)?.key;
    const why = this.#from.scheduler.explain().find((each) => each.owner === owner && each.key === key)?.why;
    return why === undefined ? row : { ...row, waitsFor: `${row.waitsFor} (${why})` };
  }

  #runRow({
    caller,
    sequence,
    name,
    attempt,
    suspended,
    runsMs,
    waitsFor,
    worker,
  }: RunRow & { worker: number }): TaskRow {
    const state = suspended ? 'suspended' : 'running';
    const id = this.#id(caller, sequence);
    return { id, name, state, attempt, worker, caller, ageMs: null, runsMs, waitsFor, site: null };
  }

  // ---- actors

  async actors(limit: number): Promise<NodeActors> {
    const { reporter, actors } = this.#from;
    const answers = await reporter.gather<PartyActors>(this.#ready(), 'actors', limit);
    const hosted = new Map(answers.flatMap(({ report }) => (report?.hosted ?? []).map((each) => [each.id, each])));
    const pending = new Map<string, number>();
    for (const { report } of answers) {
      for (const [id, calls] of report?.pending ?? []) pending.set(id, (pending.get(id) ?? 0) + calls);
    }
    const rows = actors.rows().map(
      ({ id, name, state, worker }): ActorRow => ({
        id,
        type: hosted.get(id)?.type ?? null,
        name,
        state,
        worker: worker < 0 ? null : worker,
        livesMs: hosted.get(id)?.livesMs ?? null,
        pending: pending.get(id) ?? 0,
        owner: ownerOf(id).party,
      }),
    );
    return { ...this.#name(answers), count: rows.length, actors: rows.slice(0, limit) };
  }

  // ---- objects

  async objects(limit: number): Promise<NodeObjects> {
    const { reporter, memory } = this.#from;
    const answers = await reporter.gather<OriginsReport>(this.#ready(), 'origins', limit);
    const origins = new Map<string, Origin>();
    for (const { report } of answers) {
      if (report === null) continue;
      const { slots } = report;
      for (let i = 0; i < slots.length; i += 3) {
        const id = `${slots[i]}.${slots[i + 1]}`;
        const origin = report.origins[slots[i + 2] as number] as Origin;
        // The caller knows more of a result than the worker that has made it.
        if ((origins.get(id)?.site ?? null) === null) origins.set(id, origin);
      }
    }
    const references = this.#references();
    const rows = memory.store
      .objects()
      .map(({ index, generation, ...row }): NodeObject => {
        const id = `${index}.${generation}`;
        return { id, ...row, references: references.get(id) ?? [], origin: origins.get(id) ?? null };
      })
      .sort((a, b) => b.bytes - a.bytes || b.ageMs - a.ageMs);
    return {
      ...this.#name(answers),
      count: rows.length,
      bytes: sum(rows, ({ bytes }) => bytes),
      onDisk: sum(rows, ({ where, bytes }) => (where === 'disk' ? bytes : 0)),
      objects: rows.slice(0, limit),
      callSites: bySite(rows),
    };
  }

  /** The shared references to each object. */
  #references(): Map<string, SharedReference[]> {
    const { directory, memory } = this.#from;
    const found = new Map<string, SharedReference[]>();
    for (const { id, holders, payload } of directory.entries()) {
      const reference = { id, holders: partiesOf(Object.keys(holders)) };
      for (const slot of slotsOf(memory.values.parse(payload))) {
        const known = found.get(slot);
        if (known === undefined) found.set(slot, [reference]);
        else if (!known.includes(reference)) known.push(reference);
      }
    }
    return found;
  }
}

function unknownRow(worker: number, caller: number): TaskRow {
  const nothing = { attempt: 0, ageMs: null, runsMs: null, waitsFor: '', site: null };
  return { ...nothing, id: '', name: null, state: 'running', worker, caller };
}

/** Those holders of the directory that are parties: their keys have the party behind the node; see `addressKey`. */
function partiesOf(holders: readonly string[]): number[] {
  const parties = holders.filter((holder) => !holder.startsWith('in:')).map((holder) => Number(holder.split('.')[1]));
  return [...new Set(parties)].sort((a, b) => a - b);
}

function slotsOf(value: unknown): string[] {
  if (value instanceof Gathered) return value.items.flatMap(slotsOf);
  if (!(value instanceof Stored)) return [];
  const extents = value.bodyExtent === null ? value.buffers : [value.bodyExtent, ...value.buffers];
  return extents.map(({ slot }) => `${slot.index}.${slot.generation}`);
}

function bySite(rows: readonly NodeObject[]): CallSite[] {
  const sites = new Map<string, { origin: Origin | null; rows: NodeObject[] }>();
  for (const row of rows) {
    const { origin } = row;
    const key = origin === null ? '' : [origin.as, origin.task, origin.site].join('\n');
    const site = sites.get(key);
    if (site === undefined) sites.set(key, { origin, rows: [row] });
    else site.rows.push(row);
  }
  return [...sites.values()]
    .map(({ origin, rows }) => ({
      origin,
      objects: rows.length,
      bytes: sum(rows, ({ bytes }) => bytes),
      onDisk: sum(rows, ({ where, bytes }) => (where === 'disk' ? bytes : 0)),
      oldestMs: rows.reduce((most, { ageMs }) => Math.max(most, ageMs), 0),
    }))
    .sort((a, b) => b.bytes - a.bytes);
}

function sum<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((n, row) => n + of(row), 0);
}

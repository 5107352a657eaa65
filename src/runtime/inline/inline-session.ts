import { randomBytes } from 'node:crypto';
import { UsageError } from '../../base/index.ts';
import { SharedStore } from '../../memory/index.ts';
import { closeBeforeExit, explainOnSignal, reportAtExit, tidyAtExit } from '../at-exit.ts';
import { DRIVER } from '../config.ts';
import { residentBytes } from '../control/reporter.ts';
import { StatusServer } from '../control/status-server.ts';
import { Explainer, type NodeReport, reportParty } from '../explain.ts';
import { ACTORS_END_MS } from '../last-moments.ts';
import type { SessionOptions } from '../session.ts';
import { sessionSocket } from '../session-socket.ts';
import { type SessionStats, sessionStats } from '../stats.ts';
import { addEngine, addInline, removeEngine, removeInline } from '../thread-state.ts';
import { endActors } from './inline-endings.ts';
import { InlineEngine } from './inline-engine.ts';
import { InlineHost } from './inline-host.ts';
import { endTasksOfStrayErrors } from './stray-errors.ts';

/** The parties of its memory: the least that a store is made for. */
const PARTIES = DRIVER + 1;

/** An open session whose tasks run in the program's own thread. */
export class InlineSession {
  readonly engine: InlineEngine;
  readonly host: InlineHost;
  readonly node = randomBytes(8).toString('hex');
  readonly name: string;
  readonly #store: SharedStore;
  readonly #status: StatusServer | undefined;
  readonly #since = performance.now();
  readonly #quiet: () => void;
  readonly #unreport: () => void;
  #closing: Promise<void> | undefined;

  static open(o: SessionOptions): InlineSession {
    return new InlineSession(o);
  }

  private constructor(o: SessionOptions) {
    this.name = o.name;
    this.#store = SharedStore.create({ limit: o.memory, parties: PARTIES, between: 'threads', party: DRIVER });
    this.host = new InlineHost({
      self: { node: this.node, party: DRIVER, incarnation: 1 },
      store: this.#store,
      capacity: { cpus: o.cpus, gpus: o.gpus, memory: o.memory, custom: o.resources },
      checkWrites: o.checkWrites,
      log: (line) => console.error(line),
    });
    this.engine = new InlineEngine(this.host, o.isolation ?? 'process');
    addEngine(this.engine);
    addInline(this.host);
    const explainer = new Explainer(this.host);
    this.host.onWait = () => explainer.parked();
    this.host.onAsk = () => this.#report();
    const socket = sessionSocket(this.node);
    this.#status = socket === undefined ? undefined : new StatusServer(socket, { status: async () => this.#report() });
    const silent = explainOnSignal(explainer);
    const tidy = tidyAtExit(socket, this.#store, undefined);
    const leave = closeBeforeExit(
      () => this.host.actors.made,
      () => this.close(),
    );
    const unlisten = endTasksOfStrayErrors(this.host.executions);
    this.#unreport = reportAtExit(this.host);
    this.#quiet = () => {
      leave();
      silent();
      explainer.close();
      tidy();
      unlisten();
    };
  }

  get url(): string {
    return `sheaf://local/${this.node}`;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  async ask(what: string): Promise<unknown> {
    if (this.closed) throw new UsageError('the session is closed');
    return this.host.ask(what);
  }

  stats(): SessionStats {
    return sessionStats(this.host);
  }

  #report(): NodeReport {
    const { turns, executions, party } = this.host;
    const { capacity, free } = turns;
    const now = performance.now();
    return {
      node: this.node,
      name: this.name,
      pid: process.pid,
      upMs: now - this.#since,
      isolation: 'inline',
      capacity,
      free,
      workers: [
        {
          worker: DRIVER,
          incarnation: 1,
          state: executions.busy ? 'busy' : 'idle',
          leases: turns.under,
          pid: process.pid,
          resident: residentBytes(process.pid),
          caller: null,
          slot: null,
        },
      ],
      waiting: party.owner.queues
        .filter((key) => key.waiting.size > 0)
        .map((key) => ({
          owner: party.key,
          key: key.id,
          shape: key.shape,
          missing: key.waiting.size,
          waitedMs: 0,
          why: turns.why(key),
        })),
      references: party.references.owned.size,
      memory: { ...this.#store.stats() },
      deaths: [],
      parties: [{ party: DRIVER, report: reportParty(this.host) }],
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    removeEngine(this.engine);
    const ended = endActors(this.host, ACTORS_END_MS.close);
    // What they do at their end is code of tasks still.
    if (ended !== undefined) await ended;
    removeInline(this.host);
    this.#quiet();
    this.#status?.close();
    this.host.close('the session was closed');
    this.#unreport();
    this.#store.close();
  }
}

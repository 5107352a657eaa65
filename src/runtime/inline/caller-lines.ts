import type { Cell, KeyQueue } from '../../protocol/index.ts';
import { type ActorLink, CALLS, type CallTarget, type LineBeside, Methods } from '../actor-link.ts';
import { Actors } from '../actors.ts';
import type { FunctionEntry } from '../call.ts';
import type { InlineHost } from './inline-host.ts';
import { outside } from './outside.ts';

/**
 * The calls that one task, or one actor, makes to an actor. With workers these have lines of their own, because they are in
 * processes of their own: a call of somebody else whose argument is pending does not hold them up. So they have here.
 */
class CallerLine implements CallTarget, LineBeside {
  readonly #host: InlineHost;
  readonly #link: ActorLink;
  readonly #methods: Methods;
  readonly queue: KeyQueue;
  pending = 0;

  constructor(host: InlineHost, link: ActorLink) {
    this.#host = host;
    this.#link = link;
    this.#methods = new Methods(host, link.name, null);
    this.queue = host.party.owner.orderedQueue(CALLS);
  }

  get name(): string {
    return this.#link.name;
  }

  get uses(): readonly Cell[] {
    return this.#link.uses;
  }

  get refusal(): Error | undefined {
    return this.#link.refusal;
  }

  get making(): boolean {
    return this.#link.making;
  }

  method(name: string): FunctionEntry {
    return this.#methods.get(name);
  }

  hasCallsOf(): boolean {
    return this.pending > 0;
  }

  /** The link knows of it only as long as it has calls: tasks come and go. */
  began(): void {
    const link = this.#link;
    if (this.pending === 1) link.joined(this);
    if (link.worker >= 0) this.#host.party.owner.attach(this.queue, link.worker, link.incarnation);
    link.began();
    this.#host.kick();
  }

  ended(): void {
    this.pending--;
    this.#link.tellIfQuiet();
    if (this.pending === 0) this.#leave();
  }

  #leave(): void {
    const link = this.#link;
    if (this.pending > 0) return;
    const { owner } = this.#host.party;
    // One that is cancelled is over before its run has heard of it.
    if (owner.inFlightAt(this.queue, link.worker, link.incarnation) > 0) {
      outside(() => setImmediate(() => this.#leave()));
      return;
    }
    link.left(this);
    if (link.worker >= 0) owner.detach(this.queue, link.worker, link.incarnation);
  }

  changed(link: ActorLink): void {
    const { refusal } = link;
    if (link.over && refusal !== undefined) this.#host.party.owner.failLine(this.queue, () => refusal);
  }
}

/** The actors of an inline session, as the program and its tasks call them. */
export class InlineActors extends Actors {
  readonly #host: InlineHost;
  readonly #lines = new WeakMap<ActorLink, WeakMap<object, CallerLine>>();

  constructor(host: InlineHost) {
    super(host);
    this.#host = host;
  }

  override target(cell: Cell, name: string): CallTarget {
    const link = this.link(cell, name);
    const caller = this.#host.executions.caller();
    if (caller === undefined) return link;
    let lines = this.#lines.get(link);
    if (lines === undefined) {
      lines = new WeakMap();
      this.#lines.set(link, lines);
    }
    let line = lines.get(caller);
    if (line === undefined) {
      line = new CallerLine(this.#host, link);
      lines.set(caller, line);
    }
    return line;
  }
}

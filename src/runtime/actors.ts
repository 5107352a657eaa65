import { ActorDiedError, CancelledError, SheafError, UnschedulableError, UsageError } from '../base/index.ts';
import type { FunctionSpec } from '../code/index.ts';
import { type ActorNews, type Cell, NO_CELLS, type TaskRecord } from '../protocol/index.ts';
import { ActorLink, type CallTarget, diedError, Methods } from './actor-link.ts';
import { ActorPool } from './actor-pool.ts';
import type { Call } from './call.ts';
import { type ActorPlan, actorsOf } from './engine.ts';
import type { CreateQuestion, NameAnswer } from './host-messages.ts';
import type { PoolLimits } from './pool.rules.ts';
import { lasting } from './sites.ts';
import type { TaskHost } from './task-host.ts';
import { isShared, type Wire } from './values.ts';

/** `has`: the class of the actor that has the name. */
function nameTaken(
  actor: string,
  { namespace, name, join }: { readonly namespace: string; readonly name: string; readonly join: boolean },
  has: string | null,
): UsageError {
  const taken = `the name ${JSON.stringify(name)} is taken in namespace ${JSON.stringify(namespace)}`;
  const text =
    join && has !== null && has !== actor
      ? `the actor ${actor} was not created: ${taken}, by an actor of the class ${has}, which ${actor} is not; give another one, or ` +
        `get that actor by its own class: ${has}.lookup(${JSON.stringify(name)})`
      : `the actor ${actor} was not created: ${taken}; give another one, or { getIfExists: true } to get the actor that has it`;
  const others = has === null || has === actor ? {} : { has };
  const details = { actor, name, namespace, ...others };
  return lasting(new UsageError(text, { code: 'ERR_SHEAF_ACTOR_NAME', details }));
}

function ofOtherClass(actor: string, namespace: string, name: string, has: string): UsageError {
  const text =
    `the actor ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)} is of the class ${has}, and was looked up as one of ` +
    `${actor}; look it up by its own class: ${has}.lookup(${JSON.stringify(name)})`;
  return lasting(new UsageError(text, { code: 'ERR_SHEAF_ACTOR_NAME', details: { actor, has, name, namespace } }));
}

/** The actors that one party calls, or owns. */
export class Actors {
  readonly #host: TaskHost;
  readonly #links = new WeakMap<Cell, ActorLink>();
  /** Some have been created here. */
  made = false;
  /** Those that somebody waits for. */
  readonly awaited = new Set<ActorLink>();

  constructor(host: TaskHost) {
    this.#host = host;
  }

  link(cell: Cell, name: string): ActorLink {
    let link = this.#links.get(cell);
    if (link === undefined) {
      link = new ActorLink(this.#host, cell, name);
      this.#links.set(cell, link);
    }
    return link;
  }

  /** What whoever calls the actor just now makes his calls to. */
  target(cell: Cell, name: string): CallTarget {
    return this.link(cell, name);
  }

  news(news: ActorNews<Wire>): void {
    const links = this.#linksOf(news.id);
    if (news.state === 'dead') this.#aliases.delete(news.id);
    for (const link of links) link.news(news);
    // It was called from here once, and perhaps is not any more.
    if (news.state === 'closing') this.tellIfQuiet(news.id);
  }

  /** All that is known here of an actor: more than one where it was got by its name. */
  #linksOf(id: string): ActorLink[] {
    const { references } = this.#host.party;
    const cell = references.owned.get(id) ?? references.borrowed.get(id);
    const own = cell === undefined ? undefined : this.#links.get(cell);
    const links = this.#aliases.get(id)?.flatMap((ref) => ref.deref() ?? []) ?? [];
    if (own !== undefined) links.push(own);
    return links;
  }

  /** Says, of one that is being drained, that it has no call from here left, by whatever handle. */
  tellIfQuiet(id: string): void {
    if (this.#linksOf(id).every((link) => !link.busy)) this.#host.control({ type: 'quiet-actor', id });
  }

  /** By the id of the actor: what was to be another one, here or elsewhere, and turned out to be it. */
  readonly #aliases = new Map<string, WeakRef<ActorLink>[]>();

  #alias(link: ActorLink, of: string): void {
    const known = this.#aliases.get(of)?.filter((each) => each.deref() !== undefined) ?? [];
    this.#aliases.set(of, [...known, new WeakRef(link)]);
    link.join(of);
    link.watch();
  }

  /** What is known here as `id` is the actor `of`. Whoever gave it away keeps that as long as it is held here. */
  joined(id: string, of: string): void {
    const { references } = this.#host.party;
    const cell = references.owned.get(id) ?? references.borrowed.get(id);
    const link = cell === undefined ? undefined : this.#links.get(cell);
    if (link !== undefined) this.#alias(link, of);
  }

  /**
   * Has the name looked up that a new actor is to have. `begin` is called when it has got it; `join`: otherwise its reference
   * becomes that of whoever has it, or has failed, of which `refused` is told.
   */
  async claim(
    link: ActorLink,
    { namespace, name, join }: { readonly namespace: string; readonly name: string; readonly join: boolean },
    begin: () => void,
    refused: () => void,
    known: (answer: NameAnswer) => void = () => {},
  ): Promise<void> {
    const host = this.#host;
    link.unnamed();
    const { references } = host.party;
    // Nobody else holds it until the answer is there.
    references.hold(link.cell);
    try {
      const { id, of } = await host.nameActor({ namespace, name, id: link.id, of: link.name, join });
      if (host.closed) return;
      if (id === null) {
        begin();
        link.known();
        known({ id: link.id, of: link.name });
      } else if (join && of === link.name) {
        this.#join(link, id);
        known({ id, of });
      } else {
        this.#refuse(link, nameTaken(link.name, { namespace, name, join }, of));
        refused();
        known({ id: null, of });
      }
      host.settleUp();
      host.reactor.kick();
    } catch (error) {
      link.fail(error as Error);
    } finally {
      host.drop(link.cell);
    }
  }

  /** Like a task that returns a reference: whoever holds the one holds the other, which the control thread has given. */
  #join(link: ActorLink, id: string): void {
    const { references } = this.#host.party;
    const other = references.served(id);
    references.delegate(link.cell, other);
    this.#host.control({ type: 'alias-actor', id: link.id, of: id });
    this.#alias(link, id);
  }

  /** Those who were given it meanwhile hear of that, too. */
  #refuse(link: ActorLink, error: Error): void {
    const { id } = link;
    link.fail(error);
    this.#host.party.references.settle(link.cell, true, error, false, NO_CELLS);
    this.#host.control({ type: 'create-actor', id, namespace: '', name: null });
    this.#host.control({ type: 'actor-over', id, why: this.#host.values.toWire(error) });
  }

  /** Has the driver create a detached actor, which is to outlive this worker. `args` is one array of them, as in `PackedPlan`. */
  async createElsewhere(
    link: ActorLink,
    spec: FunctionSpec,
    plan: ActorPlan,
    args: Cell,
    packed: readonly number[],
  ): Promise<void> {
    const host = this.#host;
    const { references } = host.party;
    link.unnamed();
    references.hold(link.cell);
    references.hold(args);
    try {
      const wish = { spec, plan, args: host.promote(args), packed };
      const { id, of } = await (host.createDetached?.(wish) ?? Promise.resolve({ id: null, of: null }));
      if (host.closed) return;
      if (id !== null) this.#join(link, id);
      // The driver has one of its own that fails, of which it tells if nobody looks.
      else this.#refuse(link, nameTaken(link.name, { ...plan, name: plan.name ?? '' }, of));
      host.settleUp();
      host.reactor.kick();
    } finally {
      host.drop(args);
      host.drop(link.cell);
    }
  }

  /** Creates what a worker has asked for in that way; `known` is told which actor it is in the end. */
  createFor({ spec, plan, args, packed }: CreateQuestion, known: (answer: NameAnswer) => void): void {
    const host = this.#host;
    const cell = host.party.references.served(args);
    actorsOf(host.engine)?.create(spec, { ...plan, packed, known }, [host.handle(cell)]);
    host.drop(cell);
    host.settleUp();
    host.reactor.kick();
  }

  /** The reference of the actor of a class that has the name; held once. Undefined when nobody has. */
  async lookup(className: string, namespace: string, name: string): Promise<Cell | undefined> {
    const { id, of } = await this.#host.nameActor({ namespace, name, id: null, of: className, join: true });
    if (id === null) return undefined;
    if (of !== className) throw ofOtherClass(className, namespace, name, of ?? '');
    return this.#host.party.references.served(id);
  }

  /** A call of an actor has been handed to the protocol. */
  submitted(call: Call, target: CallTarget): void {
    const { refusal } = target;
    if (refusal !== undefined) this.#host.party.owner.cancel(call, refusal, false);
    else target.began();
  }

  #methodCount = 0;

  /** One number for each method of each actor: a worker may host several. */
  methodNumber(): number {
    return this.#methodCount++;
  }

  pool(name: string, limits: PoolLimits): ActorPool {
    return new ActorPool(this.#host, new Methods(this.#host, name, null), name, limits);
  }

  /** Nobody has the actor any more that the task hosts. */
  unheld(call: Call): void {
    const id = call.actorId as string;
    queueMicrotask(() => {
      const host = this.#host;
      if (host.closed) return;
      // One that has not begun need not.
      if (call.lease === null)
        host.party.owner.cancel(call, lasting(new CancelledError(`the actor ${call.name} was let go`)), false);
      else host.control({ type: 'drain-actor', id });
      host.settleUp();
      host.reactor.kick();
    });
  }

  /** An actor that is to live on without handles, until it is drained. */
  keep(cell: Cell): void {
    this.#host.party.references.hold(cell);
    this.#detached.add(cell);
  }

  readonly #detached = new Set<Cell>();

  /** The task that hosted an actor is over. */
  over(call: Call, failed: boolean): void {
    const { values } = this.#host;
    const cell = call.results as Cell;
    const { value } = cell;
    if (this.#detached.delete(cell)) this.#host.drop(cell);
    let why: Wire | null = null;
    if (failed) {
      const known = value !== undefined && !isShared(value);
      why = values.toWire(known ? value : new ActorDiedError(`the actor ${call.name} failed`));
    }
    if (!this.#host.closed) this.#host.control({ type: 'actor-over', id: call.actorId as string, why });
  }

  errorOf(name: string, why: Wire): Error {
    const { values } = this.#host;
    let cause: unknown;
    try {
      const { value } = values.fromWire(why);
      cause = values.readValue(value, NO_CELLS, true);
    } catch (error) {
      cause = error;
    }
    if (cause instanceof ActorDiedError || cause instanceof UnschedulableError) return cause;
    // Errors of this library say what they are in their text.
    const text = cause instanceof SheafError ? cause.message : String(cause);
    return diedError(name, `it died: ${text}`, cause);
  }

  /** The error for a call that was under way when the worker of its actor died. */
  died(task: TaskRecord, reason: string): Error {
    const call = task as Call;
    const { name } = call.plan.actor as CallTarget;
    const attempts = call.attempt + 1;
    const again =
      attempts === 1
        ? 'so it was not called again (option `callRetries` of the actor)'
        : `and it had been called ${attempts} times by then, as often as it may be (option \`callRetries\` of the actor, or \`retries\` of the call)`;
    return lasting(
      new ActorDiedError(
        `the worker of the actor ${name} died while ${call.name} was under way: ${reason}; whether it has had an effect is not ` +
          `known, ${again}; the actor may go on, if it has \`restarts\` left`,
        { details: { actor: name, method: call.name, attempts, reason } },
      ),
    );
  }

  close(error: Error): void {
    for (const each of this.awaited) each.close(error);
    this.awaited.clear();
  }
}

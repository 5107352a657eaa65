import { Deque } from '../../base/index.ts';
import type { Cell, KeyQueue, Lease } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import type { Execution } from '../execution.ts';
import { HostedActor, isBatch } from '../hosted-actor.ts';
import { Reference } from '../reference.ts';
import type { InlineHost } from './inline-host.ts';

/** Handles of garbage are looked for when there are so many. */
const SWEEP_AT = 64;

/** The handles that an actor has, as far as they are no garbage: they end with it. */
class ActorHandles {
  #handles: WeakRef<Reference<unknown>>[] = [];
  #sweepAt = SWEEP_AT;

  keep(handle: Reference<unknown>): void {
    this.#handles.push(new WeakRef(handle));
    if (this.#handles.length < this.#sweepAt) return;
    this.#handles = this.#handles.filter((each) => each.deref() !== undefined);
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#handles.length);
  }

  /** Whether one of them is of the object `id`. */
  has(id: string): boolean {
    return this.#handles.some((each) => {
      const handle = each.deref();
      let cell: Cell | null = handle === undefined ? null : Reference.peek(handle);
      while (cell !== null && cell.alias !== null) cell = cell.alias;
      return cell?.id === id;
    });
  }

  expire(name: string): void {
    for (const each of this.#handles) {
      const handle = each.deref();
      if (handle !== undefined) Reference.expire(handle, name);
    }
    this.#handles = [];
  }
}

/** An actor that is hosted in this thread, with the calls that have come to it and not begun, by the line that they came in. */
export class Hosted {
  readonly run: Execution;
  /** It counts as a worker of its own, which this is the number of. */
  readonly incarnation: number;
  readonly actor: HostedActor<Call>;
  readonly handles = new ActorHandles();
  readonly inboxes = new Map<KeyQueue, Deque<Call>>();
  /** Calls that its mailbox keeps. */
  kept = 0;
  /** It has ended: nothing begins any more, but what had not begun can be taken back. */
  over = false;

  constructor(host: InlineHost, run: Execution, incarnation: number) {
    this.run = run;
    run.keeper = this.handles;
    this.incarnation = incarnation;
    this.actor = new HostedActor<Call>(
      {
        control: (message) => {
          if (!this.over) host.registry.take(message, incarnation);
        },
        reactor: {
          kick: () => {
            host.hosted.look(this);
            host.kick();
          },
        },
        executions: host.executions,
        log: (line) => host.log(line),
      },
      run,
      run.loaded.actor ?? { concurrency: 1, groups: [] },
      (failed, result) => host.executions.end(run, failed, result),
    );
  }

  /** Takes a call out; false when it has begun. */
  takeBack(call: Call): boolean {
    const inbox = this.inboxes.get(call.key);
    if (inbox !== undefined && inbox.remove((each) => each === call).length > 0) {
      if (inbox.size === 0) this.inboxes.delete(call.key);
      return true;
    }
    const { length } = this.actor.mailbox.remove((each) => each === call);
    this.kept -= length;
    return length > 0;
  }

  /** Its worker has died, and with it what had come there. */
  clear(): void {
    this.inboxes.clear();
    this.actor.mailbox.remove(() => true);
    this.kept = 0;
  }

  /** No call of it waits here. */
  get empty(): boolean {
    return this.inboxes.size === 0 && this.kept === 0;
  }

  /** Takes the next call that may begin, the callers taking turns; undefined when none may. */
  next(): Call | undefined {
    const { mailbox } = this.actor;
    for (let kept = mailbox.next(); kept !== undefined; kept = mailbox.next()) {
      if (isBatch(kept)) {
        this.actor.batch(kept);
        continue;
      }
      this.kept--;
      return kept;
    }
    for (const [line, inbox] of this.inboxes) {
      for (let call = inbox.peek(); call !== undefined; call = inbox.peek()) {
        const group = mailbox.groupOf(call.plan.fn.method as string);
        const begins = mailbox.mayBegin(group) || this.actor.refusal !== undefined;
        if (!begins && !mailbox.keeps) break;
        inbox.shift();
        // The last one to be asked next time.
        this.inboxes.delete(line);
        if (inbox.size > 0) this.inboxes.set(line, inbox);
        if (begins) return call;
        mailbox.keep(group, call);
        this.kept++;
      }
    }
    return undefined;
  }
}

/** The actors of this thread: which of their calls begins next. */
export class InlineHosted {
  readonly #host: InlineHost;
  readonly #actors = new Map<number, Hosted>();
  /** Those that may have a call that may begin. */
  readonly #busy = new Set<Hosted>();
  #tickets = 0;

  constructor(host: InlineHost) {
    this.#host = host;
  }

  at(incarnation: number): Hosted | undefined {
    return this.#actors.get(incarnation);
  }

  /** The actor whose run has begun, and which is about to be made. */
  add(run: Execution, incarnation: number): Hosted {
    const hosted = new Hosted(this.#host, run, incarnation);
    this.#actors.set(incarnation, hosted);
    return hosted;
  }

  retire(incarnation: number, id: string, alone: boolean): void {
    const actor = this.#actors.get(incarnation)?.actor;
    if (actor?.id === id) actor.retire(alone);
  }

  /** It is no more; killed, it is not told. */
  end(hosted: Hosted, killed: boolean): void {
    hosted.over = true;
    this.#busy.delete(hosted);
    if (killed) hosted.clear();
    else void hosted.actor.leave();
    hosted.handles.expire(hosted.run.name);
    this.#forget(hosted);
  }

  #forget(hosted: Hosted): void {
    if (hosted.over && hosted.empty) this.#actors.delete(hosted.incarnation);
  }

  /** Which actors hold an object, by their incarnations. */
  holders(id: string): number[] {
    return [...this.#actors.values()].flatMap(({ handles, incarnation }) => (handles.has(id) ? [incarnation] : []));
  }

  // ---- calls

  /** Something has changed by which a call of it may begin. */
  look(hosted: Hosted): void {
    if (!hosted.over) this.#busy.add(hosted);
  }

  /** A call has come; the ticket by which it is known. */
  push(call: Call, { incarnation }: Lease): number {
    const hosted = this.#actors.get(incarnation);
    if (hosted === undefined || hosted.over) return -1;
    let inbox = hosted.inboxes.get(call.key);
    if (inbox === undefined) {
      inbox = new Deque();
      hosted.inboxes.set(call.key, inbox);
    }
    inbox.push(call);
    this.#busy.add(hosted);
    this.#host.kick();
    return ++this.#tickets;
  }

  /** Takes a call back that has not begun. */
  recall(call: Call, { incarnation }: Lease): boolean {
    const hosted = this.#actors.get(incarnation);
    if (hosted === undefined) return false;
    const taken = hosted.takeBack(call);
    if (taken) hosted.actor.ended();
    this.#forget(hosted);
    return taken;
  }

  /** Begins one call, the actors taking turns; false when none may begin. */
  runNext(): boolean {
    for (const hosted of this.#busy) {
      this.#busy.delete(hosted);
      const call = hosted.next();
      if (call === undefined) continue;
      this.#busy.add(hosted);
      this.#host.executions.startMethod(call, hosted);
      return true;
    }
    return false;
  }
}

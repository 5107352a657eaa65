import { DONE, Mailbox } from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Actor } from './actor.ts';
import type { Pushed } from './call.ts';
import type { Line } from './line.ts';
import type { Node } from './node.ts';
import type { SimRun } from './runs.ts';

/** Calls that have begun and are to be handled together. */
class Batch {}

/** An actor on the worker that hosts it. What its mailbox lets begin is counted here by other means. */
export class Hosting {
  readonly #node: Node;
  readonly actor: Actor;
  readonly run: SimRun;
  readonly mailbox: Mailbox<Pushed | Batch>;
  /** What goes on: of each group, and of calls that wait for their batch or are in it. */
  readonly #going: number[];
  #gathered = 0;
  /** Those that wait for a batch. */
  #waiting: SimRun[] = [];
  #batching = false;
  /** The newest number of each line that has begun, by group. */
  readonly #begun = new Map<Line, number[]>();
  readonly #running = new Map<Pushed, SimRun>();
  #retiring = false;
  #over = false;
  #disposed = false;
  #closed: (() => void) | null = null;

  constructor(node: Node, run: SimRun, actor: Actor) {
    this.#node = node;
    this.run = run;
    this.actor = actor;
    this.mailbox = new Mailbox(actor.limits);
    this.#going = [0, ...actor.limits.groups.map(() => 0)];
    if (actor.batch > 0) this.mailbox.gathers('together', 2 * actor.batch);
  }

  /** Something kept begins; false when nothing may. */
  next(): boolean {
    const kept = this.mailbox.next();
    if (kept === undefined) return false;
    if (kept instanceof Batch) this.#beginBatch();
    else this.#begin(kept);
    return true;
  }

  /** A call that stands at the head of its ring begins, or is kept; false when it stays where it is. */
  take(pushed: Pushed): boolean {
    const { mailbox } = this;
    const group = mailbox.groupOf(pushed.call.method);
    if (this.closing) this.#node.runs.refuse(pushed);
    else if (mailbox.mayBegin(group)) this.#begin(pushed);
    else if (mailbox.keeps) {
      pushed.state = 'kept';
      mailbox.keep(group, pushed);
    } else return false;
    return true;
  }

  #begin(pushed: Pushed): void {
    const { call } = pushed;
    const { actor, mailbox } = this;
    if (call.line?.actor !== actor) throw new Violation(`${call.name} is at an actor that is not its own`);
    if (call.state === DONE && pushed.from.alive) throw new Violation(`${call.name} begins after it is over`);
    if (call.runs >= call.allowed) throw new Violation(`${call.name} runs once more than it may`);
    if (!mailbox.ready) throw new Violation(`${call.name} begins before its actor is made`);
    const group = actor.groupOf(call.method);
    const gathered = call.method === 'together' && actor.batch > 0;
    this.#checkOrder(call.line, gathered ? this.#going.length : group, call.number);
    mailbox.began(mailbox.groupOf(call.method));
    const run = this.#node.runs.begin(pushed);
    this.#running.set(pushed, run);
    if (gathered) {
      if (++this.#gathered > 2 * actor.batch) throw new Violation('more calls wait for a batch than may');
      this.#waiting.push(run);
      this.#gather();
      return;
    }
    this.#goes(group);
    this.#node.runs.act(run, () => {
      this.#node.runs.finish(run);
      this.#leaves(group);
      this.#ended(run);
    });
  }

  #checkOrder(line: Line, group: number, number: number): void {
    const newest = this.#begun.get(line) ?? [];
    this.#begun.set(line, newest);
    if (number <= (newest[group] ?? 0)) throw new Violation(`call ${number} begins after call ${newest[group]}`);
    newest[group] = number;
  }

  #goes(group: number): void {
    const going = (this.#going[group] as number) + 1;
    if (going > this.actor.limitOf(group)) throw new Violation(`${going} calls of group ${group} go on`);
    this.#going[group] = going;
  }

  #leaves(group: number): void {
    (this.#going[group] as number)--;
  }

  // ---- batches

  #gather(): void {
    if (this.#batching || this.#waiting.length === 0) return;
    this.#batching = true;
    this.#node.soon(() => {
      if (this.closing) this.#beginBatch();
      else this.mailbox.keep(this.actor.groupOf('together'), new Batch());
    });
  }

  #beginBatch(): void {
    const { actor, mailbox } = this;
    const group = actor.groupOf('together');
    mailbox.began(group);
    // Those that stop with the session all wait for their batch, whatever else goes on.
    if (!this.closing) this.#goes(group);
    else (this.#going[group] as number)++;
    const runs = this.#waiting.splice(0, actor.batch);
    this.#node.soon(() => {
      mailbox.ended(group);
      this.#leaves(group);
      for (const run of runs) {
        this.#gathered--;
        this.#node.runs.finish(run);
        this.#ended(run);
      }
      this.#batching = false;
      this.#gather();
      this.#retireIfQuiet();
    });
  }

  // ---- ends

  #ended(run: SimRun): void {
    this.#running.delete(run.pushed);
    this.mailbox.ended(this.mailbox.groupOf(run.call.method));
    this.#retireIfQuiet();
  }

  /** Its caller waits for it no longer: it is answered, and keeps its place as long as its code goes on. */
  cancel(pushed: Pushed): void {
    if (this.mailbox.remove((kept) => kept === pushed).length > 0) {
      this.#node.runs.refuse(pushed);
      this.#retireIfQuiet();
      return;
    }
    const run = this.#running.get(pushed);
    if (run !== undefined) this.#node.runs.finish(run);
  }

  /** Its session ends: what goes on is answered, what was kept is refused, and when all is quiet it is over. */
  close(over: () => void): void {
    this.#closed = over;
    const wasReady = this.mailbox.ready;
    this.mailbox.ready = false;
    for (const kept of this.mailbox.remove(() => true)) {
      if (kept instanceof Batch) this.#beginBatch();
      else this.#node.runs.refuse(kept);
    }
    for (const run of this.#running.values()) this.#node.runs.finish(run);
    if (wasReady) this.#retireIfQuiet();
    else over();
  }

  get closing(): boolean {
    return this.#closed !== null;
  }

  callerDied(caller: Node): void {
    this.mailbox.remove((kept) => !(kept instanceof Batch) && kept.from === caller);
    this.#retireIfQuiet();
  }

  retire(): void {
    this.#retiring = true;
    this.#retireIfQuiet();
  }

  #retireIfQuiet(): void {
    if (this.closing && !this.#disposed && this.mailbox.quiet) {
      this.#disposed = true;
      this.#over = true;
      this.#node.soon(() => this.#closed?.());
    }
    if (!this.#retiring || this.#over || !this.mailbox.quiet) return;
    this.#over = true;
    if (this.#running.size > 0) throw new Violation('an actor ends while calls of it go on');
    this.#node.soon(() => this.#node.ended(this));
  }
}

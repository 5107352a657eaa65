import {
  type ActorNews,
  type Cell,
  FAILED,
  type FromControl,
  type KeyQueue,
  type Reply,
  type Shape,
  TaskRecord,
  type Timing,
  type ToControl,
  type Waiter,
} from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Actor } from './actor.ts';
import type { Line } from './line.ts';
import type { Node } from './node.ts';

export const CALLS: Shape = { cpus: 0, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: true };
export const SHAPE: Shape = { ...CALLS, resident: true };
export const TASKS: Shape = { ...CALLS, exclusive: false };

interface CallOptions {
  /** How often it may run. */
  readonly allowed: number;
  /** Its number among the calls of one line; 0: it is none. */
  readonly number: number;
  readonly line: Line | null;
  readonly method: string;
  /** What it gives to whoever runs it. */
  readonly handles: readonly Line[];
}

/** Something that one party has run by another: a call of an actor, the task that hosts one, or any other task. */
export class Call extends TaskRecord implements Waiter {
  /** What it returns: nobody else's. */
  readonly serial: number;
  readonly from: Node;
  readonly number: number;
  /** That of a call of an actor. */
  readonly line: Line | null;
  readonly method: string;
  readonly handles: readonly Line[];
  readonly allowed: number;
  /** The actor that it hosts. */
  hosts: Actor | null = null;
  runs = 0;
  /** Its result has come, or its failure. */
  settled = false;

  constructor(from: Node, queue: KeyQueue, timing: Timing, result: Cell, o: CallOptions) {
    super(queue, timing, result, o.allowed - 1, 1);
    this.from = from;
    this.serial = ++from.sim.serials;
    this.allowed = o.allowed;
    this.number = o.number;
    this.line = o.line;
    this.method = o.method;
    this.handles = o.handles;
    result.task = this;
    result.addWaiter({ cellSettled: () => this.#resultSettled(result) });
  }

  get result(): Cell {
    return this.results as Cell;
  }

  #resultSettled(result: Cell): void {
    if (this.settled) throw new Violation(`${this.name} settles twice`);
    this.settled = true;
    // What was to be an actor, and is another one, ends as that does.
    if (result.state === FAILED || (this.hosts !== null && this.runs === 0)) return;
    if (result.value !== this.serial) throw new Violation(`${this.name} has the result of another one`);
    if (this.runs === 0) throw new Violation(`${this.name} has a result and has never run`);
  }

  get name(): string {
    if (this.hosts !== null) return `the task of actor ${this.hosts.id.slice(-4)}`;
    return this.line === null ? `task ${this.serial}` : `call ${this.number} of ${this.line.actor.id.slice(-4)}`;
  }
}

/** A call on its way to a worker, or there. */
export interface Pushed {
  readonly call: Call;
  readonly slot: number;
  readonly from: Node;
  /** The ids of the handles that go with it. */
  readonly handles: readonly string[];
  /** `kept`: its mailbox has it, and it has not begun. */
  state: 'sent' | 'kept' | 'begun' | 'recalled';
}

export type Message =
  | { readonly to: 'control'; readonly message: ToControl<unknown> }
  | { readonly to: 'claim'; readonly line: Line; readonly name: string; readonly join: boolean }
  | { readonly to: 'claimed'; readonly line: Line; readonly id: string | null; readonly join: boolean }
  | { readonly to: 'party'; readonly message: FromControl<unknown> }
  | { readonly to: 'news'; readonly news: ActorNews<unknown> }
  | { readonly to: 'joined'; readonly id: string; readonly of: string }
  | { readonly to: 'retire' | 'end' | 'ended'; readonly id: string }
  | { readonly to: 'worker'; readonly pushed: Pushed }
  | { readonly to: 'cancel'; readonly pushed: Pushed }
  | { readonly to: 'acknowledge'; readonly receipt: number }
  | { readonly to: 'reply'; readonly reply: Reply<unknown> };

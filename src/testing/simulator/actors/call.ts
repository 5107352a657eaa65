import {
  type ActorNews,
  type Cell,
  type FromControl,
  type KeyQueue,
  type Shape,
  TaskRecord,
  type Timing,
  type ToControl,
} from '../../../protocol/index.ts';
import type { Line } from './line.ts';
import type { Node } from './node.ts';

export const CALLS: Shape = { cpus: 0, gpus: 0, memory: 0, custom: {}, isolation: 'process', exclusive: true };
export const SHAPE: Shape = { ...CALLS, resident: true };

export class Call extends TaskRecord {
  /** Its number among the calls of its caller to its actor; 0: it hosts the actor. */
  readonly number: number;
  readonly line: Line;
  readonly allowed: number;
  runs = 0;

  constructor(queue: KeyQueue, timing: Timing, cell: Cell, number: number, line: Line, retries: number) {
    super(queue, timing, cell, retries, 1);
    this.number = number;
    this.line = line;
    this.allowed = retries + 1;
  }
}

export interface Pushed {
  readonly call: Call;
  readonly slot: number;
  readonly from: Node;
  state: 'sent' | 'claimed' | 'recalled';
}

export type Message =
  | { readonly to: 'control'; readonly message: ToControl<unknown> }
  | { readonly to: 'party'; readonly message: FromControl<unknown> | ActorNews<unknown> }
  | { readonly to: 'retire'; readonly id: string }
  | { readonly to: 'worker'; readonly pushed: Pushed }
  | { readonly to: 'reply'; readonly slot: number };

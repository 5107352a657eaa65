import { FairQueue } from './fair-queue.ts';
import type { Owner } from './owner.ts';

/** Resources of one task, and of the lease under which it runs. Units: cores, devices, bytes, and the user's own. */
export interface Shape {
  readonly cpus: number;
  readonly gpus: number;
  readonly memory: number;
  readonly custom: Readonly<Record<string, number>>;
  readonly isolation: 'process' | 'thread';
  /** Its tasks may not share a worker with suspended ones, because they can't be run again. */
  readonly exclusive: boolean;
  /** For an actor, which stays: its lease is never called back. Exclusive, too. */
  readonly resident?: boolean;
  /** For an actor: it may live on a worker with others that may, too. */
  readonly shared?: boolean;
}

/** A worker that the scheduler has lent to an owner for tasks of one shape. */
export class Lease {
  readonly id: number;
  readonly worker: number;
  readonly incarnation: number;
  readonly gpus: readonly number[];
  readonly key: KeyQueue;
  /** Tasks pushed and not answered. */
  inFlight = 0;
  /** What they are expected to take, in microseconds. */
  work = 0;
  /** The scheduler wants it back: nothing more is pushed, and it returns with its last answer. */
  reclaimed = false;
  /** Somebody else waits for what it holds: it does not lie idle for long. */
  wanted = false;
  /** A task has been answered under it. */
  answered = false;
  /** It has been silent for long, and is given nothing more before it answers. */
  stalled = false;
  /** The only task in flight is known to run. */
  begun = false;
  /** When it last had a task, or got an answer; milliseconds of the host's clock. */
  lastUsed: number;

  constructor(id: number, worker: number, incarnation: number, gpus: readonly number[], key: KeyQueue, now: number) {
    this.id = id;
    this.worker = worker;
    this.incarnation = incarnation;
    this.gpus = gpus;
    this.key = key;
    this.lastUsed = now;
  }
}

/** The tasks of one owner and one shape that wait for a worker, and the leases they share. */
export class KeyQueue {
  readonly owner: Owner;
  readonly id: number;
  readonly shape: Shape;
  readonly waiting = new FairQueue();
  readonly leases: Lease[] = [];
  /** How many leases the scheduler has been told are wanted. */
  demanded = 0;
  inFlight = 0;
  /** How often since the last answer tasks were taken back from a silent worker. */
  recalls = 0;
  dirty = false;
  /** The calls of one actor: they go in their order, to the one worker that hosts it. */
  readonly ordered: boolean;

  constructor(owner: Owner, id: number, shape: Shape, ordered = false) {
    this.owner = owner;
    this.id = id;
    this.shape = shape;
    this.ordered = ordered;
  }
}

/** Equal for equal shapes. */
export function shapeKey(shape: Shape): string {
  const custom = Object.entries(shape.custom).sort(([a], [b]) => (a < b ? -1 : 1));
  const { cpus, gpus, memory, isolation, exclusive, resident = false, shared = false } = shape;
  return JSON.stringify([cpus, gpus, memory, custom, isolation, exclusive, resident, shared]);
}

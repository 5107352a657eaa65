import type { Shape } from './lease.ts';

/**
 * What parties and the control thread of their node say to each other. Every link is first in, first out. `P` is the
 * host's form of a value on a wire.
 */

/** A settled value as it travels: the ids of the references inside it stand beside it. */
export interface SettledValue<P> {
  readonly failed: boolean;
  readonly payload: P;
  readonly inner: readonly string[];
}

/** One run of a task, as its owner names it: slots are used again, numbers are not. */
export interface RunId {
  readonly slot: number;
  readonly sequence: number;
}

export type TaskMessage =
  /** So many leases of this shape are wanted in total; a repeated or late one does no harm. */
  | { readonly type: 'demand'; readonly key: number; readonly shape: Shape; readonly total: number }
  | { readonly type: 'return'; readonly lease: number }
  /**
   * All tasks of this worker wait for others, so its cores are free; or no longer. Where others wait there all the same while
   * it works, only the cores of what runs are taken: that is a task which the party at that place has called, from its queue
   * `key`. Null: not known, or more than one.
   */
  | {
      readonly type: 'blocked';
      readonly blocked: boolean;
      readonly running: { readonly caller: number; readonly key: number } | null;
    }
  /** End a worker whose task must stop; the others on it are run again. */
  | {
      readonly type: 'kill';
      readonly worker: number;
      readonly incarnation: number;
      /** The run there that must stop. When it is not on the stack any more, nobody is ended. */
      readonly run: RunId;
      readonly reason: string;
    };

export type ReferenceMessage<P> =
  /** A reference of the sender has escaped; the sender counts as its first holder. */
  | { readonly type: 'promote'; readonly id: string; readonly settled: SettledValue<P> | null }
  | { readonly type: 'settle'; readonly id: string; readonly settled: SettledValue<P> }
  /** The value that the sender had settled it with is gone; another `settle` follows. */
  | { readonly type: 'unsettle'; readonly id: string }
  /** `party` (an address key) holds the object. Said by whoever passed the reference on: the party at the place `by`, or
   * null when a holder speaks for itself, which it may do only while it is still counted on behalf of somebody dead. */
  | { readonly type: 'add'; readonly id: string; readonly party: string; readonly by: string | null }
  /** The sender gives back what `by` added for it; null for what the directory added, or the sender itself. `observed`: it
   * has looked at the value, or somebody there says that nobody need. */
  | {
      readonly type: 'remove';
      readonly id: string;
      readonly count: number;
      readonly by: string | null;
      readonly observed?: true;
    }
  | { readonly type: 'resolve'; readonly id: string }
  /** Everything that the dead party had sent to the sender has been worked in. */
  | { readonly type: 'buried'; readonly party: number; readonly incarnation: number };

export type ActorMessage<P> =
  /** A new actor, hosted by a task of the sender. */
  | { readonly type: 'create-actor'; readonly id: string; readonly namespace: string; readonly name: string | null }
  /** What the sender was to have as the actor `id` is another one, `of`, that was there already, or that it had created elsewhere. */
  | { readonly type: 'alias-actor'; readonly id: string; readonly of: string }
  /** The sender calls it, and wants to hear of it. */
  | { readonly type: 'watch-actor'; readonly id: string }
  /**
   * The sender is the worker that has begun to make it, or has made it. `disposes`: it has something to do at its end, and was made
   * with these references.
   */
  | { readonly type: 'hosting'; readonly id: string; readonly ready: boolean; readonly disposes?: readonly string[] }
  /** The task that hosted it is over; the failure that it ended with. */
  | { readonly type: 'actor-over'; readonly id: string; readonly why: P | null }
  /** It is to end in order. */
  | { readonly type: 'drain-actor'; readonly id: string }
  /** The sender has no call of it left. */
  | { readonly type: 'quiet-actor'; readonly id: string };

export type ToControl<P> = TaskMessage | ReferenceMessage<P> | ActorMessage<P>;

export type FromControl<P> =
  | {
      readonly type: 'grant';
      readonly key: number;
      readonly lease: number;
      readonly worker: number;
      readonly incarnation: number;
      readonly gpus: readonly number[];
    }
  /** Give this lease back as soon as its running tasks are done. */
  | { readonly type: 'reclaim'; readonly lease: number }
  /** Others wait for what this lease holds: give it back when it has lain idle for a moment. */
  | { readonly type: 'wanted'; readonly lease: number }
  /** No worker, now or later, can have such a shape; or all of them are held by tasks that wait, and nothing moves. */
  | { readonly type: 'infeasible'; readonly key: number; readonly reason: string }
  | { readonly type: 'resolved'; readonly id: string; readonly settled: SettledValue<P> }
  /** The owner of the object is gone, or the object is unknown. */
  | { readonly type: 'lost'; readonly id: string; readonly reason: string }
  /** The value that the owner had settled the object with is gone, and somebody wants it: another `settle` has to follow. */
  | { readonly type: 'missing'; readonly id: string }
  /** Nobody holds the object any more: the owner can forget it. `observed`: somebody else has looked at it. */
  | { readonly type: 'freed'; readonly id: string; readonly observed: boolean }
  | { readonly type: 'died'; readonly party: number; readonly incarnation: number; readonly reason: string };

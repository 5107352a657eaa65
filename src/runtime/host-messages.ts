import type { FunctionSpec } from '../code/index.ts';
import type { SlotRef } from '../memory/index.ts';
import type { ActorNews } from '../protocol/index.ts';
import type { ActorPlan } from './engine.ts';
import type { Wire } from './values.ts';

/** The number of the control thread. */
export const CONTROL_PARTY = 0;

/** What host and control thread say beside the protocol. */
export type HostMessage =
  | { readonly type: 'hello'; readonly pid: number }
  | { readonly type: 'last-words'; readonly text: string }
  /** The main thread on a worker that it started itself. */
  | { readonly type: 'exited'; readonly party: number; readonly reason: string }
  | { readonly type: 'cancel'; readonly id: string; readonly force: boolean; readonly recursive: boolean }
  /** `limit`: of rows, where there may be many. */
  | { readonly type: 'ask'; readonly question: number; readonly what: string; readonly limit?: number }
  /** To the control thread: these objects, which the sender holds, are to be in memory. */
  | { readonly type: 'bring'; readonly question: number; readonly slots: readonly SlotRef[] }
  | { readonly type: 'answer'; readonly question: number; readonly answer: unknown }
  | ActorNews<Wire>
  /** To one who watches `id`: it is the actor `of`. */
  | { readonly type: 'joined-actor'; readonly id: string; readonly of: string }
  /** To the worker that hosts it: it is to end now. `alone`: nobody hears whether that goes well. */
  | { readonly type: 'retire-actor'; readonly id: string; readonly alone: boolean }
  /** Likewise, because the session ends: it has so many milliseconds. */
  | { readonly type: 'end-actor'; readonly id: string; readonly ms: number }
  /** From there: it has. */
  | { readonly type: 'actor-ended'; readonly id: string }
  /** The answer is a `NameAnswer`. */
  | ({ readonly type: 'name-actor'; readonly question: number } & NameQuestion)
  /** From a worker, by way of the control thread, to the driver. The answer is a `NameAnswer`, whose id is null where the name is taken. */
  | ({ readonly type: 'create-detached'; readonly question: number; readonly from: number } & CreateQuestion)
  /** The driver's answer to that, to the control thread, for the party `to`. */
  | ({ readonly type: 'created-detached'; readonly question: number; readonly to: number } & NameAnswer)
  /** To the driver: a signal seems to have come that it has not listened to. */
  | { readonly type: 'signalled' };

/** Who has that name, for an actor of the class `of`? With an `id` it is for that one, if nobody has; `join`: otherwise whoever asks takes the one that has it. */
export interface NameQuestion {
  readonly namespace: string;
  readonly name: string;
  readonly id: string | null;
  readonly of: string;
  readonly join: boolean;
}

/**
 * The one that has the name; counted in for who asks, if he takes it: it is of his class. Null: nobody has, or has had until now.
 * `of`: what its class is called.
 */
export interface NameAnswer {
  readonly id: string | null;
  readonly of: string | null;
}

/** What the control thread answers when it is asked to close. */
export interface LastAnswer {
  /** Failures of tasks that were called by tasks: nobody has looked at them, though somebody could. */
  readonly unobserved: readonly { readonly id: string; readonly payload: Wire; readonly references: number }[];
}

/** Asks the driver to create an actor that is to outlive who asks. `args` is the id of one array of its arguments; `packed` as in `PackedPlan`. */
export interface CreateQuestion {
  readonly spec: FunctionSpec;
  readonly plan: ActorPlan;
  readonly args: string;
  readonly packed: readonly number[];
}

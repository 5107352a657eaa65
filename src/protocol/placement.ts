import type { Shape } from './lease.ts';

/** A worker that may be lent for a wish. What it is now, not what it will be. */
export interface Candidate {
  readonly number: number;
  /** Leases of tasks that all wait there; 0 for an idle one. A waiting worker takes what waits for less than a new one costs. */
  readonly waiting: number;
  /** Larger is later: one that was used last is still awake, and warm. */
  readonly used: number;
  /** It is the party that asks: its own tasks wait for what it wants done. */
  readonly asking: boolean;
}

/** What a lease is wanted for. */
export interface Wish {
  /** An address key. */
  readonly owner: string;
  readonly shape: Shape;
}

/** The workers of the wanted isolation. */
export interface Staff {
  /** All of them, those that are busy or starting included. */
  readonly count: number;
  /** Another one can be started. */
  readonly canGrow: boolean;
}

/**
 * Which worker a lease is for. The scheduler has checked that every candidate may have it; what it gets is one of them, or
 * undefined to have another worker started, or wait for one, instead of a waiting one. Where an idle one has been turned down,
 * or none can come, that would be to wait for ever: then it takes `depthFirst`'s choice.
 */
export type Placement = (wish: Wish, candidates: readonly Candidate[], staff: Staff) => Candidate | undefined;

/**
 * The demanding worker itself when all it has waits (children run where their parent waits, depth first), then the idle one
 * used last, then the waiting one with the least on it, once there are `enough` workers: they are as good as idle, and a new
 * one costs memory and 50 ms.
 */
export function depthFirst(enough: number): Placement {
  return (_wish, candidates, staff) => {
    let idle: Candidate | undefined;
    let waiting: Candidate | undefined;
    for (const each of candidates) {
      if (each.asking) return each;
      if (each.waiting === 0) {
        if (idle === undefined || each.used > idle.used) idle = each;
      } else if (waiting === undefined || each.waiting < waiting.waiting) waiting = each;
    }
    if (idle !== undefined) return idle;
    return staff.count >= enough || !staff.canGrow ? waiting : undefined;
  };
}

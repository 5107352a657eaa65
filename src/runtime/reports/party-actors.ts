import { ActorLink } from '../actor-link.ts';
import type { PartyHost } from '../party-host.ts';

/** What one party knows of actors: those that it hosts, and its calls that are not over, by actor. */
export interface PartyActors {
  readonly hosted: readonly { readonly id: string; readonly type: string; readonly livesMs: number }[];
  readonly pending: readonly (readonly [id: string, calls: number])[];
}

export function actorsOf(host: PartyHost): PartyActors {
  const now = performance.now();
  const hosted = [...(host.executions?.runs ?? [])].flatMap(({ actorId, name, begun }) =>
    actorId === null ? [] : [{ id: actorId, type: name, livesMs: now - begun }],
  );
  const pending = new Map<string, number>();
  for (const { plan } of host.pendingCalls()) {
    // A call of a pool is one of none of its actors before it is sent.
    if (plan.actor instanceof ActorLink) pending.set(plan.actor.id, (pending.get(plan.actor.id) ?? 0) + 1);
  }
  return { hosted, pending: [...pending] };
}

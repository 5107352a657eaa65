import { ActorEndings, type Disposable } from '../../protocol/index.ts';
import type { InlineHost } from './inline-host.ts';
import { outside } from './outside.ts';

/**
 * Has the actors of an inline session end that have something to do then, those that others hold after them; resolves when they have, or
 * `ms` are up. Undefined when there are none.
 */
export function endActors(host: InlineHost, ms: number): Promise<void> | undefined {
  // Each counts as a worker of its own, which its incarnation is the number of.
  const living: Disposable[] = host.registry.table
    .disposable(() => [])
    .map(({ id, incarnation }) => ({
      id,
      worker: incarnation,
      incarnation,
      heldOn: host.hosted.holders(id),
    }));
  if (living.length === 0) return undefined;
  return new Promise((resolve) => {
    const late = setTimeout(resolve, ms);
    const end = async ({ id, incarnation }: Disposable): Promise<void> => {
      await outside(() => host.hosted.at(incarnation)?.actor.close(ms));
      endings.ended(id);
      if (!endings.over) return;
      clearTimeout(late);
      resolve();
    };
    const endings: ActorEndings = new ActorEndings(living, (actor) => void Promise.resolve(actor).then(end));
  });
}

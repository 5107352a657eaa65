import { kindOf, UsageError } from '../base/index.ts';
import { hostOf, type TaskHost } from '../runtime/index.ts';
import type { Session } from '../tasks/index.ts';

/** What is behind an open session. */
export function hostBehind(session: Session, what: string): TaskHost {
  const url: unknown = (session as Session | null | undefined)?.url;
  const host = typeof url === 'string' ? hostOf(url) : undefined;
  if (host === undefined)
    throw new UsageError(`${what} takes an open session, as \`await connect()\` gives it, not ${kindOf(session)}`);
  return host;
}

/** Asks until `look` has an answer, or the patience is over. */
export async function until<T>(ms: number, look: () => Promise<T | undefined> | T | undefined): Promise<T | undefined> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || performance.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOK_MS = 5;

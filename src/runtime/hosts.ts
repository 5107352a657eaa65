import { OwnedEngine } from './owned-engine.ts';
import type { TaskHost } from './task-host.ts';
import { threadState } from './thread-state.ts';

/** The host behind an open session of this thread, by the session's url: for those who look inside, such as tests. */
export function hostOf(url: string): TaskHost | undefined {
  for (const engine of threadState().engines) {
    if (engine instanceof OwnedEngine && url.endsWith(`/${engine.host.self.node}`)) return engine.host;
  }
  return undefined;
}

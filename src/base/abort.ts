/** Those who wait for one signal, each under a key of its own. */
const waiting = new WeakMap<AbortSignal, Set<{ readonly then: () => void }>>();

/**
 * Calls `then` once when `signal` aborts, at once if it has; returns a way to stop that. However many wait for one
 * signal, it has one listener, and none when nobody waits any more: Node takes more than ten for a leak and warns.
 */
export function onAbort(signal: AbortSignal, then: () => void): () => void {
  if (signal.aborted) {
    then();
    return () => {};
  }
  const entry = { then };
  const known = waiting.get(signal);
  const entries = known ?? new Set();
  entries.add(entry);
  if (known === undefined) {
    waiting.set(signal, entries);
    signal.addEventListener('abort', tell, { once: true });
  }
  return () => {
    if (!entries.delete(entry) || entries.size > 0 || waiting.get(signal) !== entries) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', tell);
  };
}

function tell(event: Event): void {
  const signal = event.target as AbortSignal;
  const entries = waiting.get(signal);
  waiting.delete(signal);
  for (const entry of entries ?? []) {
    // One who has been stopped by another one before it is not told.
    if (!entries?.delete(entry)) continue;
    try {
      entry.then();
    } catch (error) {
      // As an event target has it: one listener's failure is nobody else's.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

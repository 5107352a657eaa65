import { performance } from 'node:perf_hooks';

/** Since Node 20.18; the types leave it out for older ones. */
interface LoopMetrics {
  readonly uvMetricsInfo?: { readonly events: number };
}

/** A loop that has no other business has so many now and then: garbage that is collected on other threads, a line of output. */
const STRAY_EVENTS = 3;

const eventsSoFar = (): number => (performance.nodeTiming as LoopMetrics).uvMetricsInfo?.events ?? 0;

/** Whether the event loop of this thread has more to do than hear the party's bell: sockets of a server, files, child processes. */
export class ForeignEvents {
  #events = eventsSoFar();
  #bells = 0;

  /** The bell, too, is an event of the loop. */
  bell(): void {
    this.#bells++;
  }

  /** True if there were several since it was asked last, or made. */
  any(): boolean {
    const events = eventsSoFar();
    const foreign = events - this.#events - this.#bells;
    this.#events = events;
    this.#bells = 0;
    return foreign > STRAY_EVENTS;
  }
}

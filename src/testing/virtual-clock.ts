import { EventQueue } from './simulator/queue.ts';

/** Time that passes only when somebody takes the next event: timers for code under test, and its event loop. */
export class VirtualClock {
  readonly #events = new EventQueue();
  /** Milliseconds. */
  now = 0;
  steps = 0;

  /** Runs something after so many milliseconds; the function that it returns prevents that. */
  readonly after = (ms: number, run: () => void): (() => void) => {
    let wanted = true;
    this.#events.add(this.now + ms, () => {
      if (wanted) run();
    });
    return () => {
      wanted = false;
    };
  };

  /** Lets time pass until nothing is left to happen, or until `done`. */
  run(done: () => boolean = () => false, limit = 1_000_000): void {
    while (!done()) {
      const event = this.#events.take();
      if (event === undefined) return;
      if (++this.steps > limit) throw new Error(`still busy after ${limit} events, at ${this.now} ms`);
      this.now = Math.max(this.now, event.at);
      event.run();
    }
  }
}

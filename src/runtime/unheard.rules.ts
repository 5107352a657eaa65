/** Signals that end a program, and the exit codes that shells expect after them. */
export const ENDING = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type EndingSignal = keyof typeof ENDING;

/**
 * How often in a row a signal must have been seen waiting for the program before the program is ended. Looks are counted, and
 * not time: after the whole process was stopped for a while, its event loop has as much time as ever.
 */
const LOOKS = 3;

/** Decides when a signal that the program's event loop gets no round to ends the program all the same. */
export class Unheard {
  #looks = 0;

  /** `waiting`: some signal seems to have come, and no listener has run. What to do: tell the program, or end it. */
  look(waiting: boolean): 'tell' | 'end' | undefined {
    this.#looks = waiting ? this.#looks + 1 : 0;
    if (this.#looks === 1) return 'tell';
    return this.#looks >= LOOKS ? 'end' : undefined;
  }
}

/**
 * The signals, of those in `guarded`, that this process does not catch any more: they have come. `status` is what
 * `/proc/self/status` says. One bit for each signal, as in `ControlBlock.guarded`.
 */
export function uncaught(guarded: number, status: string): number {
  const caught = /^SigCgt:\s*[0-9a-f]*?([0-9a-f]{1,8})$/m.exec(status)?.[1];
  return caught === undefined ? 0 : guarded & ~Number.parseInt(caught, 16);
}

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { ControlBlock } from '../../transport/index.ts';
import { DRIVER } from '../config.ts';
import { ENDING, type EndingSignal, Unheard, uncaught } from '../unheard.rules.ts';

const LOOK_EVERY_MS = 250;

/**
 * Sees that a signal has come whose listener the driver's event loop gets no round to: the handler runs once and is gone
 * (`endOnSignals`). `tell` is called at first, and `end`, with the exit code, when that has been so for half a second.
 */
export class SignalWatch {
  readonly #block: ControlBlock;
  readonly #patience = new Unheard();
  readonly #timer: NodeJS.Timeout;

  constructor(block: ControlBlock, tell: () => void, end: (code: number) => void) {
    this.#block = block;
    this.#timer = setInterval(() => {
      const signals = this.#waiting();
      const what = this.#patience.look(signals !== 0);
      if (what === 'tell') tell();
      else if (what === 'end') end(codeOf(signals));
    }, LOOK_EVERY_MS).unref();
  }

  #waiting(): number {
    if (this.#block.guarded(DRIVER) === 0) return 0;
    const status = readStatus();
    // Asked for after the look: what is guarded by then was caught before it.
    return uncaught(this.#block.guarded(DRIVER), status);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    // Without it nothing can be seen; the second signal still ends the program.
    return '';
  }
}

function codeOf(signals: number): number {
  const names = Object.keys(ENDING) as EndingSignal[];
  const name = names.find((each) => (signals & (1 << (constants.signals[each] - 1))) !== 0) ?? 'SIGTERM';
  return ENDING[name];
}

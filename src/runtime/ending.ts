import { constants } from 'node:os';
import { libc } from '../native/index.ts';
import { ENDING, type EndingSignal } from './unheard.rules.ts';

/** A session that ends with its program. */
export interface Guarded {
  /** The process is about to end. */
  end(): Promise<void>;
  /** Says which signals the session has to look after; see `SignalWatch`. */
  guarded(signals: number): void;
}

/**
 * Ctrl-C and its like end the sessions first, and then the program, with the exit code that shells expect.
 *
 * A listener needs a turn of the event loop, and takes away the signal's default, which needs none. So the handler is
 * told to run once: a second signal ends a program in a synchronous loop at once, by the kernel, and that the first one has come is
 * seen by the control threads (`SignalWatch`), which end it when it takes no notice.
 *
 * A program with a listener of its own decides by itself: ours steps aside while there is another, so that libraries
 * that leave a signal to others see that there are none.
 */
export function endOnSignals(session: Guarded): () => void {
  if (sessions.size === 0) {
    process.on('newListener', added);
    process.on('removeListener', removed);
  }
  sessions.add(session);
  for (const guard of guards.values()) guard.settle();
  tellSessions();
  return () => {
    if (!sessions.delete(session)) return;
    session.guarded(0);
    if (sessions.size > 0) return;
    process.off('newListener', added);
    process.off('removeListener', removed);
    for (const guard of guards.values()) guard.settle();
  };
}

/**
 * A handler is gone. If that was a signal, its listener runs in this turn of the event loop; otherwise a native addon has set
 * another one, and decides by itself from now on.
 */
export function checkSignals(): void {
  setImmediate(() =>
    setImmediate(() => {
      if (!ending) for (const guard of guards.values()) guard.check();
    }),
  );
}

const sessions = new Set<Guarded>();
let ending = false;

class Guard {
  readonly signal: EndingSignal;
  /** Undoes that the handler runs once. */
  #undo: (() => void) | undefined;

  constructor(signal: EndingSignal) {
    this.signal = signal;
  }

  /** The control threads may take it that a signal without its handler is one that nobody has listened to yet. */
  get armed(): boolean {
    return this.#undo !== undefined;
  }

  readonly listener = (): void => {
    const code = ENDING[this.signal];
    if (ending) process.exit(code);
    ending = true;
    void Promise.all([...sessions].map((session) => session.end())).finally(() => process.exit(code));
  };

  /** Listens if nobody else does. */
  settle(): void {
    const { signal, listener } = this;
    const listeners = process.listeners(signal);
    const others = listeners.some((each) => each !== listener);
    const listens = listeners.includes(listener);
    if (others || sessions.size === 0) {
      this.disarm(others);
      if (listens) process.off(signal, listener);
      return;
    }
    if (!listens) process.on(signal, listener);
    if (this.#undo !== undefined) return;
    this.#undo = libc()?.handleOnce(constants.signals[signal]);
    tellSessions();
  }

  check(): void {
    if (this.#undo === undefined) return;
    this.#undo = libc()?.handleOnce(constants.signals[this.signal]);
    tellSessions();
  }

  /** `keep`: somebody still listens, so the handler stays, and runs each time. */
  disarm(keep: boolean): void {
    const undo = this.#undo;
    if (undo === undefined) return;
    this.#undo = undefined;
    // Before the handler can be gone for another reason than a signal.
    tellSessions();
    if (keep) undo();
  }
}

const guards: ReadonlyMap<string | symbol, Guard> = new Map(
  (Object.keys(ENDING) as EndingSignal[]).map((signal) => [signal, new Guard(signal)]),
);

function tellSessions(): void {
  let signals = 0;
  for (const { armed, signal } of guards.values()) if (armed) signals |= 1 << (constants.signals[signal] - 1);
  for (const session of sessions) session.guarded(signals);
}

// Node tells of a listener before it is there, so ours can step aside only afterwards; its signal has to stay listened to
// in between.
function added(event: string | symbol, listener: unknown): void {
  const guard = guards.get(event);
  if (guard === undefined || listener === guard.listener) return;
  guard.disarm(true);
  process.nextTick(() => guard.settle());
}

// Who takes all listeners away for a moment, as `vm` does for `breakOnSigint`, puts them back at once.
function removed(event: string | symbol, listener: unknown): void {
  const guard = guards.get(event);
  if (guard === undefined) return;
  if (listener === guard.listener) guard.disarm(false);
  process.nextTick(() => guard.settle());
}

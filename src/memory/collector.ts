import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { libc } from '../native/index.ts';

type Gc = (o?: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

let gc: Gc | undefined;

function load(): Gc {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as Gc;
  }
  return gc;
}

/** A full collection of this thread's heap, now. */
export function collectGarbage(): void {
  load()();
}

/**
 * Returns what a burst has left behind to the system: an ordinary collection of recent V8 versions keeps the pages of a
 * heap that has shrunk, and the C library keeps what was freed. Takes some ten milliseconds.
 */
export function giveBackHeap(): void {
  load()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  libc()?.trim();
}

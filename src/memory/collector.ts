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

/** The first V8 with the flag. */
const V8_WITH_GLOBAL_LIMIT = 13;

/**
 * For a process of our own: views of shared memory do not make V8 collect garbage before there are gigabytes of them. It
 * counts each view as memory of its size, and starts a collection whenever 64 MiB of them have been added, which takes
 * milliseconds for a heap that has next to no garbage; the reader of a large value would wait for that. What garbage pins is
 * collected when the store is short of room, and when the worker is idle.
 */
export function tolerateLargeViews(): void {
  if (Number.parseInt(process.versions.v8, 10) >= V8_WITH_GLOBAL_LIMIT) {
    setFlagsFromString('--external-memory-accounted-in-global-limit');
  }
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

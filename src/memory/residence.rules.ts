import { InternalError } from '../base/index.ts';

/** What a slot of the table is: the number of its state. Those from 1 on, but for BUSY, name an object. */
export const FREE = 0;
/** Being written by the party that made it. */
export const OPEN = 1;
/** In memory, and finished. It may have a copy on disk as well. */
export const SEALED = 2;
/** Free pages that a party is giving back to the system, outside of the lock. */
export const BUSY = 3;
/** About to leave memory: whoever begins to use it now has to wait for the lock, and finds out there. */
export const LEAVING = 4;
/** On disk alone: it has no pages. */
export const SPILLED = 5;
/** On disk, with pages into which a party is reading it. */
export const RESTORING = 6;

export type Residence =
  | typeof FREE
  | typeof OPEN
  | typeof SEALED
  | typeof BUSY
  | typeof LEAVING
  | typeof SPILLED
  | typeof RESTORING;

export const RESIDENCE_NAMES = ['FREE', 'OPEN', 'SEALED', 'BUSY', 'LEAVING', 'SPILLED', 'RESTORING'] as const;

export type Happening =
  | 'allocated'
  | 'taken'
  | 'sealed'
  | 'evicted'
  | 'used'
  | 'left'
  | 'claimed'
  | 'read'
  | 'unread'
  | 'released';

const NEXT: Readonly<Record<Residence, Readonly<Partial<Record<Happening, Residence>>>>> = {
  [FREE]: { allocated: OPEN, taken: BUSY },
  [OPEN]: { sealed: SEALED, released: FREE },
  // Sealing twice is as good as once.
  [SEALED]: { sealed: SEALED, evicted: LEAVING, released: FREE },
  [BUSY]: { released: FREE },
  // `used`: somebody had begun to in the meantime, or the party that evicted it has died.
  [LEAVING]: { used: SEALED, left: SPILLED },
  [SPILLED]: { claimed: RESTORING, released: FREE },
  // `unread`: its reader has died, or the file can't be read.
  [RESTORING]: { read: SEALED, unread: SPILLED, released: FREE },
};

/** What a slot becomes. Everything that changes the state of one asks here. */
export function residenceAfter(state: number, happening: Happening): Residence {
  const next = NEXT[state as Residence]?.[happening];
  if (next === undefined) {
    throw new InternalError(
      `an object that is ${RESIDENCE_NAMES[state] ?? state} can't be ${happening}; please report this`,
    );
  }
  return next;
}

/** Whether a slot in that state owns the pages that it names. */
export function ownsPages(state: number): boolean {
  return state !== FREE && state !== SPILLED;
}

/** Whether it names an object that somebody may hold. */
export function isObject(state: number): boolean {
  return state !== FREE && state !== BUSY;
}

/** Whether the bytes of the object can be read at its pages. */
export function isPresent(state: number): boolean {
  return state === OPEN || state === SEALED;
}

/** All changes there are, for the drawing of them. */
export function residenceChanges(): [from: string, to: string, happening: Happening][] {
  return Object.entries(NEXT).flatMap(([from, changes]) =>
    Object.entries(changes).map(([happening, to]): [string, string, Happening] => [
      RESIDENCE_NAMES[Number(from)] as string,
      RESIDENCE_NAMES[to] as string,
      happening as Happening,
    ]),
  );
}

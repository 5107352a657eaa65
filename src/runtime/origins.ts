import type { SharedStore, SlotRef } from '../memory/index.ts';
import type { Cell } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { objectSite, type Site, shownSite } from './sites.ts';
import { type CellValue, Gathered, Stored } from './values.ts';

/** What an object of shared memory was made as. */
export type MadeAs = 'put' | 'alloc' | 'all' | 'argument' | 'result' | 'item' | 'other';

/** Who has made objects: a line of user code. */
export interface Origin {
  readonly as: MadeAs;
  /** The task whose argument, result or item it is; of another one, the task whose code has made it. */
  readonly task: string | null;
  /** `file:line:column` of user code: the call of that task for an argument or a result. */
  readonly site: string | null;
  /** The site is that of another call of the same task: of a burst, not all are recorded. */
  readonly near: boolean;
}

/** What one party knows of where objects come from: `slots` has the index, the generation and the place in `origins` of each. */
export interface OriginsReport {
  readonly origins: readonly Origin[];
  readonly slots: Uint32Array;
}

/** A place in user code, as text: a stack would keep the objects whose methods are on it, and so what this is to help to find. */
interface Place {
  readonly site: string | undefined;
  readonly near: boolean;
}

interface Made extends Place {
  readonly generation: number;
  readonly as: MadeAs;
  readonly task: string | undefined;
}

const NOWHERE: Place = { site: undefined, near: false };
/** Entries of objects that are gone are cleared out beyond so many. */
const LIMIT = 1024;

/**
 * Remembers where the objects of shared memory come from that one party has made, or that came as results of what it has called.
 * Stacks are taken of a few between two turns of the event loop; the others are said to come from near the latest of them.
 */
export class Origins {
  readonly #store: SharedStore;
  readonly #made = new Map<number, Made>();
  #latest: string | undefined;
  #limit = LIMIT;

  /** `running`: the name of the task that the calling code belongs to. */
  constructor(store: SharedStore, running: () => string | undefined) {
    this.#store = store;
    store.onAllocate = (ref, alloc) => {
      const place = alloc ? this.#place(objectSite(store.alloc as (...args: never[]) => unknown)) : NOWHERE;
      const { generation } = ref;
      this.#add(ref, { generation, as: alloc ? 'alloc' : 'other', task: running(), ...place });
    };
  }

  #place(site: Site | undefined): Place {
    if (site === undefined) return { site: this.#latest, near: true };
    this.#latest = shownSite(site);
    return { site: this.#latest, near: false };
  }

  #callPlace({ site, plan: { fn } }: Call): Place {
    if (site === undefined) return { site: fn.largeSite, near: true };
    fn.largeSite = shownSite(site);
    return { site: fn.largeSite, near: false };
  }

  #add({ index }: SlotRef, made: Made): void {
    this.#made.set(index, made);
    if (this.#made.size <= this.#limit) return;
    for (const [each, { generation }] of this.#made) {
      if (!this.#store.exists({ index: each, generation })) this.#made.delete(each);
    }
    this.#limit = Math.max(LIMIT, this.#made.size * 2);
  }

  /** Says what those objects of a value were made as that have just been made for it. */
  #claim(as: MadeAs, task: string | undefined, value: CellValue, place: Place): void {
    forEachSlot(value, (ref) => {
      const made = this.#made.get(ref.index);
      if (made?.generation !== ref.generation || made.as !== 'other') return;
      this.#made.set(ref.index, { generation: ref.generation, as, task: task ?? made.task, ...place });
    });
  }

  /** User code keeps a value. */
  kept(as: 'put' | 'all', value: CellValue, site: Site | undefined): void {
    this.#claim(as, undefined, value, this.#place(site));
  }

  /** A call has arguments in shared memory. */
  sent(call: Call, value: CellValue): void {
    this.#claim('argument', call.name, value, this.#callPlace(call));
  }

  /** A task that runs here gives a value. Where it was called, its caller knows. */
  given(as: 'result' | 'item', task: string, value: CellValue): void {
    this.#claim(as, task, value, NOWHERE);
  }

  /** The results of a call have come. */
  came(call: Call): void {
    let place: Place | undefined;
    call.eachResult((cell: Cell) => {
      if (!cell.pinned) return;
      forEachSlot(cell.value, (ref) => {
        const { generation } = ref;
        if (this.#made.get(ref.index)?.generation === generation) return;
        place ??= this.#callPlace(call);
        this.#add(ref, { generation, as: 'result', task: call.name, ...place });
      });
    });
  }

  report(): OriginsReport {
    const origins: Origin[] = [];
    const known = new Map<string, number>();
    const slots: number[] = [];
    for (const [index, { generation, as, task, site, near }] of this.#made) {
      if (!this.#store.exists({ index, generation })) continue;
      const origin = { as, task: task ?? null, site: site ?? null, near };
      const key = JSON.stringify(origin);
      let at = known.get(key);
      if (at === undefined) {
        at = origins.push(origin) - 1;
        known.set(key, at);
      }
      slots.push(index, generation, at);
    }
    return { origins, slots: Uint32Array.from(slots) };
  }
}

function forEachSlot(value: CellValue, visit: (ref: SlotRef) => void): void {
  if (value instanceof Gathered) for (const item of value.items) forEachSlot(item, visit);
  if (!(value instanceof Stored)) return;
  if (value.bodyExtent !== null) visit(value.bodyExtent.slot);
  for (const extent of value.buffers) visit(extent.slot);
}

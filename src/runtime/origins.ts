import type { SharedStore, SlotRef } from '../memory/index.ts';
import type { Cell } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { lasting, objectSite, type Site, shownSite } from './sites.ts';
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

interface Made {
  readonly generation: number;
  as: MadeAs;
  task: string | undefined;
  site: Site | undefined;
  readonly near: boolean;
}

/** Entries of objects that are gone are cleared out beyond so many. */
const LIMIT = 1024;

/**
 * Remembers where the objects of shared memory come from that one party has made, or that came as results of what it has called.
 * Each of them took a copy of 100 KiB or more to make, so a short stack for each is cheap.
 */
export class Origins {
  readonly #store: SharedStore;
  readonly #made = new Map<number, Made>();
  #limit = LIMIT;

  /** `running`: the name of the task that the calling code belongs to. */
  constructor(store: SharedStore, running: () => string | undefined) {
    this.#store = store;
    store.onAllocate = (ref, alloc) => {
      const site = alloc ? lasting(objectSite(store.alloc as (...args: never[]) => unknown)) : undefined;
      this.#add(ref, { generation: ref.generation, as: alloc ? 'alloc' : 'other', task: running(), site, near: false });
    };
  }

  #add({ index }: SlotRef, made: Made): void {
    this.#made.set(index, made);
    if (this.#made.size <= this.#limit) return;
    for (const [index, { generation }] of this.#made) {
      if (!this.#store.exists({ index, generation })) this.#made.delete(index);
    }
    this.#limit = Math.max(LIMIT, this.#made.size * 2);
  }

  /** Says what those objects of a value were made as, and where, that have just been made for it. */
  claim(as: MadeAs, task: string | undefined, value: CellValue, site?: Site): void {
    forEachSlot(value, ({ index, generation }) => {
      const made = this.#made.get(index);
      if (made?.generation !== generation || made.as !== 'other') return;
      made.as = as;
      made.site = lasting(site);
      if (task !== undefined) made.task = task;
    });
  }

  /** The results of a call have come. */
  came(call: Call): void {
    call.eachResult((cell: Cell) => {
      if (!cell.pinned) return;
      const { fn } = call.plan;
      fn.large = true;
      fn.lastSite = lasting(call.site) ?? fn.lastSite;
      const site = fn.lastSite;
      forEachSlot(cell.value, (ref) => {
        const { generation } = ref;
        if (this.#made.get(ref.index)?.generation === generation) return;
        this.#add(ref, { generation, as: 'result', task: call.name, site, near: call.site === undefined });
      });
    });
  }

  report(): OriginsReport {
    const origins: Origin[] = [];
    const known = new Map<string, number>();
    const slots: number[] = [];
    for (const [index, { generation, as, task, site, near }] of this.#made) {
      if (!this.#store.exists({ index, generation })) continue;
      const origin = { as, task: task ?? null, site: shownSite(site) ?? null, near };
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

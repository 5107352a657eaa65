import { dirname } from 'node:path';
import { InternalError } from '../../base/index.ts';
import { clearAbandoned, removeSpillFolder, SharedStore, type SlotRef, type Spiller } from '../../memory/index.ts';
import type { SessionConfig } from '../config.ts';
import { Values } from '../values.ts';

/** The first worker starts sooner when nothing else is done in the first moments. */
const BEGIN_AFTER_MS = 100;
/** What a disk may take at the end of a session. */
const END_MS = 500;

interface Attached {
  readonly store: SharedStore;
  readonly values: Values;
  readonly spiller: Spiller | undefined;
}

/** The control thread's part in shared memory: it writes what has no room to disk, and gives back what is at rest. */
export class MemoryKeeper {
  readonly #config: SessionConfig;
  /** Wakes all parties, so that they let go of what is garbage. */
  readonly #rouse: () => void;
  #attached: Attached | undefined;
  #pressure = 0;
  #closed = false;

  constructor(config: SessionConfig, rouse: () => void) {
    this.#config = config;
    this.#rouse = rouse;
    setTimeout(() => this.#begin(), BEGIN_AFTER_MS).unref();
  }

  #begin(): void {
    const { spill } = this.#config.store;
    if (spill === undefined || this.#closed) return;
    this.#memory();
    clearAbandoned(dirname(spill));
  }

  /** Mapped on first use. */
  #memory(): Attached {
    if (this.#attached === undefined) {
      const store = SharedStore.attach(this.#config.store, 0);
      const values = new Values(store, () => {
        throw new InternalError('the control thread looked into a value');
      });
      const spiller = this.#config.store.spill === undefined ? undefined : store.spill();
      this.#attached = { store, values, spiller };
    }
    return this.#attached;
  }

  get store(): SharedStore {
    return this.#memory().store;
  }

  get values(): Values {
    return this.#memory().values;
  }

  /** Undefined as long as nobody has had to look. */
  get mapped(): SharedStore | undefined {
    return this.#attached?.store;
  }

  /** Does what has been asked for in shared memory. */
  look(): void {
    if (this.#closed) return;
    this.#attached?.spiller?.look();
  }

  /** Reads objects back that somebody holds who does not want to stand still meanwhile. */
  async bring(slots: readonly SlotRef[]): Promise<void> {
    const { spiller, store } = this.#memory();
    if (spiller === undefined) return;
    for (const slot of slots) {
      const coming = spiller.bring(slot);
      if (store.pressure !== this.#pressure) {
        this.#pressure = store.pressure;
        this.#rouse();
      }
      await coming;
    }
  }

  /** The session is over: nothing of it stays on disk. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = this.#attached?.spiller?.close();
    if (closed !== undefined) {
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, END_MS).unref())]);
    }
    this.removeFolder();
  }

  /** The same at once, when the process is about to end. */
  removeFolder(): void {
    this.#closed = true;
    const { spill } = this.#config.store;
    if (spill !== undefined && this.#attached !== undefined) removeSpillFolder(spill);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { BLOCK } from './layout.ts';
import { USE } from './pins.ts';
import { placeOf } from './regions.ts';
import { type Copy, pagesOf } from './residence.ts';
import { spillFile } from './spill-folder.ts';
import type { SpillerParts } from './spiller.ts';
import type { SlotRef } from './table.ts';

/** Who waits for room looks again after so long, and gives up after so many looks without success, in milliseconds. */
const LOOK_MS = 2;
const LOOKS = 1000;

/**
 * Reads objects back for those who must not stand still for as long as that takes. An attempt: whoever asked looks for
 * himself afterwards, and hears then what is wrong.
 */
export class Restorer {
  readonly #parts: SpillerParts;
  readonly #makeRoom: () => void;

  /** `makeRoom` is called after a request for room. */
  constructor(parts: SpillerParts, makeRoom: () => void) {
    this.#parts = parts;
    this.#makeRoom = makeRoom;
  }

  /** The object is in memory now, if that was possible. Somebody holds it until then. */
  async bring(ref: SlotRef): Promise<void> {
    const { table } = this.#parts;
    try {
      if (!table.use(ref)) await this.#arrive(ref);
      table.unpin(ref, USE);
    } catch {
      // Its holder is gone, or the session is closed.
    }
  }

  async #arrive(ref: SlotRef): Promise<void> {
    const { residence, requests, table } = this.#parts;
    for (let look = 0; look < LOOKS; look++) {
      const arrival = residence.arrive(ref);
      if (arrival === 'present') return;
      if (typeof arrival === 'object') {
        await this.#read(ref, arrival);
        return;
      }
      if (arrival === 'no room') {
        if (look % 50 === 0) table.raisePressure();
        requests.ask(pagesOf(table.byteLength(ref)));
        this.#makeRoom();
      }
      await sleep(LOOK_MS);
    }
  }

  async #read(ref: SlotRef, { file, at, length, sum }: Copy): Promise<void> {
    const { table, residence, regions, disk, folder } = this.#parts;
    const { region, offset } = placeOf(table.firstPage(ref));
    const into = new Uint8Array(regions.segment(region).buffer, offset, length);
    let read = false;
    try {
      read = (await disk.read(spillFile(folder, file.serial), at * BLOCK, into)) === sum;
    } catch {
      // Said to the one who asks, when he tries himself.
    } finally {
      residence.arrived(ref, read);
    }
  }
}

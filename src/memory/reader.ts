import { formatBytes, ObjectLostError } from '../base/index.ts';
import { BLOCK } from './layout.ts';
import { USE } from './pins.ts';
import { placeOf, type Regions } from './regions.ts';
import type { Copy, Residence } from './residence.ts';
import type { Room } from './room.ts';
import { isForGood, readCopy } from './spill-disk.ts';
import { spillFile } from './spill-folder.ts';
import type { SlotRef, Table } from './table.ts';

/** How long another party may take to read an object back. */
const COMING_MS = 60_000;

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Reads objects back from disk for one party, in its thread. */
export class Reader {
  readonly #table: Table;
  readonly #residence: Residence;
  readonly #regions: Regions;
  readonly #room: Room;

  constructor(table: Table, residence: Residence, regions: Regions, room: Room) {
    this.#table = table;
    this.#residence = residence;
    this.#regions = regions;
    this.#room = room;
  }

  /** Brings an object into memory that this party has said it uses; what fails takes that back. */
  bring(ref: SlotRef): void {
    try {
      const end = performance.now() + COMING_MS;
      for (;;) {
        const arrival = this.#arrive(ref);
        if (arrival === 'present') return;
        if (arrival !== 'coming') {
          this.#read(ref, arrival);
          return;
        }
        // By another party. Should that die, the control thread says so in the table.
        if (performance.now() > end) throw this.#comesTooLate(ref);
        Atomics.wait(nap, 0, 0, 0.2);
      }
    } catch (error) {
      this.#table.unpin(ref, USE);
      throw error;
    }
  }

  #arrive(ref: SlotRef): 'present' | 'coming' | Copy {
    return this.#room.find(this.#table.byteLength(ref), () => {
      const arrival = this.#residence.arrive(ref);
      return arrival === 'no room' ? undefined : arrival;
    });
  }

  #read(ref: SlotRef, { file, at, length, sum }: Copy): void {
    let read = false;
    try {
      const { region, offset } = placeOf(this.#table.firstPage(ref));
      const into = new Uint8Array(this.#regions.segment(region).buffer, offset, length);
      readCopy(spillFile(this.#room.folder, file.serial), at * BLOCK, into, sum);
      read = true;
    } catch (error) {
      if (isForGood(error)) this.#table.lose(ref);
      throw error;
    } finally {
      this.#residence.arrived(ref, read);
    }
  }

  #comesTooLate(ref: SlotRef): ObjectLostError {
    const { folder } = this.#room;
    return new ObjectLostError(
      `a value of ${formatBytes(this.#table.byteLength(ref))} is being read back from ${folder} for more than ` +
        `${COMING_MS / 1000} s by another worker: the disk does not answer; name a folder on another one with connect({ spill })`,
      { code: 'ERR_SHEAF_SPILL_UNREADABLE', details: { folder } },
    );
  }
}

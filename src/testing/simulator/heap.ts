import { type Cell, READY } from '../../protocol/index.ts';
import type { Host } from './host.ts';
import { type Payload, SharedObject } from './values.ts';

/** What one party has in shared memory. */
export class Heap {
  readonly #host: Host;
  /** Cells that may have had a value there, where such values get lost. */
  readonly #atRisk = new Set<Cell>();
  #objects = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  allocate(name: string): SharedObject {
    const object = new SharedObject(`${this.#host.name} object ${++this.#objects} (${name})`);
    object.pin(this.#host);
    this.#host.world.objects.add(object);
    return object;
  }

  /** Lets go of objects that were kept for somebody who is to acknowledge them. */
  unpin(payload: unknown): void {
    if (payload !== undefined) for (const object of payload as SharedObject[]) object.unpin(this.#host);
  }

  /** A new cell, whose value `lose` may take away. */
  watch(cell: Cell): void {
    if (this.#host.world.config.loseEvery > 0) this.#atRisk.add(cell);
  }

  /** Takes away a value in shared memory, whoever else has it: what a bad disk does. This party finds out at once, or nobody does. */
  lose(): boolean {
    const host = this.#host;
    for (const cell of this.#atRisk) {
      if (!cell.pinned || cell.state !== READY) continue;
      const { object } = cell.value as Payload;
      if (!host.world.random.chance(0.5) || object === null || object.lost) continue;
      object.lose();
      host.world.log(() => `${host.name} loses ${object.name}`);
      host.world.losses++;
      if (host.world.random.chance(0.3)) host.turn(() => host.party.lost(cell));
      return true;
    }
    return false;
  }
}

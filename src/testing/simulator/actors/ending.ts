import { ActorEndings, type Disposable } from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Node } from './node.ts';
import type { Simulation } from './simulation.ts';

/** The end of a session: its actors end before their workers do, and after those that hold them. */
export class Ending {
  readonly #sim: Simulation;
  readonly #living: readonly Disposable[];
  readonly #endings: ActorEndings;
  readonly #told = new Set<string>();
  readonly #left = new Map<string, Disposable>();
  readonly #circles: boolean;

  constructor(sim: Simulation) {
    this.#sim = sim;
    const { directory, table } = sim.control;
    const holders = (id: string): number[] => directory.holders(id).map((key) => Number(key.split('.')[1]));
    this.#living = table.disposable(holders);
    for (const actor of this.#living) this.#left.set(actor.id, actor);
    this.#circles = this.#goRound();
    this.#endings = new ActorEndings(this.#living, (actor) => this.#end(actor));
  }

  /** Whether each of some is held by another one of them. */
  #goRound(): boolean {
    let left = this.#living;
    for (let before = -1; before !== left.length; ) {
      before = left.length;
      left = left.filter((actor) => left.some((other) => holds(other, actor)));
    }
    return left.length > 0;
  }

  #end(actor: Disposable): void {
    const { id, worker, incarnation } = actor;
    if (this.#told.has(id)) throw new Violation(`${id} is ended twice`);
    this.#told.add(id);
    const holder = [...this.#left.values()].find((other) => holds(other, actor));
    if (holder !== undefined && !this.#circles) throw new Violation(`${id} ends before ${holder.id}, which holds it`);
    const node = this.#sim.control.nodes.get(worker);
    if (node?.alive && node.address.incarnation === incarnation) {
      this.#sim.links.send(null, node, { to: 'end', id });
    }
  }

  ended(id: string): void {
    if (!this.#told.has(id)) throw new Violation(`${id} ends unasked`);
    this.#left.delete(id);
    this.#endings.ended(id);
  }

  died({ address }: Node): void {
    for (const { id, worker } of this.#living) if (worker === address.party) this.#left.delete(id);
    this.#endings.workerDied(address.party, address.incarnation);
  }

  get actors(): number {
    return this.#living.length;
  }

  get over(): boolean {
    if (this.#endings.over !== (this.#left.size === 0)) throw new Violation('the end of the actors is over, or is not');
    return this.#endings.over;
  }
}

const holds = (other: Disposable, { id, worker, heldOn }: Disposable): boolean =>
  other.id !== id && other.worker !== worker && heldOn.includes(other.worker);

import { type Address, Party } from '../../protocol/index.ts';
import type { Control } from './control.ts';
import { Executions } from './executions.ts';
import { Heap } from './heap.ts';
import { describe, type Message } from './messages.ts';
import { Operations } from './operations.ts';
import { Port } from './port.ts';
import { type Payload, Violation } from './values.ts';
import { type Endpoint, type Envelope, Link, type World } from './world.ts';

interface Sent {
  readonly envelope: Envelope<Message>;
  readonly link: Link<Message>;
}

/** A worker, or the driver: one event loop around a `Party`. */
export class Host implements Endpoint<Message> {
  readonly world: World;
  readonly number: number;
  readonly address: Address;
  readonly name: string;
  readonly port: Port;
  readonly party: Party<Payload>;
  readonly toControl: Link<Message>;
  readonly heap: Heap;
  readonly operations: Operations;
  readonly executions: Executions;
  alive = true;
  busyUntil = 0;
  /** Ended on purpose, so that no run is to blame. */
  killed = false;
  /** The driver's program has come to its end. */
  finished = false;
  /** In this turn, or the last one. */
  readonly #sent: Sent[] = [];
  #tickAt = Number.POSITIVE_INFINITY;
  #flushing = false;

  constructor(world: World, control: Control, address: Address, driver: boolean) {
    this.world = world;
    this.address = address;
    this.number = address.party;
    this.name = `${driver ? 'driver' : 'worker'} ${address.party}.${address.incarnation}`;
    this.port = new Port(this, control);
    this.party = new Party<Payload>(address, this.port, world.config.owner);
    this.toControl = new Link<Message>(world, this, control);
    this.heap = new Heap(this);
    this.operations = new Operations(this);
    this.executions = new Executions(this, driver);
  }

  turn(work: () => void): void {
    const { owner } = this.party;
    owner.now = this.world.now / 1000;
    this.#sent.length = 0;
    work();
    if (this.#flushing) return;
    if (this.world.random.chance(this.world.config.lazy)) {
      this.#flushing = true;
      this.later(this.world.random.int(100), () => {
        this.#flushing = false;
        this.#endOfTurn();
      });
    } else this.#endOfTurn();
  }

  #endOfTurn(): void {
    const { owner } = this.party;
    owner.settleUp();
    this.executions.pick();
    owner.settleUp();
    const wait = owner.nextTick;
    if (wait === undefined) return;
    const at = this.world.now + Math.ceil(wait * 1000) + 1;
    if (at >= this.#tickAt) return;
    this.#tickAt = at;
    this.world.events.add(at, () => {
      if (this.#tickAt !== at || !this.alive) return;
      this.#tickAt = Number.POSITIVE_INFINITY;
      this.#whenFree(() => this.party.owner.tick());
    });
  }

  later(micros: number, work: () => void): void {
    this.world.after(micros, () => this.#whenFree(work));
  }

  #whenFree(work: () => void): void {
    if (!this.alive) return;
    if (this.busyUntil > this.world.now) this.world.events.add(this.busyUntil, () => this.#whenFree(work));
    else this.turn(work);
  }

  sent(envelope: Envelope<Message>, link: Link<Message>): void {
    this.#sent.push({ envelope, link });
  }

  /** It may have died in the middle of its last turn: then the rest of what it sent in that was never sent. */
  die(): void {
    this.alive = false;
    const { random } = this.world;
    for (let last = this.#sent.pop(); last !== undefined; last = this.#sent.pop()) {
      if (last.envelope.delivered || random.chance(0.5)) break;
      this.world.log(() => `${this.name} died before it sent ${describe((last as Sent).envelope.message)}`);
      last.link.unsend(last.envelope);
    }
  }

  receive(m: Message, link: Link<Message>): void {
    const from = link.from as Host;
    this.world.log(() => `${this.name} <- ${link.from.name}: ${describe(m)}`);
    switch (m.to) {
      case 'party':
        this.party.fromControl(m.message);
        if (m.message.type === 'died') {
          this.port.deathDone();
          this.executions.callerDied(m.message.party, m.message.incarnation);
        }
        break;
      case 'worker':
        this.executions.delivered(from, m.push);
        break;
      case 'cancel':
        this.executions.cancel(from, m);
        break;
      case 'more':
        this.executions.streams.more(from, m);
        break;
      case 'yielded':
        this.party.yielded(from.number, m.slot, m.index, m.payload);
        break;
      case 'item':
        this.party.item(from.address, m.item);
        break;
      case 'acknowledge':
        this.heap.unpin(this.party.executor.acknowledged(m.receipt));
        break;
      case 'completed':
        this.port.outgoing.answered(from, m.slot);
        this.party.completed(from.number, m.slot, m.micros, m.payload);
        break;
      case 'reply':
        this.port.outgoing.answered(from, m.reply.slot);
        this.party.replied(from.address, m.reply);
        break;
      case 'control':
        throw new Violation('a message for the control thread at a party');
    }
  }

  /** Whether one has ever called the other. */
  isConnectedTo(other: Host): boolean {
    return this.port.outgoing.find(other) !== undefined || other.port.outgoing.find(this) !== undefined;
  }
}

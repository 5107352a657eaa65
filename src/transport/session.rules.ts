/**
 * What keeps a conversation whole while the connections under it come and go.
 *
 * Each end numbers its messages, keeps them until the other has acknowledged them, and counts what it has taken in.
 * When a new connection is there, each end first says who it is, whom it knows, and how far it has come:
 *
 * ```
 * A 7.1                                   B 9.1
 *   hello 1, knows 1, received 41   <->   hello 1, knows 1, received 17
 *   data 18, 19, ... (again)         ->   (duplicates can't happen: it starts right behind what was received)
 * ```
 *
 * An end that has lost its memory comes back with a larger *incarnation*: a new conversation begins, what the old one
 * had not acknowledged is handed back, and nothing of the old reaches the new. One with a smaller incarnation
 * is a ghost and is refused. Pure.
 */

export type SessionFrame =
  /** `knows`: the other's incarnation, 0 when unknown; `received` counts messages of that one. */
  | { readonly kind: 'hello'; readonly incarnation: number; readonly knows: number; readonly received: number }
  /** `last`: the sender says goodbye, and nothing follows. */
  | {
      readonly kind: 'data';
      readonly sequence: number;
      readonly received: number;
      readonly last: boolean;
      readonly message: Uint8Array;
    }
  | { readonly kind: 'acknowledge'; readonly received: number };

export interface SessionPort {
  /** Only called while attached. */
  transmit(frame: SessionFrame): void;
  deliver(message: Uint8Array): void;
  /** The conversation stands: both ends know where they are. */
  ready(): void;
  /** The other end has lost its memory. What it had not acknowledged is not sent to its successor. */
  replaced(unacknowledged: readonly Uint8Array[]): void;
  /** The connection is to be closed and not to be used. */
  refuse(reason: string): void;
  writable(): void;
  /** The other end has said goodbye, or has heard ours. */
  ended(reason: string): void;
}

export interface SessionLimits {
  /** Bytes unacknowledged above which `send` asks for patience. */
  readonly highWater: number;
  /** An acknowledgement of its own after so many messages. */
  readonly acknowledgeAfter: number;
}

interface Kept {
  readonly sequence: number;
  readonly message: Uint8Array;
  readonly last: boolean;
}

export class Session {
  readonly incarnation: number;
  readonly #port: SessionPort;
  readonly #limits: SessionLimits;
  #attached = false;
  /** The other's hello has come over this connection. */
  #ready = false;
  /** 0: nobody yet. */
  #peer = 0;
  #sequence = 0;
  /** Not acknowledged, oldest first, from `#first` on. */
  #kept: Kept[] = [];
  #first = 0;
  #keptBytes = 0;
  #patience = false;
  #received = 0;
  #acknowledged = 0;
  #goodbye: string | undefined;
  #over = false;

  constructor(incarnation: number, port: SessionPort, limits: SessionLimits) {
    this.incarnation = incarnation;
    this.#port = port;
    this.#limits = limits;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** The other end's incarnation; 0 before its first word. */
  get peer(): number {
    return this.#peer;
  }

  get buffered(): number {
    return this.#keptBytes;
  }

  /** Something has been taken in that the other end has not been told of. */
  get owesAcknowledgement(): boolean {
    return this.#received > this.#acknowledged;
  }

  /** Takes a message, which must not change any more. False: more is kept than is wanted. */
  send(message: Uint8Array): boolean {
    if (this.#over || this.#goodbye !== undefined) return false;
    this.#keep(message, false);
    if (this.#keptBytes <= this.#limits.highWater) return true;
    this.#patience = true;
    return false;
  }

  /** Says goodbye behind all that was sent. */
  end(reason: string): void {
    if (this.#over || this.#goodbye !== undefined) return;
    this.#goodbye = reason;
    this.#keep(NOTHING, true);
  }

  #keep(message: Uint8Array, last: boolean): void {
    const kept: Kept = { sequence: ++this.#sequence, message, last };
    this.#kept.push(kept);
    this.#keptBytes += message.length;
    if (this.#ready) this.#transmit(kept);
  }

  #transmit({ sequence, message, last }: Kept): void {
    this.#acknowledged = this.#received;
    this.#port.transmit({ kind: 'data', sequence, received: this.#received, last, message });
  }

  /** There is a new connection; the one before, if any, is gone. */
  attached(): void {
    this.#attached = true;
    this.#ready = false;
    this.#port.transmit(this.hello);
  }

  get hello(): SessionFrame {
    return { kind: 'hello', incarnation: this.incarnation, knows: this.#peer, received: this.#received };
  }

  /** One end has said goodbye, and the other has heard it. */
  get over(): boolean {
    return this.#over;
  }

  detached(): void {
    this.#attached = false;
    this.#ready = false;
  }

  frame(frame: SessionFrame): void {
    if (this.#over || !this.#attached) return;
    if (frame.kind === 'hello') {
      this.#hello(frame.incarnation, frame.knows, frame.received);
      return;
    }
    if (!this.#ready) {
      this.#port.refuse('the first word on a connection must be hello');
      return;
    }
    this.#heard(frame.received);
    if (frame.kind === 'data' && !this.#over) this.#data(frame.sequence, frame.message, frame.last);
  }

  /** Why an end of that incarnation is not talked to, if it is not. */
  refusal(incarnation: number): string | undefined {
    return incarnation < this.#peer ? `incarnation ${incarnation} has been followed by ${this.#peer}` : undefined;
  }

  #hello(incarnation: number, knows: number, received: number): void {
    const refusal = this.refusal(incarnation);
    if (refusal !== undefined) {
      this.#port.refuse(refusal);
      return;
    }
    if (incarnation > this.#peer) {
      if (this.#peer !== 0) this.#restart();
      this.#peer = incarnation;
    }
    this.#ready = true;
    // What it has received of an earlier incarnation of this end is none of ours.
    if (knows === this.incarnation) this.#heard(received);
    if (this.#over) return;
    for (let i = this.#first; i < this.#kept.length; i++) this.#transmit(this.#kept[i] as Kept);
    this.#port.ready();
  }

  #restart(): void {
    const lost = this.#kept.slice(this.#first).filter((kept) => !kept.last);
    this.#kept = [];
    this.#first = 0;
    this.#keptBytes = 0;
    this.#sequence = 0;
    this.#received = 0;
    this.#acknowledged = 0;
    if (this.#goodbye !== undefined) this.#keep(NOTHING, true);
    this.#port.replaced(lost.map((kept) => kept.message));
    this.#relieve();
  }

  /** The other end has taken in everything up to `received`. */
  #heard(received: number): void {
    const kept = this.#kept;
    let goodbye = false;
    while (this.#first < kept.length) {
      const { sequence, message, last } = kept[this.#first] as Kept;
      if (sequence > received) break;
      this.#first++;
      this.#keptBytes -= message.length;
      goodbye = last;
    }
    if (this.#first > 1024 || this.#first === kept.length) {
      this.#kept = kept.slice(this.#first);
      this.#first = 0;
    }
    if (goodbye) this.#finish(this.#goodbye as string);
    else this.#relieve();
  }

  #relieve(): void {
    if (!this.#patience || this.#keptBytes > this.#limits.highWater / 2) return;
    this.#patience = false;
    this.#port.writable();
  }

  #data(sequence: number, message: Uint8Array, last: boolean): void {
    if (sequence <= this.#received) return;
    if (sequence !== this.#received + 1) {
      // A gap: the connection under it did not keep its word. The next one starts where this end is.
      this.#port.refuse(`message ${sequence} came after ${this.#received}`);
      return;
    }
    this.#received = sequence;
    if (last) {
      this.acknowledge();
      this.#finish('the other end has closed');
      return;
    }
    this.#port.deliver(message);
    if (this.#received - this.#acknowledged >= this.#limits.acknowledgeAfter) this.acknowledge();
  }

  /** Tells the other end how far this one is. The host calls it a moment after messages came, if nothing went back. */
  acknowledge(): void {
    if (!this.#ready || this.#over || !this.owesAcknowledgement) return;
    this.#acknowledged = this.#received;
    this.#port.transmit({ kind: 'acknowledge', received: this.#received });
  }

  #finish(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#ready = false;
    this.#port.ended(reason);
  }
}

const NOTHING = new Uint8Array(0);

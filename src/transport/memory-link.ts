import { HIGH_WATER, type Link, type LinkListener } from './link.ts';

export interface MemoryLinkOptions {
  /** Runs something later, never at once. Default: in the next turn of the event loop. */
  readonly later?: (run: () => void) => void;
  /** Bytes under way in one direction above which `send` returns false. */
  readonly highWater?: number;
}

/** A message, or the text with which the other end has closed. */
type Item = Uint8Array | string;

/** Both ends of a link in one thread. It defines what other links must do, and simulations delay and break it. */
export class MemoryLink implements Link {
  readonly #later: (run: () => void) => void;
  readonly #highWater: number;
  #peer: MemoryLink = this;
  #listener: LinkListener | undefined;
  /** On the way to this end, oldest first. */
  #incoming: Item[] = [];
  /** Of these, how many are due: delays must not change the order. */
  #due = 0;
  #open = true;
  #told = false;
  #buffered = 0;
  #patience = false;

  private constructor({ later = setImmediate, highWater = HIGH_WATER }: MemoryLinkOptions) {
    this.#later = later;
    this.#highWater = highWater;
  }

  static pair(options: MemoryLinkOptions = {}): [MemoryLink, MemoryLink] {
    const a = new MemoryLink(options);
    const b = new MemoryLink(options);
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get open(): boolean {
    return this.#open;
  }

  get buffered(): number {
    return this.#buffered;
  }

  send(message: Uint8Array): boolean {
    if (!this.#open) return false;
    this.#buffered += message.length;
    this.#put(new Uint8Array(message));
    if (this.#buffered <= this.#highWater) return true;
    this.#patience = true;
    return false;
  }

  #put(item: Item): void {
    const peer = this.#peer;
    peer.#incoming.push(item);
    this.#later(() => {
      peer.#due++;
      peer.#takeIn();
    });
  }

  listen(listener: LinkListener): void {
    this.#listener = listener;
    if (this.#due > 0) this.#later(() => this.#takeIn());
  }

  #takeIn(): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    while (this.#due > 0 && this.#incoming.length > 0 && !this.#told) {
      this.#due--;
      const item = this.#incoming.shift() as Item;
      if (typeof item === 'string') this.#end(item);
      else {
        const peer = this.#peer;
        peer.#buffered -= item.length;
        listener.message(item);
        if (peer.#patience && peer.#buffered <= peer.#highWater / 2) {
          peer.#patience = false;
          if (peer.#open) peer.#listener?.writable();
        }
      }
    }
  }

  #end(reason: string): void {
    this.#open = false;
    this.#incoming = [];
    if (this.#told) return;
    this.#told = true;
    this.#listener?.closed(reason);
  }

  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.#open = false;
    this.#put(reason);
    this.#later(() => this.#end(reason));
  }

  /** The connection breaks: what is under way is lost, and each end hears of it in its own time. */
  break(reason = 'the connection broke'): void {
    for (const end of [this, this.#peer]) {
      end.#incoming = [];
      end.#due = 0;
      end.#buffered = 0;
      if (!end.#open) continue;
      end.#open = false;
      this.#later(() => end.#end(reason));
    }
  }
}

import { HIGH_WATER, type Link, type LinkListener } from './link.ts';
import { Session, type SessionFrame, type SessionPort } from './session.rules.ts';
import { decodeFrame, encodeFrame } from './session-frames.ts';

export interface SessionLinkOptions {
  /** Larger each time that this end starts without a memory of before, never 0. */
  readonly incarnation: number;
  /**
   * Makes a new link to the other end, connected or about to be; undefined when there is no way now. Without it this end
   * waits for `attach`.
   */
  readonly dial?: () => Link | undefined;
  /** Runs something after so many milliseconds; the function that it returns prevents that. Default: a timer. */
  readonly after?: (ms: number, run: () => void) => () => void;
  /** Between two attempts to dial. */
  readonly redialMs?: number;
  /** Without a connection for so long, the other end is taken for dead. */
  readonly giveUpMs?: number;
  /** An acknowledgement waits so long for a message to travel with. */
  readonly acknowledgeMs?: number;
  readonly highWater?: number;
  readonly acknowledgeAfter?: number;
  /** The other end has lost its memory: what it had not acknowledged comes back. */
  readonly replaced?: (unacknowledged: readonly Uint8Array[]) => void;
}

function timer(ms: number, run: () => void): () => void {
  const handle = setTimeout(run, ms);
  return () => clearTimeout(handle);
}

/**
 * A link that outlives the links under it: nothing is lost, nothing comes twice and the order stays while they close
 * and are dialled again. See session.rules.ts.
 */
export class SessionLink implements Link {
  readonly #options: SessionLinkOptions;
  readonly #after: (ms: number, run: () => void) => () => void;
  readonly #session: Session;
  #link: Link | undefined;
  #listener: LinkListener | undefined;
  /** A connection that came before anybody listened. Nothing is taken in until somebody does. */
  #early: Link | undefined;
  #open = true;
  #closed: string | undefined;
  #told = false;
  #redial: (() => void) | undefined;
  #giveUp: (() => void) | undefined;
  #acknowledge: (() => void) | undefined;

  constructor(options: SessionLinkOptions) {
    this.#options = options;
    this.#after = options.after ?? timer;
    this.#session = new Session(options.incarnation, this.#port(), {
      highWater: options.highWater ?? HIGH_WATER,
      acknowledgeAfter: options.acknowledgeAfter ?? 64,
    });
    this.#startToGiveUp();
  }

  get open(): boolean {
    return this.#open;
  }

  get buffered(): number {
    return this.#session.buffered;
  }

  /** A connection stands, and both ends know where they are. */
  get connected(): boolean {
    return this.#session.ready;
  }

  send(message: Uint8Array): boolean {
    return this.#open && this.#session.send(new Uint8Array(message));
  }

  listen(listener: LinkListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#listenTo(early);
    if (this.#options.dial !== undefined) this.#redial = this.#after(0, () => this.#dial());
    if (this.#closed !== undefined) this.#after(0, () => this.#tell());
  }

  #tell(): void {
    const listener = this.#listener;
    if (listener === undefined || this.#told) return;
    this.#told = true;
    listener.closed(this.#closed as string);
  }

  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#listener === undefined) this.#finish(reason);
    else this.#session.end(reason);
  }

  /** The other end has dialled. The link takes the place of the one before as soon as it has shown who it is. */
  attach(link: Link): void {
    if (this.#listener === undefined) {
      this.#early?.close('followed by another connection');
      this.#early = link;
    } else {
      this.#listenTo(link);
    }
  }

  #listenTo(link: Link): void {
    link.listen({
      message: (bytes) => {
        const frame = decodeFrame(bytes);
        if (this.#link === link || this.#adopted(link, frame)) this.#session.frame(frame);
      },
      writable: () => {},
      closed: () => {
        if (this.#link === link) this.#detached();
      },
    });
  }

  /** A connection that somebody else has made says its first word. A ghost must not displace the one who lives. */
  #adopted(link: Link, first: SessionFrame): boolean {
    // The other end has not heard that its goodbye has arrived.
    if (this.#session.over) link.send(encodeFrame(this.#session.hello));
    const refusal =
      this.#closed ??
      (first.kind !== 'hello'
        ? 'the first word on a connection must be hello'
        : this.#session.refusal(first.incarnation));
    if (refusal !== undefined) {
      link.close(refusal);
      return false;
    }
    this.#adopt(link);
    return true;
  }

  #adopt(link: Link): void {
    const old = this.#link;
    this.#link = link;
    if (old !== undefined) {
      this.#session.detached();
      old.close('followed by another connection');
    }
    this.#session.attached();
  }

  #detached(): void {
    this.#link = undefined;
    this.#session.detached();
    if (this.#closed !== undefined) return;
    this.#startToGiveUp();
    this.#dialLater();
  }

  #startToGiveUp(): void {
    const ms = this.#options.giveUpMs ?? 10_000;
    this.#giveUp ??= this.#after(ms, () => this.#finish(`no connection for ${ms} ms`));
  }

  #dialLater(): void {
    if (this.#options.dial === undefined) return;
    this.#redial ??= this.#after(this.#options.redialMs ?? 50, () => this.#dial());
  }

  #dial(): void {
    this.#redial = undefined;
    if (this.#closed !== undefined) return;
    const link = this.#options.dial?.();
    if (link === undefined) {
      this.#dialLater();
      return;
    }
    this.#listenTo(link);
    this.#adopt(link);
  }

  #port(): SessionPort {
    return {
      transmit: (frame: SessionFrame) => void this.#link?.send(encodeFrame(frame)),
      deliver: (message) => {
        this.#listener?.message(message);
        this.#acknowledgeLater();
      },
      ready: () => {
        this.#giveUp?.();
        this.#giveUp = undefined;
      },
      replaced: (unacknowledged) => this.#options.replaced?.(unacknowledged),
      refuse: (reason) => {
        const link = this.#link;
        this.#detached();
        link?.close(reason);
      },
      writable: () => {
        if (this.#open) this.#listener?.writable();
      },
      ended: (reason) => this.#finish(reason),
    };
  }

  #acknowledgeLater(): void {
    if (!this.#session.owesAcknowledgement) return;
    this.#acknowledge ??= this.#after(this.#options.acknowledgeMs ?? 5, () => {
      this.#acknowledge = undefined;
      this.#session.acknowledge();
    });
  }

  #finish(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#open = false;
    for (const stop of [this.#redial, this.#giveUp, this.#acknowledge]) stop?.();
    const link = this.#link ?? this.#early;
    this.#link = undefined;
    this.#early = undefined;
    this.#session.detached();
    link?.close(reason);
    this.#tell();
  }
}

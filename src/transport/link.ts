/**
 * A connection to one peer. Messages arrive whole, in the order in which they were sent and once each, until it closes;
 * what has arrived by then is a prefix of what was sent. Whoever needs more than a prefix puts a `SessionLink` on top.
 */
export interface Link {
  /** False from the moment `close` is called, or the link has noticed that the peer is gone. */
  readonly open: boolean;
  /** Bytes taken from the sender and not yet known to be on their way out of its hands. */
  readonly buffered: number;
  /**
   * Takes a message of any size, which may be reused at once. False when more is buffered than the link likes to hold:
   * the message is taken all the same, but the sender should wait for `writable`. On a closed link nothing happens.
   */
  send(message: Uint8Array): boolean;
  /** To be called once. What arrived before waits for it. No listener runs inside a call of `send`, `listen` or `close`. */
  listen(listener: LinkListener): void;
  /** What was sent before still arrives if the connection holds, and then both ends hear `closed`. */
  close(reason?: string): void;
}

export interface LinkListener {
  /** `message` may be a view of a buffer that is used again: copy what is kept. */
  message(message: Uint8Array): void;
  /** There is room again, after `send` returned false. */
  writable(): void;
  /** Once, and nothing after it. */
  closed(reason: string): void;
}

/** Above so many bytes `send` asks for patience. */
export const HIGH_WATER = 1024 * 1024;

const OPEN = 0;
const INSIDE = 1;
const ENDING = 2;

/**
 * One word between a worker thread and the one who ends it: it is not ended while it is inside of what must not be cut off. A thread
 * that is ended while Node loads a module for `require`, or within a foreign call, takes the process down.
 */
export class Gate {
  readonly buffer: SharedArrayBuffer;
  readonly #word: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#word = new Int32Array(buffer);
  }

  /** For a thread that is about to start, which counts as inside. */
  static inside(): Gate {
    const gate = new Gate(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    gate.enter();
    return gate;
  }

  /** False when the thread is being ended: it is to do nothing any more. */
  enter(): boolean {
    return Atomics.compareExchange(this.#word, 0, OPEN, INSIDE) === OPEN;
  }

  leave(): void {
    Atomics.store(this.#word, 0, OPEN);
  }

  /** Nobody enters from now on; false while somebody is inside: to be tried again. */
  end(): boolean {
    return Atomics.compareExchange(this.#word, 0, OPEN, ENDING) !== INSIDE;
  }

  /** Waits to be ended. */
  wait(): never {
    for (;;) Atomics.wait(this.#word, 0, ENDING);
  }
}

import { writeSync } from 'node:fs';

/** So much text is written at a time. */
const PIECE = 1 << 16;
/** A pipe that is full is tried again after so many milliseconds. */
const PAUSE_MS = 1;

/** Text that is passed on in large pieces. */
export class Output {
  readonly #pass: (text: string) => void;
  #text = '';

  constructor(pass: (text: string) => void) {
    this.#pass = pass;
  }

  readonly write = (text: string): void => {
    this.#text += text;
    if (this.#text.length >= PIECE) this.flush();
  };

  flush(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    this.#pass(text);
  }
}

/**
 * What passes text on to a file descriptor, before it returns, so that nothing is lost when the process ends or is ended.
 *
 * @param whenGone is called when nobody reads any more, which is no error. What is written afterwards is dropped.
 */
export function descriptor(fd: number, whenGone: () => void = () => {}): (text: string) => void {
  let isGone = false;
  return (text) => {
    let bytes = Buffer.from(text);
    while (!isGone && bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(fd, bytes));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
        else if (code === 'EPIPE') {
          isGone = true;
          whenGone();
        } else throw error;
      }
    }
  };
}

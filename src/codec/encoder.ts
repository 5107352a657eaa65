import { CodecError } from '../base/index.ts';
import type { OutOfBand } from './buffer-table.ts';
import { flagShared, flagTable, formatVersion } from './format.ts';
import { LeftOut } from './left-out.ts';
import { type Slots, ValueWriter, type WriterOptions } from './value-writer.ts';

export type { OutOfBand } from './buffer-table.ts';
export type { WriterOptions as EncoderOptions } from './value-writer.ts';

/** What an encoder gives: one object per encoder, valid until its next call. */
export interface Encoded {
  /** Scratch of the encoder: the body is `bytes[0..length)`. */
  bytes: Uint8Array;
  length: number;
  /** Whether the body keeps to the limits that it was encoded with; large text in it may exceed them. */
  inline: boolean;
  /** Ranges that travel beside the body, whole buffers or parts of them. */
  buffers: readonly OutOfBand[];
  /** The references met, each once, in order of first meeting. */
  refs: readonly object[];
}

const noBuffers: readonly OutOfBand[] = Object.freeze([]);
const noRefs: readonly object[] = Object.freeze([]);

/**
 * Values to bytes. It keeps every value of the language that structured clone keeps, and also errors with their class,
 * fields, cause and stack, own error classes of this package, URL and URLSearchParams, null prototypes, and instances of
 * registered classes. A Buffer arrives as a Uint8Array, a shared or resizable buffer as an ArrayBuffer; a view sends only the
 * bytes that the views of its buffer cover. Anything else is a CodecError with the path to it.
 */
export class Encoder {
  readonly #options: WriterOptions;
  readonly #writer: ValueWriter;
  readonly #encoded: Encoded;
  #busy = false;
  #inner: Encoder | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#writer = new ValueWriter(options);
    this.#encoded = { bytes: this.#writer.bytes, length: 0, inline: true, buffers: noBuffers, refs: noRefs };
  }

  /**
   * @param root names the value in messages: 'result', 'value'.
   * @param inlineLimit in bytes: when the body with all binary data has at most this size, everything is embedded;
   *   otherwise every buffer of at least 1 KiB goes out of band.
   * @throws CodecError with the path of what can't travel.
   */
  encode(value: unknown, root: string, inlineLimit: number): Encoded {
    return this.#encode(value, root, inlineLimit, undefined);
  }

  /**
   * An error, come what may. Where a field of it, or of an error in it, can't travel, a CodecError that says why stands in
   * its place (in `name` and `message` its text, in `errors` for each item); an error whose registered codec fails goes as
   * any other error.
   *
   * @throws CodecError only for more of that than is reasonable.
   */
  encodeError(error: Error, root: string, inlineLimit: number): Encoded {
    const leftOut = new LeftOut();
    for (;;) {
      try {
        return this.#encode(error, root, inlineLimit, leftOut);
      } catch (failure) {
        if (!(failure instanceof CodecError) || !leftOut.leaveOut(failure)) throw failure;
      }
    }
  }

  #encode(value: unknown, root: string, inlineLimit: number, leftOut: LeftOut | undefined): Encoded {
    // A getter or a codec that ran during a call may need the encoder for something else.
    if (this.#busy) return this.#another().#encode(value, root, inlineLimit, leftOut);
    const writer = this.#writer;
    this.#busy = true;
    try {
      writer.begin(root);
      writer.leftOut = leftOut;
      writer.byte(formatVersion);
      writer.value(value);
      const encoded = this.#finish(inlineLimit, inlineLimit);
      encoded.inline = encoded.length <= inlineLimit;
      return encoded;
    } catch (error) {
      throw this.#explain(error);
    } finally {
      writer.end();
      this.#busy = false;
    }
  }

  /**
   * An argument list. An object for which `slot` gives a number from 0 on is replaced by a placeholder, to be filled in by
   * the decoder from its `deps`. Paths in messages are those of `args[0].x`.
   *
   * @param each in bytes: an argument of at most this size, binary data included, is embedded, ...
   * @param all in bytes: ... as long as all of them together have at most this size. Of others every buffer of at least
   *   1 KiB goes out of band. A buffer that several arguments view belongs to the first of them.
   * @throws CodecError with the path of what can't travel.
   */
  encodeArgs(args: readonly unknown[], slot: Slots | undefined, each: number, all: number = each): Encoded {
    if (this.#busy) return this.#another().encodeArgs(args, slot, each, all);
    const writer = this.#writer;
    this.#busy = true;
    try {
      writer.begin('args');
      writer.byte(formatVersion);
      writer.args(args, slot);
      const encoded = this.#finish(each, all);
      encoded.inline = encoded.length <= all && writer.largest <= each && !writer.buffers.oversize;
      return encoded;
    } catch (error) {
      throw this.#explain(error);
    } finally {
      writer.end();
      this.#busy = false;
    }
  }

  #another(): Encoder {
    this.#inner ??= new Encoder(this.#options);
    return this.#inner;
  }

  #finish(each: number, all: number): Encoded {
    const writer = this.#writer;
    const encoded = this.#encoded;
    let head = formatVersion;
    if (writer.shared) head |= flagShared;
    if (writer.buffers.empty) encoded.buffers = noBuffers;
    else {
      head |= flagTable;
      encoded.buffers = writer.buffers.write(writer, each, all, noBuffers);
    }
    writer.bytes[0] = head;
    encoded.bytes = writer.bytes;
    encoded.length = writer.pos;
    encoded.refs = writer.refs ?? noRefs;
    return encoded;
  }

  /** Adds where it happened to what user code (a getter, a codec, a proxy) or the engine threw. */
  #explain(error: unknown): unknown {
    if (error === this.#writer.failure) return error;
    if (error instanceof RangeError && /call stack/i.test(error.message)) {
      return this.#writer.fail(': nested too deeply for the stack; flatten it', error);
    }
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return this.#writer.fail(`: reading it failed with ${text}`, error);
  }
}

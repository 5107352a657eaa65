import { type DecodeSource, emptySource } from './source.ts';
import { ValueReader } from './value-reader.ts';

/**
 * Bytes to values. It keeps no view of the bytes it reads: embedded binary data is copied into fresh buffers of its exact
 * length. Damaged input is a CodecError; it neither hangs nor allocates more than a small multiple of its size.
 */
export class Decoder {
  readonly #reader = new ValueReader();
  #busy = false;
  #inner: Decoder | undefined;

  /**
   * One value from `bytes[start..end)`, which may view shared memory.
   *
   * @throws CodecError for damaged input, and when a class has no codec here.
   */
  decode(bytes: Uint8Array, start: number, end: number, source: DecodeSource = emptySource): unknown {
    // A codec that runs during a call may need the decoder for something else.
    if (this.#busy) return this.#another().decode(bytes, start, end, source);
    const reader = this.#reader;
    this.#busy = true;
    try {
      reader.begin(bytes, start, end, source);
      const value = reader.value(reader.tag());
      reader.finish();
      return value;
    } catch (error) {
      throw reader.explain(error);
    } finally {
      reader.release();
      this.#busy = false;
    }
  }

  /**
   * The argument list of `Encoder.encodeArgs`, with placeholders filled in.
   *
   * @throws CodecError as `decode` does.
   */
  decodeArgs(bytes: Uint8Array, start: number, end: number, source: DecodeSource = emptySource): unknown[] {
    if (this.#busy) return this.#another().decodeArgs(bytes, start, end, source);
    const reader = this.#reader;
    this.#busy = true;
    try {
      reader.begin(bytes, start, end, source);
      const args = reader.args();
      reader.finish();
      return args;
    } catch (error) {
      throw reader.explain(error);
    } finally {
      reader.release();
      this.#busy = false;
    }
  }

  #another(): Decoder {
    this.#inner ??= new Decoder();
    return this.#inner;
  }
}

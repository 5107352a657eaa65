import { Decoder, Encoder, emptySource } from './index.ts';
import type { DecodeSource } from './source.ts';

/** For tests: what arrives when a value is sent, with everything embedded unless a limit says otherwise. */
export function roundTrip(value: unknown, inlineLimit = 2 ** 30): unknown {
  const encoded = new Encoder({ isRef: () => false }).encode(value, 'value', inlineLimit);
  const source: DecodeSource = { ...emptySource, buffers: encoded.buffers.map(copyRange) };
  return new Decoder().decode(encoded.bytes.slice(0, encoded.length), 0, encoded.length, source);
}

/** A fresh buffer with the bytes of a range, as the other side gets it. */
export function copyRange(range: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }): ArrayBuffer {
  return new Uint8Array(range.buffer, range.byteOffset, range.byteLength).slice().buffer;
}

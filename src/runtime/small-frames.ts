import { copyBytes, type RingWriter } from '../transport/index.ts';

/**
 * The frames of one small value, a result or an item of a stream: kind, slot, a word of the kind's own, and the value. They are
 * written here, and seen by their receiver when the writer commits as many bytes as these functions return; 0: there is no room.
 */
export function putNumber(writer: RingWriter, kind: number, slot: number, word: number, value: number): number {
  const at = writer.reserve(24);
  if (at < 0) return 0;
  const { words, floats } = writer.views;
  const w = at >> 2;
  words[w] = kind;
  words[w + 1] = slot;
  words[w + 2] = word;
  floats[(at >> 3) + 2] = value;
  return 24;
}

/** The same for a value of which the codec has made `length` bytes. */
export function putBody(
  writer: RingWriter,
  kind: number,
  slot: number,
  word: number,
  body: Uint8Array,
  length: number,
): number {
  const size = 16 + length;
  const at = writer.reserve(size);
  if (at < 0) return 0;
  const { words, bytes } = writer.views;
  const w = at >> 2;
  words[w] = kind;
  words[w + 1] = slot;
  words[w + 2] = word;
  words[w + 3] = length;
  copyBytes(bytes, at + 16, body, 0, length);
  return size;
}

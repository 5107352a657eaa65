import * as zlib from 'node:zlib';

const CHUNK = 64 * 1024 * 1024;

let table: Uint32Array | undefined;

/** CRC-32 as in zlib, for Nodes that don't offer it. */
export function crc32Slow(bytes: Uint8Array, start = 0): number {
  if (table === undefined) {
    table = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      let c = i;
      for (let k = 0; k < 8; k++) c = (c & 1) === 0 ? c >>> 1 : (c >>> 1) ^ 0xedb88320;
      table[i] = c;
    }
  }
  let c = ~start;
  for (const byte of bytes) c = (c >>> 8) ^ table[(c ^ byte) & 0xff]!;
  return ~c >>> 0;
}

/** CRC-32 of any number of bytes. */
export function sumOf(bytes: Uint8Array): number {
  const crc: ((data: Uint8Array, start: number) => number) | undefined = zlib.crc32;
  let sum = 0;
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const part = bytes.subarray(at, at + CHUNK);
    sum = crc === undefined ? crc32Slow(part, sum) : crc(part, sum);
  }
  return sum;
}

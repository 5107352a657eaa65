import { crc32 } from 'node:zlib';

/** Some versions of zlib take a length of 32 bits. */
const CHUNK = 64 * 1024 * 1024;

/** CRC-32 of any number of bytes. */
export function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += CHUNK) sum = crc32(bytes.subarray(at, at + CHUNK), sum);
  return sum;
}

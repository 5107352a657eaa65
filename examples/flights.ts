/**
 * Three million flights of 2001 as arrays; used by page-rank.ts and regression.ts. They come with the package vega-datasets.
 *
 *   npm i vega-datasets hyparquet hyparquet-compressors
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { get, task } from 'sheaf';
import { type Arr, concat, fromTyped, take } from 'sheaf/array';

const path = (name: string) => fileURLToPath(new URL(`../data/${name}`, import.meta.resolve('vega-datasets')));

export interface Flights {
  /** The codes of all airports; what follows has an element for each flight. */
  readonly airports: readonly string[];
  /** Which of the airports it leaves. */
  readonly from: Arr<'i64'>;
  readonly to: Arr<'i64'>;
  /** In minutes; below 0 of flights that are early. */
  readonly delay: Arr<'f32'>;
  /** In miles. */
  readonly distance: Arr<'f32'>;
  /** Of the departure: 0 to 23. */
  readonly hour: Arr<'u8'>;
  /** 0 to 6, from Sunday. */
  readonly weekday: Arr<'u8'>;
}

/** A group of rows. Airports are numbered as they come in it. */
const readGroup = task(async (file: string, rowStart: number, rowEnd: number) => {
  const columns: Record<string, unknown[]> = {};
  await parquetRead({
    file: await asyncBufferFromFile(file),
    compressors,
    rowStart,
    rowEnd,
    onChunk: ({ columnName, columnData }) => {
      columns[columnName] = (columns[columnName] ?? []).concat(Array.from(columnData));
    },
  });
  const [from, to] = [columns.origin as string[], columns.destination as string[]];
  const airports = [...new Set([...from, ...to])];
  const numbers = new Map(airports.map((code, i) => [code, i]));
  const dates = columns.date as Date[];
  return {
    airports,
    from: Uint16Array.from(from, (code) => numbers.get(code)!),
    to: Uint16Array.from(to, (code) => numbers.get(code)!),
    delay: Float32Array.from(columns.delay as bigint[], Number),
    distance: Float32Array.from(columns.distance as bigint[], Number),
    hour: Uint8Array.from(dates, (date) => date.getUTCHours()),
    weekday: Uint8Array.from(dates, (date) => date.getUTCDay()),
  };
});

/** At least so many flights, by whole groups of rows; all, if nothing is said. */
export async function readFlights(atLeast = Number.POSITIVE_INFINITY): Promise<Flights> {
  const file = path('flights-3m.parquet');
  const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(file));
  const parts = [];
  let row = 0;
  for (const { num_rows: rows } of groups) {
    if (row >= atLeast) break;
    parts.push(readGroup(file, row, row + Number(rows)));
    row += Number(rows);
  }
  const read = await get(parts);
  const airports = [...new Set(read.flatMap((part) => part.airports))].sort();
  const numbers = new Map(airports.map((code, i) => [code, BigInt(i)]));
  const numbered = (part: (typeof read)[number], which: 'from' | 'to') =>
    take(fromTyped(BigInt64Array.from(part.airports, (code) => numbers.get(code)!)), fromTyped(part[which]));
  return {
    airports,
    from: concat(read.map((part) => numbered(part, 'from'))),
    to: concat(read.map((part) => numbered(part, 'to'))),
    delay: concat(read.map((part) => fromTyped(part.delay))),
    distance: concat(read.map((part) => fromTyped(part.distance))),
    hour: concat(read.map((part) => fromTyped(part.hour))),
    weekday: concat(read.map((part) => fromTyped(part.weekday))),
  };
}

export interface Airport {
  readonly city: string;
  readonly state: string;
  /** In degrees; the west is negative. */
  readonly latitude: number;
  readonly longitude: number;
}

/** Where airports are, by their codes. */
export async function readAirports(): Promise<ReadonlyMap<string, Airport>> {
  const lines = (await readFile(path('airports.csv'), 'utf8')).trim().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      // From the end: the name, which comes second, may have commas.
      const [longitude, latitude, , state, city, ...rest] = line.split(',').reverse();
      return [rest.at(-1)!, { city: city!, state: state!, latitude: Number(latitude), longitude: Number(longitude) }];
    }),
  );
}

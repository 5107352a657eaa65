/**
 * Where and when three million flights of 2001 were late, as a frame: files are scanned by the workers, each of which sends the sums of
 * its own rows.
 *
 *   npm i vega-datasets @duckdb/node-api
 */
import { fileURLToPath } from 'node:url';
import { connect } from 'sheaf';
import { count, mean, quantile, readCsv, readParquet } from 'sheaf/frame';

const path = (name: string) => fileURLToPath(new URL(`../data/${name}`, import.meta.resolve('vega-datasets')));

await using _session = await connect();
const flights = readParquet(path('flights-3m.parquet'), {
  date: 'timestamp',
  delay: 'i64',
  distance: 'i64',
  origin: 'str',
  destination: 'str',
});
const airports = readCsv(path('airports.csv'), { iata: 'str', city: 'str', state: 'str' });

const late = flights
  .derive((c) => ({ hour: c.date.hour() }))
  .groupBy('origin', 'hour')
  .agg({ flights: count(), delay: mean('delay') })
  .where((c) => c.flights.ge(1000n))
  .orderBy('-delay', 'origin')
  .head(5);
console.log('airport  hour  flights  mean delay');
for await (const { origin, hour, flights, delay } of late) {
  console.log(
    `${origin.padEnd(7)}  ${String(hour).padStart(4)}  ${String(flights).padStart(7)}  ${delay.toFixed(1)} min`,
  );
}

const states = flights
  .where((c) => c.distance.gt(1000n))
  .join(airports, { on: { origin: 'iata' } })
  .groupBy('state')
  .agg({ flights: count(), median: quantile('delay', 0.5), worst: quantile('delay', 0.99) })
  .orderBy('-flights')
  .head(3);
console.log('\nlong flights leave from');
for await (const { state, flights, median, worst } of states) {
  console.log(
    `${state}  ${flights} of them; half are ${median} min late at most, and of a hundred one more than ${worst}`,
  );
}

const [day] = await flights
  .sql<{ day: 'date'; flights: 'i64' }>(
    'SELECT date::DATE AS day, count(*) AS flights FROM this GROUP BY day ORDER BY flights DESC LIMIT 1',
  )
  .rows();
console.log(`\nmost flights: ${day!.flights} on ${day!.day.toISOString().slice(0, 10)}`);

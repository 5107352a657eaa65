/** The benchmark of frames; see bench/run.mjs for its options. */
import { resolve } from 'node:path';
import { count, type Frame, mean, quantile, readCsv, readParquet } from '../../src/frame.ts';
import { group, type Ours } from '../arrays/bench.ts';
import { runSuite } from '../suite.ts';

const data = (name: string) => resolve('node_modules/vega-datasets/data', name);
const [FLIGHTS, AIRPORTS] = [data('flights-3m.parquet'), data('airports.csv')];

const flights = () =>
  readParquet(FLIGHTS, { date: 'timestamp', delay: 'i64', distance: 'i64', origin: 'str', destination: 'str' });

/** One column of the result, in the order that the query gives. */
const column = (frame: () => Frame, name: string): Ours => ({
  run: () => frame().toColumns(),
  async value() {
    const values = (await frame().toColumns())[name] as Float64Array;
    return { shape: [values.length], elements: values };
  },
});

const SETUP = `
try:
    import pandas as pd
except ImportError:
    pd = None

def by_hour():
    f = pd.read_parquet(${JSON.stringify(FLIGHTS)}, columns=["date", "delay", "origin"])
    f["hour"] = f.date.dt.hour
    return f.groupby(["origin", "hour"]).delay.mean().to_numpy()

def by_state():
    f = pd.read_parquet(${JSON.stringify(FLIGHTS)}, columns=["delay", "distance", "origin"])
    a = pd.read_csv(${JSON.stringify(AIRPORTS)})[["iata", "state"]]
    f = f[f.distance > 1000].merge(a, left_on="origin", right_on="iata")
    return f.groupby("state").delay.mean().to_numpy()

def medians():
    f = pd.read_parquet(${JSON.stringify(FLIGHTS)}, columns=["delay", "origin"])
    return f.groupby("origin").delay.quantile(0.5).to_numpy()

def latest():
    f = pd.read_parquet(${JSON.stringify(FLIGHTS)}, columns=["date", "delay", "distance", "origin"])
    return f.sort_values("delay", ascending=False).head(1000).delay.to_numpy()
`;

const ROWS: readonly (readonly [name: string, peer: string, frame: () => Frame, result: string])[] = [
  [
    'mean by airport and hour',
    'by_hour()',
    () =>
      flights()
        .derive((c) => ({ hour: c.date.hour() }))
        .groupBy('origin', 'hour')
        .agg({ delay: mean('delay') })
        .orderBy('origin', 'hour') as unknown as Frame,
    'delay',
  ],
  [
    'filter, join, mean by state',
    'by_state()',
    () =>
      flights()
        .where((c) => c.distance.gt(1000n))
        .join(readCsv(AIRPORTS, { iata: 'str', state: 'str' }), { on: { origin: 'iata' } })
        .groupBy('state')
        .agg({ flights: count(), delay: mean('delay') })
        .orderBy('state') as unknown as Frame,
    'delay',
  ],
  [
    'median by airport',
    'medians()',
    () =>
      flights()
        .groupBy('origin')
        .agg({ delay: quantile('delay', 0.5) })
        .orderBy('origin') as unknown as Frame,
    'delay',
  ],
  [
    'the 1,000 latest',
    'latest()',
    () => flights().select('date', 'delay', 'distance', 'origin').orderBy('-delay').head(1000) as unknown as Frame,
    'delay',
  ],
];

const named = (name: string) => `3,000,000 flights: ${name}`;

const queries = group(
  ROWS.map(([name]) => named(name)),
  (bench) =>
    ROWS.map(([name, peer, frame, result]) =>
      bench.compared({
        name: named(name),
        ours: () => column(frame, result),
        setup: SETUP,
        peers: { pandas: peer },
        ratios: { pandas: 2 },
        tolerance: 1e-12,
      }),
    ),
);

await runSuite({ groups: [queries], peers: ['pandas'] });

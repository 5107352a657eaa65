/** What TypeScript knows of frames; never run. */
import { count, type Frame, fromColumns, mean, min, quantile, readParquet } from 'sheaf/frame';
import type { Equal, Expect } from './assert.ts';

const flights = readParquet('x', { delay: 'f64', origin: 'str', date: 'timestamp', ok: 'bool?' });
const grouped = flights
  .where((c) => c.delay.gt(15).and(c.origin.eq('SFO')).or(c.ok))
  .derive((c) => ({ hour: c.date.hour(), whole: c.delay.cast('i64'), sure: c.ok.fillNull(false) }))
  .groupBy('origin', 'hour', 'sure')
  .agg({ n: count(), m: mean('delay'), q: quantile('delay', 0.5) });
type Of<F> = F extends AsyncIterable<infer R> ? R : never;
type Grouped = Of<typeof grouped>;
export type Rows = Expect<
  Equal<
    { [K in keyof Grouped]: Grouped[K] },
    { origin: string; hour: number; sure: boolean; n: bigint; m: number; q: number }
  >
>;
flights.groupBy().agg({ least: min('delay') });

// @ts-expect-error There is no such column.
flights.select('nope');
// @ts-expect-error A text is no number.
flights.where((c) => c.delay.gt('x'));
// @ts-expect-error A number is no condition.
flights.where((c) => c.delay);

const joined = flights.join(readParquet('z', { iata: 'str', city: 'str?' }), { on: { origin: 'iata' } });
export type City = Expect<Equal<Of<typeof joined>['city'], string | null>>;

// Of a file without a schema, any name may be a column.
const unknown: Frame = readParquet('y');
unknown.where((c) => c.a!.gt(1).or(c.b!.isNull())).orderBy('-a');

const given = fromColumns({ a: new Float64Array(1), b: ['x'], c: [1n, null] });
export type Given = Expect<Equal<Of<typeof given>['a' | 'b'], number | string>>;

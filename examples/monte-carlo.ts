/**
 * Prices an option by simulation, until the standard error is small enough or the time is up, whichever comes first. Batches are
 * started only as fast as they end; those under way at the end are cancelled. At a deadline the best estimate so far stands.
 *
 *   sheaf run examples/monte-carlo.ts [standard error, such as 0.01] [seconds]
 */
import { connect, current, scope, TimeoutError, task } from 'sheaf';

/** Pays the average price at so many dates of a year, less the strike. The average of prices has no formula. */
const OPTION = { spot: 100, strike: 100, rate: 0.05, volatility: 0.2, dates: 12 };
const PATHS = 20_000;

/** Number, mean, and sum of squared distances from it: samples can be put together without their squares cancelling out. */
interface Sample {
  readonly n: number;
  readonly mean: number;
  readonly squares: number;
}

const simulate = task(({ spot, strike, rate, volatility, dates }: typeof OPTION, paths: number): Sample => {
  const me = current();
  const step = 1 / dates;
  let [mean, squares] = [0, 0];
  for (let path = 1; path <= paths && !me.cancelled(); path++) {
    let [price, sum] = [spot, 0];
    for (let date = 0; date < dates; date++) {
      // Box and Muller: a normal number out of two uniform ones, which are the same when a batch runs again.
      const normal = Math.sqrt(-2 * Math.log(1 - me.random())) * Math.cos(2 * Math.PI * me.random());
      price *= Math.exp((rate - volatility ** 2 / 2) * step + volatility * Math.sqrt(step) * normal);
      sum += price;
    }
    const worth = Math.exp(-rate) * Math.max(0, sum / dates - strike);
    const distance = worth - mean;
    mean += distance / path;
    squares += distance * (worth - mean);
  }
  return { n: paths, mean, squares };
});

function together(a: Sample, b: Sample): Sample {
  const n = a.n + b.n;
  const distance = b.mean - a.mean;
  const squares = a.squares + b.squares + (distance ** 2 * a.n * b.n) / n;
  return { n, mean: a.mean + (distance * b.n) / n, squares };
}

const errorOf = ({ n, squares }: Sample): number =>
  n < 2 ? Number.POSITIVE_INFINITY : Math.sqrt(squares / (n - 1) / n);

function* batches(): Generator<number> {
  for (;;) yield PATHS;
}

const goal = Number(process.argv[2] ?? 0.01);
const timeout = Number(process.argv[3] ?? 20) * 1000;
if (!(goal > 0 && timeout > 0)) {
  console.error('usage: sheaf run monte-carlo.ts [standard error, such as 0.01] [seconds]');
  process.exit(2);
}
await using session = await connect();

let all: Sample = { n: 0, mean: 0, squares: 0 };
const words = () => (all.n === 0 ? 'no price yet' : `${all.mean.toFixed(3)}, give or take ${errorOf(all).toFixed(4)}`);

console.log('  batches   price');
try {
  await scope(
    async ({ signal }) => {
      const source = simulate.map(batches(), (paths) => [OPTION, paths], { inFlight: 8, ordered: false, signal });
      for await (const outcome of source) {
        if (!outcome.ok) throw outcome.error;
        all = together(all, outcome.value);
        const batch = all.n / PATHS;
        if (Number.isInteger(Math.log2(batch))) console.log(`${String(batch).padStart(9)}   ${words()}`);
        if (errorOf(all) <= goal) break;
      }
    },
    { timeout },
  );
  console.log(`good enough after ${all.n / PATHS} batches: ${words()}`);
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  console.log(`the time is up after ${all.n / PATHS} batches: ${words()}`);
}

await session.drained();
const { submitted = 0, pending } = session.stats().tasks;
console.log(`${submitted - all.n / PATHS} batches were cancelled, ${pending} are left`);

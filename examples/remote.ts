/**
 * Calls functions of another module as tasks. The module runs on workers only: its state, such as a table that is costly
 * to build, is made once for each worker, and the driver never loads it.
 *
 *   sheaf run examples/remote.ts
 */
import { connect, get, remote } from 'sheaf';

const primes = remote<typeof import('./primes.ts')>(import.meta.resolve('./primes.ts'));

await using _session = await connect();

const STEP = 250_000;
const ranges = Array.from({ length: 8 }, (_, i) => [i * STEP, (i + 1) * STEP] as const);
const counts = await get(ranges.map(([from, to]) => primes.count(from, to)));
console.log(`${counts.reduce((sum, n) => sum + n, 0)} primes below ${STEP * ranges.length}`);
console.log(`2026 is ${(await primes.factors(2026).value).join(' * ')}`);

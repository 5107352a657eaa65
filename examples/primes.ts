/** Prime numbers below four million; used by remote.ts. */

const LIMIT = 4_000_000;

/** The smallest prime factor of each number; the sieve of Eratosthenes. Built when a worker loads this module. */
const smallest = new Uint32Array(LIMIT);
for (let p = 2; p < LIMIT; p++) {
  if (smallest[p] !== 0) continue;
  for (let multiple = p; multiple < LIMIT; multiple += p) smallest[multiple] ||= p;
}

/** How many primes there are in [from, to). */
export function count(from: number, to: number): number {
  let n = 0;
  for (let i = Math.max(2, from); i < to; i++) if (smallest[i] === i) n++;
  return n;
}

/** The prime factors of a number from 2 on, smallest first. */
export function factors(n: number): number[] {
  const found: number[] = [];
  for (let rest = n; rest > 1; rest /= smallest[rest]!) found.push(smallest[rest]!);
  return found;
}

import { uniformDouble, uniformFloat, uniformNumber, uniformSmall } from './distributions.ts';
import { MersenneTwister } from './engines.ts';

/** `size` integers from 0 up to `range`, which is left out and at least 1; without replacement each at most once, so `range` is at least `size`. */
export function sampleIntegers(range: number, size: number, withReplacement: boolean, seed: bigint): number[] {
  const engine = new MersenneTwister(seed);
  const draw = (): number => uniformNumber(engine, range - 1);
  if (withReplacement) return Array.from({ length: size }, draw);
  // D. Knuth's selection: each is taken with the probability that is left for it; they come in order.
  const chosen: number[] = [];
  for (let i = 0; i < range && chosen.length < size; i++)
    if (draw() % (range - i) < size - chosen.length) chosen.push(i);
  shuffle(chosen, engine);
  return chosen;
}

/** The same for real numbers, of 64 bits or of 32. */
export function sampleReals(
  range: number,
  size: number,
  withReplacement: boolean,
  seed: bigint,
  type: 'f64' | 'f32',
): number[] {
  const engine = new MersenneTwister(seed);
  // The next number below `range`, as a double; rounded to 32 bits that is `range` again.
  const limit = below(range);
  const draw =
    type === 'f64' ? () => uniformDouble(engine, 0, limit) : () => uniformFloat(engine, 0, Math.fround(range));
  const found: number[] = [];
  const seen = new Set<number>();
  while (found.length < size) {
    const value = draw();
    if (!withReplacement) {
      if (seen.has(value)) continue;
      seen.add(value);
    }
    found.push(value);
  }
  return found;
}

function below(value: number): number {
  const doubles = Float64Array.of(value);
  const bits = new BigUint64Array(doubles.buffer);
  bits[0] = bits[0]! - 1n;
  return doubles[0]!;
}

/** `std::shuffle` of libstdc++: places are drawn by twos where one draw has room for both. */
export function shuffle(items: number[], engine: MersenneTwister): void {
  const { length } = items;
  const swap = (i: number, j: number): void => {
    [items[i], items[j]] = [items[j]!, items[i]!];
  };
  if (length === 0) return;
  if (Math.floor(engine.range / length) < length) {
    for (let i = 1; i < length; i++) swap(i, uniformSmall(engine, i));
    return;
  }
  let i = 1;
  if (length % 2 === 0) swap(i++, uniformSmall(engine, 1));
  for (; i < length; i += 2) {
    const both = uniformSmall(engine, (i + 1) * (i + 2) - 1);
    swap(i, Math.floor(both / (i + 2)));
    swap(i + 1, both % (i + 2));
  }
}

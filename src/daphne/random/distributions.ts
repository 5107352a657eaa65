import type { Engine } from './engines.ts';

const TWO_32 = 2 ** 32;
const MASK_64 = 2n ** 64n - 1n;
const BELOW_ONE_32 = 1 - 2 ** -24;
const BELOW_ONE_64 = 1 - 2 ** -53;

/** `std::uniform_real_distribution<double>` of libstdc++: two draws for each number, the first one the low half. */
export function uniformDouble(engine: Engine, min: number, max: number): number {
  const { least, range } = engine;
  const size = range + 1;
  const low = engine.next() - least;
  const sum = low + (engine.next() - least) * size;
  const unit = sum / (size * size);
  return (unit >= 1 ? BELOW_ONE_64 : unit) * (max - min) + min;
}

/** The same for `float`: one draw, all steps rounded to 32 bits. */
export function uniformFloat(engine: Engine, min: number, max: number): number {
  const unit = Math.fround(Math.fround(engine.next() - engine.least) / Math.fround(engine.range + 1));
  const scaled = Math.fround((unit >= 1 ? BELOW_ONE_32 : unit) * Math.fround(max - min));
  return Math.fround(scaled + min);
}

/** `std::uniform_int_distribution` of libstdc++ since GCC 11, from 0 up to `range`, which is included and below 2**64. */
export function uniformBelow(engine: Engine, range: bigint): bigint {
  const own = BigInt(engine.range);
  const least = BigInt(engine.least);
  const draw = (): bigint => BigInt(engine.next()) - least;
  if (own > range) return BigInt(uniformSmall(engine, Number(range)));
  if (own === range) return draw();
  const size = own + 1n;
  for (;;) {
    const high = (size * uniformBelow(engine, range / size)) & MASK_64;
    const all = (high + draw()) & MASK_64;
    if (all <= range && all >= high) return all;
  }
}

/** The same for a range that a number has exactly. */
export function uniformNumber(engine: Engine, range: number): number {
  if (range < engine.range) return uniformSmall(engine, range);
  return range === engine.range ? engine.next() - engine.least : Number(uniformBelow(engine, BigInt(range)));
}

/** The same for a range below that of the engine. */
export function uniformSmall(engine: Engine, range: number): number {
  const count = range + 1;
  if (engine.range !== TWO_32 - 1) {
    const scale = Math.floor(engine.range / count);
    for (;;) {
      const draw = engine.next() - engine.least;
      if (draw < count * scale) return Math.floor(draw / scale);
    }
  }
  // D. Lemire, "Fast random integer generation in an interval", 2019: the upper half of draw * count.
  let draw = engine.next();
  let low = Math.imul(draw, count) >>> 0;
  if (low < count) {
    const threshold = (TWO_32 - count) % count;
    while (low < threshold) {
      draw = engine.next();
      low = Math.imul(draw, count) >>> 0;
    }
  }
  return upperHalf(draw, count);
}

/** The upper 32 of the 64 bits of a product. */
function upperHalf(x: number, y: number): number {
  const [xHigh, xLow] = [x >>> 16, x & 0xffff];
  const middle = xHigh * y + Math.floor((xLow * y) / 0x1_0000);
  return Math.floor(middle / 0x1_0000);
}

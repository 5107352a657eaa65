import type { Lanes, Value } from './lanes.ts';

/** Where a step from `x` towards `y` leads, `moved` unless there is none to make. */
function towards(m: Lanes, x: Value, y: Value, moved: Value): Value {
  const ordered = m.and(m.eq(x, x), m.eq(y, y));
  return m.select(ordered, m.select(m.eq(x, y), y, moved), m.add(x, y));
}

/** All bits where the step from `x` to `y` leads away from 0. */
const outwards = (m: Lanes, x: Value, y: Value): Value => m.ieq(m.gt(y, x), m.gt(x, m.f(0)));

/** The bits of doubles of one sign are in their order. */
export function nextafter(m: Lanes, x: Value, y: Value): Value {
  const next = m.iadd(x, m.or(m.not(outwards(m, x, y)), m.bits(1n)));
  const fromZero = m.withSign(m.bits(1n), y);
  return towards(m, x, y, m.select(m.eq(x, m.f(0)), fromZero, next));
}

const LEAST_NORMAL = 2 ** -126;
const GREATEST = 2 ** 128 - 2 ** 104;

/** The same of floats of 32 bits, of which a double has the upper bits. */
export function nextafter32(m: Lanes, x: Value, y: Value): Value {
  const size = m.abs(x);
  const out = outwards(m, x, y);
  const next = m.iadd(x, m.select(out, m.bits(1n << 29n), m.bits(-1n << 29n)));
  // Subnormal ones are all as far apart as the least of them is from 0.
  const step = m.withSign(m.f(2 ** -149), m.sub(y, x));
  // What becomes zero keeps its sign.
  const sign = m.andNot(m.and(x, m.f(-0)), m.eq(x, m.f(0)));
  const near = m.select(m.le(size, m.f(LEAST_NORMAL)), m.or(m.add(x, step), sign), next);
  const fromInfinity = m.andNot(m.eq(size, m.f(Number.POSITIVE_INFINITY)), out);
  return towards(m, x, y, m.select(fromInfinity, m.withSign(m.f(GREATEST), x), near));
}

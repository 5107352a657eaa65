import type { Lanes, Value } from './lanes.ts';

/*
 * What is left of a division, exactly, as the reference has it: the quotient in doubles, cut off, is the right one or one more; its
 * product with the divisor in two parts, subtracted, leaves a number that a double has room for.
 */
function divided(m: Lanes, x: Value, y: Value) {
  const ratio = m.div(x, y);
  const quotient = m.trunc(ratio);
  const [product, lost] = m.twoProduct(quotient, y);
  const first = m.sub(m.sub(x, product), lost);
  // Less than nothing: the quotient was rounded up.
  const zero = m.f(0);
  const over = m.lt(m.xor(first, m.and(x, m.f(-0))), zero);
  const rest = m.select(over, m.add(first, m.withSign(m.abs(y), x)), first);
  const size = m.abs(y);
  const ordinary = m.and(
    m.lt(m.abs(ratio), m.f(2 ** 52)),
    m.and(m.lt(size, m.f(2 ** 900)), m.gt(size, m.f(2 ** -900))),
  );
  const differ = m.xor(m.lt(rest, zero), m.lt(y, zero));
  return { ratio, rest, exact: m.eq(rest, zero), differ, ordinary };
}

function orReference(m: Lanes, ordinary: Value, usual: Value, args: readonly Value[], reference: number): Value {
  const [result] = m.rarely(m.anyNot(ordinary), [usual], () => [m.through(reference, m.not(ordinary), args, usual)]);
  return result;
}

export function remainder(m: Lanes, x: Value, y: Value, reference: number): Value {
  const { rest, exact, differ, ordinary } = divided(m, x, y);
  const inside = m.select(differ, m.add(rest, y), rest);
  const usual = m.select(exact, m.and(y, m.f(-0)), inside);
  return orReference(m, ordinary, usual, [x, y], reference);
}

export function floorDivide(m: Lanes, x: Value, y: Value, reference: number): Value {
  const { ratio, rest, exact, differ, ordinary } = divided(m, x, y);
  const one = m.f(1);
  const quotient = m.sub(m.div(m.sub(x, rest), y), m.and(differ, one));
  const floor = m.floor(quotient);
  const down = m.add(floor, m.and(m.gt(m.sub(quotient, floor), m.f(0.5)), one));
  // A zero has the sign of the quotient.
  const sign = m.and(m.xor(x, y), m.f(-0));
  const inside = m.select(m.eq(down, m.f(0)), sign, down);
  const usual = m.select(exact, m.nearest(ratio), inside);
  return orReference(m, ordinary, usual, [x, y], reference);
}

/** The squares of large numbers, and of small ones, leave the range: those are brought nearer to 1 first. */
export function hypot(m: Lanes, x: Value, y: Value): Value {
  const [a, b] = [m.abs(x), m.abs(y)];
  const root = (by: Value | undefined): Value => {
    const [p, q] = by === undefined ? [a, b] : [m.mul(a, by), m.mul(b, by)];
    return m.sqrt(m.add(m.square(p), m.square(q)));
  };
  const usual = root(undefined);
  const more = m.pmax(a, b);
  const ordinary = m.and(m.gt(more, m.f(2 ** -450)), m.lt(more, m.f(2 ** 500)));
  const [result] = m.rarely(m.anyNot(ordinary), [usual], () => {
    const large = m.gt(more, m.f(1));
    const by = m.select(large, m.f(2 ** -600), m.f(2 ** 600));
    const back = m.select(large, m.f(2 ** 600), m.f(2 ** -600));
    const scaled = m.select(ordinary, usual, m.mul(root(by), back));
    // Infinite even if the other one is no number.
    const infinity = m.f(Number.POSITIVE_INFINITY);
    const infinite = m.or(m.eq(a, infinity), m.eq(b, infinity));
    return [m.select(infinite, infinity, scaled)];
  });
  return result;
}

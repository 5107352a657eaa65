import type { Sweeps } from './sweeps.ts';

const EPSILON = 2 ** -52;
/** For each singular value. Two or three are usual. */
const MOST_STEPS = 60;
/** Squares of smaller numbers than this lose digits. */
const SMALL = 2 ** -500;

/**
 * Implicit QR steps of an upper bidiagonal matrix until nothing is left above its diagonal, where the singular values are then, with signs (J. Demmel
 * and W. Kahan, "Accurate singular values of bidiagonal matrices", 1990; LAPACK's dbdsqr, of which the bounds here are relative to the
 * greatest element). The rows of the left and right vectors are turned with it. False if it does not converge.
 */
export function diagonalize(
  d: Float64Array,
  e: Float64Array,
  n: number,
  left: Sweeps | undefined,
  right: Sweeps | undefined,
): boolean {
  let greatest = 0;
  for (let i = 0; i < n; i++) greatest = Math.max(greatest, Math.abs(d[i] as number), Math.abs(e[i] as number));
  const nothing = EPSILON * greatest;
  const isNothing = (i: number): boolean => Math.abs(e[i] as number) <= nothing;
  // The block is that of the rows `first` to `last`; everything below it is done.
  let last = n - 1;
  for (let steps = 0; ; steps++) {
    while (last > 0 && isNothing(last - 1)) last--;
    if (last === 0) return true;
    if (steps === MOST_STEPS * n) return false;
    let first = last - 1;
    while (first > 0 && !isNothing(first - 1)) first--;
    if (first > 0) e[first - 1] = 0;
    // From the larger end to the smaller one: what is small comes out first, and exactly.
    const down = Math.abs(d[first] as number) >= Math.abs(d[last] as number);
    const shift = shiftOf(d, e, first, last, down);
    const [top, step] = down ? [first, 1 as const] : [last, -1 as const];
    left?.begin(top, step, last - first);
    right?.begin(top, step, last - first);
    // Upwards it is the same for the transpose.
    const [outer, inner] = down ? [left, right] : [right, left];
    const chain: Chain = { d, e, top, step, beside: down ? 0 : -1, length: last - first };
    if (shift === 0) withoutShift(chain, outer, inner);
    else withShift(chain, shift, outer, inner);
  }
}

/** Rows of a block from one end to the other. The element between row i and the next one is e[i + beside]. */
interface Chain {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly top: number;
  readonly step: 1 | -1;
  readonly beside: 0 | -1;
  readonly length: number;
}

/** The lesser singular value of the two rows at the end; 0 where it is nothing beside the other end, or that is 0. */
function shiftOf(d: Float64Array, e: Float64Array, first: number, last: number, down: boolean): number {
  const [end, start] = down ? [last, first] : [first, last];
  const [f, h] = [d[down ? last - 1 : first] as number, d[down ? last : first + 1] as number];
  const shift = lesserSingularValue(f, e[down ? last - 1 : first] as number, h);
  const large = Math.abs(d[start] as number);
  if (end === start || large === 0) return 0;
  return (shift / large) ** 2 < EPSILON ? 0 : shift;
}

/** Of the triangle with f and h on its diagonal and g beside them (LAPACK's dlas2). */
function lesserSingularValue(f: number, g: number, h: number): number {
  const [fa, ga, ha] = [Math.abs(f), Math.abs(g), Math.abs(h)];
  const [least, most] = fa < ha ? [fa, ha] : [ha, fa];
  if (least === 0) return 0;
  const [sum, difference] = [1 + least / most, (most - least) / most];
  if (ga < most) {
    const square = (ga / most) ** 2;
    return least * (2 / (Math.sqrt(sum * sum + square) + Math.sqrt(difference * difference + square)));
  }
  const ratio = most / ga;
  if (ratio === 0) return (least * most) / ga;
  const roots = Math.sqrt(1 + (sum * ratio) ** 2) + Math.sqrt(1 + (difference * ratio) ** 2);
  return 2 * (least * (1 / roots)) * ratio;
}

/** The last rotation: c f + s g = r, and c g - s f = 0. */
let [c, s, r] = [1, 0, 0];

function rotation(f: number, g: number): void {
  if (g === 0) [c, s, r] = [1, 0, f];
  else {
    const sum = f * f + g * g;
    r = sum > SMALL ? Math.sqrt(sum) : Math.hypot(f, g);
    if (f < 0) r = -r;
    c = f / r;
    s = g / r;
  }
}

function withoutShift({ d, e, top, step, beside, length }: Chain, outer?: Sweeps, inner?: Sweeps): void {
  let [ownC, oldC, oldS] = [1, 1, 0];
  let i = top;
  for (let count = 0; count < length; count++, i += step) {
    rotation((d[i] as number) * ownC, e[i + beside] as number);
    const [between, ownS] = [r, s];
    ownC = c;
    if (count > 0) e[i - step + beside] = oldS * between;
    inner?.turn(c, s);
    rotation(oldC * between, (d[i + step] as number) * ownS);
    [oldC, oldS] = [c, s];
    d[i] = r;
    outer?.turn(c, s);
  }
  const h = (d[i] as number) * ownC;
  d[i] = h * oldC;
  e[i - step + beside] = h * oldS;
}

function withShift({ d, e, top, step, beside, length }: Chain, shift: number, outer?: Sweeps, inner?: Sweeps): void {
  const own = d[top] as number;
  let f = (Math.abs(own) - shift) * ((own < 0 ? -1 : 1) + shift / own);
  let g = e[top + beside] as number;
  let i = top;
  for (let count = 0; count < length; count++, i += step) {
    rotation(f, g);
    if (count > 0) e[i - step + beside] = r;
    const [x, between, next] = [d[i] as number, e[i + beside] as number, d[i + step] as number];
    const lower = c * between - s * x;
    inner?.turn(c, s);
    f = c * x + s * between;
    g = s * next;
    const turned = c * next;
    rotation(f, g);
    d[i] = r;
    f = c * lower + s * turned;
    d[i + step] = c * turned - s * lower;
    if (count < length - 1) {
      const beyond = e[i + step + beside] as number;
      g = s * beyond;
      e[i + step + beside] = c * beyond;
    }
    outer?.turn(c, s);
  }
  e[i - step + beside] = f;
}

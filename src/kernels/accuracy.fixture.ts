import { DTYPES, type DType } from '../nd/index.ts';
import { type ElementOpName, elementOp } from './elementwise.ts';
import type { ORACLE } from './oracle.fixture.ts';

/** A source of numbers from 0 up to 1 that are the same each time (mulberry32, by T. Ettinger). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Name = keyof typeof ORACLE;

/** Where functions are hard, or change from one way to compute them to another; their neighbours are as well. */
const EDGES: Partial<Record<Name, readonly number[]>> = {
  acos: [1, -1, 0.5, -0.5, 0],
  acosh: [1, 2, 2 ** 28, 2 ** 500, 1.7e308],
  asin: [1, -1, 0.5, -0.5, 2 ** -26],
  asinh: [2 ** 28, 2 ** 500, -1.7e308, 1, 2 ** -30],
  atan: [Math.SQRT2 - 1, Math.SQRT2 + 1, 1, 2 ** 60, 2 ** -30],
  atanh: [1 - 2 ** -53, 0.5, -0.5, 2 ** -30],
  cosh: [709.78, 710.4758600739439, -710.4758600739439, 708, 22],
  exp: [709.782712893384, -708.3964185322641, -745.1332191019411, -744.4400719213812, 708, -708, Math.LN2 / 2],
  expm1: [709.782712893384, 708, -40, -37.4, Math.LN2 / 512, -Math.LN2 / 512, (3 * Math.LN2) / 512, 0.25],
  log: [1, 2 ** -1022, Math.SQRT2, Math.SQRT1_2, 1.7e308, 5e-324],
  log10: [1, 10, 1000, 1e22, 2 ** -1022, Math.SQRT2, Math.SQRT1_2],
  log1p: [Math.SQRT2 - 1, Math.SQRT1_2 - 1, 2 ** -53, -1 + 2 ** -53, 1e308, 2 ** 53],
  log2: [1, 2, 1024, 2 ** -1022, Math.SQRT2, Math.SQRT1_2],
  sinh: [709.78, 710.4758600739439, -710.4758600739439, 22, 2 ** -28],
  tanh: [20, 19.06, 22, 0.5, Math.LN2 / 1024, 2 ** -28],
};

/** Arguments that are spread as the function likes it: some over all exponents, some where most numbers are, some at its edges. */
function argument(name: Name, random: () => number): number {
  const sign = random() < 0.5 ? 1 : -1;
  const kind = Math.floor(random() * 4);
  const edges = EDGES[name];
  if (edges !== undefined && kind === 0) {
    const edge = edges[Math.floor(random() * edges.length)] as number;
    return edge * (1 + (random() < 0.5 ? Math.round(20 * (random() - 0.5)) * 2 ** -52 : (random() - 0.5) * 2 ** -12));
  }
  const anySize = (least: number, most: number): number => (1 + random()) * 2 ** (least + (most - least) * random());
  switch (name) {
    case 'asin':
    case 'acos':
    case 'atanh':
      return kind === 1 ? sign * anySize(-1074, -2) : kind === 2 ? sign * (1 - anySize(-53, -2)) : 2 * random() - 1;
    case 'acosh':
      return kind === 1 ? 1 + anySize(-52, 1023) : 1 + 5 * random();
    case 'log':
    case 'log2':
    case 'log10':
      return kind === 1 ? anySize(-1074, 1022.9) : kind === 2 ? 1 + sign * anySize(-53, -2) : 0.5 + 2 * random();
    case 'log1p':
      return kind === 1 ? anySize(-1074, 1022.9) : kind === 2 ? sign * anySize(-60, -2) : 4 * random() - 1 + 1e-9;
    case 'exp':
    case 'expm1':
    case 'sinh':
    case 'cosh':
    case 'tanh':
      return kind === 1 ? sign * anySize(-60, 9.4) : kind === 2 ? 1460 * random() - 750 : 8 * (random() - 0.5);
    case 'sin':
    case 'cos':
    case 'tan': {
      if (kind === 1) return sign * anySize(-60, 1022.9);
      if (kind === 3) return 20 * (random() - 0.5);
      // The doubles nearest to multiples of pi/2, near which the most is lost.
      const n = Math.floor(random() < 0.5 ? 64 * random() : 2 ** 21 * random());
      return sign * n * (Math.PI / 2) * (1 + Math.round(4 * (random() - 0.5)) * 2 ** -52);
    }
    default:
      return kind === 1 ? sign * anySize(-1074, 1022.9) : 8 * (random() - 0.5);
  }
}

/** Two of them, that belong together. */
function pair(name: Name, random: () => number): [number, number] {
  const [x, y] = [argument(name, random), argument(name, random)];
  switch (name) {
    case 'pow': {
      const kind = Math.floor(random() * 5);
      const base = Math.exp(40 * (random() - 0.5));
      // A result near the ends of the range; or of a base near 1; or a whole power.
      if (kind === 0) return [base, ((random() < 0.5 ? 709.7 : -740) + 8 * (random() - 0.5)) / Math.log(base)];
      if (kind === 1) {
        const near = 1 + (random() - 0.5) * 2 ** (-48 * random());
        return [near, (1400 * (random() - 0.5)) / Math.log(near)];
      }
      if (kind === 2) return [(random() < 0.5 ? -1 : 1) * base, Math.round(20 * (random() - 0.5))];
      return kind === 3 ? [Math.abs(x), 4 * (random() - 0.5)] : [base, 20 * (random() - 0.5)];
    }
    case 'logaddexp':
      return random() < 0.5 ? [x, x + 60 * (random() - 0.5)] : [8 * random(), 8 * random()];
    case 'hypot':
    case 'atan2':
      return random() < 0.5 ? [x, x * (4 * random() - 2)] : [x, y];
    default:
      return [x, y];
  }
}

/** Operands within the domain, rounded to the type. */
export function operandsOf(name: Name, dtype: DType, random: () => number): [number, number] {
  for (;;) {
    const both = (elementOp(name as ElementOpName).arity === 2 ? pair(name, random) : [argument(name, random), 0]) as [
      number,
      number,
    ];
    const [x, y] = DTYPES[dtype].bytes === 4 ? [Math.fround(both[0]), Math.fround(both[1])] : both;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    const result = (elementOp(name as ElementOpName).float as (x: number, y: number) => number)(x, y);
    // Poles and zeros are special cases, which have a table of their own.
    if (Number.isNaN(result) || x === 0 || (y === 0 && elementOp(name as ElementOpName).arity === 2)) continue;
    if (!Number.isFinite(result) && (name.startsWith('log') || name === 'atanh')) continue;
    return [x, y];
  }
}

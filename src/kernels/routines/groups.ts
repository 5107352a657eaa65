import { isBig } from '../../nd/index.ts';
import { reducer } from '../reducers.ts';
import { loopsFor } from '../wasm/loops.ts';
import { type ArrayType, asWords, type Dense, ofKind, type Params, type Routine, shapeError } from './routine.ts';

/** Groups as unsigned words: the low half of each, `step` apart; negative ones and large ones have a high half, or are beyond all that there are. */
function wordsOf(groups: Dense): { readonly words: Uint32Array; readonly step: 1 | 2 } {
  const { elements } = groups;
  if (elements instanceof Int32Array)
    return { words: new Uint32Array(elements.buffer, elements.byteOffset, elements.length), step: 1 };
  return { words: asWords(groups), step: 2 };
}

/** Calls `work` for each place with a group that there is: others, negative ones too, are passed over. */
function eachGroup(groups: Dense, count: number, work: (place: number, group: number) => void): void {
  const { words, step } = wordsOf(groups);
  for (let i = 0, at = 0; at < words.length; i++, at += step) {
    const group = words[at] as number;
    if (group < count && (step === 1 || words[at + 1] === 0)) work(i, group);
  }
}

type Extreme = 'min' | 'max';
const countOf = ({ count }: Params): number => count as number;

/** That there is a group for each place of the first axis. */
function checkGroups(operation: string, x: ArrayType, groups: ArrayType): void {
  const isInteger = groups.dtype === 'i64' || groups.dtype === 'i32';
  if (isInteger && groups.shape.length === 1 && x.shape[0] === groups.shape[0]) return;
  throw shapeError(operation, 'a group is needed for each place of the first axis', x.shape, groups.shape);
}

const grouped = (operation: string, run: Routine['run']): Routine => ({
  outputs([x, groups], params) {
    ofKind(operation, x!, ['int', 'uint', 'float']);
    checkGroups(operation, x!, groups!);
    return [{ shape: [countOf(params), ...x!.shape.slice(1)], dtype: x!.dtype }];
  },
  run,
});

/**
 * The sums of the places of the first axis that belong to one group, for each group; the type stays, and integers wrap. Params: `count`, of
 * groups; what belongs to no group from 0 to `count` counts nowhere.
 */
const segmentSum = grouped('segmentSum', ([x, groups], params, [into], memory) => {
  const [from, to] = [x!.elements, into!.elements];
  const inner = to.length / Math.max(1, countOf(params));
  to.fill((isBig(x!.dtype) ? 0n : 0) as never);
  if (isBig(x!.dtype)) {
    addWords(asWords(x!), asWords(into!), groups!, countOf(params), inner);
    return;
  }
  // Floats of 32 bits are rounded once.
  const totals = from instanceof Float32Array ? new Float64Array(to.length) : (to as Float64Array);
  const loops = x!.dtype === 'f64' && inner === 1 ? loopsFor(memory, from, to, groups!.elements) : undefined;
  if (loops !== undefined) {
    loops.addGroups(groups!.elements as Int32Array | BigInt64Array, from as Float64Array, to as Float64Array);
  } else if (inner === 1) addPlaces(from as Float64Array, totals, groups!);
  else {
    eachGroup(groups!, countOf(params), (place, group) => {
      for (let i = place * inner, at = group * inner, end = at + inner; at < end; i++, at++) {
        totals[at]! += from[i] as number;
      }
    });
  }
  if (totals !== to) (to as Float32Array).set(totals);
});

/** One element for each place, which is most of what is asked: without a call for each. */
function addPlaces(from: Float64Array, totals: Float64Array, groups: Dense): void {
  const { words, step } = wordsOf(groups);
  const count = totals.length;
  for (let i = 0, at = 0; at < words.length; i++, at += step) {
    const group = words[at] as number;
    if (group < count && (step === 1 || words[at + 1] === 0)) totals[group]! += from[i] as number;
  }
}

/** Integers of 64 bits, as their halves: modulo 2**64 it is the same with a sign and without. */
function addWords(from: Uint32Array, to: Uint32Array, groups: Dense, count: number, inner: number): void {
  eachGroup(groups, count, (place, group) => {
    const end = 2 * inner * (group + 1);
    for (let i = 2 * place * inner, at = 2 * group * inner; at < end; i += 2, at += 2) {
      const low = (to[at] as number) + (from[i] as number);
      to[at] = low;
      to[at + 1]! += (from[i + 1] as number) + (low > 0xffffffff ? 1 : 0);
    }
  });
}

/** The same with the least or the greatest; of an empty group what is beyond all others, infinity or the limit of the type. NaN wins. */
const segmentExtreme = (operation: string, by: Extreme): Routine =>
  grouped(operation, ([x, groups], params, [into]) => {
    const [from, to] = [x!.elements as Float64Array, into!.elements as Float64Array];
    const inner = to.length / Math.max(1, countOf(params));
    to.fill(reducer(by).identity(x!.dtype) as never);
    // Of integers of 64 bits Math knows nothing.
    const [isBigger, pick] = [by === 'max', by === 'max' ? Math.max : Math.min];
    const big = isBig(x!.dtype);
    eachGroup(groups!, countOf(params), (place, group) => {
      for (let i = place * inner, at = group * inner, end = at + inner; at < end; i++, at++) {
        const [own, best] = [from[i] as number, to[at] as number];
        if (!big) to[at] = pick(own, best);
        else if (isBigger ? own > best : own < best) to[at] = own;
      }
    });
  });

/** How many places belong to each group; the only input is the groups. */
const segmentCount: Routine = {
  outputs([groups], params) {
    checkGroups('segmentCount', groups!, groups!);
    return [{ shape: [countOf(params)], dtype: 'i64' }];
  },
  run([groups], params, [into]) {
    const counts = new Float64Array(countOf(params));
    eachGroup(groups!, counts.length, (_, group) => counts[group]!++);
    putCounts(into!, counts);
  },
};

function putCounts(into: Dense, counts: Float64Array): void {
  const words = asWords(into);
  for (const [i, count] of counts.entries()) {
    words[2 * i] = count;
    words[2 * i + 1] = Math.floor(count / 2 ** 32);
  }
}

/**
 * How many elements of a list of doubles lie between each edge and the next one, the last edge included; edges ascend. Params: `uniform`, whether
 * they are about equally far apart.
 */
const histogram: Routine = {
  outputs([x, edges]) {
    if (x!.dtype !== 'f64' || edges!.dtype !== 'f64' || x!.shape.length !== 1 || edges!.shape.length !== 1)
      throw shapeError('histogram', 'it takes two lists of doubles', x!.shape, edges!.shape);
    if ((edges!.shape[0] as number) < 2) throw shapeError('histogram', 'at least two edges are needed', edges!.shape);
    return [{ shape: [(edges!.shape[0] as number) - 1], dtype: 'i64' }];
  },
  run([x, edges], { uniform = false }, [into], memory) {
    const [from, at] = [x!.elements as Float64Array, edges!.elements as Float64Array];
    const loops = uniform === true ? loopsFor(memory, from, at, into!.elements) : undefined;
    if (loops !== undefined) {
      const own = into!.elements as BigInt64Array;
      own.fill(0n);
      loops.count(from, at, own);
      return;
    }
    const bins = at.length - 1;
    const [least, greatest] = [at[0] as number, at[bins] as number];
    const counts = new Float64Array(bins);
    const perBin = bins / (greatest - least);
    for (let i = 0; i < from.length; i++) {
      const value = from[i] as number;
      if (!(value >= least && value <= greatest)) continue;
      const guess = uniform === true ? Math.min(bins - 1, Math.floor((value - least) * perBin)) : -1;
      counts[guess >= 0 ? beside(at, value, guess, bins) : found(at, value, bins)]!++;
    }
    putCounts(into!, counts);
  },
};

/** The guess is off by roundings. */
function beside(edges: Float64Array, value: number, guess: number, bins: number): number {
  let bin = guess;
  while (bin > 0 && value < (edges[bin] as number)) bin--;
  while (bin < bins - 1 && value >= (edges[bin + 1] as number)) bin++;
  return bin;
}

function found(edges: Float64Array, value: number, bins: number): number {
  let [low, high] = [0, bins - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((edges[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const GROUPS = {
  segmentSum,
  segmentMin: segmentExtreme('segmentMin', 'min'),
  segmentMax: segmentExtreme('segmentMax', 'max'),
  segmentCount,
  histogram,
} as const;

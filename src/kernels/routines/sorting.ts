import { axisOf, type Elements } from '../../nd/index.ts';
import { DoubleSort, LEAST_DOUBLES, scratchBytes } from '../sorting/doubles.ts';
import { placed } from '../sorting/select.ts';
import { argsorted, line, sorted } from '../sorting/sort.ts';
import { loopsFor } from '../wasm/loops.ts';
import { asWords, type Dense, linesOf, ofKind, type Params, type Routine, sameType, shapeError } from './routine.ts';

const isDescending = (params: Params): boolean => params.descending === true;

/** The elements of a line, which lies in one piece or is brought into one. */
function gathered(from: Elements, first: number, length: number, step: number, own: Elements | undefined): Elements {
  if (own === undefined) return from.subarray(first, first + length);
  for (let i = 0, at = first; i < length; i++, at += step) own[i] = from[at] as never;
  return own;
}

/** Calls `work` with the elements of each line along an axis, and where it begins. */
function eachLine(x: Dense, axis: number, work: (own: Elements, first: number, step: number) => void): void {
  const { outer, length, inner } = linesOf(x.shape, axis);
  const room = inner === 1 ? undefined : line(x.dtype, length);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      const first = i * length * inner + j;
      work(gathered(x.elements, first, length, inner, room), first, inner);
    }
  }
}

const axisParam = (operation: string, { axis = -1 }: Params, x: { readonly shape: readonly number[] }): number =>
  axisOf(operation, axis as number, x.shape);

/** Params: `axis` (the last one), `descending`. Stable; NaNs come last, whichever way. */
const sort: Routine = {
  outputs([x], params) {
    axisParam('sort', params, x!);
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  scratch([x], params) {
    const { length, inner } = linesOf(x!.shape, axisParam('sort', params, x!));
    if (x!.dtype !== 'f64' || inner !== 1 || length < LEAST_DOUBLES) return 0;
    return scratchBytes({ count: length, parts: 1, threads: 1 });
  },
  run([x], params, [into], memory, scratch) {
    const descending = isDescending(params);
    const axis = axisParam('sort', params, x!);
    const { outer, length, inner } = linesOf(x!.shape, axis);
    const to = into!.elements;
    if (memory !== undefined && scratch !== undefined) {
      for (let i = 0; i < outer; i++) {
        const [from, at] = [x!.elements, to].map(({ byteOffset }) => byteOffset + 8 * i * length) as [number, number];
        const plan = { from, into: at, count: length, descending, scratch, parts: 1, threads: 1 };
        new DoubleSort(plan, memory).run();
      }
      return;
    }
    const room = inner === 1 ? undefined : line(x!.dtype, length);
    eachLine(x!, axis, (own, first, step) => {
      if (room === undefined) return sorted(x!.dtype, own, descending, to.subarray(first, first + length));
      sorted(x!.dtype, own, descending, room);
      for (let i = 0, at = first; i < length; i++, at += step) to[at] = room[i] as never;
    });
  },
};

/** The places of the elements in order, an i64. Params as those of `sort`. */
const argsort: Routine = {
  outputs([x], params) {
    axisParam('argsort', params, x!);
    return [{ shape: x!.shape, dtype: 'i64' }];
  },
  run([x], params, [into]) {
    const to = asWords(into!);
    eachLine(x!, axisParam('argsort', params, x!), (own, start, along) => {
      argsorted(x!.dtype, own, isDescending(params), ({ words, first, step, count }) => {
        for (let i = 0, at = first, place = 2 * start; i < count; i++, at += step, place += 2 * along) {
          to[place] = words[at] as number;
          to[place + 1] = 0;
        }
      });
    });
  },
};

/** Whether `a` comes before `b` in ascending order: NaNs are last, and equal to each other. */
const isBefore = (a: number | bigint, b: number | bigint): boolean => a < b || (Number.isNaN(b) && !Number.isNaN(a));

/**
 * Where the elements of the second input would have to be put into the first one, of one axis and sorted, so that it stays sorted; an
 * i64. Params: `side`, `left` (before what is equal) or `right`.
 */
const searchsorted: Routine = {
  outputs([x, values]) {
    sameType('searchsorted', x!, values!);
    if (x!.shape.length !== 1)
      throw shapeError('searchsorted', 'the first array has to have one axis', x!.shape, values!.shape);
    return [{ shape: values!.shape, dtype: 'i64' }];
  },
  run([x, values], { side = 'left' }, [into]) {
    const [line, wanted] = [x!.elements as Float64Array, values!.elements as Float64Array];
    const to = asWords(into!);
    const right = side === 'right';
    for (let i = 0; i < wanted.length; i++) {
      const value = wanted[i] as number;
      let [low, high] = [0, line.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        const own = line[middle] as number;
        if (right ? isBefore(value, own) : !isBefore(own, value)) high = middle;
        else low = middle + 1;
      }
      to[2 * i] = low;
      to[2 * i + 1] = 0;
    }
  },
};

/**
 * The first elements of each line in order, and where they are: the heap of the best ones so far has the worst of them on top. Of equal ones the
 * first comes first, and NaN is the last, as in `sort`. Params: `k`, and those of `sort`.
 */
const topK: Routine = {
  outputs([x], params) {
    const axis = axisParam('topK', params, x!);
    const shape = x!.shape.map((length, i) => (i === axis ? Math.min(length, params.k as number) : length));
    return [
      { shape, dtype: x!.dtype },
      { shape, dtype: 'i64' },
    ];
  },
  run([x], params, [values, indices], memory) {
    const axis = axisParam('topK', params, x!);
    const [to, places] = [values!.elements, asWords(indices!)];
    const { length, inner } = linesOf(x!.shape, axis);
    const k = Math.min(length, params.k as number);
    const heap = new Uint32Array(k);
    const descending = isDescending(params);
    eachLine(x!, axis, (own, first, step) => {
      const line = own as Float64Array;
      const isFirst = (i: number, j: number): boolean => {
        const [a, b] = [line[i] as number, line[j] as number];
        if (a === b) return i < j;
        if (Number.isNaN(a)) return Number.isNaN(b) && i < j;
        return Number.isNaN(b) || (descending ? a > b : a < b);
      };
      const loops = x!.dtype === 'f64' ? loopsFor(memory, line) : undefined;
      const next =
        loops === undefined
          ? (at: number, worst: number) => notWorse(line, at, worst, descending)
          : (at: number, worst: number) => loops.beyond(line, at, worst, descending);
      best(heap, line, next, isFirst);
      const start = Math.floor(first / (length * inner)) * k * inner + (first % inner);
      for (const [i, place] of heap.entries()) {
        const at = start + i * step;
        to[at] = own[place] as never;
        places[2 * at] = place;
        places[2 * at + 1] = 0;
      }
    });
  },
};

/** The first place from `at` on whose element may be better than the worst; NaN is neither. */
function notWorse(line: Float64Array, at: number, worst: number, descending: boolean): number {
  let i = at;
  if (descending) while (i < line.length && (line[i] as number) <= worst) i++;
  else while (i < line.length && (line[i] as number) >= worst) i++;
  return i;
}

/** Fills a list with the places of a line that come first, in order; `next`: the first one from a place on that may be better than a value. */
function best(
  heap: Uint32Array,
  line: Float64Array,
  next: (at: number, worst: number) => number,
  isFirst: (i: number, j: number) => boolean,
): void {
  const k = heap.length;
  if (k === 0) return;
  const sink = (from: number): void => {
    const own = heap[from] as number;
    let at = from;
    for (let child = 2 * at + 1; child < k; child = 2 * at + 1) {
      if (child + 1 < k && isFirst(heap[child] as number, heap[child + 1] as number)) child++;
      if (isFirst(heap[child] as number, own)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = own;
  };
  for (let i = 0; i < k; i++) heap[i] = i;
  for (let i = (k >> 1) - 1; i >= 0; i--) sink(i);
  // Nearly all are not better than the worst of the heap, and most of the time goes into seeing that.
  const worst = (): number => line[heap[0] as number] as number;
  for (let i = next(k, worst()); i < line.length; i = next(i + 1, worst())) {
    if (!isFirst(i, heap[0] as number)) continue;
    heap[0] = i;
    sink(0);
  }
  heap.sort((i, j) => (isFirst(i, j) ? -1 : 1));
}

/**
 * What would be at some places of each line if it were sorted. A line with a NaN has only NaNs. Params: `axis` (the last one), `places`, ascending.
 */
const orderStatistics: Routine = {
  outputs([x], params) {
    ofKind('orderStatistics', x!, ['float']);
    const axis = axisParam('orderStatistics', params, x!);
    const { length } = params.places as readonly number[];
    return [{ shape: x!.shape.map((own, i) => (i === axis ? length : own)), dtype: x!.dtype }];
  },
  run([x], params, [into]) {
    const axis = axisParam('orderStatistics', params, x!);
    const places = params.places as readonly number[];
    const { length, inner } = linesOf(x!.shape, axis);
    const room = new Float64Array(length);
    eachLine(x!, axis, (own, first, step) => {
      const start = Math.floor(first / (length * inner)) * places.length * inner + (first % inner);
      for (const [i, value] of placed(own as Float64Array, places, room).entries())
        into!.elements[start + i * step] = value;
    });
  },
};

export const SORTING = { sort, argsort, searchsorted, topK, orderStatistics } as const;

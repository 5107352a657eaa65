import { type Kernel, KernelBuilder } from '../kernels/kernel.ts';
import type { ReducerName } from '../kernels/reducers.ts';
import { DTYPES, type DType } from '../nd/index.ts';
import type { Draft } from './expand.rules.ts';
import { type Accumulator, type Call, FIRST_ROW, type Gathered, type Pipeline, type Where } from './pipeline.ts';

/** Where something lies that has all axes of the space, the rows included. */
export interface DraftWhere {
  readonly at: 'array' | 'scratch' | 'accumulator';
  /** Which one. Of scratch: the number of the value. */
  readonly which: number;
  /** In elements. */
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A kernel that is not put together yet. */
export interface DraftCall {
  readonly space: readonly number[];
  readonly steps: readonly Draft[];
  /** For each step that loads. */
  readonly operands: ReadonlyMap<number, DraftWhere>;
  readonly results: readonly {
    readonly step: number;
    readonly reduce: ReducerName | null;
    readonly where: DraftWhere;
  }[];
  readonly gather?: Gathered | undefined;
}

export interface DraftPipeline {
  readonly calls: readonly DraftCall[];
  /** Elements of each value in the scratch for one row, by its number. */
  readonly scratch: ReadonlyMap<number, { readonly dtype: DType; readonly row: number }>;
  readonly accumulators: readonly Omit<Accumulator, 'offset'>[];
}

/** How many bytes a tile and its scratch may take. */
export interface Sizes {
  /** Of the cache next to a core. */
  readonly cache: number;
  /** Where rows are combined: the same on each machine, since the order of a sum, and so its last bits, are those of its tiles. */
  readonly block: number;
}

const MOST_UNITS = 256;
const MOST_GATHERED = 8 << 20;
/** So that neighbours do not write to the same line of the cache. */
const LINE = 64;

/** Axes joined where everything lies in one line along them, tiles cut to the cache, scratch laid out, kernels put together. */
export function laidOut(draft: DraftPipeline, sizes: Sizes): Pipeline {
  const { calls, rows, scale } = joinedRows(draft.calls);
  const scratchRow = new Map(
    [...draft.scratch].map(([id, { dtype, row }]) => [id, (row / scale) * DTYPES[dtype].bytes]),
  );
  const tile = tileOf(calls, rows, scratchRow, draft.accumulators.length === 0 ? sizes.cache : sizes.block);
  const { offsets, bytes } = scratchOf(calls, (id) => Math.ceil((tile * (scratchRow.get(id) as number)) / LINE) * LINE);
  let gathered = 0;
  const accumulators = draft.accumulators.map((accumulator): Accumulator => {
    const offset = gathered;
    gathered += Math.ceil((accumulator.length * DTYPES[accumulator.dtype].bytes) / 8) * 8;
    return { ...accumulator, offset };
  });
  const tiles = Math.max(1, Math.ceil(rows / tile));
  const most = gathered === 0 ? tiles : Math.max(1, Math.min(MOST_UNITS, Math.floor(MOST_GATHERED / gathered)));
  return {
    rows,
    tile,
    unit: tile * Math.ceil(tiles / most),
    calls: calls.map((call) => callOf(joinedInner(call), offsets)),
    scratch: bytes,
    accumulators,
    gathered,
  };
}

const wheresOf = ({ operands, results }: DraftCall): DraftWhere[] => [
  ...operands.values(),
  ...results.map(({ where }) => where),
];

const usesPosition = (call: DraftCall, axis: number): boolean =>
  call.steps.some((step) => step.op === 'position' && (step as { axis: number }).axis === axis);

/** Whether axes `axis` and the next one can be one axis. */
function joins(call: DraftCall, axis: number): boolean {
  const length = call.space[axis + 1] as number;
  return (
    !(call.gather !== undefined && axis === 0) &&
    !usesPosition(call, axis) &&
    !usesPosition(call, axis + 1) &&
    wheresOf(call).every(({ strides }) => strides[axis] === (strides[axis + 1] as number) * length)
  );
}

/** The call with its axes `axis` and the next one as one. */
function joined(call: DraftCall, axis: number): DraftCall {
  const without = (list: readonly number[]): number[] => list.filter((_, i) => i !== axis);
  const space = without(call.space);
  space[axis] = (call.space[axis] as number) * (call.space[axis + 1] as number);
  const moved = <T extends DraftWhere>(where: T): T => ({ ...where, strides: without(where.strides) });
  return {
    space,
    steps: call.steps.map((step) =>
      step.op === 'position' && (step as { axis: number }).axis > axis
        ? { op: 'position', axis: (step as { axis: number }).axis - 1, dtype: 'i64' }
        : step,
    ),
    operands: new Map([...call.operands].map(([step, where]) => [step, moved(where)])),
    results: call.results.map((result) => ({ ...result, where: moved(result.where) })),
    gather: call.gather,
  };
}

/** All calls with more and shorter rows, as far as that goes. `scale`: how many times as many. */
function joinedRows(given: readonly DraftCall[]): { calls: readonly DraftCall[]; rows: number; scale: number } {
  let calls = given;
  let scale = 1;
  for (;;) {
    const length = calls[0]?.space[1];
    if (length === undefined || length === 0) break;
    if (!calls.every((call) => call.space[1] === length && joins(call, 0))) break;
    calls = calls.map((call) => joined(call, 0));
    scale *= length;
  }
  return { calls, rows: calls[0]?.space[0] ?? 0, scale };
}

function joinedInner(call: DraftCall): DraftCall {
  let own = call;
  for (let axis = 1; axis + 1 < own.space.length; ) {
    if (joins(own, axis)) own = joined(own, axis);
    else axis++;
  }
  return own;
}

function tileOf(
  calls: readonly DraftCall[],
  rows: number,
  scratchRow: ReadonlyMap<number, number>,
  cache: number,
): number {
  const touched = new Map<string, number>();
  for (const call of calls) {
    const note = ({ at, which, offset, strides }: DraftWhere, dtype: DType): void => {
      if (at !== 'array' || strides[0] === 0) return;
      let bytes = DTYPES[dtype].bytes;
      for (let axis = 1; axis < strides.length; axis++) if (strides[axis] !== 0) bytes *= call.space[axis] as number;
      touched.set(`${which} ${offset}`, Math.max(bytes, touched.get(`${which} ${offset}`) ?? 0));
    };
    for (const [step, where] of call.operands) note(where, (call.steps[step] as Draft).dtype);
    for (const { step, where } of call.results) note(where, (call.steps[step] as Draft).dtype);
  }
  let bytes = 0;
  for (const each of touched.values()) bytes += each;
  // Scratch is used again and again: as much as there is at the same time.
  bytes += scratchOf(calls, (id) => (scratchRow.get(id) as number) * LINE).bytes / LINE;
  let tile = Math.floor(cache / Math.max(bytes, 1));
  if (tile > LINE) tile -= tile % LINE;
  return Math.max(1, Math.min(tile, rows));
}

/** Places in the scratch; one is given to others when its value was read for the last time. */
function scratchOf(
  calls: readonly DraftCall[],
  sizeOf: (id: number) => number,
): { offsets: ReadonlyMap<number, number>; bytes: number } {
  const last = new Map<number, number>();
  for (const [i, call] of calls.entries()) {
    for (const { at, which } of wheresOf(call)) if (at === 'scratch') last.set(which, i);
  }
  const offsets = new Map<number, number>();
  let free: { offset: number; size: number }[] = [];
  let end = 0;
  for (const [i, call] of calls.entries()) {
    for (const { where } of call.results) {
      if (where.at !== 'scratch' || offsets.has(where.which)) continue;
      const size = sizeOf(where.which);
      const fit = free.find((each) => each.size >= size);
      if (fit === undefined) {
        offsets.set(where.which, end);
        end += size;
      } else {
        offsets.set(where.which, fit.offset);
        fit.offset += size;
        fit.size -= size;
      }
    }
    for (const [id, call] of last) {
      if (call !== i) continue;
      last.delete(id);
      free.push({ offset: offsets.get(id) as number, size: sizeOf(id) });
    }
    free = merged(free);
  }
  return { offsets, bytes: end };
}

function merged(free: { offset: number; size: number }[]): { offset: number; size: number }[] {
  const result: { offset: number; size: number }[] = [];
  for (const each of free.filter(({ size }) => size > 0).sort((a, b) => a.offset - b.offset)) {
    const before = result.at(-1);
    if (before !== undefined && before.offset + before.size === each.offset) before.size += each.size;
    else result.push(each);
  }
  return result;
}

function callOf(call: DraftCall, offsets: ReadonlyMap<number, number>): Call {
  const builder = new KernelBuilder(call.space.length);
  const operands: Where[] = [];
  const scalars: number[] = [];
  const numbers: number[] = [];
  let first: number | undefined;
  const scalar = (which: number, dtype: DType): number => {
    scalars.push(which);
    return builder.scalar(dtype);
  };
  for (const [i, step] of call.steps.entries()) numbers.push(put(step, i));
  for (const { step, reduce } of call.results) builder.result(numbers[step] as number, reduce);
  const kernel: Kernel = builder.build();
  return {
    kernel,
    inner: call.space.slice(1),
    operands,
    scalars,
    results: call.results.map(({ where, step }) => whereOf(where, (call.steps[step] as Draft).dtype)),
    ...(call.gather === undefined ? {} : { gather: call.gather }),
  };

  function put(step: Draft, i: number): number {
    switch (step.op) {
      case 'load':
        operands.push(whereOf(call.operands.get(i) as DraftWhere, step.dtype));
        return builder.operand(step.dtype);
      case 'scalar':
        return scalar((step as { scalar: number }).scalar, step.dtype);
      case 'position': {
        const { axis } = step as { axis: number };
        const own = builder.position(axis);
        // Kernels count from the first row of the tile.
        if (axis !== 0) return own;
        first ??= scalar(FIRST_ROW, 'i64');
        return builder.apply('add', [own, first], 'i64');
      }
      case 'cast':
        return builder.cast(numbers[(step as { args: readonly number[] }).args[0] as number] as number, step.dtype);
      default:
        return builder.apply(
          step.op as Exclude<Draft['op'], 'load' | 'scalar' | 'position' | 'cast'>,
          (step as { args: readonly number[] }).args.map((arg) => numbers[arg] as number),
          step.dtype,
        );
    }
  }

  function whereOf({ at, which, offset, strides }: DraftWhere, dtype: DType): Where {
    const [row, ...inner] = strides as [number, ...number[]];
    if (at === 'array') return { at, array: which, offset, row, strides: inner };
    if (at === 'accumulator') return { at, accumulator: which, strides: inner };
    return { at, offset: (offsets.get(which) as number) + offset * DTYPES[dtype].bytes, row, strides: inner };
  }
}

import { InternalError } from '../base/index.ts';
import {
  alongOf,
  type Compiled,
  JavaScriptKernels,
  type Run,
  reducer,
  type Strided,
  type WasmFunction,
  WasmKernels,
} from '../kernels/index.ts';
import { DTYPES, type DType, type Elements } from '../nd/index.ts';
import { type Accumulator, type Call, FIRST_ROW, type Pipeline, unitsOf, type Where } from './pipeline.ts';

/** Compilers for kernels over one memory. */
export interface Compilers {
  readonly memory: WebAssembly.Memory;
  readonly wasm: WasmKernels;
  readonly javascript: JavaScriptKernels;
  /** All of the memory, as elements of a type. */
  views(dtype: DType): Elements;
}

export function compilersFor(memory: WebAssembly.Memory): Compilers {
  const made: Partial<Record<DType, Elements>> = {};
  return {
    memory,
    wasm: new WasmKernels(memory),
    javascript: new JavaScriptKernels(),
    views: (dtype) => {
      made[dtype] ??= new DTYPES[dtype].Elements(memory.buffer);
      return made[dtype];
    },
  };
}

/** An array that does not lie in the memory: from `offset` on, in elements. */
export interface Elsewhere {
  readonly elements: Elements;
  readonly offset: number;
}

/** What a pipeline is run on. Addresses are bytes from the beginning of the memory. */
export interface Binding {
  /** Of the plan. */
  readonly scalars: readonly (number | bigint)[];
  /** Each array of the plan that the pipeline uses: its address, or its elements where they lie elsewhere. */
  readonly arrays: readonly (number | Elsewhere)[];
  /** As many blocks of scratch as there are slots, one after the other. */
  readonly scratch: number;
  /** The accumulators of all units, one unit after the other; where there is one unit alone, it uses the arrays themselves. */
  readonly gathered: number;
}

/** Runs tiles of one pipeline. It changes nothing but what the pipeline says, so that several may run it at the same time. */
export interface TileRunner {
  /** Rows from `first`, which is the first of a unit, up to `last`. Whoever runs tiles at the same time has another slot. */
  run(first: number, last: number, slot: number): void;
  /** Combines what the units have gathered, when all are done. */
  combine(): void;
}

/** Elements of a type anywhere in the memory. */
type Views = (dtype: DType) => Elements;

/** Arrays in the memory and those elsewhere, as calls find them. */
interface Place {
  readonly dtype: DType;
  /** Undefined: in the memory. */
  readonly elements: Elements | undefined;
  /** The address for the first row of what is asked for; elsewhere: elements. */
  at(row: number, slot: number): number;
  readonly strides: readonly number[];
}

/** One call, made ready: runs so many rows. */
type Ready = (row: number, rows: number, slot: number) => void;

export function tileRunner(pipeline: Pipeline, binding: Binding, compilers: Compilers): TileRunner {
  const { views } = compilers;
  const context: Context = { pipeline, binding, compilers, views };
  const ready = pipeline.calls.map((call) => callOf(call, context));
  const starts = pipeline.accumulators.map((accumulator, i) =>
    startOf(
      accumulator,
      placeOf({ at: 'accumulator', accumulator: i, strides: [] }, accumulator.dtype, context),
      views,
    ),
  );
  const { rows, tile, unit } = pipeline;
  return {
    run(first, last, slot) {
      for (let row = first; row < last; row += tile) {
        if (row % unit === 0) for (const start of starts) start(row);
        const here = Math.min(tile, last - row);
        for (let i = 0; i < ready.length; i++) (ready[i] as Ready)(row, here, slot);
      }
    },
    combine() {
      if (rows === 0) for (const start of starts) start(0);
      const units = unitsOf(pipeline);
      if (units < 2) return;
      for (const accumulator of pipeline.accumulators) combineUnits(accumulator, units, context);
    },
  };
}

interface Context {
  readonly pipeline: Pipeline;
  readonly binding: Binding;
  readonly compilers: Compilers;
  readonly views: Views;
}

function placeOf(where: Where, dtype: DType, { pipeline, binding }: Context): Place {
  const { bytes } = DTYPES[dtype];
  if (where.at === 'scratch') {
    const start = binding.scratch + where.offset;
    const each = pipeline.scratch;
    return { dtype, elements: undefined, at: (_, slot) => start + slot * each, strides: [where.row, ...where.strides] };
  }
  if (where.at === 'accumulator') {
    const { array, offset } = pipeline.accumulators[where.accumulator] as Accumulator;
    const strides = [0, ...where.strides];
    // One unit has nothing to be combined with.
    if (unitsOf(pipeline) < 2) {
      const own = binding.arrays[array] as number | Elsewhere;
      return typeof own === 'number'
        ? { dtype, elements: undefined, at: () => own, strides }
        : { dtype, elements: own.elements, at: () => own.offset, strides };
    }
    const { unit, gathered } = pipeline;
    const start = binding.gathered + offset;
    return { dtype, elements: undefined, at: (row) => start + Math.floor(row / unit) * gathered, strides };
  }
  const own = binding.arrays[where.array] as number | Elsewhere;
  const strides = [where.row, ...where.strides];
  const { row, offset } = where;
  if (typeof own !== 'number') {
    const start = own.offset + offset;
    return { dtype, elements: own.elements, at: (first) => start + first * row, strides };
  }
  const start = own + offset * bytes;
  const step = row * bytes;
  return { dtype, elements: undefined, at: (first) => start + first * step, strides };
}

function callOf(call: Call, context: Context): Ready {
  const { kernel } = call;
  const operands = call.operands.map((where, i) => placeOf(where, kernel.operands[i] as DType, context));
  const results = call.results.map((where, i) => placeOf(where, resultType(call, i), context));
  const places = [...operands, ...results];
  const starts = call.results.flatMap((where, i) => {
    const { reduce } = kernel.results[i] as { reduce: Parameters<typeof reducer>[0] | null };
    if (reduce === null || where.at === 'accumulator') return [];
    const place = results[i] as Place;
    return [freshRows(place, perRow(where, call.inner), reducer(reduce).identity(place.dtype), context.views)];
  });
  const wasm = places.every(({ elements }) => elements === undefined)
    ? context.compilers.wasm.compiled(kernel, operands.map(alongOf), results.map(alongOf))
    : null;
  const run = wasm === null ? inJavaScript(call, operands, results, context) : inWasm(call, places, wasm, context);
  if (starts.length === 0) return run;
  return (row, rows, slot) => {
    for (const start of starts) start(row, rows, slot);
    run(row, rows, slot);
  };
}

/** How many elements a result has for each row, where it has some. */
function perRow({ strides }: Where, inner: readonly number[]): number {
  let size = 1;
  for (const [axis, step] of strides.entries()) if (step !== 0) size *= inner[axis] as number;
  return size;
}

const resultType = ({ kernel }: Call, result: number): DType =>
  (kernel.steps[(kernel.results[result] as { value: number }).value] as { dtype: DType }).dtype;

/** What is known before the first tile. */
const given = (call: Call, { binding }: Context): (number | bigint)[] =>
  call.scalars.map((i) => (i === FIRST_ROW ? 0n : (binding.scalars[i] as number | bigint)));

function inWasm(call: Call, places: readonly Place[], compiled: WasmFunction, context: Context): Ready {
  // As signed numbers of 32 bits, which is how addresses above 2 GiB are given.
  const args: (number | bigint)[] = [0, ...call.inner];
  const at: number[] = [];
  for (const { dtype, strides } of places) {
    at.push(args.push(0) - 1);
    const { bytes } = DTYPES[dtype];
    for (const step of strides) args.push((step * bytes) | 0);
  }
  const first = call.scalars.indexOf(FIRST_ROW);
  const firstAt = first < 0 ? -1 : args.length + first;
  args.push(...given(call, context));
  return (row, rows, slot) => {
    args[0] = rows;
    if (firstAt >= 0) args[firstAt] = BigInt(row);
    for (let i = 0; i < places.length; i++) args[at[i] as number] = (places[i] as Place).at(row, slot) | 0;
    compiled(...args);
  };
}

function inJavaScript(call: Call, operands: readonly Place[], results: readonly Place[], context: Context): Ready {
  const compiled: Compiled = context.compilers.javascript.compiled(
    call.kernel,
    results.map(({ strides }) => strides.at(-1) === 0),
  );
  const scalars = given(call, context);
  const first = call.scalars.indexOf(FIRST_ROW);
  return (row, rows, slot) => {
    if (first >= 0) scalars[first] = BigInt(row);
    const strided = (place: Place): Strided => ({
      elements: place.elements ?? context.views(place.dtype),
      offset: place.elements === undefined ? place.at(row, slot) / DTYPES[place.dtype].bytes : place.at(row, slot),
      strides: place.strides,
    });
    const run: Run = {
      space: [rows, ...call.inner],
      operands: operands.map(strided),
      scalars,
      results: results.map(strided),
    };
    compiled(run);
  };
}

/** Sets rows that are going to be combined into to what nothing at all gives. */
function freshRows(place: Place, row: number, identity: number | bigint, views: Views): Ready {
  const { bytes } = DTYPES[place.dtype];
  return (first, rows, slot) => {
    const all = place.elements ?? views(place.dtype);
    const at = place.at(first, slot) / (place.elements === undefined ? bytes : 1);
    all.fill(identity as never, at, at + rows * row);
  };
}

function startOf({ dtype, length, reducer: name }: Accumulator, place: Place, views: Views): (row: number) => void {
  const fill = freshRows(place, length, reducer(name).identity(dtype), views);
  return (row) => fill(row, 1, 0);
}

/** The units' elements into the array, in the order of rows. */
function combineUnits(accumulator: Accumulator, units: number, context: Context): void {
  const { dtype, length, reducer: name, array, offset } = accumulator;
  const { binding, views, pipeline } = context;
  const { bytes } = DTYPES[dtype];
  const own = binding.arrays[array] as number | Elsewhere;
  const into: Strided =
    typeof own === 'number'
      ? { elements: views(dtype), offset: own / bytes, strides: [0, 1] }
      : { ...own, strides: [0, 1] };
  into.elements.fill(reducer(name).identity(dtype) as never, into.offset, into.offset + length);
  if (pipeline.gathered % bytes !== 0)
    throw new InternalError('the accumulators of units do not lie in whole elements');
  const run: Run = {
    space: [units, length],
    operands: [
      { elements: views(dtype), offset: (binding.gathered + offset) / bytes, strides: [pipeline.gathered / bytes, 1] },
    ],
    scalars: [],
    results: [into],
  };
  const kernel = {
    rank: 2,
    operands: [dtype],
    scalars: [],
    steps: [{ op: 'load', operand: 0, dtype }],
    results: [{ value: 0, reduce: name }],
  } as const;
  if (!context.compilers.wasm.run(kernel, run)) context.compilers.javascript.run(kernel, run);
}

import {
  alongOf,
  type Compiled,
  type GatherFunction,
  gatherFunction,
  JavaScriptKernels,
  type Kernel,
  type ReducerName,
  type Run,
  reducer,
  type Strided,
  type WasmFunction,
  WasmKernels,
} from '../kernels/index.ts';
import { DTYPES, type DType, type Elements, sizeOf } from '../nd/index.ts';
import { type GivenIndices, noSuchIndex } from './missing.rules.ts';
import { type Accumulator, type Call, FIRST_ROW, type Pipeline, unitsOf, type Where } from './pipeline.ts';
import { copy, isDense } from './walk.ts';

/** Compilers for kernels over one memory. */
export interface Compilers {
  readonly memory: WebAssembly.Memory;
  readonly wasm: WasmKernels;
  readonly javascript: JavaScriptKernels;
  /** All of the memory, as elements of a type. */
  views(dtype: DType): Elements;
}

const known = new WeakMap<WebAssembly.Memory, Compilers>();

/** Those of this thread over a memory: nothing is compiled twice. */
export function compilersFor(memory: WebAssembly.Memory): Compilers {
  let compilers = known.get(memory);
  if (compilers === undefined) {
    compilers = newCompilers(memory);
    known.set(memory, compilers);
  }
  return compilers;
}

function newCompilers(memory: WebAssembly.Memory): Compilers {
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

/** Where an operand or a result stands. Bytes in the memory; elements elsewhere. */
class Spot {
  readonly where: Where;
  readonly dtype: DType;
  readonly strides: readonly number[];
  elements: Elements | undefined;
  #base = 0;
  #row = 0;
  readonly #slot: number;
  #unit = 0;
  readonly #pipeline: Pipeline;

  constructor(where: Where, dtype: DType, pipeline: Pipeline) {
    this.where = where;
    this.dtype = dtype;
    this.#pipeline = pipeline;
    this.strides = [where.at === 'accumulator' ? 0 : where.row, ...where.strides];
    this.#slot = where.at === 'scratch' ? pipeline.scratch : 0;
  }

  bind({ arrays, scratch, gathered }: Binding): void {
    const { where } = this;
    if (where.at === 'scratch') this.#base = scratch + where.offset;
    else if (where.at === 'array') this.#bindTo(arrays[where.array] as number | Elsewhere, where.offset, where.row);
    else {
      const { array, offset } = this.#pipeline.accumulators[where.accumulator] as Accumulator;
      // One unit has nothing to be combined with.
      if (unitsOf(this.#pipeline) < 2) this.#bindTo(arrays[array] as number | Elsewhere, 0, 0);
      else {
        this.#base = gathered + offset;
        this.#unit = this.#pipeline.gathered;
      }
    }
  }

  #bindTo(own: number | Elsewhere, offset: number, row: number): void {
    const { bytes } = DTYPES[this.dtype];
    if (typeof own === 'number') {
      this.#base = own + offset * bytes;
      this.#row = row * bytes;
      this.elements = undefined;
    } else {
      this.#base = own.offset + offset;
      this.#row = row;
      this.elements = own.elements;
    }
  }

  at(row: number, unit: number, slot: number): number {
    return this.#base + row * this.#row + unit * this.#unit + slot * this.#slot;
  }

  /** The same in elements of `strided.elements`. */
  strided(row: number, unit: number, slot: number, views: Compilers['views']): Strided {
    const at = this.at(row, unit, slot);
    if (this.elements !== undefined) return { elements: this.elements, offset: at, strides: this.strides };
    return { elements: views(this.dtype), offset: at / DTYPES[this.dtype].bytes, strides: this.strides };
  }

  fill(
    value: number | bigint,
    count: number,
    row: number,
    unit: number,
    slot: number,
    views: Compilers['views'],
  ): void {
    const { elements, offset } = this.strided(row, unit, slot, views);
    elements.fill(value as never, offset, offset + count);
  }
}

/** A result whose rows are combined into, so that they have to hold what nothing at all gives. */
interface Fresh {
  readonly spot: Spot;
  readonly identity: number | bigint;
  /** Elements for each row. */
  readonly count: number;
}

/** A call that is ready to run, on whatever it is bound to. */
class ReadyCall {
  readonly #call: Call;
  readonly #compilers: Compilers;
  readonly #operands: readonly Spot[];
  readonly #results: readonly Spot[];
  readonly #spots: readonly Spot[];
  readonly #fresh: readonly Fresh[];
  readonly #args: (number | bigint)[];
  readonly #at: readonly number[];
  readonly #scalarsAt: number;
  readonly #firstRow: number;
  #wasm: WasmFunction | undefined;
  #javascript: Compiled | undefined;
  #inMemory = true;

  constructor(call: Call, pipeline: Pipeline, compilers: Compilers) {
    const { kernel, operands, results, inner, scalars } = call;
    this.#call = call;
    this.#compilers = compilers;
    this.#operands = operands.map((where, i) => new Spot(where, kernel.operands[i] as DType, pipeline));
    this.#results = results.map((where, i) => new Spot(where, resultType(call, i), pipeline));
    this.#spots = [...this.#operands, ...this.#results];
    this.#fresh = this.#results.flatMap((spot, i) => {
      const reduce = kernel.results[i]?.reduce ?? null;
      if (reduce === null || spot.where.at === 'accumulator') return [];
      return [{ spot, identity: reducer(reduce).identity(spot.dtype), count: perRow(spot.where, inner) }];
    });
    this.#args = [0, ...inner];
    this.#at = this.#spots.map(({ dtype, strides }) => {
      const at = this.#args.push(0) - 1;
      for (const step of strides) this.#args.push((step * DTYPES[dtype].bytes) | 0);
      return at;
    });
    this.#scalarsAt = this.#args.length;
    this.#args.push(...scalars.map(() => 0));
    this.#firstRow = scalars.indexOf(FIRST_ROW);
  }

  bind(binding: Binding): void {
    const { scalars, kernel } = this.#call;
    this.#inMemory = true;
    for (const spot of this.#spots) {
      spot.bind(binding);
      if (spot.elements !== undefined) this.#inMemory = false;
    }
    for (let i = 0; i < scalars.length; i++) {
      const scalar = scalars[i] as number;
      this.#args[this.#scalarsAt + i] = scalar === FIRST_ROW ? 0n : (binding.scalars[scalar] as number | bigint);
    }
    if (this.#inMemory) {
      this.#wasm ??= this.#compilers.wasm.compiled(
        kernel,
        this.#operands.map(alongOf),
        this.#results.map(alongOf),
        this.#call.inner.at(-1),
      );
    } else {
      this.#javascript ??= this.#compilers.javascript.compiled(
        kernel,
        this.#results.map(({ strides }) => strides.at(-1) === 0),
      );
    }
  }

  run(row: number, rows: number, unit: number, slot: number): void {
    for (const { spot, identity, count } of this.#fresh) {
      spot.fill(identity, rows * count, row, unit, slot, this.#compilers.views);
    }
    const args = this.#args;
    if (this.#firstRow >= 0) args[this.#scalarsAt + this.#firstRow] = BigInt(row);
    if (this.#inMemory && this.#wasm !== undefined) {
      args[0] = rows;
      // As signed numbers of 32 bits, which is how addresses above 2 GiB are given.
      for (let i = 0; i < this.#at.length; i++) {
        args[this.#at[i] as number] = (this.#spots[i] as Spot).at(row, unit, slot) | 0;
      }
      this.#wasm(...args);
      return;
    }
    const { views } = this.#compilers;
    (this.#javascript as Compiled)({
      space: [rows, ...this.#call.inner],
      operands: this.#operands.map((spot) => spot.strided(row, unit, slot, views)),
      scalars: args.slice(this.#scalarsAt),
      results: this.#results.map((spot) => spot.strided(row, unit, slot, views)),
    });
  }
}

/** A gather that is ready to run. */
class ReadyGather {
  readonly #compilers: Compilers;
  readonly #indices: Spot;
  readonly #from: Spot;
  readonly #into: Spot;
  readonly #length: number;
  readonly #of: GivenIndices | undefined;
  readonly #inner: readonly number[];
  /** Elements of a row, if they lie without gaps on both sides. */
  readonly #together: number | undefined;
  #run: GatherFunction | undefined;

  constructor({ kernel, operands, results, inner, gather }: Call, pipeline: Pipeline, compilers: Compilers) {
    const [indices, from] = operands as [Where, Where];
    const dtype = kernel.operands[1] as DType;
    this.#compilers = compilers;
    this.#indices = new Spot(indices, 'i64', pipeline);
    this.#from = new Spot(from, dtype, pipeline);
    this.#into = new Spot(results[0] as Where, dtype, pipeline);
    this.#length = gather?.length ?? 0;
    this.#of = gather?.of;
    this.#inner = inner;
    const dense = [this.#from, this.#into].every(({ strides }) => isDense(inner, strides.slice(1)));
    this.#together = dense ? sizeOf(inner) : undefined;
  }

  bind(binding: Binding): void {
    const spots = [this.#indices, this.#from, this.#into];
    for (const spot of spots) spot.bind(binding);
    this.#run = undefined;
    if (this.#together === undefined || spots.some(({ elements }) => elements !== undefined)) return;
    this.#run = gatherFunction(this.#compilers.memory, DTYPES[this.#from.dtype].bytes, this.#together);
  }

  run(row: number, rows: number, unit: number, slot: number): void {
    const [indices, from, into] = [this.#indices, this.#from, this.#into];
    if (this.#run === undefined) {
      this.#slowly(row, rows, unit, slot);
      return;
    }
    const bytes = DTYPES[from.dtype].bytes;
    const at = indices.at(row, unit, slot);
    const step = (indices.strides[0] as number) * 8;
    const copied = this.#run(
      at | 0,
      step | 0,
      from.at(0, unit, slot) | 0,
      ((from.strides[0] as number) * bytes) | 0,
      into.at(row, unit, slot) | 0,
      ((into.strides[0] as number) * bytes) | 0,
      rows,
      BigInt(this.#length),
    );
    if (copied >= rows) return;
    const { elements, offset, strides } = indices.strided(row, unit, slot, this.#compilers.views);
    throw noSuchIndex(elements[offset + copied * (strides[0] as number)] as bigint, this.#length, this.#of);
  }

  #slowly(row: number, rows: number, unit: number, slot: number): void {
    const { views } = this.#compilers;
    const indices = this.#indices.strided(row, unit, slot, views);
    const from = this.#from.strided(0, unit, slot, views);
    const into = this.#into.strided(row, unit, slot, views);
    const [step, fromStep, intoStep] = [indices, from, into].map(({ strides }) => strides[0] as number) as [
      number,
      number,
      number,
    ];
    const inner = this.#inner;
    const isOne = sizeOf(inner) === 1;
    const [read, write] = [from, into].map(({ strides }) => strides.slice(1)) as [number[], number[]];
    for (let i = 0; i < rows; i++) {
      const place = Number(indices.elements[indices.offset + i * step]);
      if (!(place >= 0 && place < this.#length)) {
        throw noSuchIndex(indices.elements[indices.offset + i * step] as bigint, this.#length, this.#of);
      }
      const [at, to] = [from.offset + place * fromStep, into.offset + i * intoStep];
      if (isOne) into.elements[to] = from.elements[at] as never;
      else
        copy(inner, from.elements, { offset: at, strides: read }, into.elements, {
          offset: to,
          strides: write,
        });
    }
  }
}

const resultType = ({ kernel }: Call, result: number): DType =>
  (kernel.steps[(kernel.results[result] as { value: number }).value] as { dtype: DType }).dtype;

/** How many elements a result has for each row, where it has some. */
function perRow({ strides }: Where, inner: readonly number[]): number {
  let size = 1;
  for (let axis = 0; axis < strides.length; axis++) if (strides[axis] !== 0) size *= inner[axis] as number;
  return size;
}

/**
 * Runs tiles of one pipeline, on what it is bound to. It writes nothing but what the pipeline says, so that several, each bound to the same
 * with another slot, may run tiles of it at the same time.
 */
export class TileRunner {
  readonly #pipeline: Pipeline;
  readonly #compilers: Compilers;
  readonly #calls: readonly (ReadyCall | ReadyGather)[];
  readonly #starts: readonly Fresh[];
  #binding: Binding | undefined;

  constructor(pipeline: Pipeline, compilers: Compilers) {
    this.#pipeline = pipeline;
    this.#compilers = compilers;
    this.#calls = pipeline.calls.map((call) =>
      call.gather === undefined ? new ReadyCall(call, pipeline, compilers) : new ReadyGather(call, pipeline, compilers),
    );
    this.#starts = pipeline.accumulators.map(({ dtype, length, reducer: name }, accumulator) => ({
      spot: new Spot({ at: 'accumulator', accumulator, strides: [] }, dtype, pipeline),
      identity: reducer(name).identity(dtype),
      count: length,
    }));
  }

  get memory(): WebAssembly.Memory {
    return this.#compilers.memory;
  }

  bind(binding: Binding): this {
    this.#binding = binding;
    for (const call of this.#calls) call.bind(binding);
    for (const { spot } of this.#starts) spot.bind(binding);
    return this;
  }

  /** Rows from `first`, which is the first of a unit, up to `last`. Whoever runs tiles at the same time has another slot. */
  run(first: number, last: number, slot: number): void {
    const { tile, unit } = this.#pipeline;
    for (let row = first; row < last; row += tile) {
      const number = Math.floor(row / unit);
      if (row % unit === 0) this.#start(row, number, slot);
      const rows = Math.min(tile, last - row);
      for (let i = 0; i < this.#calls.length; i++) this.#calls[i]?.run(row, rows, number, slot);
    }
  }

  #start(row: number, unit: number, slot: number): void {
    for (const { spot, identity, count } of this.#starts) {
      spot.fill(identity, count, row, unit, slot, this.#compilers.views);
    }
  }

  /** Combines what the units have gathered, when all are done. */
  combine(): void {
    if (this.#pipeline.rows === 0) this.#start(0, 0, 0);
    if (unitsOf(this.#pipeline) < 2) return;
    for (const accumulator of this.#pipeline.accumulators) this.#combine(accumulator);
  }

  /** The units' elements into the array, in the order of rows. */
  #combine({ dtype, length, reducer: name, array, offset }: Accumulator): void {
    const { views, wasm, javascript } = this.#compilers;
    const { gathered } = this.#pipeline;
    const { arrays, gathered: start } = this.#binding as Binding;
    const { bytes } = DTYPES[dtype];
    const own = arrays[array] as number | Elsewhere;
    const into: Strided =
      typeof own === 'number'
        ? { elements: views(dtype), offset: own / bytes, strides: [0, 1] }
        : { ...own, strides: [0, 1] };
    into.elements.fill(reducer(name).identity(dtype) as never, into.offset, into.offset + length);
    const run: Run = {
      space: [unitsOf(this.#pipeline), length],
      operands: [{ elements: views(dtype), offset: (start + offset) / bytes, strides: [gathered / bytes, 1] }],
      scalars: [],
      results: [into],
    };
    const kernel = combining(name, dtype);
    if (!wasm.run(kernel, run)) javascript.run(kernel, run);
  }
}

/** Rows of elements become one. */
const combining = (reduce: ReducerName, dtype: DType): Kernel => ({
  rank: 2,
  operands: [dtype],
  scalars: [],
  steps: [{ op: 'load', operand: 0, dtype }],
  results: [{ value: 0, reduce }],
});

/** Runs tiles of a pipeline on what is told. */
export const tileRunner = (pipeline: Pipeline, binding: Binding, compilers: Compilers): TileRunner =>
  new TileRunner(pipeline, compilers).bind(binding);

import { pathToFileURL } from 'node:url';
import { cutRows, scratchBytes } from '../../kernels/index.ts';
import { DTYPES, sizeOf } from '../../nd/index.ts';
import { packageEntry } from '../../runtime/index.ts';
import type { Buffer, Place } from '../buffers.ts';
import { boundTo, type PipelineJob, roomIn, type WholeJob } from '../execution.ts';
import { type Pipeline, unitsOf } from '../pipeline.ts';
import type { ArrayView, Whole } from '../plan.ts';
import type { SessionBuffers } from '../session-buffers.ts';
import { type Binding, compilersFor, TileRunner } from '../tile-runner.ts';
import { isDense } from '../walk.ts';
import { addSums } from '../wholes.ts';
import type { Gang } from './gang.ts';
import { bytesPerRow } from './moved.rules.ts';
import type { PipelinePlan } from './pipeline-tiles.ts';
import { cutOfProduct } from './product.rules.ts';
import {
  type InnerPlan,
  innerTiles,
  type PlacedMatrix,
  type ProductPlan,
  productTiles,
  turned,
} from './product-tiles.ts';
import { PARTS_OF_SORT, type SortPlan, sortInSteps, sortTiles } from './sort-tiles.ts';
import { csrOf, type PlacedLine, type SparsePlan, sparseTiles } from './sparse-tiles.ts';
import type { Estimate, Placed, RunnerModule, TileWork } from './work.ts';

/** Tiles that are worth the taking of a chunk. */
const GRAIN = 2;

/** Products with sparse matrices of fewer elements are done before anybody else would have begun. */
const FEW_ELEMENTS = 2e5;
/** The rows of a sparse matrix are cut into so many chunks for each participant, with about as many elements each. */
const PARTS_OF_SPARSE = 8;
/** Rows of a sparse matrix that are computed in one go, at least. */
const SPARSE_ROWS = 1024;

/** So many doubles are sorted as soon by one thread. */
const MANY_DOUBLES = 2e5;
const DONE = Promise.resolve();

const modules = new Map<string, RunnerModule>();

/** Where workers find what runs tiles. */
function moduleOf(name: string): RunnerModule {
  let module = modules.get(name);
  if (module === undefined) {
    module = { url: pathToFileURL(packageEntry('gang')).href, name };
    modules.set(name, module);
  }
  return module;
}

/** This thread and the workers of its session, as a crew that runs pipelines. */
export class SessionCrew {
  readonly #gang: Gang;
  readonly #buffers: SessionBuffers;
  readonly #runners = new WeakMap<Pipeline, TileRunner>();
  /** Of pipelines, and of what is computed whole: the plan has the same ones in its next run. */
  readonly #estimates = new WeakMap<object, Estimate>();

  constructor(gang: Gang, buffers: SessionBuffers) {
    this.#gang = gang;
    this.#buffers = buffers;
  }

  /** Undefined for what is small, or does not lie in one memory: that is for one thread. */
  run(job: PipelineJob): Promise<void> | undefined {
    const { rows, tile, unit, accumulators } = job.pipeline;
    // What is gathered belongs to whole units.
    const piece = accumulators.length === 0 ? tile : unit;
    return rows <= piece || this.#gang.size === 1 ? undefined : this.#together(job, piece);
  }

  /** Something that is computed by itself. Undefined for what is for one thread. */
  whole(job: WholeJob): Promise<void> | undefined {
    if (this.#gang.size === 1) return undefined;
    const { op } = job.whole;
    if (op.kind === 'matmul') return this.#product(job);
    if (op.kind !== 'call') return undefined;
    if (op.routine === 'sort') return this.#sort(job, op.params.descending === true);
    return op.routine === 'spmv' || op.routine === 'spmm' ? this.#sparse(job) : undefined;
  }

  #estimate(of: object, bytes: () => number): Estimate {
    let estimate = this.#estimates.get(of);
    if (estimate === undefined) {
      estimate = { bytes: bytes() };
      this.#estimates.set(of, estimate);
    }
    return estimate;
  }

  /** The product of two matrices. Undefined for what is small, is no such product, or does not lie in one memory: that is for one thread. */
  #product({ whole, arrays, offsets }: WholeJob): Promise<void> | undefined {
    const { args, results } = whole;
    const [a, b] = args as [ArrayView, ArrayView];
    const result = results[0];
    if (result === undefined || result.shape.length !== 2) return undefined;
    const [m, n] = result.shape as [number, number];
    const k = a.shape.at(-1) as number;
    const symmetric =
      m === n &&
      a.array === b.array &&
      a.offset === b.offset &&
      a.strides[0] === b.strides[1] &&
      a.strides[1] === b.strides[0];
    const cut = cutOfProduct({ m, k, n, dtype: result.dtype, symmetric, workers: this.#gang.size });
    if (cut === undefined) return undefined;
    const own = { array: result.array, offset: 0, strides: [n, 1] };
    const views = [a, b, own];
    const used = views.map(({ array }) => arrays[array] as Buffer);
    const placed = this.#placed(used);
    if (placed === undefined) return undefined;
    const { memory, places } = placed;
    const { bytes } = DTYPES[result.dtype];
    const [left, right, into] = views.map(({ array, offset, strides }, i): PlacedMatrix => {
      const first = (places[i] as Place).offset / bytes + (offsets[array] as number) + offset;
      return { offset: first, strides: strides as unknown as readonly [number, number] };
    }) as [PlacedMatrix, PlacedMatrix, PlacedMatrix];
    const upright: ProductPlan = { dtype: result.dtype, left, right, into, k, n, symmetric };
    // Blocks of its arguments are looked at again and again, in caches.
    const estimate = this.#estimate(whole, () => 0);
    estimate.perRow ??= cut.expected / (cut.bounds.at(-1) as number);
    const work = {
      region: this.#buffers.placed(used[0] as Buffer)?.region ?? 0,
      chunks: cut.bounds,
      estimate,
      tile: 1,
      expected: cut.expected,
    };
    if (cut.along === 'inner') return this.#inner({ ...upright, m }, used, memory, work);
    const plan = cut.along === 'columns' ? turned(upright, m) : upright;
    const going = this.#gang.run({
      ...work,
      module: moduleOf('productTiles'),
      runner: productTiles(plan, memory, 0, undefined),
      plan,
      objects: () => this.#objects(used),
    });
    return going ?? DONE;
  }

  /** A product as the sums of its parts. */
  #inner(
    upright: InnerPlan,
    arrays: readonly Buffer[],
    memory: WebAssembly.Memory,
    work: Pick<TileWork, 'region' | 'chunks' | 'estimate' | 'tile' | 'expected'>,
  ): Promise<void> | undefined {
    const { dtype, into, m, n } = upright;
    const buffers = this.#buffers;
    const parts = work.chunks.length - 1;
    const sums = buffers.allocate(dtype, parts * m * n);
    const { offset, memory: theirs } = buffers.place(sums) as Place;
    if (theirs !== memory) {
      buffers.release(sums);
      return undefined;
    }
    const plan: InnerPlan = { ...upright, into: { offset: offset / DTYPES[dtype].bytes, strides: [n, 1] } };
    const used = [...arrays, sums];
    const add = (): void => {
      const { Elements } = DTYPES[dtype];
      const all = new Elements(memory.buffer);
      const from = plan.into.offset;
      const result = all.subarray(into.offset, into.offset + m * n);
      result.set(all.subarray(from, from + m * n) as never);
      for (let part = 1; part < parts; part++)
        addSums(result, all.subarray(from + part * m * n, from + (part + 1) * m * n));
    };
    const going = this.#gang.run({
      ...work,
      module: moduleOf('innerTiles'),
      runner: innerTiles(plan, memory, 0, undefined),
      plan,
      objects: () => this.#objects(used),
    });
    if (going !== undefined) return going.then(add).finally(() => buffers.release(sums));
    add();
    buffers.release(sums);
    return DONE;
  }

  /** Where buffers lie, if it is in one memory. */
  #placed(buffers: readonly Buffer[]): { memory: WebAssembly.Memory; places: readonly Place[] } | undefined {
    const places = buffers.map((buffer) => this.#buffers.place(buffer));
    const memory = places[0]?.memory;
    if (memory === undefined || places.some((place) => place?.memory !== memory)) return undefined;
    return { memory, places: places as Place[] };
  }

  /** The product of a sparse matrix with a vector, or a matrix. Undefined where it is small, or does not lie as it has to. */
  #sparse({ whole, arrays, offsets }: WholeJob): Promise<void> | undefined {
    const [indptr, indices, values, right] = whole.args as [ArrayView, ArrayView, ArrayView, ArrayView];
    const result = whole.results[0] as Whole['results'][number];
    const width = result.shape[1];
    const count = (values.shape[0] as number) * (width ?? 1);
    const rows = result.shape[0] as number;
    if (count < FEW_ELEMENTS || rows <= SPARSE_ROWS) return undefined;
    // Others are copied first.
    if (whole.args.some(({ shape, strides }) => !isDense(shape, strides))) return undefined;
    const used = [...whole.args, result].map(({ array }) => arrays[array] as Buffer);
    const placed = this.#placed(used);
    if (placed === undefined) return undefined;
    const { memory, places } = placed;
    const firstOf = (i: number, offset: number): number => {
      const { dtype } = used[i] as Buffer;
      const { array } = whole.args[i] ?? result;
      return (places[i] as Place).offset / DTYPES[dtype].bytes + (offsets[array] as number) + offset;
    };
    const line = (i: number): PlacedLine => {
      const { offset, shape } = whole.args[i] as ArrayView;
      return { offset: firstOf(i, offset), length: shape[0] as number };
    };
    const strides = (width === undefined ? [1, 0] : [width, 1]) as readonly [number, number];
    const plan: SparsePlan = {
      dtype: result.dtype,
      index: indptr.dtype as SparsePlan['index'],
      indptr: line(0),
      indices: line(1),
      values: line(2),
      columns: right.shape[0] as number,
      right: { offset: firstOf(3, right.offset), strides },
      into: { offset: firstOf(4, 0), strides },
      width,
    };
    const bytes = (): number => {
      const element = DTYPES[result.dtype].bytes;
      const stored = (values.shape[0] as number) * (element + DTYPES[indices.dtype].bytes);
      return stored / rows + element * (2 * (width ?? 1)) + DTYPES[indptr.dtype].bytes;
    };
    const going = this.#gang.run({
      module: moduleOf('sparseTiles'),
      runner: sparseTiles(plan, memory, 0, undefined),
      plan,
      region: this.#buffers.placed(used[0] as Buffer)?.region ?? 0,
      objects: () => this.#objects(used),
      chunks: [0, ...cutRows(csrOf(plan, memory), PARTS_OF_SPARSE * this.#gang.size).map(({ to }) => to)],
      estimate: this.#estimate(whole, bytes),
      tile: SPARSE_ROWS,
    });
    return going ?? DONE;
  }

  /** Sorts many doubles. Undefined for what is small, or are several lines, or does not lie in one memory: that is for one thread. */
  #sort({ whole, arrays, offsets }: WholeJob, descending: boolean): Promise<void> | undefined {
    const [x, result] = [whole.args[0] as ArrayView, whole.results[0] as Whole['results'][number]];
    const count = sizeOf(x.shape);
    if (result.dtype !== 'f64' || x.shape.length !== 1 || count < MANY_DOUBLES || !isDense(x.shape, x.strides))
      return undefined;
    const used = [x, result].map(({ array }) => arrays[array] as Buffer);
    const placed = this.#placed(used);
    if (placed === undefined) return undefined;
    const { memory, places } = placed;
    const threads = this.#gang.size;
    const sizes = { count, parts: PARTS_OF_SORT * threads, threads };
    const room = roomIn(memory, scratchBytes(sizes), this.#buffers);
    if (room === undefined) return undefined;
    const [from, into] = places as [Place, Place];
    const first = from.offset + 8 * ((offsets[x.array] as number) + x.offset);
    const plan = { ...sizes, from: first, into: into.offset, descending, scratch: room.offset };
    const region = this.#buffers.placed(used[0] as Buffer)?.region ?? 0;
    used.push(room.buffer);
    const run = (of: SortPlan, chunks: readonly number[], expected: number): Promise<void> => {
      const estimate = { bytes: 0, perRow: expected / (chunks.at(-1) as number) };
      const going = this.#gang.run({
        module: moduleOf('sortTiles'),
        runner: sortTiles(of, memory, 0, undefined),
        plan: of,
        region,
        objects: () => this.#objects(used),
        chunks,
        estimate,
        tile: 1,
        expected,
      });
      return going ?? DONE;
    };
    return sortInSteps(plan, memory, run).finally(() => this.#buffers.release(room.buffer));
  }

  #together(job: PipelineJob, piece: number): Promise<void> | undefined {
    const { pipeline } = job;
    const buffers = this.#buffers;
    const units = unitsOf(pipeline);
    const scratch = buffers.allocate('u8', Math.max(1, this.#gang.size * pipeline.scratch));
    const gathered = units < 2 ? undefined : buffers.allocate('u8', units * pipeline.gathered);
    const release = (): void => {
      buffers.release(scratch);
      if (gathered !== undefined) buffers.release(gathered);
    };
    let going: Promise<void> | undefined | false;
    try {
      going = this.#run(job, piece, scratch, gathered);
    } catch (error) {
      release();
      throw error;
    }
    if (going instanceof Promise) return going.finally(release);
    release();
    return going === false ? undefined : DONE;
  }

  /** False: that can't be. Undefined: it is done. */
  #run(
    job: PipelineJob,
    piece: number,
    scratch: Buffer,
    gathered: Buffer | undefined,
  ): Promise<void> | undefined | false {
    const { pipeline, scalars } = job;
    const buffers = this.#buffers;
    const { memory, offset } = buffers.place(scratch) as Place;
    const room = gathered === undefined ? undefined : (buffers.place(gathered) as Place);
    let elsewhere = room !== undefined && room.memory !== memory;
    const used = [scratch, ...(gathered === undefined ? [] : [gathered])];
    const arrays = boundTo(
      job,
      memory,
      (array) => {
        elsewhere = true;
        return buffers.view(job.arrays[array] as Buffer, 'read');
      },
      buffers,
    );
    if (elsewhere) return false;
    arrays.forEach((_, array) => {
      used.push(job.arrays[array] as Buffer);
    });
    const binding: Binding = { arrays, scalars, scratch: offset, gathered: room?.offset ?? 0 };
    // One at a time: a pipeline may be run again before all have come to the end of this run.
    const known = this.#runners.get(pipeline);
    this.#runners.delete(pipeline);
    const runner = known?.memory === memory ? known : new TileRunner(pipeline, compilersFor(memory));
    runner.bind(binding);
    const plan: PipelinePlan = { binding };
    const going = this.#gang.run({
      module: moduleOf('pipelineTiles'),
      runner: (_chunk, from, to) => runner.run(from, to, 0),
      plan,
      common: pipeline,
      region: buffers.placed(scratch)?.region ?? 0,
      objects: () => this.#objects(used),
      chunks: this.#gang.cut(pipeline.rows, piece, GRAIN * pipeline.tile),
      estimate: this.#estimate(pipeline, () => bytesPerRow(pipeline)),
      tile: piece,
    });
    const end = (): void => {
      runner.combine();
      this.#runners.set(pipeline, runner);
    };
    if (going !== undefined) return going.then(end);
    end();
    return undefined;
  }

  /** Each object once. */
  #objects(buffers: readonly Buffer[]): readonly Placed[] {
    const objects = new Map<number, Placed>();
    for (const buffer of buffers) {
      const placed = this.#buffers.placed(buffer)?.placed;
      if (placed !== undefined) objects.set(placed.slot.index, placed);
    }
    return [...objects.values()];
  }
}

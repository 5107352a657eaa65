import { InternalError, OutOfMemoryError } from '../base/index.ts';
import { applied, cast, elementOp, type Matmul } from '../kernels/index.ts';
import { DTYPES, type Elements } from '../nd/index.ts';
import type { Buffer, Buffers, Place } from './buffers.ts';
import { type Pipeline, unitsOf } from './pipeline.ts';
import type { ArrayView, MadeScalar, Plan, Whole } from './plan.ts';
import type { Routines } from './routines.ts';
import type { SourceArray } from './survey.rules.ts';
import { type Compilers, type Elsewhere, TileRunner } from './tile-runner.ts';
import { runWhole } from './wholes.ts';

/** What a plan is run with. */
export interface Given {
  readonly sources: readonly SourceArray[];
  readonly scalars: readonly (number | bigint)[];
}

/** Room beside arrays, kept from run to run. */
export class Room {
  readonly #buffers: Buffers;
  #buffer: Buffer | undefined;

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
  }

  /** A place for so many bytes, which are nobody else's until it is asked again. */
  take(bytes: number): Place {
    if (this.#buffer === undefined || this.#buffer.length < bytes) {
      if (this.#buffer !== undefined) this.#buffers.release(this.#buffer);
      this.#buffer = this.#buffers.allocate('u8', Math.max(bytes, LEAST_ROOM));
    }
    const place = this.#buffers.place(this.#buffer);
    if (place !== undefined) return place;
    // Elsewhere it is of no use; the next time there may be room.
    this.release();
    throw new OutOfMemoryError(
      'the memory that arrays of this thread share is full, and a computation has no room beside what it reads; let go of arrays that nobody needs ' +
        '(release), or open a session (connect), which computes part by part',
    );
  }

  /** Gives it back. */
  release(): void {
    if (this.#buffer !== undefined) this.#buffers.release(this.#buffer);
    this.#buffer = undefined;
  }
}

const LEAST_ROOM = 4096;

/** A pipeline with the arrays of its plan, all of which are in use. */
export interface PipelineJob {
  readonly pipeline: Pipeline;
  /** By the numbers of the plan; those that the pipeline uses are there. */
  readonly arrays: readonly Buffer[];
  /** The elements of each array begin there. */
  readonly offsets: readonly number[];
  readonly scalars: readonly (number | bigint)[];
}

/**
 * Others who run pipelines. Undefined: the pipeline is run in this thread, at once. What is computed at the same time by this thread meanwhile is
 * something else.
 */
export type Crew = (job: PipelineJob) => Promise<void> | undefined;

/** Something that is computed by itself, with the arrays of its plan, all of which are in use. */
export interface WholeJob {
  readonly whole: Whole;
  readonly arrays: readonly Buffer[];
  readonly offsets: readonly number[];
}

/** Others who compute it together with this thread. Undefined: this thread does, alone. */
export type WholeCrew = (job: WholeJob) => Promise<void> | undefined;

/** Where plans are run. */
export interface Machine {
  readonly buffers: Buffers;
  compilers(memory: WebAssembly.Memory): Compilers;
  /** Of pipelines that were run before. */
  readonly runners: WeakMap<Pipeline, TileRunner>;
  readonly routines: Routines;
  /** Made when it is first needed: it looks for a library on this machine. */
  matmul(): Matmul;
  readonly scratch: Room;
  readonly gathered: Room;
  readonly crew: Crew | undefined;
  readonly wholeCrew: WholeCrew | undefined;
}

/** Runs a plan in this thread, and nothing else meanwhile. Gives the buffers of its arrays, of which those of roots are there. */
export function execute(plan: Plan, given: Given, machine: Machine): readonly Buffer[] {
  const { value, done } = steps(plan, given, machine, undefined).next();
  if (done !== true) throw new InternalError('a plan that is run at once has waited');
  return value;
}

/** Runs a plan in this thread and others. */
export async function executeTogether(plan: Plan, given: Given, machine: Machine): Promise<readonly Buffer[]> {
  const run = steps(plan, given, machine, machine.crew);
  let next = run.next();
  while (next.done !== true) {
    try {
      await next.value;
    } catch (error) {
      next = run.throw(error);
      continue;
    }
    next = run.next();
  }
  return next.value;
}

function* steps(
  plan: Plan,
  given: Given,
  machine: Machine,
  crew: Crew | undefined,
): Generator<Promise<void>, readonly Buffer[], void> {
  const { buffers } = machine;
  const arrays: Buffer[] = given.sources.map(({ buffer }) => buffers.here(buffer));
  const offsets: number[] = given.sources.map(({ offset }) => offset);
  const scalars = plan.scalars.length === 0 ? given.scalars : withMade(given.scalars, plan.scalars);
  const make = (array: number): void => {
    const { dtype, length } = plan.arrays[array - plan.sources] as Plan['arrays'][number];
    arrays[array] = buffers.allocate(dtype, length);
    offsets[array] = 0;
  };
  let used = 0;
  try {
    for (; used < plan.sources; used++) buffers.use(arrays[used] as Buffer);
    for (const step of plan.steps) {
      for (const array of step.makes) make(array);
      if (step.kind === 'whole') {
        const others = crew && machine.wholeCrew?.({ whole: step.whole, arrays, offsets });
        if (others === undefined) runAlone(step.whole, arrays, offsets, machine);
        else yield others;
      } else {
        const job = { pipeline: step.pipeline, arrays, offsets, scalars };
        const others = crew?.(job);
        if (others === undefined) runPipeline(job, plan.sources, machine);
        else yield others;
      }
      for (const array of step.drops) buffers.release(arrays[array] as Buffer);
    }
    // What has no elements at all is made by nobody.
    for (const { array } of plan.roots) if (arrays[array] === undefined) make(array);
    for (const array of new Set(plan.roots.map((root) => root.array))) {
      if (array >= plan.sources) buffers.unuse(arrays[array] as Buffer);
    }
  } catch (error) {
    for (const buffer of arrays.slice(plan.sources)) if (buffer !== undefined) buffers.release(buffer);
    throw error;
  } finally {
    while (used > 0) buffers.unuse(arrays[--used] as Buffer);
  }
  return arrays;
}

function runAlone(whole: Whole, arrays: readonly Buffer[], offsets: readonly number[], machine: Machine): void {
  const { buffers } = machine;
  const args = whole.args.map((view) => ({
    ...view,
    offset: view.offset + (offsets[view.array] as number),
    elements: buffers.view(arrays[view.array] as Buffer, 'read'),
  }));
  const results = whole.results.map(({ array, shape, dtype }) => ({
    shape,
    dtype,
    elements: buffers.view(arrays[array] as Buffer, 'write'),
  }));
  const places = [...whole.args, ...whole.results].map(({ array }) => buffers.place(arrays[array] as Buffer)?.memory);
  const memory = places.every((each) => each === places[0]) ? places[0] : undefined;
  const scratch = memory && scratchOf(whole, memory, machine);
  try {
    runWhole(whole, args, results, machine.routines, machine.matmul(), memory, scratch?.offset);
  } finally {
    if (scratch !== undefined) buffers.release(scratch.buffer);
  }
}

/** Room in this memory that a routine is faster with, if there is any. */
function scratchOf(
  { op, args }: Whole,
  memory: WebAssembly.Memory,
  { buffers, routines }: Machine,
): { readonly buffer: Buffer; readonly offset: number } | undefined {
  const bytes = op.kind === 'call' ? (routines(op.routine).scratch?.(args, op.params) ?? 0) : 0;
  return bytes === 0 ? undefined : roomIn(memory, bytes, buffers);
}

/** A buffer in a memory, to be released. Undefined where it is full. */
export function roomIn(
  memory: WebAssembly.Memory,
  bytes: number,
  buffers: Buffers,
): { readonly buffer: Buffer; readonly offset: number } | undefined {
  let buffer: Buffer;
  try {
    buffer = buffers.allocate('u8', bytes);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined;
    throw error;
  }
  const place = buffers.place(buffer);
  if (place?.memory === memory) return { buffer, offset: place.offset };
  buffers.release(buffer);
  return undefined;
}

/** What operations on scalars alone give is computed here: it is the same at all points. */
function withMade(given: readonly (number | bigint)[], made: readonly MadeScalar[]): (number | bigint)[] {
  const all = [...given];
  for (const scalar of made) {
    if (scalar.kind === 'whole') all.push(BigInt(scalar.value));
    else {
      const args = scalar.args.map((arg) => all[arg] as number | bigint);
      if (scalar.kind === 'element') all.push(applied(elementOp(scalar.op), scalar.of, args));
      else all.push(cast(args[0] as number | bigint, scalar.of, scalar.to));
    }
  }
  return all;
}

function runPipeline(job: PipelineJob, sources: number, machine: Machine): void {
  const { pipeline, scalars } = job;
  const { buffers, runners } = machine;
  const units = unitsOf(pipeline);
  const scratch = machine.scratch.take(pipeline.scratch);
  const gathered = units < 2 ? undefined : machine.gathered.take(units * pipeline.gathered);
  const { memory } = scratch;
  if (gathered !== undefined && gathered.memory !== memory)
    throw new InternalError('the scratch of a pipeline does not lie in one memory');
  const compilers = machine.compilers(memory);
  let runner = runners.get(pipeline);
  if (runner === undefined || runner.memory !== memory) {
    runner = new TileRunner(pipeline, compilers);
    runners.set(pipeline, runner);
  }
  runner.bind({
    arrays: boundTo(
      job,
      memory,
      (array) => buffers.view(job.arrays[array] as Buffer, array < sources ? 'read' : 'write'),
      buffers,
    ),
    scalars,
    scratch: scratch.offset,
    gathered: gathered?.offset ?? 0,
  });
  runner.run(0, pipeline.rows, 0);
  runner.combine();
}

/** The arrays of a pipeline as its runner finds them: in the memory, or elsewhere as `view` gives them. */
export function boundTo(
  { pipeline, arrays, offsets }: PipelineJob,
  memory: WebAssembly.Memory,
  view: (array: number) => Elements,
  buffers: Buffers,
): (number | Elsewhere)[] {
  const bound: (number | Elsewhere)[] = [];
  const bind = (array: number): void => {
    if (bound[array] !== undefined) return;
    const buffer = arrays[array] as Buffer;
    const offset = offsets[array] as number;
    const place = buffers.place(buffer);
    if (place?.memory === memory) bound[array] = place.offset + offset * bytesOf(buffer);
    else bound[array] = { elements: view(array), offset };
  };
  for (const { operands, results } of pipeline.calls) {
    for (const where of operands) if (where.at === 'array') bind(where.array);
    for (const where of results) if (where.at === 'array') bind(where.array);
  }
  for (const { array } of pipeline.accumulators) bind(array);
  return bound;
}

const bytesOf = ({ dtype }: Buffer): number => DTYPES[dtype].bytes;

/** What a view of a plan's array is as the operation of a node. */
export function sourceOfView(
  { array, offset, strides }: ArrayView,
  arrays: readonly Buffer[],
  given: Given,
): { kind: 'source'; buffer: Buffer; offset: number; strides: readonly number[] } {
  const first = given.sources[array]?.offset ?? 0;
  return { kind: 'source', buffer: arrays[array] as Buffer, offset: first + offset, strides };
}

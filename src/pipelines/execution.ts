import { InternalError } from '../base/index.ts';
import { applied, cast, elementOp } from '../kernels/index.ts';
import { DTYPES } from '../nd/index.ts';
import type { Buffer, Buffers } from './buffers.ts';
import { type Pipeline, unitsOf } from './pipeline.ts';
import type { ArrayView, MadeScalar, Plan } from './plan.ts';
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

  /** The address of so many bytes, which are nobody else's until it is asked again. */
  address(bytes: number): number {
    if (bytes === 0) return 0;
    if (this.#buffer === undefined || this.#buffer.length < bytes) {
      if (this.#buffer !== undefined) this.#buffers.release(this.#buffer);
      this.#buffer = this.#buffers.allocate('u8', bytes);
    }
    const place = this.#buffers.place(this.#buffer);
    if (place === undefined) throw new InternalError('there is no room for the scratch of a pipeline');
    return place.offset;
  }
}

/** Where plans are run. */
export interface Machine {
  readonly buffers: Buffers;
  readonly compilers: Compilers;
  /** Of pipelines that were run before. */
  readonly runners: WeakMap<Pipeline, TileRunner>;
  readonly routines: Routines;
  readonly scratch: Room;
  readonly gathered: Room;
}

/** Runs a plan in this thread. Gives the buffers of its arrays, of which those of roots are there. */
export function execute(plan: Plan, given: Given, machine: Machine): readonly Buffer[] {
  const { buffers } = machine;
  const arrays: Buffer[] = given.sources.map(({ buffer }) => buffer);
  const offsets: number[] = given.sources.map(({ offset }) => offset);
  const scalars = plan.scalars.length === 0 ? given.scalars : withMade(given.scalars, plan.scalars);
  const make = (array: number): void => {
    const { dtype, length } = plan.arrays[array - plan.sources] as Plan['arrays'][number];
    arrays[array] = buffers.allocate(dtype, length);
    offsets[array] = 0;
  };
  try {
    for (const step of plan.steps) {
      for (const array of step.makes) make(array);
      if (step.kind === 'pipeline') {
        runPipeline(step.pipeline, arrays, offsets, scalars, machine);
      } else {
        const args = step.whole.args.map((view) => ({
          ...view,
          offset: view.offset + (offsets[view.array] as number),
          elements: buffers.view(arrays[view.array] as Buffer, 'read'),
        }));
        const results = step.whole.results.map(({ array, shape, dtype }) => ({
          shape,
          dtype,
          elements: buffers.view(arrays[array] as Buffer, 'write'),
        }));
        runWhole(step.whole, args, results, machine.routines, machine.compilers);
      }
      for (const array of step.drops) buffers.release(arrays[array] as Buffer);
    }
    // What has no elements at all is made by nobody.
    for (const { array } of plan.roots) if (arrays[array] === undefined) make(array);
  } catch (error) {
    for (const buffer of arrays.slice(plan.sources)) if (buffer !== undefined) buffers.release(buffer);
    throw error;
  }
  return arrays;
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

function runPipeline(
  pipeline: Pipeline,
  arrays: readonly Buffer[],
  offsets: readonly number[],
  scalars: readonly (number | bigint)[],
  { buffers, compilers, runners, scratch, gathered }: Machine,
): void {
  const bound: (number | Elsewhere)[] = [];
  const bind = (array: number): void => {
    if (bound[array] !== undefined) return;
    const buffer = arrays[array] as Buffer;
    const offset = offsets[array] as number;
    const place = buffers.place(buffer);
    if (place?.memory === compilers.memory) bound[array] = place.offset + offset * bytesOf(buffer);
    else bound[array] = { elements: buffers.view(buffer, 'write'), offset };
  };
  for (const { operands, results } of pipeline.calls) {
    for (const where of operands) if (where.at === 'array') bind(where.array);
    for (const where of results) if (where.at === 'array') bind(where.array);
  }
  for (const { array } of pipeline.accumulators) bind(array);
  const units = unitsOf(pipeline);
  let runner = runners.get(pipeline);
  if (runner === undefined) {
    runner = new TileRunner(pipeline, compilers);
    runners.set(pipeline, runner);
  }
  runner.bind({
    arrays: bound,
    scalars,
    scratch: scratch.address(pipeline.scratch),
    gathered: gathered.address(units < 2 ? 0 : units * pipeline.gathered),
  });
  runner.run(0, pipeline.rows, 0);
  runner.combine();
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

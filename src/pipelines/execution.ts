import { InternalError } from '../base/index.ts';
import { DTYPES } from '../nd/index.ts';
import type { Buffer, Buffers } from './buffers.ts';
import { type Pipeline, unitsOf } from './pipeline.ts';
import type { ArrayView, Plan } from './plan.ts';
import type { Routines } from './routines.ts';
import { type Compilers, type Elsewhere, tileRunner } from './tile-runner.ts';
import type { SourceArray } from './values.rules.ts';
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
  readonly routines: Routines;
  readonly scratch: Room;
  readonly gathered: Room;
}

/** Runs a plan in this thread. Gives the buffers of its arrays, of which those of roots are there. */
export function execute(plan: Plan, given: Given, machine: Machine): readonly Buffer[] {
  const { buffers } = machine;
  const arrays: Buffer[] = given.sources.map(({ buffer }) => buffer);
  const offsets: number[] = given.sources.map(({ offset }) => offset);
  const scalars = [...given.scalars, ...plan.fixed.map(BigInt)];
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

function runPipeline(
  pipeline: Pipeline,
  arrays: readonly Buffer[],
  offsets: readonly number[],
  scalars: readonly (number | bigint)[],
  { buffers, compilers, scratch, gathered }: Machine,
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
  const runner = tileRunner(
    pipeline,
    {
      arrays: bound,
      scalars,
      scratch: scratch.address(pipeline.scratch),
      gathered: gathered.address(units < 2 ? 0 : units * pipeline.gathered),
    },
    compilers,
  );
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

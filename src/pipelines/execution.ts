import { InternalError } from '../base/index.ts';
import { applied, cast, elementOp } from '../kernels/index.ts';
import { DTYPES } from '../nd/index.ts';
import type { Buffer, Buffers } from './buffers.ts';
import { type Pipeline, unitsOf } from './pipeline.ts';
import type { ArrayView, MadeScalar, Plan } from './plan.ts';
import type { Routines } from './routines.ts';
import type { SourceArray } from './survey.rules.ts';
import { type Binding, type Compilers, type Elsewhere, TileRunner } from './tile-runner.ts';
import { runWhole } from './wholes.ts';

/** What a plan is run with. */
export interface Given {
  readonly sources: readonly SourceArray[];
  readonly scalars: readonly (number | bigint)[];
}

/** Room beside arrays. */
export class Room {
  readonly #buffers: Buffers;
  #buffer: Buffer | undefined;

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
  }

  /** The address of so many bytes, which are nobody else's until it is asked again, or closed. */
  address(bytes: number): number {
    if (bytes === 0) return 0;
    if (this.#buffer === undefined || this.#buffer.length < bytes) {
      this.close();
      this.#buffer = this.#buffers.allocate('u8', bytes);
    }
    const place = this.#buffers.place(this.#buffer);
    if (place === undefined) throw new InternalError('there is no room for the scratch of a pipeline');
    return place.offset;
  }

  /** What it lies in, if it was asked for anything. */
  get buffer(): Buffer | undefined {
    return this.#buffer;
  }

  close(): void {
    if (this.#buffer !== undefined) this.#buffers.release(this.#buffer);
    this.#buffer = undefined;
  }
}

/** Several threads that run a pipeline together. */
export interface Crew {
  /** How many there are at most, this one included: each has scratch of its own. */
  readonly size: number;
  /** Runs all rows. Undefined: they are done. `buffers`: all that the binding has addresses in; they are in use. */
  run(pipeline: Pipeline, binding: Binding, buffers: readonly Buffer[], runner: TileRunner): Promise<void> | undefined;
}

/** Where plans are run. */
export interface Machine {
  readonly buffers: Buffers;
  readonly compilers: Compilers;
  /** Of pipelines that were run before, and are not now. */
  readonly runners: WeakMap<Pipeline, TileRunner>;
  readonly routines: Routines;
  /** Undefined: this thread runs everything. */
  readonly crew: Crew | undefined;
}

/**
 * Runs a plan. Gives the buffers of its arrays, of which those of roots are there. A promise, where others take part; without a crew it is
 * done at once.
 */
export function execute(plan: Plan, given: Given, machine: Machine): readonly Buffer[] | Promise<readonly Buffer[]> {
  const execution = new Execution(plan, given, machine);
  const done = execution.run();
  return done === undefined ? execution.arrays : done.then(() => execution.arrays);
}

class Execution {
  readonly arrays: Buffer[];
  readonly #plan: Plan;
  readonly #machine: Machine;
  readonly #sources: readonly Buffer[];
  readonly #offsets: number[];
  readonly #scalars: readonly (number | bigint)[];
  readonly #scratch: Room;
  readonly #gathered: Room;
  #used = 0;

  constructor(plan: Plan, given: Given, machine: Machine) {
    const { buffers } = machine;
    this.#plan = plan;
    this.#machine = machine;
    this.#sources = given.sources.map(({ buffer }) => buffers.here(buffer));
    this.arrays = [...this.#sources];
    this.#offsets = given.sources.map(({ offset }) => offset);
    this.#scalars = plan.scalars.length === 0 ? given.scalars : withMade(given.scalars, plan.scalars);
    this.#scratch = new Room(buffers);
    this.#gathered = new Room(buffers);
  }

  run(): Promise<void> | undefined {
    try {
      for (const buffer of this.#sources) {
        this.#machine.buffers.use(buffer);
        this.#used++;
      }
      const going = this.#steps(0);
      if (going === undefined) this.#end();
      return going?.then(
        () => this.#end(),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      return this.#fail(error);
    }
  }

  #steps(from: number): Promise<void> | undefined {
    const { steps } = this.#plan;
    for (let i = from; i < steps.length; i++) {
      const going = this.#step(steps[i] as Plan['steps'][number]);
      if (going !== undefined)
        return going.then(() => {
          this.#drop(steps[i] as Plan['steps'][number]);
          return this.#steps(i + 1);
        });
      this.#drop(steps[i] as Plan['steps'][number]);
    }
    return undefined;
  }

  #step(step: Plan['steps'][number]): Promise<void> | undefined {
    const { buffers, routines, compilers } = this.#machine;
    for (const array of step.makes) this.#make(array);
    if (step.kind === 'pipeline') return this.#pipeline(step.pipeline);
    const args = step.whole.args.map((view) => ({
      ...view,
      offset: view.offset + (this.#offsets[view.array] as number),
      elements: buffers.view(this.arrays[view.array] as Buffer, 'read'),
    }));
    const results = step.whole.results.map(({ array, shape, dtype }) => ({
      shape,
      dtype,
      elements: buffers.view(this.arrays[array] as Buffer, 'write'),
    }));
    runWhole(step.whole, args, results, routines, compilers);
    return undefined;
  }

  #make(array: number): void {
    const { dtype, length } = this.#plan.arrays[array - this.#plan.sources] as Plan['arrays'][number];
    this.arrays[array] = this.#machine.buffers.allocate(dtype, length);
    this.#offsets[array] = 0;
  }

  #drop(step: Plan['steps'][number]): void {
    for (const array of step.drops) this.#machine.buffers.release(this.arrays[array] as Buffer);
  }

  #pipeline(pipeline: Pipeline): Promise<void> | undefined {
    const { buffers, compilers, runners, crew } = this.#machine;
    const bound: (number | Elsewhere)[] = [];
    const placed: Buffer[] = [];
    let elsewhere = false;
    const bind = (array: number): void => {
      if (bound[array] !== undefined) return;
      const buffer = this.arrays[array] as Buffer;
      const offset = this.#offsets[array] as number;
      const place = buffers.place(buffer);
      if (place?.memory === compilers.memory) {
        bound[array] = place.offset + offset * bytesOf(buffer);
        placed.push(buffer);
      } else {
        bound[array] = { elements: buffers.view(buffer, array < this.#plan.sources ? 'read' : 'write'), offset };
        elsewhere = true;
      }
    };
    for (const { operands, results } of pipeline.calls) {
      for (const where of operands) if (where.at === 'array') bind(where.array);
      for (const where of results) if (where.at === 'array') bind(where.array);
    }
    for (const { array } of pipeline.accumulators) bind(array);
    const units = unitsOf(pipeline);
    const slots = crew === undefined || elsewhere ? 1 : crew.size;
    const binding: Binding = {
      arrays: bound,
      scalars: this.#scalars,
      scratch: this.#scratch.address(slots * pipeline.scratch),
      gathered: this.#gathered.address(units < 2 ? 0 : units * pipeline.gathered),
    };
    // One at a time: a pipeline may be run again before all have come to the end of this run.
    const runner = runners.get(pipeline) ?? new TileRunner(pipeline, compilers);
    runners.delete(pipeline);
    runner.bind(binding);
    const end = (): void => {
      runner.combine();
      runners.set(pipeline, runner);
    };
    let going: Promise<void> | undefined;
    // What lies elsewhere is for this thread alone.
    if (crew === undefined || elsewhere) runner.run(0, pipeline.rows, 0);
    else {
      for (const { buffer } of [this.#scratch, this.#gathered]) if (buffer !== undefined) placed.push(buffer);
      going = crew.run(pipeline, binding, placed, runner);
    }
    if (going !== undefined) return going.then(end);
    end();
    return undefined;
  }

  /** What is kept is not in use any more. */
  #end(): void {
    const { buffers } = this.#machine;
    const { roots, sources } = this.#plan;
    // What has no elements at all is made by nobody.
    for (const { array } of roots) if (this.arrays[array] === undefined) this.#make(array);
    const made = new Set(roots.map(({ array }) => array).filter((array) => array >= sources));
    for (const array of made) buffers.unuse(this.arrays[array] as Buffer);
    this.#close();
  }

  #fail(error: unknown): never {
    const { buffers } = this.#machine;
    for (const buffer of this.arrays.slice(this.#plan.sources)) if (buffer !== undefined) buffers.release(buffer);
    this.#close();
    throw error;
  }

  #close(): void {
    const { buffers } = this.#machine;
    for (const buffer of this.#sources.slice(0, this.#used)) buffers.unuse(buffer);
    this.#scratch.close();
    this.#gathered.close();
  }
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

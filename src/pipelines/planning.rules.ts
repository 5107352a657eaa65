import { InternalError } from '../base/index.ts';
import { sizeOf } from '../nd/index.ts';
import { type Draft, Expander, type Load } from './expand.rules.ts';
import {
  grouped,
  type KernelGroup,
  type PipelineGroup,
  type Planned,
  stepOf,
  type WholeGroup,
} from './grouping.rules.ts';
import { type DraftCall, type DraftPipeline, type DraftWhere, laidOut, type Sizes } from './layout.rules.ts';
import type { Pipeline } from './pipeline.ts';
import type { ArrayView, Plan, PlanStep, Whole } from './plan.ts';
import { aliasOf, type LowersProducts, reachable, rowMajorOf, simplified } from './simplify.rules.ts';
import { Storing } from './storing.rules.ts';
import type { Values } from './values.rules.ts';
import { verifyPlan } from './verify-plan.rules.ts';

export interface PlanOptions extends Sizes {
  readonly lowersProducts: LowersProducts;
}

/** After so many rounds values that several kernels need are computed in each of them. */
const ROUNDS = 3;

/** How values are computed. */
export function planOf(given: Values, asked: readonly number[], options: PlanOptions): Plan {
  const { values, roots } = simplified(given, asked, options.lowersProducts);
  const needed = reachable(values, roots);
  const storing = new Storing(values, needed, roots);
  for (let round = 1; ; round++) {
    const groups = grouped(values, needed, storing);
    if (round < ROUNDS && storing.divided(groups.kernelOf, groups.pieceOf)) continue;
    return verifyPlan(new Planner(values, roots, storing, groups.list, options).plan(), values.givenScalars);
  }
}

/** A kernel whose steps are there, and where its results go is not yet known. */
interface Written {
  readonly group: KernelGroup;
  readonly steps: readonly Draft[];
  /** Of each target its step. */
  readonly own: readonly number[];
}

class Planner {
  readonly #values: Values;
  readonly #roots: readonly number[];
  readonly #storing: Storing;
  readonly #list: readonly (PipelineGroup | WholeGroup)[];
  readonly #options: PlanOptions;
  readonly #sources: number;
  readonly #arrays: { dtype: Plan['arrays'][number]['dtype']; length: number }[] = [];
  readonly #arrayOf = new Map<number, number>();
  /** Of what is computed whole: each of its results. */
  readonly #results = new Map<number, readonly number[]>();
  /** The pipeline that computes a value, by its place in the list, and those that read it: several is -1. */
  readonly #readers = new Map<number, number>();
  /** What has to be in an array, whoever reads it. */
  readonly #outside = new Set<number>();

  constructor(
    values: Values,
    roots: readonly number[],
    storing: Storing,
    list: readonly (PipelineGroup | WholeGroup)[],
    options: PlanOptions,
  ) {
    this.#values = values;
    this.#roots = roots;
    this.#storing = storing;
    this.#list = list;
    this.#options = options;
    this.#sources = values.sources;
  }

  plan(): Plan {
    const views = (id: number) => {
      const alias = aliasOf(this.#values, id, (each) => this.#storing.has(each));
      if (alias === undefined) throw new InternalError('something that was asked for has no layout');
      return alias;
    };
    for (const root of this.#roots) this.#outside.add(views(root).base);
    const written = this.#list.map((group, at) => {
      if ('kernels' in group) {
        for (const { targets } of group.kernels)
          for (const { gather } of targets) if (gather !== undefined) this.#outside.add(views(gather.from).base);
        return group.kernels.map((kernel) => this.#write(kernel, at));
      }
      for (const arg of this.#values.at(group.whole).args) this.#outside.add(views(arg).base);
      return [];
    });
    const steps = this.#list.map((group, at): Omit<PlanStep, 'makes' | 'drops'> & { uses: readonly number[] } => {
      if ('kernels' in group) {
        const draft = this.#draft(written[at] as Written[], at, views);
        const pipeline = laidOut(draft, this.#options);
        return { kind: 'pipeline', pipeline, uses: arraysOf(pipeline) } as never;
      }
      const whole = this.#whole(group.whole, views);
      return { kind: 'whole', whole, uses: [...whole.args, ...whole.results].map(({ array }) => array) } as never;
    });
    const roots = this.#roots.map((root): ArrayView => {
      const { base, offset, strides } = views(root);
      const { shape, dtype } = this.#values.at(root);
      return { array: this.#array(base), offset, strides, shape, dtype };
    });
    return {
      sources: this.#sources,
      arrays: this.#arrays,
      scalars: this.#values.madeScalars,
      steps: this.#withLives(steps as never, roots),
      roots,
    };
  }

  #withLives(
    steps: readonly (PlanStep & { readonly uses: readonly number[] })[],
    roots: readonly ArrayView[],
  ): PlanStep[] {
    const first = new Map<number, number>();
    const last = new Map<number, number>();
    for (const [at, { uses }] of steps.entries()) {
      for (const array of uses) {
        if (array < this.#sources) continue;
        if (!first.has(array)) first.set(array, at);
        last.set(array, at);
      }
    }
    for (const { array } of roots) last.delete(array);
    const made = steps.map((): number[] => []);
    const dropped = steps.map((): number[] => []);
    for (const [array, at] of first) made[at]?.push(array);
    for (const [array, at] of last) dropped[at]?.push(array);
    return steps.map(({ uses: _, ...step }, at) => ({ ...step, makes: made[at], drops: dropped[at] }) as PlanStep);
  }

  /** The array in which a source lies, or something that is stored. */
  #array(id: number): number {
    const { op, shape, dtype, args } = this.#values.at(id);
    if (op.kind === 'source') return op.source;
    if (op.kind === 'output') return this.#resultsOf(args[0] as number)[op.index] as number;
    if (op.kind === 'call') return this.#resultsOf(id)[0] as number;
    let array = this.#arrayOf.get(id);
    if (array === undefined) {
      array = this.#make(dtype, sizeOf(shape));
      this.#arrayOf.set(id, array);
    }
    return array;
  }

  #make(dtype: Plan['arrays'][number]['dtype'], length: number): number {
    return this.#sources + this.#arrays.push({ dtype, length }) - 1;
  }

  #resultsOf(id: number): readonly number[] {
    let results = this.#results.get(id);
    if (results === undefined) {
      const { op, shape, dtype } = this.#values.at(id);
      const types = op.kind === 'call' ? op.outputs : [{ shape, dtype }];
      results = types.map((type) => this.#make(type.dtype, sizeOf(type.shape)));
      this.#results.set(id, results);
    }
    return results;
  }

  #whole(id: number, views: (id: number) => { base: number; offset: number; strides: readonly number[] }): Whole {
    const { op, shape, dtype, args } = this.#values.at(id);
    const types = op.kind === 'call' ? op.outputs : [{ shape, dtype }];
    const arrays = op.kind === 'call' ? this.#resultsOf(id) : [this.#array(id)];
    return {
      op: op as Whole['op'],
      args: args.map((arg) => {
        const { base, offset, strides } = views(arg);
        const own = this.#values.at(arg);
        return { array: this.#array(base), offset, strides, shape: own.shape, dtype: own.dtype };
      }),
      results: types.map((type, i) => ({ array: arrays[i] as number, shape: type.shape, dtype: type.dtype })),
    };
  }

  #write(group: KernelGroup, at: number): Written {
    const { targets } = group;
    let expander = (targets[0] as Planned).expander;
    let own = [(targets[0] as Planned).step];
    if (targets.length > 1) {
      // What the kernel computes itself is a step of it, and is not read again.
      const within = new Set(
        targets.flatMap(({ value, piece, reduce }) => ((piece ?? reduce) === undefined ? [value] : [])),
      );
      const stored = (id: number): boolean => this.#storing.has(id);
      expander = new Expander(this.#values, (targets[0] as Planned).walked, stored, within);
      own = targets.map((target) => stepOf(expander, this.#values, target));
    }
    for (const step of expander.steps) {
      if (step.op !== 'load') continue;
      const { base } = (step as { load: Load }).load;
      const reader = this.#readers.get(base);
      this.#readers.set(base, reader === undefined || reader === at ? at : -1);
    }
    return { group, steps: expander.steps, own };
  }

  #draft(
    written: readonly Written[],
    at: number,
    views: (id: number) => { base: number; offset: number; strides: readonly number[] },
  ): DraftPipeline {
    const scratch = new Map<number, { dtype: Plan['arrays'][number]['dtype']; row: number }>();
    const accumulators: DraftPipeline['accumulators'][number][] = [];
    for (const { group } of written) {
      for (const target of group.targets) {
        if (!this.#isScratch(target, at)) continue;
        const { dtype, shape } = this.#values.at(target.value);
        const rows = target.expander.space[0] as number;
        scratch.set(target.value, { dtype, row: rows === 0 ? 0 : sizeOf(shape) / rows });
      }
    }
    const calls = written.map(({ group, steps: given, own: numbers }): DraftCall => {
      let [steps, own] = [given, numbers];
      const operands = new Map<number, DraftWhere>();
      for (const [i, step] of steps.entries()) {
        if (step.op !== 'load') continue;
        const { base, offset, strides } = (step as { load: Load }).load;
        const where = scratch.has(base)
          ? ({ at: 'scratch', which: base } as const)
          : ({ at: 'array', which: this.#array(base) } as const);
        operands.set(i, { ...where, offset, strides });
      }
      const [{ gather, value, expander }] = group.targets as [Planned];
      if (gather !== undefined) {
        const { base, offset, strides } = views(gather.from);
        const { shape, dtype } = this.#values.at(value);
        const along = expander.along(shape, strides);
        own = [steps.length];
        steps = [...steps, { op: 'load', load: { base, dtype, offset, strides: along }, dtype }];
        operands.set(steps.length - 1, { at: 'array', which: this.#array(base), offset, strides: along });
      }
      const results = group.targets.flatMap((target, i) => {
        const where = this.#whereTo(target, scratch, accumulators);
        return where === undefined ? [] : [{ step: own[i] as number, reduce: target.reduce?.reducer ?? null, where }];
      });
      return {
        space: group.space,
        steps,
        operands,
        results,
        gather: gather && { length: gather.length, ...(gather.of && { of: gather.of }) },
      };
    });
    return { calls: calls.filter(({ results }) => results.length > 0), scratch, accumulators };
  }

  /** Whether nobody but the pipeline itself reads it. */
  #isScratch({ value, piece, combinesRows }: Planned, at: number): boolean {
    return piece === undefined && !combinesRows && !this.#outside.has(value) && this.#readers.get(value) === at;
  }

  /** Undefined for what is read by nobody: it was a step of its own kernel alone. */
  #whereTo(
    target: Planned,
    scratch: ReadonlyMap<number, unknown>,
    accumulators: DraftPipeline['accumulators'][number][],
  ): DraftWhere | undefined {
    const { value, piece, reduce, walked, expander, combinesRows } = target;
    if (piece !== undefined) {
      const strides = expander.along(walked, piece.strides);
      return { at: 'array', which: this.#array(piece.into), offset: piece.offset, strides };
    }
    const { shape, dtype } = this.#values.at(value);
    const kept = [...rowMajorOf(shape)];
    const strides = expander.along(
      walked,
      walked.map((_, axis) => (reduce?.axes.includes(axis) ? 0 : (kept.shift() as number))),
    );
    if (scratch.has(value)) return { at: 'scratch', which: value, offset: 0, strides };
    if (!this.#outside.has(value) && !this.#readers.has(value)) return undefined;
    if (combinesRows && reduce !== undefined) {
      const which =
        accumulators.push({ reducer: reduce.reducer, dtype, length: sizeOf(shape), array: this.#array(value) }) - 1;
      return { at: 'accumulator', which, offset: 0, strides };
    }
    return { at: 'array', which: this.#array(value), offset: 0, strides };
  }
}

function arraysOf({ calls, accumulators }: Pipeline): number[] {
  const found = new Set<number>(accumulators.map(({ array }) => array));
  for (const { operands, results } of calls) {
    for (const where of [...operands, ...results]) if (where.at === 'array') found.add(where.array);
  }
  return [...found];
}

import type { ReducerName } from '../kernels/reducers.ts';
import { DTYPES, type Shape } from '../nd/index.ts';
import { type Draft, Expander, type Load } from './expand.rules.ts';
import type { AxisMap } from './graph.ts';
import type { Gathered } from './pipeline.ts';
import { rowMajorOf } from './simplify.rules.ts';
import { isGather, isWhole, LONGEST, type Storing } from './storing.rules.ts';
import type { Values } from './values.rules.ts';

/** Elements that kernels compute: a stored value, or a piece of what is put together. */
export interface Target {
  /** The value whose elements they are; of a piece the argument. */
  readonly value: number;
  /** Where a piece goes. */
  readonly piece:
    | { readonly into: number; readonly index: number; readonly offset: number; readonly strides: readonly number[] }
    | undefined;
  /** The shape that is walked; of a reduction that of its argument. */
  readonly walked: Shape;
  readonly reduce: { readonly reducer: ReducerName; readonly axes: readonly number[] } | undefined;
  /** Rows that are copied by their numbers, and nothing else: `from`, as so many rows, at those that `indices` says. */
  readonly gather?: Gathered & { readonly from: number; readonly indices: number };
}

/** A target with what it takes to compute it, and when. */
export interface Planned extends Target {
  readonly expander: Expander;
  /** Its own among those of the expander. */
  readonly step: number;
  readonly loads: readonly Load[];
  /** Rows are combined, so that nothing is there before the last of them. */
  readonly combinesRows: boolean;
  /** Those of one phase need nothing of each other but the same rows. */
  readonly phase: number;
  /** Those of one level, in one phase, need nothing of each other but the same points. */
  readonly level: number;
  /** The steps of it and of those that it can share a kernel with. */
  readonly size: number;
  /** How wide its numbers are, if all have one width. */
  readonly width: number;
}

/** Targets that are computed by one kernel. */
export interface KernelGroup {
  readonly space: readonly number[];
  readonly level: number;
  readonly targets: Planned[];
  size: number;
}

/** Kernels that run on the same rows, in order. */
export interface PipelineGroup {
  readonly phase: number;
  readonly kernels: KernelGroup[];
}

/** What is computed by itself. */
export interface WholeGroup {
  readonly phase: number;
  readonly whole: number;
}

export interface Groups {
  /** In an order in which they can be run. */
  readonly list: readonly (PipelineGroup | WholeGroup)[];
  /** The kernel that computes a stored value, by number. */
  kernelOf(id: number): number;
  pieceOf(into: number, index: number): number;
}

/** Which targets are computed together. */
export function grouped(values: Values, needed: readonly number[], storing: Storing): Groups {
  const { planned, wholes } = phased(values, needed, storing);
  const pipelines = pipelinesOf(planned);
  const list = [...pipelines, ...wholes].sort((a, b) => a.phase - b.phase);
  const kernels = new Map<number, number>();
  const pieces = new Map<string, number>();
  let number = 0;
  for (const { kernels: own } of pipelines) {
    for (const { targets } of own) {
      for (const { value, piece } of targets) {
        if (piece === undefined) kernels.set(value, number);
        else pieces.set(`${piece.into} ${piece.index}`, number);
      }
      number++;
    }
  }
  return {
    list,
    kernelOf: (id) => kernels.get(id) ?? -1,
    pieceOf: (into, index) => pieces.get(`${into} ${index}`) ?? -1,
  };
}

function targetsOf(values: Values, id: number, storing: Storing): Target[] {
  const { op, args, shape } = values.at(id);
  if (op.kind === 'assemble') {
    return args.map((value, index) => {
      const walked = values.at(value).shape;
      const own = rowMajorOf(shape);
      const strides = new Array<number>(walked.length).fill(0);
      let offset = 0;
      for (const [axis, map] of (op.at[index] as readonly AxisMap[]).entries()) {
        offset += map.start * (own[axis] as number);
        if (map.axis !== undefined) (strides[map.axis] as number) += map.step * (own[axis] as number);
      }
      return { value, piece: { into: id, index, offset, strides }, walked, reduce: undefined };
    });
  }
  if (op.kind === 'take' && isGather(values, id)) {
    const [from, indices] = args as [number, number];
    const length = values.at(from).shape[op.axis] as number;
    return [
      {
        value: id,
        piece: undefined,
        walked: shape,
        reduce: undefined,
        gather: { from, indices, length, ...(op.of && { of: op.of }) },
      },
    ];
  }
  if (!storing.has(id) || isWhole(op.kind)) return [];
  const reduce = op.kind === 'reduce' ? op : undefined;
  return [
    { value: id, piece: undefined, walked: reduce === undefined ? shape : values.at(args[0] as number).shape, reduce },
  ];
}

/** When what is stored is there. */
interface Ready {
  readonly phase: number;
  /** Undefined: not before the phase is over. */
  readonly target: Planned | undefined;
  /** From one row to the next. */
  readonly row: number;
}

function phased(
  values: Values,
  needed: readonly number[],
  storing: Storing,
): { planned: Planned[]; wholes: WholeGroup[] } {
  const ready = new Map<number, Ready>();
  const planned: Planned[] = [];
  const wholes: WholeGroup[] = [];
  const isStored = (id: number): boolean => storing.has(id);
  for (const id of needed) {
    const { op, args } = values.at(id);
    let earliest = 0;
    for (const target of targetsOf(values, id, storing)) {
      const own = plan(target, earliest);
      planned.push(own);
      if (target.piece === undefined) {
        const row = own.combinesRows ? 0 : rowOf(own);
        ready.set(id, { phase: own.phase, target: own.combinesRows ? undefined : own, row });
      } else {
        // Pieces may cover each other, the later ones the earlier.
        earliest = own.phase + 1;
        ready.set(id, { phase: own.phase, target: undefined, row: 0 });
      }
    }
    if (isWhole(op.kind) && op.kind !== 'assemble' && !isGather(values, id)) {
      let phase = 0;
      for (const arg of args) phase = Math.max(phase, phaseBefore(arg) + 1);
      ready.set(id, { phase, target: undefined, row: 0 });
      if (op.kind !== 'output') wholes.push({ phase, whole: id });
    }
    if (op.kind === 'assemble' && !ready.has(id)) ready.set(id, { phase: 0, target: undefined, row: 0 });
  }
  return { planned, wholes };

  /** The phase of what an argument lies in; -1 for a source. */
  function phaseBefore(id: number): number {
    let base = id;
    while (!ready.has(base) && values.at(base).args.length > 0) base = values.at(base).args[0] as number;
    return ready.get(base)?.phase ?? -1;
  }

  function plan(target: Target, earliest: number): Planned {
    const expander = new Expander(values, target.walked, isStored);
    const step = stepOf(expander, values, target);
    const loads = expander.steps.flatMap((step) => (step.op === 'load' ? [(step as { load: Load }).load] : []));
    let phase = earliest;
    // Any row may be asked for.
    if (target.gather !== undefined) phase = Math.max(phase, phaseBefore(target.gather.from) + 1);
    for (const load of loads) {
      const before = ready.get(load.base);
      if (before !== undefined) phase = Math.max(phase, before.phase + (isOfRow(load, before, expander.space) ? 0 : 1));
    }
    let level = 0;
    let size = expander.steps.length;
    for (const load of loads) {
      const before = ready.get(load.base);
      if (before?.target === undefined || before.phase !== phase) continue;
      const other = before.target;
      const together =
        target.gather === undefined &&
        size + other.size <= 1.5 * LONGEST &&
        isSamePoint(load, loads, other, expander.space);
      if (together) size += other.size;
      level = Math.max(level, other.level + (together ? 0 : 1));
    }
    return {
      ...target,
      expander,
      step,
      loads,
      combinesRows: combinesRows(target, expander),
      phase,
      level,
      size,
      width: widthOf(expander.steps),
    };
  }
}

/** The step whose value a target is, or combines. */
export function stepOf(expander: Expander, values: Values, { value, piece, reduce, gather }: Target): number {
  if (gather !== undefined) return expander.ofRows(gather.indices);
  if (reduce !== undefined) return expander.argument(values.at(value).args[0] as number);
  return piece === undefined ? expander.root(value) : expander.argument(value);
}

/** Whether a target gives one value for all rows. */
function combinesRows({ reduce, walked }: Target, { space }: Expander): boolean {
  if (reduce === undefined) return false;
  const first = walked.findIndex((length) => length !== 1);
  return first < 0 ? space[0] !== 1 : reduce.axes.includes(first);
}

/** How many elements a target has for each row. */
function rowOf({ expander, reduce, walked }: Planned): number {
  let size = 1;
  for (const [axis, length] of walked.entries()) if (reduce?.axes.includes(axis) !== true) size *= length;
  const [rows] = expander.space as [number];
  return rows === 0 ? 0 : size / rows;
}

/** Whether each row needs no other row of what it reads. */
function isOfRow({ offset, strides }: Load, { target, row }: Ready, space: readonly number[]): boolean {
  if (target === undefined || space[0] !== target.expander.space[0]) return false;
  if (strides[0] !== row && space[0] !== 1) return false;
  let [least, most] = [offset, offset];
  for (let axis = 1; axis < space.length; axis++) {
    const reach = (strides[axis] as number) * ((space[axis] as number) - 1);
    if (reach < 0) least += reach;
    else most += reach;
  }
  return least >= 0 && most < Math.max(row, 1);
}

/** Whether what is read at a point, by all that reads it, is what is computed at that point. */
function isSamePoint(load: Load, loads: readonly Load[], other: Planned, space: readonly number[]): boolean {
  if (other.reduce !== undefined || other.piece !== undefined || other.gather !== undefined) return false;
  const own = rowMajorOf(other.expander.space);
  return (
    space.length === own.length &&
    space.every((length, axis) => length === other.expander.space[axis]) &&
    loads.every(
      ({ base, offset, strides }) =>
        base !== load.base || (offset === 0 && strides.every((step, axis) => step === own[axis] || space[axis] === 1)),
    )
  );
}

function widthOf(steps: readonly Draft[]): number {
  let width = 0;
  for (const { dtype } of steps) {
    if (dtype === 'bool') continue;
    const { bytes } = DTYPES[dtype];
    if (width !== 0 && width !== bytes) return -1;
    width = bytes;
  }
  return width;
}

/** Puts targets of one phase together that have the same rows and read the same, or each other. */
function pipelinesOf(planned: readonly Planned[]): PipelineGroup[] {
  const parents = planned.map((_, i) => i);
  const rootOf = (i: number): number => {
    let at = i;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at] as number] as number;
      at = parents[at] as number;
    }
    return at;
  };
  const readers = new Map<string, number>();
  for (const [i, { phase, expander, loads, value, piece }] of planned.entries()) {
    const rows = expander.space[0] as number;
    const join = (text: string): void => {
      const other = readers.get(text);
      if (other === undefined) readers.set(text, i);
      // The first one stays the root, so that order is that of values.
      else {
        const [a, b] = [rootOf(other), rootOf(i)];
        parents[Math.max(a, b)] = Math.min(a, b);
      }
    };
    if (piece === undefined) join(`${phase} ${rows} ${value}`);
    for (const { base, strides } of loads) if (strides[0] !== 0 || rows === 1) join(`${phase} ${rows} ${base}`);
  }
  const groups = new Map<number, Builder>();
  for (const [i, target] of planned.entries()) {
    const root = rootOf(i);
    let group = groups.get(root);
    if (group === undefined) {
      group = new Builder(target.phase);
      groups.set(root, group);
    }
    group.add(target);
  }
  return [...groups.values()].map((group) => group.built());
}

/** Puts targets into kernels. */
class Builder {
  readonly #phase: number;
  readonly #kernels: KernelGroup[] = [];
  /** The last kernel of its kind. */
  readonly #last = new Map<string, number>();
  readonly #kernelOf = new Map<number, number>();

  constructor(phase: number) {
    this.#phase = phase;
  }

  add(target: Planned): void {
    const { expander, level, width, loads, value, piece, gather } = target;
    const size = expander.steps.length;
    /** What it reads of its own level has to be there, or be computed by the same kernel. */
    let earliest = 0;
    for (const { base } of loads) {
      const kernel = this.#kernelOf.get(base) ?? -1;
      if (this.#kernels[kernel]?.level === level) earliest = Math.max(earliest, kernel);
    }
    const kind = gather === undefined ? `${level} ${width} ${expander.space}` : `gather ${value}`;
    let number = this.#last.get(kind) ?? -1;
    const group = this.#kernels[number];
    if (group === undefined || number < earliest || group.size + size > 2 * LONGEST) {
      number = this.#kernels.push({ space: expander.space, level, targets: [target], size }) - 1;
      this.#last.set(kind, number);
    } else {
      group.targets.push(target);
      group.size += size;
    }
    if (piece === undefined) this.#kernelOf.set(value, number);
  }

  built(): PipelineGroup {
    return { phase: this.#phase, kernels: [...this.#kernels].sort((a, b) => a.level - b.level) };
  }
}

import { InternalError, UsageError } from '../base/index.ts';
import { elementOp } from '../kernels/elementwise.ts';
import { type DType, kindOf, rowMajor, type Shape, sizeOf } from '../nd/index.ts';
import type { AxisMap, Node, Op } from './graph.ts';
import type { MadeScalar } from './plan.ts';
import type { Survey } from './survey.rules.ts';
import { isDense, viewed } from './walk.ts';

/** What a value is made by: an operation, with all that differs from run to run given by number. */
export type ValueOp =
  | Exclude<Op, { kind: 'source' | 'constant' | 'place' }>
  | { readonly kind: 'source'; readonly source: number; readonly offset: number; readonly strides: readonly number[] }
  | { readonly kind: 'scalar'; readonly scalar: number };

/** Like a node, with its arguments by number; they come before it. */
export interface Value {
  readonly op: ValueOp;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly args: readonly number[];
}

/** Values without repetition: the same operation on the same arguments is one value. */
export class Values {
  readonly list: Value[] = [];
  /** How many are given, which have the first numbers. */
  readonly sources: number;
  readonly givenScalars: number;
  /** Scalars that follow from those that are given, or from nothing. */
  readonly madeScalars: MadeScalar[] = [];
  readonly #known = new Map<string, number>();
  readonly #made = new Map<string, number>();

  /** What is given, by number. `of`: values whose scalars keep their numbers. */
  constructor(sources: number, scalars: number, of?: Values) {
    this.sources = sources;
    this.givenScalars = scalars;
    if (of === undefined) return;
    for (const [text, scalar] of of.#made) this.#made.set(text, scalar);
    this.madeScalars.push(...of.madeScalars);
  }

  at(id: number): Value {
    return this.list[id] as Value;
  }

  #put(text: string, op: ValueOp, shape: Shape, dtype: DType, args: readonly number[]): number {
    let id = this.#known.get(text);
    if (id === undefined) {
      id = this.list.push({ op, shape, dtype, args }) - 1;
      this.#known.set(text, id);
    }
    return id;
  }

  /** The number of a scalar that is made so. */
  #scalar(made: MadeScalar): number {
    const text = JSON.stringify(made);
    let scalar = this.#made.get(text);
    if (scalar === undefined) {
      scalar = this.givenScalars + this.madeScalars.push(made) - 1;
      this.#made.set(text, scalar);
    }
    return scalar;
  }

  /** A whole number, as a scalar of type i64. */
  whole(value: number): number {
    return this.#scalar({ kind: 'whole', value });
  }

  /** One that is given. */
  source(source: number, strides: readonly number[], shape: Shape, dtype: DType): number {
    return this.#source(source, 0, strides, shape, dtype);
  }

  #source(source: number, offset: number, strides: readonly number[], shape: Shape, dtype: DType): number {
    const text = `source ${source} ${offset} ${strides} ${shape} ${dtype}`;
    return this.#put(text, { kind: 'source', source, offset, strides }, shape, dtype, []);
  }

  /** A scalar everywhere. */
  constant(scalar: number, shape: Shape, dtype: DType): number {
    return this.#put(`scalar ${scalar} ${shape} ${dtype}`, { kind: 'scalar', scalar }, shape, dtype, []);
  }

  position(axis: number, shape: Shape): number {
    return this.#put(`position ${axis} ${shape}`, { kind: 'position', axis }, shape, 'i64', []);
  }

  element(op: Extract<Op, { kind: 'element' }>, shape: Shape, dtype: DType, args: readonly number[]): number {
    const facts = elementOp(op.op);
    const folded = this.#constantsOf(args);
    if (folded !== undefined) {
      const own = this.at(args.at(-1) as number).dtype;
      return this.constant(this.#scalar({ kind: 'element', op: op.op, args: folded, of: own }), shape, dtype);
    }
    const ordered =
      facts.commutes === true && (args[0] as number) > (args[1] as number)
        ? [args[1] as number, args[0] as number]
        : args;
    // Shape and type follow from the arguments.
    return this.#put(`${op.op} ${listText(ordered)}`, op, shape, dtype, ordered);
  }

  cast(shape: Shape, dtype: DType, arg: number): number {
    const from = this.at(arg);
    if (from.dtype === dtype) return arg;
    const folded = this.#constantsOf([arg]);
    if (folded !== undefined) {
      return this.constant(this.#scalar({ kind: 'cast', args: folded, of: from.dtype, to: dtype }), shape, dtype);
    }
    return this.#put(`cast ${arg} ${dtype}`, { kind: 'cast' }, shape, dtype, [arg]);
  }

  /** The same elements, computed by themselves. */
  copy(arg: number): number {
    const { shape, dtype } = this.at(arg);
    return this.#put(`copy ${arg}`, { kind: 'cast' }, shape, dtype, [arg]);
  }

  #constantsOf(args: readonly number[]): number[] | undefined {
    const scalars: number[] = [];
    for (const arg of args) {
      const { op } = this.at(arg);
      if (op.kind !== 'scalar') return undefined;
      scalars.push(op.scalar);
    }
    return scalars;
  }

  view(maps: readonly AxisMap[], shape: Shape, arg: number): number {
    const from = this.at(arg);
    switch (from.op.kind) {
      case 'scalar':
        return this.constant(from.op.scalar, shape, from.dtype);
      case 'source': {
        const { offset, strides } = viewed(maps, from.op, shape.length);
        return this.#source(from.op.source, offset, strides, shape, from.dtype);
      }
      case 'view':
        return this.view(composed(from.op.maps, maps), shape, from.args[0] as number);
      default: {
        if (isWhole(maps, from.shape, shape)) return arg;
        const text = `view ${maps.map(({ start, step, axis }) => `${start},${step},${axis}`).join(' ')} ${arg} ${shape}`;
        return this.#put(text, { kind: 'view', maps }, shape, from.dtype, [arg]);
      }
    }
  }

  reshape(shape: Shape, arg: number): number {
    const from = this.at(arg);
    if (sameShape(from.shape, shape)) return arg;
    const { op } = from;
    if (op.kind === 'scalar') return this.constant(op.scalar, shape, from.dtype);
    if (op.kind === 'source') {
      const strides = reshapedStrides(from.shape, op.strides, shape);
      if (strides !== undefined) return this.#source(op.source, op.offset, strides, shape, from.dtype);
    }
    if (op.kind === 'reshape') return this.reshape(shape, from.args[0] as number);
    return this.#put(`reshape ${arg} ${shape}`, { kind: 'reshape' }, shape, from.dtype, [arg]);
  }

  reduce(op: Extract<Op, { kind: 'reduce' }>, shape: Shape, dtype: DType, arg: number): number {
    if (op.axes.length === 0) return arg;
    return this.#put(`reduce ${op.reducer} ${op.axes} ${arg}`, op, shape, dtype, [arg]);
  }

  /** The first place where the least or greatest is, by the operations that there are: the least of the places where it is. */
  place(of: 'min' | 'max', axis: number, shape: Shape, given: number): number {
    const from = this.at(given);
    const length = from.shape[axis] as number;
    if (length === 0 && sizeOf(shape) > 0) throw nothingToPlace(of, axis, from.shape);
    const arg = from.dtype === 'bool' ? this.cast(from.shape, 'u8', given) : given;
    const { dtype } = this.at(arg);
    const best = this.reduce({ kind: 'reduce', reducer: of, axes: [axis] }, shape, dtype, arg);
    const maps = shape.map((_, i) => ({ start: 0, step: 1, axis: i < axis ? i : i + 1 }));
    const everywhere = this.view(maps, from.shape, best);
    const element = (op: Extract<Op, { kind: 'element' }>['op'], args: number[], type: DType): number =>
      this.element({ kind: 'element', op }, from.shape, type, args);
    let found = element('equal', [arg, everywhere], 'bool');
    // A NaN is what is least and greatest, and equals nothing.
    if (kindOf(dtype) === 'float') found = element('logicalOr', [found, element('isNaN', [arg], 'bool')], 'bool');
    const none = this.constant(this.whole(length), from.shape, 'i64');
    const places = element('where', [found, this.position(axis, from.shape), none], 'i64');
    return this.reduce({ kind: 'reduce', reducer: 'min', axes: [axis] }, shape, 'i64', places);
  }

  /** What is computed by itself, by whatever computes it. */
  alone(
    op: Extract<Op, { kind: 'matmul' | 'take' | 'assemble' | 'call' | 'output' }>,
    shape: Shape,
    dtype: DType,
    args: readonly number[],
  ): number {
    const text = JSON.stringify(op, (_, each: unknown) =>
      typeof each === 'number' && (!Number.isFinite(each) || Object.is(each, -0)) ? `${1 / each} ${each}` : each,
    );
    return this.#put(`${text} ${args} ${shape} ${dtype}`, op, shape, dtype, args);
  }

  /** A value of other values, with other arguments or the same. */
  again({ op, shape, dtype }: Value, args: readonly number[]): number {
    const [first] = args as [number];
    switch (op.kind) {
      case 'source': {
        const text = `source ${op.source} ${op.offset} ${op.strides} ${shape} ${dtype}`;
        return this.#put(text, op, shape, dtype, []);
      }
      case 'scalar':
        return this.constant(op.scalar, shape, dtype);
      case 'position':
        return this.position(op.axis, shape);
      case 'element':
        return this.element(op, shape, dtype, args);
      case 'cast':
        return dtype === this.at(first).dtype ? this.copy(first) : this.cast(shape, dtype, first);
      case 'view':
        return this.view(op.maps, shape, first);
      case 'reshape':
        return this.reshape(shape, first);
      case 'reduce':
        return this.reduce(op, shape, dtype, first);
      default:
        return this.alone(op, shape, dtype, args);
    }
  }
}

/** The values of nodes, and the number of each that is asked for. */
export function valuesOf(survey: Survey, roots: readonly Node[]): { values: Values; roots: number[] } {
  const values = new Values(survey.sources.length, survey.scalars.length);
  const ids: number[] = [];
  for (const [at, node] of survey.order.entries()) {
    const args = node.args.map((arg) => ids[arg.number] as number);
    ids.push(valueFor(values, node, args, survey.given[at] as number));
  }
  return { values, roots: roots.map((node) => ids[node.number] as number) };
}

function valueFor(values: Values, { op, shape, dtype }: Node, args: readonly number[], given: number): number {
  const [first] = args as [number];
  switch (op.kind) {
    case 'source':
      return values.source(given, op.strides, shape, dtype);
    case 'constant':
      return values.constant(given, shape, dtype);
    case 'position':
      return values.position(op.axis, shape);
    case 'element':
      return values.element(op, shape, dtype, args);
    case 'cast':
      return values.cast(shape, dtype, first);
    case 'view':
      return values.view(op.maps, shape, first);
    case 'reshape':
      return values.reshape(shape, first);
    case 'reduce':
      return values.reduce(op, shape, dtype, first);
    case 'place':
      return values.place(op.of, op.axis, shape, first);
    case 'call':
    case 'output':
    case 'matmul':
    case 'take':
    case 'assemble':
      return values.alone(op, shape, dtype, args);
    default:
      throw new InternalError(`there is no operation ${(op as { kind: string }).kind}`);
  }
}

/** As `join` does it, which takes longer for so few. */
export function listText(list: readonly number[]): string {
  if (list.length === 1) return `${list[0]}`;
  return list.length === 2 ? `${list[0]},${list[1]}` : list.join();
}

/** What `argmin` and `argmax` say of an empty axis. */
export function nothingToPlace(of: 'min' | 'max', axis: number, shape: Shape): UsageError {
  const operation = of === 'min' ? 'argmin' : 'argmax';
  return new UsageError(`${operation}: axis ${axis} is empty, so nothing in it is the ${of}`, {
    code: 'ERR_SHEAF_SHAPE',
    details: { operation, shapes: [[...shape]] },
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** One view after another, as one. */
function composed(first: readonly AxisMap[], second: readonly AxisMap[]): AxisMap[] {
  return first.map(({ start, step, axis }) => {
    if (axis === undefined) return { start, step: 0, axis };
    const next = second[axis] as AxisMap;
    return { start: start + step * next.start, step: step * next.step, axis: next.axis };
  });
}

/** Whether a view shows all as it is. */
function isWhole(maps: readonly AxisMap[], from: Shape, shape: Shape): boolean {
  return (
    sameShape(from, shape) &&
    maps.every(({ start, step, axis }, i) => start === 0 && (from[i] === 1 || (step === 1 && axis === i)))
  );
}

/** The strides of the same elements in another shape, where there are any: axes that lie in one line are split and joined. */
export function reshapedStrides(shape: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  if (isDense(shape, strides)) return rowMajor(to);
  const own = shape.map((length, i) => [length, strides[i] as number] as const).filter(([length]) => length !== 1);
  const result = new Array<number>(to.length).fill(0);
  let [i, axis] = [0, 0];
  while (axis < to.length) {
    if (to[axis] === 1) {
      axis++;
      continue;
    }
    // The shortest run of axes on either side that holds as many elements as one on the other.
    let end = axis + 1;
    let last = i + 1;
    let wanted = to[axis] as number;
    let have = own[i]?.[0] ?? 1;
    while (wanted !== have) {
      if (wanted < have) wanted *= to[end++] ?? Number.NaN;
      else have *= own[last++]?.[0] ?? Number.NaN;
      if (Number.isNaN(wanted) || Number.isNaN(have)) return undefined;
    }
    for (let k = i; k + 1 < last; k++) {
      const [outer, inner] = [own[k], own[k + 1]] as [readonly [number, number], readonly [number, number]];
      if (outer[1] !== inner[1] * inner[0]) return undefined;
    }
    let step = (own[last - 1] as readonly [number, number])[1];
    for (let k = end - 1; k >= axis; k--) {
      result[k] = step;
      step *= to[k] as number;
    }
    [i, axis] = [last, end];
  }
  return result;
}

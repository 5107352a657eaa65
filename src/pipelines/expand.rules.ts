import { InternalError } from '../base/index.ts';
import type { ElementOpName } from '../kernels/elementwise.ts';
import type { DType, Shape } from '../nd/index.ts';
import { rowMajorOf, splits } from './simplify.rules.ts';
import { listText, sameShape, type Value, type Values } from './values.rules.ts';

/** Elements that are read at the points of a space. */
export interface Load {
  /** A source, or a value that is stored. */
  readonly base: number;
  readonly dtype: DType;
  readonly offset: number;
  /** Along the axes of the space. */
  readonly strides: readonly number[];
}

/** A step of a kernel that is not put together yet. Scalars are those of the plan. */
export type Draft =
  | { readonly op: 'load'; readonly load: Load; readonly dtype: DType }
  | { readonly op: 'scalar'; readonly scalar: number; readonly dtype: DType }
  | { readonly op: 'position'; readonly axis: number; readonly dtype: 'i64' }
  | { readonly op: 'cast' | ElementOpName; readonly args: readonly number[]; readonly dtype: DType };

/** Where the point of a space is seen by a value: for each axis of the value its start, then how far it goes along each axis of the space. */
interface Seen {
  readonly id: number;
  readonly rows: readonly number[];
}

/**
 * Writes values as steps at the points of one space, down to what is stored. Views, broadcasts and reshapes that only split axes
 * are no steps: they say where the point is seen.
 */
export class Expander {
  /** The axes that are longer than 1, of which there is one at least. */
  readonly space: readonly number[];
  readonly steps: Draft[] = [];
  readonly #values: Values;
  readonly #stored: (id: number) => boolean;
  readonly #within: ReadonlySet<number>;
  readonly #seen = new Map<string, Seen>();
  /** Of each value, seen in some way, the step. */
  readonly #done = new Map<number, number>();
  readonly #known = new Map<string, number>();
  readonly #identities = new Map<Shape, Seen>();

  /** `within`: values that are stored, and that the same kernel computes. They are read at the point at which they are computed. */
  constructor(
    values: Values,
    shape: Shape,
    stored: (id: number) => boolean,
    within: ReadonlySet<number> = new Set<number>(),
  ) {
    this.#values = values;
    this.#stored = (id) => stored(id) && !within.has(id);
    this.#within = within;
    const space = shape.filter((length) => length !== 1);
    this.space = space.length === 0 ? [1] : space;
  }

  /** The step of a value that is seen as it is at every point; computed, even where it is stored. */
  root(id: number): number {
    return this.#expand(id, this.#identity(this.#values.at(id).shape));
  }

  /** The same, of one that is loaded where it is stored. */
  argument(id: number): number {
    return this.#visit(id, this.#identity(this.#values.at(id).shape));
  }

  /** The load of a value of one axis, which is that of the rows. */
  ofRows(id: number): number {
    const step = this.#visit(id, this.#intern([0, 1, ...new Array<number>(this.space.length - 1).fill(0)]));
    if (this.steps.length === 1 && this.steps[step]?.op === 'load') return step;
    throw new InternalError('what says which rows are gathered is not stored');
  }

  /** Strides along the axes of a shape whose longer axes are those of the space. */
  along(shape: Shape, strides: readonly number[]): number[] {
    const own = strides.filter((_, axis) => shape[axis] !== 1);
    return own.length === 0 ? [0] : own;
  }

  #identity(shape: Shape): Seen {
    let seen = this.#identities.get(shape);
    if (seen === undefined) {
      const rows: number[] = [];
      const rank = this.space.length;
      let own = 0;
      for (const length of shape) {
        rows.push(0);
        const axis = length === 1 ? -1 : own++;
        for (let k = 0; k < rank; k++) rows.push(k === axis ? 1 : 0);
      }
      seen = this.#intern(rows);
      this.#identities.set(shape, seen);
    }
    return seen;
  }

  #intern(rows: readonly number[]): Seen {
    const text = rows.join();
    let seen = this.#seen.get(text);
    if (seen === undefined) {
      seen = { id: this.#seen.size, rows };
      this.#seen.set(text, seen);
    }
    return seen;
  }

  #visit(id: number, seen: Seen): number {
    const key = seen.id * this.#values.list.length + id;
    let step = this.#done.get(key);
    if (step === undefined) {
      step = this.#stored(id) ? this.#load(id, this.#values.at(id), seen) : this.#expand(id, seen);
      this.#done.set(key, step);
    }
    return step;
  }

  #expand(id: number, seen: Seen): number {
    const value = this.#values.at(id);
    const { op, dtype, args } = value;
    switch (op.kind) {
      case 'source':
        return this.#load(id, value, seen, op.offset, op.strides);
      case 'scalar':
        return this.#step(`s${op.scalar} ${dtype}`, { op: 'scalar', scalar: op.scalar, dtype });
      case 'position':
        return this.#position(op.axis, seen);
      case 'element': {
        const own = args.map((arg) => this.#visit(arg, this.#broadcast(arg, value, seen)));
        return this.#step(`${op.op} ${listText(own)}`, { op: op.op, args: own, dtype });
      }
      case 'cast': {
        const own = [this.#visit(args[0] as number, seen)];
        return this.#drafted(own[0] as number) === dtype
          ? (own[0] as number)
          : this.#step(`cast ${own} ${dtype}`, { op: 'cast', args: own, dtype });
      }
      case 'view': {
        const rows: number[] = [];
        const rank = this.space.length;
        for (const { start, step, axis } of op.maps) {
          const from = axis === undefined ? -1 : axis * (rank + 1);
          rows.push(start + (from < 0 ? 0 : step * (seen.rows[from] as number)));
          for (let k = 1; k <= rank; k++) rows.push(from < 0 ? 0 : step * (seen.rows[from + k] as number));
        }
        return this.#visit(args[0] as number, this.#intern(rows));
      }
      case 'reshape':
        return this.#reshape(args[0] as number, value, seen);
      default:
        throw new InternalError(`a value (${op.kind}) that is not stored was asked for by a kernel`);
    }
  }

  #drafted(step: number): DType {
    return (this.steps[step] as Draft).dtype;
  }

  #step(text: string, draft: Draft): number {
    let step = this.#known.get(text);
    if (step === undefined) {
      step = this.steps.push(draft) - 1;
      this.#known.set(text, step);
    }
    return step;
  }

  /** How an argument sees the point: axes are counted from the last one, and those of length 1 stay where they are. */
  #broadcast(arg: number, { shape }: Value, seen: Seen): Seen {
    const own = this.#values.at(arg).shape;
    if (sameShape(own, shape) || own.length === 0) return own.length === 0 ? this.#intern([]) : seen;
    const rank = this.space.length;
    const skipped = shape.length - own.length;
    const rows: number[] = [];
    for (const [axis, length] of own.entries()) {
      const stays = length === 1 && shape[skipped + axis] !== 1;
      for (let k = 0; k <= rank; k++) rows.push(stays ? 0 : (seen.rows[(skipped + axis) * (rank + 1) + k] as number));
    }
    return this.#intern(rows);
  }

  #reshape(arg: number, value: Value, seen: Seen): number {
    const from = this.#values.at(arg);
    const parts = splits(from.shape, value.shape);
    if (parts === undefined) {
      // It lies row by row in another shape.
      if (this.#stored(arg)) return this.#load(arg, value, seen);
      if (this.#within.has(arg)) return this.root(arg);
      throw new InternalError('a reshape that joins axes has an argument that is not stored');
    }
    const rank = this.space.length;
    const rows: number[] = [];
    for (const own of parts) {
      for (let k = 0; k <= rank; k++) {
        let sum = 0;
        for (const [axis, step] of own) sum += step * (seen.rows[axis * (rank + 1) + k] as number);
        rows.push(sum);
      }
    }
    return this.#visit(arg, this.#intern(rows));
  }

  #load(
    base: number,
    { shape, dtype }: Value,
    seen: Seen,
    first = 0,
    own: readonly number[] = rowMajorOf(shape),
  ): number {
    const rank = this.space.length;
    const strides = new Array<number>(rank).fill(0);
    let offset = first;
    for (let axis = 0; axis < shape.length; axis++) {
      const step = own[axis] as number;
      const at = axis * (rank + 1);
      offset += step * (seen.rows[at] as number);
      for (let k = 0; k < rank; k++) (strides[k] as number) += step * (seen.rows[at + 1 + k] as number);
    }
    return this.#step(`load ${base} ${offset} ${strides}`, {
      op: 'load',
      load: { base, dtype, offset, strides },
      dtype,
    });
  }

  /** Where the value's point lies along an axis of it. */
  #position(axis: number, seen: Seen): number {
    const rank = this.space.length;
    const at = axis * (rank + 1);
    const start = seen.rows[at] as number;
    let sum: number | undefined = start === 0 ? undefined : this.#whole(start);
    for (let k = 0; k < rank; k++) {
      const step = seen.rows[at + 1 + k] as number;
      if (step === 0) continue;
      let term = this.#step(`position ${k}`, { op: 'position', axis: k, dtype: 'i64' });
      if (step !== 1) term = this.#i64('multiply', term, this.#whole(step));
      sum = sum === undefined ? term : this.#i64('add', sum, term);
    }
    return sum ?? this.#whole(0);
  }

  #i64(op: ElementOpName, ...args: number[]): number {
    return this.#step(`${op} ${args} i64`, { op, args, dtype: 'i64' });
  }

  #whole(value: number): number {
    const scalar = this.#values.whole(value);
    return this.#step(`s${scalar} i64`, { op: 'scalar', scalar, dtype: 'i64' });
  }
}

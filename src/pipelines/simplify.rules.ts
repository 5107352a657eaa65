import { type Shape, sizeOf } from '../nd/index.ts';
import type { AxisMap } from './graph.ts';
import { orderedReduction } from './ordering.rules.ts';
import { reshapedStrides, sameShape, type Value, Values } from './values.rules.ts';

/** How far a reshape is moved towards what its argument is made of. */
const DEEPEST = 64;

/** Which products are computed as the sums that they are, fused with what is around them: the others are left whole. */
export type LowersProducts = (m: number, k: number, n: number) => boolean;

/**
 * The same values in fewer or simpler ones, and nothing that nobody asked for. Reshapes move through elementwise operations to where they cost
 * nothing; products become sums where `lowers` says so. Scalars and sources keep their numbers.
 */
export function simplified(
  values: Values,
  roots: readonly number[],
  lowers: LowersProducts,
): { values: Values; roots: number[] } {
  const needed = reachable(values, roots);
  if (!needed.some((id) => isSimplified(values.at(id).op.kind))) return { values, roots: [...roots] };
  const uses = usesOf(values, needed, roots);
  const next = new Values(values.sources, values.givenScalars, values);
  const ids: number[] = [];
  /** How often a new value is used that was made for an old one. */
  const newUses = new Map<number, number>();
  for (const id of needed) {
    const value = values.at(id);
    const args = value.args.map((arg) => ids[arg] as number);
    let made: number;
    if (value.op.kind === 'reshape')
      made = reshaped(next, args[0] as number, value.shape, (at) => newUses.get(at) ?? 0, 0);
    else if (value.op.kind === 'matmul' && fitsSum(values, value, lowers)) made = asSum(next, value, args);
    else if (value.op.kind === 'reduce' && value.op.axes.length > 0 && uses[value.args[0] as number] === 1)
      made = orderedReduction(next, value as Value & { op: { kind: 'reduce' } }, args[0] as number);
    else if (value.op.kind === 'assemble') made = withoutCovered(next, value, args);
    else made = next.again(value, args);
    ids[id] = made;
    newUses.set(made, (newUses.get(made) ?? 0) + (uses[id] as number));
  }
  return { values: next, roots: roots.map((root) => ids[root] as number) };
}

const isSimplified = (kind: Value['op']['kind']): boolean =>
  kind === 'reshape' || kind === 'matmul' || kind === 'assemble' || kind === 'reduce';

/** What the roots are made of, themselves included, in order. */
export function reachable(values: Values, roots: readonly number[]): number[] {
  const found = new Uint8Array(values.list.length);
  for (const root of roots) found[root] = 1;
  const needed: number[] = [];
  for (let id = values.list.length - 1; id >= 0; id--) {
    if (found[id] === 0) continue;
    needed.push(id);
    for (const arg of values.at(id).args) found[arg] = 1;
  }
  return needed.reverse();
}

/** How many arguments of others, and how many roots, each value is. */
export function usesOf(values: Values, needed: readonly number[], roots: readonly number[]): Uint32Array {
  const uses = new Uint32Array(values.list.length);
  for (const root of roots) (uses[root] as number)++;
  for (const id of needed) for (const arg of values.at(id).args) (uses[arg] as number)++;
  return uses;
}

function reshaped(values: Values, arg: number, shape: Shape, uses: (id: number) => number, depth: number): number {
  const from = values.at(arg);
  const { op } = from;
  const plain = values.reshape(shape, arg);
  if (plain === arg || values.at(plain).op.kind !== 'reshape' || splits(from.shape, shape) !== undefined) return plain;
  if ((op.kind === 'element' || op.kind === 'cast') && uses(arg) <= 1 && depth < DEEPEST) {
    const movable = from.args.every((each) => {
      const own = values.at(each);
      return sizeOf(own.shape) === 1 || sameShape(own.shape, from.shape);
    });
    if (movable) {
      const args = from.args.map((each) => {
        const own = values.at(each);
        if (sizeOf(own.shape) === 1) return values.reshape([], each);
        return reshaped(values, each, shape, uses, depth + 1);
      });
      return values.again({ ...from, shape }, args);
    }
  }
  // What has to be copied is copied as a value of its own, which a reshape then costs nothing of.
  if (op.kind === 'source' || op.kind === 'view') return values.reshape(shape, values.copy(arg));
  return plain;
}

/**
 * For each axis of `from` those of `to` that it is split into, and how far a step along each goes; undefined where axes are joined, so that no
 * such thing can be said.
 */
export function splits(from: Shape, to: Shape): (readonly [axis: number, step: number])[][] | undefined {
  if (sizeOf(from) === 0) return undefined;
  const result: (readonly [number, number])[][] = [];
  let axis = 0;
  for (const length of from) {
    const own: number[] = [];
    let size = 1;
    while (size < length && axis < to.length) {
      size *= to[axis] as number;
      own.push(axis++);
    }
    if (size !== length) return undefined;
    let step = 1;
    const parts: (readonly [number, number])[] = [];
    for (const each of own.reverse()) {
      parts.push([each, step]);
      step *= to[each] as number;
    }
    result.push(parts);
  }
  while (axis < to.length) if (to[axis++] !== 1) return undefined;
  return result;
}

function fitsSum(values: Values, { args }: Value, lowers: LowersProducts): boolean {
  const [left, right] = args.map((arg) => values.at(arg)) as [Value, Value];
  const [m, k] = left.shape.slice(-2) as [number, number];
  return lowers(m, k, right.shape.at(-1) as number);
}

/** Of more pieces it would take too long to look at each two. */
const MOST_PIECES = 32;

/**
 * What is put together, without what nobody sees of it: of a piece that a later one covers the inside of, the parts around that are left. So
 * nothing is written twice when a part of an array is replaced.
 */
function withoutCovered(values: Values, value: Value, args: readonly number[]): number {
  const { at } = value.op as Extract<Value['op'], { kind: 'assemble' }>;
  const boxes = args.map((arg, i) => boxOf(at[i] as readonly AxisMap[], values.at(arg).shape));
  const pieces: { arg: number; maps: readonly AxisMap[] }[] = [];
  for (const [i, arg] of args.entries()) {
    const maps = at[i] as readonly AxisMap[];
    let left: Box[] | undefined = boxes[i] === undefined ? undefined : [boxes[i] as Box];
    for (const cover of args.length > MOST_PIECES ? [] : boxes.slice(i + 1)) {
      if (cover === undefined || left === undefined) continue;
      const rest: Box[] = left.flatMap((box) => around(box, cover));
      // Many small parts are no better than one that is written twice.
      if (rest.length <= 2 * cover.length) left = rest;
    }
    if (left === undefined || (left.length === 1 && left[0] === boxes[i])) pieces.push({ arg, maps });
    else for (const box of left) pieces.push(partOf(values, arg, maps, boxes[i] as Box, box));
  }
  return values.alone(
    { kind: 'assemble', at: pieces.map(({ maps }) => maps) },
    value.shape,
    value.dtype,
    pieces.map(({ arg }) => arg),
  );
}

/** From where to where along each axis. */
type Box = readonly (readonly [from: number, to: number])[];

/** Where a piece lies, if it lies there without gaps. */
function boxOf(maps: readonly AxisMap[], shape: Shape): Box | undefined {
  const box: [number, number][] = [];
  for (const { start, step, axis } of maps) {
    if (axis === undefined) box.push([start, start + 1]);
    else if (step === 1) box.push([start, start + (shape[axis] as number)]);
    else return undefined;
  }
  return box;
}

/** What is left of a box around another, in boxes: the box itself where they do not meet. */
function around(box: Box, hole: Box): Box[] {
  if (box.some(([from, to], i) => to <= (hole[i]?.[0] as number) || from >= (hole[i]?.[1] as number))) return [box];
  const left: Box[] = [];
  let rest = box;
  for (const [axis, [from, to]] of box.entries()) {
    const [start, end] = hole[axis] as readonly [number, number];
    const cut = (a: number, b: number): Box => rest.map((each, i) => (i === axis ? [a, b] : each));
    if (from < start) left.push(cut(from, start));
    if (end < to) left.push(cut(end, to));
    rest = cut(Math.max(from, start), Math.min(to, end));
  }
  return left;
}

/** The part of a piece that lies in a box of where it all lies. */
function partOf(
  values: Values,
  arg: number,
  maps: readonly AxisMap[],
  whole: Box,
  part: Box,
): { arg: number; maps: readonly AxisMap[] } {
  const shape = [...values.at(arg).shape];
  const starts = shape.map(() => 0);
  for (const [i, { axis }] of maps.entries()) {
    if (axis === undefined) continue;
    const [from, to] = part[i] as readonly [number, number];
    starts[axis] = from - (whole[i]?.[0] as number);
    shape[axis] = to - from;
  }
  const view = values.view(
    starts.map((start, axis) => ({ start, step: 1, axis })),
    shape,
    arg,
  );
  return {
    arg: view,
    maps: maps.map((map, i) => (map.axis === undefined ? map : { ...map, start: part[i]?.[0] as number })),
  };
}

/** A product as what it is: the sum over k of the elements of [..., m, k, n]. */
function asSum(values: Values, { shape, dtype }: Value, [a, b]: readonly number[]): number {
  const outer = shape.slice(0, -2);
  const [m, n] = shape.slice(-2) as [number, number];
  const left = values.at(a as number);
  const k = left.shape.at(-1) as number;
  const space = [...outer, m, k, n];
  const row = outer.length;
  /** Axes of the argument before its last two broadcast to those of the result. */
  const maps = (own: Shape, last: readonly [number, number]): AxisMap[] =>
    own.map((length, i) => {
      const axis = i < own.length - 2 ? row - (own.length - 2) + i : (last[i - (own.length - 2)] as number);
      const stays = length === 1 && space[axis] !== 1;
      return { start: 0, step: stays ? 0 : 1, axis: stays ? undefined : axis };
    });
  const x = values.view(maps(left.shape, [row, row + 1]), space, a as number);
  const y = values.view(maps(values.at(b as number).shape, [row + 1, row + 2]), space, b as number);
  const products = values.element({ kind: 'element', op: 'multiply' }, space, dtype, [x, y]);
  const op = { kind: 'reduce', reducer: 'sum', axes: [row + 1] } as const;
  return orderedReduction(values, { op, shape, dtype, args: [products] }, products);
}

/** How a value lies in the elements that it is a view of: views and reshapes followed down to what is no such thing, or is `stored`. */
export function aliasOf(
  values: Values,
  id: number,
  stored: (id: number) => boolean,
): { base: number; offset: number; strides: readonly number[] } | undefined {
  const chain: number[] = [];
  let base = id;
  while (!stored(base) && (values.at(base).op.kind === 'view' || values.at(base).op.kind === 'reshape')) {
    chain.push(base);
    base = values.at(base).args[0] as number;
  }
  return layoutAlong(values, base, chain);
}

function layoutAlong(
  values: Values,
  base: number,
  chain: readonly number[],
): { base: number; offset: number; strides: readonly number[] } | undefined {
  const { op, shape } = values.at(base);
  let [offset, strides] = op.kind === 'source' ? [op.offset, op.strides] : [0, rowMajorOf(shape)];
  let of = shape;
  for (const id of [...chain].reverse()) {
    const value = values.at(id);
    if (value.op.kind === 'view') {
      const next = new Array<number>(value.shape.length).fill(0);
      for (const [own, { start, step, axis }] of value.op.maps.entries()) {
        const stride = strides[own] as number;
        offset += start * stride;
        if (axis !== undefined) (next[axis] as number) += step * stride;
      }
      strides = next;
    } else {
      const next = reshapedStrides(of, strides, value.shape);
      if (next === undefined) return undefined;
      strides = next;
    }
    of = value.shape;
  }
  return { base, offset, strides };
}

const known = new WeakMap<Shape, number[]>();

/** Strides of what lies row by row; remembered for each shape. */
export function rowMajorOf(shape: Shape): number[] {
  let strides = known.get(shape);
  if (strides === undefined) {
    strides = new Array<number>(shape.length);
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = step;
      step *= shape[axis] as number;
    }
    known.set(shape, strides);
  }
  return strides;
}

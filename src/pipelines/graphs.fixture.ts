import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ElementOpName, elementOp, REDUCERS, type ReducerName, reducer } from '../kernels/index.ts';
import {
  broadcastShapes,
  DTYPES,
  type DType,
  type Elements,
  elements,
  isBig,
  kindOf,
  rowMajor,
  type Shape,
  sizeOf,
} from '../nd/index.ts';
import type { Buffers } from './buffers.ts';
import { type AxisMap, Node, type Op } from './graph.ts';
import type { Pipelines } from './pipelines.ts';

/** Operators whose answer is the same to the last bit, whoever computes it. */
const EXACT = [
  'abs',
  'negative',
  'sign',
  'square',
  'ceil',
  'floor',
  'round',
  'trunc',
  'reciprocal',
  'sqrt',
  'isFinite',
  'isInf',
  'isNaN',
  'signbit',
  'logicalNot',
  'bitwiseInvert',
  'add',
  'subtract',
  'multiply',
  'divide',
  'floorDivide',
  'remainder',
  'maximum',
  'minimum',
  'copysign',
  'bitwiseAnd',
  'bitwiseOr',
  'bitwiseXor',
  'bitwiseLeftShift',
  'bitwiseRightShift',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
  'equal',
  'notEqual',
  'greater',
  'less',
  'where',
] as const satisfies readonly ElementOpName[];

const PALETTES: readonly (readonly DType[])[] = [
  ['f64'],
  ['f64', 'bool', 'i64'],
  ['f32', 'i32', 'u32', 'bool'],
  ['i8', 'u8', 'i16', 'bool'],
  ['f64', 'f32', 'i64', 'u64', 'i32', 'u8', 'i16', 'bool'],
];
const LENGTHS = [0, 1, 1, 2, 3, 3, 4, 4, 7, 130];
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  2.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e300,
  -1e-310,
  2 ** 53,
];
/** Sums of whole numbers below it are exact in any order, in floats of 32 bits as well. */
const EXACT_BELOW = 2 ** 22;

/** A node, and below what its values stay if they are small whole numbers. */
interface Made {
  readonly node: Node;
  readonly below: number | undefined;
}

/** Random graphs of all kinds of nodes, over all types, shapes and layouts; the roots are asked for. */
export const graphs = (buffers: Buffers): fc.Arbitrary<Node[]> =>
  fc
    .array(fc.nat(0xffff), { minLength: 20, maxLength: 400, size: 'max' })
    .map((choices) => new Maker(buffers, choices).roots());

class Maker {
  readonly #buffers: Buffers;
  readonly #choices: readonly number[];
  #next = 0;
  readonly #palette: readonly DType[];
  readonly #made: Made[] = [];

  constructor(buffers: Buffers, choices: readonly number[]) {
    this.#buffers = buffers;
    this.#choices = choices;
    this.#palette = this.#of(PALETTES);
    const first = this.#shape();
    this.#made.push(this.#source(first, this.#of(this.#palette)));
    this.#made.push(this.#source(this.#chance(2) ? first : this.#shape(), this.#of(this.#palette)));
  }

  roots(): Node[] {
    while (this.#next < this.#choices.length) this.#grow();
    const roots = [this.#made.at(-1) as Made];
    for (let more = this.#of([0, 1, 3, 6]); more > 0; more--) roots.push(this.#of(this.#made));
    return [...new Set(roots.map(({ node }) => node))];
  }

  #below(n: number): number {
    return (this.#choices[this.#next++] ?? 0) % n;
  }

  #chance(n: number): boolean {
    return this.#below(n) === 0;
  }

  #of<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #shape(): number[] {
    const shape = Array.from({ length: this.#below(4) }, () => this.#of(LENGTHS));
    // Long ones are rare, so that the definition has not too much to do.
    return shape.map((length, i) => (length > 100 && shape.findIndex((n) => n > 100) !== i ? 2 : length));
  }

  #value(dtype: DType, whole: boolean): number | bigint {
    const { kind, min, max } = DTYPES[dtype];
    if (kind === 'bool') return this.#below(2);
    if (!whole && this.#chance(3)) {
      if (kind === 'float') return this.#of(SPECIAL);
      return this.#of([min, max]) as number | bigint;
    }
    const small = this.#below(7) - (kind === 'uint' ? 0 : 3);
    return isBig(dtype) ? BigInt(small) : small;
  }

  #source(shape: Shape, dtype: DType): Made {
    const whole = this.#chance(2);
    const gap = this.#chance(4) ? 2 : 1;
    const flipped = this.#chance(4);
    const transposed = this.#chance(4);
    const order = transposed ? [...shape].reverse() : shape;
    let strides = rowMajor(order).map((step) => step * gap);
    if (transposed) strides.reverse();
    let offset = this.#below(3);
    const length = offset + sizeOf(shape) * gap + 1;
    if (flipped && sizeOf(shape) > 0) {
      for (const [axis, step] of strides.entries()) offset += step * ((shape[axis] as number) - 1);
      strides = strides.map((step) => -step);
    }
    const own = elements(dtype, length);
    const seven = Array.from({ length: 7 }, () => this.#value(dtype, whole));
    for (let at = 0; at < length; at++) own[at] = seven[(at * 5) % 7] as never;
    let buffer = this.#buffers.adopt(dtype, own);
    if (!this.#chance(3)) {
      buffer = this.#buffers.allocate(dtype, length);
      this.#buffers.view(buffer, 'write').set(own as never);
    }
    return { node: new Node({ kind: 'source', buffer, offset, strides }, shape, dtype), below: whole ? 7 : undefined };
  }

  #constant(dtype: DType, shape: Shape = []): Made {
    const whole = this.#chance(2);
    const value = this.#value(dtype, whole);
    const own = dtype === 'f32' ? Math.fround(value as number) : value;
    return { node: new Node({ kind: 'constant', value: own }, shape, dtype), below: whole ? 7 : undefined };
  }

  #put(op: Op, shape: Shape, dtype: DType, args: readonly Node[], below?: number): Made {
    const made = {
      node: new Node(op, shape, dtype, args),
      below: below !== undefined && below < EXACT_BELOW ? below : undefined,
    };
    this.#made.push(made);
    return made;
  }

  #as(made: Made, dtype: DType): Made {
    if (made.node.dtype === dtype) return made;
    const keeps = kindOf(dtype) === 'float' || kindOf(dtype) === kindOf(made.node.dtype);
    const below = dtype === 'bool' ? 2 : keeps && (made.below ?? EXACT_BELOW) < 100 ? made.below : undefined;
    return { node: new Node({ kind: 'cast' }, made.node.shape, dtype, [made.node]), below };
  }

  #grow(): void {
    const x = this.#chance(3) ? this.#of(this.#made) : (this.#made.at(-1) as Made);
    const { node } = x;
    switch (this.#below(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.#element(x);
        return;
      case 4:
        this.#made.push(this.#as(x, this.#of(this.#palette)));
        return;
      case 5:
      case 6:
        this.#view(x);
        return;
      case 7:
        this.#reshape(x);
        return;
      case 8:
      case 9:
        this.#reduce(x);
        return;
      case 10:
        this.#place(x);
        return;
      case 11:
        if (node.shape.length > 0)
          this.#put({ kind: 'position', axis: this.#below(node.shape.length) }, node.shape, 'i64', [], 131);
        return;
      case 12:
        if (this.#chance(2)) this.#product(x);
        else this.#take(x);
        return;
      default:
        this.#assemble(x);
        return;
    }
  }

  /** Something that fits the shape of another, of the same type. */
  #beside(x: Made): Made {
    if (this.#chance(5)) return this.#constant(x.node.dtype);
    for (let tries = 0; tries < 4; tries++) {
      const other = this.#of(this.#made);
      const shape = shapeOf([x.node.shape, other.node.shape]);
      if (shape !== undefined && sizeOf(shape) <= 5000) return this.#as(other, x.node.dtype);
    }
    return x;
  }

  #element(given: Made): void {
    const name = this.#of(EXACT);
    const op = elementOp(name);
    const dtype = op.takes.includes(kindOf(given.node.dtype))
      ? given.node.dtype
      : this.#palette.find((each) => op.takes.includes(kindOf(each)));
    if (dtype === undefined) return;
    const x = this.#as(given, dtype);
    const args = [x];
    while (args.length < (op.chooses ? 2 : op.arity)) args.push(this.#beside(x));
    if (op.chooses) args.unshift(this.#as(this.#beside(x), 'bool'));
    const shape = shapeOf(args.map(({ node }) => node.shape));
    if (shape === undefined) return;
    if (sizeOf(shape) > 5000) return;
    const gives = op.gives === 'bool' ? 'bool' : dtype;
    const [a, b] = [x.below, args.at(-1)?.below];
    const grows: Partial<Record<ElementOpName, (a: number, b: number) => number>> = {
      abs: (a) => a,
      negative: (a) => a,
      add: (a, b) => a + b,
      subtract: (a, b) => a + b,
      multiply: (a, b) => a * b,
      maximum: Math.max,
      minimum: Math.max,
    };
    const grown = kindOf(dtype) === 'float' && a !== undefined && b !== undefined ? grows[name]?.(a, b) : undefined;
    this.#put(
      { kind: 'element', op: name },
      shape,
      gives,
      args.map(({ node }) => node),
      gives === 'bool' ? 2 : grown,
    );
  }

  #view({ node, below }: Made): void {
    const shape: number[] = [];
    const order = node.shape.map((_, axis) => axis);
    if (this.#chance(2)) order.reverse();
    const maps: AxisMap[] = node.shape.map(() => ({ start: 0, step: 0, axis: undefined }));
    for (const own of order) {
      const length = node.shape[own] as number;
      if (this.#chance(6)) shape.push(this.#of([1, 3]));
      if (length > 0 && this.#chance(6)) {
        maps[own] = { start: this.#below(length), step: 0, axis: undefined };
        continue;
      }
      const step = this.#of([1, 1, 1, 2, -1, -2]);
      const count =
        this.#chance(3) && length > 0
          ? this.#below(Math.ceil(length / Math.abs(step)) + 1)
          : Math.ceil(length / Math.abs(step));
      const spare = length - (count - 1) * Math.abs(step) - 1;
      const skipped = count > 0 && spare > 0 && this.#chance(2) ? this.#below(spare + 1) : 0;
      const start = step > 0 || length === 0 ? skipped : length - 1 - skipped;
      maps[own] = { start, step, axis: shape.push(count) - 1 };
    }
    if (sizeOf(shape) > 5000) return;
    this.#put({ kind: 'view', maps }, shape, node.dtype, [node], below);
  }

  #reshape({ node, below }: Made): void {
    const size = sizeOf(node.shape);
    const shapes = [
      [size],
      [1, ...node.shape],
      [...node.shape, 1],
      [...node.shape].reverse(),
      node.shape.filter((n) => n !== 1),
    ];
    for (const part of [2, 3, 4, 12]) if (size % part === 0) shapes.push([part, size / part], [size / part, part]);
    this.#put({ kind: 'reshape' }, this.#of(shapes), node.dtype, [node], below);
  }

  #reduce(made: Made): void {
    const { node, below } = made;
    const axes = node.shape.flatMap((_, axis) => (this.#chance(2) ? [axis] : []));
    const points = axes.reduce((size, axis) => size * (node.shape[axis] as number), 1);
    const names = (Object.keys(REDUCERS) as ReducerName[]).filter((name) => {
      if (!reducer(name).takes.includes(kindOf(node.dtype))) return false;
      if (kindOf(node.dtype) !== 'float') return true;
      return name === 'sum' ? (below ?? EXACT_BELOW) * points < EXACT_BELOW : name !== 'prod';
    });
    const name = this.#of(names);
    if (name === undefined) return;
    const shape = node.shape.filter((_, axis) => !axes.includes(axis));
    const grown = kindOf(node.dtype) === 'float' && below !== undefined && points > 0 ? below * points : undefined;
    this.#put({ kind: 'reduce', reducer: name, axes }, shape, node.dtype, [node], grown);
    if (this.#chance(2)) return;
    // As softmax and the like have it.
    const kept = node.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    this.#put({ kind: 'reshape' }, kept, node.dtype, [(this.#made.at(-1) as Made).node], grown);
  }

  #place({ node }: Made): void {
    if (node.shape.length === 0) return;
    const axis = this.#below(node.shape.length);
    if (node.shape[axis] === 0) return;
    const shape = node.shape.filter((_, each) => each !== axis);
    this.#put({ kind: 'place', of: this.#of(['min', 'max']), axis }, shape, 'i64', [node], 131);
  }

  #product({ node, below }: Made): void {
    const rank = node.shape.length;
    const [m, k] = node.shape.slice(-2) as [number, number];
    if (rank < 2 || node.dtype === 'bool' || m * m * k > 20_000) return;
    if (kindOf(node.dtype) === 'float' && (below ?? EXACT_BELOW) ** 2 * k >= EXACT_BELOW) return;
    const shape = [...node.shape.slice(0, -2), k, m];
    if (sizeOf(shape) * m > 50_000) return;
    const maps = node.shape.map((_, axis) => ({
      start: 0,
      step: 1,
      axis: axis < rank - 2 ? axis : rank - 1 - (axis - rank + 2),
    }));
    const other = new Node({ kind: 'view', maps }, shape, node.dtype, [node]);
    this.#put(
      { kind: 'matmul' },
      [...node.shape.slice(0, -2), m, m],
      node.dtype,
      [node, other],
      below === undefined ? undefined : below ** 2 * k,
    );
  }

  #take({ node, below }: Made): void {
    if (node.shape.length === 0) return;
    const axis = this.#below(node.shape.length);
    const length = node.shape[axis] as number;
    const many = this.#chance(3) && sizeOf(node.shape) <= 100;
    const count = length === 0 ? 0 : this.#below(many ? 40 : 5);
    const own = BigInt64Array.from({ length: count }, () => BigInt(this.#below(length)));
    const source: Op = { kind: 'source', buffer: this.#buffers.adopt('i64', own), offset: 0, strides: [1] };
    const shape = node.shape.map((each, i) => (i === axis ? count : each));
    let indices = new Node(source, [count], 'i64');
    // They may be computed themselves, by the same rows.
    if (this.#chance(2)) {
      const backwards = { kind: 'view', maps: [{ start: Math.max(0, count - 1), step: -1, axis: 0 }] } as const;
      indices = new Node(backwards, [count], 'i64', [
        new Node({ kind: 'element', op: 'abs' }, [count], 'i64', [indices]),
      ]);
    }
    this.#put({ kind: 'take', axis }, shape, node.dtype, [node, indices], below);
  }

  /** One after the other, or with a part that is something else. */
  #assemble({ node, below }: Made): void {
    if (node.shape.length === 0) return;
    const axis = this.#below(node.shape.length);
    const plain = node.shape.map((_, i) => ({ start: 0, step: 1, axis: i }));
    const length = node.shape[axis] as number;
    if (this.#chance(2)) {
      if (sizeOf(node.shape) > 1000) return;
      const shape = node.shape.map((each, i) => (i === axis ? 2 * each : each));
      const at = [plain, plain.map((map, i) => (i === axis ? { ...map, start: length } : map))];
      this.#put({ kind: 'assemble', at }, shape, node.dtype, [node, node], below);
      return;
    }
    if (length === 0) return;
    const covered = { start: this.#below(length), step: 0, axis: undefined };
    const at = [
      plain,
      node.shape.map((_, i) => (i === axis ? covered : { start: 0, step: 1, axis: i < axis ? i : i - 1 })),
    ];
    const part = this.#constant(
      node.dtype,
      node.shape.filter((_, i) => i !== axis),
    );
    this.#put({ kind: 'assemble', at }, node.shape, node.dtype, [node, part.node]);
  }
}

/** The shape that these have together, if there is one. */
function shapeOf(shapes: readonly Shape[]): number[] | undefined {
  try {
    return broadcastShapes('these', shapes);
  } catch {
    return undefined;
  }
}

/** Throws unless what was computed of the roots is what they mean, to the last bit. */
export function assertMeans(roots: readonly Node[], expected: ReadonlyMap<Node, Elements>, pipelines: Pipelines): void {
  for (const [i, root] of roots.entries()) {
    const want = expected.get(root) as unknown as ArrayLike<number | bigint>;
    const have = pipelines.read(root) as unknown as ArrayLike<number | bigint>;
    assert.equal(have.length, want.length);
    for (let at = 0; at < want.length; at++) {
      if (!Object.is(have[at], want[at]))
        assert.fail(`root ${i} (${root.dtype}, ${root.shape}) at ${at}: ${have[at]} instead of ${want[at]}`);
    }
  }
}

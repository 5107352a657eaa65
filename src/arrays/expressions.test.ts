import { test } from 'node:test';
import fc from 'fast-check';
import { applied, cast, type ElementOpName, elementOp } from '../kernels/index.ts';
import { broadcastShapes, type DType } from '../nd/index.ts';
import {
  anyShape,
  asArr,
  at,
  build,
  type Plain,
  type Point,
  plainOf,
  points,
  same,
  withSession,
} from './arrays.fixture.ts';
import * as sf from './index.ts';
import { type Arr, concat, flip, roll, sum } from './index.ts';

withSession();

/** An array and what it means, which grow together. */
interface Both {
  readonly arr: Arr;
  readonly plain: Plain;
}

type Grow = (stack: readonly Both[]) => Both | undefined;

const functions = sf as unknown as Readonly<Record<string, (...args: unknown[]) => Arr>>;

/** An operator, where the types and shapes of two arrays fit. */
function elementwise(name: ElementOpName): Grow {
  return ([x, y]) => {
    const { arity, takes } = elementOp(name);
    const args = arity === 1 ? [x!] : [x!, y ?? x!];
    const dtype = args[0]!.plain.dtype;
    if (args.some(({ plain }) => plain.dtype !== dtype)) return undefined;
    const kind = dtype === 'bool' ? 'bool' : dtype === 'f64' ? 'float' : 'int';
    if (!(takes as readonly string[]).includes(kind)) return undefined;
    let shape: readonly number[];
    try {
      shape = broadcastShapes(
        name,
        args.map(({ plain }) => plain.shape),
      );
    } catch {
      return undefined;
    }
    const type: DType = elementOp(name).gives === 'bool' ? 'bool' : dtype;
    const plain = build(shape, type, (p) =>
      applied(
        elementOp(name),
        dtype,
        args.map((arg) => at(arg.plain, p)),
      ),
    );
    return { arr: functions[name]!(...args.map(({ arr }) => arr)), plain };
  };
}

const converted =
  (to: DType): Grow =>
  ([x]) => ({
    arr: x!.arr.astype(to),
    plain: build(x!.plain.shape, to, (p) => cast(at(x!.plain, p), x!.plain.dtype, to)),
  });

/** Along an axis of the array, chosen by a number. */
const axisOf = ({ plain }: Both, number: number): number | undefined =>
  plain.shape.length === 0 ? undefined : number % plain.shape.length;

const flipped =
  (number: number): Grow =>
  ([x]) => {
    const axis = axisOf(x!, number);
    if (axis === undefined) return undefined;
    const turn = (p: Point): number[] => p.map((i, each) => (each === axis ? x!.plain.shape[axis]! - 1 - i : i));
    return { arr: flip(x!.arr, { axis }), plain: build(x!.plain.shape, x!.plain.dtype, (p) => at(x!.plain, turn(p))) };
  };

const transposed: Grow = ([x]) => ({
  arr: x!.arr.transpose(),
  plain: build([...x!.plain.shape].reverse(), x!.plain.dtype, (p) => at(x!.plain, [...p].reverse())),
});

const rolled =
  (number: number): Grow =>
  ([x]) => {
    const axis = axisOf(x!, number);
    if (axis === undefined || x!.plain.shape[axis] === 0) return undefined;
    const length = x!.plain.shape[axis]!;
    const from = (p: Point): number[] =>
      p.map((i, each) => (each === axis ? (i - (number % length) + length) % length : i));
    return {
      arr: roll(x!.arr, number, { axis }),
      plain: build(x!.plain.shape, x!.plain.dtype, (p) => at(x!.plain, from(p))),
    };
  };

const sliced =
  (number: number): Grow =>
  ([x]) => {
    const axis = axisOf(x!, number);
    if (axis === undefined) return undefined;
    const step = 1 + (number % 3);
    const shape = x!.plain.shape.map((length, each) => (each === axis ? Math.ceil(length / step) : length));
    const ix = x!.plain.shape.map((_, each) => (each === axis ? (`::${step}` as const) : (':' as const)));
    return {
      arr: x!.arr.at(...ix),
      plain: build(shape, x!.plain.dtype, (p) =>
        at(
          x!.plain,
          p.map((i, each) => (each === axis ? i * step : i)),
        ),
      ),
    };
  };

const summed =
  (number: number): Grow =>
  ([x]) => {
    const axis = axisOf(x!, number);
    if (axis === undefined || x!.plain.dtype === 'bool') return undefined;
    const length = x!.plain.shape[axis]!;
    const shape = x!.plain.shape.filter((_, each) => each !== axis);
    const add = elementOp('add');
    const zero = x!.plain.dtype === 'i64' ? 0n : 0;
    // Whole numbers of this size are summed exactly in any order.
    if (x!.plain.values.some((value) => Math.abs(Number(value)) > 1e9 || !Number.isInteger(Number(value))))
      return undefined;
    return {
      arr: sum(x!.arr, { axis, dtype: x!.plain.dtype }),
      plain: build(shape, x!.plain.dtype, (p) => {
        let all: number | bigint = zero;
        for (let i = 0; i < length; i++) {
          const point = [...p];
          point.splice(axis, 0, i);
          all = applied(add, x!.plain.dtype, [all, at(x!.plain, point)]);
        }
        return all;
      }),
    };
  };

const doubled =
  (number: number): Grow =>
  ([x]) => {
    const axis = axisOf(x!, number);
    if (axis === undefined) return undefined;
    const length = x!.plain.shape[axis]!;
    const shape = x!.plain.shape.map((own, each) => (each === axis ? 2 * own : own));
    return {
      arr: concat([x!.arr, x!.arr], { axis }),
      plain: build(shape, x!.plain.dtype, (p) =>
        at(
          x!.plain,
          p.map((i, each) => (each === axis ? i % length : i)),
        ),
      ),
    };
  };

const reshaped: Grow = ([x]) => ({
  arr: x!.arr.reshape([-1]),
  plain: { ...x!.plain, shape: [[...points(x!.plain.shape)].length] },
});

/** Every other element, row by row, replaced with another array's where it broadcasts, or kept. */
const replaced: Grow = ([x]) => {
  if (x!.plain.shape.length === 0) return undefined;
  const value = x!.plain.dtype === 'bool' ? 1 : x!.plain.dtype === 'i64' ? 7n : 7;
  const scalar = x!.plain.dtype === 'bool' ? true : value;
  return {
    arr: x!.arr.set(['1::2'], scalar as never),
    plain: build(x!.plain.shape, x!.plain.dtype, (p) => (p[0]! % 2 === 1 ? value : at(x!.plain, p))),
  };
};

const steps = fc.oneof(
  fc
    .constantFrom<ElementOpName>(
      'add',
      'subtract',
      'multiply',
      'maximum',
      'minimum',
      'remainder',
      'floorDivide',
      'less',
      'equal',
      'logicalAnd',
      'bitwiseXor',
      'abs',
      'negative',
      'sign',
      'square',
      'isFinite',
      'logicalNot',
      'sqrt',
      'divide',
    )
    .map(elementwise),
  fc.constantFrom<DType>('f64', 'i32', 'i64', 'bool').map(converted),
  fc.nat(11).chain((number) => fc.constantFrom(flipped, rolled, sliced, summed, doubled).map((make) => make(number))),
  fc.constantFrom(transposed, reshaped, replaced),
);

const program = anyShape.chain((shape) =>
  fc.record({
    leaves: fc.array(
      fc.constantFrom<DType>('f64', 'i32', 'i64', 'bool').chain((dtype) => plainOf(shape, dtype)),
      { minLength: 1, maxLength: 3 },
    ),
    steps: fc.array(fc.tuple(steps, fc.nat(9)), { maxLength: 12 }),
  }),
);

const RUNS = Number(process.env.SHEAF_GRAPH_RUNS ?? 500);
/** The same ones each time; others by command. */
const SEED = Number(process.env.SHEAF_GRAPH_SEED ?? 1);
const MOST_ELEMENTS = 2000;

test('random expressions give what they mean', () =>
  fc.assert(
    fc.asyncProperty(program, async ({ leaves, steps }) => {
      const stack: Both[] = leaves.map((plain) => ({ arr: asArr(plain), plain }));
      for (const [grow, chosen] of steps) {
        // The last one, and any other beside it.
        const next = grow([stack.at(-1)!, stack[chosen % stack.length]!]);
        if (next !== undefined && next.plain.values.length <= MOST_ELEMENTS) stack.push(next);
      }
      await same(stack.at(-1)!.arr, stack.at(-1)!.plain);
      // Whatever was computed on the way is still what it was.
      for (const { arr, plain } of stack) await same(arr, plain);
    }),
    { numRuns: RUNS, seed: SEED },
  ));

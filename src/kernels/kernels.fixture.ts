import fc from 'fast-check';
import {
  DTYPE_NAMES,
  DTYPES,
  type DType,
  type Elements,
  elements,
  isBig,
  kindOf,
  rowMajor,
  sizeOf,
} from '../nd/index.ts';
import { ELEMENTWISE, type ElementOpName, elementOp } from './elementwise.ts';
import { type Kernel, KernelBuilder } from './kernel.ts';
import { REDUCERS, type ReducerName, reducer } from './reducers.ts';
import type { Run, Strided } from './reference.ts';

/** A kernel with something to run it on. */
export interface Program {
  readonly kernel: Kernel;
  readonly run: Run;
}

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 31,
  -(2 ** 31),
  1e-310,
  2 ** 53,
];

/** Any value of a type, those at its edges often. */
export function anyValue(dtype: DType): fc.Arbitrary<number | bigint> {
  const { kind, min, max } = DTYPES[dtype];
  if (kind === 'bool') return fc.integer({ min: 0, max: 1 });
  if (kind === 'float') {
    const any = fc.oneof(fc.constantFrom(...SPECIAL), fc.integer({ min: -100, max: 100 }), fc.double());
    return dtype === 'f32' ? any.map(Math.fround) : any;
  }
  const edges = fc.constantFrom(...[min, max, 0, 1, 2].map((x) => (isBig(dtype) ? BigInt(x) : Number(x))));
  const any = isBig(dtype) ? fc.bigInt(BigInt(min), BigInt(max)) : fc.integer({ min: Number(min), max: Number(max) });
  return fc.oneof(
    edges,
    any,
    fc.integer({ min: 0, max: 9 }).map((x) => (isBig(dtype) ? BigInt(x) : x)),
  );
}

const names = Object.keys(ELEMENTWISE) as ElementOpName[];
const reducers = Object.keys(REDUCERS) as ReducerName[];

/** How an operand lies in memory: which axes it broadcasts over, whether it lies the other way round, and what is before it. */
const layout = (rank: number) => {
  const broadcasts = fc.array(fc.boolean(), { minLength: rank, maxLength: rank });
  const no = fc.constant(false);
  return fc.oneof(
    // Mostly row by row, which is what there is fast code for.
    {
      weight: 4,
      arbitrary: fc.record({
        broadcasts: fc.constant(new Array<boolean>(rank).fill(false)),
        transposed: no,
        reversed: no,
        gap: fc.constant(0),
      }),
    },
    { weight: 1, arbitrary: fc.record({ broadcasts, transposed: no, reversed: no, gap: fc.constant(0) }) },
    {
      weight: 1,
      arbitrary: fc.record({ broadcasts, transposed: fc.boolean(), reversed: fc.boolean(), gap: fc.nat(2) }),
    },
  );
};

type Layout = typeof layout extends (rank: number) => fc.Arbitrary<infer L> ? L : never;

function strided(
  space: readonly number[],
  { broadcasts, transposed, reversed, gap }: Layout,
): { length: number; offset: number; strides: number[] } {
  const own = space.map((length, axis) => (broadcasts[axis] ? 1 : length));
  const order = transposed ? [...own].reverse() : own;
  let strides = rowMajor(order).map((step) => step * (gap + 1));
  if (transposed) strides = strides.reverse();
  strides = strides.map((step, axis) => (broadcasts[axis] ? 0 : step));
  let offset = gap;
  if (reversed) {
    strides = strides.map((step, axis) => {
      offset += step * Math.max(0, (space[axis] as number) - 1);
      return step === 0 ? 0 : -step;
    });
  }
  return { length: sizeOf(own) * (gap + 1) + gap, offset, strides };
}

/** Random kernels over all types and operators, with operands in all kinds of layouts. `ops`: the operators that may occur. */
export function programs(ops: (name: ElementOpName, dtype: DType) => boolean = () => true): fc.Arbitrary<Program> {
  const short = fc.integer({ min: 0, max: 5 });
  // Long enough along the last axis for lanes, several rounds of them, and a rest.
  const space = fc.oneof(
    fc.array(short, { maxLength: 3 }),
    fc
      .tuple(fc.array(short, { maxLength: 1 }), fc.integer({ min: 1, max: 150 }))
      .map(([outer, last]) => [...outer, last]),
    // Short rows, and enough of them.
    fc
      .tuple(
        fc.array(short, { maxLength: 1 }),
        fc.integer({ min: 1, max: 20 }),
        fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(40)),
      )
      .map(([outer, rows, last]) => [...outer, rows, last]),
  );
  // Numbers of one width, which lanes need, or of any.
  const palette = fc.constantFrom<DType[]>(
    [...DTYPE_NAMES],
    ['f64'],
    ['f64', 'i64', 'u64', 'bool'],
    ['f32', 'i32', 'u32', 'bool'],
    ['i16', 'u16', 'bool'],
    ['i8', 'u8', 'bool'],
    ['bool'],
  );
  return fc
    .record({ space, palette, length: fc.nat(12) })
    .chain(({ space, palette, length }) => {
      const dtype = fc.constantFrom(...palette);
      const types = fc.array(dtype, { minLength: 1, maxLength: 3 });
      return fc.record({
        types,
        scalar: dtype,
        space: fc.constant(space),
        palette: fc.constant(palette),
        length: fc.constant(length),
      });
    })
    .chain(({ space, palette, types, scalar, length }) =>
      fc.record({
        palette: fc.constant(palette),
        space: fc.constant(space),
        types: fc.constant(types),
        layouts: fc.tuple(...types.map(() => layout(space.length))),
        scalar: fc.constant(scalar),
        scalarValue: anyValue(scalar),
        choices: fc.array(fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 }), {
          minLength: length,
          maxLength: length,
        }),
        ends: fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.boolean(), layout(space.length)), {
          minLength: 1,
          maxLength: 3,
        }),
        data: fc.tuple(...types.map((type) => fc.array(anyValue(type), { minLength: 7, maxLength: 7 }))),
      }),
    )
    .map((plan) => {
      const { space, palette, types, scalar, scalarValue } = plan;
      const builder = new KernelBuilder(space.length);
      const made: { value: number; dtype: DType }[] = types.map((dtype) => ({ value: builder.operand(dtype), dtype }));
      made.push({ value: builder.scalar(scalar), dtype: scalar });
      if (palette.includes('i64')) {
        for (const axis of space.keys()) made.push({ value: builder.position(axis), dtype: 'i64' });
      }
      for (const [which = 0, a = 0, b = 0, c = 0, to = 0] of plan.choices) {
        const pick = (n: number) => made[n % made.length] as (typeof made)[number];
        const name = names[which % names.length] as ElementOpName;
        const op = elementOp(name);
        const x = pick(a);
        if (!op.takes.includes(kindOf(x.dtype)) || !ops(name, x.dtype)) {
          const dtype = palette[to % palette.length] as DType;
          made.push({ value: builder.cast(x.value, dtype), dtype });
          continue;
        }
        const args = [x, pick(b), pick(c)]
          .slice(0, op.chooses ? 2 : op.arity)
          .map(({ value }) => builder.cast(value, x.dtype));
        if (op.chooses) args.unshift(builder.cast(pick(c).value, 'bool'));
        const dtype = op.gives === 'bool' ? 'bool' : x.dtype;
        made.push({ value: builder.apply(name, args, dtype), dtype });
      }
      const results: Strided[] = [];
      for (const [which, reduce, along, where] of plan.ends) {
        const { value, dtype } = made[made.length - 1 - (which % made.length)] as (typeof made)[number];
        const fitting = [null, ...reducers].filter(
          (name) => name === null || reducer(name).takes.includes(kindOf(dtype)),
        );
        const how = fitting[reduce % fitting.length] as ReducerName | null;
        builder.result(value, how);
        // Only what is reduced may lie on top of itself; mostly along the last axis.
        const { length, offset, strides } = strided(
          space,
          how === null || along
            ? { ...where, broadcasts: space.map((_, axis) => how !== null && axis === space.length - 1) }
            : where,
        );
        const into = elements(dtype, length);
        into.fill((how === null ? (isBig(dtype) ? 0n : 0) : reducer(how).identity(dtype)) as never);
        results.push({ elements: into, offset, strides });
      }
      const operands = types.map((dtype, i): Strided => {
        const { length, offset, strides } = strided(space, plan.layouts[i] as Layout);
        const values = plan.data[i] as (number | bigint)[];
        const from = elements(dtype, length);
        for (let at = 0; at < length; at++) from[at] = values[at % values.length] as never;
        return { elements: from, offset, strides };
      });
      return { kernel: builder.build(), run: { space, operands, scalars: [scalarValue], results } };
    });
}

/** The same, with results of its own. */
export const again = (run: Run): Run => ({
  ...run,
  results: run.results.map((each) => ({ ...each, elements: each.elements.slice() as Elements })),
});

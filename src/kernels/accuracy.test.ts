import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DType, elements } from '../nd/index.ts';
import { generator, operandsOf } from './accuracy.fixture.ts';
import { ULPS } from './accuracy.ts';
import { ELEMENTWISE, type ElementOpName, elementOp } from './elementwise.ts';
import { KernelBuilder } from './kernel.ts';
import { log, ORACLE, PI, sineAndCosine } from './oracle.fixture.ts';
import { div, exactly, mul, nearest, neg, type Real, scale, sub, ulpsFrom } from './reals.fixture.ts';
import { applied, type Strided } from './reference.ts';
import { SPECIAL_CASES } from './special-cases.ts';
import { WasmKernels } from './wasm/kernels.ts';
import { isInLibrary } from './wasm/math/library.ts';
import { LOGARITHMS } from './wasm/math/logarithms.table.ts';
import { POWERS_OF_TWO } from './wasm/math/powers.table.ts';
import { SINES } from './wasm/math/sines.table.ts';

const RUNS = Number(process.env.SHEAF_ACCURACY_RUNS ?? 400);
const FLOATS = ['f64', 'f32'] as const;
type Float = (typeof FLOATS)[number];

const names = Object.keys(ULPS) as (keyof typeof ULPS)[];
/** Functions of the library that give what the reference gives, to the last bit. */
const EXACT = ['floorDivide', 'nextafter', 'remainder'] as const satisfies ElementOpName[];

const memory = new WebAssembly.Memory({ initial: 64, maximum: 64 });
const kernels = new WasmKernels(memory);

/** An operator applied by WebAssembly to elements that lie one after the other, or some way apart, which is done one by one. */
function inWasm(name: ElementOpName, dtype: Float, operands: readonly (readonly number[])[], stride = 1): number[] {
  const { arity, gives } = elementOp(name);
  const builder = new KernelBuilder(1);
  const result = gives === 'bool' ? 'bool' : dtype;
  const loaded = Array.from({ length: arity }, () => builder.operand(dtype));
  const kernel = builder.result(builder.apply(name, loaded, result)).build();
  const length = operands.length;
  let next = 0;
  const place = (type: DType): Strided => {
    const Elements = elements(type, 0).constructor as Float64ArrayConstructor;
    const at = next;
    next += Math.ceil((length * stride * Elements.BYTES_PER_ELEMENT) / 16) * 16;
    return { elements: new Elements(memory.buffer as ArrayBuffer, at, length * stride), offset: 0, strides: [stride] };
  };
  const given = loaded.map(() => place(dtype));
  const into = place(result);
  for (const [i, each] of operands.entries()) {
    for (const [j, x] of each.slice(0, arity).entries()) (given[j] as Strided).elements[i * stride] = x as never;
  }
  assert.equal(kernels.run(kernel, { space: [length], operands: given, scalars: [], results: [into] }), true);
  return operands.map((_, i) => Number(into.elements[i * stride]));
}

const text = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

test('every function of floats has its bound, or is exact', () => {
  const all = (Object.keys(ELEMENTWISE) as ElementOpName[]).filter(isInLibrary).sort();
  assert.deepEqual(all, [...names, ...EXACT].sort());
  assert.deepEqual(Object.keys(ORACLE).sort(), [...names].sort());
});

for (const dtype of FLOATS) {
  test(`functions of ${dtype} are within their bounds, by definition and in WebAssembly`, () => {
    const random = generator(dtype === 'f64' ? 1 : 2);
    for (const name of names) {
      const operands = Array.from({ length: RUNS }, () => operandsOf(name, dtype, random));
      const inLanes = inWasm(name, dtype, operands);
      const bound = dtype === 'f64' ? ULPS[name] : 0.50001;
      for (const [i, [x, y]] of operands.entries()) {
        const exact = ORACLE[name](x, y);
        const unit =
          name === 'logaddexp' ? exactly(Math.max(Math.abs(x), Math.abs(y), Math.abs(nearest(exact)))) : exact;
        const within = (got: number, where: string): void => {
          const ulps = ulpsFrom(got, exact, dtype, unit);
          assert.ok(
            ulps <= bound,
            `${name}(${x}, ${y}) of ${dtype} is ${got} in ${where}: ${ulps} ulp from the exact result`,
          );
        };
        within(inLanes[i] as number, 'WebAssembly');
        const isKnownToBeOff = name === 'pow' && Math.abs(y) > 2 ** 31;
        if (!isKnownToBeOff) within(applied(elementOp(name), dtype, [x, y]) as number, 'the reference');
      }
    }
  });

  test(`special cases of ${dtype} are those of the standard in WebAssembly, in lanes and one by one`, () => {
    for (const [key, cases] of Object.entries(SPECIAL_CASES)) {
      const name = key as ElementOpName;
      if (!isInLibrary(name)) continue;
      for (const stride of [1, 2]) {
        const got = inWasm(name, dtype, cases, stride);
        for (const [i, each] of cases.entries()) {
          const expected = each.at(-1) as number;
          const want = dtype === 'f32' ? Math.fround(expected) : expected;
          const have = got[i] as number;
          // Multiples of pi are not exact.
          const isClose =
            Math.abs(want) > 0.5 &&
            Math.abs(want) < 4 &&
            Math.abs(have - want) <= 2 ** -22 * (dtype === 'f32' ? 1 : 2 ** -29);
          assert.ok(
            Object.is(have, want) || (!Number.isInteger(want) && isClose),
            `${name}(${each.slice(0, -1).map(text)}) of ${dtype} is ${text(have)}, not ${text(want)}`,
          );
        }
      }
    }
  });

  test(`a special value beside others changes none of them (${dtype})`, () => {
    const random = generator(3);
    const special = [
      0,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e-310,
      -1e-310,
      -1,
      1e308,
      -1e308,
    ];
    for (const name of [...names, ...EXACT]) {
      const ordinary = Array.from({ length: 40 }, () =>
        name in ORACLE ? operandsOf(name as keyof typeof ORACLE, dtype, random) : [9 * random(), random() + 0.1],
      );
      const alone = inWasm(name, dtype, ordinary);
      const mixed = ordinary.flatMap((each, i) => [
        each,
        [special[i % special.length], special[Math.floor(i / 4)]] as number[],
      ]);
      const among = inWasm(name, dtype, mixed).filter((_, i) => i % 2 === 0);
      assert.deepEqual(among, alone, name);
      // Nor does it matter whether it goes through lanes.
      assert.deepEqual(inWasm(name, dtype, mixed, 3), inWasm(name, dtype, mixed), name);
    }
  });

  test(`divisions and neighbours of ${dtype} are those of the reference to the last bit`, () => {
    const random = generator(4);
    const size = (): number => (random() - 0.5) * 2 ** Math.round((random() < 0.5 ? 20 : 2000) * (random() - 0.5));
    const some = [
      0,
      -0,
      1,
      -1,
      0.1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      5e-324,
      2 ** 53,
      2 ** -126,
      2 ** 127 * (2 - 2 ** -23),
    ];
    const any = (): number => (random() < 0.2 ? (some[Math.floor(random() * some.length)] as number) : size());
    const operands = Array.from({ length: 8000 }, () => {
      const y = any();
      // Multiples, and what is just beside them, are the hard ones.
      const multiple = Math.round(1000 * (random() - 0.5)) * y * (1 + Math.round(3 * (random() - 0.5)) * 2 ** -52);
      const both = [random() < 0.3 ? multiple : any(), y];
      return dtype === 'f32' ? both.map(Math.fround) : both;
    });
    for (const name of EXACT) {
      const got = inWasm(name, dtype, operands);
      for (const [i, each] of operands.entries()) {
        const want = applied(elementOp(name), dtype, each) as number;
        assert.ok(
          Object.is(got[i], want),
          `${name}(${each.map(text)}) of ${dtype} is ${text(got[i] as number)}, not ${text(want)}`,
        );
      }
    }
  });
}

test('results that are whole are whole', () => {
  const tens = Array.from({ length: 23 }, (_, i) => [10 ** i]);
  assert.deepEqual(
    inWasm('log10', 'f64', tens),
    tens.map((_, i) => i),
  );
  const twos = Array.from({ length: 2098 }, (_, i) => [2 ** (i - 1074)]);
  assert.deepEqual(
    inWasm('log2', 'f64', twos),
    twos.map((_, i) => i - 1074),
  );
  const powers = Array.from({ length: 300 }, (_, i) => [Math.floor(i / 15) - 10, i % 15]);
  assert.deepEqual(
    inWasm('pow', 'f64', powers),
    powers.map(([x, y]) => Number(BigInt(x as number) ** BigInt(y as number))),
  );
});

/** A number as the nearest double and what is left of it, divided by `by`. */
const inTwo = (x: Real): [number, Real] => [nearest(x), sub(x, exactly(nearest(x)))];

test('the tables are what they say', () => {
  assert.equal(POWERS_OF_TWO.length, 256);
  for (const [j, [power, rest]] of POWERS_OF_TWO.entries()) {
    const [want, left] = inTwo(ORACLE.pow(2, j / 256));
    assert.equal(power, want);
    assert.equal(rest, nearest(div(left, exactly(want))));
  }
  assert.equal(SINES.length, 33);
  for (const [k, [sine, rest]] of SINES.entries()) {
    const [want, left] = inTwo(sineAndCosine(scale(mul(PI, exactly(k)), -6)).sine);
    assert.equal(sine, want);
    assert.equal(rest, nearest(left));
  }
  assert.equal(LOGARITHMS.length, 128);
  for (const [i, [inverse, high, low]] of LOGARITHMS.entries()) {
    // The middle of an interval of the bits of doubles from 0.70703125 on.
    const from = 0.70703125 + i * 2 ** -8;
    const middle = from < 1 ? from + 2 ** -9 : 1 + (i - 75) * 2 ** -7 + 2 ** -8;
    assert.ok(Number.isInteger(inverse * 512));
    assert.ok(Math.abs(inverse * middle - 1) <= 2 ** -8 + 2 ** -10, `${inverse} is near the inverse of ${middle}`);
    assert.ok(Number.isInteger(high * 2 ** 42));
    const exact = neg(log(exactly(inverse)));
    assert.equal(low, nearest(sub(exact, exactly(high))));
  }
});

test('the smaller of two far apart adds nothing to their logaddexp', () => {
  for (const stride of [1, 2]) {
    assert.deepEqual(
      inWasm(
        'logaddexp',
        'f64',
        [
          [0, -1e6],
          [-1e-310, -800],
          [0, -720],
          [0, Number.NEGATIVE_INFINITY],
        ],
        stride,
      ),
      [0, -1e-310, Math.exp(-720), 0],
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elements } from '../nd/index.ts';
import { generator } from './accuracy.fixture.ts';
import { ULPS } from './accuracy.ts';
import { pow } from './floats.ts';
import { KernelBuilder } from './kernel.ts';
import { ORACLE } from './oracle.fixture.ts';
import { ulpsFrom } from './reals.fixture.ts';
import { SPECIAL_CASES } from './special-cases.ts';
import { WasmKernels } from './wasm/kernels.ts';
import { MOST_EXPONENTS } from './wasm/math/one-power.ts';

const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
const kernels = new WasmKernels(memory);

type Float = 'f64' | 'f32';

/** The sum over all exponents of base^exponent; each exponent is part of the kernel, or given when it is run. */
function powers(dtype: Float, bases: readonly number[], exponents: readonly number[], given: boolean): number[] {
  const builder = new KernelBuilder(1);
  const base = builder.operand(dtype);
  const terms = exponents.map((y) =>
    builder.apply('pow', [base, given ? builder.scalar(dtype) : builder.constant(y, dtype)], dtype),
  );
  const sum = terms.reduce((all, each) => builder.apply('add', [all, each], dtype));
  const kernel = builder.result(sum).build();
  const Elements = elements(dtype, 0).constructor as Float64ArrayConstructor;
  const place = (at: number) => ({
    elements: new Elements(memory.buffer as ArrayBuffer, at, bases.length),
    offset: 0,
    strides: [1],
  });
  const [x, into] = [place(0), place(1 << 16)];
  x.elements.set(bases);
  const scalars = given ? [...exponents] : [];
  assert.equal(kernels.run(kernel, { space: [bases.length], operands: [x], scalars, results: [into] }), true);
  return [...into.elements];
}

const random = generator(11);
/** Where the tables serve, at their ends, and beyond. */
const EXPONENTS = [1.7, 0.5, -0.5, 1 / 3, 3, 4, 7, 9, -2, -3, 1, 0, -1.5, 8.99, -2.99, 9.01, -3.01, 1e-9, 40, 1e300];

for (const dtype of ['f64', 'f32'] as const) {
  test(`powers with one exponent are within their bound (${dtype})`, () => {
    const narrow = (x: number): number => (dtype === 'f32' ? Math.fround(x) : x);
    for (const exponent of EXPONENTS.map(narrow)) {
      const sign = (): number => (Number.isInteger(exponent) && random() < 0.5 ? -1 : 1);
      const bases = Array.from({ length: 63 }, (_, i) => {
        const size = [
          () => 3 * random(),
          () => 1 + (random() - 0.5) * 2 ** (-50 * random()),
          () => 0.703 + random() * 0.01,
        ];
        const wide = () => (1 + random()) * 2 ** (2100 * random() - 1075);
        return narrow(sign() * ([...size, wide][i % 4] as () => number)()) || 1;
      });
      const got = powers(dtype, bases, [exponent], true);
      // A constant is no other exponent.
      assert.deepEqual(powers(dtype, bases, [exponent], false), got);
      for (const [i, x] of bases.entries()) {
        if (!Number.isFinite(x)) continue;
        if (Math.abs(exponent) > 100 || exponent === 0) {
          assert.equal(got[i], narrow(pow(x, exponent)));
          continue;
        }
        const ulps = ulpsFrom(got[i] as number, ORACLE.pow(x, exponent), dtype);
        const bound = dtype === 'f64' ? ULPS.pow : 0.50001;
        assert.ok(ulps <= bound, `${x} ** ${exponent} is ${got[i]}: ${ulps} ulp from the exact result`);
      }
    }
  });

  test(`special cases with one exponent are those of the standard, beside others and alone (${dtype})`, () => {
    const ordinary = Array.from({ length: 5 }, () => (dtype === 'f32' ? Math.fround(random() + 0.5) : random() + 0.5));
    for (const [x, y, expected] of SPECIAL_CASES.pow as readonly [number, number, number][]) {
      const [got, ...others] = powers(dtype, [x, ...ordinary], [y], true);
      const want = dtype === 'f32' ? Math.fround(expected) : expected;
      assert.ok(Object.is(got, want) || Math.abs((got as number) - want) < 1e-6, `${x} ** ${y} is ${got}, not ${want}`);
      assert.deepEqual(others, powers(dtype, ordinary, [y], true), `${x} ** ${y} changes what is beside it`);
    }
  });
}

test('whole powers are exact, of negative bases too, and so are those of exponents that a kernel has no tables for', () => {
  const bases = Array.from({ length: 21 }, (_, i) => i - 10);
  const exponents = Array.from({ length: MOST_EXPONENTS + 3 }, (_, i) => i);
  const exact = bases.map((x) => exponents.reduce((sum, y) => sum + x ** y, 0));
  for (const given of [true, false]) assert.deepEqual(powers('f64', bases, exponents, given), exact);
  // More of them than have tables at the same time, again and again.
  for (let round = 0; round < 3; round++) {
    for (let y = 0; y < 2 * MOST_EXPONENTS; y++) {
      assert.deepEqual(powers('f64', bases, [y / 2], true)[14], 4 ** (y / 2));
    }
  }
});

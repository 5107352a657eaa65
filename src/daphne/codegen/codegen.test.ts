import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ScriptError } from '../../base/index.ts';
import type { Builtin } from '../builtins/builtin.ts';
import type { Instruction, Program, Variable } from '../program/program.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { scalarFunction } from '../program/scalar-functions.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import { EagerRuntime } from '../runtime/eager.ts';
import { link } from '../runtime/support.ts';
import { isFloat, isInteger, matrix, VALUE_TYPES, type ValueType } from '../types.ts';
import type { Scalar, Value } from '../values/values.ts';
import { liveObjects } from './liveness.ts';
import { Builder } from './programs.fixture.ts';
import { usesOf } from './uses.ts';

const runtime = new EagerRuntime(
  () => {},
  () => {},
);
const run = async (program: Program): Promise<readonly Value[]> =>
  (await link(program, runtime, { givesOutputs: true })()) ?? [];

const fails = (program: Program, message: RegExp): Promise<void> =>
  assert.rejects(
    run(program),
    (error) => error instanceof ScriptError && error.details?.phase === 'execution' && message.test(error.message),
  );

const BINARY: ScalarOperation[] = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'mod',
  'min',
  'max',
  'eq',
  'neq',
  'lt',
  'le',
  'gt',
  'ge',
];
const UNARY: ScalarOperation[] = ['minus', 'abs', 'sign', 'sqrt', 'round', 'floor', 'ceil', 'isNan'];

function operationsOf(type: ValueType): ScalarOperation[] {
  if (type === 'str') return ['concat', 'eq', 'lt', 'lower', 'upper'];
  if (type === 'bool') return ['add', 'mul', 'and', 'or', 'eq', 'lt'];
  return [
    ...BINARY,
    ...UNARY,
    ...(isFloat(type) ? (['log', 'exp', 'ln', 'sin', 'asin', 'tanh'] as const) : (['and', 'or'] as const)),
  ];
}

const WHOLE = [
  0n,
  1n,
  -1n,
  2n,
  7n,
  127n,
  128n,
  -128n,
  255n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 64n - 1n,
];

function valuesOf(type: ValueType): fc.Arbitrary<Scalar> {
  if (type === 'str') return fc.string();
  if (type === 'bool') return fc.boolean();
  if (isFloat(type)) {
    return fc
      .oneof(
        fc.constantFrom(0, -0, 0.5, -0.5, 1, 2.5, -3.5, 1e10, 1e300, Number.NaN, Number.POSITIVE_INFINITY),
        fc.double(),
      )
      .map((x) => (type === 'f32' ? Math.fround(x) : x));
  }
  const exact = fc.oneof(fc.constantFrom(...WHOLE), fc.bigInt(-300n, 300n), fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n));
  return exact.map((x) => scalarCast('str', type)(scalarCast('si64', 'str')(x)));
}

interface Step {
  readonly operation: ScalarOperation;
  readonly type: ValueType;
  readonly values: readonly Scalar[];
  /** Whether its operands are constants of the program, or what a loop assigns. */
  readonly known: readonly boolean[];
}

const steps: fc.Arbitrary<Step> = fc.constantFrom(...VALUE_TYPES).chain((type) =>
  fc.record({
    operation: fc.constantFrom(...operationsOf(type)),
    type: fc.constant(type),
    values: fc.tuple(valuesOf(type), valuesOf(type)),
    known: fc.tuple(fc.boolean(), fc.boolean()),
  }),
);

const isUnary = ({ operation }: Step): boolean =>
  UNARY.includes(operation) || ['lower', 'upper', 'exp', 'ln', 'sin', 'asin', 'tanh'].includes(operation);

suite('scalars', () => {
  test('what is compiled gives what the functions give, in loops and elsewhere, for constants and variables', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 8 }), fc.boolean(), async (list, hot) => {
        const builder = new Builder();
        const outputs: Variable[] = [];
        const expected: Scalar[] = [];
        const fill = (): void => {
          for (const step of list) {
            const values = isUnary(step) ? step.values.slice(0, 1) : step.values;
            let result: Scalar;
            try {
              result = scalarFunction(step.operation, step.type)(...values);
            } catch {
              continue;
            }
            const args = values.map((value, i) => {
              const constant = builder.constant(value, step.type);
              if (step.known[i]) return constant;
              const variable = builder.variable(step.type);
              builder.copy(constant, variable);
              return variable;
            });
            outputs.push(builder.scalar(step.operation, step.type, args));
            expected.push(result);
          }
        };
        if (hot) {
          const one = builder.constant(1, 'si64');
          builder.for(one, one, undefined, fill);
        } else fill();
        assert.deepEqual(await run(builder.program([], outputs)), expected);
      }),
      { numRuns: 300 },
    );
  });

  test('casts: what is compiled gives what the functions give', async () => {
    const pairs = fc
      .constantFrom(...VALUE_TYPES)
      .chain((from) => fc.tuple(fc.constant(from), fc.constantFrom(...VALUE_TYPES), valuesOf(from)));
    await fc.assert(
      fc.asyncProperty(fc.array(pairs, { minLength: 1, maxLength: 10 }), async (list) => {
        const builder = new Builder();
        const outputs = list.map(([from, to, value]) => {
          const variable = builder.variable(from);
          builder.copy(builder.constant(value, from), variable);
          return builder.cast(variable, to);
        });
        const expected = list.map(([from, to, value]) => scalarCast(from, to)(value));
        assert.deepEqual(await run(builder.program([], outputs)), expected);
      }),
    );
  });

  test('integers are numbers where these are exact, and never a negative zero', () => {
    fc.assert(
      fc.property(steps, (step) => {
        if (!isInteger(step.type)) return;
        let result: Scalar;
        try {
          result = scalarFunction(step.operation, step.type)(...step.values);
        } catch {
          return;
        }
        if (typeof result === 'bigint')
          assert.ok(!Number.isSafeInteger(Number(result)) || BigInt(Number(result)) !== result, String(result));
        else assert.ok(Number.isSafeInteger(result) && !Object.is(result, -0), String(result));
      }),
      { numRuns: 1000 },
    );
  });

  const of = (operation: ScalarOperation, type: ValueType, ...args: Scalar[]): Scalar =>
    scalarFunction(operation, type)(...args);
  test('their meaning', () => {
    assert.equal(of('add', 'si64', 2n ** 63n - 1n, 1), -(2n ** 63n));
    assert.equal(of('add', 'si64', 2 ** 53 - 1, 2), 2n ** 53n + 1n);
    assert.equal(of('sub', 'ui64', 0, 1), 2n ** 64n - 1n);
    assert.equal(of('mul', 'si8', 100, 3), 44);
    assert.equal(of('mul', 'si32', 2 ** 31 - 1, 2 ** 31 - 1), 1);
    assert.equal(of('div', 'si64', -7, 2), -3);
    assert.equal(of('mod', 'si64', -7, 2), -1);
    assert.equal(of('mod', 'f64', 5.5, -2), 1.5);
    assert.equal(of('pow', 'si64', 3, 39), 4052555153018976256n);
    assert.equal(of('pow', 'si64', 2, -1), 0);
    assert.equal(of('pow', 'si64', 10, 30), -(2n ** 63n));
    assert.equal(of('add', 'f32', 0.1, 0.2), Math.fround(Math.fround(0.1 + 0.2)));
    assert.equal(of('round', 'f64', -2.5), -3);
    assert.equal(of('round', 'f64', 0.49999999999999994), 0);
    assert.equal(of('eq', 'f64', 1.5, 1.5), 1);
    assert.equal(of('lt', 'str', 'a', 'b'), 1);
    assert.equal(of('upper', 'str', 'aé'), 'Aé');
    assert.equal(of('add', 'bool', true, true), true);
    assert.throws(() => of('div', 'si32', 1, 0), /divided by zero/);
    assert.throws(() => of('sqrt', 'f64', -1), /sqrt/);
    assert.throws(() => of('acos', 'f64', 1.5), /-1 to 1/);
    assert.equal(scalarCast('f64', 'si64')(-3.7), -3);
    assert.equal(scalarCast('f64', 'si64')(1e30), -(2n ** 63n));
    assert.equal(scalarCast('f64', 'si32')(1e30), -(2 ** 31));
    assert.equal(scalarCast('f64', 'str')(1.5), '1.500000');
    assert.equal(scalarCast('bool', 'str')(true), '1');
    assert.equal(scalarCast('str', 'si64')(' -12x'), -12);
    assert.equal(scalarCast('str', 'si64')('99999999999999999999'), 2n ** 63n - 1n);
    assert.equal(scalarCast('str', 'f64')('1.5e2abc'), 150);
    assert.equal(scalarCast('str', 'f64')('abc'), 0);
    assert.equal(scalarCast('si64', 'ui8')(-1), 255);
  });
});

/** Adds 1 to its argument as often as it calls itself. */
function counting(withBuiltin: Builtin | undefined) {
  const f = new Builder();
  const n = f.variable('si64');
  const zero = f.constant(0, 'si64');
  const one = f.constant(1, 'si64');
  if (withBuiltin !== undefined) f.builtin(withBuiltin, [n]);
  f.if(f.cast(f.scalar('le', 'si64', [n, zero]), 'bool'), () => f.return(zero));
  const [below] = f.call(0, [f.scalar('sub', 'si64', [n, one])], ['si64']) as [Variable];
  f.return(f.scalar('add', 'si64', [below, one]));
  return f.function('count', [n], ['si64'], true);
}

function recursion(depth: number, builtin?: Builtin): Program {
  const main = new Builder();
  return main.program([counting(builtin)], main.call(0, [main.constant(depth, 'si64')], ['si64']));
}

const seen: Value[] = [];
const look: Builtin = {
  name: 'look',
  parameters: ['x'],
  least: 1,
  most: 1,
  effects: true,
  infer: () => [],
  run: (_runtime, _site, [x]) => {
    seen.push(x as Value);
    return undefined;
  },
};

suite('control flow', () => {
  const total = (from: Scalar, to: Scalar, step?: Scalar): Promise<readonly Value[]> => {
    const b = new Builder();
    const sum = b.variable('str', 'sum');
    b.copy(b.constant('', 'str'), sum);
    const given = step === undefined ? undefined : b.constant(step, 'si64');
    b.for(b.constant(from, 'si64'), b.constant(to, 'si64'), given, (i) => {
      b.scalar('concat', 'str', [sum, b.scalar('concat', 'str', [b.cast(i, 'str'), b.constant(' ', 'str')])], sum);
    });
    return run(b.program([], [sum]));
  };

  test('for: both ends, steps of either sign, none that gets nowhere', async () => {
    assert.deepEqual(await total(1, 3), ['1 2 3 ']);
    assert.deepEqual(await total(3, 1), ['3 2 1 ']);
    assert.deepEqual(await total(2, 2), ['2 ']);
    assert.deepEqual(await total(1, 6, 2), ['1 3 5 ']);
    assert.deepEqual(await total(1, 6, -2), ['']);
    assert.deepEqual(await total(6, 1, -2), ['6 4 2 ']);
    assert.deepEqual(await total(2n ** 63n - 2n, 2n ** 63n - 1n), ['9223372036854775806 9223372036854775807 ']);
    assert.deepEqual(await total(2 ** 53 - 1, 2n ** 53n), ['9007199254740991 9007199254740992 ']);
    await assert.rejects(total(1, 3, 0), /step of 0/);
  });

  test('an error has the place of its operation', async () => {
    const b = new Builder();
    const quotient = b.scalar('div', 'si64', [b.constant(1, 'si64'), b.constant(0, 'si64')]);
    await fails(b.program([], [quotient]), /made\.daphne:1:5: an integer is divided by zero/);
  });

  test('effects are had, and what may fail fails, whether somebody wants the result or not', async () => {
    const b = new Builder();
    b.builtin(look, [b.constant(5, 'si64')]);
    b.scalar('div', 'si64', [b.constant(1, 'si64'), b.constant(0, 'si64')]);
    seen.length = 0;
    await fails(b.program(), /divided by zero/);
    assert.deepEqual(seen, [5]);
  });

  test('recursion to 10,000, of scalars alone and with built-ins', async () => {
    assert.deepEqual(await run(recursion(30_000)), [30_000]);
    seen.length = 0;
    assert.deepEqual(await run(recursion(10_000, look)), [10_000]);
    assert.equal(seen.length, 10_001);
    assert.equal(seen.at(-1), 0);
  });

  test('recursion without an end is an error of the script', async () => {
    await fails(recursion(1e9), /does this recursion end/);
    await fails(recursion(1e9, look), /does this recursion end/);
  });

  test('10,000 functions that call each other, and 100,000 statements', async () => {
    const functions = Array.from({ length: 10_000 }, (_, i) => {
      const f = new Builder();
      const x = f.variable('si64');
      const [y] = i === 0 ? [x] : f.call(i - 1, [x], ['si64']);
      f.return(f.scalar('add', 'si64', [y!, f.constant(1, 'si64')]));
      return f.function(`f${i}`, [x], ['si64']);
    });
    const b = new Builder();
    let [x] = b.call(9_999, [b.constant(0, 'si64')], ['si64']);
    for (let i = 0; i < 100_000; i++) x = b.scalar('add', 'si64', [x!, b.constant(i % 7, 'si64')]);
    assert.deepEqual(await run(b.program(functions, [x!])), [309_995]);
  });

  test('blocks that are nested very deeply run, or are an error of the script', async () => {
    for (const depth of [500, 2000, 6000, 50_000]) {
      const b = new Builder();
      const x = b.variable('si64');
      b.copy(b.constant(1, 'si64'), x);
      const condition = b.variable('bool');
      b.copy(b.constant(true, 'bool'), condition);
      let inner = b.within(() => b.copy(b.constant(2, 'si64'), x));
      for (let i = 0; i < depth; i++) inner = [{ kind: 'if', condition, whenTrue: inner, whenFalse: [] }];
      b.block.push(...inner);
      const result = run(b.program([], [x]));
      if (depth <= 500) assert.deepEqual(await result, [2]);
      else {
        const ended = await result.then(
          ([value]) => value,
          (error) => (error instanceof ScriptError ? 'refused' : error),
        );
        assert.ok(ended === 2 || ended === 'refused', String(ended));
      }
    }
  });
});

suite('data objects', () => {
  const MATRIX = matrix('f64');
  const make: Builtin = { ...look, name: 'make', effects: false, infer: () => [MATRIX] };

  test('variables let go of what nobody wants any more, and of nothing else', () => {
    const b = new Builder();
    const [x] = b.builtin(make, [], [MATRIX]) as [Variable];
    const kept = b.variable(MATRIX);
    b.copy(x, kept);
    let inside: readonly Variable[] = [];
    b.for(b.constant(1, 'si64'), b.constant(3, 'si64'), undefined, () => {
      const [turn] = b.builtin(make, [kept, x], [MATRIX]) as [Variable];
      const [next] = b.builtin(make, [turn, turn], [MATRIX]) as [Variable];
      b.copy(next, kept);
      inside = [turn, next];
    });
    b.builtin(look, [kept]);
    const main = b.program().main;
    const { dead } = liveObjects(main, [], usesOf(main, []), false);
    const loop = main.body.find(({ kind }) => kind === 'for') as Extract<Instruction, { kind: 'for' }>;
    const last = main.body.at(-1) as Instruction;
    const [turn, next] = inside;
    // The loop wants x in each turn, and nobody does after it; `kept` is another one from turn to turn.
    assert.deepEqual(
      loop.body.map((each) => dead.get(each)),
      [[kept], [turn], [next]],
    );
    assert.deepEqual([dead.get(loop), dead.get(last)], [[x], [kept]]);
  });
});

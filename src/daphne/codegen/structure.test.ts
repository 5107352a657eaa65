import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Builtin } from '../builtins/builtin.ts';
import type { Block, Program, Variable } from '../program/program.ts';
import { scalarCast } from '../program/scalar-casts.ts';
import { scalarFunction } from '../program/scalar-functions.ts';
import type { ScalarOperation } from '../program/scalars.ts';
import { EagerRuntime } from '../runtime/eager.ts';
import { link } from '../runtime/support.ts';
import type { ScalarType, ValueType } from '../types.ts';
import type { Scalar, Value } from '../values/values.ts';
import { Builder } from './programs.fixture.ts';

let seen: Value[] = [];
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

/** Runs a program as it stands, instruction by instruction. */
function interpreted(program: Program): { seen: Scalar[]; outputs: Scalar[] } {
  const looked: Scalar[] = [];
  const call = (number: number | undefined, args: readonly Scalar[]): readonly Scalar[] => {
    const { parameters, variables, body } = number === undefined ? program.main : program.functions[number]!;
    const values: Scalar[] = [];
    for (const [i, parameter] of parameters.entries()) values[parameter] = args[i]!;
    const value = (variable: Variable): Scalar => values[variable]!;
    const typeOf = (variable: Variable): ValueType => (variables[variable]!.type as ScalarType).value;
    const run = (block: Block): readonly Scalar[] | undefined => {
      for (const each of block) {
        let returned: readonly Scalar[] | undefined;
        if (each.kind === 'constant') values[each.to] = each.value;
        else if (each.kind === 'copy') values[each.to] = value(each.from);
        else if (each.kind === 'cast')
          values[each.to] = scalarCast(typeOf(each.from), typeOf(each.to))(value(each.from));
        else if (each.kind === 'scalar')
          values[each.to] = scalarFunction(each.operation, each.value)(...each.args.map(value));
        else if (each.kind === 'builtin') looked.push(value(each.args[0] as Variable));
        else if (each.kind === 'return') return each.values.map(value);
        else if (each.kind === 'if') returned = run(value(each.condition) === true ? each.whenTrue : each.whenFalse);
        else if (each.kind === 'call') {
          for (const [i, result] of call(each.function, each.args.map(value)).entries()) values[each.to[i]!] = result;
        } else if (each.kind === 'while') {
          for (let first = each.first; ; first = false) {
            if (!first) run(each.head);
            if (!first && value(each.condition) !== true) break;
            run(each.body);
          }
        } else {
          const [from, to] = [BigInt(value(each.from) as number), BigInt(value(each.to) as number)];
          const step = each.step === undefined ? (to >= from ? 1n : -1n) : BigInt(value(each.step) as number);
          for (let i = from; step > 0n ? i <= to : i >= to; i += step) {
            values[each.variable] = Number(i);
            run(each.body);
          }
        }
        if (returned !== undefined) return returned;
      }
      return undefined;
    };
    const results = run(body);
    return results ?? program.outputs.map(({ variable }) => value(variable));
  };
  return { outputs: [...call(undefined, [])], seen: looked };
}

type Draw = (limit: number) => number;
const TYPES = ['si64', 'f64', 'bool'] as const;
const ARITHMETIC: ScalarOperation[] = ['add', 'sub', 'mul', 'min', 'max', 'lt', 'eq', 'ge', 'and', 'or'];

/** Fills a function with statements on a few variables, which all have a value from the beginning. */
class Filling {
  readonly b = new Builder();
  readonly #draw: Draw;
  readonly #pool: Record<ValueType, Variable[]>;
  /** Functions that may be called: with one si64 each, and one as a result. */
  readonly #callees: number;
  readonly #looks: boolean;

  constructor(draw: Draw, callees: number, looks: boolean) {
    this.#draw = draw;
    this.#callees = callees;
    this.#looks = looks;
    const { b } = this;
    this.#pool = Object.fromEntries(
      TYPES.map((type) => {
        const variables = [0, 1, 2].map(() => b.variable(type));
        for (const each of variables) b.copy(b.constant(type === 'bool' ? draw(2) === 1 : draw(9) - 4, type), each);
        return [type, variables];
      }),
    ) as Record<ValueType, Variable[]>;
  }

  pick(type: ValueType): Variable {
    const pool = this.#pool[type];
    return pool[this.#draw(pool.length)]!;
  }

  all(): Variable[] {
    return Object.values(this.#pool).flat();
  }

  statements(depth: number, canReturn: boolean): void {
    for (let n = 1 + this.#draw(5); n > 0; n--) this.#statement(depth, canReturn);
  }

  #statement(depth: number, canReturn: boolean): void {
    const { b } = this;
    const type = TYPES[this.#draw(3)]!;
    switch (this.#draw(depth > 0 ? 9 : 5)) {
      case 0:
        b.copy(b.cast(this.pick(TYPES[this.#draw(3)]!), type), this.pick(type));
        return;
      case 1:
        if (this.#looks) b.builtin(look, [this.pick(type)]);
        return;
      case 2: {
        if (this.#callees === 0) return;
        const [result] = b.call(this.#draw(this.#callees), [this.pick('si64')], ['si64']) as [Variable];
        b.copy(result, this.pick('si64'));
        return;
      }
      case 5:
        b.if(
          this.pick('bool'),
          () => {
            this.statements(depth - 1, canReturn);
            if (canReturn && this.#draw(4) === 0) b.return(this.pick('si64'));
          },
          () => this.statements(depth - 1, canReturn),
        );
        return;
      case 6: {
        const [from, to, step] = [5, 5, 2].map((limit) => b.constant(this.#draw(limit) - 2, 'si64')) as [
          Variable,
          Variable,
          Variable,
        ];
        const given = this.#draw(2) === 0 ? step : undefined;
        // A step of 0 is an error, which another test has.
        b.for(from, to, given === undefined || this.#isZero(given) ? undefined : given, (i) => {
          b.copy(i, this.pick('si64'));
          this.statements(depth - 1, false);
        });
        return;
      }
      case 7:
        this.#while(depth);
        return;
      default: {
        const operation = ARITHMETIC[this.#draw(ARITHMETIC.length)]!;
        const result = b.scalar(operation, type, [this.pick(type), this.pick(type)]);
        b.copy(result, this.pick(type));
      }
    }
  }

  #isZero(variable: Variable): boolean {
    return this.b.block.some((each) => each.kind === 'constant' && each.to === variable && each.value === 0);
  }

  /** Three turns at most: it has a counter of its own. */
  #while(depth: number): void {
    const { b } = this;
    const count = b.variable('si64');
    b.copy(b.constant(0, 'si64'), count);
    const condition = b.variable('bool');
    const body = b.within(() => {
      this.statements(depth - 1, false);
      b.scalar('add', 'si64', [count, b.constant(1, 'si64')], count);
    });
    const head = b.within(() => {
      const below = b.cast(b.scalar('lt', 'si64', [count, b.constant(3, 'si64')]), 'bool');
      b.scalar('and', 'bool', [below, this.pick('bool')], condition);
    });
    b.block.push({ kind: 'while', head, condition, body, first: this.#draw(2) === 0 });
  }
}

const programs = fc.array(fc.nat(1000), { minLength: 400, maxLength: 400 }).map((numbers): Program => {
  let at = 0;
  const draw: Draw = (limit) => numbers[at++ % numbers.length]! % limit;
  const functions = [false, true].map((looks, n) => {
    const filling = new Filling(draw, n, looks);
    const x = filling.b.variable('si64');
    filling.b.copy(x, filling.pick('si64'));
    filling.statements(2, true);
    filling.b.return(filling.pick('si64'));
    return filling.b.function(`f${n}`, [x], ['si64']);
  });
  const main = new Filling(draw, 2, true);
  main.statements(3, false);
  main.statements(3, false);
  return main.b.program(functions, main.all());
});

suite('programs', () => {
  const runtime = new EagerRuntime(
    () => {},
    () => {},
  );
  test('what is compiled does what the instructions say one by one', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const expected = interpreted(program);
        seen = [];
        const outputs = await link(program, runtime, { givesOutputs: true })();
        assert.deepEqual({ outputs, seen }, expected);
        // Without outputs, what is seen on the way is the same.
        seen = [];
        await link(program, runtime, { givesOutputs: false })();
        assert.deepEqual(seen, expected.seen);
      }),
      { numRuns: 200 },
    );
  });
});

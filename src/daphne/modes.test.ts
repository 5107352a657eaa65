import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { analyse } from './analysis/index.ts';
import { execute } from './driver/execute.ts';
import { EagerRuntime } from './runtime/eager.ts';
import type { Runtime } from './runtime/runtime.ts';
import { VectorRuntime } from './runtime/vector.ts';
import { runText } from './scripts.fixture.ts';
import { Source } from './source.ts';

/** Scripts on two scalars and two matrices of 3x3, which have no errors. */
class Scripts {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  #draw = (limit: number): number => this.#numbers[this.#at++ % this.#numbers.length]! % limit;
  #one = (...choices: readonly (() => string)[]): string => choices[this.#draw(choices.length)]!();

  #scalar = (depth: number): string => {
    const [s, m] = [() => this.#scalar(depth - 1), () => this.#matrix(depth - 1)];
    if (depth <= 0)
      return this.#one(
        () => (this.#draw(2) === 0 ? 'a' : 'b'),
        () => `${this.#draw(9) - 4}`,
        () => `${this.#draw(9)}.25`,
      );
    return this.#one(
      () => `(${s()} + ${s()})`,
      () => `(${s()} * ${s()})`,
      () => `(${s()} < ${s()})`,
      () => `sum(${m()})`,
      () => `aggMax(${m()})`,
      () => `as.scalar(${m()}[${this.#draw(3)}, ${this.#draw(3)}])`,
    );
  };

  #matrix = (depth: number): string => {
    const [s, m] = [() => this.#scalar(depth - 1), () => this.#matrix(depth - 1)];
    if (depth <= 0) return this.#draw(2) === 0 ? 'X' : 'Y';
    return this.#one(
      () => `(${m()} + ${m()})`,
      () => `(${m()} * ${s()})`,
      () => `(${m()} @ ${m()})`,
      () => `t(${m()})`,
      () => `(${m()} > ${s()})`,
      () => `max(abs(${m()}), ${s()})`,
      () => `(${m()} - ${m()}[${this.#draw(3)}, ])`,
      () => `(${m()} + sum(${m()}, ${this.#draw(2)}))`,
      () => `reverse(${m()})`,
      () => `${m()}[0:3, [2, 0, 1] ]`,
      () => `cbind(${m()}[, 0:1], ${m()}[, 1:3])`,
    );
  };

  #statement = (depth: number): string => {
    const inner = (): string => this.#statement(depth - 1);
    const simple = [
      () => `${this.#draw(2) === 0 ? 'a' : 'b'} = as.f64(${this.#scalar(2)});`,
      () => `${this.#matrix(0)} = as.f64(${this.#matrix(2)});`,
      () => `${this.#matrix(0)} = as.f64(${this.#matrix(2)});`,
      () => `${this.#draw(2) === 0 ? 'X = Y;' : 'Y = X;'}`,
      () => `${this.#matrix(0)}[${this.#draw(3)}, ${this.#draw(3)}] = [as.f64(${this.#scalar(1)})];`,
      () => `${this.#matrix(0)}[${this.#draw(3)}, ] = ${this.#matrix(1)}[${this.#draw(3)}, ] + 0.0;`,
      () => `print(${this.#scalar(2)});`,
      () => `print(${this.#matrix(2)});`,
    ];
    if (depth <= 0) return this.#one(...simple);
    return this.#one(
      ...simple,
      () => `if (${this.#scalar(1)} > ${this.#scalar(1)}) { ${inner()} ${inner()} } else { ${inner()} }`,
      () => `for (i in 1:${1 + this.#draw(4)}) { ${inner()} ${inner()} }`,
      () => `${this.#matrix(0)} = f(${this.#matrix(1)}, ${this.#scalar(1)} * 1.0);`,
    );
  };

  script(): string {
    const lines = Array.from({ length: 6 }, () => this.#statement(2));
    return `def f(A: matrix<f64>, c: f64) -> matrix<f64> { B = A * c; if (c > 0.0) { return B; } return B + A; }
a = 1.5; b = -2.0; X = rand(3, 3, -1.0, 1.0, 1.0, ${this.#draw(99)}); Y = rand(3, 3, 0.0, 1.0, 0.5, ${this.#draw(99)});
${lines.join('\n')}
print(X); print(Y); print(a); print(b);`;
  }
}

const scripts = fc
  .array(fc.nat(10_000), { minLength: 300, maxLength: 300 })
  .map((numbers) => new Scripts(numbers).script());

/** Before each built-in all is let go of that no variable leads to, however small it is. */
const TIDY = { holdings: { least: 0, between: 0, perNode: 0 } };

/** What a script prints in a runtime of one's own. */
async function printed(
  script: string,
  runtimeOf: (write: (text: string) => void) => Runtime & Partial<AsyncDisposable>,
  selectsRepresentation: boolean,
): Promise<string> {
  let stdout = '';
  const write = (text: string): void => {
    stdout += text;
  };
  const runtime = runtimeOf(write);
  const code = await execute(new Source('main.daphne', script), {
    ...{ analyse, runtime, selectsRepresentation, stdout: write, stderr: write },
  });
  await runtime[Symbol.asyncDispose]?.();
  assert.equal(code, 0, stdout);
  return stdout;
}

/** What is computed along with other things is added up in another order, which shows where next to nothing is left of the sum. */
function assertSame(actual: string, expected: string): void {
  if (actual === expected) return;
  const [a, b] = [actual, expected].map((text) => text.split(/\s+/)) as [string[], string[]];
  const largest = Math.max(...b.map(Number).filter(Number.isFinite).map(Math.abs), 1);
  const isSame = (word: string, i: number): boolean =>
    word === b[i] || Math.abs(Number(word) - Number(b[i])) <= largest * Number.EPSILON * 64;
  assert.ok(a.length === b.length && a.every(isSame), `${actual}\nand not\n${expected}`);
}

const RUNS = Number(process.env.SHEAF_SCRIPT_RUNS ?? 40);

suite('ways to run a script', () => {
  test('results are the same, lazily, in one thread, and with matrices by compressed rows', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const plain = await runText(script);
        assert.deepEqual([plain.code, plain.stderr], [0, ''], plain.stdout);
        for (const flags of [['--vec'], ['--vec', '--num-threads=1'], ['--columnar']])
          assert.deepEqual(await runText(script, { flags }), plain);
        // What is stored by compressed rows says so when it is printed.
        const sparse = await runText(script, { flags: ['--select-matrix-repr'] });
        assertSame(sparse.stdout.replaceAll('CSRMatrix', 'DenseMatrix'), plain.stdout);
      }),
      { numRuns: RUNS },
    );
  });

  test('what no variable leads to is not needed any more', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { stdout } = await runText(script);
        const eager = (write: (text: string) => void): Runtime => new EagerRuntime(write, write, TIDY);
        assert.equal(await printed(script, eager, false), stdout);
        for (const threads of [1, 2]) {
          const lazy = (write: (text: string) => void): VectorRuntime =>
            new VectorRuntime(write, write, { ...TIDY, threads });
          assert.equal(await printed(script, lazy, false), stdout);
        }
        const sparse = await printed(script, eager, true);
        assertSame(sparse.replaceAll('CSRMatrix', 'DenseMatrix'), stdout);
      }),
      { numRuns: RUNS },
    );
  });
});

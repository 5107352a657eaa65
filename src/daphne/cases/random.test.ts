import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BUILTINS } from '../builtins/index.ts';
import { runText } from '../scripts.fixture.ts';

/** A variable of each kind. */
const BEFORE = `M = [1.5, 2.0, 3.0, 4.0](2, 2); N = [1, 2, 3, 4, 5, 6](3, 2); V = [1, 2, 3]; R = [1.0, 2.0](1, 2); E = N[0:0, ];
S = ["x", "y"]; B = [true, false]; F = {"a": [1, 2], "b": [0.5, 1.5]}; L = createList([1], [2]); i = 5; d = 0.25; s = "text";
`;
const ATOMS = ['1', '2.5', '0', '-3', 'true', '"a"', 'nan', '1.5f', '7u', '[1, 0]', '[0]', ...'MNVREBSFLids'];
const OPERATORS = ['+', '-', '*', '/', '^', '%', '@', '==', '<', '>=', '&&', '||'];
const CASTS = ['f64', 'si64', 'ui8', 'bool', 'str', 'matrix', 'scalar', 'frame', 'matrix<f64>', 'scalar<si64>'];
/** Those that would end the script, write files, or give something else each time. */
const OTHERS = /^(\$|stop$|write|now$|map$|open|rand$|sample$)/;

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const one = tie('expression');
  const call = fc.constantFrom(...[...BUILTINS.values()].filter(({ name }) => !OTHERS.test(name))).chain((builtin) => {
    const most = Math.min(builtin.most, builtin.least + 1);
    return fc
      .array(one, { minLength: builtin.least, maxLength: most })
      .map((args) => `${builtin.name}(${args.join(', ')})`);
  });
  return {
    expression: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'expression' },
      { arbitrary: fc.constantFrom(...ATOMS), weight: 2 },
      { arbitrary: call, weight: 4 },
      {
        arbitrary: fc.tuple(one, fc.constantFrom(...OPERATORS), one).map(([a, o, b]) => `(${a} ${o} ${b})`),
        weight: 3,
      },
      { arbitrary: fc.tuple(one, one, one).map(([a, b, c]) => `${a}[${b} , ${c} ]`), weight: 1 },
      { arbitrary: fc.tuple(fc.constantFrom(...CASTS), one).map(([to, a]) => `as.${to}(${a})`), weight: 1 },
      { arbitrary: fc.tuple(one, one, one).map(([a, b, c]) => `(${a} ? ${b} : ${c})`), weight: 1 },
    ),
  };
});

/** What only an error of ours says. */
const OURS = /Cannot |undefined|not a function|not iterable|Internal|\[object/;

describe('scripts at random', () => {
  it('end with 0 to 3 and a message that is meant for people, and the same with all flags', async () => {
    const check = async (text: string): Promise<void> => {
      const script = `${BEFORE}print(${text});`;
      const plain = await runText(script);
      assert.ok(plain.code >= 0 && plain.code <= 3);
      const [message = ''] = plain.stdout.replace(/`[^`]*`/g, '').split('\n');
      if (plain.code !== 0) assert.doesNotMatch(message, OURS);
      for (const flag of ['--vec', '--columnar', '--select-matrix-repr']) {
        const other = await runText(script, { flags: [flag] });
        // Stored otherwise, it says so.
        const same = { ...other, stdout: other.stdout.replaceAll('CSRMatrix(', 'DenseMatrix(') };
        assert.deepEqual(same, plain, flag);
      }
    };
    await fc.assert(fc.asyncProperty(expression, check), {
      numRuns: Number(process.env.SHEAF_SCRIPT_RUNS ?? 500),
      seed: 7,
    });
  });
});

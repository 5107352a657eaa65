import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { inThread, type LocalBuffers } from '../../pipelines/index.ts';
import { analyse } from '../analysis/index.ts';
import type { Builtin } from '../builtins/builtin.ts';
import { Builder } from '../codegen/programs.fixture.ts';
import { scriptError } from '../errors.ts';
import type { Program } from '../program/program.ts';
import { runText } from '../scripts.fixture.ts';
import { Source } from '../source.ts';
import type { Analyse } from './analysis.ts';
import { execute, runSource, sourceAt } from './execute.ts';

const print: Builtin = {
  name: 'print',
  parameters: ['x'],
  least: 1,
  most: 1,
  effects: true,
  infer: () => [],
  run: (runtime, _site, [x]) => {
    runtime.write(`${x}\n`);
    runtime.writeError(`told ${x}\n`);
    return undefined;
  },
};

/** Whatever the script says, it is this program. */
async function ran(analyse: Analyse, text = 'x = 1;'): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await execute(new Source('s.daphne', text), {
    analyse,
    stdout: (piece) => {
      written.stdout += piece;
    },
    stderr: (piece) => {
      written.stderr += piece;
    },
  });
  return { code, ...written };
}

function printing(then: (b: Builder) => void = () => {}): Program {
  const b = new Builder();
  b.builtin(print, [b.constant(1, 'si64')]);
  then(b);
  return b.program();
}

suite('execution', () => {
  test('output is passed on, and an error comes after what was written before it', async () => {
    assert.deepEqual(await ran(() => printing()), { code: 0, stdout: '1\n', stderr: 'told 1\n' });
    const failing = printing((b) =>
      b.builtin(print, [b.scalar('div', 'si64', [b.constant(1, 'si64'), b.constant(0, 'si64')])]),
    );
    const { code, stdout } = await ran(() => failing);
    assert.equal(code, 3);
    assert.match(stdout, /^1\n\[error\]: made\.daphne:1:5: an integer is divided by zero\n/);
  });

  test('exit codes say when an error was found', async () => {
    const failing =
      (phase: 'parser' | 'compiler'): Analyse =>
      () => {
        throw scriptError(phase, new Source('s.daphne', 'x'), { start: 0, end: 1 }, 'wrong');
      };
    assert.equal((await ran(failing('parser'))).code, 1);
    assert.equal((await ran(failing('compiler'))).code, 2);
    assert.equal((await ran(() => printing(), 'x = = 1;')).code, 1);
    const broken = await ran(() => {
      throw new TypeError('a defect');
    });
    assert.deepEqual(broken, { code: 3, stdout: '[error]: a defect\n', stderr: '' });
    const endless: Analyse = (script, options) => endless(script, options);
    const deep = await ran(endless);
    assert.equal(deep.code, 1);
    assert.match(deep.stdout, /^\[error\]: s\.daphne:1:1: .*nested too deeply/);
    assert.throws(() => sourceAt('/no/such.daphne'), /such\.daphne is not there/);
  });

  test('variables that are given beforehand, and those at the end', async () => {
    const b = new Builder();
    const x = b.variable('si64', 'x');
    const y = b.scalar('add', 'si64', [x, b.constant(1, 'si64')]);
    const made = b.program([], [y]);
    const program: Program = { ...made, main: { ...made.main, parameters: [x] } };
    for (const vectorized of [false, true]) {
      const { values } = await runSource(new Source('s', ''), {
        analyse: (_script, { inputs }) => {
          assert.deepEqual([...inputs], [['x', { data: 'scalar', value: 'si64' }]]);
          return program;
        },
        inputs: new Map([['x', { type: { data: 'scalar', value: 'si64' }, value: 41 }]]),
        givesOutputs: true,
        vectorized,
        stdout: () => {},
        stderr: () => {},
      });
      assert.deepEqual(values, [42]);
    }
  });

  test('how few elements that are not 0 make a matrix sparse, the configuration says', async () => {
    const stored = async (options: {
      selectsRepresentation?: boolean;
      sparsityThreshold?: number;
    }): Promise<string> => {
      let text = '';
      const code = await execute(new Source('s', 'print(typeOf(rand(10, 10, 1.0, 1.0, 0.5, 1)));'), {
        ...options,
        analyse,
        stdout: (piece) => {
          text += piece;
        },
        stderr: () => {},
      });
      assert.equal(code, 0, text);
      return text;
    };
    const [dense, sparse] = ['DenseMatrix(10x10, double)\n', 'CSRMatrix(10x10, double)\n'];
    assert.equal(await stored({ sparsityThreshold: 0.6 }), dense);
    assert.equal(await stored({ selectsRepresentation: true }), dense);
    assert.equal(await stored({ selectsRepresentation: true, sparsityThreshold: 0.6 }), sparse);
  });
});

test('a script that never waits has the room again that its variables have let go of', async () => {
  const loop = 'X = fill(1.0, 1000, 1000); for (i in 1:100) { Y = X + 1.0; X = Y - 1.0; } print(sum(X));';
  for (const flags of [[], ['--vec']]) {
    const { code, stdout } = await runText(loop, { flags });
    assert.deepEqual([code, stdout], [0, '1e+06\n']);
    // 1.6 GB in all, of which 16 MB are somebody's at a time; garbage is looked for the less often the longer that takes.
    const { used } = inThread().buffers as LocalBuffers;
    assert.ok(used < 800e6, `${used} bytes are in use`);
  }
});

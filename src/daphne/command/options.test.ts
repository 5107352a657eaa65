import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ScriptError } from '../../base/index.ts';
import { configuration } from './config.ts';
import { FLAGS } from './flags.ts';
import { helpText } from './help.ts';
import { commandLine, runOptions } from './options.ts';

const refuses = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => {
    assert.ok(error instanceof ScriptError, String(error));
    assert.equal(error.details?.phase, 'parser');
    assert.match(error.message, message);
    return true;
  });

describe('flags of DAPHNE', () => {
  it('are written with one dash or two, with = or without, and end where the script begins', () => {
    const { given, script, rest } = commandLine([
      '--vec',
      '-num-threads',
      '4',
      '--partitioning=GSS',
      'a.daphne',
      '--vec',
      'x=1',
    ]);
    assert.deepEqual(
      [...given],
      [
        ['vec', true],
        ['num-threads', 4],
        ['partitioning', 'GSS'],
      ],
    );
    assert.equal(script, 'a.daphne');
    assert.deepEqual(rest, ['--vec', 'x=1']);
  });

  it('that are on or off take 1, 0, true and false, and never the script', () => {
    for (const [text, on] of [
      ['--vec', true],
      ['--vec=1', true],
      ['--vec=true', true],
      ['--vec=0', false],
      ['--vec=FALSE', false],
    ] as const) {
      const { given, script } = commandLine([text, 'a.daphne']);
      assert.deepEqual([given.get('vec'), script], [on, 'a.daphne'], text);
    }
    refuses(() => commandLine(['--vec=2']), /on or off/);
  });

  it('may come several times: the last one counts, and lists grow', () => {
    const { given } = commandLine([
      '--args',
      'x=1,y=2',
      '--args=z="a"',
      '--num-threads=1',
      '--num-threads=2',
      '--explain=sql,kernels',
      '--explain',
      'llvm',
    ]);
    assert.deepEqual(given.get('args'), ['x=1,y=2', 'z="a"']);
    assert.equal(given.get('num-threads'), 2);
    assert.deepEqual([...runOptions(given).explain], ['sql', 'kernels', 'llvm']);
  });

  it('that are wrong say what is right', () => {
    refuses(() => commandLine(['--vek']), /no option `--vek` \(is it `--vec`\?\)/);
    refuses(() => commandLine(['--GSS']), /write --partitioning=GSS/);
    refuses(() => commandLine(['--partitioning', 'FAST']), /one of STATIC, SS/);
    refuses(() => commandLine(['--num-threads=two']), /takes an integer, and not `two`/);
    refuses(() => commandLine(['--config']), /needs a value: --config=FILE/);
    refuses(() => commandLine(['--explain=everything']), /there is no `everything`/);
    refuses(() => commandLine(['---vec']), /is no option/);
  });

  it('that cannot be done are refused with the reason, and only if they are on', () => {
    for (const name of ['cuda', 'fpgaopencl', 'distributed', 'enable-hdfs', 'kernel-ext']) {
      const flag = FLAGS.find((each) => each.name === name);
      refuses(() => commandLine([`--${name}${flag?.kind === 'switch' ? '' : '=x'}`]), new RegExp(`--${name}: `));
    }
    assert.equal(commandLine(['--cuda=0', 'a.daphne']).script, 'a.daphne');
  });

  it('are all in the help', () => {
    const text = helpText('daphne');
    for (const { name } of FLAGS) assert.ok(text.includes(`--${name}`), name);
  });

  it('that make no sense are left to the default', () => {
    const options = runOptions(commandLine(['--num-threads=-3', '--grain-size=0']).given);
    assert.deepEqual([options.threads, options.grain], [undefined, undefined]);
  });
});

describe('configuration files', () => {
  const read = (json: unknown) => configuration('c.json', JSON.stringify(json));

  it('say what flags say, which win', () => {
    const config = read({
      use_vectorized_exec: true,
      numberOfThreads: 3,
      taskPartitioningScheme: 'TSS',
      explain_sql: true,
      sparsity_threshold: 0.5,
      daphnedsl_import_paths: { default_dirs: ['a', 'b'], algorithms: ['c'] },
    });
    const options = runOptions(commandLine(['--num-threads=5', '--vec=0']).given, config);
    assert.deepEqual(
      [options.vectorized, options.threads, options.scheme, options.sparsityThreshold],
      [false, 5, 'TSS', 0.5],
    );
    assert.deepEqual([...options.explain], ['sql']);
    assert.deepEqual(
      [...options.libraries],
      [
        ['default_dirs', ['a', 'b']],
        ['algorithms', ['c']],
      ],
    );
  });

  it('take the keys of DAPHNE that make no difference', () => {
    read({
      use_obj_ref_mgnt: true,
      matmul_fixed_tile_sizes: [4, 4],
      libdir: 'lib',
      logging: [{ 'log-level-limit': 'ERROR' }, { name: 'parser', level: 'INFO', filename: '', format: '%v' }],
    });
  });

  it('that are wrong say where', () => {
    refuses(() => configuration('c.json', '{'), /c\.json: this is no JSON/);
    refuses(() => read([]), /an object is expected/);
    refuses(() => read({ numberOfThread: 1 }), /no key `numberOfThread` \(is it `numberOfThreads`\?\)/);
    refuses(() => read({ numberOfThreads: 'many' }), /an integer/);
    refuses(() => read({ use_vectorized_exec: 1 }), /true or false/);
    refuses(() => read({ taskPartitioningScheme: 'FAST' }), /one of STATIC/);
    refuses(() => read({ use_cuda: true }), /no CUDA/);
    refuses(() => read({ logging: [{ level: 'LOUD' }] }), /logging\[0\]\.level/);
    refuses(() => read({ daphnedsl_import_paths: { lib: ['a', 'b'] } }), /names one folder/);
    refuses(() => read({ sparsity_threshold: '0.2' }), /is a number/);
  });
});

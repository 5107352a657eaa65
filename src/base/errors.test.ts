import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { build } from 'esbuild';
import * as base from './errors.ts';
import { CancelledError, errorTypes, SheafError, TaskError, TimeoutError } from './errors.ts';

const root = process.env.SHEAF_ROOT ?? process.cwd();

/** The same module a second time, as a duplicate install or a bundled worker brings it. */
async function secondCopy(minify: boolean): Promise<typeof base> {
  const folder = mkdtempSync(join(root, 'build/errors-'));
  const outfile = join(folder, 'errors.mjs');
  try {
    await build({ entryPoints: [join(root, 'src/base/errors.ts')], outfile, bundle: true, format: 'esm', minify });
    assert.ok(readFileSync(outfile, 'utf8').length > 100);
    return (await import(pathToFileURL(outfile).href)) as typeof base;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('errors', () => {
  test('have a name, a stable code and a class that leads to SheafError and Error', () => {
    const codes = new Set<string>();
    for (const [name, Type] of Object.entries(errorTypes)) {
      const error = new Type('what happened');
      assert.equal(error.name, name);
      assert.equal(error.message, 'what happened');
      assert.match(error.code, /^ERR_SHEAF(_[A-Z]+)*$/);
      assert.ok(error instanceof Type && error instanceof SheafError && error instanceof Error);
      assert.match(String(error.stack), new RegExp(`^${name === 'SheafError' ? '.*' : name}`));
      codes.add(error.code);
    }
    assert.equal(codes.size, Object.keys(errorTypes).length, 'two classes have the same code');
    const exported = Object.entries(base).filter(
      ([, v]) => typeof v === 'function' && v.prototype instanceof SheafError,
    );
    for (const [name] of exported) assert.ok(name in errorTypes, `${name} can't be rebuilt by name`);
  });

  test('a code of its own, a cause and details are kept; what is not given is not there', () => {
    const cause = new RangeError('why');
    const error = new TaskError('no', { code: 'ERR_SHEAF_OWN', cause, details: { task: 'f' } });
    assert.equal(error.code, 'ERR_SHEAF_OWN');
    assert.equal(error.cause, cause);
    assert.deepEqual(error.details, { task: 'f' });
    const plain = new TaskError('no');
    assert.equal('cause' in plain, false);
    assert.equal('details' in plain, false);
    // Undefined, thrown by somebody, is a cause like any other where it is given as null.
    assert.equal(new TaskError('no', { cause: null }).cause, null);
  });

  test('the JSON form has everything but the stack, causes included', () => {
    const inner = new TimeoutError('late', { cause: new TypeError('deep') });
    const error = new CancelledError('gone', { cause: inner, details: { n: 1 } });
    const json: unknown = JSON.parse(JSON.stringify(error));
    assert.deepEqual(json, {
      name: 'CancelledError',
      code: 'ERR_SHEAF_CANCELLED',
      message: 'gone',
      details: { n: 1 },
      cause: {
        name: 'TimeoutError',
        code: 'ERR_SHEAF_TIMEOUT',
        message: 'late',
        cause: { name: 'TypeError', message: 'deep' },
      },
    });
    assert.deepEqual(new TaskError('x', { cause: 'a text' }).toJSON(), {
      name: 'TaskError',
      code: 'ERR_SHEAF_TASK',
      message: 'x',
      cause: 'a text',
    });
  });

  test('one is no instance of another class, and other things are instances of none', () => {
    assert.equal(new TimeoutError('x') instanceof CancelledError, false);
    assert.equal(new SheafError('x') instanceof CancelledError, false);
    for (const other of [null, undefined, 1, 'x', {}, new Error('x'), () => {}, Object.create(null)]) {
      assert.equal((other as unknown) instanceof SheafError, false);
    }
    assert.equal({ [Symbol.for('sheaf.error')]: 3 } instanceof SheafError, false);
  });

  test('a subclass that a user makes is an instance of what it extends, and of itself', () => {
    class Mine extends TaskError {}
    class Yours extends TaskError {}
    const error = new Mine('x');
    assert.ok(error instanceof Mine && error instanceof TaskError && error instanceof SheafError);
    assert.equal(error instanceof Yours, false);
    assert.equal(new TaskError('x') instanceof Mine, false);
    assert.equal(error.name, 'TaskError');
  });

  for (const minify of [false, true]) {
    test(`two copies of the package know each other's errors${minify ? ', minified' : ''}`, async () => {
      const other = await secondCopy(minify);
      assert.notEqual(other.TimeoutError, TimeoutError);
      const theirs = new other.TimeoutError('x');
      assert.ok(theirs instanceof TimeoutError && theirs instanceof SheafError);
      assert.equal((theirs as unknown) instanceof CancelledError, false);
      assert.ok(new TimeoutError('x') instanceof other.TimeoutError);
      assert.ok(new CancelledError('x') instanceof other.SheafError);
      assert.equal(theirs.name, 'TimeoutError');
      assert.equal(theirs.code, 'ERR_SHEAF_TIMEOUT');
      // A cause from the other copy keeps its full form.
      assert.deepEqual(new TaskError('y', { cause: theirs }).toJSON().cause, theirs.toJSON());
    });
  }

  test('print as other errors do', () => {
    const text = inspect(new TimeoutError('too late'));
    assert.match(text, /^TimeoutError: too late\n\s+at /);
    assert.match(text, /ERR_SHEAF_TIMEOUT/);
    assert.equal(Object.keys(new TimeoutError('x')).includes('name'), false);
  });
});

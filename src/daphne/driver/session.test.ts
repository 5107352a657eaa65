import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Settings } from './execute.ts';
import { ScriptSession } from './session.ts';

/** A session, and what it has printed since it was asked last. */
function opened(settings: Settings = {}) {
  let text = '';
  const write = (piece: string): void => {
    text += piece;
  };
  const session = new ScriptSession({ ...settings, stdout: write, stderr: write });
  const printed = (): string => {
    const before = text;
    text = '';
    return before;
  };
  return { session, printed };
}

describe('a script that is written while it runs', () => {
  it('keeps variables, functions and views from entry to entry', async () => {
    const { session, printed } = opened();
    for (const entry of [
      'x = [1, 2, 3];',
      'def f(a) { return a * 2; }',
      'y = f(sum(x));',
      'print(y);',
      'registerView("v", {"a": [1, 2]});',
      'print(sql("SELECT sum(v.a) AS s FROM v"));',
    ])
      assert.equal(await session.enter(entry), 'done', entry);
    assert.equal(printed(), '12\nFrame(1x1, [s:int64_t])\n3\n');
    assert.deepEqual(session.names, ['x', 'y']);
  });

  it('has matrices that workers have made', async () => {
    const { session: own, printed } = opened({ vectorized: true, threads: 2 });
    await using session = own;
    for (const entry of ['m = fill(1.0, 3000, 3000) + 1.0;', 'n = m * 2.0;', 'sum(n)', 'm = m[0:2, 0:2];', 'm'])
      assert.equal(await session.enter(entry), 'done', entry);
    assert.equal(printed(), '3.6e+07\nDenseMatrix(2x2, double)\n2 2\n2 2\n');
  });

  it('prints expressions, with a semicolon and without', async () => {
    const { session, printed } = opened();
    for (const entry of ['1 + 2', '"a" + 1;', '[1.5]', 'as.si64(2.9)']) await session.enter(entry);
    assert.equal(printed(), '3\na1\nDenseMatrix(1x1, double)\n1.5\n2\n');
  });

  it('waits for the rest of what is not whole', async () => {
    const { session, printed } = opened();
    assert.equal(await session.enter('if (true) {'), 'more');
    assert.equal(await session.enter('if (true) {\n print(1);\n}'), 'done');
    assert.equal(await session.enter('x = (1 +'), 'more');
    assert.equal(await session.enter('x = (1 +', true), 'failed');
    assert.match(printed(), /^1\n\[error\]: <input>:1:/);
  });

  it('goes on after errors, with all that was there before', async () => {
    const { session, printed } = opened();
    await session.enter('x = 1;');
    assert.equal(await session.enter('x = 2; y = 1 / 0;'), 'failed');
    assert.equal(await session.enter('print(nothing);'), 'failed');
    assert.equal(await session.enter('x'), 'done');
    assert.match(printed(), /divided by zero[\s\S]*nothing[\s\S]*\n1\n$/);
  });
});

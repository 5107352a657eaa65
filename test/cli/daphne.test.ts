import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { notBuilt, Place } from './support.ts';

describe('sheaf daphne', { skip: notBuilt }, () => {
  const place = new Place();
  after(() => place[Symbol.dispose]());
  const script = (text: string): string => place.file('script.daphne', text);

  it('runs a script with its arguments, of both forms', () => {
    const file = script('print($a + $b); print($s);');
    const { code, out, err } = place.sheaf(['daphne', '--args', 'a=1', file, 'b=2', 's="x y"']);
    assert.deepEqual([code, out, err], [0, '3\nx y\n', '']);
  });

  it('says on standard output what goes wrong, and when by the exit code', () => {
    for (const [text, code, message] of [
      ['print(1', 1, /script\.daphne:1:8/],
      ['print(x);', 1, /x/],
      ['print([1, 2, 3, 4](2, 2)[5, ]);', 2, /script\.daphne:1:/],
      ['print(1); print(2 / as.si64("0"));', 3, /divided by zero/],
    ] as const) {
      const ended = place.sheaf(['daphne', script(text)]);
      assert.deepEqual([ended.code, ended.err], [code, ''], text);
      assert.match(ended.out, /^(1\n)?\[error\]: /);
      assert.match(ended.out, message);
    }
    for (const args of [['missing.daphne'], ['--no-such', 'script.daphne'], []]) {
      const ended = place.sheaf(['daphne', ...args]);
      assert.deepEqual([ended.code, ended.err], [1, '']);
      assert.match(ended.out, /^\[error\]: /);
    }
  });

  it('passes on all of a long output, and ends when nobody reads it', () => {
    const file = script('for (i in 1:100000) print(i);');
    const { code, out } = place.sheaf(['daphne', file]);
    assert.equal(code, 0);
    assert.ok(out.endsWith('\n99999\n100000\n'));
    assert.equal(out.length, 588_895);
    const forever = script('x = 1; while (x > 0) print(x);');
    assert.equal(place.shell(`$SHEAF daphne ${forever} | head -n 2`).out, '1\n1\n');
  });

  it('says what took how long, and shows the program', () => {
    const file = script('print(1);');
    const timed = place.sheaf(['daphne', '--timing', file]);
    assert.equal(timed.out, '1\n');
    const seconds = JSON.parse(timed.err) as Record<string, number>;
    assert.deepEqual(Object.keys(seconds), [
      'startup_seconds',
      'parsing_seconds',
      'compilation_seconds',
      'execution_seconds',
      'total_seconds',
    ]);
    const explained = place.sheaf(['daphne', '--explain=llvm,property_inference,parsing', file]);
    assert.match(
      explained.err,
      /^IR after parsing:\nprint\(1\);\n\nIR after property_inference:\ndef main.+IR after llvm:\n"use strict";\n/s,
    );
  });

  it('has its help and version', () => {
    assert.match(place.sheaf(['daphne', '--help']).out, /USAGE: sheaf daphne/);
    assert.match(place.sheaf(['daphne', '--version']).out, /^\d+\.\d+\.\d+/);
  });
});

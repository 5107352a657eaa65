import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { fixedText, generalText } from './numbers.ts';

test('six significant digits, as a stream of C++ has them', () => {
  const table: [number, string][] = [
    [Math.SQRT2, '1.41421'],
    [1e6, '1e+06'],
    [120000, '120000'],
    [1e-14, '1e-14'],
    [0.0293083, '0.0293083'],
    [-0, '-0'],
    [0, '0'],
    [NaN, 'nan'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [1e9, '1e+09'],
    [0.5, '0.5'],
    [100000.5, '100000'],
    [100001.5, '100002'],
    [999999.5, '1e+06'],
    [999999.4, '999999'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1e100, '1e+100'],
    [5e-324, '4.94066e-324'],
    [1.7976931348623157e308, '1.79769e+308'],
    [Math.fround(0.1), '0.1'],
    [-123456.7, '-123457'],
    [1234565, '1.23456e+06'],
    [1234575, '1.23458e+06'],
    [2.0000005, '2'],
    [0.1234565, '0.123456'],
    [1.5, '1.5'],
    [999999, '999999'],
    [0.00009999995, '0.0001'],
  ];
  for (const [value, text] of table) assert.equal(generalText(value), text, String(value));
});

test('six decimals, as to_string has them', () => {
  const table: [number, string][] = [
    [1.5, '1.500000'],
    [-0, '-0.000000'],
    [1 / 128, '0.007812'],
    [3 / 128, '0.023438'],
    [-5 / 128, '-0.039062'],
    [1e21, '1000000000000000000000.000000'],
    [1e-7, '0.000000'],
    [-1e-7, '-0.000000'],
    [NaN, 'nan'],
    [-Infinity, '-inf'],
    [2 ** 70, '1180591620717411303424.000000'],
  ];
  for (const [value, text] of table) assert.equal(fixedText(value), text, String(value));
});

test('what a C compiler prints', (t) => {
  if (spawnSync('gcc', ['--version']).status !== 0) return t.skip('there is no gcc');
  const folder = mkdtempSync(join(tmpdir(), 'sheaf-text-'));
  try {
    const program = '#include <stdio.h>\nint main(){double x;while(fread(&x,8,1,stdin)==1)printf("%g %f\\n",x,x);}';
    writeFileSync(join(folder, 'p.c'), program);
    assert.equal(spawnSync('gcc', ['-o', join(folder, 'p'), join(folder, 'p.c')]).status, 0);
    const ties = fc
      .tuple(fc.integer({ min: 0, max: 3e6 }), fc.integer({ min: -12, max: 20 }))
      .map(([n, e]) => (2 * n + 1) * 5 ** Math.max(0, e) * 2 ** (e - 1));
    const some = fc.oneof(
      fc.double({ noNaN: true }),
      ties,
      fc.integer().map((n) => n / 128),
      fc.integer().map((n) => n / 1000),
    );
    const values = Float64Array.from(fc.sample(some, 20_000));
    const { stdout } = spawnSync(join(folder, 'p'), { input: new Uint8Array(values.buffer), maxBuffer: 1 << 28 });
    const lines = stdout.toString().split('\n');
    for (const [i, value] of values.entries())
      assert.equal(`${generalText(value)} ${fixedText(value)}`, lines[i], String(value));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

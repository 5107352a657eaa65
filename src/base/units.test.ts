import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from './errors.ts';
import { type Bytes, bytes, type Duration, formatBytes, formatDuration, milliseconds } from './units.ts';

const refused = (run: () => unknown, part: RegExp): void => {
  assert.throws(run, (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, part);
    return true;
  });
};

describe('durations', () => {
  test('are milliseconds, or a number with a unit', () => {
    const cases: [Duration, number][] = [
      [0, 0],
      [250, 250],
      [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      ['250ms', 250],
      ['1.5s', 1500],
      ['2m', 120_000],
      ['1h', 3_600_000],
      ['0s', 0],
    ];
    for (const [text, ms] of cases) assert.equal(milliseconds(text, 'x'), ms, String(text));
  });

  test('that are none name the option, what was given, and what to give', () => {
    for (const wrong of [
      -1,
      Number.NaN,
      '5',
      's',
      '-1s',
      '1 s',
      '1S',
      '1d',
      '1e3ms',
      '',
      '1.s',
      '.5s',
      ' 1s',
      '1s ',
      '0x10ms',
    ]) {
      refused(
        () => milliseconds(wrong as Duration, 'task f: timeout'),
        /^task f: timeout: .* is not a duration; give milliseconds/,
      );
    }
    for (const wrong of [null, undefined, {}, [], true]) {
      refused(() => milliseconds(wrong as unknown as Duration, 't'), /is not a duration/);
    }
  });
});

describe('sizes', () => {
  test('are whole bytes, or a number with a binary unit', () => {
    const cases: [Bytes, number][] = [
      [0, 0],
      [65_536, 65_536],
      [10.9, 10],
      ['64KiB', 65_536],
      ['1.5GiB', 1.5 * 2 ** 30],
      ['0.3MiB', 314_572],
    ];
    for (const [text, n] of cases) assert.equal(bytes(text, 'x'), n, String(text));
  });

  test('that are none name the option, what was given, and what to give', () => {
    for (const wrong of [
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '5',
      '1KB',
      '1kib',
      'KiB',
      '-1KiB',
      '1 GiB',
      '1GB',
      'lots',
    ]) {
      refused(() => bytes(wrong as Bytes, 'connect: memory'), /^connect: memory: .* is not a size; give bytes/);
    }
    for (const wrong of [null, undefined, {}, [], true])
      refused(() => bytes(wrong as unknown as Bytes, 'm'), /is not a size/);
  });
});

describe('numbers for people', () => {
  test('sizes have the unit in which they are at least one', () => {
    const cases: [number, string][] = [
      [0, '0 B'],
      [1023, '1023 B'],
      [1024, '1 KiB'],
      [1536, '1.5 KiB'],
      [2 ** 30, '1 GiB'],
      [2 ** 40 * 5000, '5000 TiB'],
    ];
    for (const [n, text] of cases) assert.equal(formatBytes(n), text);
  });

  test('durations are short, and end where minutes do', () => {
    const cases: [number, string][] = [
      [0, '0 ms'],
      [95, '95 ms'],
      [1.25, '1.3 ms'],
      [1500, '1.5 s'],
      [119_999, '120.0 s'],
      [120_000, '2.0 min'],
    ];
    for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
  });

  test('what is printed can be read back, but for rounding', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 2 ** 39 }), (n) => {
        const [number, unit] = formatBytes(n).split(' ');
        const again = bytes(`${number}${unit}` as Bytes, 'x');
        assert.ok(Math.abs(again - n) <= n * 0.06);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { uniformBelow, uniformDouble, uniformFloat } from './distributions.ts';
import { type Engine, MersenneTwister, MinimalStandard } from './engines.ts';
import { fillDense, fillSparse, sparseCount } from './rand.ts';
import { sampleIntegers, sampleReals, shuffle } from './sample.ts';

function tenThousandth(engine: Engine): number {
  for (let i = 1; i < 10_000; i++) engine.next();
  return engine.next();
}

test('the 10,000th numbers are those that the standard of C++ names', () => {
  assert.equal(tenThousandth(new MersenneTwister(5489n)), 4123659995);
  assert.equal(tenThousandth(new MinimalStandard(1n)), 1043618065);
});

test('seeds count modulo 2**32, and modulo 2**31 - 1 as unsigned', () => {
  assert.equal(new MersenneTwister(-1n).next(), new MersenneTwister(2n ** 32n - 1n).next());
  assert.equal(new MinimalStandard(0n).next(), 16807);
  assert.equal(new MinimalStandard(-5n).next(), new MinimalStandard(2n ** 64n - 5n).next());
});

const PROGRAM = `#include <random>
#include <algorithm>
#include <numeric>
#include <vector>
#include <cstdio>
#include <cstdint>
template<class E> void all() {
  for (int64_t seed : {1ll, 42ll, -7ll}) {
    { E e(seed); std::uniform_real_distribution<double> d(-2.5, 10); for (int i = 0; i < 200; i++) printf("%a\\n", d(e)); }
    { E e(seed); std::uniform_real_distribution<float> d(-2.5f, 10.1f); for (int i = 0; i < 200; i++) printf("%a\\n", d(e)); }
    for (uint64_t r : {0ull, 1ull, 9ull, 1000000006ull, 2147483645ull, 2147483646ull, 4294967294ull, 4294967295ull, 4294967296ull, 1000000000000ull, 18446744073709551615ull})
      { E e(seed); std::uniform_int_distribution<uint64_t> d(0, r); for (int i = 0; i < 200; i++) printf("%llu\\n", (unsigned long long)d(e)); }
  }
}
int main() { all<std::mt19937>(); all<std::minstd_rand0>();
  for (int n : {1, 2, 9, 10, 1000, 70001}) { std::mt19937 e(5); std::vector<long> v(n); std::iota(v.begin(), v.end(), 0); std::shuffle(v.begin(), v.end(), e); for (int i = 0; i < n; i += 1 + n / 200) printf("%ld\\n", v[i]); }
}`;

test('distributions are those of libstdc++', (t) => {
  const version = spawnSync('g++', ['-dumpversion']);
  if (version.status !== 0 || Number.parseInt(version.stdout.toString(), 10) < 11) return t.skip('there is no g++ 11');
  const folder = mkdtempSync(join(tmpdir(), 'sheaf-random-'));
  try {
    writeFileSync(join(folder, 'p.cc'), PROGRAM);
    const compiled = spawnSync('g++', ['-O1', '-o', join(folder, 'p'), join(folder, 'p.cc')]);
    assert.equal(compiled.status, 0, compiled.stderr.toString());
    const lines = spawnSync(join(folder, 'p')).stdout.toString().trim().split('\n');
    const found: (number | bigint)[] = [];
    const ranges = [
      0n,
      1n,
      9n,
      1000000006n,
      2147483645n,
      2147483646n,
      4294967294n,
      4294967295n,
      4294967296n,
      10n ** 12n,
      2n ** 64n - 1n,
    ];
    for (const make of [(s: bigint) => new MersenneTwister(s), (s: bigint) => new MinimalStandard(s)]) {
      for (const seed of [1n, 42n, -7n]) {
        const draw = (of: (e: Engine) => number | bigint): void => {
          const engine = make(seed);
          for (let i = 0; i < 200; i++) found.push(of(engine));
        };
        draw((e) => uniformDouble(e, -2.5, 10));
        draw((e) => uniformFloat(e, -2.5, Math.fround(10.1)));
        for (const range of ranges) draw((e) => uniformBelow(e, range));
      }
    }
    for (const n of [1, 2, 9, 10, 1000, 70001]) {
      const items = Array.from({ length: n }, (_, i) => i);
      shuffle(items, new MersenneTwister(5n));
      for (let i = 0; i < n; i += 1 + Math.floor(n / 200)) found.push(BigInt(items[i]!));
    }
    assert.equal(lines.length, found.length);
    for (const [i, value] of found.entries()) {
      const line = lines[i]!;
      assert.equal(typeof value === 'bigint' ? BigInt(line) : hexFloat(line), value, `${i}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** What C's %a prints. */
function hexFloat(text: string): number {
  const [, sign, whole, fraction = '', power] = /^(-?)0x(\d)(?:\.([0-9a-f]+))?p([+-]\d+)$/.exec(text)!;
  const size =
    (Number(whole) + (fraction === '' ? 0 : Number(`0x${fraction}`) / 16 ** fraction.length)) * 2 ** Number(power);
  return sign === '-' ? -size : size;
}

test('rand has exactly as many values as it should, the first of them those of its engine', () => {
  for (const sparsity of [0, 0.2, 0.5, 0.8, 1]) {
    const dense = new Float64Array(100);
    fillDense(dense, 10, 10, 1, 2, sparsity, 7n);
    assert.equal(dense.filter((x) => x !== 0).length, 100 * sparsity);
    const whole = new BigInt64Array(100);
    fillDense(whole, 10, 10, -3n, 3n, sparsity, 7n);
    assert.equal(whole.filter((x) => x !== 0n).length, 100 * sparsity);
    assert.ok(whole.every((x) => x >= -3n && x <= 3n));
    const values = new Float64Array(sparseCount(10, 10, sparsity));
    const { rowOffsets, columnIndices } = fillSparse(values, 10, 10, 1, 2, sparsity, 7n);
    assert.equal(rowOffsets[10], values.length);
    for (let row = 0; row < 10; row++) {
      const columns = [...columnIndices.slice(rowOffsets[row], rowOffsets[row + 1])];
      assert.deepEqual(
        columns,
        [...new Set(columns)].sort((a, b) => a - b),
      );
    }
  }
  const full = new Float64Array(3);
  fillDense(full, 3, 1, 1, 2, 1, 7n);
  const engine = new MersenneTwister(7n);
  assert.deepEqual(
    [...full],
    [0, 0, 0].map(() => uniformDouble(engine, 1, 2)),
  );
});

test('samples are within their range, and without replacement each is there once', () => {
  assert.deepEqual(
    [...sampleIntegers(50, 50, false, 3n)].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.equal(new Set(sampleIntegers(1000, 20, false, 3n)).size, 20);
  assert.ok(sampleIntegers(3, 100, true, 3n).every((x) => x >= 0 && x < 3));
  for (const type of ['f64', 'f32'] as const) assert.equal(new Set(sampleReals(2, 100, false, 3n, type)).size, 100);
});

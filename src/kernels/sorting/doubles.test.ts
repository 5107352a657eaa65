import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DoubleSort, scratchBytes } from './doubles.ts';
import { sorted } from './sort.ts';

const memory = new WebAssembly.Memory({ initial: 400, maximum: 400, shared: true });
const FROM = 64;

const SPECIAL = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324, 1, -1];

/** Numbers without order, from 0 up to 1, always the same. */
function unordered(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0) / 2 ** 32;
  };
}

/** Kinds of lines: each makes an element of its place and of numbers without order. */
const KINDS: Readonly<Record<string, (i: number, next: () => number) => number>> = {
  even: (_, next) => next(),
  bits: (_, next) => {
    const words = Uint32Array.of(next() * 2 ** 32, next() * 2 ** 32);
    return new Float64Array(words.buffer)[0] as number;
  },
  'of all sizes': (_, next) => (next() - 0.5) * 2 ** Math.floor(next() * 2000 - 1000),
  ascending: (i) => i - 100,
  descending: (i) => -i / 3,
  same: () => 7,
  few: (_, next) => Math.floor(next() * 5) - 2,
  'next to each other': (_, next) => 1 + Math.floor(next() * 40) * Number.EPSILON,
  'two crowds': (i, next) => (i % 2 === 0 ? 1e-300 : 1) * (1 + next() / 1e6),
  'one far away': (i, next) => (i === 77 ? 1e300 : next()),
  special: (_, next) => SPECIAL[Math.floor(next() * SPECIAL.length)] as number,
  'nothing but NaN': () => Number.NaN,
  'zeros of both signs': (_, next) => (next() < 0.5 ? -0 : 0),
};

const bits = (x: Float64Array): BigInt64Array => new BigInt64Array(x.buffer, x.byteOffset, x.length);

test('doubles are sorted as without WebAssembly, bit for bit, in any number of parts', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(KINDS)),
      fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 200, max: 6000 }), fc.constant(40_000)),
      fc.integer(),
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(0, 0.01, 0.3),
      fc.boolean(),
      (kind, count, seed, descending, parts, odd, again) => {
        const next = unordered(seed);
        const line = Float64Array.from({ length: count }, (_, i) =>
          next() < odd ? (KINDS.special as (typeof KINDS)[string])(i, next) : KINDS[kind]!(i, next),
        );
        const want = new Float64Array(count);
        sorted('f64', line, descending, want);

        const into = FROM + 8 * count + 8;
        const plan = {
          from: FROM,
          into,
          count,
          descending,
          parts,
          threads: 2,
          scratch: Math.ceil(into / 64 + count / 8 + 1) * 64,
        };
        const end = plan.scratch + scratchBytes(plan);
        assert.ok(end <= memory.buffer.byteLength);
        const all = new Uint8Array(memory.buffer);
        all.fill(0xa5, 0, Math.min(all.length, end + 64));
        const given = new Float64Array(memory.buffer, FROM, count);
        given.set(line);
        const sort = new DoubleSort(plan, memory);
        if (parts === 1) sort.run();
        else {
          // As threads might: parts in the other order, and buckets of the second thread first.
          sort.begin();
          for (let part = parts - 1; part >= 0; part--) new DoubleSort(plan, memory).count(part);
          const before = sort.place();
          assert.equal(before.at(-1), count);
          for (let part = parts - 1; part >= 0; part--) new DoubleSort(plan, memory).scatter(part, part % 2);
          const middle = sort.buckets >> 1;
          sort.finish(middle, sort.buckets, 1);
          sort.finish(0, middle, 0);
          // Whoever did them has died, and with him went some of them.
          if (again)
            for (const [first, end] of [
              [0, middle],
              [middle, sort.buckets],
            ] as const)
              sort.finish(first, end, 1);
          sort.end();
        }
        const got = new Float64Array(memory.buffer, into, count);
        assert.deepEqual(bits(got.slice()), bits(want), kind);
        assert.deepEqual(bits(given.slice()), bits(line), 'what was given is as it was');
        assert.ok(
          [FROM - 1, into - 1, end].every((at) => all[at] === 0xa5),
          'nothing else is written',
        );
      },
    ),
    { numRuns: 250 },
  );
});

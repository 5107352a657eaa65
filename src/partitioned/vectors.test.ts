import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FormatError } from '../base/index.ts';
import { checkRanks, type Location, type ReadOptions, readPartitioned, registerResolver } from './index.ts';

interface Vector {
  readonly name: string;
  readonly description: unknown;
}
interface Good extends Vector {
  readonly elements?: readonly number[];
  readonly kind?: ReadOptions['kind'];
  readonly here?: Readonly<Record<string, readonly number[] | null>>;
  readonly locations?: Readonly<Record<string, readonly Location[]>>;
  readonly ranks?: Readonly<Record<string, readonly number[]>>;
  readonly ports?: Readonly<Record<string, readonly number[]>>;
}
interface Bad extends Vector {
  readonly options?: ReadOptions;
  readonly rule: string;
  readonly at: string;
}
interface Ranks {
  readonly name: string;
  readonly descriptions: readonly unknown[];
  readonly rule?: string;
  readonly at?: string;
}

const root = process.env.SHEAF_ROOT ?? process.cwd();
const text = readFileSync(join(root, 'docs/partitioned-vectors.json'), 'utf8');
const vectors = JSON.parse(text) as { good: Good[]; bad: Bad[]; ranks: Ranks[] };

registerResolver('vectors', (endpoint) => (handles) => {
  const store = endpoint as Readonly<Record<string, readonly number[]>>;
  return handles.map((handle) => Float64Array.from(store[handle as string] as readonly number[]));
});

const refused = (read: () => unknown, rule: string, at: string): void =>
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.equal(error.code, 'ERR_SHEAF_PARTITIONED');
    assert.deepEqual([error.details?.rule, error.details?.at], [rule, at], error.message);
    return true;
  });

describe('good descriptions', () => {
  for (const vector of vectors.good) {
    test(vector.name, async () => {
      const { kind } = vector;
      const read = readPartitioned(vector.description, kind === undefined ? {} : { kind });
      if (vector.elements !== undefined) {
        const whole = { start: read.shape.map(() => 0), shape: read.shape };
        assert.deepEqual([...(await read.slice(whole)).elements], vector.elements);
      }
      for (const [key, here] of Object.entries(vector.here ?? {})) {
        const found = await read.get(read.partitions.get(key)!.data);
        assert.deepEqual(found === null ? null : [...(found as Float64Array)], here);
      }
      for (const [key, expected] of Object.entries(vector.locations ?? {})) {
        assert.deepEqual(read.partitions.get(key)?.location, expected);
      }
      for (const [key, expected] of Object.entries(vector.ranks ?? {})) {
        assert.deepEqual(read.partitions.get(key)?.['x-rank'], expected);
      }
      for (const [key, expected] of Object.entries(vector.ports ?? {})) {
        assert.deepEqual(read.partitions.get(key)?.['x-port'], expected);
      }
      // Maps instead of objects, with positions as keys, are what a program in this process would have.
      const { partitions } = vector.description as { partitions: Record<string, unknown> };
      const keys = new Map(
        Object.entries(partitions).map(([key, each]) => [key === '' ? [] : key.split(',').map(Number), each]),
      );
      const again = readPartitioned({ ...(vector.description as object), partitions: keys });
      assert.deepEqual([...again.partitions], [...read.partitions]);
    });
  }

  test('are written and read again without a loss, but for what names no machine', () => {
    let [written, refusals] = [0, 0];
    for (const { description, name } of vectors.good) {
      const read = readPartitioned(description);
      if ([...read.partitions.values()].some(({ location }) => location.some(([ip]) => ip === ''))) {
        assert.throws(() => JSON.stringify(read), /names no machine/);
        refusals++;
        const located = readPartitioned(description, { locate: (rank) => ['10.0.0.1', 100 + Number(rank)] });
        assert.deepEqual(readPartitioned(JSON.parse(JSON.stringify(located))).partitions.get('1')?.location, [
          ['10.0.0.1', 101],
        ]);
        continue;
      }
      const again = readPartitioned(JSON.parse(JSON.stringify(read)));
      assert.deepEqual(again.toJSON(), read.toJSON(), name);
      assert.deepEqual([...again.partitions], [...read.partitions], name);
      written++;
    }
    assert.ok(written > 15 && refusals === 2);
  });
});

describe('bad descriptions are refused with the rule and the place', () => {
  for (const { name, description, options, rule, at } of vectors.bad) {
    test(name, () => refused(() => readPartitioned(description, options), rule, at));
  }
});

describe('the descriptions of all ranks', () => {
  for (const { name, descriptions, rule, at } of vectors.ranks) {
    test(name, () => {
      const check = (): void => checkRanks(descriptions.map((each) => readPartitioned(each, { kind: 'spmd' })));
      if (rule === undefined) check();
      else refused(check, rule, at as string);
    });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCoreCache } from './core-cache.ts';

type Caches = readonly Readonly<Record<string, string>>[];
const of = (caches: Caches, wish?: string) => findCoreCache(wish, (index, name) => caches[index]?.[name]);

const DATA = { level: '1', type: 'Data', size: '32K', shared_cpu_list: '0' };
const CODE = { level: '1', type: 'Instruction', size: '32K', shared_cpu_list: '0' };
const THIRD = { level: '3', type: 'Unified', size: '32M', shared_cpu_list: '0-7' };

test('the cache of a core is the second one, of which each of those that share it has its part', () => {
  const second = { level: '2', type: 'Unified', size: '1024K', shared_cpu_list: '0' };
  assert.deepEqual(of([DATA, CODE, second, THIRD]), { bytes: 1 << 20, from: 'the system' });
  assert.equal(of([DATA, CODE, { ...second, size: '2M', shared_cpu_list: '0,64' }, THIRD]).bytes, 1 << 20);
  assert.equal(of([DATA, { ...second, size: '12288K', shared_cpu_list: '0-3' }]).bytes, 3 << 20);
});

test('where nobody says what there is, it is assumed; what the user says counts', () => {
  const assumed = { bytes: 1 << 20, from: 'an assumption' };
  for (const caches of [[], [DATA, CODE, THIRD], [{ level: '2' }], [{ level: '2', size: 'much' }]]) {
    assert.deepEqual(of(caches as Caches), assumed);
  }
  assert.deepEqual(of([DATA], '256KiB'), { bytes: 256 << 10, from: 'SHEAF_CORE_CACHE' });
  assert.equal(of([DATA], '65536').bytes, 65536);
  assert.throws(() => of([DATA], 'large'), { code: 'ERR_SHEAF_USAGE', message: /^SHEAF_CORE_CACHE: "large" is/ });
});

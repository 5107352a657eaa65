import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notBuilt, Place } from './support.ts';

const options = { skip: notBuilt, timeout: 100_000 };

interface Report {
  ok: boolean;
  findings: { name: string; status: string; text: string; advice?: string }[];
}

test('doctor finds all that is needed here, and proves it by a round trip', options, () => {
  using place = new Place();
  const { code, out, err } = place.sheaf(['doctor', '--json']);
  assert.equal(err, '');
  const { ok, findings } = JSON.parse(out) as Report;
  assert.equal(ok, true);
  assert.equal(code, 0);
  const names = findings.map(({ name }) => name);
  for (const name of [
    'node',
    'platform',
    'workers',
    'cores',
    'memory',
    'disk',
    'TypeScript',
    'runtime folder',
    'round trip',
  ]) {
    assert.ok(names.includes(name), name);
  }
  assert.match(findings.at(-1)!.text, /first result after \d+ ms, then \d+ µs a call/);
  for (const { status, advice } of findings) assert.equal(advice === undefined, status === 'ok');
});

test('a finding says what to do, and one that is not essential does not fail', options, () => {
  using place = new Place();
  const folder = join(place.runtime, 'sheaf');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const { code, out } = place.sheaf(['doctor'], { NO_COLOR: '1', SHEAF_BLAS: 'off' });
  assert.match(out, /^warn {2}runtime folder +.*\n +-> .*chmod 700/m);
  assert.match(out, /Sheaf runs here; 1 of \d+ could be better/);
  assert.equal(code, 0);
});

test('doctor says which OpenBLAS there is, or how to get one', options, () => {
  using place = new Place();
  const findingWith = (blas: string) => {
    const { out } = place.sheaf(['doctor', '--json'], { SHEAF_BLAS: blas });
    return (JSON.parse(out) as Report).findings.find(({ name }) => name === 'OpenBLAS');
  };
  const missing = findingWith('/nowhere/libopenblas.so.0');
  assert.equal(missing?.status, 'warn');
  assert.match(missing.text, /^SHEAF_BLAS is \/nowhere\/libopenblas\.so\.0: /);
  assert.match(missing.advice ?? '', /apt install libopenblas0/);
  assert.deepEqual(findingWith('off'), { name: 'OpenBLAS', status: 'ok', text: 'is not used: SHEAF_BLAS is off' });
});

test('doctor fails when no session can be had', options, () => {
  using place = new Place();
  const { code, out } = place.sheaf(['doctor', '--json'], { SHEAF_ISOLATION: 'nonsense' });
  assert.equal(code, 1);
  const { ok, findings } = JSON.parse(out) as Report;
  assert.equal(ok, false);
  assert.match(findings.at(-1)!.text, /SHEAF_ISOLATION is "nonsense"/);
});

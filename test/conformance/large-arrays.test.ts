import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, OutOfMemoryError, type Session } from 'sheaf';
import * as sf from 'sheaf/array';
import { eventually, LIMIT, MiB, scratch } from './support.ts';

const MEMORY = 16 * MiB;
/** 48 MiB of doubles: three times what there is. */
const ROWS = 3 * 2 ** 15;
const COLUMNS = 64;

const spill = scratch();
const spilledFiles = (): string[] =>
  existsSync(spill)
    ? (readdirSync(spill, { recursive: true }) as string[]).filter((name) => name.endsWith('.spill'))
    : [];

const near = (value: number, expected: number, text: string): void =>
  assert.ok(Math.abs(value - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${text}: ${value}, not ${expected}`);

/** Element (i, j) of the array that most tests have. */
const element = (i: number, j: number): number => ((i * 7 + j * 3) % 1000) / 8 - 60;
const make = (): sf.Arr<'f64'> => {
  const rows = sf.arange(ROWS).mul(7).reshape([ROWS, 1]);
  const columns = sf.arange(COLUMNS).mul(3);
  return sf.remainder(rows.add(columns), 1000).div(8).sub(60) as sf.Arr<'f64'>;
};

/** What columns come to, one element after the other. */
function byHand() {
  const sums = new Float64Array(COLUMNS);
  const squares = new Float64Array(COLUMNS * COLUMNS);
  let [least, most, above] = [Infinity, -Infinity, 0];
  for (let i = 0; i < ROWS; i++) {
    for (let j = 0; j < COLUMNS; j++) {
      const x = element(i, j);
      (sums[j] as number) += x;
      least = Math.min(least, x);
      most = Math.max(most, x);
      if (x > 50) above++;
    }
    for (let k = 0; k < COLUMNS; k++) (squares[k] as number) += element(i, 0) * element(i, k);
  }
  return { sums, squares, least, most, above };
}

const used = (session: Session): number => session.stats().memory.used as number;

test('arrays of three times the memory: made, computed, reduced, multiplied, read in pieces', LIMIT, async () => {
  {
    await using session = await connect({ cpus: 2, memory: MEMORY, spill });
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, used(session));
    }, 1).unref();
    const expected = byHand();

    const x = await make().persist();
    assert.deepEqual([...x.shape], [ROWS, COLUMNS]);
    assert.ok((session.stats().memory.spilled as number) > MEMORY, 'most of it is on disk');
    assert.ok(spilledFiles().length > 0);

    // Pieces.
    for (const from of [0, 4095, 50_000, ROWS - 3]) {
      const part = (await x.at(`${from}:${from + 3}`).toNested()) as number[][];
      part.forEach((row, i) => {
        assert.deepEqual(
          row,
          Array.from({ length: COLUMNS }, (_, j) => element(from + i, j)),
        );
      });
    }
    const column = await x.at('::4096', -1).data();
    assert.deepEqual(
      [...column],
      Array.from({ length: ROWS / 4096 }, (_, i) => element(i * 4096, COLUMNS - 1)),
    );

    assert.equal((await x.show()).split('\n')[0], '[[-60.    -59.625 -59.25  ... -37.125 -36.75  -36.375]');
    assert.match(await x.mul(2).explain(), /in blocks: at once this would take 144 MiB, of 16 MiB that there are/);

    // Reductions of all kinds, together.
    const sums = await x.sum({ axis: 0 }).data();
    sums.forEach((sum, j) => {
      near(sum as number, expected.sums[j] as number, `column ${j}`);
    });
    assert.equal(await x.min().item(), expected.least);
    assert.equal(await x.max().item(), expected.most);
    assert.equal(await sf.countNonzero(x.greater(50)).item(), BigInt(expected.above));
    assert.equal(await x.greater(-61).all().item(), true);
    assert.equal(await x.equal(1e9).any().item(), false);
    assert.deepEqual([...(await x.argmax({ axis: 0 }).data())].slice(0, 2), [857n, 428n]);
    assert.equal(await x.sum({ axis: 1 }).at(77_777).item(), await x.at(77_777).sum().item());

    // Normalised columns, an array of the same size; and what they come to.
    const normal = x.sub(x.mean({ axis: 0 })).div(x.std({ axis: 0 }));
    const z = await normal.persist();
    near(await z.mul(z).mean().item(), 1, 'the variance');
    near((await z.mean({ axis: 0 }).abs().max().item()) + 1, 1, 'the mean');
    z.release();

    // One big operand, on either side; and both.
    const w = sf.eye(COLUMNS, 8).mul(2);
    const y = await x.matmul(w).persist();
    assert.deepEqual(
      await y.at(54_321).toNested(),
      Array.from({ length: 8 }, (_, j) => 2 * element(54_321, j)),
    );
    const products = await x.T.matmul(x).at(0).data();
    products.forEach((product, k) => {
      near(product as number, expected.squares[k] as number, `product ${k}`);
    });
    y.release();

    // Lines of rows, sorted; shifted; the other way round.
    const sorted = sf.sort(x, { axis: 1 });
    assert.deepEqual(
      await sorted.at(77_776).toNested(),
      Array.from({ length: COLUMNS }, (_, j) => element(77_776, j)).sort((a, b) => a - b),
    );
    const steps = sf.diff(x, { axis: 0 }).abs().max();
    near(await steps.item(), 993 / 8, 'the largest step');
    assert.equal(
      await x.T.reshape([-1])
        .at(2 * ROWS + 5)
        .item(),
      element(5, 2),
    );

    const rows = sf.asarray([70_000n, 3n]);
    assert.deepEqual(await x.at(rows, ':2').toNested(), [
      [element(70_000, 0), element(70_000, 1)],
      [element(3, 0), element(3, 1)],
    ]);

    clearInterval(watch);
    assert.ok(peak > MEMORY / 2 && peak <= MEMORY, `${peak} bytes in use`);
    x.release();
  }
  assert.deepEqual(spilledFiles(), []);
});

test('what is only combined is never stored, and random numbers do not depend on blocks', LIMIT, async () => {
  await using session = await connect({ cpus: 2, memory: MEMORY, spill: 'off' });
  // 160 MB, if it were.
  const mean = await sf.random([2e7], { seed: 5, dtype: 'f64' }).mean().item();
  assert.ok(Math.abs(mean - 0.5) < 1e-3);
  const n = 2 ** 23;
  assert.equal(await sf.arange(n).sum().item(), (n * (n - 1)) / 2);
  assert.equal(
    await sf
      .random([3 * n], { seed: 9 })
      .at(2 * n + 17)
      .item(),
    (await sf.random([3, n], { seed: 9 }).at(2, '17:18').data())[0],
  );
  assert.ok(used(session) < MEMORY / 2);
});

test('arrays that come from outside, larger than the memory, are taken in parts', LIMIT, async () => {
  const own = new Float32Array(8 * MiB);
  for (let i = 0; i < own.length; i++) own[i] = i % 1001;
  const file = join(scratch(), 'large.npy');
  await using session = await connect({ cpus: 2, memory: MEMORY, spill });
  const x = sf.fromTyped(own);
  assert.equal(await sf.writeNpy(file, x), own.byteLength + 128);
  const y = await sf.readNpy(file);
  assert.equal(await y.sub(x).abs().max().item(), 0);
  const both = await y.add(x).persist();
  const values = await both.data();
  assert.ok(values.every((value, i) => value === 2 * (i % 1001)));
  both.release();
  assert.ok(used(session) < MEMORY);
});

test('what needs all of an array at once is refused early, and by name', LIMIT, async () => {
  await using session = await connect({ cpus: 2, memory: MEMORY, spill });
  const x = sf.arange(8 * MiB);
  await assert.rejects(sf.sort(x).persist(), (error: OutOfMemoryError) => {
    assert.ok(error instanceof OutOfMemoryError);
    assert.match(
      error.message,
      /^sort needs 128 MiB of shared memory at the same time.*has 16 MiB.*connect\(\{ memory \}\)/,
    );
    assert.deepEqual(error.details, { operation: 'sort', needed: 128 * MiB, limit: MEMORY });
    return true;
  });
  assert.equal(await x.max().item(), 8 * MiB - 1);
  assert.equal(session.stats().memory.spilled, 0);
});

test('where nothing can be written to disk, it is said what to do, and the session goes on', LIMIT, async () => {
  {
    await using session = await connect({ cpus: 2, memory: MEMORY, spill: 'off' });
    await assert.rejects(sf.arange(4 * MiB).persist(), {
      name: 'OutOfMemoryError',
      message: /^the array has 32 MiB, and the shared memory of this session 16 MiB.*connect\(\{ spill \}\)/,
    });
    assert.equal(used(session), 0);
  }
  const gone = scratch();
  await using session = await connect({ cpus: 2, memory: MEMORY, spill: gone });
  rmSync(gone, { recursive: true });
  // In the place of the folder; a full disk is the same to who needs room.
  writeFileSync(gone, '');
  await assert.rejects(sf.arange(4 * MiB).persist(), {
    name: 'OutOfMemoryError',
    code: 'ERR_SHEAF_SPILL_FAILED',
    message: /nothing could be written to .*make room there, name a folder on another disk/,
  });
  assert.equal(await sf.arange(1000).sum().item(), 499_500);
  await eventually(() => used(session) === 0, 'blocks that were computed in vain are gone');
});

test('a disk that is full: it is said, and the session goes on with what has room', LIMIT, (t) => {
  const disk = scratch();
  const mount = `mount -t tmpfs -o size=24m none '${disk}'`;
  const alone = (command: string, ...args: string[]) =>
    spawnSync('unshare', ['--mount', 'sh', '-c', command, ...args], { encoding: 'utf8' });
  if (alone(mount).status !== 0) return t.skip('this user can mount no small disk');
  const program = `
    import { connect } from 'sheaf';
    import { arange } from 'sheaf/array';
    const session = await connect({ cpus: 1, memory: ${MEMORY}, spill: ${JSON.stringify(disk)} });
    const hopeless = await arange(${8 * MiB}).persist().catch((error) => error.code);
    const there = await arange(${3 * MiB}).add(1).persist();
    const failed = await arange(${3 * MiB}).persist().catch((error) => error.code + ' ' + error.message);
    console.log(hopeless, failed, await there.sum().item());
    await session[Symbol.asyncDispose]();
    console.log((await import('node:fs')).readdirSync(${JSON.stringify(disk)}).length);
  `;
  const run = alone(`${mount} && exec "$0" --input-type=module -e "$1"`, process.execPath, program);
  assert.match(
    run.stdout,
    /^ERR_SHEAF_OUT_OF_MEMORY ERR_SHEAF_SPILL_FAILED .*no space is left on the disk \(ENOSPC\); make room there.* 4947803897856\n0\n$/,
    run.stderr,
  );
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { all, byRef, connect, file, get, put, type Ref, task } from 'sheaf';
import { failure, LIMIT, MiB, nothingLeft, onHosts, scratch } from './support.ts';

const read = task(async (blob: Blob) => blob.text());
const sizes = task(async (blobs: Blob[]) => blobs.map((blob) => blob.size));
const middle = task(async (blob: Blob) => [blob.size, await blob.slice(2, 4).text(), blob instanceof Blob] as const);
const nested = task(async (data: { inside: Ref<Blob> }) => (await data.inside.value).text());
const passed = task(async (ref: Ref<Blob>) => ref);
const opened = task((path: string) => file(path));
const streamed = task(async (blob: Blob) => {
  let n = 0;
  for await (const chunk of blob.stream()) n += (chunk as Uint8Array).length;
  return n;
});
const byStep = task(async function* (blob: Blob) {
  for (let at = 0; at < blob.size; at += 2) yield await blob.slice(at, at + 2).text();
});
const twice = task((blob: Blob, n: number) => blob.size * n);

function written(text: string | Uint8Array): string {
  const path = join(scratch(), 'a file.txt');
  writeFileSync(path, text);
  return path;
}

onHosts('files', { cpus: 2, memory: '64MiB' }, (session) => {
  test('a task reads a file that it is given a reference to', LIMIT, async () => {
    const path = written('0123456789');
    const ref = file(path);
    assert.equal(await read(ref).value, '0123456789');
    assert.deepEqual(await middle(ref).value, [10, '23', true]);
    // By a synchronous function as well, and in any place.
    assert.equal(await twice(ref, put(3)).value, 30);
    assert.equal(await read(file(pathToFileURL(path))).value, '0123456789');
    assert.equal(await read(file(relative(process.cwd(), path))).value, '0123456789');
    assert.equal(await read(file(pathToFileURL(path).href)).value, '0123456789');
  });

  test('a reference to a file goes wherever references go', LIMIT, async () => {
    const path = written('here and there');
    const ref = file(path);
    assert.equal(await nested({ inside: ref }).value, 'here and there');
    assert.equal(await read(passed(byRef(ref))).value, 'here and there');
    assert.equal(await read(opened(path)).value, 'here and there');
    assert.equal(await (await opened(path).value).text(), 'here and there');
    assert.equal(await (await ref.value).text(), 'here and there');
    const [a, n] = await get([ref, put(5)]);
    assert.deepEqual([await a.text(), n], ['here and there', 5]);
    assert.deepEqual(await sizes(all([ref, file(written('x'))])).value, [14, 1]);
    const record = await all({ ref, other: put('y') }).value;
    assert.deepEqual([await record.ref.text(), record.other], ['here and there', 'y']);
    const items: string[] = [];
    for await (const item of byStep(ref)) items.push(item);
    assert.equal(items.join(''), 'here and there');
  });

  test('no byte of it passes through the program or shared memory', LIMIT, async () => {
    const path = written(new Uint8Array(100 * MiB));
    const before = session().stats();
    const ref = file(path);
    const counts = await get([1, 2, 3].map(() => streamed(ref)));
    assert.deepEqual(counts, [100 * MiB, 100 * MiB, 100 * MiB]);
    const after = session().stats();
    assert.ok(after.bytesThroughDriver - before.bytesThroughDriver < 10_000);
    assert.ok((after.memory.used as number) <= (before.memory.used as number));
  });

  test('what is no file is refused where it is given', LIMIT, () => {
    const folder = scratch();
    const inside = join(folder, 'folder');
    mkdirSync(inside);
    assert.throws(() => file(join(folder, 'missing')), {
      name: 'UsageError',
      message: /there is no .*missing; paths are/,
    });
    assert.throws(() => file(inside), {
      name: 'UsageError',
      message: /folder is a folder; give the path of a file in it/,
    });
    assert.throws(() => file('/dev/null'), { name: 'UsageError', message: /no regular file/ });
    assert.throws(() => file(new URL('http://example.org/x')), /takes a path or a file: URL, not http:/);
    assert.throws(() => file(''), /takes a path or a file: URL/);
    assert.throws(() => file(5 as never), /takes a path or a file: URL, not 5/);
    if (process.getuid?.() === 0) return;
    const secret = written('secret');
    chmodSync(secret, 0);
    assert.throws(() => file(secret), { name: 'UsageError', message: /can't be read: EACCES/ });
  });

  test('a file that has changed is not read as if it had not', LIMIT, async () => {
    const changes: [RegExp, (path: string) => void][] = [
      [/has 3 bytes now, and had 4/, (path) => writeFileSync(path, 'new')],
      [/was written to/, (path) => utimesSync(path, 1, 1)],
      [/is gone/, (path) => rmSync(path)],
      [
        /is no file any more/,
        (path) => {
          rmSync(path);
          mkdirSync(path);
        },
      ],
    ];
    for (const [what, change] of changes) {
      const path = written('old!');
      const ref = file(path);
      change(path);
      for (const attempt of [
        () => read(ref).value,
        () => ref.value,
        () => get(ref),
        () => nested({ inside: ref }).value,
      ]) {
        const error = await failure(attempt());
        assert.equal(error.name, 'ObjectLostError');
        assert.equal((error as { code?: string }).code, 'ERR_SHEAF_FILE_CHANGED');
        assert.match(error.message, what);
        assert.ok(error.message.includes(path));
      }
      assert.match((await failure(all([ref]).value)).message, what);
    }
  });

  test('a file that changes after it was opened can’t be read any more', LIMIT, async () => {
    const path = written('old!');
    const ref = file(path);
    const blob = await ref.value;
    assert.equal(await blob.text(), 'old!');
    writeFileSync(path, 'newer');
    const error = await failure(blob.text());
    assert.equal(error.name, 'NotReadableError');
  });

  test('a file that is back is good again', LIMIT, async () => {
    const path = written('same');
    utimesSync(path, 5, 5);
    const ref = file(path);
    rmSync(path);
    await failure(read(ref).value);
    await failure(ref.value);
    writeFileSync(path, 'same');
    utimesSync(path, 5, 5);
    assert.equal(await read(ref).value, 'same');
    assert.equal(await (await get(ref)).text(), 'same');
  });

  test('a released reference is no longer good, and nothing is left', LIMIT, async () => {
    const path = written('x');
    const ref = file(path);
    await nested({ inside: ref }).value;
    ref.release();
    assert.equal((await failure(Promise.resolve().then(() => ref.value))).name, 'ReleasedError');
    await nothingLeft(session());
  });
});

test('inline, a task reads a file as well, and hears of a change', LIMIT, async () => {
  const session = await connect({ mode: 'inline' });
  try {
    const path = written('0123456789');
    assert.equal(await read(file(path)).value, '0123456789');
    assert.equal(await twice(file(written('xy')), 3).value, 6);
    const ref = file(written('old!'));
    assert.deepEqual(await sizes(all([ref, file(path)])).value, [4, 10]);
    const gone = written('gone');
    const lost = file(gone);
    rmSync(gone);
    assert.match((await failure(read(lost).value)).message, /is gone since file\(\) was called/);
  } finally {
    await session[Symbol.asyncDispose]();
  }
});

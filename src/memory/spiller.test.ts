import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedStore, type SlotRef } from './index.ts';
import { type Disk, realDisk } from './spill-disk.ts';
import { clearAbandoned, makeSpillFolder, spillFolderOf } from './spill-folder.ts';
import { spillLimits } from './spiller.ts';

const MiB = 1024 * 1024;
const scratch = mkdtempSync(join(tmpdir(), 'sheaf-test-spill-'));
const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  rmSync(scratch, { recursive: true, force: true });
});

let folders = 0;

/** A store of `limit` bytes whose party 0 spills; and two others. `turn` is what a ring of the bell does. */
function open(limit: number, disk: Partial<Disk> = {}) {
  const folder = join(scratch, `${folders++}`, 'sheaf-1-00');
  const control = SharedStore.create({ limit, parties: 3, between: 'threads', spill: folder });
  const a = SharedStore.attach(control.handle, 1);
  const b = SharedStore.attach(control.handle, 2);
  const spiller = control.spill({ ...realDisk, ...disk });
  for (const store of [a, b]) store.room.onSpill = () => setImmediate(() => spiller.look());
  cleanups.push(async () => {
    await spiller.close();
    for (const store of [a, b, control]) store.close();
  });
  const files = () => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.spill')) : []);
  return { control, a, b, spiller, folder, files };
}

function make(store: SharedStore, byteLength: number, mark: number): SlotRef {
  const ref = store.allocate(byteLength);
  store.bytes(ref).fill(mark);
  store.seal(ref);
  return ref;
}

/** Waits without a limit of its own: the test's is the only one. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(1);
}

/** An allocation as often as it takes, with turns for the spiller in between: it can't wait in its own thread. */
async function makeInTime(store: SharedStore, byteLength: number, mark: number): Promise<SlotRef> {
  for (;;) {
    try {
      return make(store, byteLength, mark);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_SHEAF_OUT_OF_MEMORY') throw error;
      store.room.ask(byteLength);
      await sleep(1);
    }
  }
}

const isFilledWith = (bytes: Uint8Array, mark: number) => Buffer.alloc(bytes.length, mark).equals(bytes);

test('above the mark the oldest objects go to disk, many to a file, and come back as they were', async () => {
  const { a, b, spiller, files, folder } = open(16 * MiB);
  const refs = Array.from({ length: 240 }, (_, i) => make(a, 60_000 + i, i));
  const high = spillLimits((16 * MiB) / 65_536).high * 65_536;
  await until(() => a.stats().used <= high && a.stats().spilled > 0 && spiller.files > 0);
  assert.ok(a.isAbsent(refs[0]!), 'the first is the oldest');
  assert.ok(!a.isAbsent(refs[239]!));
  assert.ok(files().length < 5, `${files().length} files for ${240 - a.stats().used / 65_536} objects`);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  refs.forEach((ref, i) => {
    assert.ok(b.reading(ref, (bytes) => bytes.length === 60_000 + i && isFilledWith(bytes, i)));
  });
  for (const ref of refs.slice(1)) a.unpin(ref);
  spiller.look();
  await until(() => files().length === 1);
  a.unpin(refs[0]!);
  spiller.look();
  await until(() => files().length === 0);
  assert.deepEqual([a.stats().used, a.stats().spilled], [0, 0]);
});

test('a store smaller than the data: all of it can be read, in any order and again', async () => {
  const { a, b } = open(8 * MiB);
  const refs: SlotRef[] = [];
  for (let i = 0; i < 40; i++) refs.push(await makeInTime(a, MiB + i * 1000, i));
  assert.ok(a.stats().spilled > 30 * MiB);
  for (let n = 0; n < 120; n++) {
    const i = (n * 17 + 5) % 40;
    assert.ok(b.reading(refs[i]!, (bytes) => bytes.length === MiB + i * 1000 && isFilledWith(bytes, i)));
  }
});

test('what is in use stays in memory, where it is', async () => {
  const { a, b } = open(8 * MiB);
  const used = make(a, 2 * MiB, 1);
  b.use(used);
  const where = b.address(used);
  const view = b.view(used);
  b.unuse(used);
  for (let i = 0; i < 20; i++) await makeInTime(a, MiB, 7);
  assert.ok(!a.isAbsent(used));
  assert.deepEqual(b.address(used), where);
  assert.ok(isFilledWith(new Uint8Array(view), 1));
});

test('a full disk: nothing is lost, the error says where and what to do, and it goes on when there is space', async () => {
  let full = true;
  const { a, files, folder, spiller } = open(8 * MiB, {
    async write(fd, parts, position) {
      if (full) throw Object.assign(new Error('ENOSPC'), { errno: -28, code: 'ENOSPC' });
      await realDisk.write(fd, parts, position);
    },
  });
  const refs = [1, 2, 3, 4, 5, 6, 7].map((i) => make(a, MiB, i));
  let error: (Error & { code: string; details: Record<string, unknown> }) | undefined;
  // The first ones have asked, and been refused, before the disk was.
  await until(() => {
    try {
      a.unpin(a.allocate(2 * MiB));
      return false;
    } catch (thrown) {
      error = thrown as typeof error;
      a.room.ask(2 * MiB);
      return error?.code === 'ERR_SHEAF_SPILL_FAILED';
    }
  });
  assert.match(
    error!.message,
    /no room for 2 MiB .*nothing could be written to .*\.spill: no space is left on the disk \(ENOSPC\); make room there, name a folder on another disk with connect\(\{ spill \}\), or raise connect\(\{ memory \}\)/,
  );
  assert.ok(error!.message.includes(folder));
  assert.deepEqual([error!.details.folder, error!.details.errno], [folder, 28]);
  refs.forEach((ref, i) => {
    assert.ok(a.reading(ref, (bytes) => isFilledWith(bytes, i + 1)));
  });
  spiller.look();
  await until(() => files().length === 0);
  full = false;
  const more = await (async () => {
    for (;;) {
      try {
        return make(a, 2 * MiB, 9);
      } catch {
        a.room.ask(2 * MiB);
        await sleep(5);
      }
    }
  })();
  assert.ok(a.reading(more, (bytes) => isFilledWith(bytes, 9)));
  assert.ok(a.stats().spilled > 0);
});

const FAULTS: [string, Partial<Disk>, RegExp][] = [
  [
    "the folder can't be made",
    { makeFolder: () => fail(13, 'EACCES') as never },
    /written to \S*sheaf-1-00: that is not allowed/,
  ],
  ["a file can't be made", { create: async () => fail(28, 'ENOSPC') as never }, /no space is left/],
  [
    'the disk fails when it is asked whether all is written',
    { sync: async () => fail(5, 'EIO') },
    /the disk failed \(EIO\)/,
  ],
];

function fail(errno: number, code: string): void {
  throw Object.assign(new Error(code), { errno: -errno, code });
}

for (const [what, disk, message] of FAULTS) {
  test(`${what}: an error of the allocation, and no object leaves memory`, async () => {
    const { a } = open(4 * MiB, disk);
    const refs = [1, 2, 3].map((i) => make(a, MiB, i));
    await until(() => {
      try {
        a.unpin(a.allocate(2 * MiB));
        return false;
      } catch (error) {
        a.room.ask(2 * MiB);
        return (error as { code: string }).code === 'ERR_SHEAF_SPILL_FAILED' && message.test((error as Error).message);
      }
    });
    refs.forEach((ref, i) => {
      assert.ok(!a.isAbsent(ref));
      assert.ok(a.reading(ref, (bytes) => isFilledWith(bytes, i + 1)));
    });
  });
}

test('while a slow disk takes its time, what is being written can be read, used and let go', async () => {
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const { a, b, files, spiller } = open(4 * MiB, {
    async sync(fd) {
      await gate;
      await realDisk.sync(fd);
    },
  });
  const refs = Array.from({ length: 14 }, (_, i) => make(a, MiB / 4, i));
  await until(() => files().length > 0);
  refs.forEach((ref, i) => {
    assert.ok(b.reading(ref, (bytes) => isFilledWith(bytes, i)));
  });
  b.use(refs[0]!);
  a.unpin(refs[1]!);
  goOn();
  await until(() => a.stats().spilled > 0);
  assert.ok(!a.isAbsent(refs[0]!), 'somebody began to use it meanwhile');
  assert.throws(() => a.byteLength(refs[1]!), { code: 'ERR_SHEAF_INTERNAL' });
  b.unuse(refs[0]!);
  for (const [i, ref] of refs.entries()) if (i !== 1) assert.ok(b.reading(ref, (bytes) => isFilledWith(bytes, i)));
  for (const [i, ref] of refs.entries()) if (i !== 1) a.unpin(ref);
  spiller.look();
  await until(() => files().length === 0);
});

for (const [what, damage, message] of [
  [
    'other bytes',
    (path: string, whole: Buffer) => writeFileSync(path, changed(whole)),
    /its bytes are not those that were/,
  ],
  ['too short', (path: string) => truncateSync(path, 1000), /it ends after 1000 bytes, and was longer/],
  ['gone', (path: string) => rmSync(path), /it is not there \(ENOENT\)\. Leave the files/],
] as const) {
  test(`a damaged file is an error that names it, and of the objects in it alone: ${what}`, async () => {
    const { a, b, folder, files } = open(4 * MiB);
    const refs = Array.from({ length: 15 }, (_, i) => make(a, MiB / 4, i));
    await until(() => a.stats().spilled > 0);
    const first = refs.find((ref) => a.isAbsent(ref))!;
    b.pin(first);
    const [file] = files().sort();
    const path = join(folder, file!);
    const whole = readFileSync(path);
    damage(path, whole);
    const error = { name: 'ObjectLostError', code: 'ERR_SHEAF_SPILL_UNREADABLE', details: { file: path, folder } };
    assert.equal(a.isLost(first), false);
    assert.throws(() => a.reading(first, () => {}), { ...error, message });
    assert.ok(a.reading(refs[14]!, (bytes) => isFilledWith(bytes, 14)));
    // Whoever made it may be making it again by now: nobody sees the old one any more, even if it could be read.
    writeFileSync(path, whole);
    assert.equal(b.isLost(first), true);
    for (const store of [a, b]) {
      assert.equal(store.fileOf(first), path);
      assert.throws(() => store.reading(first, () => {}), { ...error, message: /^a value of 256 KiB .* is lost$/ });
    }
  });
}

function changed(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other[100]! ^= 1;
  return other;
}

test('what is lost is lost for those who come later, and the next object in its place is not', () => {
  const { a, b } = open(4 * MiB);
  const ref = make(a, MiB, 1);
  const seen = new Uint8Array(a.view(ref));
  b.pin(ref);
  a.lose(ref);
  assert.throws(() => b.view(ref), { name: 'ObjectLostError', code: 'ERR_SHEAF_OBJECT_LOST' });
  assert.equal(seen[5], 1, 'who has it already keeps it');
  b.unpin(ref);
  const other = make(b, MiB, 2);
  assert.equal(b.isLost(other), false);
  assert.ok(a.isLost(ref));
});

test('brought back without standing still, for who would', async () => {
  const { a, b, spiller } = open(4 * MiB);
  const refs = Array.from({ length: 15 }, (_, i) => make(a, MiB / 4, i));
  await until(() => a.stats().spilled > 0);
  assert.ok(a.isAbsent(refs[0]!));
  await Promise.all([spiller.bring(refs[0]!), spiller.bring(refs[0]!), spiller.bring(refs[14]!)]);
  assert.ok(!a.isAbsent(refs[0]!));
  assert.ok(b.reading(refs[0]!, (bytes) => isFilledWith(bytes, 0)));
  a.unpin(refs[0]!);
  await spiller.bring(refs[0]!);
});

test('a folder that others made, or may look into, is not taken for the own one', () => {
  const folder = join(scratch, `sheaf-spill-${userInfo().uid}`);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  assert.throws(() => makeSpillFolder(spillFolderOf(folder, 'ab')), { errno: -13, message: /is open to them/ });
  chmodSync(folder, 0o700);
  closeSync(makeSpillFolder(spillFolderOf(folder, 'ab')));
});

test('what killed sessions leave behind is deleted, and nothing else', () => {
  const folder = join(scratch, 'several');
  mkdirSync(join(folder, 'mine'), { recursive: true });
  mkdirSync(join(folder, 'sheaf-99-abc.new'));
  const used = spillFolderOf(folder, '0123456789abcdef');
  const lock = makeSpillFolder(used);
  const left = join(folder, 'sheaf-1234567-fedcba9876543210');
  mkdirSync(left);
  writeFileSync(join(left, '1.spill'), 'x');
  writeFileSync(join(left, 'lock'), '');
  assert.deepEqual(clearAbandoned(folder), ['sheaf-1234567-fedcba9876543210']);
  assert.deepEqual(readdirSync(folder).sort(), ['mine', 'sheaf-99-abc.new', used.slice(folder.length + 1)].sort());
  closeSync(lock);
  assert.deepEqual(clearAbandoned(folder), [used.slice(folder.length + 1)]);
  assert.deepEqual(clearAbandoned(join(folder, 'nowhere')), []);
});

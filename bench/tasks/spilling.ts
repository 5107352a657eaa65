/** Values that have no room in memory: how fast they go to disk and come back, beside the plain writes and reads of as much. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { connect, get, put, type Ref, type Session, task } from 'sheaf';
import { pause } from '../harness.ts';
import type { Group, Settings } from '../suite.ts';

const MiB = 1024 * 1024;
const VALUE = 16 * MiB;
const STEP = 8 * MiB;
/** Calls that are made before the answer of the first of them is waited for. */
const AT_ONCE = 4;

const length = task((x: Uint8Array) => x.length);

/** What is in a file is to be read from the disk, and not from the system's cache of it. */
const forget = (() => {
  try {
    const fadvise = koffi.load('libc.so.6').func('int posix_fadvise(int fd, int64_t at, int64_t length, int advice)');
    const DONTNEED = 4;
    return (path: string): void => {
      const fd = openSync(path, 'r');
      fadvise(fd, 0, 0, DONTNEED);
      closeSync(fd);
    };
  } catch {
    return () => {};
  }
})();

const gigabytesPerSecond = (bytes: number, since: number): number => bytes / 1e6 / (performance.now() - since);

function filesBelow(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

export const spilling: Group = {
  names: ['values written to disk', 'values read back from disk'],
  async open({ cpus, quick }: Settings) {
    const folder = mkdtempSync(join(process.env.SHEAF_SPILL ?? tmpdir(), 'sheaf-bench-'));
    const count = quick ? 64 : 192;
    const value = new Uint8Array(VALUE).map((_, i) => (i * 2654435761) >>> 24);
    let session: Session | undefined;
    let held: Ref<Uint8Array>[] = [];
    const close = async () => {
      await session?.[Symbol.asyncDispose]();
      session = undefined;
      held = [];
    };
    const look = async (refs: readonly Ref<Uint8Array>[]) => {
      for (let at = 0; at < refs.length; at += AT_ONCE) {
        await get(refs.slice(at, at + AT_ONCE).map((ref) => length(ref)));
      }
    };
    const spilled = () => session?.stats().memory.spilled ?? 0;
    /** Four times as much as the store has room for. */
    const fill = async () => {
      await close();
      session = await connect({ cpus, memory: (count * VALUE) / 4, spill: folder });
      await length(value).value;
      // The control thread has begun to look after memory.
      await pause(200);
      const since = performance.now();
      for (let i = 0; i < count; i++) held.push(put(value));
      return gigabytesPerSecond(spilled(), since);
    };
    const plain = join(folder, 'plain');
    const write = () => {
      const bytes = (count * VALUE * 3) / 4;
      // A new file each time, as ours are.
      rmSync(plain, { force: true });
      const since = performance.now();
      const fd = openSync(plain, 'w');
      for (let at = 0; at < bytes; at += STEP) writeSync(fd, value, at % VALUE, STEP);
      fdatasyncSync(fd);
      closeSync(fd);
      return gigabytesPerSecond(bytes, since);
    };
    const into = new Uint8Array(VALUE).fill(1);
    return {
      experiments: [
        {
          name: 'values written to disk',
          unit: 'GB/s',
          better: 'more',
          ours: fill,
          peers: { 'plain writes': write },
          requires: { tier: 'gate', ratios: { 'plain writes': 0.7 } },
          pairs: quick ? 3 : 5,
        },
        {
          name: 'values read back from disk',
          unit: 'GB/s',
          better: 'more',
          async ours() {
            if (held.length === 0) await fill();
            // All of them have a copy on disk after this, and the ones that were looked at first are not in memory.
            await look(held);
            for (const path of filesBelow(folder)) forget(path);
            const absent = held.slice(0, Math.floor(spilled() / VALUE));
            const since = performance.now();
            await look(absent);
            return gigabytesPerSecond(absent.length * VALUE, since);
          },
          peers: {
            'plain reads'() {
              // Written once, as ours are.
              if (!existsSync(plain)) write();
              forget(plain);
              const { size } = statSync(plain);
              const since = performance.now();
              const fd = openSync(plain, 'r');
              for (let at = 0; at < size; at += STEP) readSync(fd, into, at % VALUE, STEP, at);
              closeSync(fd);
              return gigabytesPerSecond(size, since);
            },
          },
          requires: { tier: 'gate', ratios: { 'plain reads': 0.7 } },
          pairs: quick ? 3 : 5,
        },
      ],
      async close() {
        await close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

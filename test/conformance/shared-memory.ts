import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** The shared memory of sessions as the system sees it: memfds have no name in any folder, so their inodes tell them apart. */

const NAME = 'memfd:sheaf';

function tryOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    // The process, or the descriptor, is gone by now.
    return otherwise;
  }
}

/** The inodes of all segments that a process has open. */
export function openSegments(pid: number | 'self'): Set<string> {
  const found = new Set<string>();
  for (const fd of tryOr(() => readdirSync(`/proc/${pid}/fd`), [])) {
    const path = `/proc/${pid}/fd/${fd}`;
    if (!tryOr(() => readlinkSync(path), '').includes(NAME)) continue;
    const inode = tryOr(() => String(statSync(path).ino), '');
    if (inode !== '') found.add(inode);
  }
  return found;
}

/** Of the mappings of a process, in a given file of /proc, those of segments: inode and the whole entry. */
function mappings(pid: string | number, file: 'maps' | 'smaps'): { inode: string; entry: string }[] {
  const text = tryOr(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'), '');
  return text
    .split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)
    .filter((entry) => entry.includes(NAME))
    .map((entry) => ({ inode: entry.split(/\s+/)[4] as string, entry }));
}

/** The other processes that have one of these segments open, or mapped. */
export function othersWith(segments: ReadonlySet<string>): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter(
      (pid) =>
        [...openSegments(pid)].some((inode) => segments.has(inode)) ||
        mappings(pid, 'maps').some(({ inode }) => segments.has(inode)),
    );
}

/** Bytes of these segments that are present in the memory of this process. A mapping itself goes with the garbage. */
export function presentHere(segments: ReadonlySet<string>): number {
  return mappings('self', 'smaps')
    .filter(({ inode }) => segments.has(inode))
    .reduce((sum, { entry }) => sum + Number(/^Rss: +(\d+) kB/m.exec(entry)?.[1] ?? 0) * 1024, 0);
}

// What a session has left behind when it is over, as the system sees it. Empty where there is no /proc.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

function tryOr(read, otherwise) {
  try {
    return read();
  } catch {
    // It is gone by now, or there is no such folder here.
    return otherwise;
  }
}

/** What the descriptors of this process are of. */
export function descriptors() {
  return tryOr(() => readdirSync('/proc/self/fd'), [])
    .map((fd) => tryOr(() => readlinkSync(`/proc/self/fd/${fd}`), ''))
    .filter((target) => target !== '');
}

/** Processes that this one, or one of its own, has started and that live. */
export function descendants() {
  const parents = new Map();
  for (const name of tryOr(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = tryOr(() => readFileSync(`/proc/${name}/stat`, 'utf8'), '');
    // The name of the program may have spaces in it.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state !== 'Z') parents.set(Number(name), Number(parent));
  }
  const isOurs = (pid) => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === process.pid || isOurs(parent));
  };
  return [...parents.keys()].filter(isOurs);
}

/** Bytes of private memory of this process, which shared memory that is mapped is no part of. */
export function privateBytes() {
  const text = tryOr(() => readFileSync('/proc/self/status', 'utf8'), '');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

import { readFileSync } from 'node:fs';
import { type Bytes, bytes } from '../base/index.ts';

/** The cache next to a core: what one that computes has for itself. */
export interface CoreCache {
  readonly bytes: number;
  readonly from: 'SHEAF_CORE_CACHE' | 'the system' | 'an assumption';
}

/** Of servers of the last ten years most, and of Apple's cores less than each has: where nobody says what there is. */
const ASSUMED = 1 << 20;
const MOST_INDICES = 10;

/** Reads a file about a cache of the first core; undefined where there is none. */
export type ReadCacheFile = (index: number, name: string) => string | undefined;

function fromSystem(index: number, name: string): string | undefined {
  try {
    return readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${index}/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

let known: CoreCache | undefined;

/** That of this machine. It is asked once, by a few small files on Linux. */
export function coreCache(): CoreCache {
  known ??= findCoreCache(process.env.SHEAF_CORE_CACHE, fromSystem);
  return known;
}

/** @internal The same of any machine. */
export function findCoreCache(wish: string | undefined, read: ReadCacheFile): CoreCache {
  if (wish) {
    const own = (/^\d+$/.test(wish) ? Number(wish) : wish) as Bytes;
    return { bytes: bytes(own, 'SHEAF_CORE_CACHE'), from: 'SHEAF_CORE_CACHE' };
  }
  for (let index = 0; index < MOST_INDICES; index++) {
    const level = read(index, 'level');
    if (level === undefined) break;
    if (level !== '2' || read(index, 'type') === 'Instruction') continue;
    const size = /^(\d+)([KMG]?)$/.exec(read(index, 'size') ?? '');
    if (size === null) continue;
    const unit = { '': 0, K: 10, M: 20, G: 30 }[size[2] as string] as number;
    // Threads of one core, and cores of a cluster, compute at the same time.
    const own = (Number(size[1]) * 2 ** unit) / processorsIn(read(index, 'shared_cpu_list') ?? '0');
    if (own >= 1) return { bytes: Math.floor(own), from: 'the system' };
  }
  return { bytes: ASSUMED, from: 'an assumption' };
}

/** Of a list such as `0-3,8`. */
function processorsIn(list: string): number {
  let count = 0;
  for (const [, first, last] of list.matchAll(/(\d+)(?:-(\d+))?/g)) count += Number(last ?? first) - Number(first) + 1;
  return Math.max(1, count);
}

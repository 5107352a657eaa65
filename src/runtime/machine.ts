import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** What this process may use of the machine: a container is often given less than the machine has. */
export interface MachineLimits {
  /** Cores that the process may run on at once; whole, at least 1. */
  readonly cpus: number;
  /** What a cgroup allows, in cores; undefined without such a limit. */
  readonly cpuQuota: number | undefined;
  /** Bytes. */
  readonly memory: number;
  /** What a cgroup allows, in bytes; undefined without such a limit. */
  readonly memoryQuota: number | undefined;
}

export function machineLimits(): MachineLimits {
  const cpuQuota = smallest(quotaOfCpus);
  const memoryQuota = smallest(quotaOfMemory);
  const cpus = availableParallelism();
  return {
    cpus: cpuQuota === undefined ? cpus : Math.max(1, Math.min(cpus, Math.floor(cpuQuota))),
    cpuQuota,
    memory: Math.min(totalmem(), memoryQuota ?? Number.POSITIVE_INFINITY),
    memoryQuota,
  };
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The folders of this process's control groups, innermost first: a limit anywhere above holds as well. */
function groups(): string[] {
  if (process.platform !== 'linux') return [];
  const folders = new Set<string>();
  for (const line of text('/proc/self/cgroup')?.split('\n') ?? []) {
    const [, controllers, path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const bases = controllers ? [`/sys/fs/cgroup/${controllers}`] : ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
    for (const base of bases) {
      for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
        folders.add(at === '/' ? base : `${base}${at}`);
        if (at === '' || at === '/') break;
      }
    }
  }
  return [...folders];
}

function smallest(quota: (folder: string) => number | undefined): number | undefined {
  const all = groups()
    .map(quota)
    .filter((n) => n !== undefined);
  return all.length === 0 ? undefined : Math.min(...all);
}

function quotaOfCpus(folder: string): number | undefined {
  const [max, period] = text(`${folder}/cpu.max`)?.split(' ').map(Number) ?? [
    Number(text(`${folder}/cpu.cfs_quota_us`)),
    Number(text(`${folder}/cpu.cfs_period_us`)),
  ];
  const cores = (max ?? 0) / (period ?? 0);
  return cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

function quotaOfMemory(folder: string): number | undefined {
  const bytes = Number(text(`${folder}/memory.max`) ?? text(`${folder}/memory.limit_in_bytes`));
  // Version 1 says "no limit" with a number beyond any machine.
  return bytes > 0 && bytes < 2 ** 60 ? bytes : undefined;
}

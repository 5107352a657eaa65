import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';

/** Shared memory of a session, in bytes: less has no room for anything. */
export const LEAST_MEMORY = 1024 ** 2;

/** What this process may use of the machine: a container is often given less than the machine has. */
interface MachineLimits {
  /** Cores that the process may run on at once; whole, at least 1. */
  readonly cpus: number;
  /** What a cgroup allows, in cores; undefined without such a limit. */
  readonly cpuQuota: number | undefined;
  /** Bytes. */
  readonly memory: number;
  /** What a cgroup allows, in bytes; undefined without such a limit. */
  readonly memoryQuota: number | undefined;
}

/** `root` is where /proc and /sys are; another one in tests. */
export function machineLimits(root = ''): MachineLimits {
  const folders = groups(root);
  const cpuQuota = smallest(folders, quotaOfCpus);
  const memoryQuota = smallest(folders, quotaOfMemory);
  const cpus = availableParallelism();
  return {
    cpus: cpuQuota === undefined ? cpus : Math.max(1, Math.min(cpus, Math.floor(cpuQuota))),
    cpuQuota,
    memory: Math.min(totalmem(), memoryQuota ?? Number.POSITIVE_INFINITY),
    memoryQuota,
  };
}

/** Bytes of memory that are in use, and how many can be: of the control group that is fullest, or of the machine. */
export function memoryInUse(root = ''): { used: number; limit: number } {
  const info = text(`${root}/proc/meminfo`) ?? '';
  const bytesOf = (name: string): number | undefined => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(info)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const limit = bytesOf('MemTotal') ?? totalmem();
  const machine = { used: limit - (bytesOf('MemAvailable') ?? freemem()), limit };
  const all = [
    machine,
    ...groups(root)
      .map(useOfGroup)
      .filter((use) => use !== undefined),
  ];
  return all.reduce((fullest, each) => (each.used / each.limit > fullest.used / fullest.limit ? each : fullest));
}

/** Without what the system keeps of files, which it gives up when memory is short. */
function useOfGroup(folder: string): { used: number; limit: number } | undefined {
  const limit = quotaOfMemory(folder);
  const used = Number(text(`${folder}/memory.current`) ?? text(`${folder}/memory.usage_in_bytes`) ?? Number.NaN);
  if (limit === undefined || Number.isNaN(used)) return undefined;
  const cached = /^(?:total_)?inactive_file (\d+)$/m.exec(text(`${folder}/memory.stat`) ?? '')?.[1];
  return { used: Math.max(0, used - Number(cached ?? 0)), limit };
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The folders of this process's control groups, innermost first: a limit anywhere above holds as well. */
function groups(root: string): string[] {
  if (process.platform !== 'linux') return [];
  const folders = new Set<string>();
  for (const line of text(`${root}/proc/self/cgroup`)?.split('\n') ?? []) {
    const [, controllers, path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const all = `${root}/sys/fs/cgroup`;
    const bases = controllers ? [`${all}/${controllers}`] : [all, `${all}/unified`];
    for (const base of bases) {
      for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
        folders.add(at === '/' ? base : `${base}${at}`);
        if (at === '' || at === '/') break;
      }
    }
  }
  return [...folders];
}

function smallest(folders: readonly string[], quota: (folder: string) => number | undefined): number | undefined {
  const all = folders.map(quota).filter((n) => n !== undefined);
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

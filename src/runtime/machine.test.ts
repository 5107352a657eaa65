import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { machineLimits, memoryInUse } from './machine.ts';

const GiB = 2 ** 30;

/** What `machineLimits` finds where /proc and /sys hold these files. */
function limitsWith(files: Readonly<Record<string, string>>): ReturnType<typeof machineLimits> {
  const root = mkdtempSync(join(tmpdir(), 'sheaf-machine-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return machineLimits(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const options = { skip: process.platform === 'linux' ? false : 'control groups are of Linux' };

test('without control groups the machine is the limit', options, () => {
  const limits = limitsWith({});
  assert.deepEqual(limits, {
    cpus: availableParallelism(),
    cpuQuota: undefined,
    memory: totalmem(),
    memoryQuota: undefined,
  });
});

test('the tightest group of version 2 on the way up counts', options, () => {
  const limits = limitsWith({
    'proc/self/cgroup': '0::/pod/container\n',
    'sys/fs/cgroup/pod/container/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/pod/cpu.max': '150000 100000\n',
    'sys/fs/cgroup/pod/container/memory.max': `${GiB}\n`,
    'sys/fs/cgroup/pod/memory.max': 'max\n',
  });
  assert.equal(limits.cpuQuota, 1.5);
  assert.equal(limits.cpus, 1);
  assert.equal(limits.memoryQuota, GiB);
  assert.equal(limits.memory, GiB);
});

test('a container that sees itself as the root finds its limits there', options, () => {
  const limits = limitsWith({
    'proc/self/cgroup': '0::/\n',
    'sys/fs/cgroup/cpu.max': '50000 100000\n',
    'sys/fs/cgroup/memory.max': `${GiB / 2}\n`,
  });
  assert.equal(limits.cpuQuota, 0.5);
  assert.equal(limits.cpus, 1);
  assert.equal(limits.memory, GiB / 2);
});

test('groups of version 1 are read as well, with their way to say that there is no limit', options, () => {
  const limits = limitsWith({
    'proc/self/cgroup': '4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n1:name=systemd:/\n0::/\n',
    'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/docker/memory.limit_in_bytes': `${GiB}\n`,
  });
  assert.equal(limits.cpuQuota, undefined);
  assert.equal(limits.memoryQuota, GiB);
});

test('memory in use is that of the machine, or of the control group that is fuller', options, () => {
  const root = mkdtempSync(join(tmpdir(), 'sheaf-machine-'));
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  try {
    write('proc/meminfo', 'MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:   12582912 kB\n');
    assert.deepEqual(memoryInUse(root), { used: 4 * GiB, limit: 16 * GiB });
    write('proc/self/cgroup', '0::/app\n');
    write('sys/fs/cgroup/app/memory.max', `${4 * GiB}`);
    write('sys/fs/cgroup/app/memory.current', `${3 * GiB}`);
    write('sys/fs/cgroup/app/memory.stat', `anon 5\ninactive_file ${GiB}\n`);
    assert.deepEqual(memoryInUse(root), { used: 2 * GiB, limit: 4 * GiB });
    write('sys/fs/cgroup/app/memory.current', `${1.5 * GiB}`);
    assert.deepEqual(memoryInUse(root), { used: 4 * GiB, limit: 16 * GiB });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

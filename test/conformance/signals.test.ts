import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { alive, eventually, hosts, type Isolation, type Running, socketOf, start, within } from './support.ts';

type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';
const LONG = 20_000;

/** A program under way whose session is open. */
class Program {
  readonly running: Running;
  readonly isolation: Isolation;
  #url = '';
  #workers: readonly number[] = [];

  private constructor(how: string, isolation: Isolation) {
    this.running = start('signalled.mjs', [how, isolation]);
    this.isolation = isolation;
  }

  static async start(how: string, isolation: Isolation): Promise<Program> {
    const program = new Program(how, isolation);
    program.#url = await program.running.line('url', LONG);
    program.#workers = (await program.running.line('workers', LONG)).split(' ').map(Number);
    await program.running.line('ready', LONG);
    return program;
  }

  get pid(): number {
    return this.running.child.pid as number;
  }

  /** Whether a handler of the program would run. */
  catches(signal: Signal): boolean {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? '';
    return ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  }

  /** It ends without another signal, and with it everything that belongs to it. */
  async ends(): Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string }> {
    try {
      const ended = await within(LONG, this.running.ended, 'the end of the program');
      const pids = this.isolation === 'process' ? this.#workers : [];
      await eventually(() => pids.every((pid) => !alive(pid)), `no worker is left: ${pids}`, LONG);
      assert.deepEqual(
        readdirSync('/dev/shm').filter((name) => name.includes('sheaf')),
        [],
      );
      return ended;
    } finally {
      if (this.running.child.exitCode === null && this.running.child.signalCode === null) {
        this.running.child.kill('SIGKILL');
      }
    }
  }

  get socketLeft(): boolean {
    return existsSync(socketOf(this.#url));
  }
}

const linux = process.platform === 'linux' ? {} : { skip: 'signals are heard in a loop on Linux only' };

for (const isolation of hosts) {
  describe(`signals (${isolation})`, { ...linux, concurrency: 2 }, () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      for (const [how, what] of [
        ['awaits', 'a driver that awaits'],
        ['loop', 'a driver in a synchronous loop'],
      ] as const) {
        test(`${signal} ends ${what}, with ${code}, and all that belongs to it`, { timeout: 60_000 }, async () => {
          const program = await Program.start(how, isolation);
          process.kill(program.pid, signal);
          const ended = await program.ends();
          assert.deepEqual([ended.code, ended.signal], [code, null]);
          assert.equal(program.socketLeft, false);
        });
      }
    }

    for (const [how, what] of [
      ['awaits', 'a driver that awaits'],
      ['busy', 'driver and workers in synchronous loops'],
    ] as const) {
      test(`Ctrl-C, to the whole group, ends ${what}`, { timeout: 60_000 }, async () => {
        const program = await Program.start(how, isolation);
        process.kill(-program.pid, 'SIGINT');
        const ended = await program.ends();
        assert.deepEqual([ended.code, ended.signal], [130, null]);
        assert.equal(program.socketLeft, false);
      });
    }

    test('a second Ctrl-C ends a driver in a synchronous loop by itself', { timeout: 60_000 }, async () => {
      const program = await Program.start('loop', isolation);
      assert.ok(program.catches('SIGINT'));
      process.kill(program.pid, 'SIGINT');
      // The handler has run, and with it the kernel's leave to run it: what follows is the system's default.
      await eventually(() => !alive(program.pid) || !program.catches('SIGINT'), 'the handler has run once', LONG);
      process.kill(program.pid, 'SIGINT');
      const { code, signal } = await program.ends();
      // By the kernel, or by the control thread where the machine was too busy to send the second one in time.
      assert.ok(signal === 'SIGINT' || code === 130, `${signal} ${code}`);
    });

    test('a listener of the program decides, however late it runs', { timeout: 60_000 }, async () => {
      const program = await Program.start('own', isolation);
      process.kill(program.pid, 'SIGINT');
      await eventually(() => program.catches('SIGINT'), 'it is caught as ever');
      const { code, signal, stdout } = await program.ends();
      assert.deepEqual([code, signal], [5, null]);
      assert.match(stdout, /own SIGINT/);
    });

    test('with a listener of the program, other signals end it as before', { timeout: 60_000 }, async () => {
      const program = await Program.start('own-later', isolation);
      process.kill(program.pid, 'SIGTERM');
      const { code, stdout } = await program.ends();
      assert.equal(code, 143);
      assert.doesNotMatch(stdout, /own/);
    });

    test('when the program takes its listener away, the session looks after the signal again', {
      timeout: 60_000,
    }, async () => {
      const program = await Program.start('removed', isolation);
      process.kill(program.pid, 'SIGINT');
      const { code, stdout } = await program.ends();
      assert.equal(code, 130);
      assert.doesNotMatch(stdout, /own/);
    });

    test('a listener that leaves the signal to others, if there are any, is alone', { timeout: 60_000 }, async () => {
      const program = await Program.start('modest', isolation);
      process.kill(program.pid, 'SIGINT');
      const { code, signal } = await program.ends();
      assert.ok(signal === 'SIGINT' || code === 130, `${signal} ${code}`);
    });

    test('code that is run with breakOnSigint leaves signals as they were', { timeout: 60_000 }, async () => {
      const program = await Program.start('vm', isolation);
      process.kill(program.pid, 'SIGINT');
      assert.equal((await program.ends()).code, 130);
    });

    test('a handler that native code has taken away is no signal', { timeout: 60_000 }, async () => {
      const program = await Program.start('native', isolation);
      assert.ok(!program.catches('SIGINT'));
      const { code, signal } = await program.ends();
      assert.deepEqual([code, signal], [6, null]);
    });

    test('two sessions end with their program', { timeout: 60_000 }, async () => {
      const program = await Program.start('two', isolation);
      process.kill(program.pid, 'SIGINT');
      assert.equal((await program.ends()).code, 130);
    });

    test('processes that the program starts have signals as the system gives them', { timeout: 60_000 }, async () => {
      const program = await Program.start('child', isolation);
      const status = JSON.parse(await program.running.line('child')) as string;
      for (const field of ['SigBlk', 'SigIgn', 'SigCgt']) {
        const bits = BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1]}`);
        for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
          assert.equal((bits >> BigInt(constants.signals[signal] - 1)) & 1n, 0n, `${field} ${signal}`);
        }
      }
      process.kill(program.pid, 'SIGTERM');
      assert.equal((await program.ends()).code, 143);
    });

    test('a closed session listens to nothing', { timeout: 60_000 }, async () => {
      const running = start('signalled.mjs', ['closed', isolation]);
      const { code, stderr } = await within(LONG, running.ended);
      assert.equal(code, 0, stderr);
      const [before, after] = JSON.parse(await running.line('left')) as [number[], number[]];
      assert.deepEqual(after, before);
    });
  });
}

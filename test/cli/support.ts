import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = process.env.SHEAF_ROOT ?? resolve('.');
const cli = join(root, 'dist/cli.js');
const node = process.env.NODE ?? process.execPath;

/** Why the built command can't be tested, or false. */
export const notBuilt = existsSync(cli) ? false : 'dist is not built: npm run build';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A folder for programs, inside the package so that they find it by its name, and one for the sockets of their sessions. */
export class Place {
  readonly folder: string;
  readonly runtime: string;

  constructor() {
    const all = join(root, 'build/cli-tests');
    mkdirSync(all, { recursive: true });
    this.folder = mkdtempSync(join(all, 'p-'));
    this.runtime = mkdtempSync(join(tmpdir(), 'sheaf-t-'));
  }

  file(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return name;
  }

  #env(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = { ...process.env, XDG_RUNTIME_DIR: this.runtime, ...more };
    for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'FORCE_COLOR', 'NODE_V8_COVERAGE']) {
      if (more[name] === undefined) delete env[name];
    }
    return env;
  }

  /** Runs `sheaf` with these arguments to its end. */
  sheaf(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
    const { status, stdout, stderr } = spawnSync(node, [cli, ...args], {
      cwd: this.folder,
      env: this.#env(env),
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { code: status, out: stdout, err: stderr };
  }

  /** The same through a shell, as in a pipeline: `$SHEAF` stands for the command. */
  shell(line: string): Ended {
    const command = line.replaceAll('$SHEAF', `'${node}' '${cli}'`);
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd: this.folder,
      env: this.#env({}),
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { code: status, out: stdout, err: stderr };
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return new Running(spawn(node, [cli, ...args], { cwd: this.folder, env: this.#env(env) }));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.runtime, { recursive: true, force: true });
  }
}

/** A program under way. */
export class Running {
  readonly process: ChildProcess;
  out = '';
  err = '';
  readonly ended: Promise<number | null>;
  #looking: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.process = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.#look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      this.#look();
    });
    this.ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
    void this.ended.then(() => this.#look());
  }

  #look(): void {
    for (const look of this.#looking) look();
  }

  /** Resolves when either stream has shown `pattern`; rejects when the program ends, or a minute passes, without it. */
  async shows(pattern: RegExp): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const missing = (): Error => new Error(`${pattern} was not shown in:\n${this.out}\n${this.err}`);
        timer = setTimeout(() => reject(missing()), 60_000);
        const look = (): void => {
          if (pattern.test(this.out) || pattern.test(this.err)) resolve();
        };
        this.#looking.push(look);
        void this.ended.then(() => reject(missing()));
        look();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

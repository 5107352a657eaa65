import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { blocksOf, type Page, type Program, pageOf } from './programs.ts';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const PROGRAM_TIMEOUT_MS = 60_000;

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))]
  .filter((path) => path.endsWith('.md'))
  .sort();
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function node(cwd: string, args: readonly string[], mode = 'workers'): Promise<Outcome> {
  return new Promise((done) => {
    const env = { ...process.env, SHEAF_MODE: mode, SHEAF_CORE_CACHE: '1MiB' };
    const options = { cwd, env, timeout: PROGRAM_TIMEOUT_MS, killSignal: 'SIGKILL' as const };
    const child = execFile(process.execPath, args, options, (_error, out, err) =>
      done({ code: child.exitCode, out, err }),
    );
  });
}

/** Below the repository, so that 'sheaf' resolves as it does for those who have installed it. */
const folder = join(root, 'build/docs', String(process.pid));

describe('the programs in the pages', () => {
  after(() => rmSync(folder, { recursive: true, force: true }));
  const typed: string[] = [];

  /** Each mode has a folder of its own, since the program runs in both at once and may write files. */
  const write = (mode: string, page: string, { files }: Page, { line, language, text }: Program): string => {
    const place = join(folder, mode, basename(page, '.md'));
    mkdirSync(place, { recursive: true });
    for (const [name, content] of files) writeFileSync(join(place, name), content);
    const path = join(place, `line-${line}.${language === 'ts' ? 'ts' : 'mjs'}`);
    writeFileSync(path, text);
    return path;
  };

  for (const path of pages) {
    const page = pageOf(path, read(path));
    for (const program of page.programs) {
      const modes = program.workers ? ['workers'] : ['workers', 'inline'];
      it(`${path}:${program.line} runs, and prints what the page says (${modes.join(', ')})`, async () => {
        const typescript = program.language === 'ts';
        const files = modes.map((mode) => write(mode, path, page, program));
        if (typescript) typed.push(files[0]!);
        const outcomes = await Promise.all(
          files.map((file, i) => {
            const command = typescript ? [join(root, 'dist/cli.js'), 'run', file] : [file];
            return node(dirname(file), command, modes[i]);
          }),
        );
        for (const [i, { code, out, err }] of outcomes.entries()) {
          assert.equal(code, 0, `${modes[i]}: it ended with ${code}:\n${err}`);
          if (program.output !== undefined) assert.equal(out, program.output, modes[i]);
        }
      });
    }
  }

  it('pass the type-checker', async () => {
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noUnusedLocals: false },
      include: [],
      files: typed,
    };
    const path = join(folder, 'tsconfig.json');
    writeFileSync(path, JSON.stringify(config));
    const { code, out } = await node(root, [join(root, 'node_modules/typescript/bin/tsc'), '-p', path]);
    assert.equal(code, 0, out);
  });
});

describe('the pages', () => {
  it('have no broken links', () => {
    const broken: string[] = [];
    for (const page of pages) {
      for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target!)) continue;
        const [path = '', anchor] = target!.split('#');
        const file = path === '' ? join(root, page) : join(root, dirname(page), path);
        if (!existsSync(file)) broken.push(`${page}: ${target}`);
        else if (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor)) {
          broken.push(`${page}: ${target}`);
        }
      }
    }
    assert.deepEqual(broken, []);
  });

  it('are all reachable from the README', () => {
    const seen = new Set<string>();
    const visit = (page: string): void => {
      if (seen.has(page)) return;
      seen.add(page);
      for (const [, target] of read(page).matchAll(/\]\(([^)\s#]+\.md)[^)]*\)/g)) {
        if (!/^[a-z]+:/.test(target!)) visit(relative(root, join(root, dirname(page), target!)));
      }
    };
    visit('README.md');
    assert.deepEqual(
      pages.filter((page) => !seen.has(page)),
      [],
    );
  });

  it('begin in the README with the commands that a newcomer types', () => {
    const first = blocksOf(read('README.md')).find(({ language }) => ['sh', 'bash', 'shell'].includes(language));
    assert.deepEqual(first?.text.trim().split('\n'), ['npm ci && npm run demo', 'npm ci && npm test']);
  });
});

/** As GitHub makes them out of headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(headings);
}

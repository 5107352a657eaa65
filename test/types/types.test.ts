import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const root = process.env.SHEAF_ROOT ?? process.cwd();

function check(...args: string[]): Promise<{ code: number | null; text: string }> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const child = spawn(process.execPath, [tsc, '--noEmit', '--pretty', 'false', ...args], { cwd: root });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => (text += piece));
  child.stderr.on('data', (piece: Buffer) => (text += piece));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, text }));
  });
}

/** A project of a user: a folder of its own with one file, below the repository so that it finds the package. */
async function checkAsUser(
  source: string,
  options: Record<string, unknown>,
): Promise<{ code: number | null; text: string }> {
  const folder = mkdtempSync(join(root, 'build/types-'));
  try {
    writeFileSync(join(folder, 'program.ts'), source);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { noEmit: true, types: ['node'], ...options }, include: ['program.ts'] }),
    );
    return await check('-p', folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the types of the package', () => {
  test('infer what they should, conform to the design, and carry its examples', async () => {
    const { code, text } = await check('-p', join(root, 'test/types'));
    assert.equal(code, 0, text);
  });

  test('refuse each mistake where it is made, and nothing else', async () => {
    const path = join(root, 'test/fixtures/types/mistakes.ts');
    const expected: string[] = [];
    for (const [i, line] of readFileSync(path, 'utf8').split('\n').entries()) {
      const code = /\/\/ (\d{4})$/.exec(line)?.[1];
      if (code !== undefined) expected.push(`${i + 1}: ${code}`);
    }
    const source = readFileSync(path, 'utf8');
    const { text } = await checkAsUser(source, { strict: true, module: 'nodenext', target: 'es2023', lib: ['es2023'] });
    const found = [...text.matchAll(/program\.ts\((\d+),\d+\): error TS(\d+)/g)].map((m) => `${m[1]}: ${m[2]}`);
    assert.deepEqual([...new Set(found)], expected, text);
    assert.ok(expected.length > 20);
  });

  const program = `
    import { all, connect, get, type Ref, scope, task } from 'sheaf';
    import * as sf from 'sheaf/array';
    const square = task((x: number) => x * x);
    export const r: Ref<number> = square(2);
    export const values: Promise<[number, number]> = get([r, square(r)]);
    export const sum: Ref<number> = task((xs: number[]) => xs.length)(all([r, r]));
    export const split = task((x: number): [number, string] => [x, '']).with({ returns: 2, retries: 1 });
    export const one: Ref<string> = split(1)[1];
    const plus = sf.map((x: number, y: number) => x + y);
    export const total: sf.Arr<'f64'> = plus(sf.zeros([2, 3]), sf.ones([3])).at(0, '...').sum();
    export async function main(): Promise<void> {
      const session = await connect({ cpus: 1 });
      await scope(async (s) => s.keep(square(1)).value);
      await session[Symbol.asyncDispose]();
    }`;

  for (const [name, options] of Object.entries({
    'a strict project for Node': { strict: true, module: 'nodenext', target: 'es2022', lib: ['es2022'] },
    'a project for a bundler': { strict: true, module: 'esnext', moduleResolution: 'bundler', target: 'es2022' },
    'a project that checks its libraries': {
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2022'],
      skipLibCheck: false,
    },
    'a project that is not strict': { strict: false, module: 'nodenext', target: 'es2022' },
    'a project with every strictness there is': {
      strict: true,
      module: 'nodenext',
      target: 'esnext',
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      erasableSyntaxOnly: true,
    },
  })) {
    test(`work in ${name}`, async () => {
      const { code, text } = await checkAsUser(program, options);
      assert.equal(code, 0, text);
    });
  }
});

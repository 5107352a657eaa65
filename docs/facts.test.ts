import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { errorTypes } from '../src/base/index.ts';
import { INLINE_LIMIT, INLINE_TOTAL } from '../src/runtime/values.ts';
import { blockShape, MOST_CPUS } from '../src/transport/index.ts';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = (name: string): string => read(`docs/${name}.md`);

const sources = (readdirSync(join(root, 'src'), { recursive: true }) as string[])
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => read(join('src', path)));

/** Rows of all tables, as cells; without the heads. */
const rows = (markdown: string): string[][] =>
  [...markdown.matchAll(/^\| (.*) \|$/gm)].map(([, text]) => text!.split(' | ').map((cell) => cell.trim()));

const code = (cell: string | undefined): string | undefined => /^`([^`]+)`/.exec(cell ?? '')?.[1];

/** Names of the properties of an interface of src/tasks/types.ts. */
function propertiesOf(name: string): string[] {
  const text = read('src/tasks/types.ts');
  const body = new RegExp(`^export interface ${name} [^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(text)?.[1];
  assert.ok(body, `there is no interface ${name}`);
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, property]) => property!);
}

describe('the pages have', () => {
  it('every error code with its class, and no others', () => {
    const listed = rows(page('errors'))
      .map(([type, name]) => [code(type), code(name)] as const)
      .filter(([type]) => /^Sheaf|Error$/.test(type ?? ''));
    const defaults = new Map(Object.entries(errorTypes).map(([name, type]) => [type.defaultCode, name]));
    const special = sources.flatMap((text) => [...text.matchAll(/code: '(ERR_SHEAF\w*)'/g)].map(([, each]) => each!));
    assert.deepEqual(listed.map(([, name]) => name).sort(), [...new Set([...defaults.keys(), ...special])].sort());
    for (const [type, name] of listed) {
      if (type === 'SheafWarning') continue;
      assert.ok(type !== undefined && type in errorTypes, `${type} is a class`);
      assert.equal(defaults.get(name!) ?? type, type, name);
    }
  });

  it('the import table as the lint has it', async () => {
    const path = pathToFileURL(join(root, 'scripts/import-table.mjs')).href;
    const { ROOMS } = (await import(path)) as { ROOMS: Record<string, string[]> };
    const listed = rows(page('architecture'))
      .filter((cells) => cells.length === 3 && code(cells[0]) !== undefined)
      .map(([room, , imports]) => [
        code(room),
        imports === 'anything' ? ['*'] : [...imports!.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      ]);
    assert.deepEqual(Object.fromEntries(listed), ROOMS);
  });

  it('seams that are as narrow as it says', () => {
    const named = /^2\. \*\*Transport and hosts are seams\.\*\*(.*?)have fewer than ten members each/ms.exec(
      page('architecture'),
    );
    const seams = [...(named?.[1] ?? '').matchAll(/`(\w+)` \(`([\w/-]+\.ts)`\)/g)];
    assert.equal(seams.length, 3);
    for (const [, name, path] of seams) {
      const body = new RegExp(`^export interface ${name} \\{\n(.*?)^\\}`, 'ms').exec(read(`src/${path}`))?.[1];
      const members = [...(body ?? '').matchAll(/^ {2}(?:readonly )?(\w+)[(:?]/gm)].map(([, member]) => member);
      assert.ok(members.length > 2 && members.length < 10, `${name}: ${members.join(', ')}`);
    }
  });

  it('every option of connect and of tasks', () => {
    const [session, tasks] = page('resources').split('## What a task takes');
    const listed = (text: string) => rows(text).map(([name]) => code(name));
    assert.deepEqual(
      propertiesOf('ConnectOptions').filter((name) => !listed(session!).includes(name)),
      [],
    );
    assert.deepEqual(
      propertiesOf('TaskOptions').filter((name) => !listed(tasks!).includes(name)),
      [],
    );
    const map = page('waiting-and-cancelling');
    for (const name of propertiesOf('MapOptions')) assert.match(map, new RegExp(`\\b${name}\\b`));
  });

  it('the sizes that are in the source', () => {
    const limit = (what: string): string => rows(page('limits')).find(([name]) => name === what)?.[1] ?? '';
    const size = (text: string): number =>
      Number.parseInt(text, 10) * ({ K: 1024, M: 1024 ** 2 }[text.match(/[KM](?=iB)/)?.[0] ?? ''] ?? 1);
    assert.equal(size(limit('an argument, a result or a value that is put, inside of messages')), INLINE_LIMIT);
    assert.equal(size(limit('all arguments of a call, or results of a task, inside of messages')), INLINE_TOTAL);
    assert.equal(size(limit('cores of a session')), MOST_CPUS);
    assert.equal(blockShape(MOST_CPUS, 'processes').ring, 512 * 1024);
    for (const cpus of [28, 29, 64]) {
      const { ring } = blockShape(cpus, 'threads');
      assert.equal(ring, { 28: 512, 29: 256, 64: 128 }[cpus]! * 1024);
    }
    for (const text of ['more than 28 cores', '128 KiB\n  with 64 cores'])
      assert.ok(page('limits').includes(text), text);
    for (const text of ['up to 12 cores', '512 KiB', '28 cores']) assert.ok(page('architecture').includes(text), text);
  });

  it('every environment variable', () => {
    const used = sources.flatMap((text) => [...text.matchAll(/(?<!ERR_)\bSHEAF_[A-Z_]+\b/g)].map(([name]) => name));
    const known = page('running');
    assert.deepEqual(
      [...new Set(used)].filter((name) => !known.includes(`\`${name}\``)),
      [],
    );
  });

  it('every command', () => {
    const commands = [...read('src/cli/commands.ts').matchAll(/\.command\('(\w+)'\)/g)].map(([, name]) => name!);
    assert.ok(commands.length >= 3);
    for (const name of commands) assert.match(page('running'), new RegExp(`^## \`sheaf ${name}\`$`, 'm'));
  });

  it('every row of the benchmark', () => {
    const names = ['tasks', 'arrays', 'frames'].flatMap((suite) =>
      execFileSync(process.execPath, [join(root, 'bench/run.mjs'), suite, '--list', '--node', process.execPath])
        .toString()
        .trim()
        .split('\n'),
    );
    const explained = rows(page('benchmarks')).flatMap(([cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    );
    assert.deepEqual(
      names.filter((name) => !explained.some((start) => name.startsWith(start))),
      [],
    );
    for (const start of explained)
      assert.ok(
        names.some((name) => name.startsWith(start)),
        `there is no row ${start}`,
      );
    const figures = /<!-- figures[\s\S]*?<!-- \/figures -->/.exec(read('README.md'))?.[0];
    assert.ok(figures, 'the README has a place for figures');
    const promised = rows(figures)
      .map(([name]) => name!)
      .filter((name) => name !== 'row');
    assert.deepEqual(
      promised.filter((name) => !names.includes(name)),
      [],
    );
  });

  it('every name that the package exports', async () => {
    const path = pathToFileURL(join(root, 'dist/index.js')).href;
    // Those written by hand: the reference has every name by itself.
    const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'api.md');
    const all = pages.map((name) => read(`docs/${name}`)).join('\n');
    const names = Object.keys((await import(path)) as object);
    assert.deepEqual(
      names.filter((name) => !new RegExp(`\\b${name}\\b`).test(all)),
      [],
    );
  });
});

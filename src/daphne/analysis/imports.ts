/** Files that a script imports: their top level is run where the import stands, and what they define has names with a prefix. */

import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { Source } from '../source.ts';
import { type Import, parse } from '../syntax/index.ts';
import { Body } from './body.ts';
import type { Module } from './compilation.ts';

const DEFAULT = 'default_dirs';

export function importFile(body: Body, statement: Import): void {
  const { path, alias } = statement;
  if (extname(path) === '') {
    importLibrary(body, statement);
    return;
  }
  const file = located(body, statement);
  importOne(body, statement, file, path, (taken) => {
    const stem = basename(path, extname(path));
    const wanted = alias ?? stem;
    if (!taken(wanted)) return wanted;
    if (alias !== undefined)
      return body.wrong(statement, `the prefix \`${alias}\` is taken already: choose another one`);
    const longer = `${basename(dirname(resolve(file)))}.${stem}`;
    return taken(longer)
      ? body.wrong(statement, `the prefixes \`${stem}\` and \`${longer}\` are taken already: write \`as "name"\``)
      : longer;
  });
}

/** The one file that the path means: beside the importing one, or in one of the folders that are looked through. */
function located(body: Body, statement: Import): string {
  const { options } = body.compilation;
  const { path } = statement;
  const folders = [dirname(body.module.source.name), ...(options.libraries.get(DEFAULT) ?? [])];
  const places = isAbsolute(path) ? [path] : folders.map((folder) => join(folder, path));
  const found = new Map<string, string>();
  for (const place of places) {
    const real = options.files.realPath(place);
    if (real !== undefined && !found.has(real)) found.set(real, place);
  }
  if (found.size > 1)
    return body.wrong(statement, `"${path}" means several files: ${[...found.values()].join(' and ')}`);
  const [only] = found.values();
  return (
    only ?? body.wrong(statement, `there is no file "${path}" to import: it is not at ${places.join(', nor at ')}`)
  );
}

const realOf = (body: Body, statement: Import, path: string): string =>
  body.compilation.options.files.realPath(path) ?? body.wrong(statement, `there is no file "${path}" to import`);

function importLibrary(body: Body, statement: Import): void {
  const { options } = body.compilation;
  const folders = options.libraries.get(statement.path);
  if (folders === undefined || statement.path === DEFAULT) {
    const known = [...options.libraries.keys()].filter((each) => each !== DEFAULT);
    const names = known.length === 0 ? 'the configuration has none' : `the configuration has ${known.join(', ')}`;
    throw body.wrong(statement, `there is no library "${statement.path}": ${names}`);
  }
  const [folder, another] = folders;
  if (folder === undefined || another !== undefined)
    throw body.wrong(statement, `the library "${statement.path}" needs one folder, and has ${folders.length}`);
  const files = options.files.list(folder);
  if (files === undefined) throw body.wrong(statement, `the folder ${folder} of "${statement.path}" is not there`);
  const prefix = statement.alias ?? statement.path;
  for (const file of [...files].sort()) {
    if (!/\.daph(ne)?$/.test(file)) continue;
    const name = `${prefix}.${basename(file, extname(file))}`;
    importOne(body, statement, join(folder, file), file, (taken) =>
      taken(name) ? body.wrong(statement, `the prefix \`${name}\` is taken already`) : name,
    );
  }
}

function importOne(
  body: Body,
  statement: Import,
  path: string,
  shown: string,
  prefixOf: (taken: (prefix: string) => boolean) => string,
): void {
  const { compilation } = body;
  const { files } = compilation.options;
  const real = realOf(body, statement, path);
  if (compilation.importing.at(-1) === real) body.wrong(statement, `"${shown}" imports itself`);
  if (compilation.importing.includes(real)) body.wrong(statement, `"${shown}" imports this file in turn`);
  if (body.imported.has(real)) body.wrong(statement, `"${shown}" is imported twice`);
  body.imported.add(real);
  const prefix = prefixOf((each) => body.prefixes.has(each));
  body.prefixes.add(prefix);
  const text = files.read(path) ?? body.wrong(statement, `"${shown}" can't be read`);
  const module: Module = { source: new Source(path, text), functions: new Map() };
  const inner = new Body(compilation, module, undefined, body.builder.of(module.source));
  compilation.importing.push(real);
  inner.statements(parse(module.source).statements);
  compilation.importing.pop();
  const isOwn = (name: string): boolean => !name.includes('.');
  for (const { name, value, span, source } of inner.names.all())
    if (isOwn(name)) body.names.declare(`${prefix}.${name}`, value, span, 'a variable of another file', source);
  for (const [name, definitions] of module.functions)
    if (isOwn(name)) body.module.functions.set(`${prefix}.${name}`, definitions);
}

// Finds what breaks the import table.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { parse } from 'acorn';
import { transformSync } from 'esbuild';
import { filesUnder } from './files.mjs';
import { IMPURE_GLOBALS, IMPURE_MEMBERS, isPure, PURE_ROOMS, ROOMS } from './import-table.mjs';

const roomOf = (file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined);

/** Every room that `room` may reach, itself and base included; undefined when it may reach any. */
function reachable(room, table) {
  const reached = new Set(['base', room]);
  for (const r of reached) {
    const row = table[r] ?? [];
    if (row.includes('*')) return undefined;
    for (const next of row) reached.add(next);
  }
  return reached;
}

/** Walks a syntax tree; `visit` gets each node and its parent. */
function walk(node, visit, parent) {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === 'object' && typeof child.type === 'string') walk(child, visit, node);
    }
  }
}

/** Types are erased before parsing; imports of types count as imports all the same. */
function treeOf(source, file) {
  const kept = source.replace(/^(\s*(?:import|export)) type(?=\s*[{*]|\s+\w+\s+from\s)/gm, '$1');
  const { code } = transformSync(kept, {
    loader: 'ts',
    sourcefile: file,
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  return parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
}

function isReference(node, parent) {
  if (
    parent?.type === 'MemberExpression' ||
    parent?.type === 'PropertyDefinition' ||
    parent?.type === 'MethodDefinition'
  ) {
    return parent.object === node || parent.value === node || parent.computed;
  }
  if (parent?.type === 'Property') return parent.value === node || parent.computed;
  return !/^(Import|Export).*Specifier$|Label/.test(parent?.type ?? '');
}

/** What a file imports, and the impure globals it uses. */
function inspect(source, file) {
  const imports = [...source.matchAll(/\bimport\(\s*(['"])([^'"]+)\1\s*\)/g)].map((match) => match[2]);
  const impure = new Set();
  walk(treeOf(source, file), (node, parent) => {
    if (/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration)$/.test(node.type) && node.source) {
      imports.push(node.source.value);
    }
    if (node.type === 'Identifier' && IMPURE_GLOBALS.has(node.name) && isReference(node, parent)) impure.add(node.name);
    if (node.type === 'MemberExpression' && node.object.type === 'Identifier') {
      const name = `${node.object.name}.${node.property.name ?? node.property.value}`;
      if (IMPURE_MEMBERS.has(name)) impure.add(name);
    }
  });
  return { imports: [...new Set(imports)], impure };
}

/** Paths from a file to every file it reaches: file to the file that imports it. */
function reachOf(start, files) {
  const via = new Map([[start, undefined]]);
  for (const [file] of via) {
    for (const next of files.get(file)?.local ?? []) if (!via.has(next)) via.set(next, file);
  }
  return via;
}

function pathTo(file, via) {
  const path = [];
  for (let at = file; at !== undefined; at = via.get(at)) path.unshift(at);
  return path.join(' -> ');
}

function checkDirect(file, { imports }, table, known, complain) {
  const room = roomOf(file);
  const allowed = room === undefined ? undefined : reachable(room, table);
  for (const name of imports) {
    if (!name.startsWith('.')) {
      if (isPure(file)) complain(`${file} is pure and imports ${name}: pass in what it needs by events`);
      continue;
    }
    const target = join(dirname(file), name).split(sep).join('/');
    if (target.startsWith('..')) continue;
    if (!known.has(target)) complain(`${file} imports ${name}, which does not exist`);
    const other = roomOf(target);
    if (room === undefined || other === room) continue;
    if (other === undefined) complain(`${file} imports the entry point ${target}`);
    else if (allowed !== undefined && !allowed.has(other))
      complain(`${file} (${room}) imports ${target}: ${room} may not import ${other}`);
    else if (target !== `${other}/index.ts` && !(isPure(file) && isPure(target))) {
      complain(`${file} imports ${target}: other rooms come in by ${other}/index.ts`);
    }
  }
}

function checkPure(file, files, complain) {
  const via = reachOf(file, files);
  for (const reached of via.keys()) {
    const room = roomOf(reached);
    if (!isPure(reached) && !PURE_ROOMS.includes(room))
      complain(`${pathTo(reached, via)}: pure code reaches ${reached}`);
  }
  for (const name of files.get(file).impure) complain(`${file} is pure and uses ${name}: pass it in by events`);
}

function checkCycles(files, complain) {
  const edges = new Map();
  for (const [file, { local }] of files) {
    const room = roomOf(file);
    for (const target of local) {
      const other = roomOf(target);
      if (room === undefined || other === undefined || other === room) continue;
      if (!edges.has(room)) edges.set(room, new Map());
      edges.get(room).set(other, `${file} -> ${target}`);
    }
  }
  const visit = (room, path) => {
    if (path.includes(room)) {
      const rooms = [...path.slice(path.indexOf(room)), room];
      const because = rooms.slice(1).map((next, i) => edges.get(rooms[i]).get(next));
      if ([...rooms].sort()[0] === room) complain(`rooms import each other: ${because.join(', ')}`);
      return;
    }
    for (const next of edges.get(room)?.keys() ?? []) visit(next, [...path, room]);
  };
  for (const room of edges.keys()) visit(room, []);
}

/** Every violation below `folder`, as text. Tests and fixtures are free. */
export function violations(folder, table = ROOMS) {
  const found = new Set();
  const complain = (text) => found.add(text);
  const files = new Map();
  const sources = filesUnder(folder, (file) => /(?<!\.d)\.ts$/.test(file) && !/\.(test|fixture)\.ts$/.test(file));
  const known = new Set(filesUnder(folder).map((file) => relative(folder, file).split(sep).join('/')));
  for (const path of sources) {
    const file = relative(folder, path).split(sep).join('/');
    const { imports, impure } = inspect(readFileSync(path, 'utf8'), file);
    const local = imports
      .filter((name) => name.startsWith('.'))
      .map((name) => join(dirname(file), name).split(sep).join('/'));
    files.set(file, { imports, impure, local });
  }
  for (const [file, facts] of files) {
    const room = roomOf(file);
    if (room !== undefined && table[room] === undefined)
      complain(`${file}: ${room} is not in scripts/import-table.mjs`);
    else checkDirect(file, facts, table, known, complain);
    if (isPure(file)) checkPure(file, files, complain);
  }
  checkCycles(files, complain);
  return [...found];
}

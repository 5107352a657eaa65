// Writes docs/api.md, docs/api-arrays.md and docs/api-frames.md out of the declarations of the package (dist/types) and their comments.
// Usage: node scripts/api-reference.mjs
//
// TypeScript 7 reads them: its API is marked unstable, and its version is exact in package.json, so that it changes when
// we change it. docs/api.test.ts compares the pages with what this makes, and fails for a public name without a comment.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getTextOfJSDocComment, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

const root = process.env.SHEAF_ROOT ?? dirname(dirname(fileURLToPath(import.meta.url)));
const types = join(root, 'dist/types');

/** What can be imported, and the declarations of each: `sheaf`, and names below it. */
function doors() {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(([, { types }]) => types !== undefined)
    .map(([path, { types }]) => [path === '.' ? name : `${name}${path.slice(1)}`, join(root, types)]);
}

/** What the names of an entry point are listed in. */
const OWN_PAGES = new Map([
  ['sheaf/array', 'docs/api-arrays.md'],
  ['sheaf/daphne', 'docs/api-arrays.md'],
  ['sheaf/frame', 'docs/api-frames.md'],
]);
const pageOf = (door) => OWN_PAGES.get(door) ?? 'docs/api.md';

/** Every page, and the entry points that it lists. */
export const PAGES = ['docs/api.md', ...new Set(OWN_PAGES.values())];

const KINDS = new Map([
  [SyntaxKind.FunctionDeclaration, 'function'],
  [SyntaxKind.InterfaceDeclaration, 'interface'],
  [SyntaxKind.TypeAliasDeclaration, 'type'],
  [SyntaxKind.ClassDeclaration, 'class'],
  [SyntaxKind.VariableDeclaration, 'const'],
]);

/**
 * What the entry points of a page export, and what the declarations of that name without being exported, in the order of the alphabet.
 *
 * @returns entries with `name`, `kind`, `from` (what it can be imported from, if anything), `signatures` (texts), `doc`, `tags`,
 *   `members`, and `uses` (names).
 */
export function publicEntries(page = 'docs/api.md') {
  const own = doors().filter(([door]) => pageOf(door) === page);
  const folder = join(root, 'build', `api-${process.pid}`);
  const config = join(folder, 'tsconfig.json');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: true },
      include: [],
      files: own.map(([, file]) => file),
    }),
  );
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [config] });
    return read(snapshot.getProject(config), own);
  } finally {
    api.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(project, own) {
  const { program, checker } = project;
  const entries = new Map();
  // A name that is a word of the language, or a global, is another one inside of its file.
  const add = (symbol, name = symbol.name) => {
    const nodes = symbol.declarations.map((each) => each.resolve(project));
    const ours = nodes.filter((node) => node.getSourceFile().fileName.startsWith(types + sep));
    if (ours.length === 0 || entries.has(name) || ours[0].kind === SyntaxKind.TypeParameter) return;
    const entry = entryOf(name, ours);
    entries.set(name, entry);
    // What a signature names is part of it, whether it can be imported or not.
    for (const name of entry.names) {
      const used = checker.resolveName(name, SYMBOLS_OF_TYPES, ours[0], false);
      if (used === undefined) continue;
      const target = isAlias(used) ? checker.getAliasedSymbol(used) : used;
      add(target);
    }
  };
  const from = new Map();
  for (const [door, path] of own) {
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)));
    for (const symbol of exported) {
      const target = isAlias(symbol) ? checker.getAliasedSymbol(symbol) : symbol;
      if (!from.has(symbol.name)) from.set(symbol.name, door);
      add(target, symbol.name);
    }
  }
  for (const entry of entries.values()) {
    entry.from = from.get(entry.name);
    entry.uses = [...entry.names].filter((name) => name !== entry.name && entries.has(name)).sort(byName);
  }
  return [...entries.values()].sort((a, b) => byName(a.name, b.name));
}

const SYMBOLS_OF_TYPES = 788968;
const ALIAS = 2097152;
const isAlias = (symbol) => (symbol.flags & ALIAS) !== 0;
const byName = (a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), 'en') || (a < b ? 1 : -1);

function entryOf(name, nodes) {
  const kind = KINDS.get(nodes[0].kind);
  if (kind === undefined)
    throw new Error(`${name} is a ${SyntaxKind[nodes[0].kind]}, which the reference has no form for`);
  const commented = nodes.find((node) => docOf(node) !== '') ?? nodes[0];
  return {
    name,
    kind,
    from: undefined,
    signatures: nodes.map(textOf),
    doc: docOf(commented),
    tags: tagsOf(commented),
    code: /static readonly defaultCode(?:: string)? = "(\w+)"/.exec(nodes[0].getText())?.[1],
    members: nodes.flatMap(membersOf),
    names: new Set(nodes.flatMap((node) => [...namesIn(node)])),
  };
}

/** How members begin that are how a class works, and not what it is for. */
const NOT_FOR_READERS = /^(private|static|#private|get \[brand)/;

/** What can be called or made is said where the whole is. */
const WITHOUT_NAME = new Set([SyntaxKind.Constructor, SyntaxKind.CallSignature]);

function membersOf(node) {
  if (node.kind !== SyntaxKind.InterfaceDeclaration && node.kind !== SyntaxKind.ClassDeclaration) return [];
  return node.members
    .filter((member) => !NOT_FOR_READERS.test(member.getText()) && !WITHOUT_NAME.has(member.kind))
    .map((member) => ({ name: member.name?.getText() ?? '(...args)', doc: docOf(member), tags: tagsOf(member) }));
}

/** A declaration as one would write it, without the comments in it. */
function textOf(node) {
  const text = node.kind === SyntaxKind.VariableDeclaration ? `const ${node.getText()};` : node.getText();
  return text
    .replace(/\/\*\*[\s\S]*?\*\/\s*/g, '')
    .replace(/^(export |declare )+/, '')
    .replace(/^ +/gm, (indent) => ' '.repeat(indent.length / 2))
    .replace(/^ *(private|static|#private|get \[brand).*\n/gm, '')
    .replace(/\{\s*\}$/, '{}')
    .trim();
}

const lines = (text) => (text ?? '').replace(/\r/g, '').trim();
const commentsOf = (node) => node.jsDoc ?? node.parent?.parent?.jsDoc ?? [];
const docOf = (node) => lines(getTextOfJSDocComment(commentsOf(node).at(-1)?.comment));
const tagsOf = (node) =>
  (commentsOf(node).at(-1)?.tags ?? []).map((tag) => ({
    tag: tag.tagName.text,
    name: tag.name?.getText(),
    text: lines(getTextOfJSDocComment(tag.comment)),
  }));

/** The names of types in a declaration. */
function namesIn(node, names = new Set()) {
  if (node.kind === SyntaxKind.TypeReference) names.add(node.typeName.getText());
  if (node.kind === SyntaxKind.ExpressionWithTypeArguments) names.add(node.expression.getText());
  node.forEachChild((child) => {
    namesIn(child, names);
  });
  return names;
}

// ---- the page

const anchor = ({ kind, name }) => (kind === 'function' ? name : `${kind}-${name}`).toLowerCase();
const isError = ({ name, kind }) => kind === 'class' && name.endsWith('Error') && name !== 'SheafError';
const oneLine = (text) => text.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');

function memberRow({ name, doc, tags }) {
  const throws = tags.filter(({ tag }) => tag === 'throws').map(({ text }) => `Throws ${text}`);
  return `| \`${oneLine(name)}\` | ${oneLine([doc, ...throws].join(' '))} |`;
}

function section(entry, all) {
  const { name, kind, signatures, doc, tags, members, uses } = entry;
  const parts = [`### ${kind === 'function' ? name : `${kind} ${name}`}`];
  parts.push(['```ts', ...signatures, '```'].join('\n'));
  if (doc !== '') parts.push(doc);
  const list = [];
  for (const each of tags) {
    if (each.tag === 'param') list.push(`- \`${each.name}\`: ${oneLine(each.text)}`);
    else if (each.tag === 'returns') list.push(`- Gives ${oneLine(each.text)}`);
    else if (each.tag === 'throws') list.push(`- Throws ${oneLine(each.text)}`);
  }
  if (list.length > 0) parts.push(list.join('\n'));
  if (members.length > 0)
    parts.push(['| member | |', '|---|---|', ...members.filter(({ doc }) => doc !== '').map(memberRow)].join('\n'));
  if (uses.length > 0) {
    const links = uses.map(
      (use) => `[${use}](#${anchor(all.find((each) => each.name === use && each.kind !== 'function'))})`,
    );
    parts.push(`Uses ${links.join(', ')}.`);
  }
  return parts.join('\n\n');
}

/** The classes of errors differ in their names and meanings only. */
function errorTable(list) {
  const rows = list.map(({ name, code, doc }) => `| \`${name}\` | \`${code}\` | ${oneLine(doc)} |`);
  return [
    'Each is a [SheafError](#class-sheaferror), made by `new (message, options)`. The code is the one that it has if nothing else is said.',
    ['| class | code | |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

const INTRODUCTIONS = {
  'docs/api.md': [
    '# API reference',
    "Everything that `import { ... } from 'sheaf'` gives, by name, with its types. [Concepts](concepts.md) says how it goes\n" +
      'together, the [cookbook](cookbook.md) what for, and [Errors by code](errors.md) what to do about each error. [Arrays](api-arrays.md) and\n' +
      '[frames](api-frames.md) have pages of their own.',
  ],
  'docs/api-arrays.md': [
    '# API reference: arrays',
    "Everything that `import { ... } from 'sheaf/array'` gives, by name, with its types. [Arrays](arrays.md) says what it is for. Functions\n" +
      'whose first argument is an array are methods of it as well. What takes and gives arrays stands here, too: `sheaf/daphne`.',
  ],
  'docs/api-frames.md': [
    '# API reference: frames',
    "Everything that `import { ... } from 'sheaf/frame'` gives, by name, with its types. [Frames](frames.md) says what it is for.",
  ],
};

export function apiReference(page = 'docs/api.md', entries = publicEntries(page)) {
  const [[main], ...others] = doors().filter(([door]) => pageOf(door) === page);
  const ofMain = entries.filter(({ from }) => from === main);
  const isFunction = ({ kind }) => kind === 'function' || kind === 'const';
  const groups = [
    ['Functions', ofMain.filter(isFunction)],
    ['Types', ofMain.filter((each) => !isFunction(each) && !isError(each))],
    ['Errors', ofMain.filter(isError)],
    ...others.map(([door]) => [`From ${door}`, entries.filter(({ from }) => from === door)]),
    ['Named above, and not exported', entries.filter(({ from }) => from === undefined)],
  ].filter(([, list]) => list.length > 0);
  const linked = (each) => `[${each.name}](#${isError(each) ? 'errors' : anchor(each)})`;
  const contents = groups.map(([title, list]) => `- **${title}**: ${list.map(linked).join(', ')}`);
  return [
    `<!-- Written by \`npm run docs\` (scripts/${basename(import.meta.url)}) out of the comments in the source; change those. -->`,
    ...INTRODUCTIONS[page],
    contents.join('\n'),
    ...groups.flatMap(([title, list]) => [
      `## ${title}`,
      ...(title === 'Errors' ? [errorTable(list)] : list.map((each) => section(each, entries))),
    ]),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of PAGES) writeFileSync(join(root, page), apiReference(page));
}

/** docs/daphne-reference.md: what `npm run docs` writes there, of what built-ins and cases say (scripts/daphne-reference.mjs). */

import { BUILTINS, type Builtin } from '../src/daphne/builtins/index.ts';
import { runText } from '../src/daphne/scripts.fixture.ts';
import { aboutOf, FAMILIES } from './daphne-builtins.ts';
import {
  builtinCalls,
  type Kind,
  nodesOf,
  PLACES,
  type Place,
  signatureOf,
  takenCalls,
  treeOf,
} from './daphne-calls.ts';
import { EXPRESSIONS, type Form, STATEMENTS } from './daphne-forms.ts';

/** Built-ins that scripts can name. */
export const NAMED: readonly Builtin[] = [...BUILTINS.values()].filter(({ name }) => !name.startsWith('$'));

const kinds = (all: readonly string[]): string => {
  const isBoth = (a: string, b: string): boolean => all.includes(a) && all.includes(b);
  const shown = all
    .filter((each) => !(each === 'strings' && isBoth('numbers', 'strings')))
    .filter((each) => !(each === 'string' && isBoth('number', 'string')))
    .map((each) => {
      if (each === 'numbers' && all.includes('strings')) return 'matrix';
      return each === 'number' && all.includes('string') ? 'scalar' : each;
    });
  return shown.length > 4 ? 'anything' : shown.join(' \\| ');
};

/** The forms that a built-in has: one, or two whose parameters have other names. */
function formsOf(builtin: Builtin & { readonly otherParameters?: readonly string[] }): readonly Builtin[] {
  const { parameters, otherParameters: other } = builtin;
  if (other === undefined) return [builtin];
  const { length } = other;
  return [
    { ...builtin, most: parameters.length },
    { ...builtin, parameters: other, least: length, most: length },
  ];
}

/** `f(a, b: number, c?: string)`: neighbours of one type share it. */
function callText({ name, parameters, least }: Builtin, takes: readonly (readonly Kind[])[]): string {
  const parts = takes.map((all, i) => ({
    name: `${parameters[i]}${i >= least ? '?' : ''}`,
    type: kinds(all),
  }));
  const shown = parts.map(({ name, type }, i) => (parts[i + 1]?.type === type ? name : `${name}: ${type}`));
  return `${name}(${shown.join(', ')})`;
}

/** Where built-ins are called rightly: in scripts that print what they have to. */
function rightCalls(): ReadonlyMap<string, Place[]> {
  const found = new Map<string, Place[]>();
  for (const place of PLACES) {
    const tree = 'prints' in place.example ? treeOf(place.example) : undefined;
    const names = new Set(tree === undefined ? [] : builtinCalls(tree).map(({ name }) => name));
    for (const name of names) found.set(name, [...(found.get(name) ?? []), place]);
  }
  return found;
}

/** Where they are called wrongly: the call, the innermost one, is where the script fails. */
async function wrongCalls(): Promise<ReadonlyMap<string, Place[]>> {
  const found = new Map<string, Place[]>();
  for (const place of PLACES) {
    const { example } = place;
    const tree = 'fails' in example ? treeOf(example) : undefined;
    if (tree === undefined) continue;
    const { files, args = [] } = example;
    // The place is counted in the text with the folder in it.
    const { stdout } = await runText(example.script, { args, ...(files === undefined ? {} : { files }) });
    const at = /\.daphne:1:(\d+): /.exec(stdout)?.[1];
    if (at === undefined) continue;
    const folder = /\[error\]: (.*)\/main\.daphne:1:/.exec(stdout)?.[1]?.length ?? 0;
    const before = example.script.slice(0, Number(at)).split('$DIR').length - 1;
    const offset = Number(at) - 1 - before * Math.max(0, folder - '$DIR'.length);
    const name = builtinCalls(tree)
      .filter(({ start, end }) => start <= offset && offset < end)
      .at(-1)?.name;
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), place]);
  }
  return found;
}

const names = (places: readonly Place[], most: number): string =>
  [...new Set(places.map(({ name }) => name))]
    .slice(0, most)
    .map((name) => `\`${name}\``)
    .join(', ');

/** A row of a table, and whether cases show what it says. */
export interface Row {
  readonly name: string;
  readonly cells: readonly string[];
  readonly right: number;
  readonly wrong: number;
}

const shownBy = (right: readonly Place[], wrong: readonly Place[]): string =>
  [names(right, 2), wrong.length === 0 ? '' : `wrongly: ${names(wrong, 1)}`].filter((each) => each !== '').join('; ');

async function builtinRows(): Promise<ReadonlyMap<string, readonly Row[]>> {
  const [taken, right, wrong] = [takenCalls(), rightCalls(), await wrongCalls()];
  return new Map(
    Object.entries(FAMILIES).map(([family, entries]) => [
      family,
      Object.entries(entries).map(([name, entry]): Row => {
        const { text, differs = '', call } = aboutOf(entry);
        const builtin = BUILTINS.get(name);
        if (builtin === undefined) throw new Error(`docs/daphne-builtins.ts: there is no built-in ${name}`);
        const [rightly, wrongly] = [right.get(name) ?? [], wrong.get(name) ?? []];
        const isRefused = text.startsWith('Refused');
        const signatures = formsOf(builtin).map((form) => {
          if (isRefused) return { call: `${name}(...)`, gives: [] };
          const calls = (taken.get(name) ?? []).filter(
            ({ call: { args } }) => form.least <= args.length && args.length <= form.most,
          );
          const { takes, gives } = signatureOf(form, calls);
          return { call: call ?? callText(form, takes), gives };
        });
        const shown = signatures.map(({ call }) => `\`${call}\``).join(', ');
        const results = signatures.reduce((most, { gives }) => Math.max(most, gives.length), 0);
        const gives = Array.from({ length: results }, (_, i) =>
          kinds([...new Set(signatures.flatMap((each) => each.gives[i] ?? []))]),
        ).join(', ');
        return {
          name,
          cells: [shown, gives || 'nothing', `${text}.`, differs, shownBy(rightly, wrongly)],
          right: rightly.length,
          wrong: wrongly.length,
        };
      }),
    ]),
  );
}

type Node = { readonly kind: string };

function formRows(forms: Readonly<Record<string, readonly Form<never>[]>>, of: 'expressions' | 'statements'): Row[] {
  const nodes = PLACES.map((place) => {
    const tree = treeOf(place.example);
    return { place, nodes: tree === undefined ? [] : (nodesOf(tree)[of] as readonly Node[]) };
  });
  return Object.entries(forms).flatMap(([kind, list]) =>
    list.map(({ form, text, differs = '', is }): Row => {
      const isOne = (node: Node): boolean => node.kind === kind && (is === undefined || is(node as never));
      const places = nodes.filter(({ nodes }) => nodes.some(isOne)).map(({ place }) => place);
      const right = places.filter(({ example }) => 'prints' in example);
      const wrong = places.length - right.length;
      return { name: form, cells: [form, `${text}.`, differs, names(right, 2)], right: right.length, wrong };
    }),
  );
}

export interface Reference {
  readonly statements: readonly Row[];
  readonly expressions: readonly Row[];
  /** By families. */
  readonly builtins: ReadonlyMap<string, readonly Row[]>;
}

export const reference = async (): Promise<Reference> => ({
  statements: formRows(STATEMENTS, 'statements'),
  expressions: formRows(EXPRESSIONS, 'expressions'),
  builtins: await builtinRows(),
});

const table = (head: readonly string[], rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows.map(({ cells }) => cells)]
    .map((cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |'))
    .join('\n');

const INTRODUCTION = `<!-- Written by \`npm run docs\` (docs/daphne-reference.ts) out of the built-ins and their cases; change those, or docs/daphne-builtins.ts and docs/daphne-forms.ts. -->

# DaphneDSL: reference

Every statement, expression and built-in function of [DaphneDSL](daphne.md) that Sheaf has, and for each the tests that show it: \`data: ranges\` is what
\`src/daphne/cases/data.ts\` has under \`ranges\`, scripts with what they print, or how they fail (*wrongly*). Each of them runs without flags, with
\`--vec\`, with \`--columnar\` and with \`--select-matrix-repr\`. A test compares this page with the built-ins and the cases.

What arguments are, the built-ins themselves say: \`number\` (bools are numbers), \`string\`, and \`scalar\` for both; \`numbers\` and \`strings\` are matrices
of these, and \`matrix\` is both; \`frame\`, \`list\`, and \`function\`, the name of a function of the script. What has a \`?\` may be left out. Neighbours of one
type share it: \`numRows, numCols: number\`. Parameters are names for arguments, too: \`fill(0.0, numRows=2, numCols=3)\`.`;

/** The page. */
export async function page(): Promise<string> {
  const { statements, expressions, builtins } = await reference();
  const forms = ['form', 'what it does', 'beyond DAPHNE, or other than there', 'shown by'];
  const calls = ['call', 'gives', 'what it does', 'beyond DAPHNE, or other than there', 'shown by'];
  return [
    INTRODUCTION,
    '## Statements',
    table(forms, statements),
    '## Expressions',
    table(forms, expressions),
    '## Built-in functions',
    ...[...builtins].flatMap(([family, rows]) => [`### ${family}`, table(calls, rows)]),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** All that is wrong with a script: what is wrong is taken out, and the rest looked at again. */

import { ScriptError } from '../../base/index.ts';
import { assignedIn } from '../analysis/assigned.ts';
import { analyse } from '../analysis/index.ts';
import { BUILTINS } from '../builtins/index.ts';
import { LOCAL_FILES } from '../driver/files.ts';
import { Source, type Span } from '../source.ts';
import { bodies, parse, type Script, type Statement } from '../syntax/index.ts';
import type { Type } from '../types.ts';

export interface Problem extends Span {
  readonly message: string;
}

export interface Definition {
  readonly source: Source;
  readonly span: Span;
}

/** What was found out about a script, as far as it could be understood. */
export interface Findings {
  readonly problems: readonly Problem[];
  readonly types: readonly (Span & { readonly type: Type })[];
  readonly uses: readonly (Span & { readonly definition: Definition })[];
}

/** What an argument of a script may be, since an editor does not know it. */
const GUESSES = ['1', '0', '1.0', '"text"', 'true'];
/** For so many arguments all guesses are tried. */
const MOST_GUESSED = 3;
const MOST_PROBLEMS = 20;
/** What follows from other problems is not shown, but takes a look each. */
const MOST_LOOKS = 60;
/** Of blocks in blocks. What lies deeper goes with what it is in. */
const MOST_NESTED = 100;

export function findingsOf(path: string, text: string): Findings {
  const problems: Problem[] = [];
  const types: Findings['types'][number][] = [];
  const uses: Findings['uses'][number][] = [];
  /** Names of which nobody knows what they would be. */
  const lost = new Set<string>();
  let args: ReadonlyMap<string, string> | undefined;
  let now = text;
  for (let looks = 0; looks < MOST_LOOKS && problems.length < MOST_PROBLEMS; looks++) {
    const source = new Source(path, now);
    let wrong: Problem | undefined;
    let statement: (Span & { readonly names: Iterable<string> }) | undefined;
    try {
      const script = parse(source);
      const look = args === undefined ? bestLook(script, text) : lookAt(script, args);
      args = look.args;
      types.push(...look.types);
      uses.push(...look.uses);
      wrong = look.problem;
      if (wrong !== undefined) statement = statementAt(script.statements, wrong.start);
    } catch (error) {
      wrong = problemOf(error, source);
      statement = textAround(now, wrong.start);
    }
    if (wrong === undefined) break;
    // Of a call, too, the name comes first.
    const name = text.slice(wrong.start, wrong.end).match(/^\w*/)?.[0] as string;
    if (!lost.has(name)) problems.push(wrong);
    // What imported files have to do with it can't be taken out.
    if (statement === undefined || statement.end - statement.start < NOTHING.length) break;
    for (const name of statement.names) lost.add(name);
    now = without(now, statement);
  }
  return { problems: problems.sort((a, b) => a.start - b.start), types, uses };
}

interface Look extends Omit<Findings, 'problems'> {
  readonly args: ReadonlyMap<string, string>;
  readonly problem: Problem | undefined;
}

/** The one with the arguments that get furthest. */
function bestLook(script: Script, text: string): Look {
  let best: Look | undefined;
  for (const guess of guesses(text)) {
    const look = lookAt(script, guess);
    if (best?.problem === undefined || look.problem === undefined || look.problem.start > best.problem.start)
      best = look;
    if (look.problem === undefined) break;
  }
  return best as Look;
}

function* guesses(text: string): Generator<ReadonlyMap<string, string>> {
  const names = [...new Set([...text.matchAll(/\$([A-Za-z_]\w*)/g)].map(([, name]) => name as string))];
  const tried = names.slice(0, MOST_GUESSED);
  for (let i = 0; i < GUESSES.length ** tried.length; i++) {
    const of = new Map(names.map((name) => [name, '1']));
    for (const [at, name] of tried.entries())
      of.set(name, GUESSES[Math.floor(i / GUESSES.length ** at) % GUESSES.length]!);
    yield of;
  }
}

function lookAt(script: Script, args: ReadonlyMap<string, string>): Look {
  const types: Findings['types'][number][] = [];
  const uses: Findings['uses'][number][] = [];
  const { source } = script;
  let problem: Problem | undefined;
  try {
    analyse(script, {
      arguments: args,
      files: LOCAL_FILES,
      builtins: BUILTINS,
      libraries: new Map(),
      sparseBelow: 0,
      record: {
        type: (where, { start, end }, type) => {
          if (where === source) types.push({ start, end, type });
        },
        use: (where, { start, end }, definition) => {
          if (where === source) uses.push({ start, end, definition });
        },
      },
    });
  } catch (error) {
    problem = problemOf(error, source);
  }
  return { args, types, uses, problem };
}

/** An error with its place in the script; one of an imported file is shown at the beginning. */
function problemOf(error: unknown, source: Source): Problem {
  if (!(error instanceof ScriptError)) throw error;
  const { file, start, end } = error.details ?? {};
  const isHere = file === source.name && typeof start === 'number' && typeof end === 'number';
  // The place and the excerpt are what the editor itself shows.
  const message = (error.message.split('\n')[0] as string).replace(/^.*?:\d+:\d+: /, isHere ? '' : '$&');
  return isHere ? { start, end, message } : { start: 0, end: 0, message };
}

// ---- what is taken out

/** A statement that does nothing, and may be wherever there may be one. */
const NOTHING = '{}';

/** The same places in what is left. */
function without(text: string, { start, end }: Span): string {
  return text.slice(0, start) + NOTHING + ' '.repeat(end - start - NOTHING.length) + text.slice(end);
}

/**
 * The innermost statement around a place, and the names that it assigns. A `return` goes with its function, which would be another one without it;
 * undefined for a place that is in none.
 */
function statementAt(
  statements: readonly Statement[],
  offset: number,
): (Span & { readonly names: readonly string[] }) | undefined {
  let found: Statement | undefined;
  let within = statements;
  for (let depth = 0; depth < MOST_NESTED; depth++) {
    const next = within.find(({ start, end }) => start <= offset && offset < end);
    if (next === undefined || next.kind === 'return') break;
    // A block is where others are; to take out all of them is more than has to be.
    if (next.kind !== 'block') found = next;
    within = bodies(next);
  }
  if (found === undefined || found.kind === 'import') return undefined;
  const { start, end } = found;
  const names = assignedIn({ kind: 'block', statements: [found], start, end });
  return { start, end, names: found.kind === 'function' ? [...names, found.name.name] : names };
}

/** Of text that is no script: what most likely is the statement around a place, and all names in it. */
function textAround(text: string, offset: number): (Span & { readonly names: readonly string[] }) | undefined {
  let start = 0;
  let end = text.length;
  // Strings and comments, which may have anything in them, and the ends of statements.
  for (const { 0: token, index } of text.matchAll(/"(?:\\.|[^"\\])*"|#[^\n]*|\/\/[^\n]*|\/\*.*?\*\/|[;{}]/gs)) {
    if (token.length > 1) continue;
    if (index < offset) start = index + 1;
    else {
      end = token === ';' ? index + 1 : index;
      break;
    }
  }
  start += text.slice(start, end).search(/\S|$/);
  return { start, end, names: text.slice(start, end).match(/[A-Za-z_]\w*/g) ?? [] };
}

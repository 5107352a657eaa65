/** What an editor shows of a script: what is wrong with it, the types of its parts, and where names are defined. */

import { ScriptError } from '../../base/index.ts';
import { analyse } from '../analysis/index.ts';
import { BUILTINS } from '../builtins/index.ts';
import { LOCAL_FILES } from '../driver/files.ts';
import { type Position, Source, type Span } from '../source.ts';
import { parse, type Script } from '../syntax/index.ts';
import { type Type, typeName } from '../types.ts';

export interface Problem extends Span {
  readonly message: string;
}

export interface Defined {
  /** Of the file, as it was read. */
  readonly path: string;
  readonly from: Position;
  readonly to: Position;
}

export interface Examined {
  /** The first thing that is wrong, if there is any. */
  readonly problems: readonly Problem[];
  /** What is known of the smallest expression at a place: its text, cut where it is long, and its type. */
  at(offset: number): (Span & { readonly text: string }) | undefined;
  /** Where the name at a place is defined. */
  definitionOf(offset: number): Defined | undefined;
}

/** What an argument of a script may be, since an editor does not know it. */
const GUESSES = ['1', '0', '1.0', '"text"', 'true'];
/** For so many arguments all guesses are tried. */
const MOST_GUESSED = 3;
const MOST_SHOWN = 60;

/** @param path of the script: imports and files are looked for from there. */
export function examine(path: string, text: string): Examined {
  const source = new Source(path, text);
  let best: Look | undefined;
  try {
    const script = parse(source);
    for (const guess of guesses(text)) {
      const look = lookAt(script, guess);
      if (best === undefined || look.problem === undefined || look.problem.start > best.problem!.start) best = look;
      if (look.problem === undefined) break;
    }
  } catch (error) {
    best = { types: [], uses: [], problem: problemOf(error, source) };
  }
  const { types, uses, problem } = best as Look;
  return {
    problems: problem === undefined ? [] : [problem],
    at(offset) {
      const found = smallest(types, offset);
      if (found === undefined) return undefined;
      const { start, end } = found;
      const shown = text.slice(start, end).replace(/\s+/g, ' ');
      const cut = shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN - 1)}…` : shown;
      return { start, end, text: `${cut}: ${typeName(found.type)}` };
    },
    definitionOf(offset) {
      const found = smallest(uses, offset);
      if (found === undefined) return undefined;
      const { source: where, span } = found.definition;
      return { path: where.name, from: where.position(span.start), to: where.position(span.end) };
    },
  };
}

interface Look {
  readonly types: readonly (Span & { readonly type: Type })[];
  readonly uses: readonly (Span & { readonly definition: { readonly source: Source; readonly span: Span } })[];
  readonly problem: Problem | undefined;
}

function lookAt(script: Script, args: ReadonlyMap<string, string>): Look {
  const types: (Span & { readonly type: Type })[] = [];
  const uses: Look['uses'][number][] = [];
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
  return { types, uses, problem };
}

/** The smallest span around a place; of equal ones the last, which is what a loop has settled on. */
function smallest<T extends Span>(spans: readonly T[], offset: number): T | undefined {
  let found: T | undefined;
  for (const each of spans) {
    const isAround = each.start <= offset && offset <= each.end;
    if (isAround && (found === undefined || each.end - each.start <= found.end - found.start)) found = each;
  }
  return found;
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

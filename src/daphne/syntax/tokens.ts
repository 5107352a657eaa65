import type { ScriptError } from '../../base/index.ts';
import type { Source } from '../source.ts';

/** Words that can't be names, each a kind of token of its own. */
export const KEYWORDS = [
  'if',
  'else',
  'while',
  'do',
  'for',
  'in',
  'true',
  'false',
  'as',
  'def',
  'return',
  'import',
] as const;

/** Words for the types of data. There is none for lists. */
export const DATA_TYPES = ['matrix', 'scalar', 'frame'] as const;

/** Words for the types of values. */
export const VALUE_TYPES = ['f64', 'f32', 'si64', 'si32', 'si8', 'ui64', 'ui32', 'ui8', 'str', 'bool'] as const;

/** Words that are numbers of the type f64, those with an f too. */
export const NUMBER_WORDS = ['nan', 'nanf', 'inf', 'inff'] as const;

export type DataType = (typeof DATA_TYPES)[number];
/** What a script can name. There is one more type of values, `size`: that of a literal with the suffix z. */
export type ValueTypeName = (typeof VALUE_TYPES)[number];

/** `[[`, `]]` and `::` are one token each, wherever they stand: the longest match wins. */
export type Punctuation =
  | '('
  | ')'
  | '['
  | ']'
  | '[['
  | ']]'
  | '{'
  | '}'
  | ','
  | ';'
  | ':'
  | '::'
  | '.'
  | '?'
  | '$'
  | '='
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '&&'
  | '||'
  | '+'
  | '-'
  | '->'
  | '*'
  | '/'
  | '%'
  | '^'
  | '@';

export type TokenKind =
  | Punctuation
  | (typeof KEYWORDS)[number]
  | 'data type'
  | 'value type'
  | 'name'
  | 'integer'
  | 'float'
  | 'string'
  /** Where the text ends. */
  | 'end'
  /** Where the text has something that is no token. */
  | 'fault';

/** All tokens of a text, side by side. */
export interface Tokens {
  readonly source: Source;
  readonly kinds: readonly TokenKind[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** What the token `fault` is about: it is told when the parser gets there, after all that is wrong before it. */
  readonly fault: ScriptError | undefined;
}

/** A token for people. */
export function tokenText({ source, kinds, starts, ends }: Tokens, at: number): string {
  const kind = kinds[at]!;
  if (kind === 'end') return 'the end of the script';
  const text = source.text.slice(starts[at], ends[at]);
  if (text.length > 40) return `${kind === 'string' ? 'a string' : `\`${text.slice(0, 39)}…\``}`;
  return `\`${text}\``;
}

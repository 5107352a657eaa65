import type { ScriptError } from '../../base/index.ts';
import { syntaxError } from '../errors.ts';
import type { Source } from '../source.ts';
import { DATA_TYPES, KEYWORDS, NUMBER_WORDS, type TokenKind, type Tokens, VALUE_TYPES } from './tokens.ts';

const WORDS = new Map<string, TokenKind>([
  ...KEYWORDS.map((word) => [word, word] as const),
  ...DATA_TYPES.map((word) => [word, 'data type'] as const),
  ...VALUE_TYPES.map((word) => [word, 'value type'] as const),
  ...NUMBER_WORDS.map((word) => [word, 'float'] as const),
]);

/** Of one character and of two: for each first character, the seconds that make a longer token with it. */
const PUNCTUATION = new Map<string, string>([
  ...[...'(){},;.?$*/%^@+'].map((c) => [c, ''] as const),
  ['[', '['],
  [']', ']'],
  [':', ':'],
  ['-', '>'],
  ['=', '='],
  ['<', '='],
  ['>', '='],
]);

/** Characters that are tokens only when they are doubled, or before `=`; what people mean when they write them alone. */
const PAIRS = new Map<string, readonly [pair: string, hint: string]>([
  ['!', ['!=', 'there is no `!`: compare with `== 0` or `== false`']],
  ['&', ['&&', 'the conjunction is `&&`']],
  ['|', ['||', 'the disjunction is `||`']],
]);

const NEWLINE = 10;
const QUOTE = 34;
const BACKSLASH = 92;
const ESCAPES = 'bfnrt"\\';

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
const isWordPart = (c: number): boolean => isLetter(c) || isDigit(c);
const isSeparator = (c: number): boolean => c === 95 || c === 39;

/** The tokens of a text, up to its end or to the first thing that is none. Blanks and comments leave no trace. */
export function tokenize(source: Source): Tokens {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: Source;
  readonly #text: string;
  readonly #kinds: TokenKind[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #fault: ScriptError | undefined;
  #at = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
    // A mark of UTF-8 says nothing.
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  run(): Tokens {
    const text = this.#text;
    for (;;) {
      const start = this.#at;
      const c = text.charCodeAt(start);
      // Past the end there is no code.
      if (Number.isNaN(c)) break;
      if (c === 32 || c === NEWLINE || c === 13 || c === 9) {
        this.#at++;
        continue;
      }
      if (this.#comment(c)) {
        if (this.#fault !== undefined) break;
        continue;
      }
      const kind = isLetter(c)
        ? this.#word()
        : isDigit(c)
          ? this.#number()
          : c === QUOTE
            ? this.#string()
            : this.#sign();
      if (kind === undefined) break;
      this.#push(kind, start, this.#at);
    }
    if (this.#fault !== undefined) this.#push('fault', this.#at, this.#at);
    else this.#push('end', text.length, text.length);
    return { source: this.#source, kinds: this.#kinds, starts: this.#starts, ends: this.#ends, fault: this.#fault };
  }

  #push(kind: TokenKind, start: number, end: number): void {
    this.#kinds.push(kind);
    this.#starts.push(start);
    this.#ends.push(end);
  }

  #fail(start: number, end: number, message: string): undefined {
    this.#fault = syntaxError(this.#source, { start, end }, message);
  }

  /** Passes a comment; false where there is none. */
  #comment(c: number): boolean {
    const text = this.#text;
    const next = c === 47 ? text.charCodeAt(this.#at + 1) : 0;
    if (c === 35 || next === 47) {
      let end = this.#at;
      for (; end < text.length; end++) {
        const each = text.charCodeAt(end);
        if (each === NEWLINE || each === 13) break;
      }
      this.#at = end;
      return true;
    }
    if (next !== 42) return false;
    const end = text.indexOf('*/', this.#at + 2);
    if (end < 0) this.#fail(this.#at, this.#at + 2, 'this comment has no end: `*/` is missing');
    else this.#at = end + 2;
    return true;
  }

  #word(): TokenKind {
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    while (isWordPart(text.charCodeAt(end))) end++;
    this.#at = end;
    // No word of ours is longer.
    return (end - start <= 6 ? WORDS.get(text.slice(start, end)) : undefined) ?? 'name';
  }

  /** Digits with single separators between them, from `at` on; where they end, or undefined for a separator that is elsewhere. */
  #digits(at: number): number | undefined {
    const text = this.#text;
    for (;;) {
      while (isDigit(text.charCodeAt(at))) at++;
      if (!isSeparator(text.charCodeAt(at))) return at;
      if (!isDigit(text.charCodeAt(at + 1)))
        return this.#fail(at, at + 1, 'a separator of digits must have a digit on both sides');
      at++;
    }
  }

  #number(): TokenKind | undefined {
    const text = this.#text;
    const start = this.#at;
    let kind: TokenKind = 'integer';
    let end: number | undefined = start + 1;
    if (text[start] === '0') {
      const next = text.charCodeAt(end);
      if (isDigit(next) || isSeparator(next))
        return this.#fail(start, end, 'a number that begins with 0 has no further digits before the point');
    } else {
      end = this.#digits(end);
      if (end === undefined) return undefined;
    }
    if (text[end] === '.') {
      if (!isDigit(text.charCodeAt(end + 1)))
        return this.#fail(start, end + 1, `digits must follow the point: \`${text.slice(start, end)}.0\``);
      kind = 'float';
      end = this.#digits(end + 1);
      if (end === undefined) return undefined;
    }
    if (text[end] === 'e' || text[end] === 'E') {
      const sign = text[end + 1] === '-' || text[end + 1] === '+' ? 1 : 0;
      if (!isDigit(text.charCodeAt(end + 1 + sign)))
        return this.#fail(start, end + 1 + sign, 'digits must follow the exponent sign');
      kind = 'float';
      end = this.#digits(end + 1 + sign);
      if (end === undefined) return undefined;
    }
    if (kind === 'float') {
      if (text[end] === 'f') end++;
    } else if (text.startsWith('ull', end)) end += 3;
    else if (text[end] === 'u' || text[end] === 'l' || text[end] === 'z') end++;
    if (isWordPart(text.charCodeAt(end))) {
      const suffixes = kind === 'float' ? '`f` is the suffix' : '`l`, `u`, `ull` and `z` are the suffixes';
      return this.#fail(start, end + 1, `\`${text[end]}\` can't follow a number: ${suffixes} of such a one`);
    }
    this.#at = end;
    return kind;
  }

  #string(): TokenKind | undefined {
    const text = this.#text;
    const start = this.#at;
    for (let at = start + 1; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) {
        this.#at = at + 1;
        return 'string';
      }
      if (c !== BACKSLASH) continue;
      at++;
      if (at < text.length && !ESCAPES.includes(text[at]!))
        return this.#fail(at - 1, at + 1, 'escapes in strings are \\b \\f \\n \\r \\t \\" and \\\\');
    }
    return this.#fail(start, start + 1, 'this string has no end: `"` is missing');
  }

  #sign(): TokenKind | undefined {
    const text = this.#text;
    const start = this.#at;
    const c = text[start]!;
    const second = PUNCTUATION.get(c);
    if (second !== undefined) {
      const long = second !== '' && text[start + 1] === second;
      this.#at = start + (long ? 2 : 1);
      return (long ? c + second : c) as TokenKind;
    }
    const [pair, hint] = PAIRS.get(c) ?? [];
    if (pair !== undefined && text.startsWith(pair, start)) {
      this.#at = start + 2;
      return pair as TokenKind;
    }
    const whole = String.fromCodePoint(text.codePointAt(start)!);
    const quotes = c === "'" ? 'strings are in double quotes' : undefined;
    const why = hint ?? quotes ?? 'it can only be in strings and comments';
    return this.#fail(start, start + whole.length, `\`${whole}\` means nothing here: ${why}`);
  }
}

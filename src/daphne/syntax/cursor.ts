import type { ScriptError } from '../../base/index.ts';
import { syntaxError } from '../errors.ts';
import type { Source, Span } from '../source.ts';
import { tokenize } from './lexer.ts';
import { type TokenKind, type Tokens, tokenText } from './tokens.ts';

/**
 * How deep brackets, blocks, bodies without braces and prefix operators may be nested in each other, all together. The parser itself needs
 * no such limit, since it keeps what is open in a list; whoever works on its trees may rely on it.
 */
export const MOST_NESTED = 20_000;

/** Where a parser is in the tokens of a text. */
export class Cursor {
  readonly source: Source;
  readonly #tokens: Tokens;
  #at = 0;
  #nested = 0;

  constructor(source: Source) {
    this.source = source;
    this.#tokens = tokenize(source);
  }

  /** Of the token that comes next. */
  get kind(): TokenKind {
    return this.#tokens.kinds[this.#at]!;
  }

  /** The offset at which it begins. */
  get start(): number {
    return this.#tokens.starts[this.#at]!;
  }

  /** Where the token before it ended. */
  get end(): number {
    return this.#at === 0 ? 0 : this.#tokens.ends[this.#at - 1]!;
  }

  get text(): string {
    return this.source.text.slice(this.start, this.#tokens.ends[this.#at]);
  }

  /** The kind of a token further on; after the end comes nothing but the end. */
  peek(ahead: number): TokenKind {
    return this.#tokens.kinds[this.#at + ahead] ?? 'end';
  }

  /** Whether the next token is of this kind. */
  at(kind: TokenKind): boolean {
    return this.kind === kind;
  }

  next(): void {
    this.#at++;
  }

  /** Passes a token of this kind, if it is one. */
  take(kind: TokenKind): boolean {
    if (this.kind !== kind) return false;
    this.#at++;
    return true;
  }

  /** Passes a token of this kind, which has to be there; its text. */
  expect(kind: TokenKind, what = `\`${kind}\``): string {
    if (this.kind !== kind) throw this.unexpected(what);
    const { text } = this;
    this.#at++;
    return text;
  }

  /** What to throw where something else should be. */
  unexpected(what: string): ScriptError {
    const { fault } = this.#tokens;
    if (this.kind === 'fault' && fault !== undefined) return fault;
    return this.error(this.#here(), `expected ${what}, found ${tokenText(this.#tokens, this.#at)}`);
  }

  error(span: Span, message: string): ScriptError {
    return syntaxError(this.source, span, message);
  }

  /** Something that nests begins here. */
  enter(): void {
    if (++this.#nested > MOST_NESTED)
      throw this.error(this.#here(), `this is nested too deeply: ${MOST_NESTED} levels are the most`);
  }

  leave(): void {
    this.#nested--;
  }

  #here(): Span {
    return { start: this.start, end: this.#tokens.ends[this.#at]! };
  }
}

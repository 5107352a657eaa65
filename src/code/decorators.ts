import type { AnyNode, TokenType } from 'acorn';

type Acorn = typeof import('acorn');

/** What a parser that has been extended leaves in a tree: acorn's nodes have no place for it. */
interface Decorated {
  decorators?: AnyNode[];
  /** Where the word `accessor` stands. */
  accessor?: number;
}

/** The part of acorn's parser that its plugins stand on. */
interface Internals {
  readonly input: string;
  readonly start: number;
  readonly end: number;
  readonly type: TokenType;
  readonly value: unknown;
  readonly lastTokEnd: number;
  pos: number;
  next(): void;
  eat(type: TokenType): boolean;
  expect(type: TokenType): void;
  startNode(): AnyNode;
  startNodeAt(pos: number): AnyNode;
  finishNode(node: object, type: string): AnyNode;
  finishToken(type: TokenType): void;
  parseIdent(liberal?: boolean): AnyNode;
  parsePrivateIdent(): AnyNode;
  parseExpression(): AnyNode;
  parseExprList(close: TokenType, allowTrailingComma: boolean): AnyNode[];
  // Those below are extended.
  getTokenFromCode(code: number): void;
  eatContextual(name: string): boolean;
  shouldParseExportStatement(): boolean;
  parseStatement(...rest: unknown[]): AnyNode;
  parseExportDefaultDeclaration(): AnyNode;
  parseExprAtom(...rest: unknown[]): AnyNode;
  parseClassElement(...rest: unknown[]): AnyNode | null;
  parseAssignableListItem(...rest: unknown[]): AnyNode;
}
type InternalParser = new (...args: never[]) => Internals;

const AT = 64;

/**
 * A parser that also reads decorators and `accessor` fields, which compilers know and no engine does. It is for looking at
 * files: what uses them can't be run from its source.
 */
export function decoratorParser({ Parser, TokenType, tokTypes: tt }: Acorn): typeof Parser {
  const at = new (TokenType as unknown as new (label: string) => TokenType)('@');

  const extend = (Base: InternalParser): InternalParser =>
    class extends Base {
      /** The member that is being read: where it says `accessor`. */
      #member: { accessor?: number } | undefined;

      override getTokenFromCode(code: number): void {
        if (code !== AT) {
          super.getTokenFromCode(code);
          return;
        }
        this.pos++;
        this.finishToken(at);
      }

      /** The decorators that stand here, if any. */
      #decorators(): AnyNode[] | undefined {
        if (this.type !== at) return undefined;
        const found: AnyNode[] = [];
        while (this.type === at) {
          const node = this.startNode();
          this.next();
          Object.assign(node, { expression: this.#decorator() });
          found.push(this.finishNode(node, 'Decorator'));
        }
        return found;
      }

      /** `(any expression)`, `a.b.c`, or a call of that. */
      #decorator(): AnyNode {
        if (this.eat(tt.parenL)) {
          const inner = this.parseExpression();
          this.expect(tt.parenR);
          return inner;
        }
        const { start } = this;
        let expression = this.parseIdent();
        while (this.eat(tt.dot)) {
          const property = this.type === tt.privateId ? this.parsePrivateIdent() : this.parseIdent(true);
          const parts = { object: expression, property, computed: false, optional: false };
          expression = this.finishNode(Object.assign(this.startNodeAt(start), parts), 'MemberExpression');
        }
        while (this.eat(tt.parenL)) {
          const parts = { callee: expression, arguments: this.parseExprList(tt.parenR, true), optional: false };
          expression = this.finishNode(Object.assign(this.startNodeAt(start), parts), 'CallExpression');
        }
        return expression;
      }

      #decorated(parse: () => AnyNode): AnyNode {
        const decorators = this.#decorators();
        const node = parse();
        if (decorators === undefined) return node;
        // Those before `export` belong to the class behind it.
        const { declaration } = node as { declaration?: AnyNode };
        Object.assign(declaration ?? node, { decorators });
        return node;
      }

      override parseStatement(...rest: unknown[]): AnyNode {
        return this.#decorated(() => super.parseStatement(...rest));
      }

      override shouldParseExportStatement(): boolean {
        return this.type === at || super.shouldParseExportStatement();
      }

      override parseExportDefaultDeclaration(): AnyNode {
        return this.#decorated(() => super.parseExportDefaultDeclaration());
      }

      override parseExprAtom(...rest: unknown[]): AnyNode {
        return this.#decorated(() => super.parseExprAtom(...rest));
      }

      override parseAssignableListItem(...rest: unknown[]): AnyNode {
        return this.#decorated(() => super.parseAssignableListItem(...rest));
      }

      override parseClassElement(...rest: unknown[]): AnyNode | null {
        const outer = this.#member;
        const decorators = this.#decorators();
        const own: Decorated = decorators === undefined ? {} : { decorators };
        this.#member = own;
        this.#skipAccessor();
        const element = super.parseClassElement(...rest);
        this.#member = outer;
        return element === null ? null : Object.assign(element, own);
      }

      override eatContextual(name: string): boolean {
        const eaten = super.eatContextual(name);
        if (eaten && name === 'static') this.#skipAccessor();
        return eaten;
      }

      /** `accessor` before a name on the same line; as a name of its own it is followed by something else. */
      #skipAccessor(): void {
        if (this.#member === undefined || this.type !== tt.name || this.value !== 'accessor') return;
        if (!/^[ \t]+(?:[\w$#"'[\\]|[^\0-\x7f])/.test(this.input.slice(this.end, this.end + 100))) return;
        this.#member.accessor = this.start;
        this.next();
      }
    };
  return Parser.extend(extend as unknown as (Base: typeof Parser) => typeof Parser);
}

/** What of a node only a compiler understands, and where. */
export interface BeyondEngine {
  readonly start: number;
  readonly word: string;
  /** The same in a sentence. */
  readonly name: string;
  readonly advice: string;
}

const COMPILE = 'compile the file first (tsc, esbuild) and run the output';

export function beyondEngine(node: AnyNode): BeyondEngine | undefined {
  const { decorators, accessor } = node as Decorated;
  const decorator = decorators?.[0];
  if (decorator !== undefined) {
    const advice = `Do without it there, or ${COMPILE}.`;
    return { start: decorator.start, word: 'decorator', name: 'a decorator', advice };
  }
  if (accessor === undefined) return undefined;
  const advice = `Write a getter and a setter, or ${COMPILE}.`;
  return { start: accessor, word: 'accessor', name: 'an `accessor` field', advice };
}

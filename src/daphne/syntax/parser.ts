import type { Source, Span } from '../source.ts';
import type {
  Assignment,
  Block,
  Expression,
  Identifier,
  If,
  Import,
  Return,
  Script,
  Statement,
  Target,
  TypeAnnotation,
  ValueTypeName,
} from './ast.ts';
import { Cursor } from './cursor.ts';
import { ExpressionParser } from './expressions.ts';

/** A statement that has begun and waits for others. */
type Open = OpenList<'script'> | OpenList<'block'> | OpenHead;

/** Braces, or the script itself: takes statements until it is closed. */
interface OpenList<K extends string> {
  readonly kind: K;
  readonly start: number;
  readonly statements: Statement[];
}

/** Takes one statement, its body. */
type OpenHead =
  | OpenIf
  | { readonly kind: 'while'; readonly start: number; readonly condition: Expression }
  | { readonly kind: 'do'; readonly start: number }
  | {
      readonly kind: 'for';
      readonly start: number;
      readonly variable: Identifier;
      readonly from: Expression;
      readonly to: Expression;
      readonly step: Expression | undefined;
    }
  | {
      readonly kind: 'function';
      readonly start: number;
      readonly name: Identifier;
      readonly parameters: readonly { name: Identifier; type: TypeAnnotation | undefined }[];
      readonly results: readonly TypeAnnotation[] | undefined;
    };

interface OpenIf {
  readonly kind: 'if';
  readonly start: number;
  readonly branches: { condition: Expression; body: Block }[];
  /** Of the branch whose body comes next; undefined: that of `else`. */
  condition: Expression | undefined;
}

/**
 * The syntax tree of a script.
 *
 * @throws ScriptError (ERR_SHEAF_SCRIPT_SYNTAX) for the first place where it is no DaphneDSL.
 */
export function parse(source: Source): Script {
  return new Parser(source).run();
}

/** Statements, with a list of what is open in place of recursion, as for expressions. */
class Parser {
  readonly #source: Source;
  readonly #cursor: Cursor;
  readonly #expressions: ExpressionParser;
  readonly #open: Open[] = [];
  #inFunction = false;

  constructor(source: Source) {
    this.#source = source;
    this.#cursor = new Cursor(source);
    this.#expressions = new ExpressionParser(this.#cursor);
  }

  run(): Script {
    const cursor = this.#cursor;
    const statements: Statement[] = [];
    this.#open.push({ kind: 'script', start: 0, statements });
    for (;;) {
      const open = this.#open.at(-1)!;
      if (open.kind === 'script') {
        if (cursor.kind === 'end') return { kind: 'script', source: this.#source, statements };
      } else if (open.kind === 'block' && cursor.kind === '}') {
        cursor.next();
        // Without a semicolon it is complete as well.
        cursor.take(';');
        this.#pop();
        this.#deliver({ kind: 'block', statements: open.statements, ...this.#since(open.start) });
        continue;
      }
      const statement = this.#statement(open);
      if (statement !== undefined) this.#deliver(statement);
    }
  }

  #since(start: number): Span {
    return { start, end: this.#cursor.end };
  }

  #push(open: Open): undefined {
    this.#cursor.enter();
    this.#open.push(open);
  }

  #pop(): void {
    this.#cursor.leave();
    this.#open.pop();
  }

  /** Reads a statement, or the head of one that has others within. */
  #statement(within: Open): Statement | undefined {
    const cursor = this.#cursor;
    const { start } = cursor;
    switch (cursor.kind) {
      case '{':
        if (within.kind !== 'function' && this.#isFrame()) return this.#simple();
        cursor.next();
        return this.#push({ kind: 'block', start, statements: [] });
      case 'if':
        cursor.next();
        return this.#push({ kind: 'if', start, branches: [], condition: this.#condition() });
      case 'while':
        cursor.next();
        return this.#push({ kind: 'while', start, condition: this.#condition() });
      case 'do':
        cursor.next();
        return this.#push({ kind: 'do', start });
      case 'for':
        return this.#for();
      case 'def':
        this.#topLevel(within, 'functions are defined');
        return this.#function();
      case 'import':
        this.#topLevel(within, 'imports stand');
        return this.#import();
      case 'return':
        return this.#return();
      case '}':
      case 'end':
      case ';':
      case 'else':
        throw cursor.unexpected(
          within.kind === 'block' && cursor.kind === 'end' ? '`}` or a statement' : 'a statement',
        );
      default:
        return this.#simple();
    }
  }

  /** A statement is complete, and perhaps with it those that waited for it. */
  #deliver(statement: Statement): void {
    for (;;) {
      const open = this.#open.at(-1)!;
      if (open.kind === 'script' || open.kind === 'block') {
        open.statements.push(statement);
        return;
      }
      const { start, end } = statement;
      const body: Block =
        statement.kind === 'block' ? statement : { kind: 'block', statements: [statement], start, end };
      const whole = this.#complete(open, body);
      if (whole === undefined) return;
      this.#pop();
      statement = whole;
    }
  }

  /** What has got its body; undefined where it waits for one more. */
  #complete(open: OpenHead, body: Block): Statement | undefined {
    const cursor = this.#cursor;
    switch (open.kind) {
      case 'if':
        return this.#branch(open, body);
      case 'while':
        return { kind: 'while', condition: open.condition, body, ...this.#since(open.start) };
      case 'do': {
        cursor.expect('while', '`while` and the condition of `do`');
        const condition = this.#condition();
        cursor.take(';');
        return { kind: 'do', body, condition, ...this.#since(open.start) };
      }
      case 'for': {
        const { start, ...head } = open;
        return { ...head, body, ...this.#since(start) };
      }
      case 'function': {
        const { start, ...head } = open;
        this.#inFunction = false;
        return { ...head, body, ...this.#since(start) };
      }
    }
  }

  #branch(open: OpenIf, body: Block): If | undefined {
    const cursor = this.#cursor;
    const { start, branches } = open;
    if (open.condition === undefined) return { kind: 'if', branches, otherwise: body, ...this.#since(start) };
    branches.push({ condition: open.condition, body });
    open.condition = undefined;
    if (!cursor.take('else')) return { kind: 'if', branches, otherwise: undefined, ...this.#since(start) };
    if (cursor.take('if')) open.condition = this.#condition();
    return undefined;
  }

  #condition(): Expression {
    const cursor = this.#cursor;
    cursor.expect('(');
    const condition = this.#expressions.parse();
    cursor.expect(')');
    return condition;
  }

  #identifier(what: string): Identifier {
    const { start } = this.#cursor;
    const name = this.#cursor.expect('name', what);
    return { name, ...this.#since(start) };
  }

  #for(): undefined {
    const cursor = this.#cursor;
    const { start } = cursor;
    cursor.next();
    cursor.expect('(');
    const variable = this.#identifier('the variable of the loop');
    cursor.expect('in');
    const from = this.#expressions.parse();
    cursor.expect(':', '`:` and the last value of the loop');
    const to = this.#expressions.parse();
    const step = cursor.take(':') ? this.#expressions.parse() : undefined;
    cursor.expect(')', step === undefined ? '`:` or `)`' : '`)`');
    return this.#push({ kind: 'for', start, variable, from, to, step });
  }

  #topLevel(within: Open, what: string): void {
    const { kind, start, text } = this.#cursor;
    if (within.kind !== 'script')
      throw this.#cursor.error(
        { start, end: start + text.length },
        `\`${kind}\` within a block: ${what} at the top level`,
      );
  }

  #function(): undefined {
    const cursor = this.#cursor;
    const { start } = cursor;
    cursor.next();
    const name = this.#identifier('the name of the function');
    cursor.expect('(');
    const parameters: { name: Identifier; type: TypeAnnotation | undefined }[] = [];
    const names = new Set<string>();
    // A comma may come after the last one.
    while (cursor.kind !== ')') {
      const parameter = this.#identifier('a parameter or `)`');
      if (names.has(parameter.name))
        throw cursor.error(parameter, `\`${parameter.name}\` is the name of two parameters`);
      names.add(parameter.name);
      parameters.push({ name: parameter, type: cursor.take(':') ? this.#type() : undefined });
      if (!cursor.take(',')) break;
    }
    cursor.expect(')', '`,` or `)`');
    let results: TypeAnnotation[] | undefined;
    if (cursor.take('->')) {
      results = [];
      do results.push(this.#type());
      while (cursor.take(','));
    }
    if (cursor.kind !== '{') throw cursor.unexpected(`\`{\`${results === undefined ? ' or `->`' : ''}`);
    this.#inFunction = true;
    return this.#push({ kind: 'function', start, name, parameters, results });
  }

  #type(): TypeAnnotation {
    const cursor = this.#cursor;
    const { start, text } = cursor;
    const what = 'a type: `matrix`, `matrix<f64>` or a value type such as `f64`';
    if (cursor.kind !== 'data type') {
      const value = cursor.expect('value type', what) as ValueTypeName;
      return { data: 'scalar', value, ...this.#since(start) };
    }
    if (text !== 'matrix')
      throw cursor.error(
        { start, end: start + text.length },
        `\`${text}\` is no type of parameters or results: leave it out, or give ${what}`,
      );
    cursor.next();
    let value: ValueTypeName | undefined;
    if (cursor.take('<')) {
      value = cursor.expect('value type', 'a value type such as `f64`') as ValueTypeName;
      cursor.expect('>');
    }
    return { data: 'matrix', value, ...this.#since(start) };
  }

  #import(): Import {
    const cursor = this.#cursor;
    const { start } = cursor;
    cursor.next();
    // Paths are taken as they are, without escapes.
    const path = cursor.expect('string', 'the path of the script in double quotes').slice(1, -1);
    const alias = cursor.take('as') ? cursor.expect('string', 'the alias in double quotes').slice(1, -1) : undefined;
    cursor.expect(';', alias === undefined ? '`as` or `;`' : '`;`');
    return { kind: 'import', path, alias, ...this.#since(start) };
  }

  #return(): Return {
    const cursor = this.#cursor;
    const { start } = cursor;
    if (!this.#inFunction) throw cursor.error({ start, end: start + 6 }, '`return` outside of a function');
    cursor.next();
    const values: Expression[] = [];
    if (cursor.kind !== ';') {
      do values.push(this.#expressions.parse());
      while (cursor.take(','));
    }
    cursor.expect(';', values.length === 0 ? '`;`' : '`,` or `;`');
    return { kind: 'return', values, ...this.#since(start) };
  }

  /** An expression, or an assignment, whose targets look like expressions up to the `=`. */
  #simple(): Statement {
    const cursor = this.#cursor;
    const { start } = cursor;
    const expression = this.#expressions.parse();
    if (
      cursor.kind === '=' ||
      (cursor.kind === ',' && expression.start === start && targetOf(expression) !== undefined)
    )
      return this.#assignment(start, expression);
    cursor.expect(';', '`;` after the statement');
    return { kind: 'expression', expression, ...this.#since(start) };
  }

  #assignment(start: number, first: Expression): Assignment {
    const cursor = this.#cursor;
    const targets = [this.#target(start, first)];
    while (cursor.take(',')) {
      const { start: next } = cursor;
      targets.push(this.#target(next, this.#expressions.parse()));
    }
    cursor.expect('=', '`=`');
    const value = this.#expressions.parse();
    cursor.expect(';', '`;` after the assignment');
    return { kind: 'assignment', targets, value, ...this.#since(start) };
  }

  #target(start: number, expression: Expression): Target {
    const target = targetOf(expression);
    // Parentheses leave no trace but that the expression begins later.
    if (target === undefined || expression.start !== start)
      throw this.#cursor.error(
        { start, end: this.#cursor.end },
        "this can't be assigned to: a variable can, and a part of one, `x[rows, columns]`",
      );
    return target;
  }

  /**
   * Whether braces at the beginning of a statement hold a frame, and not statements: the first thing in them that is in no further bracket
   * decides. Only the first expression in them is looked at, so all of a script is looked at twice at most.
   */
  #isFrame(): boolean {
    const cursor = this.#cursor;
    const first = cursor.peek(1);
    let depth = 0;
    let conditionals = 0;
    for (let ahead = 1; ; ahead++) {
      const kind = cursor.peek(ahead);
      switch (kind) {
        case '(':
        case '[':
        case '[[':
          depth++;
          break;
        case ')':
        case ']':
        case ']]':
          depth--;
          break;
        case '{':
          // Of statements the first token says it all.
          if (ahead === 1) return false;
          depth++;
          break;
        case '}':
          if (depth === 0) return first === '[';
          depth--;
          break;
        case '?':
          if (depth === 0) conditionals++;
          break;
        case ':':
          if (depth === 0 && conditionals-- === 0) return true;
          break;
        case ',':
          if (depth === 0 && first === '[') return true;
          break;
        case ';':
        case '=':
        case 'end':
        case 'fault':
        case 'if':
        case 'while':
        case 'do':
        case 'for':
        case 'def':
        case 'return':
        case 'import':
          // `=` is also in calls, before the value of a named argument.
          if (kind !== '=' || depth === 0) return false;
          break;
      }
      if (depth < 0) return false;
    }
  }
}

function targetOf(expression: Expression): Target | undefined {
  const { start, end } = expression;
  if (expression.kind === 'name') return { name: expression.name, index: undefined, start, end };
  if (expression.kind !== 'index' || expression.object.kind !== 'name' || expression.object.start !== start)
    return undefined;
  const { object, rows, columns } = expression;
  return { name: object.name, index: { rows, columns }, start, end };
}

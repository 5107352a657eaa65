/** The dialect of SQL that scripts have: a text becomes a tree. */

import { AGGREGATES, type Aggregate } from './sums.ts';

export type Operator = '*' | '/' | '+' | '-' | '=' | '<>' | '<' | '<=' | '>' | '>=' | 'and' | 'or';

/** `text`: as it is written, without spaces. */
export type Expression = { readonly text: string } & (
  | { readonly kind: 'integer'; readonly value: number | bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'column'; readonly table: string | undefined; readonly name: string }
  | { readonly kind: 'star'; readonly table: string | undefined }
  | { readonly kind: 'aggregate'; readonly aggregate: Aggregate; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'between'; readonly of: Expression; readonly low: Expression; readonly high: Expression }
);

export type ColumnName = Extract<Expression, { kind: 'column' }>;
export interface TableName {
  readonly name: string;
  readonly alias: string | undefined;
}
export interface Select {
  readonly distinct: boolean;
  readonly results: readonly { readonly expression: Expression; readonly alias: string | undefined }[];
  readonly tables: readonly TableName[];
  readonly joins: readonly {
    readonly table: TableName;
    readonly on: readonly { readonly left: ColumnName; readonly operator: Operator; readonly right: ColumnName }[];
  }[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly ColumnName[];
  readonly having: Expression | undefined;
  readonly orderBy: readonly { readonly column: ColumnName; readonly ascending: boolean }[];
}

/** What is wrong with a query. */
export class SqlError extends Error {}

const WORDS =
  'select from all distinct unique having union intersect minus with as only inner join on using cross natural full left right outer where group by order asc desc and or between';
const RESERVED = new Set(WORDS.split(' '));
export const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
/** What follows an operand: a minus after it is an operator and no sign. */
const TOKEN =
  /[ \t\r\n]+|(?<name>[A-Za-z_][A-Za-z_0-9]*)|(?<float>[0-9]+\.[0-9]+)|(?<integer>[0-9]+)|(?<string>'[^']*'|"[^"]*")|(?<symbol><>|!=|<=|>=|[=<>*/+\-(),.;])/y;

interface Token {
  readonly kind: 'name' | 'word' | 'float' | 'integer' | 'string' | 'symbol' | 'end';
  readonly text: string;
  /** Keywords in small letters; `!=` as `<>`. */
  readonly value: string;
}

function tokens(text: string): Token[] {
  const all: Token[] = [];
  for (let at = 0; at < text.length; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new SqlError(`SQL has no ${JSON.stringify(text[at])} (at character ${at + 1})`);
    at = TOKEN.lastIndex;
    const [kind, token] = Object.entries(match.groups!).find(([, part]) => part !== undefined) ?? [];
    if (kind === undefined || token === undefined) continue;
    const word = token.toLowerCase();
    if (kind === 'name' && RESERVED.has(word)) all.push({ kind: 'word', text: token, value: word });
    else all.push({ kind: kind as Token['kind'], text: token, value: token === '!=' ? '<>' : token });
  }
  all.push({ kind: 'end', text: '', value: '' });
  return all;
}

export const parse = (text: string): Select => new Parser(tokens(text)).query();

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  query(): Select {
    this.#expect('select');
    const distinct = this.#skip('distinct');
    const results = this.#list(() => {
      const expression = this.#or();
      return { expression, alias: this.#skip('as') ? this.#name() : undefined };
    });
    this.#expect('from');
    const tables = this.#list(() => this.#table());
    const joins: Select['joins'][number][] = [];
    while (this.#is('inner') || this.#is('join')) joins.push(this.#join());
    const where = this.#skip('where') ? this.#or() : undefined;
    const grouped = this.#skip('group');
    if (grouped) this.#expect('by');
    const groupBy = grouped ? this.#list(() => this.#column()) : [];
    const having = grouped && this.#skip('having') ? this.#or() : undefined;
    const ordered = this.#skip('order');
    if (ordered) this.#expect('by');
    const orderBy = ordered
      ? this.#list(() => {
          const column = this.#column();
          const descending = this.#skip('desc');
          if (!descending) this.#skip('asc');
          return { column, ascending: !descending };
        })
      : [];
    this.#skip(';');
    if (this.#next.kind !== 'end') this.#unexpected('the end');
    return { distinct, results, tables, joins, where, groupBy, having, orderBy };
  }

  #join(): Select['joins'][number] {
    this.#skip('inner');
    this.#expect('join');
    const table = this.#table();
    this.#expect('on');
    const on: Select['joins'][number]['on'][number][] = [];
    do {
      const left = this.#column();
      const operator = this.#next.value;
      if (!COMPARISONS.has(operator)) this.#unexpected('a comparison');
      this.#at++;
      on.push({ left, operator: operator as Operator, right: this.#column() });
    } while (this.#skip('and'));
    return { table, on };
  }

  #table(): TableName {
    const name = this.#name();
    const alias = this.#skip('as') || this.#next.kind === 'name' ? this.#name() : undefined;
    return { name, alias };
  }

  #or(): Expression {
    return this.#level(['or'], () => this.#and());
  }

  #and(): Expression {
    return this.#level(['and'], () => this.#comparison());
  }

  #comparison(): Expression {
    const from = this.#at;
    let left = this.#sum();
    for (;;) {
      const operator = this.#next.value;
      if (this.#skip('between')) {
        const low = this.#sum();
        this.#expect('and');
        const high = this.#sum();
        left = { kind: 'between', of: left, low, high, text: this.#textFrom(from) };
      } else if (COMPARISONS.has(operator) && this.#next.kind === 'symbol') {
        this.#at++;
        const right = this.#sum();
        left = { kind: 'binary', operator: operator as Operator, left, right, text: this.#textFrom(from) };
      } else return left;
    }
  }

  #sum(): Expression {
    return this.#level(['+', '-'], () => this.#level(['*', '/'], () => this.#operand()));
  }

  #level(operators: readonly Operator[], next: () => Expression): Expression {
    const from = this.#at;
    let left = next();
    for (;;) {
      const operator = operators.find((each) => this.#skip(each));
      if (operator === undefined) return left;
      const right = next();
      left = { kind: 'binary', operator, left, right, text: this.#textFrom(from) };
    }
  }

  #operand(): Expression {
    const from = this.#at;
    const minus = this.#skip('-');
    const token = this.#next;
    if (token.kind === 'integer' || token.kind === 'float') {
      this.#at++;
      const text = this.#textFrom(from);
      if (token.kind === 'float') return { kind: 'float', value: Number(text), text };
      const value = BigInt.asIntN(64, BigInt(text));
      return { kind: 'integer', value: Number.isSafeInteger(Number(value)) ? Number(value) : value, text };
    }
    if (minus) this.#unexpected('a number');
    if (token.kind === 'string') {
      this.#at++;
      return { kind: 'string', value: token.text.slice(1, -1), text: token.text };
    }
    if (this.#skip('*')) return { kind: 'star', table: undefined, text: '*' };
    if (this.#skip('(')) {
      const inner = this.#or();
      this.#expect(')');
      return { ...inner, text: this.#textFrom(from) };
    }
    const name = this.#name();
    if (this.#skip('(')) {
      const aggregate = name.toLowerCase() as Aggregate;
      if (!AGGREGATES.includes(aggregate))
        throw new SqlError(`there is no function ${name}: there are ${AGGREGATES.join(', ')}`);
      const of = this.#or();
      this.#expect(')');
      return { kind: 'aggregate', aggregate, of, text: this.#textFrom(from) };
    }
    return this.#columnAfter(name, from);
  }

  #columnAfter(first: string, from: number): Expression {
    if (!this.#skip('.')) return { kind: 'column', table: undefined, name: first, text: first };
    if (this.#skip('*')) return { kind: 'star', table: first, text: this.#textFrom(from) };
    const name = this.#name();
    return { kind: 'column', table: first, name, text: this.#textFrom(from) };
  }

  #column(): ColumnName {
    const column = this.#columnAfter(this.#name(), this.#at - 1);
    return column.kind === 'column' ? column : this.#unexpected('the name of a column');
  }

  #list<T>(one: () => T): T[] {
    const all = [one()];
    while (this.#skip(',')) all.push(one());
    return all;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #is(value: string): boolean {
    const { kind, value: have } = this.#next;
    return have === value && (kind === 'word' || kind === 'symbol');
  }

  #skip(value: string): boolean {
    if (!this.#is(value)) return false;
    this.#at++;
    return true;
  }

  #expect(value: string): void {
    if (!this.#skip(value)) this.#unexpected(value.toUpperCase());
  }

  #name(): string {
    if (this.#next.kind !== 'name') this.#unexpected('a name');
    return this.#tokens[this.#at++]!.text;
  }

  #textFrom(from: number): string {
    return this.#tokens
      .slice(from, this.#at)
      .map(({ text }) => text)
      .join('');
  }

  #unexpected(wanted: string): never {
    const { kind, text } = this.#next;
    const before = this.#tokens
      .slice(0, this.#at)
      .map((token) => token.text)
      .join(' ');
    throw new SqlError(
      `${wanted} is expected in SQL instead of ${kind === 'end' ? 'its end' : text}, after ${before || 'nothing'}`,
    );
  }
}

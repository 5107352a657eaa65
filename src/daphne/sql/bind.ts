/** What names in a query mean, and whether it makes sense. */

import { isInteger, isWide, type ValueType } from '../types.ts';
import { prefixed } from '../values/frames.ts';
import { type Typed, typed } from './expressions.ts';
import {
  COMPARISONS,
  type ColumnName,
  type Expression,
  type Operator,
  type Select,
  SqlError,
  type TableName,
} from './parser.ts';
import { type Aggregate, aggregateType } from './sums.ts';

interface Known {
  readonly label: string;
  readonly value: ValueType;
}

/** Columns by their number: on the left among those of all tables before, on the right in the table. */
interface Join {
  readonly left: number;
  readonly operator: Operator;
  readonly right: number;
}

export interface Bound {
  readonly tables: readonly { readonly name: string; readonly prefix: string }[];
  /** Of each table but the first one, how it is joined with those before. */
  readonly joins: readonly (readonly Join[])[];
  /** Columns that anything looks at once the tables are joined, or while they are. */
  readonly used: ReadonlySet<number>;
  readonly where: Typed | undefined;
  /** Columns that are needed behind `where`, in each row: keys of groups are not. */
  readonly needed: ReadonlySet<number>;
  /** What follows sees keys, and then aggregates, as its columns. */
  readonly groups:
    | {
        readonly keys: readonly number[];
        readonly aggregates: readonly {
          readonly aggregate: Aggregate;
          readonly of: Typed;
          readonly value: ValueType;
        }[];
      }
    | undefined;
  readonly having: Typed | undefined;
  readonly results: readonly { readonly label: string; readonly of: Typed }[];
  readonly orderBy: readonly { readonly column: Typed; readonly ascending: boolean }[];
  readonly distinct: boolean;
}

export function bind(select: Select, columnsOf: (view: string) => readonly Known[] | undefined): Bound {
  const scope = new Scope(columnsOf);
  for (const table of select.tables) scope.add(table);
  const joins: Join[][] = select.tables.slice(1).map(() => []);
  for (const { table, on } of select.joins) {
    const before = scope.columns.length;
    scope.add(table);
    joins.push(on.map(({ left, operator, right }) => condition(scope, before, left, operator, right)));
  }
  const rest = withoutJoins(select.where, scope, joins);
  const where = rest === undefined ? undefined : typed(rest, scope.plain('WHERE'));
  const isGrouped = select.groupBy.length > 0 || select.results.some(({ expression }) => hasAggregate(expression));
  if (!isGrouped) {
    const results = select.results.flatMap(({ expression, alias }) => outputs(scope, expression, alias));
    const orderBy = ordering(select, (column) => typed(column, scope.plain('ORDER BY')), results);
    return {
      tables: scope.tables,
      joins,
      used: usedIn(scope, joins),
      where,
      needed: scope.used,
      groups: undefined,
      having: undefined,
      results,
      orderBy,
      distinct: select.distinct,
    };
  }
  if (select.distinct && select.groupBy.length > 0 && select.results.some(({ expression }) => hasAggregate(expression)))
    throw new SqlError('DISTINCT does not go with GROUP BY and aggregates');
  const groups = new Grouping(scope, select.groupBy);
  const results = select.results.flatMap(({ expression, alias }) =>
    expression.kind === 'star'
      ? groups.star(expression.table)
      : [{ label: alias ?? expression.text, of: typed(expression, groups.resolve) }],
  );
  const having = select.having === undefined ? undefined : typed(select.having, groups.resolve);
  const orderBy = ordering(select, (column) => typed(column, groups.resolve), results);
  const { keys, aggregates } = groups;
  for (const key of keys) scope.used.add(key);
  return {
    tables: scope.tables,
    joins,
    used: usedIn(scope, joins),
    where,
    needed: new Set(aggregates.flatMap(({ of }) => columnsIn(of))),
    groups: { keys, aggregates },
    having,
    results,
    orderBy,
    distinct: select.distinct,
  };
}

const usedIn = ({ used, tables }: Scope, joins: readonly (readonly Join[])[]): Set<number> =>
  new Set([
    ...used,
    ...joins.flatMap((on, i) => on.flatMap(({ left, right }) => [left, tables[i + 1]!.start + right])),
  ]);

/** What is left of a condition when comparisons of two tables in it have become joins: `FROM a, b WHERE a.x = b.y` builds no product. */
function withoutJoins(where: Expression | undefined, scope: Scope, joins: Join[][]): Expression | undefined {
  if (where?.kind !== 'binary') return where;
  const { operator, left, right } = where;
  if (operator === 'and') {
    const [a, b] = [withoutJoins(left, scope, joins), withoutJoins(right, scope, joins)];
    return a === undefined || b === undefined ? (a ?? b) : { ...where, left: a, right: b };
  }
  if (!COMPARISONS.has(operator) || left.kind !== 'column' || right.kind !== 'column') return where;
  const [first, second] = [scope.find(left), scope.find(right)];
  if (!areAlike(scope.columns[first]!.value, scope.columns[second]!.value)) return where;
  const table = scope.tableOf(Math.max(first, second));
  const { start } = scope.tables[table]!;
  if (table === 0 || Math.min(first, second) >= start) return where;
  joins[table - 1]!.push(
    first < second
      ? { left: first, operator, right: second - start }
      : { left: second, operator: TURNED[operator] ?? operator, right: first - start },
  );
  return undefined;
}

/** Whether values of both types are compared as they are, without a cast that may change them. */
function areAlike(a: ValueType, b: ValueType): boolean {
  if (a === b) return true;
  if (a === 'str' || b === 'str') return false;
  if (!isWide(a) && !isWide(b)) return true;
  return [a, b].every((each) => each === 'si64' || (isInteger(each) && !isWide(each)));
}

function hasAggregate(expression: Expression): boolean {
  switch (expression.kind) {
    case 'aggregate':
      return true;
    case 'binary':
      return hasAggregate(expression.left) || hasAggregate(expression.right);
    case 'between':
      return [expression.of, expression.low, expression.high].some(hasAggregate);
    default:
      return false;
  }
}

/** Columns of the tables, or a label that the query gives. */
const ordering = (select: Select, of: (column: ColumnName) => Typed, results: Bound['results']): Bound['orderBy'] =>
  select.orderBy.map(({ column, ascending }) => {
    const alias = column.table === undefined ? select.results.find((each) => each.alias === column.name) : undefined;
    const result = alias === undefined ? undefined : results.find(({ label }) => label === alias.alias);
    return { column: result === undefined ? of(column) : result.of, ascending };
  });

function outputs(scope: Scope, expression: Expression, alias: string | undefined): Bound['results'] {
  if (expression.kind !== 'star')
    return [{ label: alias ?? expression.text, of: typed(expression, scope.plain('SELECT')) }];
  return scope.star(expression.table).map((index) => {
    const { label, value } = scope.columns[index]!;
    scope.used.add(index);
    return { label, of: { kind: 'column', value, index } };
  });
}

function condition(scope: Scope, before: number, a: ColumnName, operator: Operator, b: ColumnName) {
  const [first, second] = [scope.find(a), scope.find(b)];
  const kinds = [scope.columns[first]!.value === 'str', scope.columns[second]!.value === 'str'];
  if (kinds[0] !== kinds[1]) throw new SqlError(`${a.text} and ${b.text} are not of one kind`);
  if (first < before && second >= before) return { left: first, operator, right: second - before };
  if (second < before && first >= before)
    return { left: second, operator: TURNED[operator] ?? operator, right: first - before };
  throw new SqlError(`${a.text} and ${b.text} are not of both sides of the join`);
}

const TURNED: Partial<Record<Operator, Operator>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

class Scope {
  readonly columns: Known[] = [];
  /** `start`: the number of its first column. */
  readonly tables: { name: string; prefix: string; start: number }[] = [];
  readonly used = new Set<number>();
  /** By what is in front of a column's name: the table's name, or its alias, or either. */
  readonly #prefixes = new Map<string, string>();
  readonly #columnsOf: (view: string) => readonly Known[] | undefined;

  constructor(columnsOf: (view: string) => readonly Known[] | undefined) {
    this.#columnsOf = columnsOf;
  }

  add({ name, alias }: TableName): void {
    const columns = this.#columnsOf(name);
    if (columns === undefined) throw new SqlError(`there is no view ${name}: registerView makes one`);
    const prefix = alias ?? name;
    if (this.tables.some((each) => each.prefix === prefix))
      throw new SqlError(`there are two tables ${prefix}: one of them needs another name (AS)`);
    this.#prefixes.set(prefix, prefix);
    if (!this.#prefixes.has(name)) this.#prefixes.set(name, prefix);
    this.tables.push({ name, prefix, start: this.columns.length });
    for (const { label, value } of columns) this.columns.push({ label: prefixed(prefix, label), value });
  }

  find({ table, name, text }: ColumnName): number {
    const prefix = table === undefined ? undefined : this.#prefix(table);
    const label = prefix === undefined ? name : `${prefix}.${name}`;
    const index = this.columns.findIndex((each) => each.label === label);
    if (index >= 0) return index;
    const all = this.columns.map((each) => each.label).join(', ');
    throw new SqlError(`there is no column ${text}: there are ${all}`);
  }

  tableOf(column: number): number {
    return this.tables.findLastIndex(({ start }) => start <= column);
  }

  star(table: string | undefined): number[] {
    const start = table === undefined ? '' : `${this.#prefix(table)}.`;
    return this.columns.flatMap(({ label }, i) => (label.startsWith(start) ? [i] : []));
  }

  plain(clause: string): (expression: Expression) => { value: ValueType; index: number } {
    return (expression) => {
      if (expression.kind !== 'column') throw new SqlError(`there are no aggregates in ${clause}: ${expression.text}`);
      const index = this.find(expression);
      this.used.add(index);
      return { value: this.columns[index]!.value, index };
    };
  }

  #prefix(table: string): string {
    const prefix = this.#prefixes.get(table);
    if (prefix === undefined) throw new SqlError(`there is no table ${table} in this query`);
    return prefix;
  }
}

/** The columns that an expression looks at. */
function columnsIn(of: Typed): number[] {
  const found: number[] = [];
  const open = [of];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (each.kind === 'column') found.push(each.index);
    if (each.kind === 'binary') open.push(each.left, each.right);
  }
  return found;
}

class Grouping {
  readonly keys: number[];
  readonly aggregates: { aggregate: Aggregate; of: Typed; value: ValueType }[] = [];
  readonly #scope: Scope;
  readonly #indices = new Map<string, number>();

  constructor(scope: Scope, groupBy: readonly ColumnName[]) {
    this.#scope = scope;
    this.keys = groupBy.map((column) => scope.find(column));
  }

  readonly resolve = (expression: Expression): { value: ValueType; index: number } => {
    if (expression.kind === 'column') {
      const column = this.#scope.find(expression);
      const index = this.keys.indexOf(column);
      if (index < 0) throw new SqlError(`${expression.text} is neither in GROUP BY nor in an aggregate`);
      return { value: this.#scope.columns[column]!.value, index };
    }
    if (expression.kind !== 'aggregate') throw new SqlError(`${expression.text} is no value`);
    if (hasAggregate(expression.of)) throw new SqlError(`aggregates of aggregates: ${expression.text}`);
    // The same one may stand in several places.
    const name = `${expression.aggregate} ${expression.of.text}`;
    let at = this.#indices.get(name);
    if (at === undefined) {
      const of = typed(expression.of, this.#scope.plain('aggregates'));
      if (of.value === 'str' && (expression.aggregate === 'sum' || expression.aggregate === 'avg'))
        throw new SqlError(`${expression.text}: ${expression.aggregate} takes numbers, and these are strings`);
      at =
        this.aggregates.push({
          aggregate: expression.aggregate,
          of,
          value: aggregateType(expression.aggregate, of.value),
        }) - 1;
      this.#indices.set(name, at);
    }
    return { value: this.aggregates[at]!.value, index: this.keys.length + at };
  };

  /** Of all columns there are only those by which it is grouped. */
  star(table: string | undefined): { label: string; of: Typed }[] {
    if (this.keys.length === 0) throw new SqlError('* does not go with aggregates without GROUP BY');
    const wanted = this.#scope.star(table);
    return this.keys.flatMap((column, index) => {
      if (!wanted.includes(column)) return [];
      const { label, value } = this.#scope.columns[column]!;
      return [{ label, of: { kind: 'column' as const, value, index } }];
    });
  }
}

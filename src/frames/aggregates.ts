import { shown, UsageError } from '../base/index.ts';
import { type ColumnKind, columnNamed, dtOf } from './column-types.ts';
import { quoted } from './sql-text.ts';
import type { Agg } from './types.ts';

/** How an aggregate was asked for. */
export type Aggregate =
  | { readonly name: 'count' }
  | { readonly name: 'sum' | 'mean' | 'min' | 'max'; readonly column: string }
  | { readonly name: 'quantile'; readonly column: string; readonly q: number };

const aggregates = new WeakMap<object, Aggregate>();

function agg(aggregate: Aggregate): Agg<never> {
  if ('column' in aggregate && typeof aggregate.column !== 'string') {
    throw new UsageError(
      `${aggregate.name} takes the name of a column, not ${shown(aggregate.column)}; derive a column for what is computed`,
      {
        code: 'ERR_SHEAF_FRAME_TYPE',
      },
    );
  }
  const made = {};
  aggregates.set(made, aggregate);
  return made as Agg<never>;
}

/** How many rows there are. */
export const count = (): Agg<'i64'> => agg({ name: 'count' });

/** The sum of the values that are not missing, as a float; 0 of none. */
export const sum = (c: string): Agg<'f64'> => agg({ name: 'sum', column: c });

/** Their mean; NaN of none. */
export const mean = (c: string): Agg<'f64'> => agg({ name: 'mean', column: c });

/** The least of them, of the type of the column; missing where there is none. */
export const min = (c: string): Agg => agg({ name: 'min', column: c });

/** The greatest of them. */
export const max = (c: string): Agg => agg({ name: 'max', column: c });

/**
 * The value below which the share `q` of the values lies, interpolated between neighbours, exactly; NaN of none.
 *
 * @param q from 0 to 1; 0.5 is the median.
 */
export function quantile(c: string, q: number): Agg<'f64'> {
  if (typeof q !== 'number' || !(q >= 0 && q <= 1)) {
    throw new UsageError(`quantile(${shown(c)}, ${shown(q)}): give a share from 0 to 1`, {
      code: 'ERR_SHEAF_FRAME_TYPE',
    });
  }
  return agg({ name: 'quantile', column: c, q });
}

/** What a record of aggregates says. */
export function aggregateOf(given: unknown, name: string): Aggregate {
  const found = typeof given === 'object' && given !== null ? aggregates.get(given) : undefined;
  if (found !== undefined) return found;
  throw new UsageError(
    `agg: ${JSON.stringify(name)} is ${shown(given)}; give count(), sum('column'), mean, min, max or quantile`,
    {
      code: 'ERR_SHEAF_FRAME_TYPE',
    },
  );
}

/** For people. */
export const printedAggregate = (aggregate: Aggregate): string =>
  aggregate.name === 'count'
    ? 'count()'
    : `${aggregate.name}(${aggregate.column}${aggregate.name === 'quantile' ? `, ${aggregate.q}` : ''})`;

/** An aggregate in SQL. */
export interface AggregateSql {
  /** The result and its type. */
  readonly column: ColumnKind;
  /** Of all rows of a group at once. */
  readonly whole: string;
  /** Of some of them, under names made from `prefix`; undefined where parts can't be combined. */
  readonly parts: readonly string[] | undefined;
  /** Of the parts. */
  readonly combined: string;
}

/** How the aggregate is computed, of all rows or in parts whose names begin with `prefix`. */
export function aggregateSql(
  aggregate: Aggregate,
  name: string,
  columns: readonly ColumnKind[],
  prefix: string,
): AggregateSql {
  const [p, n] = [quoted(`${prefix}a`), quoted(`${prefix}b`)];
  const made = (
    base: ColumnKind['base'],
    whole: string,
    parts: string[] | undefined,
    combined: string,
    nullable = false,
  ): AggregateSql => ({
    column: { name, base, nullable },
    whole,
    parts: parts?.map((part, i) => `${part} AS ${[p, n][i]}`),
    combined,
  });
  if (aggregate.name === 'count')
    return made('i64', 'count(*)', ['count(*)'], `CAST(coalesce(sum(${p}), 0) AS BIGINT)`);
  const what = `agg: ${JSON.stringify(name)} is ${printedAggregate(aggregate)}`;
  const column = columnNamed(columns, aggregate.column, what);
  const c = quoted(column.name);
  const isInteger = column.base === 'i32' || column.base === 'i64' || column.base === 'decimal';
  if (aggregate.name === 'min' || aggregate.name === 'max') {
    const of = (x: string) => `${aggregate.name}(${x})`;
    return made(column.base, of(c), [of(c)], of(p), true);
  }
  if (!isInteger && column.base !== 'f32' && column.base !== 'f64') {
    throw new UsageError(`${what}, and the column is of type ${dtOf(column)}; ${aggregate.name} is for numbers`, {
      code: 'ERR_SHEAF_FRAME_TYPE',
      details: { column: column.name },
    });
  }
  const x = isInteger ? c : `CAST(${c} AS DOUBLE)`;
  // Parts travel in files, which have no integers of 128 bits, but decimals.
  const exact = column.base === 'decimal' ? `sum(${x})` : isInteger ? `CAST(sum(${x}) AS DECIMAL(38,0))` : `sum(${x})`;
  const nan = (y: string) => `coalesce(${y}, CAST('NaN' AS DOUBLE))`;
  switch (aggregate.name) {
    case 'sum':
      return made('f64', `coalesce(CAST(sum(${x}) AS DOUBLE), 0)`, [exact], `coalesce(CAST(sum(${p}) AS DOUBLE), 0)`);
    case 'mean': {
      const ratio = (total: string, many: string) =>
        nan(`CAST(${total} AS DOUBLE) / CAST(nullif(${many}, 0) AS DOUBLE)`);
      return made('f64', ratio(`sum(${x})`, `count(${x})`), [exact, `count(${x})`], ratio(`sum(${p})`, `sum(${n})`));
    }
    case 'quantile': {
      const q = `CAST('${aggregate.q}' AS DOUBLE)`;
      const exactly = column.base === 'i32' || column.base === 'i64' ? c : `CAST(${c} AS DOUBLE)`;
      return made('f64', nan(`quantile_cont(${exactly}, ${q})`), undefined, nan(quantileOfCounts(q)));
    }
  }
}

/** Values that have been counted: each row has one, how often it is there, so often up to it, and how many there are in all. */
export const COUNTED = { value: '"sheaf v"', count: '"sheaf n"', upTo: '"sheaf u"', all: '"sheaf m"' };

/** The rows of several tables of counted values, by some keys, with what a quantile needs. */
export function withRanks(rows: string, keys: readonly string[]): string {
  const { value, count: n, upTo, all } = COUNTED;
  const by = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')}`;
  return `SELECT *, sum(${n}) OVER (${by} ORDER BY ${value} NULLS LAST) AS ${upTo}, sum(${n}) OVER (${by}) AS ${all} FROM (${rows})`;
}

/** The value at the place of a quantile, and the next one, interpolated. */
function quantileOfCounts(q: string): string {
  const place = (m: string) => `(${q} * CAST(${m} - 1 AS DOUBLE))`;
  const at = (round: string) =>
    `CAST(min(${COUNTED.value}) FILTER (WHERE ${COUNTED.upTo} > ${round}(${place(COUNTED.all)})) AS DOUBLE)`;
  const share = `(${place(`max(${COUNTED.all})`)} - floor(${place(`max(${COUNTED.all})`)}))`;
  return `${at('floor')} + (${at('ceil')} - ${at('floor')}) * ${share}`;
}

/** Plans over rows in plain JavaScript, for frames to be compared with. */
import type { Frame } from 'sheaf/frame';
import { count, max, mean, min, quantile, sum } from 'sheaf/frame';

export type Value = number | bigint | string | boolean | null;
export type Rows = readonly Readonly<Record<string, Value>>[];

/** The table that plans begin with. */
export const SCHEMA = { k: 'i32?', s: 'str?', x: 'f64?', b: 'bool?', n: 'i64' } as const;
type Table = Frame<typeof SCHEMA>;

export interface Step {
  /** For messages. */
  readonly name: string;
  frame(f: Table): Table;
  rows(rows: Rows): Rows;
}

const num = (value: Value | undefined): number | null => (value === null || value === undefined ? null : Number(value));

/** Missing values last, in either direction. */
export function compare(a: Value | undefined, b: Value | undefined, descending: boolean): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return (a < b ? -1 : 1) * (descending ? -1 : 1);
}

/** Steps that give the columns that they take, so that any may follow any. */
export const STEPS: readonly Step[] = [
  {
    name: 'where k > 0 or s = b',
    frame: (f) => f.where((c) => c.k.gt(0).or(c.s.eq('b'))),
    rows: (rows) => rows.filter(({ k, s }) => (num(k) ?? 0) > 0 || s === 'b'),
  },
  {
    name: 'where not b',
    frame: (f) => f.where((c) => c.b.not()),
    rows: (rows) => rows.filter(({ b }) => b === false),
  },
  {
    name: 'where s is missing or in a list',
    frame: (f) => f.where((c) => c.s.isNull().or(c.s.isIn(['a', "it's"]))),
    rows: (rows) => rows.filter(({ s }) => s === null || s === 'a' || s === "it's"),
  },
  {
    name: 'derive x, k',
    frame: (f) => f.derive((c) => ({ x: c.k.div(2).add(c.x.fillNull(1)), k: c.k.mul(2).sub(c.k) })) as unknown as Table,
    rows: (rows) => rows.map((row) => ({ ...row, x: row.k === null ? null : num(row.k)! / 2 + (num(row.x) ?? 1) })),
  },
  {
    name: 'derive s',
    frame: (f) => f.derive((c) => ({ s: c.s.concat('!').lower() })) as unknown as Table,
    rows: (rows) => rows.map((row) => ({ ...row, s: row.s === null ? null : `${row.s}!`.toLowerCase() })),
  },
  {
    name: 'semi join with itself',
    frame: (f) =>
      f.join(f.where((c) => c.n.ge(3n)).select('k'), {
        on: { k: 'k' },
        how: 'semi',
        strategy: 'shuffle',
      }) as unknown as Table,
    rows: (rows) => {
      const keys = new Set(rows.filter(({ n }) => num(n)! >= 3).map(({ k }) => k));
      return rows.filter(({ k }) => k !== null && keys.has(k!));
    },
  },
  {
    name: 'order by -x, n and the first 7',
    frame: (f) => f.orderBy('-x', 'n').head(7),
    rows: (rows) => rows.toSorted((a, b) => compare(a.x, b.x, true) || compare(a.n, b.n, false)).slice(0, 7),
  },
];

/** Steps that end a plan. */
export const ENDS: readonly { readonly name: string; frame(f: Table): Frame; rows(rows: Rows): Rows }[] = [
  { name: 'as it is', frame: (f) => f as unknown as Frame, rows: (rows) => rows },
  {
    name: 'group by s',
    frame: (f) =>
      f.groupBy('s').agg({
        c: count(),
        t: sum('k'),
        m: mean('x'),
        lo: min('n'),
        hi: max('s'),
        q: quantile('k', 0.5),
      }) as unknown as Frame,
    rows: (rows) => grouped(rows, true),
  },
  {
    name: 'group by s without quantile',
    frame: (f) =>
      f.groupBy('s').agg({ c: count(), t: sum('k'), m: mean('x'), lo: min('n'), hi: max('s') }) as unknown as Frame,
    rows: (rows) => grouped(rows, false),
  },
  {
    name: 'group by b, quantile of floats',
    frame: (f) => f.groupBy('b').agg({ q: quantile('x', 0.3) }) as unknown as Frame,
    rows: (rows) => groups(rows, 'b').map(([b, own]) => ({ b, q: quantileOf(own, 'x', 0.3) })),
  },
  {
    name: 'all in one group',
    frame: (f) => f.groupBy().agg({ c: count(), q: quantile('k', 0.3), m: mean('k') }) as unknown as Frame,
    rows: (rows) => {
      const ks = rows.map(({ k }) => num(k)).filter((value) => value !== null);
      const m = ks.reduce((a, b) => a + b, 0) / ks.length;
      return [{ c: BigInt(rows.length), q: quantileOf(rows, 'k', 0.3), m }];
    },
  },
  {
    name: 'SQL',
    frame: (f) => f.sql('SELECT b, count(k) AS c FROM this GROUP BY ALL -- of this'),
    rows: (rows) => groups(rows, 'b').map(([b, own]) => ({ b, c: BigInt(own.filter(({ k }) => k !== null).length) })),
  },
];

function groups(rows: Rows, by: string): [Value, Rows][] {
  const found = new Map<Value, Record<string, Value>[]>();
  for (const row of rows) found.set(row[by]!, [...(found.get(row[by]!) ?? []), row]);
  return [...found];
}

function quantileOf(rows: Rows, name: string, q: number): number {
  const values = rows
    .map((row) => num(row[name]))
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  if (values.length === 0) return Number.NaN;
  const place = q * (values.length - 1);
  const [low, high] = [values[Math.floor(place)]!, values[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

function grouped(rows: Rows, median: boolean): Rows {
  return groups(rows, 's').map(([s, own]) => {
    const there = (name: string) => own.map((row) => num(row[name])).filter((value) => value !== null);
    const [ks, xs] = [there('k'), there('x')];
    return {
      s,
      c: BigInt(own.length),
      t: ks.reduce((a, b) => a + b, 0),
      m: xs.reduce((a, b) => a + b, 0) / xs.length,
      lo: own.map(({ n }) => n as bigint).reduce((a, b) => (b < a ? b : a)),
      hi: s,
      ...(median ? { q: quantileOf(own, 'k', 0.5) } : {}),
    };
  });
}

/** A row as text; sums of floats in another order differ in the last digits. */
export const key = (row: Readonly<Record<string, unknown>>): string =>
  Object.entries(row)
    .map(([name, value]) => `${name}=${typeof value === 'number' ? Number(value.toFixed(9)) + 0 : String(value)}`)
    .join(' ');

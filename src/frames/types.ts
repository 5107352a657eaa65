/** What values of a column are in JavaScript, by the type of the column. */
export interface Types {
  /** True or false. */
  bool: boolean;
  /** A whole number of 32 bits. */
  i32: number;
  /** A whole number of 64 bits. */
  i64: bigint;
  /** A float of 32 bits. */
  f32: number;
  /** A float of 64 bits. */
  f64: number;
  /** A text. */
  str: string;
  /** A day: a Date at midnight, UTC. */
  date: Date;
  /** A moment without a zone, read as UTC. The engine counts in microseconds, a Date in milliseconds. */
  timestamp: Date;
  /** Exact: the digits as text. */
  decimal: string;
}

/** The type of a column; with a question mark, values may be missing. */
export type DT = keyof Types | `${keyof Types}?`;

/** Names of columns, in their order, with their types. */
export type Schema = Record<string, DT>;

/** What values of a column of type `T` are in JavaScript; null where one is missing. */
export type Js<T extends DT> = T extends `${infer B extends keyof Types}?`
  ? Types[B] | null
  : T extends keyof Types
    ? Types[T]
    : never;

/** The same type without missing values. */
export type There<T extends DT> = T extends `${infer B extends keyof Types}?` ? B : T;

/** What is true, false, or missing. */
export type Condition = Col<'bool'> | Col<'bool?'>;

/** A column expression, built and not run: `c.delay.gt(15).and(c.origin.eq('SFO'))`. A missing value makes what is computed of it missing. */
export interface Col<T extends DT = DT> {
  /** Equal. Missing values are equal to nothing; `isNull` finds them. */
  eq(x: Js<T> | Col): Col<'bool'>;
  /** Not equal. */
  ne(x: Js<T> | Col): Col<'bool'>;
  /** Greater. NaN is greater than all other numbers, and equal to itself. */
  gt(x: Js<T> | Col): Col<'bool'>;
  /** Greater or equal. */
  ge(x: Js<T> | Col): Col<'bool'>;
  /** Less. */
  lt(x: Js<T> | Col): Col<'bool'>;
  /** Less or equal. */
  le(x: Js<T> | Col): Col<'bool'>;
  /** One of these values. */
  isIn(values: readonly Js<T>[]): Col<'bool'>;
  /** Whether the value is missing. */
  isNull(): Col<'bool'>;
  /** Whether the value is there. */
  isNotNull(): Col<'bool'>;
  /** The value, or `x` where it is missing. */
  fillNull(x: Js<T> | Col): Col<There<T>>;
  /** The sum. Beyond the range of an integer type is an error. */
  add(x: Js<T> | Col): Col<T>;
  /** The difference. */
  sub(x: Js<T> | Col): Col<T>;
  /** The product. */
  mul(x: Js<T> | Col): Col<T>;
  /** The quotient, as a float, whatever the types are. */
  div(x: number | Col): Col<'f64'>;
  /** What remains of a division, with the sign of the dividend; missing where the divisor is the integer 0. */
  mod(x: Js<T> | Col): Col<T>;
  /** The negative. */
  neg(): Col<T>;
  /** Without the sign. */
  abs(): Col<T>;
  /** Both. */
  and(x: Condition): Col<'bool'>;
  /** At least one of them. */
  or(x: Condition): Col<'bool'>;
  /** The opposite. */
  not(): Col<'bool'>;
  /** Of a date or timestamp. */
  year(): Col<'i32'>;
  /** Of a date or timestamp: 1 to 12. */
  month(): Col<'i32'>;
  /** Of a date or timestamp: 1 to 31. */
  day(): Col<'i32'>;
  /** Of a date or timestamp: 0 to 6, from Sunday. */
  weekday(): Col<'i32'>;
  /** Of a timestamp: 0 to 23. */
  hour(): Col<'i32'>;
  /** Of a timestamp: 0 to 59. */
  minute(): Col<'i32'>;
  /** Of a string. */
  lower(): Col<'str'>;
  /** Of a string. */
  upper(): Col<'str'>;
  /** Characters of a string. */
  length(): Col<'i32'>;
  /** Whether a string contains this one. */
  contains(text: string): Col<'bool'>;
  /** Whether a string starts with this one. */
  startsWith(text: string): Col<'bool'>;
  /** Whether a string ends with this one. */
  endsWith(text: string): Col<'bool'>;
  /** A string with another one behind it. */
  concat(x: string | Col): Col<'str'>;
  /** As another type. A value that has no form in it is an error when the frame is computed; floats are rounded to integers. */
  cast<U extends DT>(to: U): Col<U>;
}

/** An expression for each column. */
export type Cols<S extends Schema> = { [K in keyof S]: Col<S[K]> };

/** The type of an expression. */
export type DtOf<C> = C extends Col<infer T> ? T : never;

/** What `groupBy(...).agg` computes of the rows of each group. */
export interface Agg<T extends DT = DT> {
  /** The type of the result; only types know it. */
  readonly out: T;
}

/** A row: its values by the names of the columns. */
export type Row<S extends Schema> = { -readonly [K in keyof S]: Js<S[K]> };

/**
 * Values of a column. Numbers are in a typed array, booleans as 0 and 1, where none is missing; otherwise, and for all other types, in a
 * plain array, with null for what is missing.
 */
export type ColumnValues<T extends DT = DT> = T extends 'bool' | 'bool?'
  ? Uint8Array | (boolean | null)[]
  : T extends 'i32' | 'i32?'
    ? Int32Array | (number | null)[]
    : T extends 'i64' | 'i64?'
      ? BigInt64Array | (bigint | null)[]
      : T extends 'f32' | 'f32?'
        ? Float32Array | (number | null)[]
        : T extends 'f64' | 'f64?'
          ? Float64Array | (number | null)[]
          : Js<T>[];

/** Columns by their names. */
export type Columns<S extends Schema = Schema> = { -readonly [K in keyof S]: ColumnValues<S[K]> };

/** What `fromColumns` takes for a column. */
export type ColumnInput =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly (boolean | null)[]
  | readonly (number | null)[]
  | readonly (bigint | null)[]
  | readonly (string | null)[]
  | readonly (Date | null)[];

/** How rows of two frames find each other. */
export interface JoinOptions<S extends Schema, R extends Schema> {
  /** Columns of this frame, and the columns of the other one that they have to be equal to. Missing values are equal to nothing. */
  readonly on: { readonly [L in keyof S]?: keyof R };
  /**
   * `inner` (default): pairs; `left`, `right`, `full`: and rows without partner of this frame, of the other one, of both; `semi`: rows of this frame that have
   * a partner; `anti`: those that have none.
   */
  readonly how?: 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';
  /**
   * `broadcast`: every partition of this frame meets the whole other one; `shuffle`: both are partitioned anew by what has to be equal; `auto` (default): what
   * moves less, by estimated sizes.
   */
  readonly strategy?: 'auto' | 'broadcast' | 'shuffle';
}

/** Rows that have the same values in some columns. */
export interface Groups<S extends Schema, K extends keyof S> {
  /** A row for each group: the columns that they were made by, and these aggregates. */
  agg<A extends Record<string, Agg>>(aggregates: A): Frame<Pick<S, K> & { [N in keyof A]: A[N]['out'] }>;
}

/** How Parquet files are written. */
export interface WriteOptions<S extends Schema> {
  /** A folder for each combination of values of these columns, such as `year=2001/month=3`; the files don't have them. */
  readonly partitionBy?: readonly (keyof S & string)[];
}

/** What was written. */
export interface Written {
  /** How many files. */
  readonly files: number;
  /** Rows in them. */
  readonly rows: number;
  /** Their sizes together. */
  readonly bytes: number;
}

/** How files are read. */
export interface ReadOptions {
  /** Into how many partitions, at most. Default: a few for each core, of no fewer than some 100,000 rows. */
  readonly partitions?: number;
}

/**
 * A table in partitions, lazy: what is asked of it is planned, and computed when something looks at it, each partition by a task on the engine
 * DuckDB. Frames don't change; each method gives a new one.
 */
export interface Frame<S extends Schema = Schema> extends AsyncIterable<Row<S>>, Disposable {
  /** The rows for which the condition is true, neither false nor missing. */
  where(f: (c: Cols<S>) => Condition): Frame<S>;
  /** With further columns, or other ones under the same name. */
  derive<N extends Record<string, Col>>(f: (c: Cols<S>) => N): Frame<Omit<S, keyof N> & { [K in keyof N]: DtOf<N[K]> }>;
  /** These columns alone, in this order. */
  select<K extends keyof S & string>(...k: K[]): Frame<Pick<S, K>>;
  /** Rows of two frames together. The columns are those of this frame, and those of the other one that have other names. */
  join<R extends Schema>(right: Frame<R>, o: JoinOptions<S, R>): Frame<Omit<R, keyof S> & S>;
  /** Rows with the same values in these columns, missing ones among them, for `agg`. Without columns: all rows. */
  groupBy<K extends keyof S & string>(...k: K[]): Groups<S, K>;
  /** In order of these columns; with a minus before the name, descending. Missing values come last either way; rows that are equal are in any order. */
  orderBy(...k: ((keyof S & string) | `-${keyof S & string}`)[]): Frame<S>;
  /** A query in the SQL of DuckDB, one SELECT, in which the frame is called `this`. One task computes it. */
  sql<O extends Schema = Schema>(query: string): Frame<O>;
  /** A task of one's own for each partition: it is given its columns, as `toColumns` gives them, and returns columns of this schema. */
  mapBatches<const O extends Schema>(task: unknown, schema: O): Frame<O>;
  /** The first `n` rows. */
  head(n: number): Frame<S>;
  /** How many rows there are. */
  count(): Promise<number>;
  /** The first rows as a table in text. */
  show(): Promise<string>;
  /** What will be done, as text: the plan, its partitions and the SQL of the first one. Nothing is computed. */
  explain(): Promise<string>;
  /** Computes the frame and keeps its partitions in the session's memory, until it is disposed of, or nobody refers to it. */
  persist(): Promise<Frame<S>>;
  /**
   * Writes a Parquet file for each partition into a folder, which is made, and must not have Parquet files already. They appear under
   * their names when all are complete.
   */
  writeParquet(dir: string, o?: WriteOptions<S>): Promise<Written>;
  /** Names and types of the columns. */
  schema(): Promise<S>;
  /** All rows, here. */
  rows(): Promise<Row<S>[]>;
  /** All columns, here. */
  toColumns(): Promise<Columns<S>>;
  /** As a table of the package apache-arrow, in its stream format (IPC). */
  toArrow(): Promise<Uint8Array>;
  /** Lets go of the partitions that `persist` or `fromColumns` has put into the session's memory. Other frames hold nothing. */
  [Symbol.dispose](): void;
}

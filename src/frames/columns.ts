import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import { FormatError, kindOf, shown, UsageError } from '../base/index.ts';
import { alloc } from '../tasks/index.ts';
import type { Base, ColumnKind } from './column-types.ts';
import type { Connection, DuckDB } from './engine.ts';
import { quoted, SQL_TYPES } from './sql-text.ts';

type Numbers = Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

/** A column between processes. Dates are days, timestamps microseconds, since 1970; decimals are their digits. */
export interface Sent {
  readonly kind: ColumnKind;
  readonly values: Numbers | readonly string[];
  /** Of texts that come again and again: which of `values` each row has. */
  readonly codes?: Uint32Array | undefined;
  /** 1 for each row whose value is missing, if there is one. */
  readonly missing: Uint8Array | undefined;
}

/** Some rows. */
export interface Batch {
  readonly rows: number;
  readonly columns: readonly Sent[];
}

const ARRAYS = {
  bool: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  date: Int32Array,
  timestamp: BigInt64Array,
} as const;

/** Above that, an array is made in shared memory at once, instead of being copied there. */
const SHARED = 100 * 1024;

function numbers(base: keyof typeof ARRAYS, length: number): Numbers {
  const Type = ARRAYS[base] as new (length: number) => Numbers;
  const own = ARRAYS[base].BYTES_PER_ELEMENT * length;
  return own > SHARED ? (alloc(Type as unknown as Parameters<typeof alloc>[0], length) as Numbers) : new Type(length);
}

const isText = (base: Base): base is 'str' | 'decimal' => base === 'str' || base === 'decimal';

/** The columns of a query as a batch of them can be read: decimals as text. */
export const readable = (columns: readonly ColumnKind[], sql: string): string =>
  `SELECT ${columns.map(({ name, base }) => (base === 'decimal' ? `CAST(${quoted(name)} AS VARCHAR) AS ${quoted(name)}` : quoted(name))).join(', ')} FROM (${sql})`;

/** All rows of a query made with `readable`. */
export async function readBatch(
  connection: Connection,
  sql: string,
  kinds: readonly ColumnKind[],
  what: string,
): Promise<Batch> {
  const result = await connection.run(sql);
  const chunks = await result.fetchAllChunks();
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  return { rows, columns: kinds.map((kind, i) => readColumn(chunks, i, rows, kind, what)) };
}

/** What vectors of the engine have besides what they say. */
interface Vector {
  readonly items?: Numbers;
  readonly itemCount: number;
  /** Without data all values are there. */
  readonly validity: { readonly data?: unknown; itemValid(i: number): boolean };
  getItem(i: number): unknown;
}

function readColumn(
  chunks: readonly DuckDBDataChunk[],
  at: number,
  rows: number,
  kind: ColumnKind,
  what: string,
): Sent {
  const { base } = kind;
  let missing: Uint8Array | undefined;
  const texts = isText(base) ? new Texts(rows) : undefined;
  const values = isText(base) ? undefined : numbers(base, rows);
  let row = 0;
  for (const chunk of chunks) {
    const vector = chunk.getColumnVector(at) as unknown as Vector;
    const count = vector.itemCount;
    if (vector.validity.data !== null) {
      for (let i = 0; i < count; i++) {
        if (vector.validity.itemValid(i)) continue;
        missing ??= new Uint8Array(rows);
        missing[row + i] = 1;
      }
    }
    if (texts !== undefined) for (let i = 0; i < count; i++) texts.add((vector.getItem(i) as string | null) ?? '');
    else if (base === 'bool')
      for (let i = 0; i < count; i++) (values as Uint8Array)[row + i] = vector.getItem(i) === true ? 1 : 0;
    else (values as Int32Array).set(vector.items as Int32Array, row);
    row += count;
  }
  if (missing !== undefined && !kind.nullable) {
    throw new FormatError(
      `${what}: the column ${JSON.stringify(kind.name)} has missing values, the first one in row ${missing.indexOf(1)} of its partition, and its type is ${base}; call it ${base}? in the schema, or fill them with fillNull`,
      { code: 'ERR_SHEAF_FRAME_VALUE', details: { column: kind.name } },
    );
  }
  return texts === undefined ? { kind, values: values!, missing } : { kind, ...texts.sent(), missing };
}

/** Gathers texts: as a list, or, while they are few different ones, as these and which of them each row has. */
class Texts {
  readonly #most: number;
  readonly #codes: Uint32Array;
  readonly #numbers = new Map<string, number>();
  readonly #distinct: string[] = [];
  #list: string[] | undefined;
  #count = 0;

  constructor(rows: number) {
    this.#most = 256 + rows / 16;
    this.#codes = new Uint32Array(rows);
  }

  add(text: string): void {
    if (this.#list !== undefined) {
      this.#list.push(text);
      return;
    }
    let code = this.#numbers.get(text);
    if (code === undefined) {
      code = this.#distinct.push(text) - 1;
      this.#numbers.set(text, code);
      if (code > this.#most) {
        this.#list = Array.from(this.#codes.subarray(0, this.#count), (each) => this.#distinct[each]!);
        this.#list.push(text);
        return;
      }
    }
    this.#codes[this.#count++] = code;
  }

  sent(): Pick<Sent, 'values' | 'codes'> {
    return this.#list === undefined ? { values: this.#distinct, codes: this.#codes } : { values: this.#list };
  }
}

const DAY = 86_400_000;

/** The value of a row, as programs see it. */
export function valueAt({ kind, values, codes, missing }: Sent, row: number): unknown {
  if (missing !== undefined && missing[row] === 1) return null;
  const value = values[codes === undefined ? row : codes[row]!]!;
  switch (kind.base) {
    case 'bool':
      return value === 1;
    case 'date':
      return new Date((value as number) * DAY);
    case 'timestamp':
      return new Date(Number((value as bigint) / 1000n) - ((value as bigint) % 1000n < 0n ? 1 : 0));
    default:
      return value;
  }
}

/** Rows as objects. */
export function* rowsOf({ rows, columns }: Batch): Generator<Record<string, unknown>> {
  for (let row = 0; row < rows; row++) {
    const made: Record<string, unknown> = {};
    // A column may be called __proto__.
    for (const column of columns) {
      if (column.kind.name === '__proto__')
        Object.defineProperty(made, '__proto__', { value: valueAt(column, row), enumerable: true });
      else made[column.kind.name] = valueAt(column, row);
    }
    yield made;
  }
}

/** As `toColumns` gives them: several batches one after the other. */
export function joined(batches: readonly Batch[], kinds: readonly ColumnKind[]): Record<string, unknown> {
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  return Object.fromEntries(
    kinds.map(({ name, base }, i) => {
      const parts = batches.map((batch) => batch.columns[i]!);
      const plain =
        base === 'date' || base === 'timestamp' || isText(base) || parts.some(({ missing }) => missing !== undefined);
      if (plain) {
        const all = new Array<unknown>(rows);
        let at = 0;
        for (const [k, part] of parts.entries())
          for (let row = 0; row < batches[k]!.rows; row++) all[at++] = valueAt(part, row);
        return [name, all];
      }
      if (parts.length === 1) return [name, parts[0]!.values];
      const all = new ARRAYS[base](rows);
      let at = 0;
      for (const { values } of parts) {
        (all as Int32Array).set(values as Int32Array, at);
        at += values.length;
      }
      return [name, all];
    }),
  );
}

/** Columns that somebody gives, checked. `kinds`: what they have to be; otherwise it is seen from the values. */
export function batchOf(given: unknown, kinds: readonly ColumnKind[] | undefined, what: string): Batch {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UsageError(
      `${what}: ${kindOf(given)} is no set of columns; give an object with a typed array or a list for each name`,
      {
        code: 'ERR_SHEAF_FRAME_TYPE',
      },
    );
  }
  const entries = Object.entries(given);
  const names = kinds?.map(({ name }) => name) ?? entries.map(([name]) => name);
  const lost = names.find((name) => !entries.some(([own]) => own === name));
  const more = entries.find(([name]) => !names.includes(name))?.[0];
  if (lost !== undefined || more !== undefined) {
    throw new UsageError(
      `${what}: the column ${JSON.stringify(lost ?? more)} is ${lost === undefined ? 'not in the schema' : 'missing'}; give ${names.join(', ')}`,
      {
        code: 'ERR_SHEAF_FRAME_SCHEMA',
        details: { column: lost ?? more },
      },
    );
  }
  const columns = names.map((name, i) => {
    const values = (given as Record<string, unknown>)[name];
    return sentOf(
      values,
      kinds?.[i] ?? { name, ...kindOfValues(values, `${what}: the column ${JSON.stringify(name)}`) },
      `${what}: the column ${JSON.stringify(name)}`,
    );
  });
  const rows = columns[0]?.values.length ?? 0;
  const odd = columns.find(({ values }) => values.length !== rows);
  if (odd !== undefined) {
    throw new UsageError(
      `${what}: the columns ${JSON.stringify(columns[0]!.kind.name)} and ${JSON.stringify(odd.kind.name)} have ${rows} and ${odd.values.length} values; give as many of each`,
      { code: 'ERR_SHEAF_FRAME_SCHEMA', details: { column: odd.kind.name } },
    );
  }
  return { rows, columns };
}

const TYPED: readonly (readonly [new (length: number) => ArrayLike<unknown>, Base])[] = [
  [Int8Array, 'i32'],
  [Uint8Array, 'i32'],
  [Int16Array, 'i32'],
  [Uint16Array, 'i32'],
  [Int32Array, 'i32'],
  [Uint32Array, 'i64'],
  [BigInt64Array, 'i64'],
  [Float32Array, 'f32'],
  [Float64Array, 'f64'],
];

function kindOfValues(values: unknown, what: string): { base: Base; nullable: boolean } {
  const typed = TYPED.find(([Type]) => values instanceof Type)?.[1];
  if (typed !== undefined) return { base: typed, nullable: false };
  if (!Array.isArray(values))
    throw wrong(what, `${kindOf(values)} holds no values of one type; give a typed array or a list`);
  const first = values.find((value) => value !== null && value !== undefined);
  const nullable = values.some((value) => value === null || value === undefined);
  if (first === undefined)
    throw wrong(what, 'a list without values has no type; give the schema as the second argument');
  if (typeof first === 'string') return { base: 'str', nullable };
  if (typeof first === 'number') return { base: 'f64', nullable };
  if (typeof first === 'bigint') return { base: 'i64', nullable };
  if (typeof first === 'boolean') return { base: 'bool', nullable };
  if (first instanceof Date) return { base: 'timestamp', nullable };
  throw wrong(what, `${shown(first)} is no value of a column; give strings, numbers, bigints, booleans or Dates`);
}

const wrong = (what: string, text: string): UsageError =>
  new UsageError(`${what}: ${text}`, { code: 'ERR_SHEAF_FRAME_TYPE' });

function sentOf(values: unknown, kind: ColumnKind, what: string): Sent {
  const { base, nullable } = kind;
  if (!Array.isArray(values) && !ArrayBuffer.isView(values))
    throw wrong(what, `${kindOf(values)} is no list of values`);
  const list = values as unknown as ArrayLike<unknown>;
  if (!isText(base) && base !== 'date' && base !== 'timestamp' && list instanceof ARRAYS[base]) {
    if (base !== 'bool' || (list as Uint8Array).every((value) => value <= 1))
      return { kind, values: list as Numbers, missing: undefined };
  }
  let missing: Uint8Array | undefined;
  const made: Numbers | string[] = isText(base) ? new Array<string>(list.length).fill('') : numbers(base, list.length);
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (value === null || value === undefined) {
      if (!nullable)
        throw wrong(what, `the value of row ${i} is missing, and its type is ${base}; call it ${base}? in the schema`);
      missing ??= new Uint8Array(list.length);
      missing[i] = 1;
      continue;
    }
    const converted = convert(value, base);
    if (converted === undefined) throw wrong(what, `${shown(value)} in row ${i} is no value of type ${base}`);
    (made as unknown[])[i] = converted;
  }
  return { kind, values: made, missing };
}

const isWhole = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isSafeInteger(value);

function convert(value: unknown, base: Base): string | number | bigint | undefined {
  switch (base) {
    case 'bool':
      return typeof value === 'boolean' || value === 0 || value === 1 ? Number(value) : undefined;
    case 'i32':
      return isWhole(value) && Number(value) === (Number(value) | 0) ? Number(value) : undefined;
    case 'i64':
      return isWhole(value) && BigInt(value) === BigInt.asIntN(64, BigInt(value)) ? BigInt(value) : undefined;
    case 'f32':
    case 'f64':
      return typeof value === 'number' ? value : undefined;
    case 'str':
      return typeof value === 'string' ? value : undefined;
    case 'decimal':
      return /^-?\d{1,29}(\.\d{1,9})?$/.test(String(value)) ? String(value) : undefined;
    case 'date': {
      const days = value instanceof Date ? value.getTime() / DAY : Number.NaN;
      return Number.isInteger(days) ? days : undefined;
    }
    case 'timestamp': {
      const time = value instanceof Date ? value.getTime() : Number.NaN;
      return Number.isNaN(time) ? undefined : BigInt(time) * 1000n;
    }
  }
}

/** What dates, timestamps and decimals are written as, before SQL makes them what they are. */
const WRITTEN: Readonly<Record<Base, string>> = {
  ...SQL_TYPES,
  date: 'INTEGER',
  timestamp: 'BIGINT',
  decimal: 'VARCHAR',
};
const VECTOR = 2048;

/** Puts a batch into a table of the engine, and gives a query of its columns. */
export async function writeBatch(
  db: DuckDB,
  connection: Connection,
  { rows, columns }: Batch,
  table: string,
): Promise<string> {
  const names = columns.map((_, i) => `c${i}`);
  await connection.run(
    `CREATE TEMP TABLE ${quoted(table)} (${columns.map(({ kind }, i) => `${names[i]} ${WRITTEN[kind.base]}`).join(', ')})`,
  );
  const types: DuckDBType[] = columns.map(({ kind }) => duckType(db, WRITTEN[kind.base]));
  const appender = await connection.createAppender(table);
  try {
    for (let from = 0; from < rows; from += VECTOR) {
      const count = Math.min(VECTOR, rows - from);
      const chunk = db.DuckDBDataChunk.create(types, count);
      for (const [i, { values, missing, kind }] of columns.entries()) {
        const part: unknown[] = new Array(count);
        for (let k = 0; k < count; k++) {
          const value = values[from + k];
          part[k] = missing?.[from + k] === 1 ? null : kind.base === 'bool' ? value === 1 : value;
        }
        chunk.setColumnValues(i, part as never);
      }
      appender.appendDataChunk(chunk);
    }
  } finally {
    appender.closeSync();
  }
  const back = columns.map(({ kind: { name, base } }, i) => {
    const c = names[i]!;
    const sql =
      base === 'date'
        ? `DATE '1970-01-01' + ${c}`
        : base === 'timestamp'
          ? `make_timestamp(${c})`
          : base === 'decimal'
            ? `CAST(${c} AS ${SQL_TYPES.decimal})`
            : c;
    return `${sql} AS ${quoted(name)}`;
  });
  return `SELECT ${back.join(', ')} FROM ${quoted(table)}`;
}

function duckType(db: DuckDB, name: string): DuckDBType {
  const types: Readonly<Record<string, DuckDBType>> = {
    BOOLEAN: db.BOOLEAN,
    INTEGER: db.INTEGER,
    BIGINT: db.BIGINT,
    FLOAT: db.FLOAT,
    DOUBLE: db.DOUBLE,
    VARCHAR: db.VARCHAR,
  };
  return types[name]!;
}

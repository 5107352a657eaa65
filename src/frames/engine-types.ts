import { UsageError } from '../base/index.ts';
import type { Base, ColumnKind } from './column-types.ts';
import { quoted } from './sql-text.ts';

/** A column as the engine describes it. */
export interface Described {
  readonly name: string;
  readonly type: string;
}

const SAME: Readonly<Record<string, Base>> = {
  BOOLEAN: 'bool',
  INTEGER: 'i32',
  BIGINT: 'i64',
  FLOAT: 'f32',
  DOUBLE: 'f64',
  VARCHAR: 'str',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
};

const CONVERTED: readonly (readonly [RegExp, Base, (c: string) => string])[] = [
  [/^DECIMAL/, 'decimal', (c) => c],
  [/^(TINYINT|SMALLINT|UTINYINT|USMALLINT)$/, 'i32', (c) => `CAST(${c} AS INTEGER)`],
  [/^UINTEGER$/, 'i64', (c) => `CAST(${c} AS BIGINT)`],
  [/^UBIGINT$/, 'decimal', (c) => `CAST(${c} AS DECIMAL(20,0))`],
  [/^(HUGEINT|UHUGEINT)$/, 'decimal', (c) => `CAST(${c} AS DECIMAL(38,0))`],
  [/^TIMESTAMP WITH TIME ZONE$/, 'timestamp', (c) => `make_timestamp(epoch_us(${c}))`],
  [/^TIMESTAMP_/, 'timestamp', (c) => `CAST(${c} AS TIMESTAMP)`],
  [/^(ENUM|UUID|TIME|INTERVAL|JSON$)/, 'str', (c) => `CAST(${c} AS VARCHAR)`],
];

/** A column of the engine as one of ours: its type, and the SQL that makes it so. */
export function columnOf({ name, type }: Described, what: string): { readonly kind: ColumnKind; readonly sql: string } {
  const c = quoted(name);
  if (!/[[(]/.test(type) && SAME[type] !== undefined)
    return { kind: { name, base: SAME[type], nullable: true }, sql: c };
  const converted = type.endsWith(']') ? undefined : CONVERTED.find(([pattern]) => pattern.test(type));
  if (converted !== undefined) return { kind: { name, base: converted[1], nullable: true }, sql: converted[2](c) };
  throw new UsageError(
    `${what}: the column ${JSON.stringify(name)} is of type ${type.slice(0, 60)}, which frames don't have; give a schema without it, or make text of it in SQL`,
    { code: 'ERR_SHEAF_FRAME_TYPE', details: { column: name, type } },
  );
}

/** What types of files may be read as, besides their own: those that hold all their values. */
const WIDER: Readonly<Partial<Record<Base, readonly Base[]>>> = {
  i32: ['i64', 'f64', 'decimal'],
  i64: ['decimal', 'f64'],
  f32: ['f64'],
  decimal: ['f64'],
  date: ['timestamp'],
};

export const holds = (wanted: Base, found: Base): boolean =>
  wanted === found || (WIDER[found]?.includes(wanted) ?? false);

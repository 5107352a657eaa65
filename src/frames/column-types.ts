import { shown, UsageError } from '../base/index.ts';
import type { DT, Schema, Types } from './types.ts';

/** A type of columns without its mark. */
export type Base = keyof Types;

/** The type of a column or expression while a plan is made. */
export interface Kind {
  readonly base: Base;
  /** Values may be missing. */
  readonly nullable: boolean;
}

/** A column of a relation. */
export interface ColumnKind extends Kind {
  readonly name: string;
}

const BASES: readonly Base[] = ['bool', 'i32', 'i64', 'f32', 'f64', 'str', 'date', 'timestamp', 'decimal'];

/** As in a schema. */
export const dtOf = ({ base, nullable }: Kind): DT => (nullable ? `${base}?` : base);

/** The type that a text names. */
export function kindOfDt(type: unknown, what: string): Kind {
  const nullable = typeof type === 'string' && type.endsWith('?');
  const base = (nullable ? (type as string).slice(0, -1) : type) as Base;
  if (!BASES.includes(base)) {
    throw new UsageError(
      `${what}: ${shown(type)} is no type of columns; give one of ${BASES.join(', ')}, with a question mark where values may be missing`,
      { code: 'ERR_SHEAF_FRAME_TYPE', details: { type } },
    );
  }
  return { base, nullable };
}

/** The columns that a schema names. */
export function columnsOfSchema(schema: unknown, what: string): ColumnKind[] {
  const isRecord = typeof schema === 'object' && schema !== null && !Array.isArray(schema);
  if (!isRecord || Object.keys(schema).length === 0) {
    throw new UsageError(
      `${what}: ${shown(schema)} is no schema; give names of columns with their types, such as { id: 'i64', name: 'str?' }`,
      {
        code: 'ERR_SHEAF_FRAME_SCHEMA',
      },
    );
  }
  const columns = Object.entries(schema).map(([name, type]) => ({
    name,
    ...kindOfDt(type, `${what}: the column ${JSON.stringify(name)}`),
  }));
  checkNames(
    columns.map(({ name }) => name),
    what,
  );
  return columns;
}

/** Refuses names that only differ in case: the engine takes them for one. */
export function checkNames(names: readonly string[], what: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    if (name === '' || name.includes('\0') || other !== undefined) {
      const why =
        other === undefined
          ? 'is no name for a column'
          : other === name
            ? 'is there twice'
            : `and ${JSON.stringify(other)} differ in case only, which the engine does not tell apart`;
      throw new UsageError(`${what}: the column ${JSON.stringify(name)} ${why}; give it another name`, {
        code: 'ERR_SHEAF_FRAME_COLUMN',
        details: { column: name },
      });
    }
    seen.set(folded, name);
  }
}

/** As it was given, or as it was found. */
export const schemaOf = (columns: readonly ColumnKind[]): Schema =>
  Object.fromEntries(columns.map((column) => [column.name, dtOf(column)]));

/** The column of that name. */
export function columnNamed(columns: readonly ColumnKind[], name: unknown, what: string): ColumnKind {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const has = columns.map((column) => column.name);
  const close = typeof name === 'string' ? nearest(name, has) : undefined;
  throw new UsageError(
    `${what}: there is no column ${typeof name === 'string' ? JSON.stringify(name) : shown(name)}${close === undefined ? '' : ` (${JSON.stringify(close)}, maybe)`}; ` +
      `there are ${has.slice(0, 20).join(', ')}${has.length > 20 ? ` and ${has.length - 20} more` : ''}`,
    { code: 'ERR_SHEAF_FRAME_COLUMN', details: { column: name, columns: has } },
  );
}

/** The one that is the same but for case, a letter more, less, or another. */
function nearest(name: string, all: readonly string[]): string | undefined {
  const oneOff = (a: string, b: string): boolean => {
    let from = 0;
    while (from < a.length && a[from] === b[from]) from++;
    let [i, j] = [a.length, b.length];
    while (i > from && j > from && a[i - 1] === b[j - 1]) {
      i--;
      j--;
    }
    return Math.max(i, j) - from <= (i === j ? 2 : 1);
  };
  return all.find((each) => oneOff(each.toLowerCase(), name.toLowerCase()));
}

import { shown, UsageError } from '../base/index.ts';
import type { Base } from './column-types.ts';

/** A name, quoted: whatever is in it, it is one name. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text, quoted. */
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const RANGES: Partial<Record<Base, readonly [bigint, bigint]>> = {
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** What the engine calls the types. */
export const SQL_TYPES: Readonly<Record<Base, string>> = {
  bool: 'BOOLEAN',
  i32: 'INTEGER',
  i64: 'BIGINT',
  f32: 'FLOAT',
  f64: 'DOUBLE',
  str: 'VARCHAR',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  decimal: 'DECIMAL(38,9)',
};

/** A value as a column of type `base` has it, in SQL. `what` begins the message where it has no such form. */
export function literal(value: unknown, base: Base, what: string): string {
  const refuse = (hint: string): UsageError =>
    new UsageError(`${what}: ${shown(value)} is no value of type ${base}; ${hint}`, {
      code: 'ERR_SHEAF_FRAME_TYPE',
      details: { type: base },
    });
  switch (base) {
    case 'bool':
      if (typeof value !== 'boolean') throw refuse('give true or false');
      return value ? 'TRUE' : 'FALSE';
    case 'i32':
    case 'i64': {
      const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
      if (!whole) throw refuse('give a whole number, or cast the column to f64');
      const [least, most] = RANGES[base]!;
      const exact = BigInt(value as number | bigint);
      if (exact < least || exact > most) throw refuse(`it goes from ${least} to ${most}`);
      return `CAST(${text(String(exact))} AS ${SQL_TYPES[base]})`;
    }
    case 'f32':
    case 'f64':
      if (typeof value !== 'number') throw refuse('give a number');
      return `CAST(${text(Object.is(value, -0) ? '-0.0' : String(value))} AS ${SQL_TYPES[base]})`;
    case 'str':
      // The engine takes no half of a surrogate pair, and no text beyond a zero.
      if (typeof value !== 'string' || value.includes('\0') || !isWellFormed(value))
        throw refuse('give a string, without zeros and halves of surrogate pairs');
      return text(value);
    case 'decimal': {
      const digits = String(value);
      if (!/^-?\d{1,38}(\.\d{1,38})?$/.test(digits) || digits.replace(/\D/g, '').length > 38)
        throw refuse("give its digits as a string, such as '12.50'");
      const scale = digits.split('.')[1]?.length ?? 0;
      return `CAST(${text(digits)} AS DECIMAL(${Math.max(digits.replace(/\D/g, '').length, scale + 1)},${scale}))`;
    }
    case 'date':
    case 'timestamp': {
      const time = value instanceof Date ? value.getTime() : Number.NaN;
      if (Number.isNaN(time)) throw refuse('give a Date');
      if (base === 'timestamp') return `make_timestamp(CAST(${text(`${time}000`)} AS BIGINT))`;
      if (time % 86_400_000 !== 0) throw refuse('a date is a Date at midnight, UTC');
      return `(DATE '1970-01-01' + CAST(${text(String(time / 86_400_000))} AS INTEGER))`;
    }
  }
}

const isWellFormed = (value: string): boolean =>
  !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(value);

import { NotAvailableError, shown, UsageError } from '../base/index.ts';
import { DTYPES, type DType, type Elements, elements, isDType } from '../nd/index.ts';

/** One column of a table. */
export interface Column {
  /** Its name. */
  readonly name: string;
  /** Of its elements. */
  readonly dtype: DType;
  /** One for each row. */
  readonly elements: Elements;
}

/** Which columns of a file are read. */
export interface ColumnsOptions {
  /** By their names. Default: all. */
  readonly columns?: readonly string[];
}

/** The columns that are wanted, in the order of the wish; all if nobody said. */
export function wanted(
  has: readonly string[],
  wish: readonly string[] | undefined,
  file: string,
  what: string,
): readonly string[] {
  if (wish !== undefined && !Array.isArray(wish)) {
    throw new UsageError(`${what}: columns are ${shown(wish)}; give a list of their names`);
  }
  const unknown = wish?.find((name) => !has.includes(name));
  if (unknown === undefined) return wish ?? has;
  throw new UsageError(
    `${what}: there is no column ${JSON.stringify(unknown)} in ${file}; it has ${has.slice(0, 20).join(', ')}`,
  );
}

/** A column of another type than numbers and booleans. */
export function noNumbers(what: string, file: string, column: string, type: string): NotAvailableError {
  return new NotAvailableError(
    `${what}: the column ${JSON.stringify(column)} of ${file} is of type ${type}, and arrays hold numbers and booleans; leave it out with \`columns\``,
    { details: { path: file, column, type } },
  );
}

/** Gathers the values of a column, piece by piece. Integers with missing values become `f64`, with NaN for these. */
export class Gathered {
  readonly #name: string;
  readonly #what: string;
  #dtype: DType;
  #elements: Elements;
  #length = 0;

  constructor(name: string, dtype: DType, rows: number, what: string) {
    this.#name = name;
    this.#dtype = dtype;
    this.#what = what;
    this.#elements = elements(dtype, rows);
  }

  /** Values of rows from `from` on; pieces may come in any order. */
  add(values: ArrayLike<unknown>, from: number): void {
    const { Elements: Own } = DTYPES[this.#dtype];
    this.#length += values.length;
    if (this.#dtype !== 'bool' && values instanceof Own) {
      this.#elements.set(values as never, from);
      return;
    }
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === null || value === undefined) this.#nan(from + i);
      else this.#elements[from + i] = this.#converted(value) as never;
    }
  }

  #converted(value: unknown): number | bigint {
    if (this.#dtype === 'i64' || this.#dtype === 'u64') return BigInt(value as number | bigint);
    const number = Number(value);
    if (typeof value === 'bigint' && BigInt(number) !== value) throw this.#inexact(value);
    return number;
  }

  #nan(at: number): void {
    if (DTYPES[this.#dtype].kind !== 'float') {
      const before = this.#elements;
      this.#elements = elements('f64', before.length);
      this.#dtype = 'f64';
      // Those that are not there yet are 0.
      for (let i = 0; i < before.length; i++) this.#elements[i] = this.#converted(before[i]) as never;
    }
    this.#elements[at] = Number.NaN;
  }

  #inexact(value: bigint): NotAvailableError {
    return new NotAvailableError(
      `${this.#what}: the column ${JSON.stringify(this.#name)} has missing values, for which only floats have NaN, and ${value}, which no f64 holds; fill them first`,
    );
  }

  get column(): Column {
    return { name: this.#name, dtype: this.#dtype, elements: this.#elements };
  }

  /** How many values there were. */
  get length(): number {
    return this.#length;
  }
}

/** Checks columns that somebody wants to have written. */
export function checkColumns(columns: readonly Column[], what: string): void {
  const seen = new Set<string>();
  for (const { name, dtype, elements: own } of columns) {
    if (seen.has(name)) throw new UsageError(`${what}: there are two columns ${JSON.stringify(name)}`);
    seen.add(name);
    if (!isDType(dtype) || !(own instanceof DTYPES[dtype].Elements)) {
      throw new UsageError(`${what}: the column ${JSON.stringify(name)} has elements that are no ${String(dtype)}`);
    }
    if (own.length !== (columns[0] as Column).elements.length) {
      throw new UsageError(
        `${what}: the columns ${JSON.stringify(columns[0]?.name)} and ${JSON.stringify(name)} have ${columns[0]?.elements.length} and ${own.length} elements`,
        {
          code: 'ERR_SHEAF_SHAPE',
        },
      );
    }
  }
}

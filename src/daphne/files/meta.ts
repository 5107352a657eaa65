/** What is known of a file of data: `FILE.meta` beside it, in JSON. */

import type { ValueType } from '../types.ts';

/** A column of a frame. */
export interface DescribedColumn {
  readonly label: string;
  readonly value: ValueType;
}

export interface Description {
  readonly rows: number;
  readonly columns: number;
  /** Of all elements; undefined where there is a schema. */
  readonly value: ValueType | undefined;
  readonly schema: readonly DescribedColumn[] | undefined;
  /** How many elements are not 0. */
  readonly nonZeros: number | undefined;
}

/** What is wrong with such a text. */
export class MetaFault {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const NAMES: ReadonlySet<unknown> = new Set(['si8', 'si32', 'si64', 'ui8', 'ui32', 'ui64', 'f32', 'f64', 'str']);

const isType = (name: unknown): name is ValueType => NAMES.has(name);

function typeOf(name: unknown, where: string): ValueType | MetaFault {
  if (isType(name)) return name;
  return new MetaFault(`${where} is ${JSON.stringify(name)}, and has to be one of ${[...NAMES].join(', ')}`);
}

export function parseMeta(text: string): Description | MetaFault {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return new MetaFault(`it is no JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return new MetaFault('it is no JSON object');
  const own = json as Readonly<Record<string, unknown>>;
  const hdfs = own.hdfs as { isHDFS?: unknown } | undefined;
  if (hdfs?.isHDFS === true) return new MetaFault('the file lies in HDFS, which is not read here; copy it to a disk');
  const { numRows: rows, numCols: columns, numNonZeros: nonZeros } = own;
  for (const [name, length] of [
    ['numRows', rows],
    ['numCols', columns],
  ] as const) {
    if (length === undefined) return new MetaFault(`there is no ${name}`);
    if (!isLength(length))
      return new MetaFault(`${name} is ${JSON.stringify(length)}, and has to be a number from 0 on`);
  }
  if (nonZeros !== undefined && !isLength(nonZeros) && nonZeros !== -1)
    return new MetaFault(`numNonZeros is ${JSON.stringify(nonZeros)}, and has to be a number from 0 on`);
  const shape = {
    rows: rows as number,
    columns: columns as number,
    nonZeros: nonZeros === -1 ? undefined : (nonZeros as number | undefined),
  };
  const value = own.valueType === undefined || own.valueType === '' ? undefined : typeOf(own.valueType, 'valueType');
  if (value instanceof MetaFault) return value;
  if (own.schema !== undefined) {
    const schema = schemaOf(own.schema, value, shape.columns);
    return schema instanceof MetaFault ? schema : { ...shape, value: undefined, schema };
  }
  if (value === undefined) return new MetaFault('there is neither valueType nor schema');
  return { ...shape, value, schema: undefined };
}

const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function schemaOf(
  given: unknown,
  otherwise: ValueType | undefined,
  columns: number,
): readonly DescribedColumn[] | MetaFault {
  if (!Array.isArray(given)) return new MetaFault('schema is no list of columns');
  if (given.length !== columns) return new MetaFault(`schema has ${given.length} columns, and numCols is ${columns}`);
  const schema: DescribedColumn[] = [];
  for (const [i, each] of given.entries()) {
    const { label, valueType } = (each ?? {}) as { label?: unknown; valueType?: unknown };
    if (typeof label !== 'string') return new MetaFault(`column ${i} of the schema has no label`);
    const isOwn = valueType !== undefined && valueType !== '';
    if (!isOwn && otherwise === undefined)
      return new MetaFault(`column ${i} of the schema has no valueType, and there is none for all`);
    const value = isOwn ? typeOf(valueType, `valueType of column ${i}`) : (otherwise as ValueType);
    if (value instanceof MetaFault) return value;
    schema.push({ label, value });
  }
  return schema;
}

/** Compact, with keys in alphabetical order, as DAPHNE writes it. */
export function metaText({ rows, columns, value, schema, nonZeros }: Description): string {
  return JSON.stringify({
    numCols: columns,
    ...(nonZeros === undefined ? {} : { numNonZeros: nonZeros }),
    numRows: rows,
    ...(schema === undefined
      ? { valueType: value }
      : { schema: schema.map((each) => ({ label: each.label, valueType: each.value })) }),
  });
}

/** The type under which a value type is stored: those that files have no name for, as the one that holds them. */
export const storedType = (value: ValueType): ValueType =>
  value === 'size' ? 'ui64' : value === 'bool' ? 'ui8' : value;

/** The columns of a file that is read as a frame. */
export const columnsIn = ({ columns, value, schema }: Description): readonly DescribedColumn[] =>
  schema ?? Array.from({ length: columns }, (_, i) => ({ label: `col_${i}`, value: value as ValueType }));

/** The type of a file that is read as a matrix: with a schema that of the first column, as DAPHNE has it. */
export const elementType = ({ value, schema }: Description): ValueType => value ?? schema?.[0]?.value ?? 'f64';

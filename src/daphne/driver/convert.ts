/** Values of scripts as TypeScript has them, and the other way round. */

import { type Arr, arrayOf, nodeOf, type Sparse } from '../../arrays/index.ts';
import { kindOf, UsageError } from '../../base/index.ts';
import { DTYPE_NAMES, DTYPES, type DType, type Elements } from '../../nd/index.ts';
import { ELEMENT_TYPES, frame, matrix, scalar, type Type, type ValueType } from '../types.ts';
import { Texts } from '../values/texts.ts';
import type { Column, DataObject, Frame, Integer, Value } from '../values/values.ts';

/** A frame: its columns by their labels, in their order. Columns of numbers are typed arrays; others are of strings. */
export type FrameColumns = Readonly<Record<string, Elements | readonly string[]>>;

/** What a script may be given by name. Numbers that are integers are si64, others f64. */
export type ScriptInput = Arr | FrameColumns | number | bigint | boolean | string;

/** What a script's variables become: matrices are arrays of two dimensions, those of strings lists of rows; lists are lists of matrices. */
export type ScriptOutput =
  | Arr
  | Sparse
  | FrameColumns
  | Integer
  | boolean
  | string
  | readonly (readonly string[])[]
  | readonly ScriptOutput[];

export interface Given {
  readonly type: Type;
  readonly value: Value;
}

type ElementValue = Exclude<ValueType, 'str'>;
const VALUE_TYPE: Partial<Record<DType, ElementValue>> = {
  bool: 'bool',
  i8: 'si8',
  u8: 'ui8',
  i32: 'si32',
  u32: 'ui32',
  i64: 'si64',
  u64: 'ui64',
  f32: 'f32',
  f64: 'f64',
};

function valueTypeOf(name: string, dtype: DType): ElementValue {
  const found = VALUE_TYPE[dtype];
  if (found !== undefined) return found;
  const known = DTYPE_NAMES.filter((each) => VALUE_TYPE[each] !== undefined).join(', ');
  throw new UsageError(
    `runScript: the input ${name} has elements of ${dtype}, which scripts do not have; convert it with astype() to one of ${known}`,
  );
}

/** What somebody gives, as a script has it: arrays of one dimension are columns. */
export function given(name: string, input: ScriptInput, elementsOf: (array: Arr) => Elements): Given {
  switch (typeof input) {
    case 'number':
      return { type: scalar(Number.isSafeInteger(input) && !Object.is(input, -0) ? 'si64' : 'f64'), value: input };
    case 'bigint': {
      if (BigInt.asIntN(64, input) !== input)
        throw new UsageError(`runScript: the input ${name} is ${input}, which is no integer of 64 bits`);
      const isSafe = input >= Number.MIN_SAFE_INTEGER && input <= Number.MAX_SAFE_INTEGER;
      return { type: scalar('si64'), value: isSafe ? Number(input) : input };
    }
    case 'boolean':
      return { type: scalar('bool'), value: input };
    case 'string':
      return { type: scalar('str'), value: input };
  }
  if (isArray(input)) {
    const value = valueTypeOf(name, input.dtype);
    if (input.ndim > 2)
      throw new UsageError(
        `runScript: the input ${name} has ${input.ndim} dimensions, and matrices of scripts have two`,
      );
    const [rows = 1, columns = 1] = input.shape;
    const array = arrayOf(elementsOf(input), [rows, columns], ELEMENT_TYPES[value]);
    return { type: matrix(value, rows, columns), value: { kind: 'dense', value, rows, columns, array } };
  }
  if (typeof input === 'object' && input !== null && !Array.isArray(input) && !ArrayBuffer.isView(input)) {
    const value = frameOf(name, input);
    const columns = value.columns.map(({ label, value: type }) => ({ label, value: type }));
    return { type: frame(columns, value.rows), value };
  }
  throw new UsageError(
    `runScript: the input ${name} is ${kindOf(input)}; give an array, a frame as { label: column, ... }, a number, a bool or a string`,
  );
}

const isArray = (input: object): input is Arr => 'dtype' in input && 'ndim' in input && 'astype' in input;

/** Bytes are u8, though bools are kept in them as well. */
const dtypeOf = (elements: Elements): DType =>
  DTYPE_NAMES.find((dtype) => dtype !== 'bool' && elements instanceof DTYPES[dtype].Elements) ?? 'bool';

function frameOf(name: string, input: FrameColumns): Frame {
  const columns = Object.entries(input).map(([label, cells]): Column => {
    if (Array.isArray(cells) && cells.every((cell) => typeof cell === 'string')) return { label, value: 'str', cells };
    if (ArrayBuffer.isView(cells)) {
      const elements = cells as Elements;
      return { label, value: valueTypeOf(`${name}.${label}`, dtypeOf(elements)), cells: elements };
    }
    throw new UsageError(
      `runScript: the column ${label} of ${name} is ${kindOf(cells)}; give a typed array, or a list of strings`,
    );
  });
  const rows = columns[0]?.cells.length ?? 0;
  const other = columns.find(({ cells }) => cells.length !== rows);
  if (other !== undefined) {
    throw new UsageError(
      `runScript: the columns of ${name} are not equally long: ${columns[0]?.label} has ${rows} cells, and ${other.label} has ${other.cells.length}`,
    );
  }
  return { kind: 'frame', rows, columns };
}

/** A value of a script for TypeScript. */
export function output(value: Value): ScriptOutput {
  if (typeof value !== 'object') return value;
  const object: DataObject = value;
  switch (object.kind) {
    case 'dense':
      return object.array;
    case 'sparse':
      return object.csr;
    case 'strings': {
      const { rows, columns, cells } = object;
      return Array.from({ length: rows }, (_, i) => cells.slice(i * columns, (i + 1) * columns));
    }
    case 'frame':
      return Object.fromEntries(
        object.columns.map(({ label, cells }) => [label, cells instanceof Texts ? cells.strings() : cells]),
      );
    case 'list':
      return object.elements.map(output);
  }
}

/** The dense matrices that a value has. */
export function arraysOf(value: Value): Arr[] {
  if (typeof value !== 'object') return [];
  if (value.kind === 'list') return value.elements.flatMap(arraysOf);
  return value.kind === 'dense' ? [value.array] : [];
}

/** An array whose elements are its own, whatever becomes of where it was computed. */
export function detached(value: Value, elementsOf: (array: Arr) => Elements): Value {
  if (typeof value !== 'object') return value;
  if (value.kind === 'list') {
    return { ...value, elements: value.elements.map((each) => detached(each, elementsOf) as typeof each) };
  }
  if (value.kind !== 'dense') return value;
  const { dtype, shape } = nodeOf('outputs', value.array);
  return { ...value, array: arrayOf(elementsOf(value.array).slice() as Elements, shape, dtype) };
}

/** A value as the text that a command line would have. */
export function literalOf(name: string, value: number | bigint | boolean | string): string {
  switch (typeof value) {
    case 'string':
      return `"${value.replace(/[\\"\b\f\n\r\t]/g, (letter) => ESCAPES[letter] as string)}"`;
    case 'number':
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential().replace('e+', 'e');
      return Number.isNaN(value) ? 'nan' : String(value).replace('Infinity', 'inf').replace('e+', 'e');
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      throw new UsageError(`runScript: the argument ${name} is no number, bool or string; data goes into inputs`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

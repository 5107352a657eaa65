/** Calls built-ins as compiled programs do: what the compiler says first, then the run. */

import { readFileSync } from 'node:fs';
import { arrayOf, csr } from '../../arrays/index.ts';
import { type Elements, elements } from '../../nd/index.ts';
import { EagerRuntime } from '../runtime/eager.ts';
import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Source } from '../source.ts';
import { ELEMENT_TYPES, type Type, typeName, type ValueType } from '../types.ts';
import { Texts } from '../values/texts.ts';
import type { Column, Frame, Matrix, MaybeLater, Scalar, Value } from '../values/values.ts';
import type { Argument, Builtin, Fixed, RunArgument, ScriptFunction } from './builtin.ts';
import { elementOf } from './wanted.ts';

export interface Given {
  readonly type: Type;
  readonly value: Value | ScriptFunction;
}

export const scalarOf = (value: ValueType, own: Scalar): Given => ({ type: { data: 'scalar', value }, value: own });
export const f64 = (own: number): Given => scalarOf('f64', own);
export const f32 = (own: number): Given => scalarOf('f32', Math.fround(own));

export function mat(value: ValueType, rows: readonly (readonly Scalar[])[], columns = rows[0]?.length ?? 0): Given {
  const shape = { rows: rows.length, columns };
  const type: Type = { data: 'matrix', value, ...shape };
  if (value === 'str') return { type, value: { kind: 'strings', value, ...shape, cells: rows.flat() as string[] } };
  const cells = rows.flat().map((each) => elementOf(value, each));
  const own = elements(ELEMENT_TYPES[value], cells.length) as Float64Array;
  own.set(cells as number[]);
  return {
    type,
    value: { kind: 'dense', value, ...shape, array: arrayOf(own, [rows.length, columns], ELEMENT_TYPES[value]) },
  };
}

/** The same by compressed rows. */
export function sparseMat(value: 'f64' | 'si64', rows: readonly (readonly number[])[]): Given {
  const dense = mat(value, rows);
  const columns = rows[0]!.length;
  const entries = rows.flatMap((row, i) => row.flatMap((own, j) => (own === 0 ? [] : [{ i, j, own }])));
  const indptr = [0, ...rows.map((_, i) => entries.filter((each) => each.i <= i).length)];
  const values = elements(ELEMENT_TYPES[value], entries.length) as Float64Array;
  for (const [k, { own }] of entries.entries()) values[k] = elementOf(value, own) as number;
  const own = csr({ values, indices: entries.map(({ j }) => j), indptr, shape: [rows.length, columns] });
  return { type: dense.type, value: { kind: 'sparse', value, rows: rows.length, columns, csr: own } as Matrix };
}

export function frameOf(...columns: readonly Column[]): Given {
  const rows = columns[0]!.cells.length;
  return {
    type: { data: 'frame', rows, columns: columns.map(({ label, value }) => ({ label, value })) },
    value: { kind: 'frame', rows, columns },
  };
}

/** A function of the script, of a type that it gives. */
export const functionOf = (value: ValueType, own: ScriptFunction): Given => ({
  type: { data: 'scalar', value },
  value: own,
});

export type Plain = Given | Scalar | undefined;

const given = (own: Plain): Given | undefined => {
  if (typeof own === 'object' || own === undefined) return own;
  if (typeof own === 'string') return scalarOf('str', own);
  if (typeof own === 'boolean') return scalarOf('bool', own);
  return scalarOf('si64', own);
};

class Failed extends Error {}

export interface CallOptions {
  /** The compiler knows neither shapes nor values. */
  readonly blind?: boolean;
  readonly selects?: boolean;
  /** In a runtime that has everything later, as with workers. */
  readonly later?: boolean;
  readonly fixed?: Fixed;
}

const blindly = (type: Type): Type =>
  type.data === 'matrix'
    ? { data: 'matrix', value: type.value }
    : type.data === 'frame'
      ? { data: 'frame', columns: undefined }
      : type;

const runtime = new EagerRuntime(
  () => {},
  () => {},
);

const LATER = new Set<PropertyKey>(['elements', 'computed', 'matrix', 'dense']);

const laterRuntime = new Proxy<Runtime>(runtime, {
  get(target, name) {
    const own = Reflect.get(target, name) as unknown;
    if (typeof own !== 'function') return own;
    return (...args: unknown[]): unknown => {
      const made: unknown = own.apply(target, args);
      return LATER.has(name) ? Promise.resolve().then(() => made) : made;
    };
  },
});

/** What a call gives, as a text; or the phase that it fails in, and why. */
export function called(
  builtins: readonly Builtin[],
  name: string,
  args: readonly Plain[],
  options: CallOptions = {},
): MaybeLater<string> {
  const builtin = builtins.find((each) => each.name === name)!;
  const all = args.map(given);
  const fixed = options.fixed ?? {};
  const known: Argument[] = all.map((each) => {
    const own = each!;
    const isFunction = typeof own.value === 'function';
    const isConstant = !isFunction && typeof own.value !== 'object' && options.blind !== true;
    return {
      type: options.blind ? blindly(own.type) : own.type,
      constant: isConstant ? (own.value as Scalar) : undefined,
      ...(isFunction ? { function: { name: 'f', resultOf: () => own.type } } : {}),
    };
  });
  let results: readonly Type[];
  try {
    results = builtin.infer({
      args: known,
      fixed,
      views: new Map(),
      sparseBelow: options.selects === true ? 0.25 : 0,
      fail: (phase, message) => {
        throw new Failed(`${phase}: ${message}`);
      },
      describe: (path) => {
        try {
          return readFileSync(path, 'utf8');
        } catch {
          return undefined;
        }
      },
    });
  } catch (error) {
    if (error instanceof Failed) return error.message;
    throw error;
  }
  const site = {
    builtin,
    source: new Source('test', ''),
    span: { start: 0, end: 0 },
    args: known.map(({ type }) => type),
    results,
    fixed,
  };
  const fail = (error: unknown): string => `execution: ${(error as Error).message}`;
  try {
    const made = builtin.run(
      options.later ? laterRuntime : runtime,
      site,
      all.map((each) => each?.value) as RunArgument[],
    );
    const told = then(made, (values) => {
      const list = values === undefined ? [] : Array.isArray(values) ? values : [values];
      return (list as Value[]).map((own, i) => shownAs(own, results[i]!)).join(' ; ');
    });
    return told instanceof Promise ? told.catch(fail) : told;
  } catch (error) {
    return fail(error);
  }
}

/** The value; and where it is another type, or of another shape than the compiler said, that. */
function shownAs(own: Value, type: Type): string {
  const text = shown(own);
  if (typeof own !== 'object' || own.kind === 'list') return text;
  const said = own.kind === 'frame' ? own.rows : `${own.rows}x${own.columns}`;
  const agrees =
    type.data === 'matrix'
      ? own.kind !== 'frame' &&
        (type.value ?? own.value) === own.value &&
        (type.rows ?? own.rows) === own.rows &&
        (type.columns ?? own.columns) === own.columns
      : type.data === 'frame' && own.kind === 'frame' && (type.rows ?? own.rows) === own.rows;
  return agrees ? text : `${text} (${said}, and the compiler said ${typeName(type)})`;
}

function shown(own: Value): string {
  if (typeof own !== 'object') return String(own);
  if (own.kind === 'frame') return frameText(own);
  if (own.kind === 'list') return `${own.elements.length} elements`;
  const dense = runtime.dense(own);
  const cells = dense.kind === 'strings' ? dense.cells : runtime.elements(dense);
  const rows = Array.from({ length: own.rows }, (_, i) =>
    Array.from({ length: own.columns }, (_, j) => number(cells[i * own.columns + j]!)).join(' '),
  );
  return `${own.kind === 'sparse' ? 'sparse ' : ''}${own.value} ${own.rows}x${own.columns}: ${rows.join(' | ')}`;
}

const number = (own: number | bigint | string): string =>
  typeof own === 'number' ? String(Number(own.toPrecision(6))) : String(own);

const frameText = ({ rows, columns }: Frame): string =>
  `frame ${rows}: ${columns.map(({ label, value, cells }) => `${label}:${value} ${Array.from(cells instanceof Texts ? cells.strings() : (cells as Elements), number).join(' ')}`).join(' | ')}`;

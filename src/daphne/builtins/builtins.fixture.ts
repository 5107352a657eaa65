/** Calls built-ins as a program does, without one: what the compiler would say first, then the run. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arr } from '../../arrays/index.ts';
import { DTYPES } from '../../nd/index.ts';
import { scriptError } from '../errors.ts';
import { EagerRuntime } from '../runtime/eager.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Source } from '../source.ts';
import { ELEMENT_TYPES, frame, list, matrix, scalar, type Type, type ValueType } from '../types.ts';
import { Texts } from '../values/texts.ts';
import type { Column, DataObject, DenseMatrix, Frame, Matrix, Scalar, Value } from '../values/values.ts';
import { type Builtin, type CallToInfer, type Fixed, RunError } from './builtin.ts';

export const runtime = new EagerRuntime(
  () => {},
  () => {},
);

/** The same, but what takes its time is there later, as with `--vec`. */
const gradual: Runtime = Object.create(runtime, {
  elements: { value: async (matrix: DenseMatrix) => runtime.elements(matrix) },
  computed: { value: async (arrays: readonly Arr[]) => runtime.computed(arrays) },
  matrix: { value: async (array: Arr, value: DenseMatrix['value']) => runtime.matrix(array, value) },
  dense: { value: async (matrix: Matrix) => runtime.dense(matrix) },
});

/** An argument: a data object, or a scalar with its type. */
export type Given = DataObject | { readonly value: ValueType; readonly scalar: Scalar; readonly isVariable?: boolean };

export const s = (value: ValueType, scalar: Scalar): Given => ({ value, scalar });

/** One whose value the compiler does not know. */
export const v = (value: ValueType, scalar: Scalar): Given => ({ value, scalar, isVariable: true });

/** A matrix of rows. Of none, or of empty rows, the number of columns is given. */
export function m(value: ValueType, rows: readonly (readonly Scalar[])[], columns = rows[0]?.length ?? 0): Matrix {
  const cells = rows.flat();
  if (value === 'str') return { kind: 'strings', value, rows: rows.length, columns, cells: cells as string[] };
  return runtime.matrixOf(elementsOf(value, cells), value, rows.length, columns);
}

const elementsOf = (value: Exclude<ValueType, 'str'>, cells: readonly Scalar[]) => {
  const type = ELEMENT_TYPES[value];
  const Elements = DTYPES[type].Elements as unknown as { from(cells: readonly unknown[]): Float64Array };
  return Elements.from(cells.map((cell) => (type === 'i64' || type === 'u64' ? BigInt(cell) : Number(cell))));
};

/** A frame of columns. */
export const f = (columns: Readonly<Record<string, readonly [ValueType, ...Scalar[]]>>): Frame => {
  const made = Object.entries(columns).map(
    ([label, [value, ...cells]]): Column =>
      value === 'str' ? { label, value, cells: cells as string[] } : { label, value, cells: elementsOf(value, cells) },
  );
  return { kind: 'frame', rows: made[0]?.cells.length ?? 0, columns: made };
};

const isScalar = (given: Given): given is Extract<Given, { scalar: Scalar }> => 'scalar' in given;

/** What the compiler estimates of sparse ones. */
const estimate = (given: Matrix) => (given.kind === 'sparse' ? { sparsity: 0.1 } : {});

/** `known`: all that can be known of its shape. */
function typeOf(given: Given, known: boolean): Type {
  if (isScalar(given)) return scalar(given.value);
  if (given.kind === 'list') return list(given.value);
  if (given.kind !== 'frame') {
    const sparse = given.kind === 'sparse' ? { sparse: true } : {};
    return known
      ? matrix(given.value, given.rows, given.columns, { ...sparse, ...estimate(given) })
      : matrix(given.value, undefined, undefined, { ...sparse, ...estimate(given) });
  }
  return known
    ? frame(
        given.columns.map(({ label, value }) => ({ label, value })),
        given.rows,
      )
    : frame(undefined);
}

class Failed extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** `f64 2x2 [1 2 | 3 4]`: type, shape and cells; frames by columns. */
export function shown(value: Value): string {
  if (typeof value !== 'object') return `${typeof value === 'bigint' ? `${value}n` : value}`;
  const line = (cells: ArrayLike<unknown>): string =>
    Array.from(cells, (cell) => (Object.is(cell, -0) ? '-0' : String(cell))).join(' ');
  if (value.kind === 'frame') {
    return `frame ${value.rows} [${value.columns.map((each) => `${each.label}:${each.value} ${line(each.cells instanceof Texts ? each.cells.strings() : each.cells)}`).join(' | ')}]`;
  }
  if (value.kind === 'list') return `list ${value.elements.map(shown).join(', ')}`;
  const full = runtime.dense(value);
  const cells = full.kind === 'strings' ? full.cells : runtime.elements(full);
  const rows = Array.from({ length: full.rows }, (_, row) =>
    line(Array.from(cells as ArrayLike<unknown>).slice(row * full.columns, (row + 1) * full.columns)),
  );
  return `${value.kind === 'sparse' ? 'sparse ' : ''}${full.value} ${full.rows}x${full.columns} [${rows.join(' | ')}]`;
}

/** A call with all that the compiler may know, or without shapes and columns. @throws Failed with the exit code. */
async function called(
  on: Runtime,
  builtin: Builtin,
  given: readonly Given[],
  fixed: Fixed,
  known: boolean,
): Promise<string> {
  const types = given.map((each) => typeOf(each, known));
  const constant = (each: Given): Scalar | undefined => (isScalar(each) && !each.isVariable ? each.scalar : undefined);
  const call: CallToInfer = {
    args: given.map((each, i) => ({ type: types[i]!, constant: constant(each) })),
    fixed,
    views: new Map(),
    sparseBelow: 0.25,
    fail: (phase, message) => {
      throw new Failed(phase === 'parser' ? 1 : 2, message);
    },
    describe: () => undefined,
  };
  const results = builtin.infer(call);
  const source = new Source('test', '');
  const site = { builtin, source, span: { start: 0, end: 0 }, args: types, results, fixed };
  const args = given.map((each) => {
    if (isScalar(each)) return each.scalar;
    // Who calls built-ins gives dense ones to those that know no others.
    return each.kind === 'sparse' && !builtin.takesSparse ? runtime.dense(each) : each;
  });
  try {
    const value = builtin.run(on, site, args);
    assert.ok(on !== runtime || !(value instanceof Promise), 'nothing takes its time without --vec');
    const found = await value;
    const values = Array.isArray(found) ? (found as readonly Value[]) : found === undefined ? [] : [found as Value];
    for (const [i, each] of values.entries()) checkType(each, results[i]!);
    return values.map(shown).join('; ');
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    throw new Failed(3, scriptError('execution', source, site.span, error.message).message);
  }
}

/** What it gives, or its exit code. */
export async function outcome(
  on: Runtime,
  builtin: Builtin,
  given: readonly Given[],
  fixed: Fixed,
  known: boolean,
): Promise<string | number> {
  try {
    return await called(on, builtin, given, fixed, known);
  } catch (error) {
    if (error instanceof Failed) return error.code;
    throw error;
  }
}

/** What the compiler said about a value holds. */
function checkType(value: Value, type: Type): void {
  const differ = (what: string, said: unknown, is: unknown): void => {
    if (said !== undefined && said !== is) throw new Error(`${what}: the compiler said ${said}, and it is ${is}`);
  };
  if (typeof value !== 'object') {
    differ('data type', type.data, 'scalar');
    return;
  }
  if (value.kind === 'list' || type.data === 'list') {
    differ('data type', type.data, value.kind);
    return;
  }
  differ('data type', type.data, value.kind === 'frame' ? 'frame' : 'matrix');
  if (type.data === 'scalar') return;
  differ('rows', type.rows, value.rows);
  if (value.kind === 'frame') {
    const columns = value.columns.map((each) => `${each.label}:${each.value}`).join();
    if (type.data === 'frame' && type.columns?.every((each) => each.value !== undefined)) {
      differ('columns', type.columns.map((each) => `${each.label}:${each.value}`).join(), columns);
    }
    return;
  }
  if (type.data !== 'matrix') return;
  if (type.sparse === true) differ('storage', 'sparse', value.kind);
  differ('columns', type.columns, value.columns);
  differ('value type', type.value, value.value);
}

/** What a call gives, or its exit code; without shapes another one where that is said. */
export type Case = readonly [
  name: string,
  args: readonly Given[],
  expected: string | number,
  more?: Fixed & { readonly unknown?: string | number },
];

/**
 * Tests of these built-ins: each call with all known beforehand, and without shapes, where shapes that do not fit show at run time; on what computes
 * at once, and on what computes later.
 */
export const casesOf =
  (builtins: readonly Builtin[]) =>
  (title: string, table: readonly Case[]): void => {
    test(title, async () => {
      for (const [name, args, expected, { unknown, ...fixed } = {}] of table) {
        const builtin = builtins.find((each) => each.name === name);
        assert.ok(builtin, name);
        const call = `${name} of ${args.map((each) => (isScalar(each) ? String(each.scalar) : shown(each))).join(', ')}`;
        assert.equal(await outcome(runtime, builtin, args, fixed, true), expected, `${call}, all known`);
        const later = await outcome(gradual, builtin, args, fixed, false);
        assert.equal(later, unknown ?? (expected === 2 ? 3 : expected), `${call}, unknown`);
      }
    });
  };

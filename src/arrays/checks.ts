import { kindOf as kindOfValue, shown, UsageError } from '../base/index.ts';
import { DTYPE_NAMES, type DType, isDType, type Shape, shapeText, sizeOf } from '../nd/index.ts';

/** Checks of what the functions of this room are given. */

export function checkShape(operation: string, shape: unknown): number[] {
  const list = typeof shape === 'number' ? [shape] : shape;
  if (!Array.isArray(list)) {
    throw new UsageError(`${operation} takes a shape such as [3, 4], and not ${kindOfValue(shape)}`, {
      code: 'ERR_SHEAF_SHAPE',
      details: { operation },
    });
  }
  const bad = (list as unknown[]).find((length) => !Number.isSafeInteger(length) || (length as number) < 0);
  if (bad !== undefined) {
    throw new UsageError(`${operation}: ${shown(bad)} is no length of an axis; lengths are integers from 0 on`, {
      code: 'ERR_SHEAF_SHAPE',
      details: { operation, shape: list.map(String) },
    });
  }
  const lengths = [...(list as number[])];
  if (sizeOf(lengths) <= Number.MAX_SAFE_INTEGER) return lengths;
  throw new UsageError(
    `${operation}: the shape ${shapeText(lengths)} has 2**53 elements or more, which nobody can count`,
    {
      code: 'ERR_SHEAF_SHAPE',
      details: { operation, shapes: [lengths] },
    },
  );
}

export function checkDType(operation: string, dtype: unknown): DType {
  if (isDType(dtype)) return dtype;
  throw new UsageError(`${operation}: there is no element type ${shown(dtype)}; there are ${DTYPE_NAMES.join(', ')}`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation },
  });
}

export function checkInteger(operation: string, what: string, value: unknown, least = Number.MIN_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  const from = least === Number.MIN_SAFE_INTEGER ? '' : ` from ${least} on`;
  throw new UsageError(`${operation}: ${what} is ${shown(value)}; give an integer${from}`, { details: { operation } });
}

/** A list of integers, or one of them alone. */
export function checkIntegers(
  operation: string,
  what: string,
  value: unknown,
  least = Number.MIN_SAFE_INTEGER,
): readonly number[] {
  if (typeof value === 'number') return [checkInteger(operation, what, value, least)];
  if (Array.isArray(value)) return value.map((each) => checkInteger(operation, what, each, least));
  throw new UsageError(`${operation}: ${what} is ${shown(value)}; give an integer, or a list of integers`, {
    details: { operation },
  });
}

/** A function, or none where that is allowed. */
export function checkFunction(operation: string, what: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new UsageError(`${operation}: ${what} is ${shown(value)}; give a function`, { details: { operation } });
}

export function checkNumber(operation: string, what: string, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new UsageError(`${operation}: ${what} is ${shown(value)}; give a number`, { details: { operation } });
}

/** One of some texts, or numbers. */
export function checkChoice<T>(operation: string, what: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  throw new UsageError(
    `${operation}: ${what} is ${shown(value)}; give ${choices.map((each) => shown(each)).join(' or ')}`,
    {
      details: { operation },
    },
  );
}

/** Throws a UsageError (ERR_SHEAF_SHAPE) with the shapes that do not do. */
export function badShapes(operation: string, text: string, ...shapes: readonly Shape[]): UsageError {
  return new UsageError(`${operation}: ${text}`, {
    code: 'ERR_SHEAF_SHAPE',
    details: { operation, shapes: shapes.map((shape) => [...shape]) },
  });
}

/** A typed array, or one of ours: in their place an argument was left out, or `map(f)(x)` was meant. */
const isOfElements = (o: object): boolean => ArrayBuffer.isView(o) || ('shape' in o && 'dtype' in o);

/**
 * Options are an object, all of whose names are known: one that is misspelt would not be noticed in the result.
 *
 * @param lists names of flags of which there may be one for each of several.
 */
export function checkOptions(
  operation: string,
  o: unknown,
  names: readonly string[],
  lists: readonly string[] = [],
): void {
  if (o === undefined) return;
  if (typeof o !== 'object' || o === null || Array.isArray(o) || isOfElements(o)) {
    throw new UsageError(
      `${operation}: options are an object such as { ${names[0]}: ... }, and not ${kindOfValue(o)}`,
      {
        details: { operation },
      },
    );
  }
  for (const name in o) {
    if (names.includes(name)) {
      if (!FLAGS.has(name)) continue;
      const value = (o as Readonly<Record<string, unknown>>)[name];
      const flags = Array.isArray(value) && lists.includes(name) ? value : [value];
      for (const flag of flags) checkFlag(operation, name, flag);
      continue;
    }
    throw new UsageError(
      `${operation} has no option ${shown(name)}; there ${names.length > 1 ? 'are' : 'is'} ${names.join(', ')}`,
      {
        details: { operation },
      },
    );
  }
}

/** Options that are true or false, in all functions that have them. */
const FLAGS: ReadonlySet<string> = new Set([
  'keepdims',
  'descending',
  'largest',
  'stable',
  'upper',
  'fullMatrices',
  'includeInitial',
  'endpoint',
  'training',
  'right',
  'sorted',
  'countPadding',
]);

function checkFlag(operation: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new UsageError(`${operation}: ${name} is ${shown(value)}; give true or false`, { details: { operation } });
}

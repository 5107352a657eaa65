/** Shapes of two operands: equal ones, or one of them a row or a column that is there again and again. */

import type { MatrixType } from '../types.ts';
import { RunError } from './builtin.ts';
import type { Length } from './operands.ts';

interface Shaped {
  readonly rows?: Length;
  readonly columns?: Length;
}

/** A length of the result, if it is known; null: these do not fit. */
function lengthOf(a: Length, b: Length): Length | null {
  if (a === b) return a;
  if (a === undefined || b === undefined) {
    const known = a ?? b;
    // The other one is 1, or the same; of 1 it may be anything.
    return known === 1 ? undefined : known;
  }
  return a === 1 ? b : b === 1 ? a : null;
}

/** Two shapes of which all is known fit if the result has one of them: a row and a column are no table of all pairs, which is `outer...`. */
const fits = (a: Shaped, b: Shaped, rows: Length | null, columns: Length | null): boolean => {
  if (rows === null || columns === null) return false;
  if ([a.rows, a.columns, b.rows, b.columns].includes(undefined)) return true;
  return [a, b].some((each) => each.rows === rows && each.columns === columns);
};

const text = (of: Shaped): string => `${of.rows ?? '?'}x${of.columns ?? '?'}`;
const misfit = (name: string, a: Shaped, b: Shaped): string =>
  `${name} takes matrices of one shape, or a matrix and a row or column of its length, and not ${text(a)} and ${text(b)}`;

/** What the compiler knows of the shape of the result. As in DAPHNE, what does not fit fails when it is run. */
export function inferBroadcast(a: MatrixType, b: MatrixType): Shaped {
  const [rows, columns] = [lengthOf(a.rows, b.rows), lengthOf(a.columns, b.columns)];
  return fits(a, b, rows, columns) ? { rows: rows ?? undefined, columns: columns ?? undefined } : {};
}

/** The shape of the result at run time. */
export function broadcast(
  name: string,
  a: { readonly rows: number; readonly columns: number },
  b: { readonly rows: number; readonly columns: number },
): { readonly rows: number; readonly columns: number } {
  const [rows, columns] = [lengthOf(a.rows, b.rows), lengthOf(a.columns, b.columns)];
  if (!fits(a, b, rows, columns)) throw new RunError(misfit(name, a, b));
  return { rows: rows as number, columns: columns as number };
}

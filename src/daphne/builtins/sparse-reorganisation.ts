/** Elements of large sparse matrices at other places. Of smaller ones the dense matrices do it, as they are what is asked for then. */

import { type Arr, computedHere, concat, csr, type Sparse } from '../../arrays/index.ts';
import { elements } from '../../nd/index.ts';
import { all, then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ELEMENT_TYPES, mostGeneral } from '../types.ts';
import type { DenseMatrix, MaybeLater, SparseMatrix, Value } from '../values/values.ts';
import { type Builtin, type RunArgument, RunError, type Site } from './builtin.ts';
import { lengthArgument, type NumericType } from './operands.ts';
import { listed } from './selection.ts';
import { cellsOf, denseWithin, densified, isSparse, made, sparsePart, staysSparse, withCells } from './sparse.ts';
import { flagOf } from './wanted.ts';

export const unequal = (rows: number, columns: number, r: number, c: number): string =>
  `the ${rows * columns} elements of ${rows}x${columns} do not make ${r}x${c}`;

/** What a built-in does with a large sparse matrix as its first argument; undefined: what it does with a dense one. */
type OnLarge = (
  runtime: Runtime,
  of: SparseMatrix,
  rest: readonly RunArgument[],
  site: Site,
) => MaybeLater<Value> | undefined;

export const withLarge = (builtin: Builtin, onLarge: OnLarge): Builtin => ({
  ...builtin,
  takesSparse: true,
  run(runtime, site, args) {
    const [of, ...rest] = args;
    const found = isSparse(of) && staysSparse(of) ? onLarge(runtime, of, rest, site) : undefined;
    return (
      found ??
      (args.some(isSparse)
        ? then(densified(runtime, args), (dense) => builtin.run(runtime, site, dense))
        : builtin.run(runtime, site, args))
    );
  },
});

/** Each element at the place that `placeOf` gives, counted row by row: places ascend as elements do, and -1 is none. */
function sifted(
  runtime: Runtime,
  of: SparseMatrix,
  rows: number,
  columns: number,
  placeOf: (row: number, column: number) => number,
): MaybeLater<SparseMatrix> {
  const parts: Arr[] = [of.csr.indptr, of.csr.indices, of.csr.values];
  return then(runtime.computed(parts), (found) => {
    const [starts, places, values] = found as unknown as [Int32Array, Int32Array, Float64Array];
    const indptr = new Int32Array(rows + 1);
    const indices = new Int32Array(values.length);
    const into = elements(ELEMENT_TYPES[of.value], values.length) as Float64Array;
    let count = 0;
    for (let row = 0; row < of.rows; row++) {
      for (let at = starts[row]!; at < starts[row + 1]!; at++) {
        const place = placeOf(row, places[at]!);
        if (place < 0) continue;
        indptr[Math.floor(place / columns) + 1]!++;
        indices[count] = place % columns;
        into[count++] = values[at]!;
      }
    }
    for (let row = 0; row < rows; row++) indptr[row + 1]! += indptr[row]!;
    const own = {
      values: into.subarray(0, count),
      indices: indices.subarray(0, count),
      indptr,
      shape: [rows, columns],
    };
    return made(of.value, csr(own));
  });
}

export const reshapeLarge: OnLarge = (runtime, of, rest, site) => {
  const args = [of, ...rest];
  const lengths = ['the number of rows', 'the number of columns'].map((what, i) =>
    lengthArgument(runtime, site, args, i + 1, what),
  );
  return all(lengths, ([rows, columns]) => {
    if (rows! * columns! !== of.rows * of.columns) throw new RunError(unequal(of.rows, of.columns, rows!, columns!));
    return sifted(runtime, of, rows!, columns!, (row, column) => row * of.columns + column);
  });
};

export const reverseLarge: OnLarge = (runtime, of) => {
  const back = Int32Array.from({ length: of.rows }, (_, i) => of.rows - 1 - i);
  return sparsePart(of, listed(runtime, back), { kind: 'all', length: of.columns });
};

export const joinLarge =
  (axis: 0 | 1): OnLarge =>
  (_, a, [b]) => {
    if (!isSparse(b) || (axis === 0 ? a.columns !== b.columns : a.rows !== b.rows)) return undefined;
    const value = mostGeneral(a.value, b.value) as NumericType;
    const both = [a, b].map(({ csr }) => csr.astype(ELEMENT_TYPES[value])) as [Sparse, Sparse];
    return made(value, concat(both, { axis }) as unknown as Sparse);
  };

export const diagonalOfLarge: OnLarge = (runtime, of) =>
  of.rows !== of.columns
    ? undefined
    : then(
        sifted(runtime, of, of.rows, 1, (row, column) => (row === column ? row : -1)),
        (line) => denseWithin(runtime, line),
      );

export const triangleOfLarge =
  (upper: boolean): OnLarge =>
  (runtime, of, [diagonal, values]) => {
    if (of.rows !== of.columns) return undefined;
    return all([flagOf(runtime, diagonal), flagOf(runtime, values)], ([withDiagonal, keeps]) => {
      const stays = (row: number, column: number): boolean =>
        row === column ? withDiagonal! : upper ? column > row : column < row;
      const part = sifted(runtime, of, of.rows, of.columns, (row, column) =>
        stays(row, column) ? row * of.columns + column : -1,
      );
      return then(part, (own) => {
        if (keeps) return own;
        const cells = cellsOf(own);
        return withCells(own, { ...cells, array: cells.array.astype('bool').astype(cells.array.dtype) });
      });
    });
  };

/** What replaces no 0: on the elements that are there. */
export const onCellsOf =
  (replace: Builtin): OnLarge =>
  (runtime, of, [pattern, replacement], site) => {
    if (Number(pattern) === 0) return undefined;
    const cells = replace.run(runtime, site, [cellsOf(of), pattern, replacement]) as MaybeLater<DenseMatrix>;
    return then(cells, (own) => withCells(of, own));
  };

export const isSymmetricLarge: OnLarge = (runtime, { csr, rows, columns }) => {
  if (rows !== columns) return undefined;
  const parts = (own: Sparse): Arr[] => [own.indptr, own.indices, own.values];
  return then(runtime.computed([...parts(csr), ...parts(computedHere(csr.T))]), (found) => {
    const [starts, places, values, otherStarts, otherPlaces, others] = found as unknown as Float64Array[];
    for (let row = 0; row < rows; row++) {
      let [at, other] = [starts![row]!, otherStarts![row]!];
      const [end, otherEnd] = [starts![row + 1]!, otherStarts![row + 1]!];
      for (;;) {
        // What is there may be 0.
        while (at < end && (Number(values![at]) === 0 || places![at] === row)) at++;
        while (other < otherEnd && (Number(others![other]) === 0 || otherPlaces![other] === row)) other++;
        if (at === end || other === otherEnd) break;
        if (places![at] !== otherPlaces![other] || values![at++] !== others![other++]) return false;
      }
      if (at !== end || other !== otherEnd) return false;
    }
    return true;
  });
};

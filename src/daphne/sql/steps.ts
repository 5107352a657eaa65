/** What is chosen and grouped one step after the other: whatever the keys and expressions are. */

import { gather, withCells } from '../values/frames.ts';
import type { Column } from '../values/values.ts';
import type { Bound } from './bind.ts';
import { type Groups, groupsOf, isRanked, type Ranks, ranksOf } from './keys.ts';
import { chosenRows, evaluated } from './loops.ts';
import { aggregated } from './sums.ts';

/** Columns of one length. */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** Rows that are chosen, and groups of them. */
export function inSteps(bound: Bound, all: Table): Table {
  let table = all;
  let keys = keysIn(all);
  if (bound.where !== undefined) {
    const rows = chosenRows(bound.where, all.columns, all.rows);
    const { needed } = bound;
    table = picked(all, rows, (index) => needed.has(index));
    keys = keysIn(all, rows);
  }
  return bound.groups === undefined ? table : grouped(bound, table, keys);
}

/** Some rows; columns that nobody needs have none. */
export function picked(
  { columns }: Table,
  rows: Int32Array,
  isNeeded: (index: number) => boolean,
): { rows: number; columns: Column[] } {
  return {
    rows: rows.length,
    columns: columns.map((column, i) =>
      withCells(column, gather<Column['cells']>(column.cells, isNeeded(i) ? rows : [])),
    ),
  };
}

/** Columns as keys of rows. */
interface Keys {
  ranks(index: number): Ranks;
  /** The cells of a column at some of the rows. */
  cells(index: number, at: Int32Array): Column['cells'];
}

/** Grouping by whole columns of views knows their ranks: those of some rows are some of them. */
function keysIn({ rows: all, columns }: Table, rows?: Int32Array): Keys {
  const cellsOf = (index: number): Column['cells'] => columns[index]!.cells;
  if (rows === undefined)
    return {
      ranks: (index) => ranksOf(cellsOf(index)),
      cells: (index, at) => gather<Column['cells']>(cellsOf(index), at),
    };
  return {
    ranks(index) {
      const whole = cellsOf(index);
      if (rows.length * 8 < all && !isRanked(whole)) return ranksOf(gather<Column['cells']>(whole, rows));
      const { ranks, count } = ranksOf(whole);
      return { ranks: gather(ranks, rows), count };
    },
    cells: (index, at) => gather<Column['cells']>(cellsOf(index), gather(rows, at)),
  };
}

/** One row for each group: its keys, and what is computed of its rows. */
function grouped({ groups: of }: Bound, table: Table, by: Keys): Table {
  const { keys, aggregates } = of!;
  const groups: Groups =
    keys.length > 0
      ? groupsOf(keys.map(by.ranks), table.rows)
      : { ids: new Int32Array(table.rows), count: 1, first: new Int32Array(0) };
  const columns = [
    ...keys.map((index) => withCells(table.columns[index]!, by.cells(index, groups.first))),
    ...aggregates.map(({ aggregate, of: each, value }): Column => {
      const column = { value: each.value, cells: evaluated(each, table.columns, table.rows) } as Column;
      return { label: '', value, cells: aggregated(aggregate, column, groups) } as Column;
    }),
  ];
  return { rows: groups.count, columns };
}

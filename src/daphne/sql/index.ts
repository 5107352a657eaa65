/** SQL over frames: a query is parsed once, bound to the views that there are, and runs over their columns. */

import { RunError } from '../builtins/builtin.ts';
import { type ColumnType, type FrameType, frame, type ValueType } from '../types.ts';
import { frameOf, prefixed } from '../values/frames.ts';
import type { Column, Frame } from '../values/values.ts';
import { type Bound, bind } from './bind.ts';
import { type Comparison, type Condition, thetaPairs } from './joins.ts';
import { groupsOf, ranksOf, sortedRows } from './keys.ts';
import { chosenRows, evaluated } from './loops.ts';
import { groupedInOnePass } from './one-pass.ts';
import { parse, type Select, SqlError } from './parser.ts';
import { inSteps, picked, type Table } from './steps.ts';

export interface Query {
  /** The type of its result over these views, or an error that `fail` throws. */
  typeFor(views: ReadonlyMap<string, FrameType>, fail: (message: string) => never): FrameType;
  run(views: ReadonlyMap<string, Frame>): Frame;
}

/** The last few queries: loops run the same ones again and again. */
const known = new Map<string, Query>();
const MOST_KNOWN = 64;

export function query(text: string): Query {
  let made = known.get(text);
  if (made === undefined) {
    made = prepared(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, made);
  }
  return made;
}

function prepared(text: string): Query {
  let tree: Select | undefined;
  const parsed = (): Select => {
    tree ??= parse(text);
    return tree;
  };
  return {
    typeFor(views, fail) {
      try {
        const select = parsed();
        const names = [...select.tables, ...select.joins.map(({ table }) => table)].map(({ name }) => name);
        // What is not known yet shows when it runs.
        const open = names.some(
          (name) => views.get(name)?.columns?.every(({ value }) => value !== undefined) === false,
        );
        const unknown = names.some((name) => views.has(name) && views.get(name)!.columns === undefined);
        if (open || unknown) return frame(undefined);
        const bound = bind(select, (name) => views.get(name)?.columns as Known | undefined);
        return frame(bound.results.map(({ label, of }): ColumnType => ({ label, value: of.value })));
      } catch (error) {
        if (error instanceof SqlError) return fail(error.message);
        throw error;
      }
    },
    run(views) {
      try {
        return execute(
          bind(parsed(), (name) => views.get(name)?.columns),
          views,
        );
      } catch (error) {
        if (error instanceof SqlError) throw new RunError(error.message);
        throw error;
      }
    },
  };
}

type Known = readonly { label: string; value: ValueType }[];

function execute(bound: Bound, views: ReadonlyMap<string, Frame>): Frame {
  const all = source(bound, views);
  let table = groupedInOnePass(bound, all) ?? inSteps(bound, all);
  if (bound.having !== undefined) {
    const rows = chosenRows(bound.having, table.columns, table.rows);
    table = picked(table, rows, () => true);
  }
  let results = { rows: table.rows, columns: projected(bound, table) };
  if (bound.orderBy.length > 0) {
    const keys = bound.orderBy.map(({ column, ascending }) => ({
      cells: evaluated(column, table.columns, table.rows),
      ascending,
    }));
    results = picked(results, sortedRows(keys, table.rows), () => true);
  }
  if (bound.distinct) {
    const groups = groupsOf(
      results.columns.map(({ cells }) => ranksOf(cells)),
      results.rows,
    );
    results = picked(results, groups.first, () => true);
  }
  return frameOf(results.rows, results.columns);
}

const projected = (bound: Bound, table: Table): Column[] =>
  bound.results.map(
    ({ label, of }) => ({ label, value: of.value, cells: evaluated(of, table.columns, table.rows) }) as Column,
  );

/** All tables, joined. */
function source(bound: Bound, views: ReadonlyMap<string, Frame>): Table {
  const tables = bound.tables.map(({ name, prefix }): Table => {
    const { rows, columns } = views.get(name)!;
    return { rows, columns: columns.map((column): Column => ({ ...column, label: prefixed(prefix, column.label) })) };
  });
  return tables.slice(1).reduce((left, right, i) => {
    const conditions = bound.joins[i]!.map(
      ({ left: index, operator, right: other }): Condition => ({
        left: left.columns[index]!,
        comparison: operator as Comparison,
        right: right.columns[other]!,
      }),
    );
    return joined(left, right, conditions, bound.used);
  }, tables[0]!);
}

function joined(left: Table, right: Table, conditions: readonly Condition[], used: ReadonlySet<number>): Table {
  const pairs = thetaPairs(conditions, left.rows, right.rows);
  return {
    rows: pairs.left.length,
    columns: [
      ...picked(left, pairs.left, (index) => used.has(index)).columns,
      ...picked(right, pairs.right, (index) => used.has(left.columns.length + index)).columns,
    ],
  };
}

/** Frames: tables in partitions, computed on DuckDB. */
export { count, max, mean, min, quantile, sum } from './aggregates.ts';
export { lit } from './expression.ts';
export { fromArrow, fromColumns, readCsv, readParquet, type TypeOf } from './read.ts';
export type {
  Agg,
  Col,
  Cols,
  ColumnInput,
  Columns,
  ColumnValues,
  Condition,
  DT,
  DtOf,
  Frame,
  Groups,
  JoinOptions,
  Js,
  ReadOptions,
  Row,
  Schema,
  There,
  Types,
  WriteOptions,
  Written,
} from './types.ts';

/** Files of numbers, read and written as `{ shape, dtype, elements }`. */

export { type ArrowOptions, readArrow, writeArrow } from './arrow.ts';
export type { Column, ColumnsOptions } from './columns.ts';
export {
  type CsvArray,
  type CsvColumn,
  type CsvOptions,
  type CsvWriteOptions,
  readCsv,
  readCsvColumns,
  writeCsv,
} from './csv.ts';
export { scanNumbers } from './csv-numbers.ts';
export type { Scanned } from './csv-scan.ts';
export { type Coordinates, readMatrixMarket, writeMatrixMarket } from './matrix-market.ts';
export { type NpyOptions, readNpy, writeNpy } from './npy.ts';
export { readParquet, readParquetTable, type TextColumn, writeParquet } from './parquet.ts';
/** @internal */
export { loadPeer } from './peers.ts';
export type { Source } from './source.ts';
export { type Coded, TextCodes } from './text-codes.ts';

import { then } from '../runtime/later.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DataObject, Matrix, MaybeLater } from '../values/values.ts';
import { writeCells, writeColumns } from './cells.ts';
import { headerOf } from './headers.ts';

export { scalarText } from './cells.ts';
export { headerOf, scalarTypeText } from './headers.ts';

/** Prints a data object: its header, and a line for each row. */
export function printObject(
  runtime: Runtime,
  object: DataObject,
  write: (text: string) => void,
): MaybeLater<undefined> {
  if (object.kind === 'frame') {
    write(`${headerOf(object)}\n`);
    writeColumns(write, object.columns, object.rows);
    return undefined;
  }
  if (object.kind !== 'list') return printMatrix(runtime, object, write);
  write(`${headerOf(object)}\n`);
  const from = (at: number): MaybeLater<undefined> => {
    const element = object.elements[at];
    return element === undefined ? undefined : then(printMatrix(runtime, element, write), () => from(at + 1));
  };
  return from(0);
}

function printMatrix(runtime: Runtime, matrix: Matrix, write: (text: string) => void): MaybeLater<undefined> {
  const { rows, columns, value } = matrix;
  // A sparse one is printed with its zeros.
  return then(runtime.dense(matrix), (dense) =>
    then(dense.kind === 'strings' ? dense.cells : runtime.elements(dense), (cells) => {
      write(`${headerOf(matrix)}\n`);
      writeCells(write, cells, value, rows, columns);
      return undefined;
    }),
  );
}

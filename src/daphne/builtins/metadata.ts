import type { Elements } from '../../nd/index.ts';
import { headerOf, scalarTypeText } from '../printing/index.ts';
import { then } from '../runtime/later.ts';
import { scalar, type Type } from '../types.ts';
import { type DataObject, type Frame, isDataObject, type Matrix, type Value } from '../values/values.ts';
import { matrixArgument, wrong } from './arguments.ts';
import { type Builtin, type CallToInfer, RunError } from './builtin.ts';
import { isSymmetricLarge, withLarge } from './sparse-reorganisation.ts';

const widthOf = (object: Frame | Matrix): number => (object.kind === 'frame' ? object.columns.length : object.columns);

const rowsOf = (type: Type): number | undefined =>
  type.data === 'matrix' || type.data === 'frame' ? type.rows : undefined;

function columnsOf(type: Type): number | undefined {
  if (type.data === 'matrix') return type.columns;
  return type.data === 'frame' ? type.columns?.length : undefined;
}

function size(
  name: string,
  known: (rows: number | undefined, columns: number | undefined) => number | undefined,
  count: (rows: number, columns: number) => number,
): Builtin {
  return {
    name,
    parameters: ['arg'],
    least: 1,
    most: 1,
    takesSparse: true,
    infer(call) {
      const { data } = call.args[0]!.type;
      if (data !== 'matrix' && data !== 'frame') wrong(call, 0, 'a matrix or a frame');
      return [scalar('size')];
    },
    fold: ({ args }: CallToInfer) => known(rowsOf(args[0]!.type), columnsOf(args[0]!.type)),
    run(_runtime, _site, [object]) {
      const given = object as Frame | Matrix;
      return count(given.rows, widthOf(given));
    },
  };
}

const product = (rows: number | undefined, columns: number | undefined): number | undefined =>
  rows === undefined || columns === undefined ? undefined : rows * columns;

function nonZeros(cells: Elements | readonly string[]): number {
  let count = 0;
  for (let i = 0; i < cells.length; i++) if (cells[i]) count++;
  // NaN is false, and not 0.
  if (cells instanceof Float64Array || cells instanceof Float32Array)
    for (let i = 0; i < cells.length; i++) if (Number.isNaN(cells[i])) count++;
  return count;
}

/** What the compiler has estimated, where it could; otherwise it is counted. */
const sparsity: Builtin = {
  name: 'sparsity',
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    matrixArgument(call, 0);
    return [scalar('f64')];
  },
  fold: ({ args: [argument] }) => (argument!.type.data === 'matrix' ? argument!.type.sparsity : undefined),
  takesSparse: true,
  run(runtime, _site, [given]) {
    const matrix = given as Matrix;
    const cells = matrix.rows * matrix.columns;
    const own =
      matrix.kind === 'strings'
        ? matrix.cells
        : then(runtime.computed([matrix.kind === 'sparse' ? matrix.csr.values : matrix.array]), ([first]) => first!);
    return then<Elements | readonly string[], number>(own, (list) => (cells === 0 ? 0 : nonZeros(list) / cells));
  },
};

const typeOf: Builtin = {
  name: 'typeOf',
  parameters: ['arg'],
  least: 1,
  most: 1,
  takesSparse: true,
  infer: () => [scalar('str')],
  fold: ({ args: [argument] }) => (argument!.type.data === 'scalar' ? scalarTypeText(argument!.type.value) : undefined),
  run(_runtime, site, [given]) {
    const type = site.args[0]!;
    if (isDataObject(given as Value)) return headerOf(given as DataObject);
    return type.data === 'scalar' ? scalarTypeText(type.value) : '';
  },
};

const isSymmetric: Builtin = {
  name: 'isSymmetric',
  parameters: ['arg'],
  least: 1,
  most: 1,
  infer(call) {
    matrixArgument(call, 0);
    return [scalar('bool')];
  },
  fold: ({ args: [argument] }) =>
    argument!.type.data === 'matrix' && argument!.type.symmetric === true ? true : undefined,
  run(runtime, _site, [given]) {
    const matrix = given as Matrix;
    const { rows, columns } = matrix;
    if (rows !== columns)
      throw new RunError(`only square matrices may be symmetric, and this one is ${rows}x${columns}`);
    return then(runtime.dense(matrix), (dense) =>
      then(dense.kind === 'strings' ? dense.cells : runtime.elements(dense), (cells) => {
        for (let i = 1; i < rows; i++)
          for (let j = 0; j < i; j++) if (cells[i * rows + j] !== cells[j * rows + i]) return false;
        return true;
      }),
    );
  },
};

export const METADATA: readonly Builtin[] = [
  size(
    'nrow',
    (rows) => rows,
    (rows) => rows,
  ),
  size(
    'ncol',
    (_, columns) => columns,
    (_, columns) => columns,
  ),
  size('ncell', product, (rows, columns) => rows * columns),
  sparsity,
  typeOf,
  withLarge(isSymmetric, isSymmetricLarge),
];

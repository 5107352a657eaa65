import { Matmul } from '../../kernels/index.ts';
import { DTYPES, type DType } from '../../nd/index.ts';
import type { RunnerOf } from './work.ts';

/** A matrix in a memory: its first element, and elements from row to row and from column to column. */
export interface PlacedMatrix {
  readonly offset: number;
  readonly strides: readonly [number, number];
}

/** A product of matrices, as plain data. */
export interface ProductPlan {
  readonly dtype: DType;
  readonly left: PlacedMatrix;
  readonly right: PlacedMatrix;
  readonly into: PlacedMatrix;
  readonly k: number;
  readonly n: number;
}

/** The same product, of m rows, as that of the transposed matrices: its rows are the columns of the other. */
export function turned({ dtype, left, right, into, k }: ProductPlan, m: number): ProductPlan {
  const across = ({ offset, strides: [row, column] }: PlacedMatrix): PlacedMatrix => ({
    offset,
    strides: [column, row],
  });
  return { dtype, left: across(right), right: across(left), into: across(into), k, n: m };
}

/** Of this thread; made when it is first needed: it looks for a library. */
let matmul: Matmul | undefined;

/** Computes rows of a product. */
export const productTiles: RunnerOf<ProductPlan> = ({ dtype, left, right, into, k, n }, memory) => {
  const { Elements } = DTYPES[dtype];
  const elements = new Elements(memory.buffer);
  matmul ??= new Matmul();
  const product = matmul;
  const fromRow = ({ offset, strides }: PlacedMatrix, row: number) => ({
    elements,
    offset: offset + row * strides[0],
    strides,
  });
  return (_chunk, from, to) =>
    product.run(fromRow(left, from), fromRow(right, 0), fromRow(into, from), to - from, k, n);
};

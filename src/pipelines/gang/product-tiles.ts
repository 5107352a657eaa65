import { Matmul, mirrored } from '../../kernels/index.ts';
import { DTYPES, type DType, type Elements } from '../../nd/index.ts';
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
  /** The right matrix is the left one, turned. */
  readonly symmetric: boolean;
}

/** Parts of a product along its inner side: the sums of each part lie behind those of the part before. */
export interface InnerPlan extends ProductPlan {
  readonly m: number;
}

/** The same product, of m rows, as that of the transposed matrices: its rows are the columns of the other. */
export function turned({ left, right, into, ...plan }: ProductPlan, m: number): ProductPlan {
  const across = ({ offset, strides: [row, column] }: PlacedMatrix): PlacedMatrix => ({
    offset,
    strides: [column, row],
  });
  return { ...plan, left: across(right), right: across(left), into: across(into), n: m };
}

/** Of this thread; made when it is first needed: it looks for a library. */
let matmul: Matmul | undefined;

/** Looks for the library, before there is anything to multiply. */
export function findLibrary(): void {
  matmul ??= new Matmul();
}

/** The matrix from a row, and from a column on. */
const from = ({ offset, strides }: PlacedMatrix, elements: Elements, row: number, column: number) => ({
  elements,
  offset: offset + row * strides[0] + column * strides[1],
  strides,
});

/** Computes rows of a product. */
export const productTiles: RunnerOf<ProductPlan> = ({ dtype, left, right, into, k, n, symmetric }, memory) => {
  const elements = new DTYPES[dtype].Elements(memory.buffer);
  matmul ??= new Matmul();
  const product = matmul;
  if (!symmetric)
    return (_chunk, top, end) =>
      product.run(
        from(left, elements, top, 0),
        from(right, elements, 0, 0),
        from(into, elements, top, 0),
        end - top,
        k,
        n,
      );
  return (_chunk, top, end) => {
    // The square at the diagonal, which again is symmetric, and what is beside it; then the same below.
    const rows = from(left, elements, top, 0);
    product.run(rows, from(right, elements, 0, top), from(into, elements, top, top), end - top, k, end - top);
    product.run(rows, from(right, elements, 0, end), from(into, elements, top, end), end - top, k, n - end);
    mirrored(elements, into.offset, into.strides, n, top, end);
  };
};

/** Computes the sums of parts of a product along its inner side. */
export const innerTiles: RunnerOf<InnerPlan> = ({ dtype, left, right, into, m, n }, memory) => {
  const elements = new DTYPES[dtype].Elements(memory.buffer);
  matmul ??= new Matmul();
  const product = matmul;
  return (chunk, first, end) => {
    const sums = { elements, offset: into.offset + chunk * m * n, strides: into.strides };
    product.run(from(left, elements, 0, first), from(right, elements, first, 0), sums, m, end - first, n);
  };
};

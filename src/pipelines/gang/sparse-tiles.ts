import { type Csr, CsrKernels, type Indices } from '../../kernels/index.ts';
import { DTYPES, type DType } from '../../nd/index.ts';
import type { PlacedMatrix } from './product-tiles.ts';
import type { RunnerOf } from './work.ts';

/** So many elements from some element of their type on. */
export interface PlacedLine {
  readonly offset: number;
  readonly length: number;
}

/** A sparse matrix times a dense one, or a vector: one without columns. As plain data. */
export interface SparsePlan {
  readonly dtype: DType;
  readonly index: 'i32' | 'i64';
  readonly indptr: PlacedLine;
  readonly indices: PlacedLine;
  readonly values: PlacedLine;
  /** Of the sparse matrix: rows of the other one. */
  readonly columns: number;
  readonly right: PlacedMatrix;
  readonly into: PlacedMatrix;
  /** Of the dense matrix; undefined for a vector. */
  readonly width: number | undefined;
}

const known = new WeakMap<WebAssembly.Memory, CsrKernels>();

function kernelsOf(memory: WebAssembly.Memory): CsrKernels {
  let kernels = known.get(memory);
  if (kernels === undefined) {
    kernels = new CsrKernels(memory);
    known.set(memory, kernels);
  }
  return kernels;
}

/** The matrix of a plan, where it lies. */
export function csrOf({ dtype, index, indptr, indices, values, columns }: SparsePlan, memory: WebAssembly.Memory): Csr {
  const line = (of: DType, { offset, length }: PlacedLine) => {
    const { Elements, bytes } = DTYPES[of];
    return new Elements(memory.buffer, offset * bytes, length);
  };
  return {
    rows: indptr.length - 1,
    columns,
    dtype,
    indptr: line(index, indptr) as Indices,
    indices: line(index, indices) as Indices,
    values: line(dtype, values),
  };
}

/** Computes rows of a product with a sparse matrix. */
export const sparseTiles: RunnerOf<SparsePlan> = (plan, memory) => {
  const a = csrOf(plan, memory);
  const kernels = kernelsOf(memory);
  const elements = new DTYPES[plan.dtype].Elements(memory.buffer);
  const [right, into] = [plan.right, plan.into].map((each) => ({ ...each, elements })) as [
    PlacedMatrix & { elements: typeof elements },
    PlacedMatrix & { elements: typeof elements },
  ];
  const { width } = plan;
  return (_chunk, from, to) => {
    if (width === undefined) kernels.multiplyVector(a, right, into, { from, to });
    else kernels.multiplyMatrix(a, right, into, width, { from, to });
  };
};

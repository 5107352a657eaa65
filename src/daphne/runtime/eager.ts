import { type Arr, arrayOf, nodeOf } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import { buffersOf, inThread, isComputed } from '../../pipelines/index.ts';
import { ELEMENT_TYPES, type ValueType } from '../types.ts';
import type { DenseMatrix, Frame, Matrix, StringMatrix } from '../values/values.ts';
import { Holdings, type HoldingsOptions } from './holdings.ts';
import { Own } from './own.ts';
import type { Runtime } from './runtime.ts';

function computedNow(arrays: readonly Arr[], holdings: Holdings): readonly Elements[] {
  const nodes = arrays.map((each) => nodeOf('elements', each));
  holdings.add(inThread().computeNow(nodes));
  return nodes.map((node) => inThread().read(node));
}

/** So few elements are copied sooner than a pipeline is planned that does it: scripts take one after the other. */
export const FEW = 4096;

/** A copy of a part, which nobody else has. */
function partNow(
  of: DenseMatrix,
  holdings: Holdings,
  top: number,
  left: number,
  rows: number,
  columns: number,
): Elements {
  const node = nodeOf('part', of.array);
  if (!isComputed(node)) holdings.add(inThread().computeNow([node]));
  return inThread().readPart(node, [top, left], [rows, columns]);
}

/** Computes at once, operation by operation, in this thread alone: what scripts are run with without `--vec`. */
export class EagerRuntime implements Runtime {
  readonly views = new Map<string, Frame>();
  readonly own = new Own();
  readonly workers = 1;
  readonly holdings: Holdings;
  readonly #write: (text: string) => void;
  readonly #writeError: (text: string) => void;

  constructor(
    write: (text: string) => void,
    writeError: (text: string) => void,
    { holdings = {} }: { readonly holdings?: HoldingsOptions } = {},
  ) {
    this.holdings = new Holdings(holdings);
    this.#write = write;
    this.#writeError = writeError;
  }

  elements({ array }: DenseMatrix): Elements {
    return this.computed([array])[0] as Elements;
  }

  computed(arrays: readonly Arr[]): readonly Elements[] {
    return computedNow(arrays, this.holdings);
  }

  matrix(array: Arr, value: Exclude<ValueType, 'str'>): DenseMatrix {
    const [rows, columns] = array.shape as [number, number];
    this.holdings.add(inThread().computeNow([nodeOf('matrix', array)]));
    return { kind: 'dense', value, rows, columns, array };
  }

  matrixOf(elements: Elements, value: Exclude<ValueType, 'str'>, rows: number, columns: number): DenseMatrix {
    const array = arrayOf(elements, [rows, columns], ELEMENT_TYPES[value]);
    // That they are, where kernels see them, a copy.
    this.holdings.add(buffersOf(nodeOf('matrix', array)));
    return { kind: 'dense', value, rows, columns, array };
  }

  partOf(of: DenseMatrix, top: number, left: number, rows: number, columns: number): DenseMatrix {
    if (rows * columns > FEW) {
      this.own.share(of);
      return this.matrix(of.array.at(`${top}:${top + rows}`, `${left}:${left + columns}`), of.value);
    }
    return this.matrixOf(partNow(of, this.holdings, top, left, rows, columns), of.value, rows, columns);
  }

  withPart(of: DenseMatrix, by: DenseMatrix, top: number, left: number): DenseMatrix {
    const { value, rows, columns } = of;
    const [part] = computedNow([by.array], this.holdings) as [Float64Array];
    const into = (this.own.take(of) ?? partNow(of, this.holdings, 0, 0, rows, columns)) as Float64Array;
    for (let i = 0; i < by.rows; i++) {
      into.set(part.subarray(i * by.columns, (i + 1) * by.columns), (top + i) * columns + left);
    }
    const made = this.matrixOf(into, value, rows, columns);
    this.own.keep(made, into);
    return made;
  }

  dense(matrix: Matrix): DenseMatrix | StringMatrix {
    if (matrix.kind !== 'sparse') return matrix;
    return this.matrix(matrix.csr.toDense(), matrix.value);
  }

  write(text: string): void {
    this.#write(text);
  }

  writeError(text: string): void {
    this.#writeError(text);
  }

  path(path: string): string {
    return path;
  }

  now(): bigint {
    return BigInt(Date.now()) * 1_000_000n;
  }

  seed(): number {
    return Math.floor(Math.random() * 2 ** 32);
  }
}

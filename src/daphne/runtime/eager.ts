import { type Arr, arrayOf, nodeOf } from '../../arrays/index.ts';
import type { Elements } from '../../nd/index.ts';
import { inThread } from '../../pipelines/index.ts';
import { ELEMENT_TYPES, type ValueType } from '../types.ts';
import type { DenseMatrix, Frame, Matrix, StringMatrix } from '../values/values.ts';
import type { Runtime } from './runtime.ts';

/** Computes at once, operation by operation, in this thread alone: what scripts are run with without `--vec`. */
export class EagerRuntime implements Runtime {
  readonly views = new Map<string, Frame>();
  readonly workers = 1;
  readonly #write: (text: string) => void;
  readonly #writeError: (text: string) => void;

  constructor(write: (text: string) => void, writeError: (text: string) => void) {
    this.#write = write;
    this.#writeError = writeError;
  }

  elements({ array }: DenseMatrix): Elements {
    return this.computed([array])[0] as Elements;
  }

  computed(arrays: readonly Arr[]): readonly Elements[] {
    const nodes = arrays.map((each) => nodeOf('elements', each));
    inThread().computeNow(nodes);
    return nodes.map((node) => inThread().read(node));
  }

  matrix(array: Arr, value: Exclude<ValueType, 'str'>): DenseMatrix {
    const [rows, columns] = array.shape as [number, number];
    inThread().computeNow([nodeOf('matrix', array)]);
    return { kind: 'dense', value, rows, columns, array };
  }

  matrixOf(elements: Elements, value: Exclude<ValueType, 'str'>, rows: number, columns: number): DenseMatrix {
    const array = arrayOf(elements, [rows, columns], ELEMENT_TYPES[value]);
    return { kind: 'dense', value, rows, columns, array };
  }

  dense(matrix: Matrix): DenseMatrix | StringMatrix {
    if (matrix.kind !== 'sparse') return matrix;
    return this.matrix(matrix.csr.toDense(), matrix.value);
  }

  relief(): Promise<void> | undefined {
    return inThread().buffers.relieve?.();
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

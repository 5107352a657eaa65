import { UsageError } from '../../base/index.ts';
import { registerCodec } from '../../codec/index.ts';
import type { ElementOpName } from '../../kernels/index.ts';
import { type DType, shapeText } from '../../nd/index.ts';
import type { Node } from '../../pipelines/index.ts';
import type { Arr, ExplainOptions } from '../arr.ts';
import { checkDType } from '../checks.ts';
import { formOf } from '../explain.ts';
import { isArr, nodeOf, wrap } from '../lazy.ts';
import { pipelinesFor } from '../place.ts';
import type { D, Value } from '../types.ts';
import { exact, rowsOf, toDense } from './convert.ts';
import { denseOf, each, scaled, withScalar, withSparse } from './elementwise.ts';
import { arraysOf, counted, type Parts, shapeOf, transposed, typed } from './parts.ts';
import { timesDense, timesSparse } from './products.ts';
import { combined, mean } from './reductions.ts';
import { partOf } from './select.ts';
import type { Coordinates, Sparse, SparseAxisOptions } from './types.ts';
import { persisted, received, released, sent, shown, type Travelling } from './values.ts';

/** What is behind `Sparse`. */
class SparseMatrix {
  #parts: Parts;
  /** Whether it was computed, and counts among those that use the pattern. */
  #isHeld = false;
  #turned: Sparse | undefined;

  constructor(parts: Parts, isHeld = false) {
    this.#parts = parts;
    this.#isHeld = isHeld;
    complete();
  }

  static of(x: unknown): Parts | undefined {
    return typeof x === 'object' && x !== null && #parts in x ? x.#parts : undefined;
  }

  /** What it holds: its own arrays, those of what it is the transpose of, and those of its transpose. */
  static *nodesOf(s: SparseMatrix): Generator<Node> {
    const turned = s.#turned === undefined ? undefined : SparseMatrix.of(s.#turned);
    for (const from of [s.#parts, turned]) {
      for (let parts = from; parts !== undefined; parts = parts.of) yield* arraysOf(parts);
    }
  }

  get shape(): readonly [number, number] {
    return shapeOf(this.#parts);
  }

  get dtype(): DType {
    return this.#parts.dtype;
  }

  get ndim(): number {
    return 2;
  }

  get nnz(): number {
    return counted('nnz', this.#parts);
  }

  get indptr(): Arr {
    return wrap(this.#parts.indptr);
  }

  get indices(): Arr {
    return wrap(exact('indices', this.#parts, this.#parts.indices));
  }

  get values(): Arr {
    return wrap(exact('values', this.#parts, this.#parts.values));
  }

  get T(): Sparse {
    return this.transpose();
  }

  transpose(): Sparse {
    this.#turned ??= wrapSparse(transposed(this.#parts));
    return this.#turned;
  }

  toDense(): Arr {
    return wrap(toDense(this.#parts));
  }

  toCoo(): Coordinates {
    const rows = rowsOf('toCoo', this.#parts);
    return { rows: wrap<'i32'>(rows), columns: this.indices as Arr<'i32'>, values: this.values };
  }

  astype(dtype: D): Sparse {
    const own = checkDType('astype', dtype);
    return own === this.dtype ? (this as unknown as Sparse) : wrapSparse(typed(this.#parts, own));
  }

  at(...ix: unknown[]): Sparse | Arr {
    const part = partOf(this.#parts, ix);
    return 'indptr' in part ? wrapSparse(part) : wrap(part);
  }

  matmul(x: unknown): Arr | Sparse {
    if (isSparse(x)) return wrapSparse(timesSparse(this.#parts, sparseOf('matmul', x)));
    return wrap(timesDense(this.#parts, nodeOf('matmul', x)));
  }

  sum(o?: SparseAxisOptions): Arr {
    return wrap(combined('sum', this.#parts, o));
  }

  min(o?: SparseAxisOptions): Arr {
    return wrap(combined('min', this.#parts, o));
  }

  max(o?: SparseAxisOptions): Arr {
    return wrap(combined('max', this.#parts, o));
  }

  mean(o?: SparseAxisOptions): Arr {
    return wrap(mean(this.#parts, o));
  }

  async persist(): Promise<Sparse> {
    const parts = await persisted(this.#parts);
    if (!this.#isHeld) {
      this.#parts = parts;
      this.#isHeld = true;
      parts.pattern.users++;
    }
    return this as unknown as Sparse;
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    released(this.#parts);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async show(): Promise<string> {
    return shown(this.#parts.count === undefined ? await persisted(this.#parts) : this.#parts);
  }

  async explain(o: ExplainOptions = {}): Promise<string> {
    return pipelinesFor('explain').explain(arraysOf(this.#parts), formOf(o));
  }

  toString(): string {
    return `Sparse(${this.dtype}, ${shapeText(this.shape)})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new UsageError('a sparse matrix has no JavaScript operators: write x.add(y), x.mul(y), and so on');
  }

  toJSON(): never {
    throw new UsageError(
      'a sparse matrix has no JSON form, since it is not computed yet: use await x.show(), or x.toCoo()',
    );
  }
}

/** Functions of each element, by the names of their methods. */
const EACH: Readonly<Record<string, ElementOpName>> = {
  ...{ abs: 'abs', neg: 'negative', sign: 'sign', square: 'square', sqrt: 'sqrt', floor: 'floor', ceil: 'ceil' },
  ...{ round: 'round', trunc: 'trunc', expm1: 'expm1', log1p: 'log1p', tanh: 'tanh' },
};

/** Operators beside another sparse matrix, a dense array, or a value. */
const BESIDE: Readonly<Record<string, ElementOpName>> = {
  ...{ add: 'add', sub: 'subtract', mul: 'multiply', div: 'divide', maximum: 'maximum', minimum: 'minimum' },
};

/** Operators beside a value. */
const BESIDE_VALUES: Readonly<Record<string, ElementOpName>> = {
  ...{ pow: 'pow', greater: 'greater', greaterEqual: 'greaterEqual', less: 'less', lessEqual: 'lessEqual' },
  ...{ equal: 'equal', notEqual: 'notEqual' },
};

const isValue = (y: unknown): y is Value => typeof y === 'number' || typeof y === 'bigint' || typeof y === 'boolean';

function beside(name: ElementOpName, s: Parts, y: unknown, operation: string): Sparse | Arr {
  if (isValue(y)) return wrapSparse(withScalar(name, s, y, operation));
  const other = SparseMatrix.of(y);
  if (other !== undefined) return wrapSparse(withSparse(name, s, other, operation));
  const node = nodeOf(operation, y);
  if (name === 'multiply' || name === 'divide') return wrapSparse(scaled(name, s, node, operation));
  return denseOf(name, s, y as Arr, operation);
}

let isComplete = false;

/** @internal Adds what has names of operators, and how matrices travel. What only receives them calls it before there is one. */
export function complete(): void {
  if (isComplete) return;
  isComplete = true;
  const method = (name: string, fn: (s: Parts, y: unknown) => unknown): void => {
    Object.defineProperty(SparseMatrix.prototype, name, {
      value(this: unknown, y: unknown) {
        return fn(sparseOf(name, this), y);
      },
      writable: true,
      configurable: true,
    });
  };
  for (const [name, op] of Object.entries(EACH)) method(name, (s) => wrapSparse(each(op, s, name)));
  for (const [name, op] of Object.entries(BESIDE)) method(name, (s, y) => beside(op, s, y, name));
  for (const [name, op] of Object.entries(BESIDE_VALUES)) {
    method(name, (s, y) => {
      if (isValue(y)) return wrapSparse(withScalar(op, s, y, name));
      throw new UsageError(`${name} of a sparse matrix takes a value beside it; make it dense first, with toDense()`, {
        details: { operation: name },
      });
    });
  }
  // Its own name is not kept by bundlers.
  Object.defineProperty(SparseMatrix, 'name', { value: 'Sparse' });
  registerCodec(SparseMatrix, {
    id: 'sheaf/sparse',
    encode: (x: SparseMatrix) => sent(sparseOf('sending a sparse matrix', x)),
    decode: (travelling: Travelling) => new SparseMatrix(received(travelling), true),
  });
}

/** @internal A matrix by its parts. */
export const wrapSparse = <T extends D>(parts: Parts): Sparse<T> => new SparseMatrix(parts) as unknown as Sparse<T>;

/** @internal All nodes that are kept by a sparse matrix. */
export const nodesOfSparse = (s: Sparse): readonly Node[] => [...SparseMatrix.nodesOf(s as unknown as SparseMatrix)];

/** Whether something is a sparse matrix, and not an array. */
export const isSparse = (x: unknown): x is Sparse => SparseMatrix.of(x) !== undefined;

/** @internal */
export function sparseOf(operation: string, x: unknown): Parts {
  const parts = SparseMatrix.of(x);
  if (parts !== undefined) return parts;
  const what = isArr(x)
    ? 'a dense array; toSparse() makes one of it'
    : 'something else; csr(), fromCoo() and toSparse() make one';
  throw new UsageError(`${operation} takes a sparse matrix, and not ${what}`, { details: { operation } });
}

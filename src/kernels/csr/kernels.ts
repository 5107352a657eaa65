import type { Strided } from '../reference.ts';
import { type Csr, wordsOf } from './format.ts';
import { type FloatLane, matrixModule, vectorModule } from './modules.ts';
import { allRows, multiplyMatrix, multiplyVector, type Rows } from './multiply.ts';

type Compiled = (...args: number[]) => void;

/**
 * Products of sparse matrices, by WebAssembly where they are of floats and all lies in its memory, in JavaScript otherwise. `into` must not
 * overlap the others. Matrices are taken as they are: see `checkCsr`.
 */
export class CsrKernels {
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #compiled = new Map<string, Compiled>();

  constructor(memory?: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** `into` becomes `a` times the vector `x`, some rows of it: `into` has all of them, each of both one stride. */
  multiplyVector(a: Csr, x: Strided, into: Strided, rows: Rows = allRows(a)): void {
    const lane = this.#laneOf(a, x, into);
    if (lane === undefined) {
      multiplyVector(a, x, into, rows);
      return;
    }
    const { bytes, steps, addresses } = this.#layout(a, x, into, rows);
    const unit = x.strides[0] === 1;
    const run = this.#run(`vector ${lane} ${steps} ${unit}`, () => vectorModule(lane, steps, unit, this.#isShared));
    run(
      ...addresses,
      ((x.strides[0] as number) * bytes) | 0,
      ((into.strides[0] as number) * bytes) | 0,
      rows.to - rows.from,
      0,
    );
  }

  /** `into` becomes `a` times the dense matrix `b` of so many columns. */
  multiplyMatrix(a: Csr, b: Strided, into: Strided, columns: number, rows: Rows = allRows(a)): void {
    const lane = b.strides[1] === 1 && into.strides[1] === 1 ? this.#laneOf(a, b, into) : undefined;
    if (lane === undefined) {
      multiplyMatrix(a, b, into, columns, rows);
      return;
    }
    const { bytes, steps, addresses } = this.#layout(a, b, into, rows);
    const run = this.#run(`matrix ${lane} ${steps}`, () => matrixModule(lane, steps, this.#isShared));
    const leads = [b, into].map(({ strides }) => ((strides[0] as number) * bytes) | 0);
    run(...addresses, ...leads, rows.to - rows.from, columns, 0);
  }

  get #isShared(): boolean {
    return this.#memory?.buffer instanceof SharedArrayBuffer;
  }

  /** Undefined when WebAssembly can't do it. */
  #laneOf(a: Csr, x: Strided, into: Strided): FloatLane | undefined {
    const { dtype } = a;
    if (dtype !== 'f64' && dtype !== 'f32') return undefined;
    const arrays = [a.indptr, a.indices, a.values, x.elements, into.elements];
    if (arrays.some(({ buffer }) => buffer !== this.#memory?.buffer)) return undefined;
    // Both kinds of indices alike.
    return a.indptr.BYTES_PER_ELEMENT === a.indices.BYTES_PER_ELEMENT ? dtype : undefined;
  }

  #layout(a: Csr, x: Strided, into: Strided, { from }: Rows): { bytes: number; steps: 4 | 8; addresses: number[] } {
    const bytes = a.values.BYTES_PER_ELEMENT;
    const steps = wordsOf(a.indices).step === 1 ? 4 : 8;
    const firstOf = ({ elements, offset }: Strided): number => elements.byteOffset + offset * bytes;
    const result = firstOf(into) + from * (into.strides[0] as number) * bytes;
    const addresses = [
      a.indptr.byteOffset + from * steps,
      a.indices.byteOffset,
      a.values.byteOffset,
      firstOf(x),
      result,
    ];
    return { bytes, steps, addresses: addresses.map((each) => each | 0) };
  }

  #run(key: string, module: () => Uint8Array<ArrayBuffer>): Compiled {
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const imports = { sheaf: { memory: this.#memory as WebAssembly.Memory } };
      compiled = new WebAssembly.Instance(new WebAssembly.Module(module()), imports).exports.run as Compiled;
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }
}

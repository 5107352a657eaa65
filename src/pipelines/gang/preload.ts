import { type Kernel, WasmKernels } from '../../kernels/index.ts';
import { findLibrary } from './product-tiles.ts';

/** The softmax of short rows, of which most code has something that compiles kernels: lanes, rows, a reduction, a function of the library. */
const KERNELS: readonly Kernel[] = [
  {
    ...{ rank: 2, operands: ['f64', 'f64'], scalars: [] },
    steps: [
      { op: 'load', operand: 0, dtype: 'f64' },
      { op: 'load', operand: 1, dtype: 'f64' },
      { op: 'subtract', args: [0, 1], dtype: 'f64' },
      { op: 'exp', args: [2], dtype: 'f64' },
    ],
    results: [
      { value: 3, reduce: null },
      { value: 3, reduce: 'sum' },
    ],
  },
];
const SHORT = 8;

/**
 * What a worker that is there for arrays does while nobody waits for it: it looks for a library for products, and compiles a kernel, so that what compiles the
 * first ones that somebody waits for is compiled itself.
 */
export function preload(): void {
  const kernels = new WasmKernels(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  for (const kernel of KERNELS) {
    for (const last of [SHORT, undefined]) kernels.compiled(kernel, ['unit', 'same'], ['unit', 'same'], last);
  }
  findLibrary();
}

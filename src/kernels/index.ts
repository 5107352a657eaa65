export { ULPS } from './accuracy.ts';
export {
  allRows,
  type Coo,
  type Csr,
  CsrKernels,
  checkCsr,
  combine,
  countOf,
  cutRows,
  fromCoo,
  fromDense,
  type Indices,
  type Rows,
  toCoo,
  toDense,
  transpose,
} from './csr/index.ts';
export { ELEMENTWISE, type ElementOp, type ElementOpName, elementOp } from './elementwise.ts';
export { type GatherFunction, gatherFunction } from './gather.ts';
export { placesOf } from './images/index.ts';
export { type Compiled, JavaScriptKernels } from './javascript/compile.ts';
export { type Kernel, KernelBuilder, keyOf, type Result, type Step } from './kernel.ts';
export { BlockedKernels, MATMUL_SCRATCH, Matmul, type MatmulOptions, mirrored } from './matmul/index.ts';
export { REDUCERS, type Reducer, type ReducerName, reducer } from './reducers.ts';
export { applied, cast, interpret, type Run, type Strided } from './reference.ts';
export {
  type ArrayType,
  type Dense,
  type Params,
  ROUTINES,
  type Routine,
  type RoutineName,
  routine,
} from './routines/index.ts';
export { DoubleSort, type DoublesToSort, scratchBytes } from './sorting/doubles.ts';
export { faultsOf, verify } from './verify.ts';
/** @internal */
export { Code, F64, I32, I64, V128 } from './wasm/code.ts';
export type { Along } from './wasm/cursors.ts';
export { alongOf, type WasmFunction, WasmKernels } from './wasm/kernels.ts';
export { moduleBytes } from './wasm/module.ts';
/** @internal */
export { OPCODES } from './wasm/opcodes.ts';

export { ULPS } from './accuracy.ts';
export { ELEMENTWISE, type ElementOp, type ElementOpName, elementOp } from './elementwise.ts';
export { type Kernel, KernelBuilder, keyOf, type Result, type Step } from './kernel.ts';
export { REDUCERS, type Reducer, type ReducerName, reducer } from './reducers.ts';
export { applied, cast, interpret, type Run, type Strided } from './reference.ts';
export { faultsOf, verify } from './verify.ts';

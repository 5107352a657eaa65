export { type CallSite, callSite } from './callsite.ts';
export { type DescribeOptions, describeFunction, kindOf } from './describe.ts';
export { loadFunction, loadModuleExport } from './load.ts';
export { describeExport, describeModule, type ExportKind, type ModuleSpec } from './module.ts';
export type { FunctionKind, FunctionSpec, ModuleSource, SliceSource } from './spec.ts';
export { stripTypes } from './strip.ts';
export { installTypeScript } from './typescript.ts';

export { callSite } from './callsite.ts';
export { describeFunction, kindOf } from './describe.ts';
export { loadFunction } from './load.ts';
export { describeExport, describeModule } from './module.ts';
export {
  type AnyNode,
  type FunctionNode,
  type FunctionTree,
  isToolStatement,
  type Meaning,
  readFunction,
  type SourcePlace,
  withoutTools,
} from './reading.ts';
export type { FunctionSpec } from './spec.ts';
export { stripTypes } from './strip.ts';
export { installTypeScript } from './typescript.ts';

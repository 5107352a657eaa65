import type { Buffer } from './buffers.ts';
import type { Node } from './graph.ts';
import { inThread } from './in-thread.ts';

export * from './buffers.ts';
export { explainSvg } from './draw.rules.ts';
export type { Crew, PipelineJob } from './execution.ts';
export { explainText } from './explain.rules.ts';
export * from './graph.ts';
export { inSession, pipelinesOf } from './in-session.ts';
export { inThread, relieveThread } from './in-thread.ts';
export { LocalBuffers } from './local-buffers.ts';
export { type GivenIndices, MISSING, noIndexAlong } from './missing.rules.ts';
export * from './pipeline.ts';
export {
  type Computation,
  type ExplainForm,
  type PipelineOptions,
  Pipelines,
  type PipelinesAt,
  type Storage,
  type Watch,
} from './pipelines.ts';
export * from './plan.ts';
export type { DenseArray, Routines } from './routines.ts';
export {
  type Binding,
  type Compilers,
  compilersFor,
  type Elsewhere,
  TileRunner,
  tileRunner,
} from './tile-runner.ts';

/** Computes nodes in this thread, all together, and settles them: they are sources then. */
export const compute = (nodes: readonly Node[]): Promise<readonly Buffer[]> => inThread().compute(nodes);

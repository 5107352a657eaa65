import type { Node } from './graph.ts';
import { LocalBuffers } from './local-buffers.ts';
import { Pipelines } from './pipelines.ts';

export * from './buffers.ts';
export type { Crew, PipelineJob } from './execution.ts';
export * from './graph.ts';
export { inSession, pipelinesOf } from './in-session.ts';
export { LocalBuffers } from './local-buffers.ts';
export * from './pipeline.ts';
export { type PipelineOptions, Pipelines, type Storage } from './pipelines.ts';
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

let own: Pipelines | undefined;

/** Those of this thread, for programs without a session. */
export function inThread(): Pipelines {
  own ??= new Pipelines(new LocalBuffers());
  return own;
}

/** Computes nodes in this thread, all together, and settles them: they are sources then. */
export const compute = (nodes: readonly Node[]): Promise<void> => inThread().compute(nodes);

import type { Pipeline } from '../pipeline.ts';
import { type Binding, compilersFor, TileRunner } from '../tile-runner.ts';
import type { RunnerOf } from './work.ts';

/** A pipeline and what it is run on, as plain data. */
export interface PipelinePlan {
  readonly pipeline: Pipeline;
  readonly binding: Binding;
}

/** Runs tiles of a pipeline, with the scratch of the participant. */
export const pipelineTiles: RunnerOf<PipelinePlan> = ({ pipeline, binding }, memory, participant) => {
  const runner = new TileRunner(pipeline, compilersFor(memory)).bind(binding);
  return (_chunk, from, to) => runner.run(from, to, participant);
};

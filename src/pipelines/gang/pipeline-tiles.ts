import type { Pipeline } from '../pipeline.ts';
import { type Binding, compilersFor, TileRunner } from '../tile-runner.ts';
import type { RunnerOf } from './work.ts';

/** What a pipeline is run on, as plain data. */
export interface PipelinePlan {
  readonly binding: Binding;
}

const runners = new WeakMap<Pipeline, TileRunner>();

/** Runs tiles of a pipeline, with the scratch of the participant. */
export const pipelineTiles: RunnerOf<PipelinePlan, Pipeline> = ({ binding }, memory, participant, pipeline) => {
  const known = runners.get(pipeline);
  const runner = known?.memory === memory ? known : new TileRunner(pipeline, compilersFor(memory));
  // Members run one thing after the other.
  runners.set(pipeline, runner);
  runner.bind(binding);
  return (_chunk, from, to) => runner.run(from, to, participant);
};

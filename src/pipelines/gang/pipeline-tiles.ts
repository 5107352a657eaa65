import type { Pipeline } from '../pipeline.ts';
import { type Binding, type Compilers, compilersFor, TileRunner } from '../tile-runner.ts';
import type { RunnerOf } from './work.ts';

/** A pipeline and what it is run on, as plain data. */
export interface PipelinePlan {
  readonly pipeline: Pipeline;
  readonly binding: Binding;
}

const compilers = new WeakMap<WebAssembly.Memory, Compilers>();

/** Runs tiles of a pipeline, with the scratch of the participant. */
export const pipelineTiles: RunnerOf<PipelinePlan> = ({ pipeline, binding }, memory, participant) => {
  let own = compilers.get(memory);
  if (own === undefined) {
    own = compilersFor(memory);
    compilers.set(memory, own);
  }
  const runner = new TileRunner(pipeline, own).bind(binding);
  return (_chunk, from, to) => runner.run(from, to, participant);
};

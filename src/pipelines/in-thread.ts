import { LocalBuffers } from './local-buffers.ts';
import { Pipelines } from './pipelines.ts';

let own: Pipelines | undefined;

/** Those of this thread, in memory that nobody else sees: for programs without a session, and for what is not worth sharing. */
export function inThread(): Pipelines {
  own ??= new Pipelines(new LocalBuffers());
  return own;
}

/** Between computations of this thread that wait for nothing: time for garbage to be found, if that is due. Without it room is used again never. */
export const relieveThread = (): Promise<void> | undefined => own?.buffers.relieve?.();

import { LocalBuffers } from './local-buffers.ts';
import { Pipelines } from './pipelines.ts';

let own: Pipelines | undefined;

/** Those of this thread, in memory that nobody else sees: for programs without a session, and for what is not worth sharing. */
export function inThread(): Pipelines {
  own ??= new Pipelines(new LocalBuffers());
  return own;
}

import { freeOnDisk } from '../memory/index.ts';
import type { Engine } from '../runtime/index.ts';
import { Gang } from './gang/gang.ts';
import { SessionCrew } from './gang/session-crew.ts';
import { inThread } from './in-thread.ts';
import { LocalBuffers } from './local-buffers.ts';
import { type PipelineOptions, Pipelines } from './pipelines.ts';
import { SessionBuffers } from './session-buffers.ts';

const known = new WeakMap<Engine, Pipelines>();

/** Pipelines of a session, in the thread of this engine: over its shared memory, with its workers. In inline mode this thread has no others. */
export function pipelinesOf(engine: Engine, options: PipelineOptions = {}): Pipelines {
  let pipelines = known.get(engine);
  if (pipelines === undefined) {
    const gang = Gang.of(engine);
    pipelines = inSession(engine, gang, gang === undefined ? options : { small: inThread(), ...options });
    known.set(engine, pipelines);
  }
  return pipelines;
}

/** The same, with a gang of one's own. */
export function inSession(engine: Engine, gang: Gang | undefined, options: PipelineOptions): Pipelines {
  if (gang === undefined) return new Pipelines(new LocalBuffers(), options);
  const buffers = new SessionBuffers(engine.store);
  const crew = new SessionCrew(gang, buffers);
  const { limit, largest, room } = engine.store;
  return new Pipelines(buffers, {
    memory: { limit, largest, spills: room.spills, disk: () => freeOnDisk(room.folder) },
    members: gang.size,
    ...options,
    crew: (job) => crew.run(job),
    wholeCrew: (job) => crew.whole(job),
  });
}

export { defaultSpillFolder } from '../memory/index.ts';
export { STREAM_ITEMS } from '../protocol/index.ts';
export { MOST_CPUS } from '../transport/index.ts';
export type { ActorPool } from './actor-pool.ts';
export * from './array-settings.ts';
export * from './batching.ts';
export type {
  ActorRow,
  CallSite,
  NodeActors,
  NodeObject,
  NodeObjects,
  NodeTasks,
  TaskRow,
} from './control/observer.ts';
export type { NodeRecording, PartyRecording } from './control/recordings.ts';
export { type CoreCache, coreCache } from './core-cache.ts';
export * from './engine.ts';
export { explainWaits, type NodeReport, type PartyReport, partyName, shapeName } from './explain.ts';
export { FileValue } from './files.ts';
export { hostOf } from './hosts.ts';
export { IncomingStream } from './incoming-stream.ts';
export { InlineSession } from './inline/inline-session.ts';
export { LEAST_MEMORY, machineLimits } from './machine.ts';
export type { Origin } from './origins.ts';
export { expectMessages, oversee, takeMessages } from './oversee.ts';
export { POOL_TIMES, type PoolLimits } from './pool.rules.ts';
export { CALL_FIELDS, RUN_FIELDS, WAIT_FIELDS } from './recorder.ts';
export {
  afterSettling,
  bring,
  cellOf,
  isReference,
  keepsMemory,
  Reference,
  readValue,
  recover,
  stateOf,
  sweepHandles,
  taskNameOf,
} from './reference.ts';
export * from './session.ts';
export { folderProblem, runtimeFolder } from './session-socket.ts';
export { shownSite } from './sites.ts';
export type { SessionStats } from './stats.ts';
export type { TaskHost } from './task-host.ts';
export * from './thread-state.ts';
export { INLINE_LIMIT } from './values.ts';

export { defaultSpillFolder } from '../memory/index.ts';
export { STREAM_ITEMS } from '../protocol/index.ts';
export { MOST_CPUS } from '../transport/index.ts';
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
export * from './engine.ts';
export { explainWaits, type NodeReport, type PartyReport, partyName, shapeName } from './explain.ts';
export { FileValue } from './files.ts';
export { IncomingStream } from './incoming-stream.ts';
export { machineLimits } from './machine.ts';
export type { Origin } from './origins.ts';
export { CALL_FIELDS, RUN_FIELDS, WAIT_FIELDS } from './recorder.ts';
export { afterSettling, bring, isReference, keepsMemory, Reference, readValue, stateOf } from './reference.ts';
export * from './session.ts';
export { folderProblem, runtimeFolder } from './session-socket.ts';
export * from './thread-state.ts';
export { INLINE_LIMIT } from './values.ts';

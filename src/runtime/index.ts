export { MOST_CPUS } from '../transport/index.ts';
export * from './engine.ts';
export { explainWaits, type NodeReport, type PartyReport, partyName, shapeName } from './explain.ts';
export { machineLimits } from './machine.ts';
export { afterSettling, isReference, Reference, readValue, stateOf } from './reference.ts';
export * from './session.ts';
export { folderProblem, runtimeFolder } from './session-socket.ts';
export * from './thread-state.ts';
export { INLINE_LIMIT } from './values.ts';

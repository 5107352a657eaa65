export * from './engine.ts';
export { isReference, Reference } from './reference.ts';
export * from './session.ts';
export { runtimeFolder } from './session-socket.ts';
export * from './thread-state.ts';
export { INLINE_LIMIT } from './values.ts';

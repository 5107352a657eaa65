export { actor, init } from './actor.ts';
export { batch } from './batch.ts';
/** @internal */
export { currentEngine } from './context.ts';
export { file } from './file.ts';
/** @internal */
export { connectForArrays } from './open.ts';
export { remote } from './remote.ts';
export { scope } from './scope.ts';
export { connect, current } from './session.ts';
export { merge } from './stream.ts';
export { byRef, stream, task } from './task.ts';
export type * from './types.ts';
export { all, alloc, asCompleted, cancel, get, put, wait } from './waiting.ts';

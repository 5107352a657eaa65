/** @internal */
export * from './abort.ts';
export * from './array-options.ts';
/** @internal */
export * from './bundled.ts';
/** @internal */
export * from './closest.ts';
/** @internal */
export * from './deque.ts';
export * from './errors.ts';
/** @internal */
export * from './folders.ts';
/** @internal */
export * from './json.ts';
/** @internal */
export * from './show.ts';
/** @internal */
export * from './timer.ts';
export * from './units.ts';

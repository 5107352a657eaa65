/** @internal */
export * from './deque.ts';
export * from './errors.ts';
export * from './units.ts';

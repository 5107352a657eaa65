export { giveBackHeap, tolerateLargeViews } from './collector.ts';
export * from './handle.ts';
export * from './store.ts';
export type { SlotRef, StoreStats } from './table.ts';

export { giveBackHeap, tolerateLargeViews } from './collector.ts';
export * from './handle.ts';
export * from './store.ts';
export { sumOf } from './sum.ts';
export type { SlotRef } from './table.ts';

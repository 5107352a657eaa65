export type { ObjectRow } from './accounts.ts';
export { collectGarbage, giveBackHeap, tolerateLargeViews } from './collector.ts';
export * from './handle.ts';
export { clearAbandoned, defaultSpillFolder, freeOnDisk, removeSpillFolder, spillFolderOf } from './spill-folder.ts';
export type { Spiller } from './spiller.ts';
export * from './store.ts';
export { sumOf } from './sum.ts';
export type { SlotRef } from './table.ts';

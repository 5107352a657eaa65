/** Frames: tables in partitions, planned lazily, and computed by tasks on DuckDB. */
export * from './frames/index.ts';

export * from './libc.ts';
export * from './segment.ts';

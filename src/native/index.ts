export { Gate } from './gate.ts';
export * from './libc.ts';
export * from './segment.ts';

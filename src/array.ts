export * from './arrays/index.ts';

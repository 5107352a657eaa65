import { complete } from './arrays/lazy.ts';

// A task may be given arrays before it makes one.
complete();

export * from './arrays/index.ts';

import { complete } from './arrays/lazy.ts';
import { complete as completeSparse } from './arrays/sparse/sparse.ts';

// A task may be given arrays before it makes one.
complete();
completeSparse();

export * from './arrays/public.ts';

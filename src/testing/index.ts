/** For tests of programs that use Sheaf: sessions without workers, faults on demand, and what is left behind. */
export { inline } from './inline.ts';
export { type KillOptions, kill } from './kill.ts';
export { type Leak, leaks } from './leaks.ts';
export { lose } from './lose.ts';

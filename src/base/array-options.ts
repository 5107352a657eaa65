/** How rows of arrays are cut into chunks for those who compute them together. The names are those of DAPHNE. */
export type ArrayScheme =
  | 'STATIC'
  | 'SS'
  | 'GSS'
  | 'TSS'
  | 'FAC2'
  | 'TFSS'
  | 'FISS'
  | 'VISS'
  | 'PLS'
  | 'PSS'
  | 'MFSC'
  | 'MSTATIC'
  | 'AUTO';

/** One queue of chunks for all, one for each group of cores that share memory (a NUMA domain), or one for each worker. */
export type ArrayQueues = 'CENTRALIZED' | 'PERGROUP' | 'PERCPU';

/** From whose queue a worker takes when its own is empty: the next ones in order, or any; PRI: those of its own group first. */
export type ArrayVictims = 'SEQ' | 'SEQPRI' | 'RANDOM' | 'RANDOMPRI';

export const ARRAY_SCHEMES: readonly ArrayScheme[] = [
  'STATIC',
  'SS',
  'GSS',
  'TSS',
  'FAC2',
  'TFSS',
  'FISS',
  'VISS',
  'PLS',
  'PSS',
  'MFSC',
  'MSTATIC',
  'AUTO',
];
export const ARRAY_QUEUES: readonly ArrayQueues[] = ['CENTRALIZED', 'PERGROUP', 'PERCPU'];
export const ARRAY_VICTIMS: readonly ArrayVictims[] = ['SEQ', 'SEQPRI', 'RANDOM', 'RANDOMPRI'];

// Which room of src may import which, and what pure code must not touch. docs of the design explain why.

/**
 * A room may import the rooms of its row, and what those may import. Everyone may import `base`. `*`: anything.
 * Files directly in src are the package's entry points; they may import anything, and nobody imports them.
 */
export const ROOMS = {
  base: [],
  nd: [],
  native: [],
  codec: ['nd'],
  memory: ['native'],
  protocol: ['nd'],
  code: ['native', 'codec'],
  transport: ['protocol', 'codec', 'memory', 'native'],
  runtime: ['nd', 'native', 'codec', 'memory', 'protocol', 'code', 'transport'],
  tasks: ['runtime'],
  kernels: ['nd', 'memory', 'native'],
  partitioned: ['nd', 'codec'],
  pipelines: ['tasks', 'kernels'],
  io: ['nd', 'codec', 'kernels', 'tasks', 'partitioned'],
  frames: ['io'],
  arrays: ['pipelines', 'partitioned', 'io'],
  daphne: ['arrays'],
  cli: ['*'],
  testing: ['*'],
};

/** Code whose behaviour depends on its events alone, so that a simulator can replay it. */
export const isPure = (file) => file.startsWith('protocol/') || file.endsWith('.rules.ts') || PURE_FILES.has(file);

/** Definitions that rules build on: what operators, kernels and graphs are. */
const PURE_FILES = new Set([
  'kernels/elementwise.ts',
  'kernels/floats.ts',
  'kernels/integers.ts',
  'kernels/kernel.ts',
  'kernels/reducers.ts',
  'kernels/reference.ts',
  'kernels/routines/routine.ts',
  'kernels/verify.ts',
  'pipelines/buffers.ts',
  'pipelines/graph.ts',
  'pipelines/pipeline.ts',
  'pipelines/plan.ts',
  'pipelines/walk.ts',
]);

/** What pure code may import besides other pure code. */
export const PURE_ROOMS = ['base', 'nd'];

/** Globals that bring in time, chance or the outside world. */
export const IMPURE_GLOBALS = new Set([
  'Atomics',
  'BroadcastChannel',
  'Date',
  'FinalizationRegistry',
  'MessageChannel',
  'WeakRef',
  'WebAssembly',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** The same for properties of globals. */
export const IMPURE_MEMBERS = new Set(['Math.random', 'globalThis.process', 'globalThis.crypto', 'globalThis.Date']);

import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { codecComesWith } from './codec/index.ts';
import { undisturbed } from './native/index.ts';
import { startWorker } from './runtime/worker-main.ts';

// Entry of a worker: a process with its configuration in the environment, or a thread that was handed it.
const config = workerData?.sheafWorker ?? JSON.parse(process.env.SHEAF_WORKER ?? 'null');
if (config === null) {
  console.error('this is the worker of a Sheaf session, started by it and not by hand');
  process.exit(2);
}
delete process.env.SHEAF_WORKER;
// Arguments may be tasks or arrays, from the first call on: what makes them calls and arrays of this worker's is in the package itself. Of a task
// that only calls methods of an array nothing else would load it.
codecComesWith('sheaf/task', preload);
codecComesWith('sheaf/actor', preload);
codecComesWith('sheaf/array', loadArrays);
codecComesWith('sheaf/sparse', loadArrays);
startWorker(config);

// Most tasks import the package; the first of them finds it loaded, unless it comes at once. Where arrays are what workers are for, tiles of them come first.
const PRELOAD_AFTER_MS = 30;
if (config.arrays.preload) void import('./gang.ts').then((gang) => gang.preload()).catch(() => {});
else setTimeout(preload, PRELOAD_AFTER_MS).unref();

function preload(): void {
  // If it can't be had at once, then it takes its time.
  if (!loadNow('./index.js')) void import('./index.ts').catch(() => {});
}

function loadArrays(): void {
  loadNow('./array.js');
}

/**
 * Loads a file of the package in one go. An `import()` takes several turns of the event loop, and on Node 20 a task that calls
 * `require('sheaf')` meanwhile fails, because the module is there and not ready. False: a task is just loading it, or Node was told not to do this.
 */
function loadNow(file: string): boolean {
  const { emitWarning } = process;
  // That this is experimental on some versions is no news to the program, which did not ask for it.
  process.emitWarning = () => undefined;
  try {
    undisturbed(() => createRequire(import.meta.url)(file));
    return true;
  } catch {
    return false;
  } finally {
    process.emitWarning = emitWarning;
  }
}

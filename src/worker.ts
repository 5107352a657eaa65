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
// Arguments may be tasks, from the first call on: what makes them calls of this worker's is in the package itself.
codecComesWith('sheaf/task', preload);
codecComesWith('sheaf/actor', preload);
startWorker(config);

// Most tasks import the package; the first of them finds it loaded, unless it comes at once.
const PRELOAD_AFTER_MS = 30;
setTimeout(preload, PRELOAD_AFTER_MS).unref();

/**
 * Loads the package in one go. An `import()` takes several turns of the event loop, and on Node 20 a task that calls
 * `require('sheaf')` meanwhile fails, because the module is there and not ready.
 */
function preload(): void {
  const { emitWarning } = process;
  // That this is experimental on some versions is no news to the program, which did not ask for it.
  process.emitWarning = () => undefined;
  try {
    undisturbed(() => createRequire(import.meta.url)('./index.js'));
  } catch {
    // A task is just loading it, or Node was told not to do this: then it takes its time.
    void import('./index.ts').catch(() => {});
  } finally {
    process.emitWarning = emitWarning;
  }
}

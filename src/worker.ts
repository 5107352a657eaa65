import { workerData } from 'node:worker_threads';
import { startWorker } from './runtime/worker-main.ts';

// Entry of a worker: a process with its configuration in the environment, or a thread that was handed it.
const config = workerData?.sheafWorker ?? JSON.parse(process.env.SHEAF_WORKER ?? 'null');
if (config === null) {
  console.error('this is the worker of a Sheaf session, started by it and not by hand');
  process.exit(2);
}
delete process.env.SHEAF_WORKER;
startWorker(config);

// Most tasks import the package; the first of them finds it loaded, unless it comes at once.
const PRELOAD_AFTER_MS = 30;
setTimeout(() => import('./index.ts').catch(() => {}), PRELOAD_AFTER_MS).unref();

import { workerData } from 'node:worker_threads';
import { startControl } from './runtime/control/start.ts';

// Entry of the control thread.
startControl(workerData.sheafControl);
